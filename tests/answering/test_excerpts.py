"""Which sentence of a section answers best."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.adapters.bm25 import Bm25
from service.answering.coverage import Coverage
from service.answering.extractive import Composition, compose
from service.answering.presenting import present
from service.answering.retrieval import Found
from service.answering.weighing import Weigher
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


def _composed(markdown: str, question: str, *asked: str) -> Composition:
    """An answer from one section, which may be of several chunks; people ask this of its first."""
    first, *others = chunks_of(markdown)
    section = [replace(first, questions=asked), *others]
    hits = [Hit(chunk, 1.0) for chunk in section]
    found = Found(question, TERMS.terms(question), hits, STATISTICS, 0.9)
    return compose(found, {first.section_id: section}, TERMS)


def _texts(composition: Composition) -> list[str]:
    return [excerpt.text for excerpt in composition.excerpts]


LONG_CODE = "```python\n" + "\n".join(f"fill(the, pool, number, {n}, of, many)" for n in range(40)) + "\n```"
ASIDE = "**A box on the side.** Nothing of it is about that at all, and it goes on for some time."


def test_a_sentence_keeps_its_code_in_the_next_chunk() -> None:
    """Code that is too long to stand beside the sentence that leads to it is announced by it all the same."""
    lead = "The pool size is a limit that you pass to the engine, which keeps to it:"
    text = f"# Pools\n\n## Size\n\n{lead}\n\n{LONG_CODE}\n\n{ASIDE}\n"
    assert len(chunks_of(text)) > 1
    composition = _composed(text, "How do I pass the pool size?")
    assert lead in _texts(composition)
    assert composition.code is not None


def test_the_code_of_the_best_sentence_is_shown() -> None:
    """Where several sentences lead to code, that of the one which answers."""
    wrong = f"An engine is wrong in many ways, such as this one here:\n\n```python\nwrong(engine)\n```\n\n{ASIDE}"
    right = "The pool size is set by an argument of its own:\n\n```python\nright(pool_size=5)\n```"
    composition = _composed(f"# Pools\n\n## Size\n\n{wrong}\n\n{right}\n", "set the pool size", "Why?")
    assert composition.code is not None
    assert "right(" in composition.code[1].text


def test_two_fixes_side_by_side_are_both_quoted() -> None:
    """A sentence that leads to code is its own answer, also right before another one."""
    fix = "A missing pool is fixed by making the pool and calling rebuild:"
    other = "In other cases the error of the missing pool says how to rebuild it."
    text = f"# Pools\n\n## Missing\n\n{ASIDE * 8}\n\n{fix}\n\n{LONG_CODE}\n\n{other}\n"
    quoted = " ".join(_texts(_composed(text, "error missing pool, how to fix it by rebuild")))
    assert fix in quoted
    assert other in quoted


NOTED = """# Pools

## Size

An engine holds connections, and their number is bounded by one of its settings, which is this one here.
It is the same for every engine, whatever it is for, and all of them keep to it from first to last.

```python
engine = create(pool_size=5)  # (1)!
```

1. The pool size is a bound on the pool size.

