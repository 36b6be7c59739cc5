"""A full disk at any point of an ingest: one line says so, the old generation serves, nothing half-written stays."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.adapters.edge_index import EdgeIndex
from service.adapters.edge_store import EdgeStore
from service.domain import SearchFilter

from ..fakes.vectors import vector_of
from .ingest_runner import FINGERPRINT
from .ingests import Ingests, Outcome

MEGABYTE = 1_000_000
LIMITS = {
    "at the vector cache": (0, "start"),
    "at the index's first files": (200_000, "start"),
    "at its large files": (5 * MEGABYTE, "start"),
    "at its manifest": (100, "publish"),
}
FREE = {"at once": 0, "soon": MEGABYTE, "late": 10 * MEGABYTE}


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path | None]:
    """A disk of 120 MB in memory, where a generation takes 15; None where this user may not mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=120m", "tmpfs", str(place)], capture_output=True, check=False
    )
    yield place if mounted.returncode == 0 else None
    if mounted.returncode == 0:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.parametrize(("limit", "since"), LIMITS.values(), ids=LIMITS)
async def test_files_that_cannot_grow_fail_an_ingest_in_one_line(
    ingests: Ingests, tmp_path: Path, folder: Path, limit: int, since: str
) -> None:
    """Wherever writing stops, the ingest says so, and what was published before is all that is there."""
    await fails_under_a_limit(ingests, tmp_path / "data", folder, limit, since)


async def fails_under_a_limit(ingests: Ingests, data: Path, folder: Path, limit: int, since: str) -> None:
    """An ingest whose files may not grow beyond a limit, what serves afterwards, and one without the limit."""
    first = ingested(ingests, data, folder)
    change(folder)
    failed = ingests.run(data, folder, file_limit=limit, limit_from=since)
    assert_failed(failed)
    await assert_serves(data, first)
    change(folder)
    await assert_serves(data, ingested(ingests, data, folder))


@pytest.mark.parametrize("free", FREE.values(), ids=FREE)
async def test_a_full_disk_fails_an_ingest_in_one_line(
    ingests: Ingests, tmp_path: Path, folder: Path, full_disk: Path | None, free: int
) -> None:
    """A reader that was open keeps answering, and with room again the next ingest succeeds."""
    if full_disk is None:  # then a limit on every file is the next best thing
        return await fails_under_a_limit(ingests, tmp_path / "data", folder, free, "start")
    first = ingested(ingests, full_disk, folder)
    reader = EdgeIndex(EdgeStore(full_disk / "index"), FINGERPRINT)
    await reader.generation()
    ballast = fill(full_disk, free)
    change(folder)
    assert_failed(ingests.run(full_disk, folder))
    assert await reader.search("tips", vector_of("tips"), 5, SearchFilter())
    await reader.close()
    ballast.unlink()
    await assert_serves(full_disk, first)
    await assert_serves(full_disk, ingested(ingests, full_disk, folder))
    return None


def ingested(ingests: Ingests, data: Path, folder: Path) -> str:
    """Ingest, which must succeed; the generation's id."""
    outcome = ingests.run(data, folder)
    assert outcome.report, outcome
    return str(outcome.report["generation"])


def change(folder: Path) -> None:
    """One more chapter."""
    (folder / f"chapter_{len(list(folder.iterdir()))}.md").write_text("# Another\n\nSomething new.\n")


def fill(disk: Path, free: int) -> Path:
    """Fill a disk up to so many bytes; the file that fills it."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as stream:
        try:
            while stream.write(bytes(MEGABYTE // 4)):
                pass
        except OSError:
            stream.truncate(max(0, stream.tell() - free))
    return ballast


def assert_failed(outcome: Outcome) -> None:
    """It ended with an error of ours, in one line."""
    assert outcome.code == "ingest_failed", outcome
    assert "\n" not in outcome.error
    assert "still serves" in outcome.error or "vector cache" in outcome.error


async def assert_serves(data: Path, generation: str) -> None:
    """This generation answers, and nothing else is kept."""
    index = EdgeIndex(EdgeStore(data / "index"), FINGERPRINT)
    assert (await index.generation()).id == generation
    assert await index.search("tips", vector_of("tips"), 5, SearchFilter())
    await index.close()
    assert {entry.name for entry in (data / "index").iterdir()} == {"CURRENT", "generations", "ingest.lock", "readers"}
    assert [entry.name for entry in (data / "index" / "generations").iterdir()] == [generation]
