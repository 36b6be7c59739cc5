"""The benchmark's heartbeat: it notices what holds an event loop up."""

from __future__ import annotations

import asyncio
import time

import pytest

from evals.bench.heartbeat import beat, stalls_of


async def test_a_loop_that_is_held_up_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    """Work of 30 ms between two beats is one stall of at least that length, and the process was busy meanwhile."""
    heart = asyncio.create_task(beat())
    await asyncio.sleep(0.01)
    until = time.perf_counter() + 0.03
    while time.perf_counter() < until:
        pass
    await asyncio.sleep(0.01)
    heart.cancel()
    longest = max(stalls_of(capsys.readouterr().out), key=lambda stall: stall.late_ms)
    assert longest.late_ms >= 25
    assert longest.busy_ms > 5


async def test_a_loop_that_only_waits_is_not_late(capsys: pytest.CaptureFixture[str]) -> None:
    """Waiting is no stall: nothing like it is printed."""
    heart = asyncio.create_task(beat())
    await asyncio.sleep(0.05)
    heart.cancel()
    assert all(stall.busy_ms < 25 for stall in stalls_of(capsys.readouterr().out))
