"""Follow-up + conversation -> a question that can be searched on its own, with a model where the question needs it.

A question that stands alone costs nothing. A rewrite that is empty, too long or about something else is dropped, and
the question is then searched as it is without a model (see `history`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, ValidationError

from prompts.prompt import Prompt
from service.answering.delimiting import conversation, delimited
from service.answering.history import standalone
from service.answering.outcomes import outcome_of
from service.domain import NOTHING, Answered, Bill, Outcome, Purpose, TermStatistics, Turn
from service.ports import ChatCall, ChatModel, Message, Terms

_LONGEST = 400
_LONGEST_WORDS = 60
_OUTPUT_TOKENS = 200


class StandaloneQuestion(BaseModel):
    """What the model is asked to return."""

    model_config = ConfigDict(extra="forbid")

    question: str


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A query, what it cost, and the id of the prompt where a model was asked.

    `dropped` says why the model's words were not taken; None where they were, or where no model was asked.
    """

    query: str
    bill: Bill = NOTHING
    prompt: str | None = None
    dropped: str | None = None


class Rewriter:
    """Makes queries out of follow-ups."""

    def __init__(self, model: ChatModel, prompt: Prompt, terms: Terms) -> None:
        self._model = model
        self._prompt = prompt
        self._terms = terms

    async def rewrite(
        self,
        question: str,
        history: Sequence[Turn],
        statistics: TermStatistics,
        *,
        caller: str,
        trace_id: str,
        deadline: float,
    ) -> Rewritten:
        """The query to search with; `deadline` is a moment of `time.monotonic()`.

        Raises:
            BudgetSpent, RequestTooCostly, StateProblem: nothing was sent. A model that fails is no error.
        """
        simple = standalone(question, history, self._terms, statistics)
        if simple == question:
            return Rewritten(question)
        filled = self._prompt.fill({"history": conversation(history), "question": delimited(question)})
        call = ChatCall(
            messages=tuple(Message(role, content) for role, content in filled),
            schema=StandaloneQuestion,
            purpose=Purpose.REWRITE,
            prompt=self._prompt.id,
            caller=caller,
            trace_id=trace_id,
            deadline=deadline,
            max_output_tokens=self._prompt.hints.max_output_tokens or _OUTPUT_TOKENS,
        )
        outcome = await outcome_of(self._model, call)
        written, problem = self._judged(outcome, question, history)
        bill = outcome.bill if outcome else NOTHING
        return Rewritten(written or simple, bill, self._prompt.id, problem)

    def _judged(self, outcome: Outcome | None, question: str, history: Sequence[Turn]) -> tuple[str, str | None]:
        """The model's query, or nothing and why it is not taken."""
        if not isinstance(outcome, Answered):
            return "", f"{type(outcome).__name__}: {outcome.detail}" if outcome else "no outcome came"
        try:
            query = " ".join(StandaloneQuestion.model_validate_json(outcome.text).question.split())
        except ValidationError as error:
            return "", f"malformed: {error.errors()[0]['msg']}"
        if len(query) < 2:
            return "", "empty"
        if len(query) > _LONGEST or len(query.split()) > _LONGEST_WORDS:
            return "", f"too long: {len(query)} characters"
        said = "\n".join([question, *(turn.content for turn in history)])
        if not self._terms.terms(query) & self._terms.terms(said):
            return "", f"drifted: {query!r} shares no word with the conversation"
        return query, None
