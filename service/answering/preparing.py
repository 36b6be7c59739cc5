"""Everything before the first word: a valid question, a stored answer, what the chapters hold, what it may cost.

It all happens before a response opens, so that what goes wrong is an error status and not half a stream.
"""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace

import structlog

from prompts.choice import Choice
from service.answering.drafting import Passages, budgeted
from service.answering.history import standalone
from service.answering.prompting import Prompting
from service.answering.retrieval import Found, Retriever
from service.answering.rewriting import Rewriter
from service.domain import NOTHING, AnswerRecord, Ask, Bill, Chunk, Generation, Purpose
from service.errors import BudgetSpent, InvalidQuestion, RequestTooCostly, StateProblem
from service.ports import AnswerStore, ChatCall, ChatModel, Message, Terms, VectorIndex

REFUSE_BELOW = 0.55

_log = structlog.get_logger()
_WIDENED = 6


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a question, what the model reads, what it writes and the whole request may take."""

    question_chars: int = 4000
    context_tokens: int = 3000
    output_tokens: int = 2000
    seconds: float = 90.0


@dataclass(frozen=True, slots=True)
class Prepared:
    """A question that is ready to be answered.

    `stored` is an answer that may be given again. `call` is None where no model is asked: there is none, or the
    chapters do not cover the question. `over_budget` are the sections that did not fit what the model may read.
    """

    id: str
    trace_id: str
    ask: Ask
    question: str
    query: str
    generation: Generation
    started: float
    retrieved: float
    choice: Choice
    found: Found | None = None
    sections: dict[str, list[Chunk]] = field(default_factory=dict)
    stored: AnswerRecord | None = None
    passages: Passages = field(default_factory=lambda: Passages(()))
    over_budget: frozenset[str] = frozenset()
    call: ChatCall | None = None
    cache_key: str | None = None
    bill: Bill = NOTHING

    @property
    def covered(self) -> bool:
        """Whether the chapters seem to answer it."""
        return self.found is not None and self.found.confidence >= REFUSE_BELOW


class Preparer:
    """Makes questions ready."""

    def __init__(
        self,
        index: VectorIndex,
        retriever: Retriever,
        terms: Terms,
        prompting: Prompting,
        model: ChatModel | None,
        answers: AnswerStore,
        limits: Limits,
        *,
        caching: bool,
    ) -> None:
        self._index = index
        self._retriever = retriever
        self._terms = terms
        self._prompting = prompting
        self._model = model
        self._answers = answers
        self._limits = limits
        self._caching = caching
        self._rewriter = Rewriter(model, prompting.rewrite, terms) if model else None

    async def warm_up(self) -> None:
        """Let the chat model load its table of tokens, by asking what a call would cost; nothing is sent or booked."""
        assert self._model is not None
        call = ChatCall(
            messages=(Message("user", "ready"),),
            schema=self._prompting.schema,
            purpose=Purpose.ANSWER,
            prompt=None,
            caller="warm-up",
            trace_id=uuid.uuid4().hex,
            deadline=time.monotonic() + self._limits.seconds,
            max_output_tokens=1,
        )
        with suppress(BudgetSpent, RequestTooCostly, StateProblem):
            await self._model.afford(call)

    async def prepare(self, ask: Ask) -> Prepared:
        """Make a question ready.

        Raises:
            InvalidQuestion, UnknownFilter, UnknownPrompt, IndexProblem, EmbeddingFailed, BudgetSpent,
            RequestTooCostly
        """
        started = time.perf_counter()
        id_, trace_id = str(uuid.uuid4()), uuid.uuid4().hex
        deadline = time.monotonic() + self._limits.seconds
        question = self.valid(ask.question)
        choice = self._prompting.choose(ask, id_)
        generation = await self._index.generation()
        key = self._cache_key(ask, question, generation, choice)
        if key and not ask.fresh and (stored := await self._cached(key)):
            found_at = time.perf_counter()
            query = stored.answer.receipt.retrieval_query
            return Prepared(
                id_, trace_id, ask, question, query, generation, started, found_at, choice, stored=stored, cache_key=key
            )
        query, bill = await self._query(ask, question, trace_id, deadline)
        found = await self._retriever.find(query, ask.where)
        sections = await self._sections(found) if found.confidence >= REFUSE_BELOW else {}
        retrieved = time.perf_counter()
        prepared = Prepared(
            id_, trace_id, ask, question, query, generation, started, retrieved, choice, found, sections, None,
            cache_key=key, bill=bill,
        )  # fmt: skip
        return await self._with_call(prepared, deadline) if self._model and prepared.covered else prepared

    def valid(self, question: str) -> str:
        """The question as it is searched.

        Raises:
            InvalidQuestion: it is empty, a single character or too long.
        """
        question = question.encode("utf-8", "replace").decode().strip()  # a terminal may hand on half a character
        if len(question) < 2:
            raise InvalidQuestion("the question is empty or a single character; ask it in words")
        if len(question) > self._limits.question_chars:
            raise InvalidQuestion(
                f"the question has {len(question):,} characters, over the limit of {self._limits.question_chars:,}; "
                "shorten it"
            )
        return question

    async def _cached(self, key: str) -> AnswerRecord | None:
        """A stored answer; a database that cannot be read has none."""
        try:
            return await self._answers.cached(key)
        except StateProblem as problem:
            _log.error("stored_answers_not_read", detail=str(problem))
            return None

    def _cache_key(self, ask: Ask, question: str, generation: Generation, choice: Choice) -> str | None:
        """What an answer depends on; None where it depends on more, or costs nothing anyway."""
        if self._model is None or not self._caching or ask.history:
            return None
        parts = [
            " ".join(question.split()), asdict(ask.where), ask.limit, generation.id, choice.prompt.hash,
            self._model.name, self._limits.context_tokens, self._limits.output_tokens,
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()

    async def _query(self, ask: Ask, question: str, trace_id: str, deadline: float) -> tuple[str, Bill]:
        """The standalone question; a model is asked only where the question leans on what was said."""
        statistics = await self._index.statistics()
        if self._rewriter is None or not ask.history:
            return standalone(question, ask.history, self._terms, statistics), NOTHING
        try:
            rewritten = await self._rewriter.rewrite(
                question, ask.history, statistics, caller=ask.caller, trace_id=trace_id, deadline=deadline
            )
        except StateProblem:  # what cannot be booked is not asked; the answer itself will say so
            return standalone(question, ask.history, self._terms, statistics), NOTHING
        return rewritten.query, rewritten.bill

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

    async def _with_call(self, prepared: Prepared, deadline: float) -> Prepared:
        assert self._model is not None
        assert prepared.found is not None
        hits = [hit.chunk for hit in prepared.found.hits]
        chosen, over = budgeted(hits, prepared.sections, self._limits.context_tokens)
        passages = Passages(chosen)
        prompt = prepared.choice.prompt
        call = ChatCall(
            messages=self._prompting.answer(prompt, prepared.question, prepared.ask.history, passages.readings()),
            schema=self._prompting.schema,
            purpose=Purpose.ANSWER,
            prompt=prompt.id,
            caller=prepared.ask.caller,
            trace_id=prepared.trace_id,
            deadline=deadline,
            max_output_tokens=self._limits.output_tokens,
        )
        with suppress(StateProblem):  # the call itself will meet it, and is then answered without a model
            await self._model.afford(call)
        return replace(prepared, passages=passages, over_budget=frozenset(over), call=call)
