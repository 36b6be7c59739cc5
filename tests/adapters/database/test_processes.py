"""Several processes on one database, and one that is killed."""

from __future__ import annotations

import asyncio
import random
from decimal import Decimal

from service.domain import Budgets

from . import actors
from .conftest import Where


async def test_processes_that_start_at_once_all_start(where: Where) -> None:
    """One of them makes the schema, the others wait for it."""
    said = await asyncio.gather(*(actors.run("open", where) for _ in range(5)))
    assert said == [["opened"]] * 5


async def test_processes_cannot_overspend_together(where: Where) -> None:
    """Four processes of two hundred calls each, against a budget for fifty: fifty get through."""
    async with where.open():
        pass
    said = await asyncio.gather(*(actors.run("spend", where) for _ in range(4)))
    assert sum(int(lines[0]) for lines in said) == 50
    async with where.open() as database:
        rows = await database.ledger.usage("day")
        booked = await database.ledger.budgets(Budgets(), "anonymous")
    assert [(row.calls, row.cost) for row in rows] == [(50, Decimal("0.50"))]
    assert [state.spent for state in booked] == [Decimal("0.50")] * 2


async def test_what_was_acknowledged_survives_a_kill(where: Where) -> None:
    """Five times killed in the middle of writing: every answer that a caller was told of is there and whole."""
    rng = random.Random(7)
    acknowledged: list[str] = []
    for _ in range(5):
        process = await actors.start("save", where)
        assert process.stdout
        for _ in range(rng.randrange(20, 120)):
            acknowledged.append((await process.stdout.readline()).decode().strip())
        process.kill()
        rest, err = await process.communicate()
        assert err == b""
        acknowledged += [line for line in rest.decode().splitlines(keepends=True) if line.endswith("\n")]
    async with where.open() as database:
        for id_ in acknowledged:
            assert (await database.answers.get(id_.strip())).answer.id == id_.strip()
    assert len(acknowledged) >= 100
