"""Golden questions are asked through the service, and the figures are those of the answers."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from evals.golden import FOLDER, Item, Place, load
from evals.metrics import Figure
from evals.report import as_json, print_misses, print_table
from evals.runner import Outcome, by_prompt, measure, run
from service.domain import Answer, Citation, Latency, Mode, Receipt, Status, Usage
from service.wiring import Service

RECEIPT = Receipt(None, None, None, "g", "e", "q", Usage(), "0", Latency(1, 1, 2), 0, 0, "t")
PLACE = Place(chapter="a.md", anchor="x")


def _item(answerable: bool = True, **changes: Any) -> Item:
    expect = {"expect": (PLACE,), "facts": (("yes",),)} if answerable else {}
    return Item.model_validate({"id": "one", "question": "How is it?", "answerable": answerable, **expect, **changes})


def _outcome(
    item: Item, rank: int | None = None, cited: str = "", status: Status = Status.ANSWERED, coverage: float = 1.0
) -> Outcome:
    """An outcome whose citations lead to these anchors of a.md, one letter each."""
    citations = tuple(
        Citation(number, "a.md", "A", "H", anchor, f"/read/a#{anchor}", "quote", 1, 1)
        for number, anchor in enumerate(cited, 1)
    )
    answer = Answer(
        "id", item.question, status, "yes", "<p>yes</p>", citations, (), (), Mode.EXTRACTIVE, False, RECEIPT
    )
    return Outcome(item, answer, rank, cited.count("x"), coverage)


def _values(*outcomes: Outcome) -> dict[str, float]:
    return {name: round(figure.value, 4) for name, figure in measure(outcomes).items() if figure.n}


def test_the_figures_of_answered_questions() -> None:
    """Hits and MRR look at the passages, precision at the citations, coverage at the facts."""
    values = _values(
        _outcome(_item(), 1, "xy"),
        _outcome(_item(), 4, "y", coverage=0.5),
        _outcome(_item(), 20, "x"),
        _outcome(_item(), None, "", Status.NOT_IN_KNOWLEDGE_BASE, 0.0),
    )
    assert values["hit@1"] == 0.25
    assert values["hit@5"] == 0.5
    assert values["mrr@10"] == round((1 + 0.25) / 4, 4)
    assert values["citation precision"] == 0.5
    assert values["first citation right"] == round(2 / 3, 4)
    assert values["key-fact coverage"] == round((1 + 0.5 + 1) / 4, 4)
    assert values["refusal precision"] == 0
    assert "refusal recall" not in values


def test_the_figures_of_refusals() -> None:
    """Precision is over what was refused, recall over what should have been, near and far apart."""
    refused = Status.NOT_IN_KNOWLEDGE_BASE
    near, far = _item(False, distance="near"), _item(False, distance="far")
    values = _values(
        _outcome(near),
        _outcome(near, status=refused),
        _outcome(far, status=refused),
        _outcome(_item(), 1, "x", refused),
    )
    assert values["refusal precision"] == round(2 / 3, 4)
    assert values["refusal recall"] == round(2 / 3, 4)
    assert values["refusal recall, near"] == 0.5
    assert values["refusal recall, far"] == 1.0


@pytest.mark.asyncio(loop_scope="session")
async def test_questions_are_asked_through_the_service(plain_service: Service) -> None:
    """Each item is asked once, with its history, and its outcome says where the expected section ranked."""
    items = load(FOLDER / "plain.yaml")
    some = [item for item in items if item.answerable][:6] + [item for item in items if not item.answerable][:2]
    done: list[bool] = []
    outcomes = await run(plain_service.answerer, some, lambda: done.append(True))
    assert [outcome.item for outcome in outcomes] == some
    assert len(done) == len(some)
    assert sum(outcome.rank == 1 for outcome in outcomes if outcome.item.answerable) >= 4
    assert all(0 <= outcome.coverage <= 1 for outcome in outcomes)
    assert all(outcome.right_citations <= len(outcome.answer.citations) for outcome in outcomes)


@pytest.mark.asyncio(loop_scope="session")
async def test_the_history_is_asked_with_the_question(plain_service: Service) -> None:
    """A follow-up that names no subject is searched with the conversation before it."""
    history = ({"role": "user", "content": "How does keyset pagination with a cursor work?"},)
    item = _item(question="and why is it faster?", history=history)
    (outcome,) = await run(plain_service.answerer, [item], lambda: None)
    assert "keyset" in outcome.answer.receipt.retrieval_query


def test_the_json_of_the_figures_is_json() -> None:
    """Nothing measured becomes null: NaN is no JSON."""
    figures = {"some": {"hit@1": Figure(0.123456, 0.1, 0.9, 7), "none": Figure(math.nan, math.nan, math.nan, 0)}}
    text = json.dumps(as_json(figures), allow_nan=False)
    assert json.loads(text) == {
        "some": {
            "hit@1": {"value": 0.1235, "low": 0.1, "high": 0.9, "n": 7},
            "none": {"value": None, "low": None, "high": None, "n": 0},
        }
    }


def test_the_table_shows_every_figure(capsys: pytest.CaptureFixture[str]) -> None:
    """One row a figure and one column a set, with interval and n; a dash where nothing was measured."""
    one = Figure(0.5, 0.25, 0.75, 8)
    nothing = Figure(math.nan, math.nan, math.nan, 0)
    print_table({"first": {"hit@1": one, "hit@5": nothing}, "second": {"hit@1": nothing, "hit@5": one}})
    head, *rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert head == ["first", "second"]
    assert rows == [
        ["hit@1", "0.50", "[0.25,", "0.75]", "n=8", "-"],
        ["hit@5", "-", "0.50", "[0.25,", "0.75]", "n=8"],
    ]


def test_misses_say_what_went_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    """Refused, answered although not covered, or incomplete: one line each; what went well is not listed."""
    print_misses(
        [
            _outcome(_item(id="refused-1"), 1, "x", Status.NOT_IN_KNOWLEDGE_BASE),
            _outcome(_item(False, id="far-1", distance="far"), None, "y"),
            _outcome(_item(id="half-1"), 3, "xy", coverage=0.5),
            _outcome(_item(id="fine-1"), 1, "x"),
            _outcome(_item(False, id="fine-2", distance="near"), status=Status.NOT_IN_KNOWLEDGE_BASE),
        ]
    )
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        ["refused-1", "refused"],
        ["far-1", "answered although far"],
        ["half-1", "rank 3, 50% of the facts"],
    ]
    assert lines[2].endswith("-> a.md#x")


def test_figures_go_by_prompt_where_a_model_answered() -> None:
    """Two versions are two columns; what no model was asked for is in neither."""
    receipts = [replace(RECEIPT, prompt=prompt) for prompt in ("answer/v2", "answer/v1", "answer/v2", None)]
    outcomes = [_outcome(_item(), 1, "x") for _ in receipts]
    made = [
        replace(one, answer=replace(one.answer, receipt=receipt))
        for one, receipt in zip(outcomes, receipts, strict=True)
    ]
    assert {version: len(some) for version, some in by_prompt(made).items()} == {"answer/v1": 1, "answer/v2": 2}
