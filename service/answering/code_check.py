"""Whether the Python of an answer parses and imports only what exists, without running any of it.

A false alarm is worse than a miss: what cannot be known from the list of modules is "not checked", never "failed".
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt

from service.answering.known_modules import KnownModules, is_hidden
from service.domain import CodeBlock, CodeCheck

_PYTHON = frozenset({"python", "py", "python3", "py3", "pycon"})
_LONGEST = 50_000
_MOST_DETAILS = 3
_CAUGHT = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
_PROMPTED = re.compile(r"^(?:>>>|\.\.\.)(?: (.*)|$)")
_ONLY_A_COMMENT = re.compile(r"^([ \t]*)(?:#.*|…)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Finding:
    """What was found out about one import."""

    check: CodeCheck
    detail: str = ""


_FINE = _Finding(CodeCheck.PASSED)


class CodeChecker:
    """Checks the code blocks of answers against the modules that the chapters' libraries have."""

    def __init__(self, known: KnownModules) -> None:
        self._known = known
        self._version = tuple(int(part) for part in known.python.split("."))[:2]
        self._markdown = MarkdownIt("commonmark")

    def check(self, markdown: str) -> tuple[CodeBlock, ...]:
        """Every code block of an answer, numbered from 1 in the order they stand in; indented ones count too."""
        blocks = [token for token in self._markdown.parse(markdown) if token.type in ("fence", "code_block")]
        return tuple(self._block(at, token.info, token.content) for at, token in enumerate(blocks, 1))

    def _block(self, number: int, info: str, code: str) -> CodeBlock:
        language = (info.split() or [""])[0].lower()
        if language not in _PYTHON:
            detail = f"{language} is not checked" if language else "the block names no language"
            return CodeBlock(number, language, CodeCheck.NOT_CHECKED, detail)
        finding = self._python(code)
        return CodeBlock(number, language, finding.check, finding.detail)

    def _python(self, code: str) -> _Finding:
        if len(code) > _LONGEST:
            return _Finding(CodeCheck.NOT_CHECKED, f"longer than {_LONGEST:,} characters")
        try:
            tree = _parsed(_without_prompts(code), self._version)
        except SyntaxError as error:
            return _Finding(CodeCheck.FAILED, f"line {error.lineno or 1}: {error.msg}")
        except (RecursionError, MemoryError):
            return _Finding(CodeCheck.NOT_CHECKED, "nested too deeply")
        found = [self._import(*wanted) for wanted in _imports(tree.body)]
        for check in (CodeCheck.FAILED, CodeCheck.NOT_CHECKED):
            details = dict.fromkeys(finding.detail for finding in found if finding.check is check)
            if details:
                return _Finding(check, "; ".join(list(details)[:_MOST_DETAILS]))
        return _FINE

    def _import(self, module: str, name: str | None) -> _Finding:
        """`import module`, or `from module import name`."""
        top = module.partition(".")[0]
        whole = f"{module}.{name}" if name else module
        if reason := self._not_listed(top, whole):
            return _Finding(CodeCheck.NOT_CHECKED, reason)
        there = self._known.get(module)
        if there is None:
            return self._missing_module(module)
        if name is None or name == "*" or name in there.names or whole in self._known.lines:
            return _FINE
        if there.more_names or there.more_modules:
            return _Finding(CodeCheck.NOT_CHECKED, f"the names of `{module}` are not all known")
        return _Finding(CodeCheck.FAILED, f"`{module}` has no `{name}` in {self._release(top)}")

    def _not_listed(self, top: str, whole: str) -> str:
        """Why the list cannot know a module or name; empty where it can."""
        if not top:
            return f"`{whole}` is a module of the reader's own"
        if top not in self._known.lines:
            return f"`{top}` is not among the pinned libraries"
        return f"`{whole}` is private" if is_hidden(whole) else ""

    def _missing_module(self, module: str) -> _Finding:
        parents = (module.rsplit(".", dots)[0] for dots in range(1, module.count(".") + 1))
        for parent in map(self._known.get, parents):
            if parent is not None and parent.more_modules:
                return _Finding(CodeCheck.NOT_CHECKED, f"`{module}` may come from a library that is not pinned")
        return _Finding(CodeCheck.FAILED, f"there is no module `{module}` in {self._release(module.partition('.')[0])}")

    def _release(self, top: str) -> str:
        """What a module is from, such as `fastapi 0.165.0`, for people."""
        if top in sys.stdlib_module_names:
            return f"Python {self._known.python}"
        name = top.replace("_", "-").lower()
        version = self._known.distributions.get(name)
        return f"{name} {version}" if version else "the version that the chapters pin"


def _parsed(code: str, version: tuple[int, ...]) -> ast.Module:
    """Parse a snippet; `await` and `return` may stand outside functions, and a body may be a comment alone.

    Raises:
        SyntaxError, RecursionError, MemoryError
    """
    code = textwrap.dedent(code.expandtabs(4) if code.lstrip("\n").startswith(("\t", " ")) else code)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such as an invalid escape, which Python still accepts
        try:
            return ast.parse(code, feature_version=version)  # type: ignore[arg-type]
        except SyntaxError as error:
            try:
                return ast.parse(_ONLY_A_COMMENT.sub(r"\1...", code), feature_version=version)  # type: ignore[arg-type]
            except SyntaxError:
                raise error from None
        except ValueError as error:  # half of a character
            raise SyntaxError(str(error)) from error


def _without_prompts(code: str) -> str:
    """What was typed in an interactive session, without its output; other code as it is."""
    lines = code.splitlines()
    if not any(line.startswith(">>> ") for line in lines):
        return code
    return "\n".join(found[1] or "" for line in lines if (found := _PROMPTED.match(line)))


def _imports(body: Iterable[ast.AST]) -> Iterator[tuple[str, str | None]]:
    """Every import, but those that the code itself expects to fail: another version's, or an optional library's."""
    for node in body:
        match node:
            case ast.Import(names=aliases):
                yield from ((alias.name, None) for alias in aliases)
            case ast.ImportFrom(names=aliases):
                module = "." * node.level + (node.module or "")
                yield from ((module, alias.name) for alias in aliases)
            case ast.Try(handlers=handlers) if _expects_a_failure(handlers):
                yield from _imports([*node.orelse, *node.finalbody])
            case ast.If(test=test) if "version_info" in ast.unparse(test):
                pass
            case _:
                yield from _imports(ast.iter_child_nodes(node))


def _expects_a_failure(handlers: Sequence[ast.ExceptHandler]) -> bool:
    return any(
        handler.type is None
        or any(isinstance(part, ast.Name) and part.id in _CAUGHT for part in ast.walk(handler.type))
        for handler in handlers
    )
