"""Speed of the database: answers kept, calls booked, a long conversation opened; alone and beside a busy loop."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from evals.bench.clock import Spread, figure, timed
from service.adapters.database import Database, open_database
from service.domain import (
    Answer,
    AnswerRecord,
    Ask,
    Budgets,
    Call,
    Citation,
    Latency,
    Mode,
    Passage,
    PassageUse,
    Purpose,
    Reading,
    Receipt,
    Settlement,
    Status,
    Usage,
)

_WORDS = "Remember the last key of a page and ask for what comes after it. "
_TURNS = 500
_AT_ONCE = 16
_BUDGETS = Budgets(Decimal(1), Decimal(1000), Decimal(1000))


def _record() -> AnswerRecord:
    """A record of usual size: eight passages of a section each, about 25 KB of JSON."""
    place = ("04_relational_databases_sql/pagination_strategies.md", "Pagination", "Keyset", "keyset")
    usage = Usage(3000, 0, 0, 300)
    receipt = Receipt(
        "answer/v1", "hash", "model", "generation", "local", "question", usage, "0.0005", Latency(9, 800, 810, 200),
        1, 0, "t",
    )  # fmt: skip
    answer = Answer(
        uuid.uuid4().hex, "How does keyset pagination work?", Status.ANSWERED, _WORDS * 15, f"<p>{_WORDS * 15}</p>",
        tuple(Citation(number, *place, "/read/x#keyset", _WORDS, 3, 9) for number in range(1, 4)),
        tuple(Passage(*place, 3, 40, 0.9, _WORDS * 20, PassageUse.READ) for _ in range(8)),
        ("And backwards?",), Mode.LLM, False, receipt,  # noqa: FBT003
    )  # fmt: skip
    readings = tuple(Reading(number, *place, 3, 40, _WORDS * 20) for number in range(1, 9))
    return AnswerRecord(answer, Ask(answer.question), readings, datetime.now(UTC), uuid.uuid4().hex)


async def _each(count: int, work: Callable[[], Awaitable[None]]) -> Spread:
    """One after the other."""
    samples: list[float] = []
    for _ in range(count):
        with timed(samples):
            await work()
    return Spread(samples)


async def _costs(count: int, tasks: int, work: Callable[[], Awaitable[None]]) -> str:
    """Many at once: how many a second, and the processor time of each."""
    numbers = iter(range(count))

    async def worker() -> None:
        for _ in numbers:
            await work()

    cpu, started = time.process_time(), time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(tasks)))
    used, taken = time.process_time() - cpu, time.perf_counter() - started
    return f"{count / taken:.0f} a second, {used / count * 1000:.2f} ms of processor each"


async def _answers(database: Database) -> list[AnswerRecord]:
    made = [_record() for _ in range(1200)]
    waiting = iter(made)

    async def save() -> None:
        await database.answers.save(next(waiting))

    await _each(50, save)
    figure("answer kept, alone", str(await _each(250, save)), "p50 <= 2 ms")
    figure("  processor time, alone", await _costs(250, 1, save))
    figure(f"answer kept, {_AT_ONCE} at once", await _costs(500, _AT_ONCE, save), "<= 0.6 ms each")
    return made[:_TURNS]


async def _ledger(database: Database) -> None:
    used = Settlement("answered", Usage(2900, 0, 0, 280), Decimal("0.00043"), reported=True, milliseconds=800)

    async def spend() -> None:
        made = Call(
            uuid.uuid4().hex, datetime.now(UTC), uuid.uuid4().hex, Purpose.ANSWER, "model", "answer/v1", "anonymous", 1,
            Usage(3000, 0, 0, 2000), Decimal("0.0013"),
        )  # fmt: skip
        await database.ledger.open(made, _BUDGETS)
        await database.ledger.settle(made.id, used)

    await _each(50, spend)
    figure("call booked and settled, alone", str(await _each(250, spend)))
    figure(f"call booked and settled, {_AT_ONCE} at once", await _costs(1000, _AT_ONCE, spend))


async def _conversation(database: Database, made: Sequence[AnswerRecord]) -> None:
    begun = await database.conversations.create("A long one", "anna")
    for number, kept in enumerate(made):
        await database.conversations.ask(begun.id, f"Question {number}: {_WORDS}", kept.answer.id)

    async def read() -> None:
        await database.conversations.get(begun.id)

    async def find() -> None:
        await database.conversations.list("anna", "pagination nowhere")

    await read()
    figure(f"conversation of {len(made)} turns read", str(await _each(20, read)), "<= 1 s on the page")
    for number in range(200):
        other = await database.conversations.create(f"Another {number}", "anna")
        await database.conversations.ask(other.id, _WORDS, uuid.uuid4().hex)
    figure(f"search over 201 conversations, {len(made) + 200} questions", str(await _each(50, find)))


async def measure(folder: Path, url: str | None = None) -> None:
    """Print the figures of a database in this folder, or at this URL."""
    opened: list[float] = []
    for _ in range(2):
        with timed(opened):
            async with open_database(url, folder):
                pass
    figure("database made, then opened again", f"{opened[0]:.0f} ms, {opened[1]:.0f} ms")
    async with open_database(url, folder) as database:
        made = await _answers(database)
        await _ledger(database)
        await _conversation(database, made)
