"""Question -> events: what was found, the text as it is written, the answer.

One `Answer` whatever happens: by a model, by quotation, or by saying that the chapters do not cover it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from service.answering import known_modules
from service.answering.code_check import CodeChecker
from service.answering.events import Delta, Done, Event, Sources
from service.answering.extractive import compose
from service.answering.follow_ups import follow_ups
from service.answering.live_html import LiveBlock
from service.answering.preparing import Limits, Prepared, Preparer
from service.answering.presenting import not_covered, present
from service.answering.prompting import Prompting
from service.answering.ranking import is_appendix
from service.answering.receipts import Body, again, answer_of, passages_of
from service.answering.retrieval import Found, Retriever, passage_of
from service.answering.uncited import uncited_sentences
from service.answering.writing import Writer, Written
from service.domain import (
    Answer,
    AnswerRecord,
    Ask,
    CodeBlock,
    CutByLength,
    Failed,
    Filtered,
    Malformed,
    Mode,
    Outcome,
    Passage,
    Refused,
    SearchFilter,
    Status,
)
from service.errors import StateProblem
from service.ports import AnswerStore, ChatModel, Embedder, Terms, VectorIndex

PARTIAL_BELOW = 0.73

_log = structlog.get_logger()


class Answerer:
    """Answers questions from the index that is being served."""

    def __init__(
        self,
        index: VectorIndex,
        embedder: Embedder,
        terms: Terms,
        model: ChatModel | None,
        answers: AnswerStore,
        *,
        limits: Limits,
        prompting: Prompting,
        caching: bool = True,
    ) -> None:
        self._embedder = embedder
        self._terms = terms
        self._answers = answers
        self._retriever = Retriever(index, embedder, terms)
        self._preparer = Preparer(index, self._retriever, terms, prompting, model, answers, limits, caching=caching)
        self._checker: CodeChecker | None = None
        self._writer = Writer(model, prompting.repair) if model else None

    async def warm_up(self) -> None:
        """Load what the first question would otherwise wait for: the embedding model, and what a chat model needs."""
        await self._embedder.embed_query("ready")
        if self._writer:
            await self._preparer.warm_up()
            await self._checked("")

    async def search(self, query: str, where: SearchFilter, limit: int) -> list[Passage]:
        """The passages that match a query, best first.

        Raises:
            InvalidQuestion, UnknownFilter, IndexProblem, EmbeddingFailed
        """
        found = await self._retriever.find(self._preparer.valid(query), where)
        return [passage_of(hit.chunk, hit.score) for hit in found.hits[:limit]]

    async def ask(self, ask: Ask) -> Answer:
        """Answer a question.

        Raises:
            InvalidQuestion, UnknownFilter, UnknownPrompt, IndexProblem, EmbeddingFailed, BudgetSpent,
            RequestTooCostly. A failing chat model, or a database in which its call cannot be booked, is no error but
            an extractive answer with `degraded` set.
        """
        async with aclosing(self.stream(await self.prepare(ask))) as events:
            async for event in events:
                if isinstance(event, Done):
                    return event.answer
        raise AssertionError("a stream ends with an answer")

    async def prepare(self, ask: Ask) -> Prepared:
        """Everything before the first word; raises what `ask` raises."""
        return await self._preparer.prepare(ask)

    async def stream(self, prepared: Prepared, *, html: bool = False) -> AsyncGenerator[Event]:
        """Sources, pieces of text, the answer. Closing the generator cancels the call to the model."""
        yield Sources(prepared.id, prepared.query, prepared.generation.id, _sources(prepared))
        if prepared.stored:
            answer = again(prepared, prepared.stored.answer)
            yield _whole(answer.answer, answer, html=html)
        else:
            first_token: float | None = None
            async with aclosing(self._body(prepared, html=html)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Body):
                        answer = answer_of(prepared, piece, self._embedder.name, first_token)
                        if first_token is None:
                            yield _whole(piece.markdown, answer, html=html)
                    else:
                        first_token = first_token or time.perf_counter()
                        yield piece
        yield Done(await self._stored(prepared, answer))

    async def _body(self, prepared: Prepared, *, html: bool) -> AsyncGenerator[Delta | Body]:
        """The pieces of text, where a model writes them, then the whole."""
        if not prepared.covered or prepared.found is None:
            yield _refusal(prepared)
        elif self._writer is None or prepared.call is None:
            yield self._extractive(prepared, prepared.found)
        else:
            async with aclosing(self._writer.write(prepared.call, prepared.passages, html=html)) as pieces:
                try:
                    async for piece in pieces:
                        yield await self._written(prepared, piece) if isinstance(piece, Written) else piece
                except StateProblem as problem:  # what cannot be booked is not sent
                    extractive = self._extractive(prepared, prepared.found)
                    yield replace(extractive, degraded_reason=f"{problem.code}: {problem}")

    async def _written(self, prepared: Prepared, written: Written) -> Body:
        """The model's answer, if it can be shown; else the quotations, with the reason."""
        assert prepared.found is not None
        draft, outcome = written.draft, written.outcome
        if draft and draft.status is Status.NOT_IN_KNOWLEDGE_BASE:
            refusal = _refusal(prepared)
            return replace(refusal, mode=Mode.LLM, model=outcome.model, bill=written.bill, dropped=draft.dropped)
        if draft and draft.citations:
            return Body(
                status=draft.status,
                markdown=draft.answer,
                citations=draft.citations,
                follow_ups=draft.follow_ups,
                mode=Mode.LLM,
                model=outcome.model,
                bill=written.bill,
                dropped=draft.dropped,
                uncited=uncited_sentences(draft.answer),
                code=await self._checked(draft.answer),
            )
        reason = f"uncited: none of the model's {draft.dropped} citations holds" if draft else _reason(outcome)
        return replace(
            self._extractive(prepared, prepared.found),
            model=outcome.model,
            bill=written.bill,
            dropped=draft.dropped if draft else 0,
            degraded_reason=reason,
        )

    async def _checked(self, markdown: str) -> tuple[CodeBlock, ...]:
        """What a check of the code blocks finds; the list of known modules is read once, in a thread."""
        if self._checker is None:
            self._checker = CodeChecker(await asyncio.to_thread(known_modules.load))
        return self._checker.check(markdown)

    def _extractive(self, prepared: Prepared, found: Found) -> Body:
        composition = compose(found, prepared.sections, self._terms)
        markdown, citations = present(composition)
        if not citations:
            return Body(Status.NOT_IN_KNOWLEDGE_BASE, not_covered([hit.chunk for hit in found.hits[:3]]))
        status = Status.PARTIAL if found.confidence < PARTIAL_BELOW else Status.ANSWERED
        next_questions = follow_ups(prepared.question, prepared.ask.history, found.hits, composition.sections)
        return Body(status, markdown, citations, next_questions)

    async def _stored(self, prepared: Prepared, answer: Answer) -> Answer:
        """Keep the answer; one that was made is given even where it cannot be kept, and says so."""
        cacheable = answer.mode is Mode.LLM and not answer.degraded and not answer.receipt.cached
        readings = prepared.stored.readings if prepared.stored else prepared.passages.readings()
        record = AnswerRecord(
            answer=answer,
            ask=prepared.ask,
            readings=readings,
            created_at=datetime.now(UTC),
            cache_key=prepared.cache_key if cacheable else None,
        )
        try:
            await self._answers.save(record)
        except StateProblem as problem:
            _log.error("answer_not_stored", answer=answer.id, detail=str(problem))
            return replace(answer, receipt=replace(answer.receipt, stored=False))
        return answer


