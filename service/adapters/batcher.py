"""Dynamic batching: texts that wait for a model at the same time go through it together.

The thread that embeds fetches its next texts itself. The event loop would hand them over only after all that it has to
do for the last ones, and the model stood idle for a third of the time.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass

from service.errors import EmbeddingFailed
from service.ports import Vector, Vectors

BATCH = 6  # texts; more of them take memory and are not faster


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    text: str
    vector: asyncio.Future[Vector]

    def end(self, outcome: Vector | Exception) -> None:
        """Hand over from a thread what came of it."""
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            self.vector.get_loop().call_soon_threadsafe(self._end, outcome)

    def _end(self, outcome: Vector | Exception) -> None:
        if self.vector.done():  # who asked has left
            return
        if isinstance(outcome, Exception):
            self.vector.set_exception(outcome)
        else:
            self.vector.set_result(outcome)


class Batcher:
    """Embeds single texts in a thread, in batches of those that wait."""

    def __init__(self, embed: Callable[[Sequence[str]], Vectors], threads: Executor) -> None:
        """`embed` makes the vectors of several texts, the longest first."""
        self._embed = embed
        self._threads = threads
        self._waiting: list[_Request] = []
        self._is_running = False
        self._lock = threading.Lock()

    async def vector_of(self, text: str) -> Vector:
        """The vector of one text, which is embedded at once if nothing else is.

        Raises:
            EmbeddingFailed: the threads have ended; or what `embed` raised for the text's batch.
        """
        request = _Request(text, asyncio.get_running_loop().create_future())
        with self._lock:
            if not self._is_running:
                try:
                    self._threads.submit(self._run)
                except RuntimeError as error:
                    raise EmbeddingFailed(f"the embedding model is closed: {error}") from error
                self._is_running = True
            self._waiting.append(request)
        return await request.vector

    def _run(self) -> None:
        """Embed until nothing waits."""
        while batch := self._next():
            try:
                outcomes: Sequence[Vector | Exception] = list(self._embed([request.text for request in batch]))
            except Exception as error:  # whatever it is, those who wait must hear of it
                outcomes = [error] * len(batch)
            for request, outcome in zip(batch, outcomes, strict=True):
                request.end(outcome)

    def _next(self) -> list[_Request]:
        """What has waited longest, and what is nearest to it in length, since shorter ones are padded."""
        with self._lock:
            waiting = [request for request in self._waiting if not request.vector.done()]
            near = sorted(waiting, key=lambda request: abs(len(request.text) - len(waiting[0].text)))[:BATCH]
            self._waiting = [request for request in waiting if request not in near]
            self._is_running = bool(near)
        return sorted(near, key=lambda request: len(request.text), reverse=True)
