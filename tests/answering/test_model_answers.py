"""Answers by a model over the plain chapters, and what is shown when it fails."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from decimal import Decimal

import pytest

from prompts.experiment import parse
from prompts.registry import Registry, load
from service.answering.events import Delta, Done, Sources
from service.answering.preparing import Limits
from service.answering.presenting import NO_MODEL
from service.answering.prompting import Prompting
from service.domain import (
    Answer,
    Answered,
    Ask,
    Bill,
    CodeCheck,
    CutByLength,
    Failed,
    Feedback,
    Filtered,
    Malformed,
    Mode,
    Outcome,
    PassageUse,
    Purpose,
    Refused,
    Status,
    Turn,
    Usage,
    Verdict,
)
from service.errors import BudgetSpent, StateProblem

from ..fakes.drafts import drafted
from ..fakes.scripted_model import BILL, MODEL, USAGE, ScriptedModel
from ..fakes.stores import MemoryAnswers
from ..small_index import source_lines
from .conftest import Parts

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUESTION = "How does keyset pagination with a cursor work?"
PAGINATION = "04_relational_databases_sql/pagination_strategies.md"
NOT_COVERED = drafted("", status="not_in_knowledge_base")
HISTORY = (Turn("user", QUESTION), Turn("assistant", "Remember the last row [1]."))


async def _asked(parts: Parts, model: ScriptedModel, question: str = QUESTION, history: Sequence[Turn] = ()) -> Answer:
    return await parts.answerer(model).ask(Ask(question, tuple(history)))


async def _quotable(parts: Parts) -> str:
    """A quote that stands in passage 1 of the prompt for `QUESTION`."""
    model = ScriptedModel(NOT_COVERED)
    await _asked(parts, model)
    text = model.prompts[0].split('<passage number="1"', 1)[1].split("</passage>", 1)[0]
    return next(line for line in text.split("\n")[1:] if len(line.split()) >= 6)


async def _good(parts: Parts, answer: str = "Remember the last row [1].") -> str:
    return drafted(answer, [(1, await _quotable(parts))])


async def test_a_models_answer_is_shown_with_its_receipt(parts: Parts) -> None:
    """Mode, model, prompt, usage and cost are those of the call, and the citation leads into the chapter's file."""
    quote = await _quotable(parts)
    model = ScriptedModel(drafted("Remember the last row [1].", [(1, quote)], "partial", ["And NULLs?"]))
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
    assert (receipt.model, receipt.usage, receipt.attempts) == (MODEL, USAGE, 1)
    assert Decimal(receipt.cost_usd or "") == Decimal("0.08")
    assert receipt.latency_ms.first_token is not None
    assert NO_MODEL not in answer.answer


async def test_the_model_reads_the_best_passages_with_their_source(parts: Parts) -> None:
    """Passages are numbered from 1, name chapter and heading, and the question stands below them."""
    model = ScriptedModel(NOT_COVERED)
    await _asked(parts, model)
    system, user = model.calls[0].messages
    assert (system.role, user.role) == ("system", "user")
    numbers = re.findall(r'<passage number="(\d+)" source="[^"]+ › [^"]+">', user.content)
    assert numbers[:2] == ["1", "2"]
    assert user.content.index("</passages>") < user.content.index(f"<question>\n{QUESTION}\n</question>")


async def test_passages_say_what_became_of_them(parts: Parts) -> None:
    """Cited, read, or ranked too low; with little room also over the budget."""
    answer = await parts.answerer(ScriptedModel(await _good(parts))).ask(Ask(QUESTION, limit=50))
    uses = [passage.use for passage in answer.passages]
    assert uses[0] is PassageUse.CITED
    assert {PassageUse.READ, PassageUse.RANKED_LOWER} <= set(uses)
    tight = parts.answerer(ScriptedModel(await _good(parts)), limits=Limits(context_tokens=500))
    assert PassageUse.OVER_BUDGET in {passage.use for passage in (await tight.ask(Ask(QUESTION, limit=50))).passages}


