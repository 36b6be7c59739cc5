"""Questions of every kind against the plain chapters, without a model."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.answering.preparing import Limits
from service.domain import EVERYWHERE, Ask, Mode, SearchFilter, Status, Turn, Usage
from service.errors import InvalidQuestion, UnknownFilter, UnknownPrompt
from service.wiring import Service

from .conftest import Parts

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGINATION = "04_relational_databases_sql/pagination_strategies.md"
JWT = "09_authentication_and_security/jwt_implementation.md"


async def test_a_question_is_answered_from_the_right_chapter(plain_service: Service) -> None:
    """The chapter that is about it is cited first, and its passage is among the best."""
    answer = await plain_service.answerer.ask(Ask("How does keyset pagination with a cursor work?"))
    assert answer.status is Status.ANSWERED
    assert answer.citations[0].chapter == PAGINATION
    assert answer.passages[0].chapter == PAGINATION


async def test_the_receipt_says_how_the_answer_came_about(plain_service: Service) -> None:
    """Generation, embedding model, query and times are there; ids are fresh for every answer."""
    one = await plain_service.answerer.ask(Ask("  How do I verify a JWT?\n"))
    two = await plain_service.answerer.ask(Ask("How do I verify a JWT?"))
    assert one.question == two.question == "How do I verify a JWT?"
    assert one.answer == two.answer
    assert one.id != two.id
    assert uuid.UUID(one.id).version == 4
    receipt = one.receipt
    assert receipt.index_generation == (await plain_service.index.generation()).id
    assert receipt.embedding_model == "all-MiniLM-L6-v2"
    assert receipt.retrieval_query == "How do I verify a JWT?"
    assert receipt.usage == Usage()
    assert 0 < receipt.latency_ms.retrieve <= receipt.latency_ms.total
    assert receipt.latency_ms.first_token is None
    assert receipt.trace_id != two.receipt.trace_id
    assert receipt.degraded_reason is None


@pytest.mark.parametrize(
    "question",
    [
        "Who won the football world cup in 1998?",
        "What is the capital of Mongolia?",
        "best recipe for pizza dough with dry yeast",
        "how do I train a young horse to accept a saddle",
        "Which vaccines do I need for a trip to Peru?",
        "Is it going to rain in Lisbon tomorrow afternoon?",
    ],
)
async def test_a_far_question_is_refused(plain_service: Service, question: str) -> None:
    """What the chapters say nothing about is not answered: no citation, no quote, only where the nearest things are."""
    answer = await plain_service.answerer.ask(Ask(question))
    assert answer.status is Status.NOT_IN_KNOWLEDGE_BASE
    assert answer.answer.startswith("The knowledge base does not cover this.")
    assert answer.citations == ()
    assert "data-citation" not in answer.answer_html
    assert answer.mode is Mode.EXTRACTIVE
    assert not answer.degraded


@pytest.mark.parametrize("question", ["", " ", "\n\t \n", "a", " ? ", "🙂", "的"])
async def test_less_than_two_characters_are_no_question(plain_service: Service, question: str) -> None:
    """Nothing, white space and a single character are refused in words, for asking and for searching."""
    with pytest.raises(InvalidQuestion, match="empty or a single character"):
        await plain_service.answerer.ask(Ask(question))
    with pytest.raises(InvalidQuestion, match="empty or a single character"):
        await plain_service.answerer.search(question, EVERYWHERE, 5)


async def test_a_question_over_the_limit_is_refused(plain_service: Service) -> None:
    """The message names both lengths, and the question is not repeated in it."""
    with pytest.raises(InvalidQuestion, match="100,000 characters, over the limit of 4,000") as refused:
        await plain_service.answerer.ask(Ask("x" * 100_000))
    assert len(str(refused.value)) < 200


async def test_a_question_of_100000_characters_is_survived(parts: Parts) -> None:
    """Where the limit allows it, such a question is answered or refused like any other."""
    answerer = parts.answerer(None, limits=Limits(question_chars=100_000))
    nonsense = await answerer.ask(Ask("q" * 100_000))
    assert nonsense.status is Status.NOT_IN_KNOWLEDGE_BASE
    pasted = await answerer.ask(Ask(("keyset pagination cursor " * 5000)[:100_000]))
    assert len(pasted.question) >= 99_999


@pytest.mark.parametrize(
    "question",
    [
        "the of and is",
        "what is it and how is that",
        "🙂🙂🙂",
        "如何让缓存失效？",
        "Как настроить соединение с базой данных?",
        "كيف أستخدم قاعدة البيانات؟",
        "\u202e\u200b\u200b\ufeff",
        "\x00\x01\x02\x1b[31m",
        "((((((((",
        "*" * 300,
        "' OR 1=1; --",
        "{{7*7}} ${7*7} <%= 7*7 %>",
        "../../../../etc/passwd",
        "e\u0301" * 200,
    ],
)
async def test_odd_questions_are_answered_or_refused_but_never_fail(plain_service: Service, question: str) -> None:
    """Stop words, emoji, other alphabets, control characters and code get an answer that holds together."""
    answer = await plain_service.answerer.ask(Ask(question))
    assert answer.answer
    assert [cited.number for cited in answer.citations] == list(range(1, len(answer.citations) + 1))
    assert (answer.status is Status.NOT_IN_KNOWLEDGE_BASE) == (answer.citations == ())


@pytest.mark.parametrize("question", ["the of and is", "🙂🙂🙂", "\x00\x01\x02", "如何让缓存失效？"])
async def test_a_question_without_a_word_that_tells_is_refused(plain_service: Service, question: str) -> None:
    """Only stop words, emoji or another alphabet than the chapters': nothing is guessed."""
    answer = await plain_service.answerer.ask(Ask(question))
    assert answer.status is Status.NOT_IN_KNOWLEDGE_BASE


