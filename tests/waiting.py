"""Waiting for a condition of the outside world (a file, a process), instead of for a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], bool]) -> None:
    """Let everything else run until the condition holds."""
    while not condition():  # noqa: ASYNC110 - nobody tells when a file appears
        await asyncio.sleep(0)