async def test_a_follow_up_is_rewritten_and_both_calls_are_on_the_receipt(parts: Parts) -> None:
    """The rewrite is the query, the model reads the history, and the answer costs what both calls cost."""
    rewritten = "Why is keyset pagination with a cursor faster?"
    model = ScriptedModel(f'{{"question": "{rewritten}"}}', await _good(parts))
    answer = await _asked(parts, model, "and why is it faster?", HISTORY)
    assert [call.purpose for call in model.calls] == [Purpose.REWRITE, Purpose.ANSWER]
    assert answer.receipt.retrieval_query == rewritten
    assert answer.question == "and why is it faster?"
    assert QUESTION in model.prompts[1]
    assert answer.receipt.attempts == 2
    assert answer.receipt.usage == USAGE + USAGE
    assert Decimal(answer.receipt.cost_usd or "") == Decimal("0.16")


async def test_an_answer_without_a_valid_citation_is_not_shown(parts: Parts) -> None:
    """The quotations are shown instead, marked as degraded, and what the call cost is still accounted."""
    model = ScriptedModel(drafted("Trust me [1].", [(1, "Nobody ever wrote this sentence in a chapter.")]))
    answer = await _asked(parts, model)
    assert (answer.mode, answer.degraded) == (Mode.EXTRACTIVE, True)
    assert "Trust me" not in answer.answer
    assert answer.answer.endswith(f"*{NO_MODEL}*")
    assert answer.citations[0].chapter == PAGINATION
    assert (answer.receipt.degraded_reason or "").startswith("uncited")
    assert answer.receipt.dropped_citations == 1
    assert (answer.receipt.usage, answer.receipt.cost_usd) == (USAGE, "0.08")


OUTCOMES: list[tuple[Outcome, str]] = [
    (Refused(model=MODEL, detail="I can't help with that", bill=BILL), "model_refused: "),
    (CutByLength(model=MODEL, text='{"answer": "Half', bill=BILL), "model_cut: "),
    (Filtered(model=MODEL, bill=BILL), "model_filtered: "),
    (Failed(model=MODEL, code="model_unreachable", detail="it cannot be reached"), "model_unreachable: it cannot be"),
    (Failed(model=MODEL, code="model_quota", detail="no credit is left", bill=BILL), "model_quota: no credit"),
]


@pytest.mark.parametrize(("outcome", "reason"), OUTCOMES)
async def test_a_model_that_fails_degrades_the_answer(parts: Parts, outcome: Outcome, reason: str) -> None:
    """The quotations are shown; the answer says so, and why, and what was spent is on the receipt."""
    answer = await _asked(parts, ScriptedModel(outcome))
    assert (answer.mode, answer.degraded, answer.status) == (Mode.EXTRACTIVE, True, Status.ANSWERED)
    assert (answer.receipt.degraded_reason or "").startswith(reason)
    assert answer.receipt.usage == outcome.bill.usage
    assert answer.citations
    assert "Half" not in answer.answer


MALFORMED = Malformed(model=MODEL, text='{"answer": "Half a', detail="EOF while parsing", bill=BILL)


async def test_a_malformed_answer_is_repaired_once(parts: Parts) -> None:
    """The model is shown its text and what is wrong with it; both calls are paid for and on the receipt."""
    model = ScriptedModel(MALFORMED, await _good(parts))
    answer = await _asked(parts, model)
    assert (answer.mode, answer.degraded) == (Mode.LLM, False)
    assert answer.answer == "Remember the last row [1]."
    repair = model.calls[1]
    assert (repair.purpose, repair.prompt) == (Purpose.REPAIR, "repair/v1")
    assert "EOF while parsing" in model.prompts[1]
    assert (answer.receipt.attempts, answer.receipt.usage) == (2, USAGE + USAGE)


@pytest.mark.parametrize("again", [MALFORMED, Failed(model=MODEL), BudgetSpent("nothing left", 60)])
async def test_a_repair_that_fails_degrades_the_answer(parts: Parts, again: Outcome | BudgetSpent) -> None:
    """There is one attempt; half an answer is never shown."""
    model = ScriptedModel(MALFORMED, again)
    answer = await _asked(parts, model)
    assert (answer.mode, answer.degraded) == (Mode.EXTRACTIVE, True)
    assert len(model.calls) == 2
    assert "Half a" not in answer.answer
    assert answer.receipt.usage.input_tokens >= USAGE.input_tokens


async def test_text_that_only_claims_to_fit_the_schema_is_repaired_too(parts: Parts) -> None:
    """The schema is checked here as well, whatever the adapter says."""
    model = ScriptedModel('{"answer": 7}', await _good(parts))
    assert (await _asked(parts, model)).mode is Mode.LLM


