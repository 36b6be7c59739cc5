"""When a follow-up is searched together with what it follows, and when not."""

from __future__ import annotations

import pytest

from service.adapters.bm25 import Bm25
from service.answering.history import standalone
from service.domain import TermStatistics, Turn

TERMS = Bm25()
CORPUS = [
    "keyset pagination cursor index sort column",
    "refresh token rotation revoke jwt login",
    "celery worker retry acks_late broker",
    "websocket heartbeat close code",
] * 25


def _statistics() -> TermStatistics:
    frequencies: dict[int, int] = {}
    for text in CORPUS:
        for term in TERMS.terms(text):
            frequencies[term] = frequencies.get(term, 0) + 1
    return TermStatistics(len(CORPUS) * 10, frequencies)


STATISTICS = _statistics()


def _query(question: str, *turns: tuple[str, str]) -> str:
    return standalone(question, [Turn(role, content) for role, content in turns], TERMS, STATISTICS)


ASKED = ("user", "How does keyset pagination work?")
SAID = ("assistant", "Remember the last row [1].")


def test_a_first_question_is_searched_as_it_is() -> None:
    """Without a history there is nothing to add, however vague the question is."""
    assert _query("and why is that?") == "and why is that?"


@pytest.mark.parametrize(
    "question",
    ["and why is it faster?", "why?", "Show me an example of that.", "What about the second one?", "more details"],
)
def test_a_question_that_leans_gets_the_one_before(question: str) -> None:
    """Pronouns, `and …`, `what about …` and questions of hardly a word need the earlier question."""
    assert _query(question, ASKED, SAID) == f"{ASKED[1]}\n{question}"


@pytest.mark.parametrize(
    "question",
    [
        "How do I revoke a refresh token of a jwt login?",
        "celery worker loses a retry when the broker restarts",
        "Which close code does a websocket heartbeat send?",
    ],
)
def test_a_question_that_tells_enough_stands_alone(question: str) -> None:
    """A full question on another subject is not dragged back to the old one."""
    assert _query(question, ASKED, SAID) == question


def test_a_full_question_stands_alone_in_spite_of_a_pronoun() -> None:
    """`it` within a question that tells five things about its subject refers to that subject."""
    question = "celery worker with acks_late: does the broker retry it when a websocket heartbeat is lost?"
    assert _query(question, ASKED, SAID) == question


def test_only_what_the_user_asked_counts() -> None:
    """Answers are long and quote other subjects: they are never searched with."""
    assert _query("why is that?", SAID) == "why is that?"
    assert _query("why is that?", ASKED, SAID, ("assistant", "celery broker")) == f"{ASKED[1]}\nwhy is that?"


def test_the_latest_question_counts() -> None:
    """Of two earlier questions that stand alone, the later one is meant."""
    later = ("user", "How do I revoke a refresh token of a jwt login?")
    assert _query("why is that?", ASKED, SAID, later, SAID) == f"{later[1]}\nwhy is that?"


def test_a_chain_of_follow_ups_goes_back_to_its_subject() -> None:
    """A follow-up to a follow-up brings both, since the middle one names no subject."""
    middle = ("user", "and why?")
    assert _query("is that so?", ASKED, SAID, middle, SAID) == f"{ASKED[1]}\n{middle[1]}\nis that so?"


def test_a_long_question_before_comes_second() -> None:
    """The model reads the beginning: a pasted traceback must not push the question out of what it reads."""
    pasted = ("user", "Why does this fail? " + "celery worker traceback line " * 60)
    assert _query("and how do I test that?", pasted, SAID) == f"and how do I test that?\n{pasted[1]}"


def test_empty_turns_are_passed_over() -> None:
    """A blank message is not what a follow-up refers to."""
    assert _query("why is that?", ASKED, SAID, ("user", "  \n")) == f"{ASKED[1]}\nwhy is that?"
