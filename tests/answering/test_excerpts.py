"""Which sentence of a section answers best."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.adapters.bm25 import Bm25
from service.answering.coverage import Coverage
from service.answering.excerpts import Weigher
from service.answering.extractive import compose
from service.answering.retrieval import Found
from service.domain import BlockKind, Hit, TermStatistics

from .sections import chunks_of

TERMS = Bm25()
STATISTICS = TermStatistics(100, {})
KINDS = """# Checks

## Kinds

Different kinds of checks exist, and each of them differs from the others.

* ***Early* checks**: run before the value is converted.
* ***Late* checks**: run after the value was converted, and are the easier ones.
"""


def _ranked(markdown: str, question: str) -> list[str]:
    chunks = chunks_of(markdown)
    hits = [Hit(chunk, 1.0) for chunk in chunks]
    units = Weigher(Found(question, TERMS.terms(question), hits, STATISTICS, 0.9), TERMS).units(chunks)
    return [unit.sentence.text for unit in sorted(units, key=lambda unit: -unit.score)]


def test_what_the_question_names_is_answered_by_its_definition() -> None:
    """Who asks for the difference of two things gets both definitions before a sentence on differences."""
    ranked = _ranked(KINDS, "What is the difference between early and late checks?")
    assert {text.split("**:")[0] for text in ranked[:2]} == {"***Early* checks", "***Late* checks"}


def test_a_definition_of_something_else_gains_nothing() -> None:
    """Only a thing that the question names in full is the one it asks about."""
    assert _ranked(KINDS, "which different kinds of checks exist")[0].startswith("Different kinds")


@pytest.mark.parametrize(
    "pointer",
    ["Read more about the pool size in the reference.", "See the pool size reference.",
     "For more details on the pool size, refer to the reference.", "As said above, the pool size is a limit.",
     "In the example above, the pool size is a limit.", "[The pool size is a limit.](#pool-size)",
     "Changed in version 2: the pool size is a limit."],
)  # fmt: skip
def test_a_sentence_that_points_elsewhere_is_no_answer(pointer: str) -> None:
    """What sends the reader on, or speaks of what is not shown, comes after a sentence that says as much."""
    said = "Of five connections, the pool size is a limit."
    assert _ranked(f"# Pools\n\n## Size\n\n{pointer}\n\n{said}\n", "pool size")[0] == said


@pytest.mark.parametrize(
    ("question", "shown"),
    [("leave out what is None from the dump", True), ("can I leave out what is None", True),
     ("what is left out of the dump", False), ("So, is None left out of the dump?", False)],
)  # fmt: skip
def test_a_task_gets_its_code(question: str, shown: bool) -> None:
    """People also say what they want to do instead of asking how."""
    text = "# Dumps\n\n## None\n\nWhat is None may be left out of the dump by one argument of its own.\n\n"
    (chunk,) = chunks_of(f"{text}Everything else is dumped.\n\n```python\nitem.dump(leave_out=None)\n```\n")
    found = Found(question, TERMS.terms(question), [Hit(chunk, 1.0)], STATISTICS, 0.9)
    assert (compose(found, {chunk.section_id: [chunk]}, TERMS).code is not None) == shown


def test_a_text_covers_the_words_of_a_question_and_less_of_their_like() -> None:
    """A word that means the same counts for a part, and never for more than it is rare itself."""
    coverage = Coverage(TERMS.terms("forbid keys"), STATISTICS, TERMS)
    whole, alike, half = (
        coverage.of(TERMS.terms(text)) for text in ("keys that we forbid", "keys that we reject", "keys")
    )
    assert whole == pytest.approx(1.0)
    assert whole > alike > half == pytest.approx(0.5)
    (reject,) = TERMS.terms("reject")
    common = Coverage(TERMS.terms("forbid keys"), TermStatistics(100, {reject: 100}), TERMS)
    assert common.of(TERMS.terms("keys that we reject")) == pytest.approx(half, abs=0.01)


def _quoted(markdown: str, question: str, *asked: str) -> list[str]:
    """What an answer quotes of a section of which people ask this."""
    (chunk,) = chunks_of(markdown)
    found = Found(question, TERMS.terms(question), [Hit(chunk, 1.0)], STATISTICS, 0.9)
    composition = compose(found, {chunk.section_id: [replace(chunk, questions=asked)]}, TERMS)
    return [unit.sentence.text for excerpt in composition.excerpts for unit in excerpt.units]


LEASES = (
    "# Jobs\n\n## Leases\n\nA claim is a lease. " + "Workers come and go as they please. " * 8 + "\n\n"
    "A pool limits the connections. " + "Nobody counts them all the time. " * 8 + "\n\n"
    "The token stops a late worker from overwriting the result.\n"
)


def test_a_section_that_people_ask_for_opens_with_its_claim() -> None:
    """What is quoted from its middle assumes the first sentence; one that nobody asks for may open with anything."""
    question = "what does the token of a late worker stop"
    assert _quoted(LEASES, question, "Why a token?")[0] == "A claim is a lease."
    assert _quoted(LEASES, question)[0].startswith("The token stops")
    titled = LEASES.replace("A claim is a lease.", "**API Documentation**\n\n")
    assert _quoted(titled, question, "Why a token?")[0] != "**API Documentation**"


def test_a_label_in_the_code_is_no_answer_where_there_is_prose() -> None:
    """It names a step; a comment that explains is another matter, and so is a section of nothing but code."""
    code = "```python\n# the pool size gate\nmake()\n```\n"
    prose = "Connections are kept open between requests, and their number is bounded by a setting of the engine.\n\n"
    assert _quoted(f"# Pools\n\n## Size\n\n{prose * 3}{code}", "pool size gate")[0].startswith("Connections are kept")
    assert _quoted(f"# Pools\n\n## Size\n\n{code}", "pool size gate") == ["the pool size gate"]


def test_an_announced_list_is_quoted_to_its_end() -> None:
    """Whoever reads "three rules" wants all of them, also those that share no word with the question."""
    rules = "- Cache what is read often.\n- Expire everything.\n- Lock never.\n"
    filler = "Nothing of this is about that at all, and it goes on for some time. " * 8
    quoted = _quoted(f"# Caches\n\n## Rules\n\n{filler}\n\nThree rules for a cache:\n\n{rules}", "rules for a cache")
    assert quoted[-3:] == ["Cache what is read often.", "Expire everything.", "Lock never."]


def test_a_table_that_is_shown_is_not_shown_again() -> None:
    """A second row of it would bring the whole of it once more."""
    rows = "".join(f"| pool {n} | the pool size is {n} |\n" for n in range(6))
    (chunk,) = chunks_of(f"# Pools\n\n## Size\n\n| Pool | Size |\n|---|---|\n{rows}\nSome words on other things.\n")
    found = Found("pool size", TERMS.terms("pool size"), [Hit(chunk, 1.0)], STATISTICS, 0.9)
    excerpts = compose(found, {chunk.section_id: [chunk]}, TERMS).excerpts
    assert sum(excerpt.units[0].block.kind is BlockKind.TABLE for excerpt in excerpts) == 1
