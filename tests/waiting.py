"""Waiting for a condition of the outside world (a file, a process), instead of for a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PATIENCE = 60
"""Seconds after which what was waited for will not come any more, on the slowest machine."""


async def until(condition: Callable[[], bool]) -> None:
    """Let everything else run until the condition holds.

    Raises:
        TimeoutError: it does not come to hold.
    """
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - nobody tells when a file appears
            await asyncio.sleep(0.001)
