"""What a model says is checked before it counts as an answer."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from pydantic import ValidationError

from service.answering.drafting import MOST_PASSAGES, AnswerDraft, Draft, Passages, budgeted, check, reread
from service.domain import Chunk, Status

from ..fakes.drafts import drafted
from .sections import chunks_of

CHAPTER = """# Cache tips

## Keys

Give every key a version, so that a deploy can leave the old entries behind.

## Locks

Only one caller may fill an entry. The others wait for it.

## Expiry

A key without an expiry stays for ever.
"""
KEYS, LOCKS, EXPIRY = ([chunk] for chunk in chunks_of(CHAPTER)[-3:])
VERSIONED = (1, "Give every key a version")
LOCKED = (2, "Only one caller may fill an entry.")
EXPIRING = (3, "A key without an expiry stays for ever.")


def _draft(reply: str, sections: Sequence[Sequence[Chunk]] = (KEYS, LOCKS, EXPIRY)) -> Draft:
    return check(AnswerDraft.model_validate_json(reply), Passages(sections))


def test_a_valid_draft_is_kept() -> None:
    """Markers with quotes that hold stay, and title and place come from the chapters."""
    made = _draft(drafted("Version the keys [1]. Let one fill them [2].", [VERSIONED, LOCKED], follow_ups=["Why?"]))
    assert made.answer == "Version the keys [1]. Let one fill them [2]."
    assert [(cited.number, cited.heading, cited.start_line) for cited in made.citations] == [
        (1, "Keys", 5),
        (2, "Locks", 9),
    ]
    assert made.citations[0].quote == VERSIONED[1]
    assert (made.status, made.follow_ups, made.dropped) == (Status.ANSWERED, ("Why?",), 0)


def test_markers_are_numbered_in_order_of_use() -> None:
    """Passages 3, 1, 3 become 1, 2, 1."""
    made = _draft(drafted("Expire [3]. Version [1]. Expire again [3].", [VERSIONED, EXPIRING]))
    assert made.answer == "Expire [1]. Version [2]. Expire again [1]."
    assert [(cited.number, cited.heading) for cited in made.citations] == [(1, "Expiry"), (2, "Keys")]


def test_a_quote_that_does_not_stand_is_dropped_with_its_marker() -> None:
    """An invented quote is never shown; what is left is numbered without a gap."""
    made = _draft(drafted("Redis is best [1]. One fills [2].", [(1, "Redis is the best cache of all"), LOCKED]))
    assert made.answer == "Redis is best. One fills [1]."
    assert [cited.heading for cited in made.citations] == ["Locks"]
    assert made.dropped == 1


@pytest.mark.parametrize("number", [0, -1, 4, 99, 10**30])
def test_a_passage_that_was_not_given_is_dropped(number: int) -> None:
    """A number outside of the passages resolves to nothing, also when its quote stands somewhere."""
    made = _draft(drafted(f"Version [1]. More [{number}].", [VERSIONED, (number, LOCKED[1])]))
    assert made.dropped == 1
    assert len(made.citations) == 1


def test_a_quote_from_another_passage_does_not_count() -> None:
    """The quote has to stand in the passage whose number it carries."""
    made = _draft(drafted("Version [2].", [(2, VERSIONED[1])]))
    assert (made.answer, made.citations, made.dropped) == ("Version.", (), 1)


def test_a_marker_without_a_citation_is_removed() -> None:
    """A marker that no citation backs is not shown, and counts as dropped."""
    made = _draft(drafted("Version [1]. Expire [3] and [3].", [VERSIONED]))
    assert (made.answer, made.dropped) == ("Version [1]. Expire and.", 1)


def test_a_citation_without_a_marker_is_not_shown() -> None:
    """Only what the text refers to becomes a citation."""
    made = _draft(drafted("Version [1].", [VERSIONED, LOCKED]))
    assert [cited.heading for cited in made.citations] == ["Keys"]
    assert made.dropped == 0


def test_one_of_two_quotes_is_enough() -> None:
    """A marker stands when one quote of its passage holds; the other is counted as dropped."""
    made = _draft(drafted("Version [1].", [(1, "Keys are always versioned by us"), VERSIONED]))
    assert (made.answer, made.dropped) == ("Version [1].", 1)
    assert made.citations[0].quote == VERSIONED[1]


@pytest.mark.parametrize(
    "code",
    [
        "```python\nx = rows[3]\ny = rows[1]\n```",
        "~~~\nrows[3]\n~~~",
        "`rows[3]`",
        "```\n[3] is a list\n```",
    ],
)
def test_brackets_in_code_are_no_markers(code: str) -> None:
    """An index expression in a fence or a code span is left alone."""
    made = _draft(drafted(f"Expire [3].\n\n{code}\n\nVersion [1].", [VERSIONED, EXPIRING]))
    assert made.answer == f"Expire [1].\n\n{code}\n\nVersion [2]."


def test_links_are_no_markers() -> None:
    """`[3](https://…)` is a link, whatever its text; one that no passage has is left out."""
    made = _draft(drafted("See [3](https://example.org). Version [1].", [VERSIONED]))
    assert made.answer == "See 3. Version [1]."


def test_follow_ups_are_at_most_three_and_never_blank() -> None:
    """The page has room for three."""
    made = _draft(drafted("Version [1].", [VERSIONED], follow_ups=["a?", " ", "b?", "c?", "d?"]))
    assert made.follow_ups == ("a?", "b?", "c?")


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "Version the keys [1].",
        "```json\n{}\n```",
        "[]",
        "null",
        '{"answer": "x"',
        json.dumps({"answer": "x", "citations": [], "status": "answered"}),
        json.dumps({"answer": "x", "citations": [], "status": "maybe", "follow_ups": []}),
        json.dumps(
            {"answer": "x", "citations": [{"passage": "one", "quote": "x"}], "status": "partial", "follow_ups": []}
        ),
        json.dumps({"answer": "x", "citations": [], "status": "answered", "follow_ups": [], "title": "Mine"}),
    ],
)
def test_what_is_not_the_schema_is_malformed(reply: str) -> None:
    """No JSON, half of it, missing, unknown and mistyped fields are refused."""
    with pytest.raises(ValidationError):
        _draft(reply)


def test_passages_can_be_read_again_as_they_were() -> None:
    """What is kept of the passages resolves the same quotes to the same chapter, heading and anchor."""
    passages = Passages((KEYS, LOCKS, EXPIRY))
    said = AnswerDraft.model_validate_json(drafted("Version [1]. One [2].", [VERSIONED, LOCKED]))
    first, second = check(said, passages), check(said, reread(passages.readings()))
    places = [[(c.number, c.chapter, c.heading, c.anchor, c.quote) for c in made.citations] for made in (first, second)]
    assert places[0] == places[1]
    assert first.answer == second.answer


def _section(heading: str, words: int) -> list[Chunk]:
    text = f"# Tips\n\n## {heading}\n\n{'word ' * words}end.\n\n- one item more\n"
    return chunks_of(text, f"07_caching_layer/{heading}.md")[-1:]


def test_the_budget_bounds_what_the_model_reads() -> None:
    """Sections are given whole while they fit, best first, each once; one that does not fit is left out."""
    a, b, c = _section("A", 40), _section("B", 40), _section("C", 40)
    sections = {part[0].section_id: part for part in (a, b, c)}
    hits = [a[0], b[0], a[0], c[0]]
    assert budgeted(hits, sections, 10_000) == ([a, b, c], set())
    one = sum(len(chunk.text) for chunk in a)
    chosen, over = budgeted(hits, sections, one // 4 + 1)
    assert (chosen, over) == ([a], {b[0].section_id, c[0].section_id})
    assert budgeted(hits, sections, 0)[0] == []
    many = [_section(f"S{number}", 5)[0] for number in range(MOST_PASSAGES + 3)]
    assert len(budgeted(many, {}, 100_000)[0]) == MOST_PASSAGES


def test_a_section_that_does_not_fit_gives_its_best_chunk() -> None:
    """The found chunk alone is better than nothing of its section."""
    best, other = _section("A", 20)[0], _section("B", 100)[0]
    assert budgeted([best], {best.section_id: [best, other]}, len(best.text) // 4 + 1)[0] == [(best,)]
