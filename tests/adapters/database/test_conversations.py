"""Conversations: kept in order, found by their words, deleted and brought back."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest

from service.adapters.database import Database
from service.domain import Exchange
from service.errors import AnswerNotFound, ConversationNotFound

from .conftest import NOON, Clock, Where
from .samples import answer, record


async def _asked(database: Database, title: str, *questions: str) -> str:
    made = await database.conversations.create(title, "anna")
    for question in questions:
        await database.conversations.ask(made.id, question, uuid.uuid4().hex)
    return made.id


async def _titles(database: Database, query: str = "") -> list[str]:
    return [found.title for found in await database.conversations.list("anna", query)]


async def test_a_conversation_comes_back_with_its_exchanges(where: Where) -> None:
    """In order, each with its answer, its error, or neither while it is being answered; after reopening too."""
    given = record()
    async with where.open() as database:
        store = database.conversations
        made = await store.create("  About\n keys ", "anna")
        await store.ask(made.id, "First?", given.answer.id)
        await database.answers.save(given)
        await store.answered(made.id, given.answer)
        await store.ask(made.id, "Second?", "a2")
        await store.failed(made.id, "a2", "the model cannot be reached")
        await store.ask(made.id, "Third?", "a3")
    async with where.open() as database:
        found, exchanges = await database.conversations.get(made.id)
    assert (found.title, found.turns, found.created_at) == ("About keys", 3, made.created_at)
    assert found.updated_at > made.updated_at
    times = [exchange.asked_at for exchange in exchanges]
    assert times == sorted(times)
    assert list(exchanges) == [
        Exchange(1, "First?", given.answer.id, times[0], given.answer),
        Exchange(2, "Second?", "a2", times[1], None, "the model cannot be reached"),
        Exchange(3, "Third?", "a3", times[2]),
    ]


async def test_the_list_is_the_callers_own(database: Database) -> None:
    """Another caller's conversations are not listed, whatever is searched for; with its id one may be read."""
    made = await database.conversations.create("Secret keys", "anna")
    assert [found.id for found in await database.conversations.list("anna", "secret")] == [made.id]
    assert await database.conversations.list("ben") == await database.conversations.list("ben", "secret") == []
    assert (await database.conversations.get(made.id))[0].title == "Secret keys"


async def test_the_last_exchanges_come_alone(database: Database) -> None:
    """A follow-up needs no more, however long the conversation is; they are in order, and there may be fewer."""
    made = await _asked(database, "Long", *(f"Question {number}?" for number in range(6)))
    _, exchanges = await database.conversations.get(made, last=2)
    assert [exchange.question for exchange in exchanges] == ["Question 4?", "Question 5?"]
    assert len((await database.conversations.get(made, last=50))[1]) == 6


async def test_an_answer_that_comes_after_all_takes_the_error_away(database: Database) -> None:
    """A failure is not for ever."""
    made, given = await database.conversations.create("t", "anna"), record()
    await database.conversations.ask(made.id, "?", given.answer.id)
    await database.conversations.failed(made.id, given.answer.id, "no")
    await database.answers.save(given)
    await database.conversations.answered(made.id, given.answer)
    (exchange,) = (await database.conversations.get(made.id))[1]
    assert (exchange.answer, exchange.error) == (given.answer, None)


async def test_what_is_not_there_is_named(database: Database) -> None:
    """Every way to reach a conversation says which one is missing."""
    store = database.conversations
    for attempt in (
        store.get("gone"),
        store.rename("gone", "x"),
        store.delete("gone"),
        store.restore("gone"),
        store.ask("gone", "?", "a"),
        store.get("NUL\0"),
    ):
        with pytest.raises(ConversationNotFound, match=r"gone|NUL"):
            await attempt
    await store.answered("gone", answer())
    await store.failed("gone", "a", "why")


