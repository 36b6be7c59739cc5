"""Answers: kept whole, found again, judged."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from service.adapters.database import Database
from service.domain import Feedback, Reason, Status, Verdict
from service.errors import AnswerNotFound

from .conftest import NOON, Where
from .samples import ANSWER, READINGS, answer, record


async def test_an_answer_comes_back_whole(database: Database) -> None:
    """Every field of the answer, the question and the readings is what it was."""
    saved = record(cache_key="key")
    await database.answers.save(saved)
    assert await database.answers.get(saved.answer.id) == saved


async def test_what_was_saved_is_there_after_reopening(where: Where) -> None:
    """It is in the database, not in the process."""
    saved = record()
    async with where.open() as first:
        await first.answers.save(saved)
    async with where.open() as second:
        assert await second.answers.get(saved.answer.id) == saved


async def test_an_unknown_answer_is_named(database: Database) -> None:
    """The error says which id is not there, for reading and for rating."""
    with pytest.raises(AnswerNotFound, match="'no\\\\x00ne'"):
        await database.answers.get("no\0ne")
    with pytest.raises(AnswerNotFound, match="'none'"):
        await database.answers.rate("none", Feedback(Verdict.UP))


async def test_times_come_back_in_utc(database: Database) -> None:
    """Whatever zone a time was given in, it is the same moment and in UTC."""
    elsewhere = (NOON + timedelta(microseconds=7)).astimezone(timezone(timedelta(hours=5, minutes=30)))
    saved = record(created_at=elsewhere)
    await database.answers.save(saved)
    found = (await database.answers.get(saved.answer.id)).created_at
    assert found == elsewhere
    assert found.utcoffset() == timedelta(0)


ODD = (
    "NUL \0 inside",
    "日本語 العربية नमस्ते 🧑🏽‍💻",
    "it's; DROP TABLE answers;-- %s :x {}",
    "\u2028\x7f\x01\r\n\t",
    "x" * 500_000,
)


@pytest.mark.parametrize("text", ODD, ids=["nul", "scripts", "sql", "controls", "long"])
async def test_any_text_survives(database: Database, text: str) -> None:
    """Both databases give back what was put in."""
    saved = record(answer(question=text, answer=text))
    saved = replace(saved, ask=replace(saved.ask, question=text), readings=(replace(READINGS[0], text=text),))
    await database.answers.save(saved)
    assert await database.answers.get(saved.answer.id) == saved


async def test_half_characters_become_replacement_characters(database: Database) -> None:
    """A model can write half of a surrogate pair; neither database can, and the answer is kept all the same."""
    saved = record(answer(answer="half \ud83d of one"))
    await database.answers.save(saved)
    assert (await database.answers.get(saved.answer.id)).answer.answer == "half \ufffd of one"


async def test_saving_again_replaces_the_answer_and_keeps_what_was_said(database: Database) -> None:
    """A caller that does not know whether it was saved saves it again."""
    saved = record()
    await database.answers.save(saved)
    said = Feedback(Verdict.UP, comment="good")
    await database.answers.rate(saved.answer.id, said)
    changed = replace(saved, answer=replace(saved.answer, status=Status.PARTIAL))
    await database.answers.save(changed)
    assert await database.answers.get(saved.answer.id) == replace(changed, feedback=said)


async def test_the_latest_word_counts(database: Database) -> None:
    """A second rating replaces the first, its reason and its comment."""
    saved = record()
    await database.answers.save(saved)
    await database.answers.rate(saved.answer.id, Feedback(Verdict.DOWN, Reason.WRONG_CITATION, "line\0 9"))
    found = await database.answers.get(saved.answer.id)
    assert found.feedback == Feedback(Verdict.DOWN, Reason.WRONG_CITATION, "line\ufffd 9")
    await database.answers.rate(saved.answer.id, Feedback(Verdict.UP))
    assert (await database.answers.get(saved.answer.id)).feedback == Feedback(Verdict.UP)


async def test_the_newest_answer_stands_for_a_key(database: Database) -> None:
    """Answers without the key, or with another, never do."""
    old, new = (record(cache_key="k", created_at=NOON + timedelta(seconds=second)) for second in (0, 1))
    for saved in (new, old, record(cache_key="other", created_at=NOON + timedelta(days=1)), record()):
        await database.answers.save(saved)
    assert await database.answers.cached("k") == new
    assert await database.answers.cached("nothing") is None


async def test_an_answer_that_was_rated_down_stands_for_nothing(database: Database) -> None:
    """The one before it does, and one that was rated up stays."""
    old, new = (record(cache_key="k", created_at=NOON + timedelta(seconds=second)) for second in (0, 1))
    for saved in (old, new):
        await database.answers.save(saved)
    await database.answers.rate(new.answer.id, Feedback(Verdict.DOWN))
    assert await database.answers.cached("k") == old
    await database.answers.rate(new.answer.id, Feedback(Verdict.UP))
    assert (await database.answers.cached("k") or old).answer == new.answer


async def test_answers_that_come_together_are_all_kept(database: Database) -> None:
    """Five hundred at once, more than one transaction takes."""
    saved = [record() for _ in range(500)]
    await asyncio.gather(*(database.answers.save(one) for one in saved))
    found = await asyncio.gather(*(database.answers.get(one.answer.id) for one in saved))
    assert found == saved


async def test_one_that_cannot_be_kept_fails_alone(database: Database) -> None:
    """A row that the database refuses costs nobody else's answer."""
    bad = record(answer(receipt=replace(ANSWER.receipt, index_generation=None)))  # type: ignore[arg-type]
    saved = [record() for _ in range(20)]
    everything = [*saved[:10], bad, *saved[10:]]
    ended = await asyncio.gather(*(database.answers.save(one) for one in everything), return_exceptions=True)
    assert [type(end).__name__ for end in ended] == ["NoneType"] * 10 + ["StateProblem"] + ["NoneType"] * 10
    assert [(await database.answers.get(one.answer.id)) for one in saved] == saved
