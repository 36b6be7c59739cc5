"""The list of the pinned libraries' modules is small, right and up to date."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from ingest.known_modules import gather, main, pinned
from service.answering.known_modules import LIST, KnownModule, KnownModules, dump, is_hidden, listed, load

PROJECT = Path(__file__).parents[2]
SAMPLE = ("fastapi", "starlette", "structlog", "pgvector", "asgi-lifespan", "pydantic-settings")


@pytest.fixture(scope="module")
def shipped() -> KnownModules:
    return load()


def test_the_list_holds_the_versions_of_the_lock(shipped: KnownModules) -> None:
    """After a lock changed, run `python -m ingest.known_modules`."""
    lock = (PROJECT / "requirements-dev.lock").read_text(encoding="utf-8")
    locked: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)(?:\[[^\]]*\])?==([^\s;]+)", lock, re.MULTILINE):
        locked.setdefault(re.sub(r"[-_.]+", "-", name).lower(), set()).add(version)  # several, by Python's version
    assert {
        f"{name}=={version}" for name, version in shipped.distributions.items() if version not in locked[name]
    } == set()


def test_the_list_covers_what_is_pinned(shipped: KnownModules) -> None:
    """What the project and the chapters name, with what those require."""
    assert list(shipped.distributions) == pinned()
    assert {"fastapi", "sqlalchemy", "celery", "jinja2", "pydantic-core", "httpx2"} <= set(shipped.distributions)


def test_a_sample_reads_the_same_again(shipped: KnownModules) -> None:
    """The list says what the installed sources say."""
    again = gather(SAMPLE)
    assert len(again.lines) > 80
    assert {name: shipped.lines[name] for name in again.lines} == dict(again.lines)


def _is_borrowed(module: ModuleType, name: str) -> bool:
    """Whether a name is a module of the standard library that another imports: patches of Python differ in these."""
    value = getattr(module, name, None)
    return isinstance(value, ModuleType) and {module.__name__.partition(".")[0], name} <= sys.stdlib_module_names


@pytest.mark.parametrize(
    "module",
    "fastapi fastapi.responses starlette.routing sqlalchemy sqlalchemy.orm sqlalchemy.ext.asyncio httpx pydantic jwt"
    " structlog tenacity redis.asyncio pymongo bson asyncio typing collections pathlib zipfile email.message json"
    .split(),
)  # fmt: skip
def test_no_name_of_a_module_is_missing(shipped: KnownModules, module: str) -> None:
    """What a module has when it is loaded is in the list, so that no import that works is called wrong."""
    known = shipped.get(module)
    assert known is not None
    assert not known.more_names
    loaded = importlib.import_module(module)
    there = {name for name in dir(loaded) if not is_hidden(f"{module}.{name}") and not _is_borrowed(loaded, name)}
    assert {name for name in there - known.names if f"{module}.{name}" not in shipped.lines} == set()


def test_the_standard_library_is_that_of_the_pinned_python(shipped: KnownModules) -> None:
    """Modules and names that came later, or went, are those of 3.11."""
    assert shipped.python == "3.11"
    assert {"tomllib", "distutils", "asyncio.taskgroups"} <= shipped.lines.keys()
    assert "compression.zstd" not in shipped.lines
    assert not [name for name in sys.stdlib_module_names if name[0] != "_" and name not in shipped.lines]
    typing = shipped.get("typing")
    assert typing is not None
    assert {"Self", "Annotated"} <= typing.names
    assert "override" not in typing.names


def test_a_namespace_is_open(shipped: KnownModules) -> None:
    """Other distributions may put modules into it."""
    assert shipped.get("opentelemetry") == KnownModule(frozenset(), more_names=True, more_modules=True)


def test_private_modules_and_tests_are_left_out(shipped: KnownModules) -> None:
    """Nobody should import them, and they are half of everything."""
    assert [name for name in shipped.lines if is_hidden(name)] == []


def test_the_list_is_small() -> None:
    """It is shipped with the service."""
    assert LIST.stat().st_size < 1_000_000


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """Names and marks come back, and the same modules give the same bytes."""
    modules = {
        "b": KnownModule(frozenset({"y", "x"})),
        "a": KnownModule(frozenset(), more_names=True, more_modules=True),
        "a.c": KnownModule(frozenset({"z"}), more_names=True),
    }
    known = listed("3.11", {"lib": "1.0"}, modules)
    file = tmp_path / "list.gz"
    file.write_bytes(dump(known))
    read = load(file)
    assert (read.python, read.distributions, read.get("nothing")) == ("3.11", {"lib": "1.0"}, None)
    assert {name: read.get(name) for name in read.lines} == modules
    assert dump(listed("3.11", {"lib": "1.0"}, dict(reversed(modules.items())))) == file.read_bytes()


def test_the_command_writes_the_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says how much it found."""
    file = tmp_path / "list.gz"
    assert main(file, ["asgi-lifespan", "structlog"]) == 0
    assert {"asgi_lifespan", "structlog"} <= load(file).lines.keys()
    assert re.match(r"\d+ modules of 2 distributions, \d+ of them open; [\d,]+ bytes\n", capsys.readouterr().out)