async def test_the_model_may_say_that_it_is_not_covered(parts: Parts) -> None:
    """Its verdict stands; no text or citation of its own comes with it."""
    reply = drafted("Maybe it is so [1].", [(1, "x" * 20)], status="not_in_knowledge_base")
    answer = await _asked(parts, ScriptedModel(reply))
    assert (answer.status, answer.mode, answer.degraded) == (Status.NOT_IN_KNOWLEDGE_BASE, Mode.LLM, False)
    assert "Maybe" not in answer.answer
    assert answer.answer.startswith("The knowledge base does not cover this.")
    assert answer.citations == ()
    assert answer.receipt.usage == USAGE


async def test_a_far_question_never_reaches_the_model(parts: Parts) -> None:
    """What retrieval finds nothing for is refused without paying for a call."""
    model = ScriptedModel(drafted("It was France."))
    answer = await _asked(parts, model, "Who won the football world cup in 1998?")
    assert answer.status is Status.NOT_IN_KNOWLEDGE_BASE
    assert model.calls == []
    assert (answer.receipt.attempts, answer.receipt.cost_usd, answer.receipt.model) == (0, "0", None)


async def test_html_that_a_model_writes_is_harmless(parts: Parts) -> None:
    """A model that was talked into writing a script shows its text at most."""
    quote = await _quotable(parts)
    model = ScriptedModel(drafted("<script>alert(1)</script> [x](javascript:alert(1)) [1]", [(1, quote)]))
    answer = await _asked(parts, model)
    assert answer.mode is Mode.LLM
    assert "<script" not in answer.answer_html
    assert "javascript" not in answer.answer_html


async def test_an_unknown_price_is_not_zero(parts: Parts) -> None:
    """The receipt says nothing rather than something wrong."""
    outcome = Answered(model=MODEL, text=await _good(parts), usage=USAGE, bill=Bill(USAGE, None, 1))
    answer = await _asked(parts, ScriptedModel(outcome))
    assert answer.receipt.cost_usd is None


async def test_code_of_a_model_is_checked(parts: Parts) -> None:
    """What parses and imports what exists passes, what does not is marked, other languages are not judged."""
    text = (
        "So [1].\n\n```python\nimport json\n```\n\n```python\ndef f(:\n```\n\n```sql\nSELECT 1\n```\n\n"
        "```python\nfrom json import nothing_like_it\n```"
    )
    answer = await _asked(parts, ScriptedModel(await _good(parts, text)))
    wanted = [CodeCheck.PASSED, CodeCheck.FAILED, CodeCheck.NOT_CHECKED, CodeCheck.FAILED]
    assert [block.code_check for block in answer.code] == wanted
    assert answer.answer_html.count('data-code-check="failed"') == 2
    assert "nothing_like_it" in answer.code[3].detail


# --- streaming


async def test_a_stream_gives_sources_then_text_then_the_answer(parts: Parts) -> None:
    """The pieces add up to the answer; the citation comes with the piece in which its number stands first."""
    answerer = parts.answerer(ScriptedModel(await _good(parts, "First this [1]. Then that [1]."), piece=3))
    prepared = await answerer.prepare(Ask(QUESTION))
    async with aclosing(answerer.stream(prepared)) as stream:
        events = [event async for event in stream]
    first, *deltas, done = events
    assert isinstance(first, Sources)
    assert isinstance(done, Done)
    assert first.id == done.answer.id == prepared.id
    assert first.passages[0].chapter == PAGINATION
    assert all(isinstance(delta, Delta) for delta in deltas)
    assert len(deltas) > 5
    assert "".join(delta.text for delta in deltas) == done.answer.answer
    (introduced,) = [delta for delta in deltas if delta.citations]
    assert "[1]" in introduced.text
    assert introduced.citations[0].chapter == PAGINATION
    assert not any('{"' in delta.text or re.search(r"\[\d?$", delta.text) for delta in deltas)