What else is to say of connections stands on another page, where all of this is explained once more at length.
Those who read it know what they are for, and so on, and so forth, and there is no need to say it here again at all.
"""


def test_a_note_on_a_line_of_code_stands_under_the_code() -> None:
    """`(1)!` in a code block points to it; alone it explains a line that nobody sees."""
    composition = _composed(NOTED, "How do I set the pool size?")
    assert not any("a bound on" in text for text in _texts(composition))
    markdown, citations = present(composition)
    assert "```\n\n1. The pool size is a bound on the pool size.\n\nFrom [" in markdown
    assert ", lines 8–12 [1]" in markdown
    assert [cited.number for cited in citations] == [1]


def test_numbered_steps_are_no_notes() -> None:
    """Only a number that stands in the code before it, and as the site has it, makes a note of an item."""
    steps = NOTED.replace("# (1)!", "# see (1)")
    assert any("a bound on" in text for text in _texts(_composed(steps, "How do I set the pool size?")))


def test_what_stands_around_code_is_quoted_in_two_pieces() -> None:
    """A quote is what stands there word for word; "For example:" before code that is shown below is left out."""
    text = "# Pools\n\n## Size\n\nThe pool may be cut to size. For example:\n\n```python\ncut(pool)\n```\n\n"
    pieces = _texts(_composed(f"{text}The size of the pool is meant so.\n", "Why is the size of the pool cut?"))
    assert pieces == ["The pool may be cut to size.", "The size of the pool is meant so."]


def test_the_title_of_a_box_does_not_end_a_quote() -> None:
    """It belongs to what follows it, which is not quoted."""
    title = "**Example - the pool size three ways**"
    text = f"# Pools\n\n## Size\n\n{ASIDE}\n\nThe pool size is set in three ways.\n\n{title}\n\n{LONG_CODE}\n"
    assert not any(title in text for text in _texts(_composed(text, "pool size ways")))


def test_a_list_is_quoted_in_one_piece() -> None:
    """Its second item may be the best; it is not set off from what announces it."""
    items = "1. Models, with many methods.\n2. Lists of records, checked whole.\n3. Functions and their calls."
    filler = "Nothing of this is about that at all, and it goes on for some time. " * 8
    text = f"# Checks\n\n## Kinds\n\n{filler}\n\nThere are three ways to check lists:\n\n{items}\n"
    pieces = _texts(_composed(text, "check lists of records"))
    assert any("three ways" in piece and "Lists of records" in piece for piece in pieces)


def test_a_long_section_does_not_open_with_what_it_begins_with() -> None:
    """A page of changes begins with one of them; only near its beginning is it what the rest assumes."""
    changes = "\n\n".join(f"Change {n} is on the names of methods. " + "They are new. " * 30 for n in range(12))
    text = (
        f"# Changes\n\n## All\n\nVarious names of methods have changed.\n\n{changes}\n\nThe pool size is smaller now.\n"
    )
    assert _texts(_composed(text, "pool size smaller", "Which names?"))[0].startswith("The pool size")


def test_a_section_of_nothing_but_code_is_answered_with_it() -> None:
    """Its code is the answer, whole and cited by a line of it, though there is no sentence to quote."""
    code = "```python\nclient = MotorClient(url)\nshop = client.shop\n```"
    composition = _composed(f"# Motor\n\n## Connect the client\n\n{code}\n", "How do I connect the Motor client?")
    markdown, citations = present(composition)
    assert markdown.startswith(f"{code}\n\nFrom [")
    assert [cited.quote for cited in citations] == ["client = MotorClient(url)"]
    assert composition.sections == {composition.code[0].section_id if composition.code else ""}


def test_code_inside_the_quoted_step_is_its_code() -> None:
    """A list item may bring its own block; that of another item is not what it speaks of."""
    early = "* **Early checks**: run before the value is converted.\n\n    ```python\n    early(value)\n    ```\n"
    late = "* **Late checks**: run after the value was converted.\n\n    ```python\n    late(value)\n    ```\n"
    text = f"# Checks\n\n## Kinds\n\n{ASIDE}\n\n{ASIDE}\n\n{early}\n{late}"
    composition = _composed(text, "How do I write late checks?")
    assert composition.code is not None
    assert composition.code[1].text == "```python\nlate(value)\n```"
    assert (composition.code[1].start_line, composition.code[1].end_line) == (17, 19)
    assert text.split("\n")[16].strip() == "```python"


def test_what_is_done_with_a_file_comes_before_the_file() -> None:
    """Of two blocks that are announced the code is shown: whoever wants to load a file has one."""
    data = "Consider this YAML file of the pool, which is kept in a file:\n\n```yaml\npool: 5\n```\n"
    code = "The YAML file is then loaded into the pool:\n\n```python\nload(file)\n```\n"
    composition = _composed(f"# Files\n\n## YAML\n\n{data}\n{code}", "load the pool from a yaml file", "Why?")
    assert composition.code is not None
    assert composition.code[1].language == "python"


def _pointers(markdown: str, question: str) -> list[str]:
    """The lines under `Read on:`, of an answer whose first section is best."""
    chunks = chunks_of(markdown)
    hits = [Hit(chunk, 1.0 - 0.4 * rank) for rank, chunk in enumerate(chunks)]
    found = Found(question, TERMS.terms(question), hits, STATISTICS, 0.9)
    shown, _ = present(compose(found, {chunks[0].section_id: chunks[:1]}, TERMS))
    return [line.split("](")[1].split(")", 1)[1] for line in shown.split("\n") if line.startswith("- [")]


@pytest.mark.parametrize(
    ("text", "says"),
    [("Some rules hold. The pool size of a worker is five.", ": The pool size of a worker is five."),
     ("The pool size is set by this argument:\n\n```python\nset(pool)\n```", ": The pool size is set by this argument"),
     ("This is the pool size of it.", ""),
     ("```python\n# the pool size of this engine is set in that line here\nx = 1\n```", ""),
     ("The pool size is five. " + "The pool size of it is " + "very " * 50 + "small.", ": The pool size is five.")],
)  # fmt: skip
def test_read_on_says_what_the_other_section_says(text: str, says: str) -> None:
    """One sentence of it, about the question and complete by itself, or nothing but the link."""
    first = "# Pools\n\n## Size\n\nThe pool size is a limit of the engine, and it is kept to.\n"
    assert _pointers(f"{first}\n## Workers\n\n{text}\n", "pool size") == [says]
