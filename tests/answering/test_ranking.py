"""What makes a chunk rank before another."""

from __future__ import annotations

import pytest

from service.adapters.bm25 import Bm25
from service.answering.chunk_facts import FactBook, is_symptom
from service.answering.ranking import QUESTION_WEIGHT, SHEET_WEIGHT, Ranker, is_appendix
from service.domain import Chunk, Hit, TermStatistics

from .sections import chunks_of

_TEXTS = (
    "Recycle a connection below the firewall's timeout, or it is closed by somebody who does not tell you at all.",
    "The firewall closes what it takes for idle: recycle a connection before it does so, and nobody waits for it.",
    "Something of the kind is said here in so many words that this is no stub, and it has none of the others.",
)
TERMS = Bm25()
FACTS = FactBook(TERMS)
STATISTICS = TermStatistics(100, {})


def _order(question: str, *hits: Hit) -> list[str]:
    ranked = Ranker(question, STATISTICS, TERMS, FACTS).ranked(hits)
    assert [hit.score for hit in ranked] == sorted((hit.score for hit in ranked), reverse=True)
    return [hit.chunk.heading for hit in ranked]


def _chunks(*sections: str) -> list[Chunk]:
    return chunks_of("# Tips\n\n" + "\n\n".join(f"## {section}" for section in sections) + "\n")


@pytest.mark.parametrize(
    "heading", ["Summary", "See also", "🎯 Summary", "Key takeaways", "Further reading", "next steps", "**References**"]
)
def test_appendices_are_known_by_their_heading(heading: str) -> None:
    """Sections that repeat or point elsewhere are told by the first word of their heading."""
    assert is_appendix(heading)


@pytest.mark.parametrize("heading", ["A summary endpoint", "Why references?", "Summarising", "Pools", ""])
def test_other_headings_are_no_appendices(heading: str) -> None:
    """The word alone does not make an appendix."""
    assert not is_appendix(heading)


def test_a_summary_comes_after_the_passage_that_it_repeats() -> None:
    """Of two equally good chunks, the appendix is second."""
    summary, passage = _chunks("Summary\n\nA pool has five connections.", "Pools\n\nA pool has five connections.")
    assert _order("pool connections", Hit(summary, 1, 0.6), Hit(passage, 1, 0.6)) == ["Pools", "Summary"]


@pytest.mark.parametrize(
    "heading", ["tenacity.RetryError instead of the original exception", "422 for a valid body", "`KeyError: 'id'`"]
)
def test_a_section_about_an_error_is_for_who_met_it(heading: str) -> None:
    """Of two equally good chunks, the one whose heading names an error is first only for a question about one."""
    symptom, section = _chunks(f"{heading}\n\nA policy never retries this.", "Policies\n\nA policy never retries this.")
    hits = [Hit(symptom, 1, 0.6), Hit(section, 1, 0.59)]
    assert _order("what should a policy never retry", *hits)[0] == "Policies"
    assert _order("my policy fails: never retries", *hits)[0] != "Policies"


@pytest.mark.parametrize("heading", ["Error handling", "Errors", "Exception groups", "Port 443", "Why 500 rows"])
def test_a_section_about_errors_at_large_is_no_symptom(heading: str) -> None:
    """A heading that names no error type is like any other."""
    assert not is_symptom(heading)


def test_a_section_that_explains_an_error_is_known_by_its_first_words() -> None:
    """In a reference of errors the heading is only the error's name."""
    symptom, section = _chunks(
        "value_type\n\nThis error is raised when a value has another type than a policy allows for it, whatever it is.",
        "Policies\n\nA policy says for every value of which type it may be, and what is done with all others then.",
    )
    hits = [Hit(symptom, 1, 0.6), Hit(section, 1, 0.55)]
    assert _order("what may a policy say of a value", *hits)[0] == "Policies"
    assert _order("why is a policy's value_type error raised", *hits)[0] == "value_type"


def test_a_heading_that_says_what_the_question_says_brings_its_section() -> None:
    """Who asks to generate schemas wants the section about it before one that says so of something else."""
    about, other = _chunks(
        f"Generating schemas\n\n{_TEXTS[2]}", f"Customising how\n\nHow one may generate schemas. {_TEXTS[2]}"
    )
    hits = [Hit(about, 1, 0.55), Hit(other, 1, 0.6)]
    assert _order("how do I generate a schema", *hits)[0] == "Generating schemas"
    assert (
        _order("can I generate the schema of dataclasses, enums and unions at runtime", *hits)[0] == "Customising how"
    )


