"""The embedded engine's store: generations on disk, the pointer to the one that serves, readers and their views."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from service.adapters.edge_index import EdgeIndex
from service.adapters.edge_store import EdgeStore, StoredGeneration
from service.domain import SearchFilter
from service.errors import IndexBusy, IndexCorrupted, IndexMismatch, IndexProblem, IngestFailed

from ..fakes.vectors import SIZE, vector_of
from ..waiting import until
from .corpus import FINGERPRINT, FIRST, SECOND, Corpus, publish

EVERYWHERE = SearchFilter()


async def answers(index: EdgeIndex) -> bool:
    """Whether a reader finds something."""
    return bool(await index.search("motor", vector_of("motor"), 5, EVERYWHERE))


def views(folder: Path) -> list[str]:
    """What readers have left or hold."""
    readers = folder / "readers"
    return sorted(entry.name for entry in readers.iterdir()) if readers.exists() else []


def twin(folder: Path, id_: str, embedding: str = FINGERPRINT.embedding) -> None:
    """Copy the first generation under another id, as if it had been built again; not published."""
    target = folder / "generations" / id_
    shutil.copytree(folder / "generations" / FIRST, target, copy_function=os.link)
    manifest = json.loads((target / "manifest.json").read_text())
    manifest["generation"]["id"] = id_
    manifest["generation"]["fingerprint"]["embedding"] = embedding
    (target / "manifest.json").unlink()
    (target / "manifest.json").write_text(json.dumps(manifest))


def test_the_pointer_is_never_seen_half_written(tmp_path: Path) -> None:
    """Whoever reads CURRENT while it is switched finds the old id or the new one."""
    store = EdgeStore(tmp_path)
    store.publish(FIRST)
    seen: set[str | None] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.add(EdgeStore(tmp_path).current_id())

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(150):
        store.publish(SECOND)
        store.publish(FIRST)
    done.set()
    watcher.join()
    assert seen == {FIRST, SECOND}
    assert {entry.name for entry in tmp_path.iterdir()} == {"CURRENT"}


async def test_a_pointer_that_cannot_be_written_leaves_the_old_one(linked: Path, corpus: Corpus) -> None:
    """The generation was complete, but could not be switched to: it is removed, and the old one serves."""
    (linked / "CURRENT.next").mkdir()
    with pytest.raises(IngestFailed, match=r"cannot be written .*the old one still serves"):
        await publish(EdgeStore(linked), corpus, corpus.generation(SECOND))
    assert EdgeStore(linked).current_id() == FIRST
    assert [entry.name for entry in (linked / "generations").iterdir()] == [FIRST]


async def test_a_folder_that_cannot_be_made_is_a_failed_ingest(tmp_path: Path, corpus: Corpus) -> None:
    """A file stands where the generations should be: one line says so."""
    (tmp_path / "generations").write_text("in the way")
    with pytest.raises(IngestFailed, match="could not be built: its files cannot be written"):
        await publish(EdgeStore(tmp_path), corpus, corpus.generation(FIRST))


async def test_a_builder_that_is_killed_is_a_failed_ingest(linked: Path, corpus: Corpus) -> None:
    """The child dies (out of memory, say): the ingest fails, its folder goes, the old generation serves."""
    store = EdgeStore(linked)

    async def lose_the_child() -> None:
        async with store.write(SECOND) as writer:
            await writer.add(corpus.chunks[:3], corpus.vectors[:3], [None] * 3)
            (child,) = multiprocessing.active_children()
            assert child.pid
            os.kill(child.pid, signal.SIGKILL)
            await writer.publish(corpus.generation(SECOND), corpus.chapters, corpus.statistics)

    with pytest.raises(IngestFailed, match=r"its process ended with code -9 .*the old one still serves"):
        await lose_the_child()
    assert [entry.name for entry in (linked / "generations").iterdir()] == [FIRST]
    assert not multiprocessing.active_children()


async def test_what_the_engine_refuses_is_a_failed_ingest(linked: Path, corpus: Corpus) -> None:
    """Vectors of another length than the first ones: the vendor's message comes in one line."""
    store = EdgeStore(linked)

    async def change_the_model_halfway() -> None:
        async with store.write(SECOND) as writer:
            await writer.add(corpus.chunks[:3], corpus.vectors[:3], [None] * 3)
            await writer.add(corpus.chunks[3:6], corpus.vectors[3:6, : SIZE // 2], [None] * 3)

    with pytest.raises(IngestFailed, match=r"could not be built: .*; the old one still serves") as failed:
        await change_the_model_halfway()
    assert "\n" not in str(failed.value)
    assert EdgeStore(linked).current_id() == FIRST


MOMENTS: dict[str, Callable[[Path], bool]] = {
    "while it is built": lambda folder: (folder / "generations" / SECOND / "shard" / "segments").exists(),
    "before the switch": lambda folder: (folder / "generations" / SECOND / "manifest.json").exists(),
    "after the switch": lambda folder: EdgeStore(folder).current_id() == SECOND,
}


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
async def test_a_cancelled_ingest_leaves_a_generation_that_serves(
    linked: Path, corpus: Corpus, moment: Callable[[Path], bool]
) -> None:
    """Ctrl+C at any moment: what CURRENT names can be opened, and no child is left."""
    task = asyncio.create_task(publish(EdgeStore(linked), corpus, corpus.generation(SECOND)))
    await until(lambda: moment(linked) or task.done())
    task.cancel()
    await asyncio.wait([task])
    index = EdgeIndex(EdgeStore(linked), FINGERPRINT)
    assert await answers(index)
    await index.close()
    assert not multiprocessing.active_children()


async def test_only_one_ingest_at_a_time(tmp_path: Path) -> None:
    """The lock is refused while it is held, also to another store on the same folder, and free afterwards."""
    with EdgeStore(tmp_path / "index").lock(), pytest.raises(IndexBusy, match="another ingest is running"):
        EdgeStore(tmp_path / "index").lock().__enter__()
    with EdgeStore(tmp_path / "index").lock():
        pass


async def test_a_lock_that_cannot_be_made_is_a_failed_ingest(tmp_path: Path) -> None:
    """A file stands where the index should be: nothing was changed, in one line."""
    (tmp_path / "index").write_text("in the way")
    with pytest.raises(IngestFailed, match="nothing was changed"), EdgeStore(tmp_path / "index").lock():
        pass


async def test_readers_side_by_side_change_nothing(linked: Path) -> None:
    """Two readers work at the same time, their views go when they are closed, and the generation is as it was."""
    one, two = (EdgeIndex(EdgeStore(linked), FINGERPRINT) for _ in range(2))
    assert await answers(one)
    assert await answers(two)
    assert len(views(linked)) == 4  # a view and a lock each
    await one.close()
    assert await answers(two)
    await two.close()
    assert views(linked) == []
    stored = EdgeStore(linked).published()
    assert stored
    stored.verify(stored.shard)


async def test_a_reader_keeps_serving_a_generation_that_is_deleted(linked: Path, corpus: Corpus) -> None:
    """What a reader has open stays readable, also what it has not read yet."""
    index = EdgeIndex(EdgeStore(linked), FINGERPRINT)
    await index.generation()
    shutil.rmtree(linked / "generations")
    hits = await index.search("motor", vector_of("motor"), 20, EVERYWHERE)
    assert len(hits) == 20
    assert await index.section(hits[0].chunk.chapter, hits[0].chunk.section_id)
    assert len(await index.chapters()) == len(corpus.chapters)
    assert await index.statistics() == corpus.statistics
    await index.close()


@pytest.mark.parametrize("wrong", ["damaged", "missing", "another model"])
async def test_a_reader_keeps_serving_when_the_new_generation_is_of_no_use(linked: Path, wrong: str) -> None:
    """`refresh` reports what is wrong with the new generation; searches are answered by the old one."""
    index = EdgeIndex(EdgeStore(linked), FINGERPRINT)
    await index.generation()
    twin(linked, SECOND, embedding="another@2" if wrong == "another model" else FINGERPRINT.embedding)
    if wrong == "damaged":
        (linked / "generations" / SECOND / "manifest.json").write_text("{")
    EdgeStore(linked).publish("nowhere" if wrong == "missing" else SECOND)
    with pytest.raises(IndexMismatch if wrong == "another model" else IndexCorrupted):
        await index.refresh()
    assert await answers(index)
    assert (await index.generation()).id == FIRST
    await index.close()
    assert views(linked) == []


class OvertakenStore(EdgeStore):
    """A store in which an ingest publishes and tidies up just after a reader has looked up the generation."""

    overtaken = False

    def published(self) -> StoredGeneration | None:
        """What was published a moment ago."""
        stored = super().published()
        if not self.overtaken:
            self.overtaken = True
            self.publish(SECOND)
            self.remove_unpublished()
        return stored


async def test_a_generation_that_is_replaced_while_it_is_opened_is_not_missed(linked: Path) -> None:
    """A reader that comes too late for one generation opens the next, instead of calling the index damaged."""
    twin(linked, SECOND)
    index = EdgeIndex(OvertakenStore(linked), FINGERPRINT)
    assert await answers(index)
    assert (await index.generation()).id == SECOND
    await index.close()


async def test_readers_that_look_at_once_open_the_new_generation_once(linked: Path) -> None:
    """Ten calls of `refresh` at the same time open one view, not ten."""
    index = EdgeIndex(EdgeStore(linked), FINGERPRINT)
    await index.generation()
    twin(linked, SECOND)
    EdgeStore(linked).publish(SECOND)
    moved = await asyncio.gather(*(index.refresh() for _ in range(10)))
    assert sorted(moved) == [False] * 9 + [True]
    assert len(views(linked)) == 2
    await index.close()


async def test_a_reader_closed_while_it_opens_leaves_no_view(linked: Path) -> None:
    """A service that is stopped at its start cleans up after itself."""
    index = EdgeIndex(EdgeStore(linked), FINGERPRINT)
    opening = asyncio.create_task(index.generation())
    await until(lambda: bool(views(linked)))
    await index.close()
    await opening
    assert views(linked) == []


async def test_views_of_the_dead_are_swept_and_those_of_the_living_stay(linked: Path) -> None:
    """What counts is whether somebody holds the view's lock, not whether a process has its number."""
    alive = EdgeIndex(EdgeStore(linked), FINGERPRINT)
    await alive.generation()
    of_the_living = views(linked)
    dead = await asyncio.create_subprocess_exec("true")
    await dead.wait()
    for pid in (dead.pid, os.getpid()):  # the second as in a container that was started again
        (linked / "readers" / f"{pid}-deadbeef" / "segments").mkdir(parents=True)
        (linked / "readers" / f"{pid}-deadbeef.lock").touch()
    (linked / "readers" / "1-without").mkdir()
    (linked / "readers" / "2-alone.lock").touch()
    another = EdgeIndex(EdgeStore(linked), FINGERPRINT)
    await another.generation()
    await another.close()
    assert views(linked) == of_the_living
    assert await answers(alive)
    await alive.close()


async def test_a_view_that_cannot_be_made_is_not_called_damage(linked: Path) -> None:
    """No room or no right to write beside the index: the message names the place, not a rebuild that would not help."""
    (linked / "readers").write_text("in the way")
    with pytest.raises(IndexProblem, match="readers cannot be written") as raised:
        await EdgeIndex(EdgeStore(linked), FINGERPRINT).generation()
    assert not isinstance(raised.value, IndexCorrupted)


async def test_leftovers_are_removed_by_the_next_ingest(linked: Path, corpus: Corpus) -> None:
    """What a crash left half built is gone when the next generation is begun."""
    twin(linked, SECOND)
    (linked / "generations" / "20260101T000000-dead00" / "shard").mkdir(parents=True)
    EdgeStore(linked).write("20261103T120000-cccccc")
    assert [entry.name for entry in (linked / "generations").iterdir()] == [FIRST]
