"""How times and memory are taken, so that every benchmark takes them alike."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

import psutil


@dataclass(slots=True)
class Spread:
    """Milliseconds of many runs."""

    samples: list[float]

    def percentile(self, share: float) -> float:
        """The value below which this share of the runs lies."""
        ordered = sorted(self.samples)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def __str__(self) -> str:
        return (
            f"p50 {statistics.median(self.samples):.1f} ms, p95 {self.percentile(0.95):.1f} ms, "
            f"max {max(self.samples):.1f} ms, n={len(self.samples)}"
        )


@contextmanager
def timed(into: list[float]) -> Iterator[None]:
    """Append the block's wall time in milliseconds."""
    started = time.perf_counter()
    yield
    into.append((time.perf_counter() - started) * 1000)


class PeakMemory:
    """The highest resident memory of a process tree while the block runs, in MB."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.megabytes = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            try:
                tree = [self._process, *self._process.children(recursive=True)]
                self.megabytes = max(self.megabytes, sum(p.memory_info().rss for p in tree) / 1e6)
            except psutil.Error:
                continue


def figure(name: str, value: str, wanted: str = "") -> None:
    """Print one line of the report."""
    print(f"  {name:<44} {value:<58} {wanted}", flush=True)


def rate(count: int, milliseconds: Sequence[float]) -> float:
    """How many a second."""
    return count / (sum(milliseconds) / 1000)