async def test_one_without_a_title_is_named_by_its_first_question(database: Database) -> None:
    """Shortened between words; a title that was given stays."""
    question = "How do I call a blocking library from async code without stopping the event loop of everybody else?"
    untitled, titled = await _asked(database, "", question, "And then?"), await _asked(database, "Mine", question)
    title = (await database.conversations.get(untitled))[0].title
    assert title == "How do I call a blocking library from async code without stopping the event…"
    assert len(title) <= 80
    assert (await database.conversations.get(titled))[0].title == "Mine"
    long_word = await _asked(database, "", "長" * 300)
    assert len((await database.conversations.get(long_word))[0].title) == 80


async def test_a_new_title_is_found_and_the_old_one_is_not(database: Database) -> None:
    """Renaming changes what is searched, and not the place in the list."""
    first = await _asked(database, "Old name")
    await _asked(database, "Other")
    renamed = await database.conversations.rename(first, "New ÉCRAN name")
    assert renamed.title == "New ÉCRAN name"
    assert await _titles(database, "old") == []
    assert await _titles(database, "écran") == ["New ÉCRAN name"]
    assert await _titles(database) == ["Other", "New ÉCRAN name"]


SEARCHES = {
    "case": ("Redis Caching", "rEDIS cach", True),
    "greek case": ("ΑΣΎΓΧΡΟΝΟΣ κώδικας", "ασύγχρονος", True),
    "accents": ("Über Größe und Café", "uber GROSSE cafe", True),
    "cyrillic": ("ОЧЕРЕДЬ сообщений", "очередь", True),
    "part of a word": ("Dependency injection", "jectio", True),
    "chinese": ("异步编程与缓存", "缓存", True),
    "ligature": ("ﬁle upload", "file", True),
    "turkish": ("İSTANBUL", "istanbul", True),
    "all words": ("Redis caching", "redis postgres", False),
    "wildcards are letters": ("100 percent", "100%", False),
    "underscore is a letter": ("abc", "a_c", False),
    "wildcards are found": ("100% of a_c\\d", "100% a_c\\d", True),
    "nul": ("Redis", "re\0dis", False),
}


@pytest.mark.parametrize(("title", "query", "found"), SEARCHES.values(), ids=SEARCHES)
async def test_search_knows_all_scripts(database: Database, title: str, query: str, found: bool) -> None:
    """Words are found whatever their case and accents, in titles and in questions alike."""
    await _asked(database, title)
    await _asked(database, "another", "and its question", title)
    await _asked(database, "neither", "of these")
    assert await _titles(database, query) == (["another", title] if found else [])


async def test_the_words_of_a_search_may_stand_in_different_places(database: Database) -> None:
    """One in the title, one in each of two questions."""
    await _asked(database, "alpha", "beta?", "gamma?")
    assert await _titles(database, "gamma ALPHA beta") == ["alpha"]
    assert await _titles(database, "gamma alpha delta") == []
    assert await _titles(database, "  ") == ["alpha"]
    assert await _titles(database, " ".join(f"word{number}" for number in range(5000))) == []


async def test_paging_gives_each_one_once(database: Database, clock: Clock) -> None:
    """Even if all of them were changed at the same moment."""
    made = [await _asked(database, str(number)) for number in range(25)]
    seen: list[str] = []
    before = None
    while page := await database.conversations.list("anna", limit=10, before=before):
        seen += [found.id for found in page]
        before = page[-1].updated_at
    assert seen == made[::-1]


async def test_the_one_that_was_used_last_comes_first(database: Database) -> None:
    """A question and an answer move it up."""
    first, second = await _asked(database, "first"), await _asked(database, "second")
    assert await _titles(database) == ["second", "first"]
    await database.conversations.ask(first, "?", "a1")
    assert await _titles(database) == ["first", "second"]
    await database.conversations.ask(second, "?", "a2")
    await database.conversations.failed(first, "a1", "no")
    assert await _titles(database) == ["first", "second"]