def _sources(prepared: Prepared) -> tuple[Passage, ...]:
    return prepared.stored.answer.passages if prepared.stored else passages_of(prepared)


def _whole(markdown: str, answer: Answer, *, html: bool) -> Delta:
    """An answer that was not written piece by piece, as one piece."""
    return Delta(markdown, answer.citations, (LiveBlock(0, answer.answer_html),) if html else ())


def _refusal(prepared: Prepared) -> Body:
    hits = prepared.found.hits if prepared.found else ()
    nearest = {hit.chunk.section_id: hit.chunk for hit in reversed(hits[:3]) if not is_appendix(hit.chunk.heading)}
    return Body(Status.NOT_IN_KNOWLEDGE_BASE, not_covered(list(reversed(nearest.values()))))


def _reason(outcome: Outcome) -> str:
    """Why there is no draft, with a stable code in front."""
    match outcome:
        case Refused():
            code, said = "model_refused", "the model declined to answer"
        case CutByLength():
            code, said = "model_cut", "the model's answer was cut at its limit of tokens"
        case Filtered():
            code, said = "model_filtered", "the provider's content filter stopped the answer"
        case Malformed():
            code, said = "model_malformed", "the model's answer could not be read"
        case Failed():
            code, said = outcome.code, outcome.detail or "the model could not be used"
        case _:
            code, said = "model_problem", "the model could not be used"
    return f"{code}: {said}"
