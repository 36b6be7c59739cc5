"""A model writes the answer: its text is shown as it comes, its citations are checked when it is whole."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace

from pydantic import ValidationError

from service.answering.citations import citation
from service.answering.drafting import AnswerDraft, Draft, Numbering, Passages, check
from service.answering.events import Delta
from service.answering.guarding import repeats
from service.answering.live_draft import LiveDraft
from service.answering.live_html import LiveHtml
from service.answering.shown_text import ShownText
from service.domain import Answered, Bill, Citation, Failed, Malformed, Outcome, Purpose, TextDelta
from service.errors import MasteryError
from service.ports import ChatCall, ChatModel, Message

_LOOKED_BACK = 400
"""Characters in which a recited rule shows: more than the run of words that is looked for, and the piece itself."""

Repair = Callable[[str, str], tuple[str, tuple[Message, ...]]]
"""A malformed text and what is wrong with it -> the id of the prompt, and the messages, that ask for its correction."""


@dataclass(frozen=True, slots=True)
class Written:
    """How it ended: the checked draft, or none and the outcome that says why. `bill` adds up all calls."""

    draft: Draft | None
    outcome: Outcome
    bill: Bill


class Writer:
    """Lets one model write."""

    def __init__(self, model: ChatModel, repair: Repair) -> None:
        self._model = model
        self._repair = repair

    async def write(self, call: ChatCall, passages: Passages, *, html: bool) -> AsyncGenerator[Delta | Written]:
        """The text in pieces, then what became of it.

        A text that is not what the schema asks for is sent back once for its correction; of that, nothing is shown
        before it is whole. Closing the generator cancels the call.

        Raises:
            BudgetSpent, RequestTooCostly, StateProblem: nothing was sent.
        """
        rules = "\n".join(message.content for message in call.messages if message.role == "system")
        shown = _Shown(passages, rules, html=html)
        outcome: Outcome | None = None
        async with aclosing(self._model.stream(call)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Outcome):
                    outcome = piece
                elif delta := shown.feed(piece):
                    yield delta
        assert outcome is not None, "a chat model ends with an outcome"
        draft, outcome = _checked(outcome, passages, rules)
        if draft and (delta := shown.end()):
            yield delta
        bill = outcome.bill
        if isinstance(outcome, Malformed):
            draft, outcome = _checked(await self._repaired(call, outcome), passages, rules)
            bill += outcome.bill
        yield Written(draft, outcome, bill)

    async def _repaired(self, call: ChatCall, malformed: Malformed) -> Outcome:
        prompt, messages = self._repair(malformed.text, malformed.detail)
        again = replace(call, messages=messages, purpose=Purpose.REPAIR, prompt=prompt)
        try:
            async with aclosing(self._model.stream(again)) as pieces:
                return [piece async for piece in pieces if isinstance(piece, Outcome)][-1]
        except MasteryError as error:  # no money left for it, or it cannot be booked
            return replace(malformed, detail=f"{malformed.detail}; not repaired: {error}", bill=Bill())


class _Shown:
    """The pieces as they are shown, and the citations that they bring along; none once the rules are recited."""

    def __init__(self, passages: Passages, rules: str, *, html: bool) -> None:
        self._passages = passages
        self._rules = rules
        self._shown = ""
        self._draft = LiveDraft()
        self._numbering = Numbering(set(range(1, len(passages) + 1)))
        self._text = ShownText(self._numbering, passages.holds_link)
        self._html = LiveHtml() if html else None
        self._citations: list[Citation] = []

    def feed(self, piece: TextDelta) -> Delta | None:
        return self._delta(self._text.feed(self._draft.feed(piece.text)))

    def end(self) -> Delta | None:
        return self._delta(self._text.end())

    def _delta(self, text: str) -> Delta | None:
        self._shown += text
        if not text or repeats(self._shown[-_LOOKED_BACK:], self._rules):
            return None
        known = len(self._citations)
        for passage, number in list(self._numbering.shown.items())[known:]:
            self._citations.append(citation(number, self._passages.section(passage)[0], ""))
        blocks = self._html.feed(text, self._citations) if self._html else []
        return Delta(text, tuple(self._citations[known:]), tuple(blocks))


def _checked(outcome: Outcome, passages: Passages, rules: str) -> tuple[Draft | None, Outcome]:
    """The checked draft of an answer; what does not fit the schema after all becomes a malformed outcome.

    An answer that recites the prompt's rules was talked into it, and is not shown.
    """
    if not isinstance(outcome, Answered):
        return None, outcome
    try:
        draft = check(AnswerDraft.model_validate_json(outcome.text), passages)
    except ValidationError as error:
        detail = str(error.errors(include_url=False, include_input=False)[:3])
        malformed = Malformed(
            model=outcome.model, text=outcome.text, detail=detail, usage=outcome.usage, bill=outcome.bill
        )
        return None, malformed
    if repeats(draft.answer, rules):
        detail = "the model recited its instructions instead of answering"
        return None, Failed(model=outcome.model, code="model_recited", detail=detail, bill=outcome.bill)
    return draft, outcome