def test_a_sentence_between_headings_is_no_answer() -> None:
    """Of two chunks, the one that only leads to other sections is second, unless it brings code."""
    stub, passage = _chunks(
        "Which pool to use\n\nEach pool has its benefits.",
        "Pools\n\nA pool keeps connections open between requests, so that none has to wait for a handshake of its own.",
    )
    hits = [Hit(stub, 1, 0.6), Hit(passage, 1, 0.58)]
    assert _order("which pool", *hits) == ["Pools", "Which pool to use"]
    (code, _) = _chunks("Which pool to use\n\nThis one:\n\n```python\nQueuePool()\n```", "Pools\n\nA pool.")
    assert _order("which pool", Hit(code, 1, 0.6), hits[1])[0] == "Which pool to use"


def test_words_count_by_nearness_where_a_chapter_asks_nothing() -> None:
    """A chance match of words far from the question loses, but not in a chapter that brings questions of its own."""
    near, far = _chunks(
        "A\n\nSet a limit below which a connection is closed again by the pool that it came from, whatever happens.",
        "B\n\nPut children away somewhere else, and never let the pool be open while nobody looks after it at all.",
    )
    hits = [Hit(near, 1, 0.6), Hit(far, 1, 0.3)]
    question = "put children away nobody"
    ranker = Ranker(question, STATISTICS, TERMS, FACTS, (), {near.chapter: 0.5})
    assert _order(question, *hits) == ["A", "B"]
    assert [hit.chunk.heading for hit in ranker.ranked(hits)] == ["B", "A"]
    assert ranker.strength(hits) == Ranker(question, STATISTICS, TERMS, FACTS).strength(hits) == pytest.approx(0.8)


def test_questions_from_outside_weigh_more_than_the_words_of_a_page() -> None:
    """A page that was not written to answer people speaks its own words; who wrote the sheet knew theirs."""
    worded, asked = _chunks(
        "A\n\nPut children away somewhere else, and never let the pool be open while nobody looks after it at all.",
        "B\n\nSet a limit below which a connection is closed again by the pool that it came from, whatever happens.",
    )
    hits = [Hit(worded, 1, 0.3, question=0.35), Hit(asked, 1, 0.5, question=0.8)]
    question = "put children away nobody"
    orders = [
        [hit.chunk.heading for hit in Ranker(question, STATISTICS, TERMS, FACTS, (), {asked.chapter: w}).ranked(hits)]
        for w in (QUESTION_WEIGHT, SHEET_WEIGHT)
    ]
    assert orders == [["A", "B"], ["B", "A"]]


def test_a_chunk_found_by_cosine_alone_may_have_the_words() -> None:
    """The engine gives BM25 to the best by words only; another chunk with the words gets the lowest of those."""
    listed, unlisted, without = _chunks(*(f"{name}\n\n{text}" for name, text in zip("ABC", _TEXTS, strict=True)))
    hits = [Hit(listed, 1, 0.5, 3.0), Hit(unlisted, 1, 0.5), Hit(without, 1, 0.5)]
    a, b, c = (hit.score for hit in Ranker("recycle firewall", STATISTICS, TERMS, FACTS).ranked(hits))
    assert a == pytest.approx(b)
    assert c == pytest.approx(0.5)


def test_the_words_of_the_question_count() -> None:
    """A chunk that covers the question's words comes before one that is only alike."""
    alike, covers = _chunks("A\n\nSomething of the kind.", "B\n\nSet pool_recycle below the firewall's timeout.")
    assert _order("pool_recycle firewall timeout", Hit(alike, 1, 0.5), Hit(covers, 1, 0.5)) == ["B", "A"]


def test_the_chapters_own_questions_count() -> None:
    """A chunk whose chapter asks the very question is preferred; one only on the same subject is not."""
    other, asked = _chunks("A\n\nSome words.", "B\n\nSome words.")
    assert _order("zzz", Hit(other, 1, 0.52), Hit(asked, 1, 0.5, question=0.9)) == ["B", "A"]
    assert _order("zzz", Hit(other, 1, 0.52), Hit(asked, 1, 0.5, question=0.33)) == ["A", "B"]


def test_a_chunk_found_by_words_alone_is_ranked_too() -> None:
    """A hit without a cosine gets the lowest of the others, not nothing."""
    near, far, words = _chunks("A\n\nSome words.", "B\n\nSome words.", "C\n\nThe exact error text MissingGreenlet.")
    hits = [Hit(near, 1, 0.5), Hit(far, 1, 0.45), Hit(words, 1, None, lexical=9.0)]
    assert _order("MissingGreenlet", *hits)[0] == "C"


def test_nothing_ranks_as_nothing() -> None:
    """No hits, no terms: an empty ranking, not an error."""
    assert _order("") == []
    (chunk,) = _chunks("A\n\nSome words.")
    assert _order("", Hit(chunk, 1, 0.5)) == ["A"]
