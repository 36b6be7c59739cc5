"""Every rule of the code catches a block that breaks it, and lets good code through."""

from __future__ import annotations

import pytest

from .block_run import run_problems
from .code_blocks import info_problems, python_blocks, running_share
from .data_blocks import data_problems
from .imports import ImportResolver, import_problems, syntax_problems
from .sample import PATH, with_code


def test_a_good_chapter_breaks_no_rule(resolver: ImportResolver) -> None:
    """The chapter that the other tests break in one place is accepted as it is."""
    chapter = with_code("```python\nx = 1\n```")
    found = info_problems(chapter) + syntax_problems(chapter) + data_problems(chapter)
    assert found + import_problems(chapter, resolver) + run_problems(chapter) == []


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("```\nx = 1\n```", "without a language"),
        ("    x = 1", "without a language"),
        ("```py\nx = 1\n```", "write `python`"),
        ("```python norun: needs a live PostgreSQL\nx = 1\n```", "unknown mark"),
        ("```python no-run: because\nx = 1\n```", "needs a reason"),
        ("```python no-run\nx = 1\n```", "needs a reason"),
        ("```python no-parse: shows half a line\nx = 1\n```", "always parses"),
        ("- item\n\n  ```py\n  x = 1\n  ```", "write `python`"),
    ],
)
def test_a_bad_info_string_is_caught(code: str, says: str) -> None:
    """A fence whose info string would switch a check off by accident is reported."""
    assert says in "\n".join(info_problems(with_code(code)))


@pytest.mark.parametrize("info", ["python", "python wrong", "python no-run: needs a live PostgreSQL"])
def test_python_that_does_not_parse_is_caught(info: str) -> None:
    """Broken Python is reported whatever the block's marks."""
    assert "invalid syntax" in "\n".join(syntax_problems(with_code(f"```{info}\ndef f(:\n```")))


@pytest.mark.parametrize(
    "code",
    [
        "import fastapi_turbo_mode",
        "from fastapi import TurboAPI",
        "from fastapi.turbo import Engine",
        "def later() -> None:\n    from sqlalchemy.ext.asyncio import AsyncTurboSession",
        "from . import models",
        "from service.domain import Chapter",
    ],
)
@pytest.mark.parametrize("info", ["python", "python no-run: needs a live PostgreSQL"])
def test_a_hallucinated_import_is_caught(info: str, code: str, resolver: ImportResolver) -> None:
    """A module or name that no installed library has is reported, also in a block that does not run."""
    assert import_problems(with_code(f"```{info}\n{code}\n```"), resolver)


def test_imports_of_names_and_submodules_resolve(resolver: ImportResolver) -> None:
    """Attributes, submodules, dotted modules and star imports that exist are accepted."""
    code = "import os.path\nfrom xml import etree\nfrom fastapi import FastAPI as App\nfrom json import *"
    assert import_problems(with_code(f"```python\n{code}\n```"), resolver) == []


def test_an_import_in_a_wrong_block_is_left_alone(resolver: ImportResolver) -> None:
    """An import that fails may be the very mistake that a block shows."""
    assert import_problems(with_code("```python wrong\nimport fastapi_turbo_mode\n```"), resolver) == []


def test_a_failing_block_is_caught_with_its_line_and_source() -> None:
    """The report names the chapter, the line in its file, the error and the source line."""
    chapter = with_code("```python\nx = 1\n```\n\n```python\n\nassert x == 2, 'not two'\n```")
    (problem,) = run_problems(chapter)
    line = next(n for n, text in enumerate(chapter.text.split("\n"), 1) if text.startswith("assert"))
    assert problem.startswith(f"{PATH}:{line - 1}: the block failed")
    assert f'File "{PATH}", line {line}' in problem
    assert "AssertionError: not two" in problem
    assert "assert x == 2" in problem
    assert "run_blocks.py" not in problem


@pytest.mark.parametrize(
    "code",
    [
        "import socket\nsocket.create_connection(('192.0.2.1', 80), timeout=1)",
        "import socket\ntry:\n    socket.create_connection(('192.0.2.1', 80), timeout=1)\nexcept OSError:\n    pass",
        "import socket\nsocket.getaddrinfo('example.com', 443)",
        "import httpx\ntry:\n    httpx.get('https://example.com')\nexcept httpx.HTTPError:\n    pass",
        "import asyncio\nasyncio.run(asyncio.open_connection('192.0.2.1', 80))",
        "import socket\nsocket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
    ],
)
def test_network_use_is_caught(code: str) -> None:
    """A block that reaches for another machine fails, also where it catches the error."""
    (problem,) = run_problems(with_code(f"```python\n{code}\n```"))
    assert "NetworkUse" in problem


