"""Who may import whom: the layers run one way, and each vendor stays in its room."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

PROJECT = Path(__file__).parents[2]
OURS = ("ingest", "service", "prompts", "evals")

LAYERS = (
    {"service.domain"},
    {"service.errors", "service.ports"},
    {"service.settings", "service.keys", "prompts"},
    {"service.logs", "service.answering", "service.interview", "service.adapters"},
    {"service.parts", "service.wiring"},
    {
        f"service.{surface}"
        for surface in ("api", "app", "server", "cli", "terminal", "doctor", "usage_report", "repeating")
    }
    | {"ingest", "evals"},
)
"""From the inside out; a module imports from its own layer and those before it."""

ROOMS = {
    **dict.fromkeys(
        "openai qdrant_client qdrant_edge sqlalchemy alembic asyncpg tenacity".split(), ("service.adapters",)
    ),
    **dict.fromkeys("httpx2 tiktoken fastembed onnxruntime tokenizers filelock".split(), ("service.adapters",)),
    "llama_index": ("ingest.node_parser",),
    "fastapi": ("service.app", "service.api"),
    "starlette": ("service.app", "service.api"),
    "uvicorn": ("service.server",),
    "pydantic_settings": ("service.settings",),
    "pytest": (),
    "hypothesis": (),
}


class Import(NamedTuple):
    """One import statement: which module, what it imports, where, and whether only when a function runs."""

    module: str
    target: str
    line: int
    lazy: bool


def _module(file: Path) -> str:
    parts = file.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _files() -> list[Path]:
    return [file for package in OURS for file in sorted((PROJECT / package).rglob("*.py"))]


def _imports(file: Path) -> list[Import]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lazy = {id(inner) for function in functions for inner in ast.walk(function)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            targets = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        found += [Import(_module(file), target, node.lineno, id(node) in lazy) for target in targets]
    return found


IMPORTS = [found for file in _files() for found in _imports(file)]


def _within(name: str, rooms: tuple[str, ...] | set[str]) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def _layer(name: str) -> int:
    return next(number for number, rooms in enumerate(LAYERS) if _within(name, rooms))


def _shown(found: Import) -> str:
    return f"{found.module} (line {found.line}) imports {found.target}"


def test_every_module_has_its_layer() -> None:
    """A new module is put into a layer before anybody imports it."""
    known = {"service", "service.answering", "service.adapters", "service.api"}
    for file in _files():
        name = _module(file)
        assert name in known or any(_within(name, rooms) for rooms in LAYERS), f"{name} stands in no layer"


def test_imports_run_one_way() -> None:
    """Nobody imports from a layer further out, not even within a function."""
    wrong = [
        _shown(found)
        for found in IMPORTS
        if found.target.split(".")[0] in OURS and _layer(found.target) > _layer(found.module)
    ]
    assert wrong == []


def test_answering_and_adapters_do_not_know_each_other() -> None:
    """Answering reaches the outside through ports alone, and an adapter knows nothing of answers."""
    pairs = (("service.answering", "service.adapters"), ("service.adapters", "service.answering"))
    wrong = [
        _shown(found)
        for found in IMPORTS
        for module, target in pairs
        if _within(found.module, (module,)) and _within(found.target, (target,))
    ]
    assert wrong == []


@pytest.mark.parametrize("vendor", ROOMS)
def test_a_vendor_stays_in_its_room(vendor: str) -> None:
    """A vendor can be replaced in one place, because nobody else imports it."""
    wrong = [
        _shown(found)
        for found in IMPORTS
        if _within(found.target, (vendor,)) and not _within(found.module, ROOMS[vendor])
        and not _within(found.module, ("evals.bench",))
    ]  # fmt: skip
    assert wrong == []


def test_the_domain_imports_only_the_standard_library() -> None:
    """The values that the product talks about depend on nothing."""
    targets = {found.target for found in IMPORTS if _within(found.module, ("service.domain",))}
    assert targets
    outside = {target for target in targets if not _within(target, ("service.domain",))}
    assert {target.split(".")[0] for target in outside} <= sys.stdlib_module_names


def test_prompts_import_nothing_of_ours() -> None:
    """Prompts can be read without the service."""
    wrong = [_shown(f) for f in IMPORTS if _within(f.module, ("prompts",)) and f.target.split(".")[0] in OURS[:2]]
    assert wrong == []


def test_nobody_imports_ingest_evals_or_tests() -> None:
    """They are ways in, not libraries; only the CLI's commands import them, when they run."""
    wrong = [
        _shown(found)
        for found in IMPORTS
        for outer in ("ingest", "evals", "tests")
        if _within(found.target, (outer,))
        and not _within(found.module, (outer,))
        and not (found.module == "service.cli" and found.lazy and re.match(rf"{outer}\.(\w+_)?command\.", found.target))
        and not _within(found.module, ("evals.bench",))
    ]
    assert wrong == []


def test_only_the_settings_read_the_environment() -> None:
    """What can be set is a field of the settings; the doctor lists names, and tiktoken can only be told that way."""
    wrong = []
    for file in _files():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            name = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
            if name in ("os.environ", "os.getenv", "os.putenv", "os.environb"):
                wrong.append(f"{_module(file)} (line {node.lineno}) uses {name}")
    imported = [_shown(found) for found in IMPORTS if found.target in ("os.environ", "os.getenv")]
    allowed = ("service.doctor ", "service.settings ", "service.adapters.tokens ", "evals.bench.")
    assert [place for place in wrong + imported if not place.startswith(allowed)] == []


def test_nothing_is_done_when_a_module_is_imported() -> None:
    """A module defines; it does not read files, open connections or start anything at its top level."""
    started = ("open", "print", "connect", "run", "read_text", "read_bytes", "mkdir", "load", "configure")
    wrong = []
    for file in _files():
        for statement in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(statement, ast.Expr | ast.Assign | ast.AnnAssign):
                calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call)]
                names = [ast.unparse(call.func).split(".")[-1] for call in calls]
                wrong += [
                    f"{_module(file)} (line {statement.lineno}) calls {name}" for name in names if name in started
                ]
    assert wrong == []


SERVE = """
import asyncio, sys
from service import logs
from service.app import create_app
from service.settings import Settings

async def main():
    settings = Settings(MASTERY_DATA_DIR=sys.argv[1])
    logs.configure(settings)  # to standard error
    app = create_app(settings)
    async with app.router.lifespan_context(app) as state:
        from service.domain import Ask
        answer = await state["service"].answerer.ask(Ask("How does keyset pagination work?"))
        assert answer.citations, answer

asyncio.run(main())
heavy = "llama_index fastembed openai qdrant_client torch alembic asyncpg tiktoken ingest evals pytest".split()
print("imported:", *(name for name in heavy if name in sys.modules))
"""


def test_the_serving_process_stays_light(plain_data: Path, clean_environment: dict[str, str]) -> None:
    """Without a key, a service that has answered a question never imported LlamaIndex, fastembed or openai."""
    done = subprocess.run(
        [sys.executable, "-c", SERVE, str(plain_data)],
        cwd=PROJECT, env=clean_environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "imported:"


def test_help_does_not_wait_for_the_vendors(clean_environment: dict[str, str]) -> None:
    """`mastery --help` imports none of the heavy parts."""
    code = (
        "import sys, service.cli\n"
        "print([name for name in ('fastapi', 'uvicorn', 'onnxruntime', 'qdrant_edge', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT, env=clean_environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
