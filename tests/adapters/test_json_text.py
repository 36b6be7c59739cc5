"""The JSON object within a text that comes in pieces."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.adapters.json_text import JsonText

OBJECT = '{"answer": "a } in \\"text\\" and a {", "list": [{"x": 1}, {}], "end": "\\\\"}'

DRESSED = {
    "bare": OBJECT,
    "with white space": f"\n  {OBJECT}\n\n",
    "in a fence": f"```json\n{OBJECT}\n```\n",
    "after words": f"Sure, here it is:\n{OBJECT}\nI hope that helps {{really}}.",
    "after a thought with braces": f"<think>maybe {{'a': 1}}?</think>\n{OBJECT}",
}


@pytest.mark.parametrize("text", DRESSED.values(), ids=DRESSED)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_the_object_comes_out_alone(text: str, size: int) -> None:
    """Whatever stands around it, and wherever the pieces are cut, what is passed on is the object."""
    reader = JsonText()
    pieces = [reader.feed(text[at : at + size]) for at in range(0, len(text), size)]
    assert "".join(pieces) == reader.text == OBJECT


@given(st.dictionaries(st.text(), st.recursive(st.text() | st.integers(), st.lists), min_size=1), st.integers(1, 9))
def test_any_object_survives(value: dict[str, object], size: int) -> None:
    """No text inside an object ends it early."""
    text = json.dumps(value, ensure_ascii=False)
    reader = JsonText()
    assert "".join(reader.feed(f"{text}}}"[at : at + size]) for at in range(0, len(text) + 1, size)) == text


def test_a_text_without_an_object_is_kept_whole_and_not_passed_on() -> None:
    """What is no JSON cannot be shown as it comes, but is there to be looked at."""
    reader = JsonText()
    assert reader.feed("I would rather ") + reader.feed("not.") == ""
    assert reader.text == "I would rather not."


def test_an_object_that_is_cut_off_is_what_came_of_it() -> None:
    """The beginning of an object is passed on at once."""
    reader = JsonText()
    assert reader.feed('```{"answer": "Beca') == '{"answer": "Beca'
    assert reader.text == '{"answer": "Beca'
