"""What an answerer made -> the `Answer` that every surface gives, with its receipt."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from service.answering.preparing import Prepared
from service.answering.rendering import to_html
from service.answering.retrieval import passage_of
from service.domain import (
    NOTHING,
    Answer,
    Bill,
    Citation,
    CodeBlock,
    Hit,
    Latency,
    Mode,
    Passage,
    PassageUse,
    Receipt,
    Status,
    Usage,
)


@dataclass(frozen=True, slots=True)
class Body:
    """What was made for a question: the text with its citations, by whom, and what went into it.

    `model` is the model that was asked, also where its answer is not shown; `degraded_reason` then says why.
    """

    status: Status
    markdown: str
    citations: Sequence[Citation] = ()
    follow_ups: Sequence[str] = ()
    mode: Mode = Mode.EXTRACTIVE
    model: str | None = None
    bill: Bill = NOTHING
    dropped: int = 0
    uncited: int = 0
    code: tuple[CodeBlock, ...] = ()
    degraded_reason: str | None = None


def answer_of(prepared: Prepared, body: Body, embedding_model: str, first_token: float | None) -> Answer:
    """The answer; `first_token` is when its first piece was given out, by `time.perf_counter()`."""
    bill = prepared.bill + body.bill
    asked = body.model is not None or bill.calls > 0
    ended = time.perf_counter()
    receipt = Receipt(
        prompt=prepared.choice.prompt.id if body.model else None,
        prompt_hash=prepared.choice.prompt.hash if body.model else None,
        model=body.model,
        index_generation=prepared.generation.id,
        embedding_model=embedding_model,
        retrieval_query=prepared.query,
        usage=bill.usage,
        cost_usd=_dollars(bill.cost) if asked else "0",
        latency_ms=Latency(
            retrieve=milliseconds(prepared.started, prepared.retrieved),
            generate=milliseconds(prepared.retrieved, ended),
            total=milliseconds(prepared.started, ended),
            first_token=milliseconds(prepared.started, first_token) if first_token else None,
        ),
        attempts=bill.calls,
        dropped_citations=body.dropped,
        trace_id=prepared.trace_id,
        degraded_reason=body.degraded_reason,
        experiment=prepared.choice.experiment if body.model else None,
        uncited_sentences=body.uncited,
    )
    return Answer(
        id=prepared.id,
        question=prepared.ask.question.strip(),
        status=body.status,
        answer=body.markdown,
        answer_html=to_html(body.markdown, body.citations, body.code),
        citations=tuple(body.citations),
        passages=passages_of(prepared, body.citations),
        follow_ups=tuple(body.follow_ups),
        mode=body.mode,
        degraded=body.degraded_reason is not None,
        receipt=receipt,
        code=body.code,
    )


def again(prepared: Prepared, stored: Answer) -> Answer:
    """A stored answer, given to the same question once more: an id of its own, and nothing to pay."""
    ended = time.perf_counter()
    latency = Latency(
        retrieve=milliseconds(prepared.started, prepared.retrieved),
        generate=0.0,
        total=milliseconds(prepared.started, ended),
        first_token=milliseconds(prepared.started, ended),
    )
    receipt = replace(
        stored.receipt,
        usage=Usage(),
        cost_usd="0",
        latency_ms=latency,
        attempts=0,
        trace_id=uuid.UUID(prepared.id).hex,
        cached=True,
    )
    return replace(stored, id=prepared.id, question=prepared.ask.question.strip(), receipt=receipt)


def passages_of(prepared: Prepared, citations: Sequence[Citation] = ()) -> tuple[Passage, ...]:
    """What was found, best first, and what became of each; before anything is written, nothing is cited yet."""
    if prepared.found is None:
        return ()
    cited = {(citation.chapter, citation.anchor) for citation in citations}
    hits = prepared.found.hits[: prepared.ask.limit]
    return tuple(replace(passage_of(hit.chunk, hit.score), use=_use(prepared, hit, cited)) for hit in hits)


def _use(prepared: Prepared, hit: Hit, cited: set[tuple[str, str]]) -> PassageUse:
    chunk = hit.chunk
    if (chunk.chapter, chunk.anchor) in cited:
        return PassageUse.CITED
    if chunk.section_id in prepared.over_budget:
        return PassageUse.OVER_BUDGET
    read = prepared.passages.section_ids if prepared.call else prepared.sections.keys()
    return PassageUse.READ if chunk.section_id in read else PassageUse.RANKED_LOWER


def milliseconds(start: float, stop: float) -> float:
    """Between two moments of `time.perf_counter()`."""
    return round((stop - start) * 1000, 2)


def _dollars(cost: Decimal | None) -> str | None:
    return None if cost is None else format(cost, "f")
