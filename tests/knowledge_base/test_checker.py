"""Every rule of the text catches a chapter that breaks it, so that none is a test that cannot fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

import pytest

from ingest.token_counts import TokenCounts
from service.domain import Chapter

from . import asked, front_matter, prose
from .library import Library
from .sample import FRONT, NEIGHBOUR, PATH, SENTENCE, chapter_of, good, library, parts
from .sample import asked as asked_chapter

TEXT_RULES = (
    prose.length_problems,
    prose.opening_problems,
    prose.heading_problems,
    prose.form_problems,
    prose.wording_problems,
    front_matter.value_problems,
    front_matter.place_problems,
)
BOOK_RULES = (
    prose.link_problems,
    prose.sharing_problems,
    front_matter.question_problems,
    front_matter.prerequisite_problems,
)


def test_a_good_chapter_breaks_no_rule(count: TokenCounts) -> None:
    """The chapter that the other tests break in one place is accepted as it is."""
    book = library(good())
    chapter = book.chapters[PATH]
    found = [rule(chapter) for rule in TEXT_RULES] + [rule(chapter, book) for rule in BOOK_RULES]
    assert [*chain.from_iterable(found), *prose.cut_problems(chapter, count)] == []


@dataclass(frozen=True)
class Break:
    """A replacement in the good chapter, the rule it breaks and what the report has to say."""

    old: str
    new: str
    rule: Callable[[Chapter], list[str]]
    says: str


TEXT_BREAKS = {
    "short chapter": Break(parts(), "## Part\n\nToo little.", prose.length_problems, "words outside code"),
    "long section": Break("Say what waits", "Say what waits. " * 160, prose.length_problems, "under one heading"),
    "no title": Break("# Async vs Sync Backends\n", "", prose.opening_problems, "0 headings of level 1"),
    "two titles": Break("## Code", "# Code", prose.opening_problems, "2 headings of level 1"),
    "text above the title": Break("# Async vs", "Hello.\n\n# Async vs", prose.opening_problems, "above the title"),
    "no first paragraph": Break("An answer to", "- An answer to", prose.opening_problems, "not followed by"),
    "repeated heading": Break("## Part 7", "## Part 6", prose.heading_problems, "stands in line"),
    "three problems": Break("### RuntimeError: four", "", prose.form_problems, "3 `###` entries"),
    "no trade-offs": Break("## Trade-offs", "## Choices", prose.form_problems, "no section `## Trade-offs`"),
    "no table": Break("|---|---|\n", "", prose.form_problems, "no table"),
    "empty interview": Break("Say what waits and what computes.", "", prose.form_problems, "nothing under"),
    "no neighbour": Break("[Core Concepts](core_concepts_deep_dive.md#code)", "Core", prose.form_problems, "neighbour"),
    "no documentation": Break("[FastAPI](https://fastapi.tiangolo.com/async/)", "", prose.form_problems, "official"),
    "no reason": Break(": where the words come from.", "", prose.form_problems, "without a reason"),
    "emoji": Break("Say what waits", "Say \N{ROCKET} what waits", prose.wording_problems, "emoji"),
    "announcement": Break("Say what", "In this chapter, we say what", prose.wording_problems, "announces"),
    "missing key": Break("level: intermediate\n", "", front_matter.value_problems, "no `level`"),
    "unknown key": Break("level:", "author: me\nlevel:", front_matter.value_problems, "unknown key `author`"),
    "unknown level": Break("intermediate", "guru", front_matter.value_problems, "`level` is not one of"),
    "five questions": Break("  - Why five?\n", "", front_matter.value_problems, "`questions` is not a list of 6 to 12"),
    "unquoted version": Break('"0.165"', "0.165", front_matter.value_problems, "`versions` is not"),
    "two-sentence summary": Break("for a service.", "for it. Then run.", front_matter.value_problems, "one sentence"),
    "wrong section": Break("section: 01 - Introduction", "section: 01 - Intro", front_matter.place_problems, "section"),
    "wrong title": Break("title: Async vs Sync", "title: Sync vs Async", front_matter.place_problems, "title"),
    "wrong heading": Break("# Async vs Sync", "# On async", front_matter.place_problems, "is not the title"),
}  # fmt: skip


@pytest.mark.parametrize("broken", TEXT_BREAKS.values(), ids=TEXT_BREAKS)
def test_a_rule_of_the_text_is_enforced(broken: Break) -> None:
    """A chapter that breaks one rule of text or front matter is reported by that rule."""
    text = good()
    assert broken.old in text
    assert broken.says in "\n".join(broken.rule(chapter_of(text.replace(broken.old, broken.new, 1))))


def test_a_chapter_off_the_contents_page_is_caught() -> None:
    """A file that the contents page does not list is reported."""
    assert front_matter.place_problems(chapter_of(good(), "01_introduction/extra.md"))


def test_a_paragraph_too_long_for_a_chunk_is_caught(count: TokenCounts) -> None:
    """A paragraph that the chunker would cut inside is reported."""
    chapter = chapter_of(good().replace("Say what waits", SENTENCE * 20))
    assert "is cut in" in "\n".join(prose.cut_problems(chapter, count))


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("no_such_chapter.md", "not on the contents page"),
        ("../02_project_structure/nothing.md", "not on the contents page"),
        ("/01_introduction/core_concepts_deep_dive.md", "from the root"),
        ("core_concepts_deep_dive.md#no-such-heading", "no such heading"),
        ("#no-such-heading", "no such heading"),
        ("", "without a target"),
        ("htps://fastapi.tiangolo.com", "no such kind of link"),
    ],
)
def test_a_dead_link_is_caught(target: str, says: str) -> None:
    """A link to a chapter, a heading or a scheme that does not exist is reported."""
    book = library(good().replace("core_concepts_deep_dive.md#code", target))
    assert says in "\n".join(prose.link_problems(book.chapters[PATH], book))


def test_a_link_to_a_chapter_not_written_yet_is_allowed() -> None:
    """A path of the contents page is enough while its chapter is being written."""
    book = library(good().replace("core_concepts_deep_dive.md#code", "architecture_philosophy.md#anything"))
    assert prose.link_problems(book.chapters[PATH], book) == []


def test_an_undefined_reference_link_is_caught() -> None:
    """A reference link that nothing defines is reported; Markdown would show its brackets."""
    book = library(good().replace("Say what waits", "Say [what][nowhere] waits"))
    assert "nothing defines" in "\n".join(prose.link_problems(book.chapters[PATH], book))


def test_a_shared_paragraph_is_caught() -> None:
    """A paragraph of more than twelve words that two chapters share is reported, other case and spacing or not."""
    paragraph = "The pool of connections is the first limit that a busy service meets, long before its processor."
    first = good().replace("Say what waits", paragraph)
    second = FRONT + "# Other\n\n" + paragraph.upper().replace(" is ", "\nis ") + "\n"
    book = library(first.replace(" and what computes.", ""), second)
    assert NEIGHBOUR in "\n".join(prose.sharing_problems(book.chapters[PATH], book))


def test_a_question_asked_twice_is_caught() -> None:
    """A question of another chapter counts as the same in another case and punctuation."""
    book = library(good(), FRONT.replace("Why", "How").replace("How six?", "WHY six") + "# Other\n\nText.\n")
    assert "why six" in "\n".join(front_matter.question_problems(book.chapters[PATH], book))


def test_a_circle_of_prerequisites_is_caught() -> None:
    """Two chapters that require each other are reported."""
    second = FRONT.replace("core_concepts_deep_dive", "async_vs_sync_backends") + "# Other\n\nText.\n"
    book = library(good(), second)
    assert "lead back" in "\n".join(front_matter.prerequisite_problems(book.chapters[PATH], book))


def test_a_prerequisite_off_the_contents_page_is_caught() -> None:
    """A prerequisite that is no chapter of the book is reported."""
    book = library(good().replace("[01_introduction/core_concepts_deep_dive.md]", "[01_introduction/nothing.md]"))
    assert "not on the contents page" in "\n".join(front_matter.prerequisite_problems(book.chapters[PATH], book))


def test_a_chapter_that_is_asked_for_everywhere_breaks_no_rule() -> None:
    """Links and interview sections need no questions, and trade-offs only one."""
    chapter = asked_chapter(trade_offs=("Threads or tasks?",))
    assert asked.section_problems(chapter) == []
    assert asked.question_problems(chapter, Library({PATH: chapter})) == []


@pytest.mark.parametrize(
    ("anchor", "questions", "says"),
    [
        ("part_1", ("Why?",), "#part-1: has 1 questions, and needs 2"),
        ("trade_offs", (), "#trade-offs: has 0 questions, and needs 1"),
        ("code", ("How?", "When?"), "does not say which section answers `Why six?`"),
    ],
)
def test_a_section_that_nobody_asks_for_is_caught(anchor: str, questions: tuple[str, ...], says: str) -> None:
    """It would be found by its own words only."""
    assert says in "\n".join(asked.section_problems(asked_chapter(**{anchor: questions})))


@pytest.mark.parametrize(
    ("question", "says"), [("WHY six", "#part-1 and "), ("why " * 41, "has 163 characters, over 160")]
)
def test_a_question_for_two_places_or_too_long_is_caught(question: str, says: str) -> None:
    """Other case and punctuation make no other question."""
    chapter = asked_chapter(part_1=("Why?", question.strip()))
    assert says in "\n".join(asked.question_problems(chapter, Library({PATH: chapter})))
