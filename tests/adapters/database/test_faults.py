"""A database that cannot be used: one line says which and why, and the service goes on once it is back."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.adapters.database import Database, open_database
from service.domain import Budgets, Feedback, Verdict
from service.errors import BadSetting, StateProblem

from .conftest import Clock, Where
from .postgres_server import PASSWORD, PostgresServer
from .samples import answer, call, record, settlement


@pytest.fixture
def file(tmp_path: Path, clock: Clock) -> Where:
    """A database of SQLite."""
    return Where(None, tmp_path / "data", clock)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB in memory."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a disk")  # only root may, as which CI runs
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


async def _fails(*attempts: Any) -> set[str]:
    """What the attempts, all at once, say; each must fail with a `StateProblem`."""
    ended = await asyncio.gather(*attempts, return_exceptions=True)
    assert {type(end) for end in ended} == {StateProblem}, ended
    return {str(end) for end in ended}


def _writes(database: Database) -> list[Any]:
    return [
        database.answers.save(record()),
        database.answers.rate("id", Feedback(Verdict.UP)),
        database.ledger.open(call(), Budgets()),
        database.ledger.settle("id", settlement()),
        database.conversations.create("t", "anna"),
        database.conversations.ask("id", "?", "a"),
    ]


async def test_a_locked_file_is_a_problem_until_it_is_free(file: Where) -> None:
    """Another process that holds the lock for too long is named as such; reading goes on meanwhile."""
    async with file.open(busy_seconds=0.05) as database:
        saved = record()
        await database.answers.save(saved)
        other = sqlite3.connect(file.data_dir / "state.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        (said,) = await _fails(*_writes(database))
        assert "state.sqlite: database is locked; another process holds it" in said
        assert await database.answers.get(saved.answer.id) == saved
        other.execute("ROLLBACK")
        other.close()
        await database.answers.save(record())


async def test_a_full_disk_is_a_problem_until_there_is_room(small_disk: Path, clock: Clock) -> None:
    """Each answer that was acknowledged is kept, each that was not was refused, and with room again it goes on."""
    kept, refused = [], []
    async with open_database(None, small_disk, clock=clock) as database:
        ballast = small_disk / "ballast"
        ballast.write_bytes(bytes(2_500_000))
        for _ in range(40):
            saved = record(answer(answer="long " * 20_000))
            try:
                await database.answers.save(saved)
                kept.append(saved)
            except StateProblem as error:
                refused.append(str(error))
        assert kept
        assert refused
        assert all("disk is full; make room on its disk" in said for said in refused)
        ballast.unlink()
        await database.answers.save(last := record())
        for saved in (*kept, last):
            assert await database.answers.get(saved.answer.id) == saved


async def test_a_disk_that_turns_read_only_is_a_problem(small_disk: Path, clock: Clock) -> None:
    """Opening and writing say what must be allowed."""
    async with open_database(None, small_disk / "data", clock=clock):
        pass
    await asyncio.to_thread(subprocess.run, ["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StateProblem, match=r"state\.sqlite: .*(readonly|read-only|unable to open)"):
        async with open_database(None, small_disk / "data", clock=clock):
            pass
    with pytest.raises(StateProblem, match=r"new/state\.sqlite: .*Read-only file system"):
        async with open_database(None, small_disk / "new", clock=clock):
            pass


READ_ONLY = """
import asyncio, os, sys
from pathlib import Path

async def main(folder):
    from service.adapters.database import open_database
    async with open_database(None, folder) as database:
        pass
    if os.geteuid() == 0:  # root may write everything
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    try:
        async with open_database(None, folder):
            print("opened")
    except Exception as error:
        print(type(error).__name__, error)

