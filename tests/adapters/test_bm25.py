"""Words as both engines match them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.adapters.bm25 import Bm25

BM25 = Bm25()


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("set expire_on_commit to False", "expire on commit"),
        ("set expire_on_commit to False", "expire_on_commit"),
        ("raises MissingGreenlet here", "missing greenlet"),
        ("raises MissingGreenlet here", "MissingGreenlet"),
        ("an APIRouter and a JSONResponse", "api router json response"),
        ("the URLs of two APIs", "urls apis"),
        ("use HTTPException", "http exception"),
        ("connections are pooled", "connection pooling"),
    ],
)
def test_identifiers_match_whole_and_in_words(written: str, asked: str) -> None:
    """A name is found as it is written and as people say it; words match in their stems."""
    assert BM25.terms(asked) <= BM25.terms(written)


def test_stop_words_are_no_terms() -> None:
    """What says nothing is not matched."""
    assert BM25.terms("the of and to is") == frozenset()
    assert BM25.terms("") == frozenset()


def test_a_term_that_occurs_often_weighs_more_and_a_long_text_less() -> None:
    """The weights are those of BM25."""
    once, twice = BM25.document("motor driver"), BM25.document("motor motor driver")
    (motor,) = BM25.terms("motor")

    def weight(text: str) -> float:
        vector = BM25.document(text)
        return dict(zip(vector.indices, vector.values, strict=True))[motor]

    assert len(once.indices) == len(twice.indices) == 2
    assert weight("motor driver") < weight("motor motor driver")
    assert weight("motor driver") > weight("motor driver " + "filler words everywhere " * 50)


def test_a_question_counts_each_term_once() -> None:
    """Saying a word twice does not ask for it twice."""
    asked = BM25.query("motor motor mongodb")
    assert set(asked.values) == {1.0}
    assert len(asked.indices) == 2


def test_a_question_also_asks_for_words_that_mean_the_same() -> None:
    """What a question forbids is found where it is rejected, at less weight; a word and its like are asked once."""
    asked = BM25.query("forbid it")
    weights = dict(zip(asked.indices, asked.values, strict=True))
    (forbid,), (reject,) = BM25.terms("forbid"), BM25.terms("reject")
    assert weights[forbid] == 1.0 > weights[reject] > 0
    both = BM25.query("forbid or reject")
    assert sorted(both.indices) == sorted(asked.indices)
    assert list(both.values).count(1.0) == 2
    assert reject in BM25.alike(forbid)
    assert forbid not in BM25.alike(forbid)


def test_only_words_of_one_line_mean_the_same() -> None:
    """`skip` means both to exclude and to ignore, which do not mean each other."""
    (skip,), (exclude,), (ignore,) = BM25.terms("skip"), BM25.terms("exclude"), BM25.terms("ignore")
    assert {exclude, ignore} <= BM25.alike(skip)
    assert ignore not in BM25.alike(exclude)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_any_text_has_terms_that_its_document_holds(text: str) -> None:
    """Whatever people write: no error, each term once, and the same terms for matching and for statistics."""
    document = BM25.document(text)
    assert len(set(document.indices)) == len(document.indices) == len(document.values)
    assert BM25.terms(text) == frozenset(document.indices)
    assert all(value > 0 for value in document.values)
