"""Answers, whole, with the columns they are looked up by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, or_, select, update

from service.adapters.database.columns import storable
from service.adapters.database.documents import (
    Origin,
    answer_from_json,
    answer_to_json,
    origin_from_json,
    origin_to_json,
)
from service.adapters.database.engine import Engine
from service.adapters.database.schema import answers
from service.adapters.database.upserting import upserts
from service.adapters.database.writer import Writer
from service.domain import AnswerRecord, Feedback, Reason, Verdict
from service.errors import AnswerNotFound

_RATING = ("verdict", "reason", "comment", "rated_at")
_READ = select(
    answers.c.answer,
    answers.c.origin,
    answers.c.created_at,
    answers.c.cache_key,
    answers.c.verdict,
    answers.c.reason,
    answers.c.comment,
)
_BY_ID = _READ.where(answers.c.id == bindparam("sought"))
_CACHED = (
    _READ.where(
        answers.c.cache_key == bindparam("sought"),
        or_(answers.c.verdict.is_(None), answers.c.verdict != Verdict.DOWN.value),
    )
    .order_by(answers.c.created_at.desc())
    .limit(1)
)
_RATE = update(answers).where(answers.c.id == bindparam("sought")).values({name: bindparam(name) for name in _RATING})


class DatabaseAnswers:
    """The port `AnswerStore`."""

    def __init__(self, engine: Engine, writer: Writer, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._writer = writer
        self._clock = clock

    async def save(self, record: AnswerRecord) -> None:
        """See the port. The same answer again replaces it, and keeps what was said of it."""
        await self._writer.write(_insert, _row(record))

    async def get(self, id_: str) -> AnswerRecord:
        """See the port."""
        row = await self._engine.read(lambda connection: _first(connection, _BY_ID, id_))
        if row is None:
            raise _missing(id_)
        return _record(row)

    async def cached(self, key: str) -> AnswerRecord | None:
        """See the port."""
        row = await self._engine.read(lambda connection: _first(connection, _CACHED, key))
        return _record(row) if row else None

    async def rate(self, id_: str, feedback: Feedback) -> None:
        """See the port."""
        reason = feedback.reason.value if feedback.reason else None
        rating = (feedback.verdict.value, reason, storable(feedback.comment), self._clock())
        await self._writer.write(_rate, {"sought": storable(id_), **dict(zip(_RATING, rating, strict=True))})


_KEPT = {"id", *_RATING}
_SAVE = upserts(answers, lambda new: {name: new[name] for name in answers.c.keys() if name not in _KEPT})  # noqa: SIM118


def _insert(connection: Connection, rows: Sequence[dict[str, Any]]) -> list[None]:
    connection.execute(_SAVE[connection.dialect.name], rows)
    return [None] * len(rows)


def _rate(connection: Connection, ratings: Sequence[dict[str, Any]]) -> list[AnswerNotFound | None]:
    found = [connection.execute(_RATE, rating).rowcount for rating in ratings]
    return [None if there else _missing(rating["sought"]) for there, rating in zip(found, ratings, strict=True)]


def _first(connection: Connection, statement: Any, sought: str) -> Row[Any] | None:
    return connection.execute(statement, {"sought": storable(sought)}).first()


def _missing(id_: str) -> AnswerNotFound:
    return AnswerNotFound(f"there is no answer {id_!r}; it was never given, or its conversation was deleted")


def _row(record: AnswerRecord) -> dict[str, Any]:
    answer, receipt, said = record.answer, record.answer.receipt, record.feedback
    return {
        "id": answer.id,
        "created_at": record.created_at,
        "cache_key": record.cache_key,
        "generation": receipt.index_generation,
        "model": receipt.model,
        "prompt": receipt.prompt,
        "status": answer.status.value,
        "mode": answer.mode.value,
        "caller": storable(record.ask.caller),
        "answer": answer_to_json(answer),
        "origin": origin_to_json(Origin(record.ask, record.readings)),
        "verdict": said.verdict.value if said else None,
        "reason": said.reason.value if said and said.reason else None,
        "comment": storable(said.comment) if said else None,
        "rated_at": record.created_at if said else None,
    }


def _record(row: Sequence[Any]) -> AnswerRecord:
    text, origin_text, created_at, cache_key, verdict, reason, comment = row
    origin = origin_from_json(origin_text)
    said = Feedback(Verdict(verdict), Reason(reason) if reason else None, comment or "") if verdict else None
    return AnswerRecord(answer_from_json(text), origin.ask, origin.readings, created_at, cache_key, said)