def test_loopback_and_test_transports_stay_open() -> None:
    """asyncio servers on loopback, Unix sockets and httpx's ASGI transport work."""
    code = """\
import asyncio, httpx, socket
from fastapi import FastAPI

app = FastAPI()

@app.get("/")
def home() -> str:
    return "home"

async def main() -> None:
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "localhost", 0)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("localhost", port)
    writer.close()
    server.close()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client:
        assert (await client.get("/")).json() == "home"

asyncio.run(main())
left, right = socket.socketpair()
"""
    assert run_problems(with_code(f"```python\n{code}```")) == []


def test_a_block_that_hangs_is_caught() -> None:
    """A block that does not end in time is reported with the line it hangs on."""
    chapter = with_code("```python\nx = 1\n```\n\n```python\nimport threading\n\nthreading.Event().wait()\n```")
    (problem,) = run_problems(chapter, seconds=1)
    assert "did not end in time" in problem
    assert PATH in problem


def test_a_block_that_ends_the_process_is_caught() -> None:
    """Leaving with a good exit code does not pass for having run."""
    for code in ("import os\nos._exit(0)", "raise SystemExit(0)"):
        assert run_problems(with_code(f"```python\n{code}\n```"))


def test_a_wrong_block_may_fail_and_leaves_no_names_behind() -> None:
    """A wrong block sees the names before it; its failure is no failure, and its names are gone after it."""
    wrong = "```python\nx = 1\n```\n\n```python wrong\ny = x\nx = 2\nraise ValueError\n```\n\n"
    assert run_problems(with_code(wrong + "```python\nassert x == 1 and 'y' not in globals()\n```")) == []
    assert "NameError" in "\n".join(run_problems(with_code(wrong + "```python\nprint(y)\n```")))


def test_blocks_run_in_an_empty_folder_as_the_main_module() -> None:
    """Forward references, pickles and the source of a function work as in a script of the reader's own."""
    code = """\
from __future__ import annotations
import inspect, os, pickle
from pydantic import BaseModel

class Node(BaseModel):
    children: list[Node] = []

def grow(node: Node) -> None:
    node.children.append(Node())

assert os.listdir() == [] and __name__ == "__main__"
assert pickle.loads(pickle.dumps(Node(children=[Node()]))) == Node(children=[Node()])
assert inspect.getsource(grow).startswith("def grow")
"""
    assert run_problems(with_code(f"```python\n{code}```")) == []


def test_blocks_that_do_not_run_are_counted() -> None:
    """The share of running blocks counts wrong ones and leaves out those marked no-run."""
    code = "```python\n1\n```\n\n```python wrong\n1\n```\n\n```python no-run: needs a live PostgreSQL\n1\n```\n"
    assert running_share(python_blocks(with_code(code))) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("info", "code"),
    [
        ("json", "{'a': 1}"),
        ("jsonl", '{"a": 1}\n{"a": }'),
        ("yaml", "a: [1, 2"),
        ("yaml", "a: *nowhere"),
        ("toml", "a = "),
        ("sql", "SELECT FROM WHERE x ="),
        ("sql mysql", "SELECT FROM WHERE x ="),
        ("sql nosuchdialect", "SELECT 1"),
        ("sql", "-- nothing"),
        ("dockerfile", "FROM python:3.13\nINSTALL curl"),
        ("dockerfile", "RUN pip install fastapi"),
    ],
)
def test_data_that_does_not_parse_is_caught(info: str, code: str) -> None:
    """Malformed JSON, YAML, TOML, SQL and Dockerfiles are reported."""
    assert data_problems(with_code(f"```{info}\n{code}\n```"))


@pytest.mark.parametrize(
    ("info", "code"),
    [
        ("yaml", "a: 1\n---\nb: !Ref c"),
        ("json wrong", '{"a": '),
        ("sql", "CREATE INDEX ON chunk USING hnsw (embedding vector_cosine_ops);\nSELECT a <=> b FROM t;"),
        ("sql mysql", "SELECT `id` FROM `users`"),
        ("sql no-parse: psql commands only", "\\d users"),
        ("dockerfile", '# syntax=docker/dockerfile:1\nFROM python:3.13\nRUN <<EOF\npip install x\nEOF\nCMD ["x"]'),
        ("dockerfile fragment", "RUN apt-get update \\\n    # a comment\n    && apt-get install curl"),
    ],
)
def test_data_that_parses_is_accepted(info: str, code: str) -> None:
    """Several documents, foreign tags, other dialects, here-documents and marked exceptions are accepted."""
    assert data_problems(with_code(f"```{info}\n{code}\n```")) == []
