"""Answers by a model over the plain chapters, and what is shown when it fails."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

import pytest

from prompts.registry import load
from service.answering.answerer import Ask
from service.answering.presenting import NO_MODEL
from service.domain import Answer, Mode, Status, Turn
from service.errors import ModelMalformed, ModelProblem, ModelRejected, ModelUnreachable

from ..fakes.chat_model import USAGE, FakeChatModel, drafted
from ..small_index import source_lines
from .conftest import Parts

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUESTION = "How does keyset pagination with a cursor work?"
PAGINATION = "04_relational_databases_sql/pagination_strategies.md"


async def _asked(parts: Parts, model: FakeChatModel, question: str = QUESTION, history: Sequence[Turn] = ()) -> Answer:
    return await parts.answerer(model).ask(Ask(question, history))


async def _quotable(parts: Parts) -> str:
    """A quote that stands in passage 1 of the prompt for `QUESTION`."""
    model = FakeChatModel(drafted("", status="not_in_knowledge_base"))
    await _asked(parts, model)
    text = model.prompts[0].split('<passage number="1"', 1)[1].split("</passage>", 1)[0]
    return next(line for line in text.split("\n")[1:] if len(line.split()) >= 6)


async def test_a_models_answer_is_shown_with_its_receipt(parts: Parts) -> None:
    """Mode, model, prompt, usage and cost are those of the call, and the citation leads into the chapter's file."""
    quote = await _quotable(parts)
    model = FakeChatModel(drafted("Remember the last row [1].", [(1, quote)], "partial", ["And NULLs?"]))
    answer = await _asked(parts, model)
    assert (answer.status, answer.mode, answer.degraded) == (Status.PARTIAL, Mode.LLM, False)
    assert answer.answer == "Remember the last row [1]."
    assert 'data-citation="1"' in answer.answer_html
    assert answer.follow_ups == ("And NULLs?",)
    (cited,) = answer.citations
    assert cited.chapter == PAGINATION
    assert quote.strip() in "\n".join(source_lines(cited.chapter)[cited.start_line - 1 : cited.end_line])
    receipt = answer.receipt
    prompt = load("answer")
    assert (receipt.prompt, receipt.prompt_hash) == (prompt.id, prompt.hash)
    assert (receipt.model, receipt.usage, receipt.attempts) == ("fake-model-2026-11-01", USAGE, 1)
    assert Decimal(receipt.cost_usd or "") == Decimal("0.08")
    assert NO_MODEL not in answer.answer


async def test_the_model_reads_the_best_passages_with_their_source(parts: Parts) -> None:
    """Passages are numbered from 1, name chapter and heading, and the question stands below them."""
    model = FakeChatModel(drafted("", status="not_in_knowledge_base"))
    await _asked(parts, model)
    numbers = re.findall(r'<passage number="(\d+)" source="[^"]+ › [^"]+">', model.prompts[0])
    assert numbers[:2] == ["1", "2"]
    assert model.prompts[0].rstrip().endswith(f"<question>\n{QUESTION}\n</question>")


async def test_a_follow_up_reaches_the_model_with_what_it_follows(parts: Parts) -> None:
    """The model sees the earlier question, and which line is the one to answer."""
    model = FakeChatModel(drafted("", status="not_in_knowledge_base"))
    await _asked(parts, model, "and why is it faster?", [Turn("user", QUESTION)])
    assert f"{QUESTION}\nand why is it faster?" in model.prompts[0]


async def test_an_answer_without_a_valid_citation_is_not_shown(parts: Parts) -> None:
    """The quotations are shown instead, marked as degraded, and what the call cost is still accounted."""
    model = FakeChatModel(drafted("Trust me [1].", [(1, "Nobody ever wrote this sentence in a chapter.")]))
    answer = await _asked(parts, model)
    assert (answer.mode, answer.degraded) == (Mode.EXTRACTIVE, True)
    assert "Trust me" not in answer.answer
    assert answer.answer.endswith(f"*{NO_MODEL}*")
    assert answer.citations[0].chapter == PAGINATION
    assert (answer.receipt.degraded_reason or "").startswith("uncited")
    assert answer.receipt.dropped_citations == 1
    assert (answer.receipt.usage, answer.receipt.cost_usd) == (USAGE, "0.08")


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (ModelUnreachable("the chat model cannot be reached"), "model_unreachable: the chat model cannot be reached"),
        (ModelRejected("the chat model refused the call"), "model_rejected: the chat model refused the call"),
        (ModelMalformed("the chat model returned no choice"), "model_malformed: the chat model returned no choice"),
    ],
)
async def test_a_model_that_fails_degrades_the_answer(parts: Parts, problem: ModelProblem, reason: str) -> None:
    """Without the model the quotations are shown; the answer says so, and why."""
    answer = await _asked(parts, FakeChatModel(problem))
    assert (answer.mode, answer.degraded, answer.status) == (Mode.EXTRACTIVE, True, Status.ANSWERED)
    assert answer.receipt.degraded_reason == reason
    assert answer.citations


async def test_malformed_json_degrades_the_answer(parts: Parts) -> None:
    """Half a reply is never shown."""
    answer = await _asked(parts, FakeChatModel('{"answer": "Half a'))
    assert (answer.mode, answer.degraded) == (Mode.EXTRACTIVE, True)
    assert "Half a" not in answer.answer
    assert (answer.receipt.degraded_reason or "").startswith("model_malformed")


async def test_the_model_may_say_that_it_is_not_covered(parts: Parts) -> None:
    """Its verdict stands; no text or citation of its own comes with it."""
    reply = drafted("Maybe it is so [1].", [(1, "x" * 20)], status="not_in_knowledge_base")
    answer = await _asked(parts, FakeChatModel(reply))
    assert (answer.status, answer.mode, answer.degraded) == (Status.NOT_IN_KNOWLEDGE_BASE, Mode.LLM, False)
    assert "Maybe" not in answer.answer
    assert answer.answer.startswith("The knowledge base does not cover this.")
    assert answer.citations == ()
    assert answer.receipt.usage == USAGE


async def test_a_far_question_never_reaches_the_model(parts: Parts) -> None:
    """What retrieval finds nothing for is refused without paying for a call."""
    model = FakeChatModel(drafted("It was France."))
    answer = await _asked(parts, model, "Who won the football world cup in 1998?")
    assert answer.status is Status.NOT_IN_KNOWLEDGE_BASE
    assert model.prompts == []
    assert answer.receipt.attempts == 0
    assert answer.receipt.cost_usd == "0"


async def test_html_that_a_model_writes_is_harmless(parts: Parts) -> None:
    """A model that was talked into writing a script shows its text at most."""
    quote = await _quotable(parts)
    model = FakeChatModel(drafted("<script>alert(1)</script> [x](javascript:alert(1)) [1]", [(1, quote)]))
    answer = await _asked(parts, model)
    assert answer.mode is Mode.LLM
    assert "<script" not in answer.answer_html
    assert 'href="javascript' not in answer.answer_html
