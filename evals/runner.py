"""Asks the golden questions through the service itself and measures what comes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evals.golden import Item
from evals.metrics import Figure, fact_coverage, mean, proportion, rank_of_first, reciprocal_rank
from service.answering.answerer import Answerer
from service.domain import Answer, Ask, Status, Turn


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question and what became of it. `rank` is that of the first expected section among the passages."""

    item: Item
    answer: Answer
    rank: int | None
    right_citations: int
    coverage: float

    @property
    def refused(self) -> bool:
        """Whether it was said not to be in the knowledge base."""
        return self.answer.status is Status.NOT_IN_KNOWLEDGE_BASE


async def run(
    answerer: Answerer, items: Sequence[Item], advance: Callable[[], object], prompt: int | None = None
) -> list[Outcome]:
    """Ask every question afresh, one after the other; `prompt` is the version of the answer prompt to ask with."""
    outcomes = []
    for item in items:
        history = tuple(Turn(turn.role, turn.content) for turn in item.history)
        asked = Ask(item.question, history, prompt_version=prompt, limit=50, caller="eval", fresh=True)
        answer = await answerer.ask(asked)
        outcomes.append(_outcome(item, answer))
        advance()
    return outcomes


def _outcome(item: Item, answer: Answer) -> Outcome:
    expected = {(place.chapter, place.anchor) for place in item.expect}
    found = [(passage.chapter, passage.anchor) for passage in answer.passages]
    right = sum((cited.chapter, cited.anchor) in expected for cited in answer.citations)
    return Outcome(item, answer, rank_of_first(found, set(expected)), right, fact_coverage(answer.answer, item.facts))


def by_prompt(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    """The outcomes that a model wrote or should have written, by the version of the prompt; none without a model."""
    versions: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.answer.receipt.prompt:
            versions.setdefault(outcome.answer.receipt.prompt, []).append(outcome)
    return dict(sorted(versions.items()))


def measure(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """The figures of a set of outcomes, by name."""
    answerable = [outcome for outcome in outcomes if outcome.item.answerable]
    refused = [outcome for outcome in outcomes if outcome.refused]
    unanswerable = [outcome for outcome in outcomes if not outcome.item.answerable]
    answered = [outcome for outcome in answerable if not outcome.refused]
    citations = sum(len(outcome.answer.citations) for outcome in answered)
    firsts = [outcome for outcome in answered if outcome.answer.citations]
    return {
        "hit@1": proportion(sum(outcome.rank == 1 for outcome in answerable), len(answerable)),
        "hit@5": proportion(sum((outcome.rank or 99) <= 5 for outcome in answerable), len(answerable)),
        "mrr@10": mean([reciprocal_rank(outcome.rank) for outcome in answerable]),
        "citation precision": proportion(sum(outcome.right_citations for outcome in answered), citations),
        "first citation right": proportion(sum(_first_is_right(outcome) for outcome in firsts), len(firsts)),
        "key-fact coverage": mean([outcome.coverage for outcome in answerable]),
        "refusal precision": proportion(sum(not outcome.item.answerable for outcome in refused), len(refused)),
        "refusal recall": proportion(sum(outcome.refused for outcome in unanswerable), len(unanswerable)),
        "refusal recall, near": _recall(unanswerable, "near"),
        "refusal recall, far": _recall(unanswerable, "far"),
    }


def _recall(unanswerable: Sequence[Outcome], distance: str) -> Figure:
    some = [outcome for outcome in unanswerable if outcome.item.distance == distance]
    return proportion(sum(outcome.refused for outcome in some), len(some))


def _first_is_right(outcome: Outcome) -> bool:
    first = outcome.answer.citations[0]
    return any((first.chapter, first.anchor) == (place.chapter, place.anchor) for place in outcome.item.expect)