async def test_control_characters_in_a_question_do_not_matter(plain_service: Service) -> None:
    """A pasted question with a stray NUL or escape is answered like a clean one."""
    answer = await plain_service.answerer.ask(Ask("How does keyset\x00 pagination\x1b with a cursor work?"))
    assert answer.citations[0].chapter == PAGINATION


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=2, max_size=60))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_text_breaks_the_service(plain_service: Service, question: str) -> None:
    """Any text is a question, an invalid question, or one that is not covered."""
    try:
        answer = await plain_service.answerer.ask(Ask(question))
    except InvalidQuestion:
        assert len(question.strip()) < 2
    else:
        assert answer.status in Status


async def test_the_limit_bounds_the_passages(plain_service: Service) -> None:
    """`limit` says how many passages come along; none at all is a valid wish."""
    question = "How does keyset pagination with a cursor work?"
    for limit in (0, 1, 20):
        answer = await plain_service.answerer.ask(Ask(question, limit=limit))
        assert len(answer.passages) == limit
        assert answer.citations


async def test_search_gives_passages_best_first(plain_service: Service) -> None:
    """A search returns as many passages as asked for, with their text and place."""
    passages = await plain_service.answerer.search("refresh token rotation", EVERYWHERE, 5)
    assert len(passages) == 5
    assert passages[0].chapter == JWT
    assert [passage.score for passage in passages] == sorted((p.score for p in passages), reverse=True)
    assert all(passage.text and passage.start_line <= passage.end_line for passage in passages)


HISTORY = (
    Turn("user", "How does keyset pagination with a cursor work?"),
    Turn("assistant", "Remember the last row and ask for what comes after it [1]."),
)


@pytest.mark.parametrize(
    "question", ["and why is it faster?", "Show me an example of that", "why?", "what about NULLs?"]
)
async def test_a_follow_up_is_read_with_what_it_follows(plain_service: Service, question: str) -> None:
    """A question that leans on the one before is searched together with it."""
    answer = await plain_service.answerer.ask(Ask(question, HISTORY))
    assert answer.receipt.retrieval_query == f"{HISTORY[0].content}\n{question}"
    assert answer.question == question
    assert answer.citations[0].chapter == PAGINATION