folder = Path(sys.argv[1])
asyncio.run(main(folder))
"""


def test_a_folder_that_may_not_be_written_is_a_problem(tmp_path: Path) -> None:
    """A service that runs as another user than the one who made the file says so."""
    words = [sys.executable, "-c", READ_ONLY, str(tmp_path / "data")]
    (tmp_path / "data").mkdir(mode=0o755)
    done = subprocess.run(words, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True)
    assert re.search(r"^StateProblem the database .*state\.sqlite: .*(open|readonly|denied)", done.stdout), done


@pytest.mark.parametrize(
    ("content", "reason"), [(b"This is a text. " * 500, "not a database"), (b"SQLite format 3\0" * 500, "database")]
)
async def test_a_file_that_is_no_database_is_a_problem(file: Where, content: bytes, reason: str) -> None:
    """It is named, and left as it is."""
    file.data_dir.mkdir()
    path = file.data_dir / "state.sqlite"
    path.write_bytes(content)
    with pytest.raises(StateProblem, match=rf"state\.sqlite: .*{reason}"):
        async with file.open():
            pass
    assert path.read_bytes() == content


async def test_a_folder_in_the_place_of_the_file_is_a_problem(file: Where) -> None:
    """As anything else that cannot be opened."""
    (file.data_dir / "state.sqlite").mkdir(parents=True)
    with pytest.raises(StateProblem, match="unable to open database file; its folder must exist"):
        async with file.open():
            pass


async def test_errors_show_no_question(file: Where) -> None:
    """What a driver says of a statement and its values stays inside."""
    async with file.open() as database:
        conversation = await database.conversations.create("t", "anna")
        with pytest.raises(StateProblem) as raised:
            await database.conversations.ask(conversation.id, "SECRET", None)  # type: ignore[arg-type]
    assert "SECRET" not in f"{raised.value}{raised.value.__cause__}"
    assert "NOT NULL" in str(raised.value)


async def test_after_closing_nothing_is_taken(where: Where) -> None:
    """What was waiting is written; what comes later is refused."""
    saved = record()
    async with where.open() as database:
        waiting = asyncio.create_task(database.answers.save(saved))
        await asyncio.sleep(0)
    await waiting
    with pytest.raises(StateProblem, match="closed"):
        await database.answers.save(record())
    async with where.open() as again:
        assert await again.answers.get(saved.answer.id) == saved


async def test_a_server_that_goes_away_is_a_problem_until_it_is_back(postgres: PostgresServer, clock: Clock) -> None:
    """Cut in mid-use: every call fails with one line and without the password, and all goes on after a restart."""
    url = await postgres.create_database()
    saved = record()
    async with open_database(url, Path("unused"), clock=clock) as database:
        await database.answers.save(saved)
        stream = asyncio.create_task(_save_until_it_fails(database))
        await asyncio.sleep(0.05)
        postgres.stop()
        said = {str(await stream)}
        said |= await _fails(*_writes(database), database.answers.get("id"), database.ledger.usage("day"))
        postgres.start()
        assert await database.answers.get(saved.answer.id) == saved
        await database.answers.save(record())
        await database.ledger.open(call(), Budgets())
    assert all(text.startswith(f"the database postgresql://127.0.0.1:{postgres.port}/test_") for text in said), said
    assert not any(PASSWORD in text or "mastery" in text for text in said)


async def _save_until_it_fails(database: Database) -> StateProblem:
    while True:
        try:
            await database.answers.save(record())
        except StateProblem as error:
            return error


async def test_a_server_restarted_between_two_calls_is_not_noticed(postgres: PostgresServer, clock: Clock) -> None:
    """Connections that died while nobody used them are replaced."""
    async with open_database(await postgres.create_database(), Path("unused"), clock=clock) as database:
        await database.answers.save(saved := record())
        await database.answers.get(saved.answer.id)
        postgres.stop()
        postgres.start()
        await database.answers.save(record())
        assert await database.answers.get(saved.answer.id) == saved


async def test_a_wrong_password_is_a_problem_and_is_not_shown(postgres: PostgresServer) -> None:
    """Neither in the message nor in what caused it."""
    with pytest.raises(StateProblem, match="password authentication failed") as raised:
        async with open_database(postgres.url("postgres", "s3cret-but-wrong"), Path("unused")):
            pass
    shown = "".join(map(str, (raised.value, raised.value.__cause__, repr(raised.value.__cause__))))
    assert "s3cret" not in shown


async def test_a_database_that_does_not_exist_is_a_problem(postgres: PostgresServer) -> None:
    """Its name is in the message."""
    with pytest.raises(StateProblem, match=r'/nowhere: database "nowhere" does not exist'):
        async with open_database(postgres.url("nowhere"), Path("unused")):
            pass


async def test_a_server_that_is_not_there_is_a_problem() -> None:
    """A closed port, and a name that nobody knows."""
    for place, reason in (
        ("127.0.0.1:9/x", "nothing listens there"),
        ("no-such-host.invalid/x", "not known|No address"),
    ):
        with pytest.raises(StateProblem, match=f"the database postgresql://{re.escape(place)}: .*({reason})"):
            async with open_database(f"postgres://user:s3cret@{place}", Path("unused")):
                pass


WRONG = {
    "nothing like it": ("://s3cret", "not the URL"),
    "another database": ("mysql://user:s3cret@host/x", "'mysql' is not a database that is supported"),
    "no port": ("postgres://user:s3cret@host:port/x", "not the URL"),
    "no database": ("postgresql://user:s3cret@host", "names no database"),
    "unknown option": ("postgresql://user:s3cret@host/x?poolsize=3", "unknown option 'poolsize'"),
    "unknown way of TLS": ("postgresql://user:s3cret@host/x?sslmode=on", "sslmode is one of disable, .*verify-full"),
    "in memory": ("sqlite+aiosqlite://", "name a file"),
    "in memory too": ("sqlite:///:memory:", "name a file"),
    "SQLite with a host": ("sqlite://host/file", "takes a file"),
    "SQLite with options": ("sqlite:////folder/file?mode=ro", "takes a file"),
}


@pytest.mark.parametrize(("url", "reason"), WRONG.values(), ids=WRONG)
async def test_a_wrong_url_is_a_bad_setting(tmp_path: Path, url: str, reason: str) -> None:
    """It names the variable and what is wrong, never the password."""
    with pytest.raises(BadSetting, match=f"^DATABASE_URL: .*{reason}") as raised:
        async with open_database(url, tmp_path):
            pass
    assert "s3cret" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert os.listdir(tmp_path) == []  # noqa: PTH208


@pytest.mark.parametrize("scheme", ["sqlite+aiosqlite", "sqlite"])
async def test_a_file_can_be_named(tmp_path: Path, scheme: str) -> None:
    """Its folder is made."""
    path = tmp_path / "a folder" / "ünder 100%.db"
    async with open_database(f"{scheme}:///{path}", tmp_path / "unused") as database:
        await database.answers.save(record())
        assert database.place == f"the database {path}"
    assert path.exists()
    assert not (tmp_path / "unused").exists()


@pytest.mark.parametrize("form", ["postgres://", "postgresql://", "postgresql+asyncpg://"])
async def test_a_server_can_be_named_in_each_form(postgres: PostgresServer, form: str) -> None:
    """As providers write it, with the options they put there."""
    url = (await postgres.create_database()).replace("postgresql://", form)
    async with open_database(f"{url}?sslmode=prefer&channel_binding=prefer", Path("unused")) as database:
        await database.answers.save(saved := record())
        assert await database.answers.get(saved.answer.id) == saved
        assert "mastery" not in database.place
