"""An answer again: the same words of the same passages, the same version of the prompt, and what comes out now."""

from __future__ import annotations

import difflib
import time
import uuid
from contextlib import aclosing
from dataclasses import dataclass

from service.answering.drafting import reread
from service.answering.prompting import Prompting
from service.answering.writing import Writer, Written
from service.domain import AnswerRecord, Bill, Citation, Purpose
from service.errors import CannotReplay
from service.ports import ChatCall, ChatModel


@dataclass(frozen=True, slots=True)
class Replay:
    """What came out now, beside the record; `problem` says why there is no answer to compare."""

    record: AnswerRecord
    model: str
    answer: str
    citations: tuple[Citation, ...]
    bill: Bill
    problem: str | None = None

    def diff(self) -> list[str]:
        """The lines of a unified diff of both answers; empty where they are the same."""
        before, after = self.record.answer.answer.splitlines(), self.answer.splitlines()
        return list(difflib.unified_diff(before, after, "then", "now", lineterm=""))

    def citation_changes(self) -> tuple[list[str], list[str]]:
        """The places that were cited then only, and those that are cited now only."""
        then = {_place(citation) for citation in self.record.answer.citations}
        now = {_place(citation) for citation in self.citations}
        return sorted(then - now), sorted(now - then)


class Replayer:
    """Repeats answers that a model wrote."""

    def __init__(self, model: ChatModel, prompting: Prompting, *, seconds: float, output_tokens: int) -> None:
        self._model = model
        self._prompting = prompting
        self._seconds = seconds
        self._output_tokens = output_tokens

    async def replay(self, record: AnswerRecord) -> Replay:
        """Ask the model once more.

        Raises:
            CannotReplay: no model read anything for it, or its prompt is not the same any more.
            BudgetSpent, RequestTooCostly, StateProblem
        """
        receipt = record.answer.receipt
        if not record.readings or receipt.prompt is None:
            raise CannotReplay(f"answer {record.answer.id} was made without a model; `mastery ask` makes it anew")
        prompt = self._prompting.version(receipt.prompt)
        if prompt.hash != receipt.prompt_hash:
            raise CannotReplay(
                f"{receipt.prompt} was changed since: its hash is {prompt.hash}, not {receipt.prompt_hash}"
            )
        call = ChatCall(
            messages=self._prompting.answer(prompt, record.ask.question, record.ask.history, record.readings),
            schema=self._prompting.schema,
            purpose=Purpose.REPLAY,
            prompt=prompt.id,
            caller=record.ask.caller,
            trace_id=uuid.uuid4().hex,
            deadline=time.monotonic() + self._seconds,
            max_output_tokens=self._output_tokens,
        )
        writer = Writer(self._model, self._prompting.repair)
        async with aclosing(writer.write(call, reread(record.readings), html=False)) as pieces:
            written = [piece async for piece in pieces if isinstance(piece, Written)][-1]
        draft, outcome = written.draft, written.outcome
        if draft is None:
            problem = outcome.detail or type(outcome).__name__
            return Replay(record, outcome.model, "", (), written.bill, problem)
        return Replay(record, outcome.model, draft.answer, draft.citations, written.bill)


def _place(citation: Citation) -> str:
    return f"{citation.chapter}#{citation.anchor}"