async def test_a_stream_can_bring_html(parts: Parts) -> None:
    """The blocks that a piece changes come with it, sanitised, and add up to the page."""
    answerer = parts.answerer(ScriptedModel(await _good(parts, "First <b>this</b> [1].\n\n- and\n- that")))
    async with aclosing(answerer.stream(await answerer.prepare(Ask(QUESTION)), html=True)) as stream:
        events = [event async for event in stream]
    blocks = {block.block: block.html for event in events if isinstance(event, Delta) for block in event.html}
    assert "".join(blocks.values()).strip() == events[-1].answer.answer_html.strip()


@pytest.mark.parametrize("question", [QUESTION, "Who won the football world cup in 1998?"])
async def test_what_no_model_writes_comes_in_one_piece(parts: Parts, question: str) -> None:
    """Quotations and refusals have the same events as everything else."""
    answerer = parts.answerer(None)
    async with aclosing(answerer.stream(await answerer.prepare(Ask(question)), html=True)) as stream:
        first, delta, done = [event async for event in stream]
    assert isinstance(first, Sources)
    assert delta.text == done.answer.answer
    assert delta.citations == done.answer.citations
    assert delta.html[0].html == done.answer.answer_html


async def test_closing_a_stream_closes_the_call(parts: Parts) -> None:
    """Whoever stops reading stops the model."""
    model = ScriptedModel(await _good(parts), piece=1)
    answerer = parts.answerer(model)
    async with aclosing(answerer.stream(await answerer.prepare(Ask(QUESTION)))) as stream:
        async for event in stream:
            if isinstance(event, Delta):
                break
    assert model.open_streams == 0


async def test_warming_up_asks_nobody(parts: Parts) -> None:
    """Everything is loaded before the first question, without a call, and also where the budget is spent."""
    model = ScriptedModel(NOT_COVERED, unaffordable=BudgetSpent("today's budget is spent", 60))
    await parts.answerer(model).warm_up()
    assert model.calls == []


async def test_what_cannot_be_paid_is_refused_before_the_first_event(parts: Parts) -> None:
    """The budget is an error of the request, not of half a stream."""
    model = ScriptedModel(NOT_COVERED, unaffordable=BudgetSpent("today's budget is spent", 60))
    with pytest.raises(BudgetSpent):
        await parts.answerer(model).prepare(Ask(QUESTION))
    assert model.calls == []


async def test_a_call_that_cannot_be_booked_is_not_made_up_for(parts: Parts) -> None:
    """Without a ledger no model is paid; the quotations say why they are shown."""
    answer = await _asked(parts, ScriptedModel(StateProblem("the ledger cannot be written")))
    assert (answer.mode, answer.degraded) == (Mode.EXTRACTIVE, True)
    assert answer.receipt.degraded_reason == "state_problem: the ledger cannot be written"


async def test_a_database_that_is_gone_costs_the_model_and_not_the_answer(parts: Parts) -> None:
    """Nothing can be looked up, afforded, rewritten or booked: the quotations come all the same, and say why."""
    answers, gone = MemoryAnswers(), StateProblem("the database is gone")
    answers.broken = True
    model = ScriptedModel(gone, unaffordable=gone)
    answerer = parts.answerer(model, answers)
    for ask in (Ask(QUESTION), Ask("and why is it faster?", HISTORY)):
        answer = await answerer.ask(ask)
        assert (answer.mode, answer.degraded, answer.receipt.stored) == (Mode.EXTRACTIVE, True, False)
        assert answer.receipt.degraded_reason == "state_problem: the database is gone"
        assert answer.citations


# --- stored answers


async def test_the_same_question_is_answered_once(parts: Parts) -> None:
    """The stored answer comes again under an id of its own, marked as cached, and costs nothing."""
    model = ScriptedModel(await _good(parts))
    answerer = parts.answerer(model)
    one = await answerer.ask(Ask(QUESTION))
    two = await answerer.ask(Ask(f"  {QUESTION}\n"))
    assert len(model.calls) == 1
    assert (one.receipt.cached, two.receipt.cached) == (False, True)
    assert one.id != two.id
    assert one.receipt.trace_id != two.receipt.trace_id
    assert (two.receipt.cost_usd, two.receipt.usage, two.receipt.attempts) == ("0", Usage(), 0)
    assert (one.answer, one.citations, one.passages) == (two.answer, two.citations, two.passages)


