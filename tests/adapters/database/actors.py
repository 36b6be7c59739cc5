"""Starting actors and reading what they say."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

from .conftest import Where

PROJECT = Path(__file__).parents[3]


async def start(action: str, where: Where, **options: Any) -> Process:
    """A process that works on this database."""
    words = [sys.executable, "-m", "tests.adapters.database.actor", action, str(where.data_dir)]
    words += [where.url] if where.url else []
    return await asyncio.create_subprocess_exec(*words, cwd=PROJECT, stdout=PIPE, stderr=PIPE, **options)


async def run(action: str, where: Where, **options: Any) -> list[str]:
    """What a process says that must end by itself and without an error."""
    process = await start(action, where, **options)
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode().splitlines()