@pytest.mark.parametrize(
    ("question", "chapter"),
    [
        ("How do I revoke a refresh token of a JWT login?", JWT),
        (
            "Which Dockerfile keeps a Python image small with a multi-stage build?",
            "15_deployment_and_performance/dockerizing.md",
        ),
    ],
)
async def test_a_change_of_subject_leaves_the_history_behind(
    plain_service: Service, question: str, chapter: str
) -> None:
    """A question that stands alone is searched as it is, so the old subject does not drag it back."""
    answer = await plain_service.answerer.ask(Ask(question, HISTORY))
    assert answer.receipt.retrieval_query == question
    assert answer.citations[0].chapter == chapter


@pytest.mark.parametrize("section", ["04", "04_relational_databases_sql", "04 - Relational Databases Sql", " 04 "])
async def test_a_section_is_named_by_number_folder_or_title(plain_service: Service, section: str) -> None:
    """However a section is named, only its passages come back, whatever else would match better."""
    passages = await plain_service.answerer.search("refresh token", SearchFilter(sections=(section,)), 10)
    assert {passage.chapter for passage in passages} == {PAGINATION}


@pytest.mark.parametrize("chapter", [JWT, "jwt_implementation.md", "JWT_Implementation.md"])
async def test_a_chapter_is_named_by_path_or_file_name(plain_service: Service, chapter: str) -> None:
    """A chapter filter takes its path or its file's name, in any case, and holds for citations too."""
    where = SearchFilter(chapters=(chapter,))
    answer = await plain_service.answerer.ask(Ask("How do I keep a token safe?", where=where))
    assert {passage.chapter for passage in answer.passages} == {JWT}
    assert {cited.chapter for cited in answer.citations} <= {JWT}


async def test_filters_of_one_kind_widen_and_of_two_kinds_narrow(plain_service: Service) -> None:
    """Two sections mean either; a section and a chapter elsewhere mean nothing at all."""
    search = plain_service.answerer.search
    either = await search("token pagination", SearchFilter(sections=("04", "09")), 50)
    assert {passage.chapter for passage in either} == {PAGINATION, JWT}
    both = SearchFilter(sections=("04",), chapters=("jwt_implementation.md",))
    assert await search("token pagination", both, 50) == []
    answer = await plain_service.answerer.ask(Ask("How do I verify a token?", where=both))
    assert answer.status is Status.NOT_IN_KNOWLEDGE_BASE


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (SearchFilter(sections=("99",)), "no section '99'; there are: 04 - Relational Databases Sql, 06 - "),
        (SearchFilter(chapters=("nope.md",)), "no chapter 'nope.md'; there are: 04_relational_databases_sql/"),
        (SearchFilter(levels=("expert",)), "no level 'expert'; there are: none"),
        (SearchFilter(sections=("04", "")), "no section ''; there are: "),
    ],
)
async def test_an_unknown_filter_is_refused_with_what_there_is(
    plain_service: Service, where: SearchFilter, message: str
) -> None:
    """A filter that matches nothing is an error that lists the values, never an empty result."""
    with pytest.raises(UnknownFilter) as refused:
        await plain_service.answerer.search("token", where, 5)
    assert message in str(refused.value)
    with pytest.raises(UnknownFilter):
        await plain_service.answerer.ask(Ask("How do I verify a token?", where=where))


async def test_half_a_character_from_a_terminal_is_no_crash(plain_service: Service) -> None:
    """A lone surrogate, as a terminal hands on for bytes that are not UTF-8, is replaced."""
    answer = await plain_service.answerer.ask(Ask("how does the caf\udce9 cache stampede protection work"))
    answer.answer.encode()


async def test_an_unknown_prompt_version_is_refused(plain_service: Service) -> None:
    """The message says which versions there are, whether or not a model would be used."""
    with pytest.raises(UnknownPrompt, match="has no version 99"):
        await plain_service.answerer.ask(Ask("how does cache stampede protection work", prompt_version=99))