async def test_deleting_hides_and_restoring_brings_back(database: Database, clock: Clock) -> None:
    """A deleted one is nowhere; restored it is as it was."""
    kept = await _asked(database, "kept", "?")
    before = await database.conversations.get(kept)
    await database.conversations.delete(kept)
    assert await _titles(database) == await _titles(database, "kept") == []
    for attempt in (
        database.conversations.get(kept),
        database.conversations.delete(kept),
        database.conversations.rename(kept, "x"),
        database.conversations.ask(kept, "?", "a"),
    ):
        with pytest.raises(ConversationNotFound):
            await attempt
    clock.pass_by(hours=23)
    assert await database.conversations.restore(kept) == before[0]
    assert await database.conversations.restore(kept) == before[0]
    assert await database.conversations.get(kept) == before


async def test_a_day_later_it_is_gone_with_its_answers(database: Database, clock: Clock) -> None:
    """Deleted means deleted: the answers go too, unless another conversation holds them."""
    own, shared, other = record(), record(), record()
    for one in (own, shared, other):
        await database.answers.save(one)
    gone = await database.conversations.create("gone", "anna")
    stays = await database.conversations.create("stays", "anna")
    for where_, which in ((gone, own), (gone, shared), (stays, shared)):
        await database.conversations.ask(where_.id, "?", which.answer.id)
    await database.conversations.delete(gone.id)
    clock.pass_by(days=1)
    with pytest.raises(ConversationNotFound):
        await database.conversations.restore(gone.id)
    await database.conversations.purge()
    with pytest.raises(AnswerNotFound):
        await database.answers.get(own.answer.id)
    assert await database.answers.get(shared.answer.id) == shared
    assert await database.answers.get(other.answer.id) == other
    assert (await database.conversations.get(stays.id))[1][0].answer == shared.answer
    await database.conversations.answered(gone.id, own.answer)


async def test_opening_the_database_purges(where: Where, clock: Clock) -> None:
    """A service that is started now and then keeps nothing for longer than it says."""
    given = record()
    async with where.open() as database:
        await database.answers.save(given)
        made = await database.conversations.create("gone", "anna")
        await database.conversations.ask(made.id, "?", given.answer.id)
        await database.conversations.delete(made.id)
    clock.pass_by(days=2)
    async with where.open() as database:
        with pytest.raises(AnswerNotFound):
            await database.answers.get(given.answer.id)


async def test_a_long_running_service_purges(database: Database, clock: Clock) -> None:
    """Beginning conversations is enough; nobody needs to delete another."""
    given = record()
    await database.answers.save(given)
    made = await _asked(database, "gone")
    await database.conversations.ask(made, "?", given.answer.id)
    await database.conversations.delete(made)
    clock.pass_by(days=1, minutes=1)
    await database.conversations.create("new", "anna")
    with pytest.raises(AnswerNotFound):
        await database.answers.get(given.answer.id)


async def test_questions_at_once_get_places_of_their_own(database: Database) -> None:
    """Two tabs in one conversation: nothing is lost, no place is given twice."""
    made = await database.conversations.create("t", "anna")
    await asyncio.gather(*(database.conversations.ask(made.id, f"{n}?", f"a{n}") for n in range(60)))
    found, exchanges = await database.conversations.get(made.id)
    assert found.turns == 60
    assert [exchange.position for exchange in exchanges] == list(range(1, 61))
    assert {exchange.question for exchange in exchanges} == {f"{n}?" for n in range(60)}


async def test_a_long_conversation_comes_back_whole(database: Database) -> None:
    """Five hundred turns, in order, each with its answer."""
    made = await database.conversations.create("long", "anna")
    given = [record(created_at=NOON + timedelta(seconds=second)) for second in range(500)]
    await asyncio.gather(*(database.answers.save(one) for one in given))
    for number, one in enumerate(given):
        await database.conversations.ask(made.id, f"question {number} \0 {'long ' * 50}", one.answer.id)
    found, exchanges = await database.conversations.get(made.id)
    assert found.turns == len(exchanges) == 500
    assert [exchange.answer for exchange in exchanges] == [replace(one.answer) for one in given]
    assert exchanges[0].question.startswith("question 0 \ufffd long")
