"""`kill -9` at random moments of an ingest: the old generation always serves, the next ingest always completes."""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from pathlib import Path

from service.adapters.edge_index import EdgeIndex
from service.adapters.edge_store import EdgeStore
from service.domain import SearchFilter

from ..fakes.vectors import vector_of
from .ingest_runner import FINGERPRINT
from .ingests import Ingests

KILLS = 50
LANES = 2
SEED = 20261122
MOMENTS = ("any time", "while it is built", "around the switch")


class Lane:
    """An index of its own, the chapters that go into it, and what it must answer."""

    def __init__(self, runner: Ingests, place: Path, chapters: Path, seed: int) -> None:
        self._runner = runner
        self._random = random.Random(seed)
        self._data = place / "data"
        self._folder = Path(shutil.copytree(chapters, place / "chapters"))
        self._index = self._data / "index"
        self._words: list[str] = []
        self._seconds = 1.0
        self.killed: list[str] = []

    @property
    def latest(self) -> str:
        """The word that came in last."""
        return self._words[-1]

    def write(self) -> None:
        """Change a chapter: a word that no generation had before comes in."""
        self._words.append(f"marker{len(self._words)}word")
        (self._folder / "changing.md").write_text(f"# A chapter that changes\n\nToday it says {self._words[-1]}.\n")

    def complete(self) -> None:
        """Ingest without a kill: it must succeed and leave nothing else. The next look at what answers sees it."""
        started = time.monotonic()
        outcome = self._runner.run(self._data, self._folder)
        self._seconds = time.monotonic() - started
        assert outcome.report, outcome
        assert {entry.name for entry in self._index.iterdir()} - {"readers"} == {
            "CURRENT",
            "generations",
            "ingest.lock",
        }
        assert [entry.name for entry in (self._index / "generations").iterdir()] == [outcome.report["generation"]]

    def kill(self, moment: str) -> None:
        """Start an ingest and kill it and its child."""
        group = self._runner.start(self._data, self._folder)
        self._wait_for(moment)
        self._runner.kill(group)
        if self._runner.wait().killed:
            self.killed.append(moment)

    def answered(self) -> str:
        """The changing word of the generation that answers now."""
        return asyncio.run(self._answered())

    async def _answered(self) -> str:
        index = EdgeIndex(EdgeStore(self._index), FINGERPRINT)
        hits = await index.search("changes today", vector_of("today it says"), 20, SearchFilter())
        generation = await index.generation()
        await index.close()
        assert not list((self._index / "readers").iterdir())
        assert len(hits) == min(20, generation.chunks)
        return next(word for hit in hits for word in hit.chunk.text.rstrip(".").split() if word.startswith("marker"))

    def attempt(self, moment: str) -> None:
        """A change whose ingest is killed, what serves then, and an ingest that completes."""
        before = self.answered()
        self.write()
        self.kill(moment)
        assert self.answered() in (before, self._words[-1])
        self.write()
        self.complete()

    def _wait_for(self, moment: str) -> None:
        """Until some time into the ingest: by the clock, or by what it has written."""
        deadline = time.monotonic() + self._seconds
        pause = self._random.random()
        if moment == "any time":
            time.sleep(pause * self._seconds * 0.9)
            return
        before = EdgeStore(self._index).current_id()
        wanted = "shard" if moment == "while it is built" else "manifest.json"
        while time.monotonic() < deadline and not self._has(wanted, before):
            time.sleep(0.0005)
        time.sleep(pause * (self._seconds / 2 if wanted == "shard" else 0.01))

    def _has(self, wanted: str, before: str | None) -> bool:
        """Whether another generation than the one before has this file, or serves already."""
        if EdgeStore(self._index).current_id() != before:
            return True
        return any(file.parent.name != before for file in self._index.glob(f"generations/*/{wanted}"))


def test_an_ingest_killed_at_any_moment_leaves_the_old_generation_serving(
    bytecode: Path, tmp_path: Path, folder: Path
) -> None:
    """Fifty ingests are killed with their child; what was published answers, and the next ingest completes."""

    def run(number: int) -> list[str]:
        with Ingests(bytecode) as runner:
            lane = Lane(runner, tmp_path / str(number), folder, SEED + number)
            lane.write()
            lane.complete()
            attempts = 0
            while len(lane.killed) < KILLS // LANES and attempts < KILLS:
                lane.attempt(MOMENTS[attempts % len(MOMENTS)])
                attempts += 1
            assert lane.answered() == lane.latest
            return lane.killed

    async def run_all() -> list[list[str]]:
        return await asyncio.gather(*(asyncio.to_thread(run, number) for number in range(LANES)))

    killed = [moment for lane in asyncio.run(run_all()) for moment in lane]
    assert len(killed) == KILLS
    assert set(killed) == set(MOMENTS)
