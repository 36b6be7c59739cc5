"""Question -> answer: rewrite, retrieve, decide whether it is covered, answer, cite, account.

One `Answer` whatever happens: by a model, by quotation, or by saying that the chapters do not cover it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from prompts.registry import Prompt, PromptError, load
from service.answering.drafting import Draft, budgeted, draft
from service.answering.extractive import compose
from service.answering.history import standalone
from service.answering.presenting import not_covered, present
from service.answering.ranking import is_appendix
from service.answering.rendering import to_html
from service.answering.retrieval import Found, Retriever, passage_of
from service.domain import (
    Answer,
    Chunk,
    Citation,
    Latency,
    Mode,
    Passage,
    Receipt,
    SearchFilter,
    Status,
    Turn,
    Usage,
)
from service.errors import InvalidQuestion, ModelProblem, UnknownPrompt
from service.ports import ChatModel, Embedder, Terms, VectorIndex

EVERYWHERE = SearchFilter()
REFUSE_BELOW = 0.55
PARTIAL_BELOW = 0.73
_WIDENED = 6


@dataclass(frozen=True, slots=True)
class Ask:
    """A question as a client poses it. `limit` is how many passages are returned with the answer."""

    question: str
    history: Sequence[Turn] = ()
    where: SearchFilter = EVERYWHERE
    prompt_version: int | None = None
    limit: int = 8


@dataclass(frozen=True, slots=True)
class _Body:
    """What an answerer made, before it becomes an `Answer`."""

    status: Status
    markdown: str
    citations: Sequence[Citation] = ()
    follow_ups: Sequence[str] = ()
    mode: Mode = Mode.EXTRACTIVE
    drafted: Draft | None = None
    degraded_reason: str | None = None


class Answerer:
    """Answers questions from the index that is being served."""

    def __init__(
        self,
        index: VectorIndex,
        embedder: Embedder,
        terms: Terms,
        model: ChatModel | None,
        *,
        context_tokens: int,
        max_question_chars: int,
    ) -> None:
        self._index = index
        self._embedder = embedder
        self._terms = terms
        self._model = model
        self._context_tokens = context_tokens
        self._max_question_chars = max_question_chars
        self._retriever = Retriever(index, embedder, terms)

    async def warm_up(self) -> None:
        """Load the embedding model before the first question needs it."""
        await self._embedder.embed_query("ready")

    async def search(self, query: str, where: SearchFilter, limit: int) -> list[Passage]:
        """The passages that match a query, best first.

        Raises:
            InvalidQuestion, UnknownFilter, IndexProblem, EmbeddingFailed
        """
        found = await self._retriever.find(self._valid(query), where)
        return [passage_of(hit.chunk, hit.score) for hit in found.hits[:limit]]

    async def ask(self, ask: Ask) -> Answer:
        """Answer a question.

        Raises:
            InvalidQuestion, UnknownFilter, UnknownPrompt, IndexProblem, EmbeddingFailed. A failing chat model is no
            error but an extractive answer with `degraded` set.
        """
        started = time.perf_counter()
        question = self._valid(ask.question)
        if ask.prompt_version is not None:
            _prompt(ask)  # an unknown version is refused also where no model would use it
        query = standalone(question, ask.history, self._terms, await self._index.statistics())
        found = await self._retriever.find(query, ask.where)
        retrieved = time.perf_counter()
        body = await self._body(ask, question, found)
        answered = time.perf_counter()
        latency = Latency(
            retrieve=_milliseconds(started, retrieved),
            generate=_milliseconds(retrieved, answered),
            total=_milliseconds(started, answered),
        )
        return await self._answer(ask, found, body, latency)

    def _valid(self, question: str) -> str:
        question = question.encode("utf-8", "replace").decode().strip()  # a terminal may hand on half a character
        if len(question) < 2:
            raise InvalidQuestion("the question is empty or a single character; ask it in words")
        if len(question) > self._max_question_chars:
            raise InvalidQuestion(
                f"the question has {len(question):,} characters, over the limit of {self._max_question_chars:,}; "
                "shorten it"
            )
        return question

    async def _body(self, ask: Ask, question: str, found: Found) -> _Body:
        if found.confidence < REFUSE_BELOW:
            nearest = {
                hit.chunk.section_id: hit.chunk
                for hit in reversed(found.hits[:3])
                if not is_appendix(hit.chunk.heading)
            }
            return _Body(Status.NOT_IN_KNOWLEDGE_BASE, not_covered(list(reversed(nearest.values()))))
        sections = await self._sections(found)
        if self._model is None:
            return self._extractive(found, sections)
        try:
            return await self._drafted(self._model, ask, question, found, sections)
        except ModelProblem as problem:
            return replace(self._extractive(found, sections), degraded_reason=f"{problem.code}: {problem}")

    async def _sections(self, found: Found) -> dict[str, list[Chunk]]:
        """The whole sections around the best hits."""
        sections: dict[str, list[Chunk]] = {}
        for hit in found.hits:
            if len(sections) == _WIDENED:
                break
            if hit.chunk.section_id not in sections:
                whole = await self._index.section(hit.chunk.chapter, hit.chunk.section_id)
                sections[hit.chunk.section_id] = whole or [hit.chunk]  # gone if the generation switched just now
        return sections

    def _extractive(self, found: Found, sections: dict[str, list[Chunk]]) -> _Body:
        composition = compose(found, sections, self._terms)
        markdown, citations = present(composition)
        if not citations:
            return _Body(Status.NOT_IN_KNOWLEDGE_BASE, not_covered([hit.chunk for hit in found.hits[:3]]))
        status = Status.PARTIAL if found.confidence < PARTIAL_BELOW else Status.ANSWERED
        follow_ups = _own_questions(found, composition.excerpts[0].chunk)
        return _Body(status, markdown, citations, follow_ups)

    async def _drafted(
        self, model: ChatModel, ask: Ask, question: str, found: Found, sections: dict[str, list[Chunk]]
    ) -> _Body:
        prompt = _prompt(ask)
        passages = budgeted([hit.chunk for hit in found.hits], sections, self._context_tokens)
        asked = question if question == found.query else f"{found.query}\n(The question is: {question})"
        drafted = await draft(model, prompt, asked, passages)
        if drafted.status is Status.NOT_IN_KNOWLEDGE_BASE:
            nearest = [hit.chunk for hit in found.hits[:3]]
            return _Body(drafted.status, not_covered(nearest), mode=Mode.LLM, drafted=drafted)
        if not drafted.citations:
            reason = f"uncited: none of the model's {drafted.dropped} citations holds"
            return replace(self._extractive(found, sections), drafted=drafted, degraded_reason=reason)
        return _Body(drafted.status, drafted.answer, drafted.citations, drafted.follow_ups, Mode.LLM, drafted)

    async def _answer(self, ask: Ask, found: Found, body: _Body, latency: Latency) -> Answer:
        generation = await self._index.generation()
        drafted = body.drafted
        prompt = _prompt(ask) if self._model else None
        cost = self._model.cost(drafted.usage) if self._model and drafted else None
        receipt = Receipt(
            prompt=prompt.id if prompt else None,
            prompt_hash=prompt.hash if prompt else None,
            model=drafted.model if drafted else None,
            index_generation=generation.id,
            embedding_model=self._embedder.name,
            retrieval_query=found.query,
            usage=drafted.usage if drafted else Usage(),
            cost_usd=str(cost) if cost is not None else (None if drafted else "0"),
            latency_ms=latency,
            attempts=1 if self._model and found.confidence >= REFUSE_BELOW else 0,
            dropped_citations=drafted.dropped if drafted else 0,
            trace_id=uuid.uuid4().hex,
            degraded_reason=body.degraded_reason,
        )
        return Answer(
            id=str(uuid.uuid4()),
            question=ask.question.strip(),
            status=body.status,
            answer=body.markdown,
            answer_html=to_html(body.markdown, body.citations),
            citations=tuple(body.citations),
            passages=tuple(passage_of(hit.chunk, hit.score) for hit in found.hits[: ask.limit]),
            follow_ups=tuple(body.follow_ups),
            mode=body.mode,
            degraded=body.degraded_reason is not None,
            receipt=receipt,
        )


def _prompt(ask: Ask) -> Prompt:
    """The answer prompt in the version that was asked for."""
    try:
        return load("answer", ask.prompt_version)
    except PromptError as error:
        raise UnknownPrompt(str(error)) from error


def _own_questions(found: Found, main: Chunk) -> list[str]:
    """Follow-ups: the chapters' own questions about the passages that were found."""
    questions: dict[str, None] = {}
    for hit in found.hits[:12]:
        if hit.chunk.id != main.id or len(hit.chunk.questions) > 1:
            for question in hit.chunk.questions:
                questions.setdefault(question)
    return [question for question in questions if question.casefold() != found.query.casefold()][:3]


def _milliseconds(start: float, stop: float) -> float:
    return round((stop - start) * 1000, 2)