@pytest.mark.parametrize(
    "again",
    [
        Ask(QUESTION, fresh=True),
        Ask(QUESTION, HISTORY),
        Ask(QUESTION, prompt_version=1),
        Ask(QUESTION, limit=3),
        Ask(f"{QUESTION} Please."),
    ],
)
async def test_another_question_is_not_answered_from_the_store(parts: Parts, again: Ask) -> None:
    """With a history, another prompt, other passages or other words it is another question; and one may ask afresh."""
    model = ScriptedModel(await _good(parts))
    answerer = parts.answerer(model)
    await answerer.ask(Ask(QUESTION))
    assert not (await answerer.ask(again)).receipt.cached
    assert len(model.calls) >= 2


async def test_a_degraded_or_disliked_answer_is_not_given_again(parts: Parts) -> None:
    """What was not good enough the first time is made anew."""
    answers = MemoryAnswers()
    model = ScriptedModel(Failed(model=MODEL), await _good(parts))
    answerer = parts.answerer(model, answers)
    assert (await answerer.ask(Ask(QUESTION))).degraded
    good = await answerer.ask(Ask(QUESTION))
    assert (good.degraded, good.receipt.cached) == (False, False)
    await answers.rate(good.id, Feedback(Verdict.DOWN))
    assert not (await answerer.ask(Ask(QUESTION))).receipt.cached


async def test_the_store_can_be_turned_off(parts: Parts) -> None:
    """MASTERY_ANSWER_CACHE=false asks the model every time."""
    model = ScriptedModel(await _good(parts))
    answerer = parts.answerer(model, caching=False)
    await answerer.ask(Ask(QUESTION))
    assert not (await answerer.ask(Ask(QUESTION))).receipt.cached


async def test_every_answer_is_kept_with_what_was_read(parts: Parts) -> None:
    """The record has the question as it was asked and the passages word for word as the model was given them."""
    answers = MemoryAnswers()
    model = ScriptedModel(await _good(parts))
    asked = Ask(QUESTION, limit=2, caller="anna")
    answer = await parts.answerer(model, answers).ask(asked)
    record = await answers.get(answer.id)
    assert (record.answer, record.ask) == (answer, asked)
    assert [reading.number for reading in record.readings] == list(range(1, len(record.readings) + 1))
    assert record.readings[0].text in model.prompts[0]


async def test_an_answer_that_cannot_be_kept_is_given_and_says_so(parts: Parts) -> None:
    """A full disk does not take away what was already paid for."""
    answers = MemoryAnswers()
    answers.broken = True
    answer = await parts.answerer(ScriptedModel(await _good(parts)), answers).ask(Ask(QUESTION))
    assert (answer.mode, answer.receipt.stored) == (Mode.LLM, False)


# --- versions


async def test_the_version_is_chosen_by_request_experiment_setting(parts: Parts) -> None:
    """A request's own wish goes first, then the experiment, which is on the receipt, then the setting."""
    good, registry = await _good(parts), Registry()
    by_setting = Prompting(registry, version=1)
    answer = await parts.answerer(ScriptedModel(good), prompting=by_setting).ask(Ask(QUESTION))
    assert (answer.receipt.prompt, answer.receipt.experiment) == ("answer/v1", None)
    experiment = Prompting(registry, version=2, experiment=parse("answer:v1=1,v2=0", registry))
    answerer = parts.answerer(ScriptedModel(good), prompting=experiment)
    answer = await answerer.ask(Ask(QUESTION))
    assert (answer.receipt.prompt, answer.receipt.experiment) == ("answer/v1", "answer:v1=1,v2=0")
    answer = await answerer.ask(Ask(QUESTION, prompt_version=2))
    assert (answer.receipt.prompt, answer.receipt.experiment) == ("answer/v2", None)


async def test_an_experiment_sticks_to_the_conversation_or_the_caller(parts: Parts) -> None:
    """One conversation and one named caller always see the same version; nameless requests are spread."""
    prompting = Prompting(Registry(), experiment=parse("answer:v1=50,v2=50", Registry()))

    def versions(ask: Ask) -> set[str]:
        return {prompting.choose(replace(ask), f"request {number}").prompt.id for number in range(40)}

    assert len(versions(Ask(QUESTION, conversation="c1"))) == 1
    assert len(versions(Ask(QUESTION, caller="anna"))) == 1
    assert versions(Ask(QUESTION)) == {"answer/v1", "answer/v2"}
