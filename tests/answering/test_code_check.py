"""Python in answers parses and imports what exists; what cannot be known is never called wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from service.answering.code_check import CodeChecker
from service.answering.known_modules import KnownModule, listed, load
from service.domain import CodeBlock, CodeCheck

KNOWLEDGE_BASE = Path(__file__).parents[2] / "knowledge_base"
PASSED, FAILED, NOT_CHECKED = CodeCheck.PASSED, CodeCheck.FAILED, CodeCheck.NOT_CHECKED


@pytest.fixture(scope="module")
def checker() -> CodeChecker:
    """A checker with the list that is shipped."""
    return CodeChecker(load())


def _checked(checker: CodeChecker, code: str) -> tuple[CodeCheck, str]:
    (block,) = checker.check(f"Text.\n\n```python\n{code}\n```\n")
    return block.code_check, block.detail


@pytest.mark.parametrize(
    "code",
    [
        "x = 1",
        "",
        "from fastapi import Depends, FastAPI\nfrom fastapi.responses import JSONResponse",
        "from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine",
        "from sqlalchemy import select\nfrom sqlalchemy.orm import Mapped, mapped_column, selectinload",
        "from pydantic import BaseModel, Field, field_validator\nfrom pydantic_settings import BaseSettings",
        "import asyncio\nimport collections.abc\nfrom datetime import UTC, datetime\nfrom itertools import chain",
        "from typing import Annotated, Self\nfrom asyncio import TaskGroup, timeout\nimport tomllib",
        "import redis.asyncio as redis\nfrom redis.asyncio import Redis\nimport httpx\nfrom httpx import ASGITransport",
        "from celery import Celery, shared_task\nimport jwt\nimport numpy as np\nfrom pymongo import AsyncMongoClient",
        "from openai import AsyncOpenAI\nfrom alembic import op\nimport os.path\nfrom os import environ",
        "from opentelemetry import trace\nfrom opentelemetry.sdk.trace import TracerProvider",
        "import pytest\nfrom fastapi.testclient import TestClient\nfrom unittest.mock import AsyncMock",
        "from sqlalchemy import *",
        "...",
        "await session.commit()",
        "async with session.begin():\n    await session.execute(statement)",
        "return [row async for row in rows]",
        "    async def get(self) -> None:\n        ...\n\n    x = 1",
        "\tdef f():\n\t\treturn 1",
        "async def handler(request: Request):\n    # your code here",
        "class Settings(BaseSettings):\n    …",
        '@app.get("/")\nasync def root() -> dict[str, str]:\n    ...',
        ">>> import asyncio\n>>> def f():\n...     return 1\n...\n>>> f()\n1",
        'pattern = "\\d+"',
        "match x:\n    case 1:\n        pass",
        "try:\n    import orjsonl\n    from fastapi import Nothing\nexcept ImportError:\n    pass",
        "try:\n    from fastapi import Nothing\nexcept (ValueError, ModuleNotFoundError):\n    pass",
        "import sys\nif sys.version_info >= (3, 12):\n    from typing import override",
    ],
)
def test_good_code_passes(checker: CodeChecker, code: str) -> None:
    """Libraries that are pinned, the standard library, and snippets as people write them in answers."""
    assert _checked(checker, code) == (PASSED, "")


@pytest.mark.parametrize(
    ("code", "detail"),
    [
        ("def f(:\n    pass", "line 1: invalid syntax"),
        ("x = 1\nreturn = 2", "line 2: invalid syntax"),
        ("print 'x'", "line 1: Missing parentheses"),
        ("x = 'a", "line 1: unterminated string literal"),
        ("x = 1\x00", "line 1: invalid "),  # character, or decimal literal, as the patch of Python has it
        ("x = '\ud800'", "line 1: 'utf-8' codec can't encode character"),
        ("type Page = list[int]", "line 1: invalid syntax"),
        ("from fastapi import Nothing", "`fastapi` has no `Nothing` in fastapi 0.165.0"),
        ("from fastapi import FastApi, Depends", "`fastapi` has no `FastApi` in fastapi 0.165.0"),
        ("import fastapi.pagination", "there is no module `fastapi.pagination` in fastapi 0.165.0"),
        ("from fastapi.pagination import Page", "there is no module `fastapi.pagination` in fastapi 0.165.0"),
        ("from sqlalchemy.orm import AsyncSession", "`sqlalchemy.orm` has no `AsyncSession` in sqlalchemy 2.1"),
        ("from sqlalchemy.asyncio import create_async_engine", "there is no module `sqlalchemy.asyncio`"),
        ("from pydantic import BaseSettings", "`pydantic` has no `BaseSettings` in pydantic 2.14"),
        ("from httpx import AsyncHTTPClient", "`httpx` has no `AsyncHTTPClient`"),
        ("from openai import AsyncChat", "`openai` has no `AsyncChat` in openai 3.54"),
        ("from typing import override", "`typing` has no `override` in Python 3.11"),
        ("from itertools import batched", "`itertools` has no `batched` in Python 3.11"),
        ("import asyncio.pools", "there is no module `asyncio.pools` in Python 3.11"),
        ("def f():\n    from starlette import Route", "`starlette` has no `Route` in starlette 1"),
        ("import requestz\nfrom fastapi import Nothing", "`fastapi` has no `Nothing`"),
        ("try:\n    from fastapi import Nothing\nexcept ValueError:\n    pass", "`fastapi` has no `Nothing`"),
    ],
)
def test_wrong_code_fails_with_what_is_wrong(checker: CodeChecker, code: str, detail: str) -> None:
    """The line of a syntax error, or the module or name that the pinned version does not have."""
    check, said = _checked(checker, code)
    assert check is FAILED
    assert said.startswith(detail)


@pytest.mark.parametrize(
    ("code", "detail"),
    [
        ("import requestz", "`requestz` is not among the pinned libraries"),
        ("from app.db import get_session\nfrom fastapi import FastAPI", "`app` is not among the pinned libraries"),
        ("from .db import get_session", "`.db.get_session` is a module of the reader's own"),
        ("from . import db", "`..db` is a module of the reader's own"),
        ("from celery import nothing_here", "the names of `celery` are not all known"),
        ("from opentelemetry.instrumentation.django import X",
         "`opentelemetry.instrumentation.django` may come from a library that is not pinned"),
        ("from sqlalchemy.sql._typing import X", "`sqlalchemy.sql._typing.X` is private"),
        ("from httpx import _client", "`httpx._client` is private"),
        (f"x = {'(' * 2000}1{')' * 2000}", ""),
        ("x = 1\n" * 20_000, "longer than 50,000 characters"),
    ],
)  # fmt: skip
def test_what_cannot_be_known_is_not_checked(checker: CodeChecker, code: str, detail: str) -> None:
    """Other libraries, the reader's own modules, names made when a program runs: no false alarm."""
    check, said = _checked(checker, code)
    assert (check, said.startswith(detail)) in {(NOT_CHECKED, True), (FAILED, not detail)}, said


