"""The service with a heart that beats in its event loop: prints every beat that came late.

    python -m evals.bench.heartbeat      a line for each: when it came (monotonic seconds), by how many ms it was late,
                                         and how many ms of processor time this process had used meanwhile

A loop is late because something in this process held it up, or because others had the processor. The processor time
tells these apart.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from uvicorn.loops.auto import auto_loop_factory

from service import logs
from service.server import bind, serve
from service.settings import load_settings

_BEAT_SECONDS = 0.001
_LATE_MS = 5.0


@dataclass(frozen=True, slots=True)
class Stall:
    """A beat that came late. `at` is the monotonic clock's, which all processes of a machine share."""

    at: float
    late_ms: float
    busy_ms: float

    def __str__(self) -> str:
        return f"{self.at:.6f} {self.late_ms:.2f} {self.busy_ms:.2f}"


def stalls_of(output: str) -> list[Stall]:
    """What was printed, read again."""
    return [Stall(*map(float, line.split())) for line in output.splitlines()]


async def beat() -> None:
    """Beat until cancelled."""
    while True:
        began, used = time.monotonic(), time.process_time()
        await asyncio.sleep(_BEAT_SECONDS)
        late = (time.monotonic() - began - _BEAT_SECONDS) * 1000
        if late >= _LATE_MS:
            print(Stall(time.monotonic(), late, (time.process_time() - used) * 1000), flush=True)


async def _run() -> None:
    settings = load_settings()
    logs.configure(settings)
    with bind(settings.host, settings.port) as listener:
        await asyncio.gather(beat(), serve(settings, listener))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(_run())
