"""A process of its own that works on a database: `python -m tests.adapters.database.actor ACTION FOLDER [URL]`.

It says what it did on standard output, one line each, as soon as it is acknowledged.
"""

from __future__ import annotations

import asyncio
import sys
from decimal import Decimal
from pathlib import Path

from service.adapters.database import Database, open_database
from service.domain import Budgets
from service.errors import BudgetSpent, StateProblem

from .samples import call, record


async def _open(_: Database) -> None:
    print("opened", flush=True)


async def _spend(database: Database) -> None:
    """Two hundred calls of a cent at once, against half a dollar a day."""
    budgets = Budgets(per_day=Decimal("0.50"))
    ended = await asyncio.gather(*(database.ledger.open(call(), budgets) for _ in range(200)), return_exceptions=True)
    assert {type(end) for end in ended} <= {type(None), BudgetSpent}, ended
    print(ended.count(None), flush=True)


async def _save(database: Database) -> None:
    """Answers without end, eight at a time, until the process is killed."""

    async def without_end() -> None:
        while True:
            saved = record()
            await database.answers.save(saved)
            print(saved.answer.id, flush=True)

    await asyncio.gather(*(without_end() for _ in range(8)))


async def _save_one(database: Database) -> None:
    await database.answers.save(record())
    print("saved", flush=True)


ACTIONS = {"open": _open, "spend": _spend, "save": _save, "save_one": _save_one}


async def main(action: str, folder: str, url: str | None = None) -> None:
    """Open the database and act."""
    try:
        async with open_database(url, Path(folder)) as database:
            await ACTIONS[action](database)
    except StateProblem as error:
        print(f"StateProblem: {error}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