def test_blocks_are_numbered_as_they_stand(checker: CodeChecker) -> None:
    """Other languages, nested and indented blocks keep their places; text in prose is no block."""
    markdown = (
        "Use `import nothing` [1].\n\n```python\nimport fastapi\n```\n\n"
        "- item\n\n  ```Python title\n  from fastapi import Nothing\n  ```\n\n"
        "~~~sql\nSELECT 1\n~~~\n\n> ```\n> x\n> ```\n\n    indented\n\n```py\nx = (\n```\n"
    )
    assert [(block.number, block.language, block.code_check) for block in checker.check(markdown)] == [
        (1, "python", PASSED), (2, "python", FAILED), (3, "sql", NOT_CHECKED), (4, "", NOT_CHECKED),
        (5, "", NOT_CHECKED), (6, "py", FAILED),
    ]  # fmt: skip
    assert checker.check("No code [1].") == ()


def test_other_languages_say_why(checker: CodeChecker) -> None:
    """The reader is told that nothing was checked, not left to think it was."""
    (block,) = checker.check("```bash\npip install x\n```")
    assert block == CodeBlock(1, "bash", NOT_CHECKED, "bash is not checked")


def test_several_problems_are_named_once_each() -> None:
    """At most three, each once."""
    known = listed("3.11", {}, {"lib": KnownModule(frozenset({"a"}))})
    check, detail = _checked(CodeChecker(known), "from lib import b, c, d, e, b, a")
    assert check is FAILED
    assert detail == "; ".join(f"`lib` has no `{name}` in the version that the chapters pin" for name in "bcd")


def test_nothing_is_executed(checker: CodeChecker, tmp_path: Path) -> None:
    """Code is read and never run."""
    trace = tmp_path / "ran"
    assert _checked(checker, f"open({str(trace)!r}, 'w')\nimport antigravity") == (PASSED, "")
    assert not trace.exists()


def test_the_code_of_every_chapter_passes(checker: CodeChecker) -> None:
    """The chapters' code resolves by their own tests: none of it may be called wrong unless it is marked so."""
    failed, passed, total = [], 0, 0
    for file in sorted(KNOWLEDGE_BASE.rglob("*.md")):
        text = file.read_text(encoding="utf-8")
        infos = [token.info for token in MarkdownIt("commonmark").parse(text) if token.type in ("fence", "code_block")]
        for block, info in zip(checker.check(text), infos, strict=True):
            if block.language == "python":
                total += 1
                passed += block.code_check is PASSED
                if block.code_check is FAILED and "wrong" not in info.split():
                    failed.append(f"{file.name} block {block.number}: {block.detail}")
    assert failed == []
    assert total > 300
    assert passed > 0.98 * total
