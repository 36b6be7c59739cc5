"""Several processes on one index: readers beside each other, one ingest at a time, an ingest beside a reader."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

from service.adapters.edge_index import EdgeIndex
from service.adapters.edge_store import EdgeStore
from service.domain import SearchFilter
from service.errors import IndexBusy

from ..fakes.vectors import vector_of
from .ingest_runner import FINGERPRINT
from .ingests import ROOT, Ingests, environment

READER = """
import asyncio, sys
from pathlib import Path
from service.adapters.edge_index import EdgeIndex
from service.adapters.edge_store import EdgeStore
from service.domain import SearchFilter
from tests.fakes.vectors import vector_of
from tests.integration.ingest_runner import FINGERPRINT

async def main():
    index = EdgeIndex(EdgeStore(Path(sys.argv[1])), FINGERPRINT)
    for line in sys.stdin:
        hits = await index.search(line, vector_of(line), 3, SearchFilter())
        print(*(hit.chunk.id for hit in hits), flush=True)

asyncio.run(main())
"""


def reader_elsewhere(index: Path, bytecode: Path) -> subprocess.Popen[str]:
    """Another process that reads the index, and is spoken to by lines."""
    return subprocess.Popen(
        [sys.executable, "-c", READER, str(index)],
        cwd=ROOT,
        env=environment(bytecode),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def told(process: subprocess.Popen[str], line: str) -> str:
    """What a process answers to a line."""
    assert process.stdin
    assert process.stdout
    process.stdin.write(line + "\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


async def found(index: EdgeIndex, text: str) -> str:
    """Ids of the hits, as the other process prints them."""
    hits = await index.search(text, vector_of(text), 3, SearchFilter())
    return " ".join(hit.chunk.id for hit in hits)


async def test_a_reader_elsewhere_works_at_the_same_time_and_is_swept_when_it_dies(
    ingests: Ingests, bytecode: Path, tmp_path: Path, folder: Path
) -> None:
    """Two processes search one index; a third reader leaves their views alone, and removes that of a killed one."""
    data = tmp_path / "data"
    assert ingests.run(data, folder).report
    here = EdgeIndex(EdgeStore(data / "index"), FINGERPRINT)
    other = reader_elsewhere(data / "index", bytecode)
    try:
        for question in ("docker image", "python tips"):
            assert told(other, question) == await found(here, question)
        third = EdgeIndex(EdgeStore(data / "index"), FINGERPRINT)
        assert await found(third, "docker") == told(other, "docker")
        assert len(views(data)) == 3
        await third.close()
        assert readers(data) == {other.pid, os.getpid()}
    finally:
        other.kill()
        other.communicate()
    assert len(views(data)) == 2
    last = EdgeIndex(EdgeStore(data / "index"), FINGERPRINT)
    await last.generation()
    assert readers(data) == {os.getpid()}
    assert await found(here, "docker")
    await here.close()
    await last.close()
    assert not list((data / "index" / "readers").iterdir())


async def test_a_second_ingest_is_refused_in_one_line(ingests: Ingests, tmp_path: Path, folder: Path) -> None:
    """While one process ingests, another's ingest ends at once with `IndexBusy`; once the first is done it works."""
    data = tmp_path / "data"
    with EdgeStore(data / "index").lock():
        refused = ingests.run(data, folder)
    assert (refused.code, refused.error) == (
        "index_busy",
        "another ingest is running on this index; wait for it to end",
    )
    assert ingests.run(data, folder).report


def test_the_lock_of_a_killed_ingest_is_free(ingests: Ingests, tmp_path: Path, folder: Path) -> None:
    """A lock is held by a process, not by a file that it leaves behind."""
    data = tmp_path / "data"
    group = ingests.start(data, folder)
    while not _is_busy(data):
        time.sleep(0.001)
    ingests.kill(group)
    assert ingests.wait().killed
    with EdgeStore(data / "index").lock():
        pass


async def test_every_search_answers_while_another_process_ingests(
    ingests: Ingests, tmp_path: Path, folder: Path
) -> None:
    """A reader that looks for new generations all the time never misses an answer, and ends on the newest."""
    data = tmp_path / "data"
    first = ingests.run(data, folder)
    assert first.report
    index = EdgeIndex(EdgeStore(data / "index"), FINGERPRINT)
    generations = [(await index.generation()).id]
    published = [first.report["generation"]]
    done = asyncio.Event()

    async def ingest_twice() -> None:
        for number in range(2):
            (folder / f"more_{number}.md").write_text(f"# More {number}\n\nSomething about newcomer{number}.\n")
            outcome = await asyncio.to_thread(ingests.run, data, folder)
            assert outcome.report, outcome
            published.append(outcome.report["generation"])
        done.set()

    async def search_and_look() -> int:
        answered = 0
        while not done.is_set():
            await index.refresh()
            assert len(await index.search("docker image", vector_of("docker image"), 3, SearchFilter())) == 3
            answered += 1
            if (current := (await index.generation()).id) != generations[-1]:
                generations.append(current)
            await asyncio.sleep(0)
        return answered

    _, answered = await asyncio.gather(ingest_twice(), search_and_look())
    await index.refresh()
    assert answered > 10
    assert (await index.generation()).id == published[-1]
    assert set(generations) <= set(published)
    assert await index.chapter("more_1.md")
    await index.close()


async def test_a_damaged_index_is_rebuilt_when_asked_to(ingests: Ingests, tmp_path: Path, folder: Path) -> None:
    """An ingest stops at a damaged index and names the command; with `--rebuild` it builds it anew."""
    data = tmp_path / "data"
    assert ingests.run(data, folder).report
    (data / "index" / "CURRENT").write_bytes(b"\xff\xfe\x00nonsense")
    stopped = ingests.run(data, folder)
    assert stopped.code == "index_corrupted"
    assert "run `mastery ingest --rebuild`" in stopped.error
    rebuilt = ingests.run(data, folder, rebuild=True)
    assert rebuilt.report
    index = EdgeIndex(EdgeStore(data / "index"), FINGERPRINT)
    assert (await index.generation()).id == rebuilt.report["generation"]
    await index.close()
    assert len(list((data / "index" / "generations").iterdir())) == 1


def views(data: Path) -> list[Path]:
    """The readers' views."""
    return [entry for entry in (data / "index" / "readers").iterdir() if entry.is_dir()]


def readers(data: Path) -> set[int]:
    """The processes that the views belong to."""
    return {int(view.name.split("-")[0]) for view in views(data)}


def _is_busy(data: Path) -> bool:
    try:
        with EdgeStore(data / "index").lock():
            return False
    except IndexBusy:
        return True
