"""Whether what a chapter imports exists in the installed libraries: a hallucinated name is found here."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from service.domain import Chapter

from .code_blocks import CodeBlock, python_blocks

_SERVER = Path(__file__).with_name("resolve_imports.py")
# The reader of a chapter does not have the chatbot's own packages.
_OWN_PACKAGES = frozenset({"evals", "ingest", "prompts", "service", "tests"})


@dataclass(frozen=True, slots=True)
class Import:
    """`import module` or `from module import name`, and the file's line it stands on."""

    module: str
    name: str | None
    line: int


class ImportResolver:
    """Asks one long-lived process, which loads every library once; each question is asked once."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._known: dict[tuple[str, str | None], str] = {}

    def problem(self, module: str, name: str | None) -> str:
        """Why the import does not work; empty where it does."""
        key = (module, name)
        if key not in self._known:
            self._known[key] = self._ask(module, name)
        return self._known[key]

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _ask(self, module: str, name: str | None) -> str:
        if module.partition(".")[0] in _OWN_PACKAGES:
            return f"`{module}` is the chatbot's own package, not a library of the reader's"
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-W", "ignore", str(_SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, text=True, encoding="utf-8",
            )  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([module, name]) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            self.close()
            return f"importing `{module}` ended the interpreter"
        return str(json.loads(answer))


def syntax_problems(chapter: Chapter) -> list[str]:
    """Python blocks that do not parse, also those that are wrong or do not run."""
    problems = []
    for block in python_blocks(chapter):
        try:
            ast.parse(block.code)
        except SyntaxError as error:
            line = block.line + (error.lineno or 1) - 1
            problems.append(f"{chapter.path}:{line}: {error.msg}: {(error.text or '').strip()}")
    return problems


def import_problems(chapter: Chapter, resolver: ImportResolver) -> list[str]:
    """Imports that do not resolve; blocks marked wrong are left out, for a wrong import may be their point."""
    problems = []
    for block in python_blocks(chapter):
        for found in () if block.wrong else _imports(block):
            if problem := resolver.problem(found.module, found.name):
                problems.append(f"{chapter.path}:{found.line}: {problem}")
    return problems


def _imports(block: CodeBlock) -> Iterator[Import]:
    try:
        tree = ast.parse(block.code)
    except SyntaxError:  # reported by syntax_problems
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, None, block.line + node.lineno - 1) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from (Import(module, alias.name, block.line + node.lineno - 1) for alias in node.names)
