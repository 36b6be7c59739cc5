"""Values to keep: an answer with everything in it, its record, a call."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from service.domain import (
    Answer,
    AnswerRecord,
    Ask,
    Call,
    Citation,
    CodeBlock,
    CodeCheck,
    Latency,
    Mode,
    Passage,
    PassageUse,
    Purpose,
    Reading,
    Receipt,
    SearchFilter,
    Settlement,
    Status,
    Turn,
    Usage,
)

from .conftest import NOON

PLACE = ("04_databases/pagination.md", "Pagination", "Keyset pagination", "keyset-pagination")
RECEIPT = Receipt(
    prompt="answer/v1",
    prompt_hash="9f1c",
    model="gpt-6-luna",
    index_generation="20261125T100000-abc",
    embedding_model="local",
    retrieval_query="How does keyset pagination work?",
    usage=Usage(1200, 200, 0, 90),
    cost_usd="0.00017",
    latency_ms=Latency(12.5, 800.0, 815.25, 240.0),
    attempts=2,
    dropped_citations=1,
    trace_id="trace",
    experiment="short",
)
ANSWER = Answer(
    id="answer",
    question="How does keyset pagination work?",
    status=Status.ANSWERED,
    answer="It remembers the last key [1].\n\n```python\nprint(1)\n```",
    answer_html="<p>It remembers the last key [1].</p>",
    citations=(Citation(1, *PLACE, "/read/04_databases/pagination#keyset-pagination", "the last key", 3, 9),),
    passages=(Passage(*PLACE, 3, 9, 0.875, "Remember **the last key**.", PassageUse.CITED),),
    follow_ups=("And backwards?",),
    mode=Mode.LLM,
    degraded=False,
    receipt=RECEIPT,
    code=(CodeBlock(1, "python", CodeCheck.PASSED),),
)
ASK = Ask(
    ANSWER.question,
    history=(Turn("user", "Hello"), Turn("assistant", "Hello.")),
    where=SearchFilter(sections=("04",)),
    prompt_version=1,
    caller="editor",
    conversation="c",
    fresh=True,
)
READINGS = (Reading(1, *PLACE, 3, 9, "Remember the last key."),)


def answer(**changes: Any) -> Answer:
    """An answer of its own id."""
    return replace(ANSWER, **{"id": uuid.uuid4().hex, **changes})


def record(of: Answer | None = None, **changes: Any) -> AnswerRecord:
    """A record of it."""
    return replace(AnswerRecord(of or answer(), ASK, READINGS, NOON), **changes)


def call(**changes: Any) -> Call:
    """A call of its own id and trace that may cost a cent."""
    made = Call(
        id=uuid.uuid4().hex,
        at=NOON,
        trace_id=uuid.uuid4().hex,
        purpose=Purpose.ANSWER,
        model="gpt-6-luna",
        prompt="answer/v1",
        caller="anonymous",
        attempt=1,
        estimated=Usage(1000, 0, 0, 500),
        estimated_cost=Decimal("0.01"),
    )
    return replace(made, **changes)


def settlement(**changes: Any) -> Settlement:
    """It was answered, and the provider said what it used."""
    made = Settlement("answered", Usage(900, 100, 10, 50), Decimal("0.000135"), reported=True, milliseconds=812.5)
    return replace(made, **changes)


def at(text: str) -> datetime:
    """A time out of its ISO form."""
    return datetime.fromisoformat(text)
