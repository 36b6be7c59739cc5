"""Which sentence of a section answers best."""

from __future__ import annotations

import pytest

from service.adapters.bm25 import Bm25
from service.answering.coverage import Coverage
from service.answering.excerpts import Weigher
from service.answering.extractive import compose
from service.answering.retrieval import Found
from service.domain import Hit, TermStatistics

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
