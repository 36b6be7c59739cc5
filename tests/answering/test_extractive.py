"""An answer without a model says only what the chapters say, and says where."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator

import pytest

from service.answering.citations import fold
from service.answering.excerpts import MAX_SENTENCES
from service.answering.extractive import compose
from service.answering.presenting import NO_MODEL
from service.answering.retrieval import Found
from service.domain import Answer, BlockKind, Hit, Mode, Status, TermStatistics
from service.ports import Terms

from ..small_index import source_lines
from .conftest import Composed, Parts
from .sections import chunks_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

_FENCE = re.compile(r"^(`{3,}|~{3,})([^\n]*)\n(.*?)\n\1$", re.MULTILINE | re.DOTALL)
_CAPTION = re.compile(r"^From \[.*\]\((/read/[^)]*)\), lines (\d+)–(\d+) \[(\d+)\]$", re.MULTILINE)
_READ_ON = re.compile(r"^Read on:\n\n((?:- \[.*\n?)+)", re.MULTILINE)
_POINTER = re.compile(r"^- \[.*?\]\((/read/[^)]*)\)(?:: (.*))?$", re.MULTILINE)
_MARKER = re.compile(r"\[(\d{1,2})\](?!\()")
_COMMENT_MARK = re.compile(r"^\s*(?:#+|//+|--+|\*)\s?", re.MULTILINE)


def _words(text: str) -> str:
    """The words alone: whatever marks them up, and wherever the lines break."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text).replace("<br>", " ")
    return re.sub(r"[\W_]+", " ", text).strip().casefold()


def _quoted(answer: Answer) -> Iterator[tuple[int, str]]:
    """Every stretch of quoted text with the number that is put behind it; code left out."""
    text = _CAPTION.sub(r"[\4]", _FENCE.sub("", answer.answer))
    text = text.removesuffix(f"*{NO_MODEL}*").strip()
    text = _READ_ON.sub("", text)
    *stretches, rest = _MARKER.split(text)
    assert not _words(rest), "text that no marker follows"
    for at in range(0, len(stretches), 2):
        yield int(stretches[at + 1]), stretches[at]


async def test_every_quote_stands_in_the_lines_that_are_cited(extracts: list[Answer]) -> None:
    """A reader who opens the cited lines of the chapter's file finds the quote there, word for word."""
    for answer in extracts:
        for cited in answer.citations:
            lines = source_lines(cited.chapter)[cited.start_line - 1 : cited.end_line]
            place = fold("\n".join(lines)), fold(_COMMENT_MARK.sub("", "\n".join(lines)))
            assert any(fold(cited.quote) in text for text in place), (answer.question, cited)


async def test_nothing_is_said_that_the_cited_chapter_does_not_say(extracts: list[Answer]) -> None:
    """Every line of an answer is in the chapter that the marker behind it cites, and no line is without a marker."""
    for answer in extracts:
        chapters = {cited.number: _words("\n".join(source_lines(cited.chapter))) for cited in answer.citations}
        for number, stretch in _quoted(answer):
            for line in stretch.split("\n"):
                assert _words(line) in chapters[number], (answer.question, line)


async def test_numbers_run_from_one_in_order_of_use(extracts: list[Answer]) -> None:
    """Markers are 1 to n without a gap, first used in that order, and each has its citation."""
    for answer in extracts:
        used = [int(number) for number in _MARKER.findall(_FENCE.sub("", answer.answer))]
        assert list(dict.fromkeys(used)) == [cited.number for cited in answer.citations]
        assert [cited.number for cited in answer.citations] == list(range(1, len(answer.citations) + 1))


async def test_every_marker_is_a_link_in_the_html(extracts: list[Answer]) -> None:
    """The HTML leads from each number to the place that its citation names."""
    for answer in extracts:
        for cited in answer.citations:
            assert f'<a href="{cited.url}" class="cite" data-citation="{cited.number}"' in answer.answer_html


async def test_at_most_five_sentences_are_quoted(composed: list[Composed]) -> None:
    """An answer is short, and there is always something in it where something was found."""
    for made in composed:
        sentences = sum(len(excerpt.units) for excerpt in made.composition.excerpts)
        assert 1 <= sentences <= MAX_SENTENCES == 5


async def test_no_sentence_is_quoted_twice(composed: list[Composed]) -> None:
    """What two passages say alike is said once."""
    for made in composed:
        said = [_words(unit.sentence.text) for excerpt in made.composition.excerpts for unit in excerpt.units]
        assert len(said) == len(set(said)), made.found.query


async def test_sentences_are_whole_and_in_the_order_of_the_text(composed: list[Composed]) -> None:
    """An excerpt is a run of neighbouring sentences of one chunk, and those of one section stand in its order."""
    for made in composed:
        for excerpt in made.composition.excerpts:
            whole = [sentence for block in excerpt.chunk.blocks for sentence in block.sentences]
            start = whole.index(excerpt.units[0].sentence)
            assert [unit.sentence for unit in excerpt.units] == whole[start : start + len(excerpt.units)]
        starts: dict[str, list[int]] = {}
        for excerpt in made.composition.excerpts:
            starts.setdefault(excerpt.chunk.section_id, []).append(excerpt.lines[0])
        assert all(lines == sorted(lines) for lines in starts.values())


async def test_code_is_shown_as_it_stands_in_the_chapter(extracts: list[Answer]) -> None:
    """The code between the fences is that of the lines that its caption names, nothing left out."""
    shown = 0
    for answer in extracts:
        for fence in _FENCE.finditer(answer.answer):
            caption = _CAPTION.match(answer.answer[fence.end() :].lstrip("\n"))
            assert caption, answer.question
            cited = answer.citations[int(caption[4]) - 1]
            lines = source_lines(cited.chapter)[int(caption[2]) - 1 : int(caption[3])]
            code = [line for line in lines if not re.match(r"\s*(```|~~~)", line)]
            assert textwrap.dedent(fence[3]).rstrip() == textwrap.dedent("\n".join(code)).rstrip()
            shown += 1
    assert shown >= 5


async def test_python_that_parses_in_the_chapter_parses_in_the_answer(composed: list[Composed]) -> None:
    """A Python block that is shown from fence to fence is never broken, also where the index holds it in pieces."""
    parsed = 0
    for made in composed:
        if made.composition.code is None:
            continue
        chunk, block = made.composition.code
        around = source_lines(chunk.chapter)[block.start_line - 2 : block.end_line + 1]
        whole = sum(bool(re.match(r"\s*(```|~~~)", line)) for line in around) == 2
        if block.language == "python" and whole:
            ast.parse("\n".join(block.text.split("\n")[1:-1]))
            parsed += 1
    assert parsed >= 5


async def test_it_says_that_no_model_wrote_it(extracts: list[Answer]) -> None:
    """One line at the end says so, and the receipt agrees: no model, no prompt, no cost."""
    for answer in extracts:
        assert answer.answer.endswith(f"*{NO_MODEL}*")
        assert answer.answer.count(NO_MODEL) == 1
        assert answer.mode is Mode.EXTRACTIVE
        assert not answer.degraded
        receipt = answer.receipt
        assert (receipt.model, receipt.prompt, receipt.cost_usd, receipt.attempts) == (None, None, "0", 0)


async def test_it_says_where_to_read_on(extracts: list[Answer]) -> None:
    """Other places on the subject are linked, never one that is already cited, most with what they say about it."""
    linked = said = 0
    for answer in extracts:
        found = _READ_ON.search(answer.answer)
        pointers = _POINTER.findall(found[1]) if found else []
        assert len(pointers) == (found[1].strip().count("\n") + 1 if found else 0) <= 3
        assert not {cited.url for cited in answer.citations} & {url for url, _ in pointers}
        for url, text in pointers:
            assert _words(text) in _words("\n".join(source_lines(f"{url.split('#')[0].removeprefix('/read/')}.md")))
        linked += bool(pointers)
        said += sum(bool(text) for _, text in pointers)
    assert linked > 0.8 * len(extracts)
    assert said > len(extracts)


async def test_passages_come_best_first(extracts: list[Answer]) -> None:
    """Eight passages come with an answer unless told otherwise, in falling order of their score."""
    for answer in extracts:
        scores = [passage.score for passage in answer.passages]
        assert len(scores) == 8
        assert scores == sorted(scores, reverse=True)


STATISTICS = TermStatistics(100, {})


def _found(markdown: str, query: str, terms: Terms) -> tuple[Found, dict[str, list]]:
    chunks = chunks_of(markdown)
    hits = [Hit(chunk, 1.0 - 0.1 * rank) for rank, chunk in enumerate(chunks)]
    sections: dict[str, list] = {}
    for chunk in chunks:
        sections.setdefault(chunk.section_id, []).append(chunk)
    return Found(query, terms.terms(query), hits, STATISTICS, 0.9), sections


POOL = """# Pools

## Size

{text}

```python
engine = create_async_engine(url, pool_size=5, max_overflow=10)
```
"""


async def test_code_follows_where_the_question_asks_how(parts: Parts) -> None:
    """A how-to question gets the block that belongs to the answer; a what-is question gets words alone."""
    text = POOL.format(text="The pool size bounds how many connections one process holds. " * 3)
    how, sections = _found(text, "How do I set the pool size?", parts.terms)
    made = compose(how, sections, parts.terms)
    assert made.code is not None
    assert made.code[1].text.startswith("```python\nengine = ")
    what, sections = _found(text, "What bounds the connections of one process?", parts.terms)
    assert compose(what, sections, parts.terms).code is None


async def test_a_sentence_that_leans_back_brings_the_one_before_it(parts: Parts) -> None:
    """`It …` is not quoted without the sentence that says what it is."""
    text = POOL.format(text="The overflow is a second allowance. It is granted when pool_size is exhausted under load.")
    found, sections = _found(text, "What is granted when the pool_size is exhausted under load?", parts.terms)
    excerpt = compose(found, sections, parts.terms).excerpts[0]
    assert excerpt.units[0].sentence.text == "The overflow is a second allowance."


TWICE = """# Pools

## Size

The pool size bounds how many connections one process holds open.

## Limits

{second}
"""


async def test_what_a_second_passage_repeats_is_left_out(parts: Parts) -> None:
    """Another section is quoted for what it adds; the same in other words adds nothing."""
    question = "How many connections does the pool of a process hold?"
    same = TWICE.format(second="How many open connections one process holds: the pool size bounds it.")
    found, sections = _found(same, question, parts.terms)
    assert [excerpt.chunk.heading for excerpt in compose(found, sections, parts.terms).excerpts] == ["Size"]
    more = TWICE.format(
        second="Every process holds a pool of its own, so many workers multiply the connections Postgres accepts."
    )
    found, sections = _found(more, question, parts.terms)
    assert [excerpt.chunk.heading for excerpt in compose(found, sections, parts.terms).excerpts] == ["Size", "Limits"]


async def test_a_table_comes_with_a_question_that_compares(parts: Parts) -> None:
    """A comparison gets the section's one small table under the sentences."""
    text = (
        "# Drivers\n\n## Choice\n\nBoth drivers speak the same protocol, and psycopg has the wider feature set.\n\n"
        "| | asyncpg | psycopg |\n|---|---|---|\n| COPY | yes | yes |\n| sync API | no | yes |\n"
    )
    found, sections = _found(text, "asyncpg vs psycopg: which driver has the wider feature set?", parts.terms)
    made = compose(found, sections, parts.terms)
    quoted = any(unit.block.kind is BlockKind.TABLE for excerpt in made.excerpts for unit in excerpt.units)
    assert quoted or (made.table is not None and made.table[1].kind is BlockKind.TABLE)


LEAD_IN = """# Pools

## Pool size of an engine

Set the pool size of an engine in three steps:

{what}
"""
STEPS = "1. Count the workers.\n2. Divide what Postgres accepts by them.\n3. Keep some for migrations."
LONG = "The pool is a list of open connections, which the engine hands out and takes back. " * 5


@pytest.mark.parametrize("what", [STEPS, f"{STEPS}\n\n{LONG}", f"First count the workers and divide.\n\n{LONG}"])
async def test_what_only_leads_on_brings_what_it_leads_to(parts: Parts, what: str) -> None:
    """`… in three steps:` alone is no answer: the steps come with it, all three of them."""
    found, sections = _found(LEAD_IN.format(what=what), "How do I set the pool size of an engine?", parts.terms)
    said = " ".join(excerpt.text for excerpt in compose(found, sections, parts.terms).excerpts)
    assert "in three steps:" in said
    assert "ount the workers" in said
    assert ("Keep some for migrations." in said) == (STEPS in what)


@pytest.mark.parametrize("question", ["How do I set the pool size of an engine?", "pool size of an engine in 3 steps"])
async def test_code_that_a_sentence_leads_to_is_shown(parts: Parts, question: str) -> None:
    """Whatever the question's form: a sentence that ends in a colon is followed by its code."""
    what = f"```python\nengine = create_async_engine(url, pool_size=5)\n```\n\n{LONG}"
    found, sections = _found(LEAD_IN.format(what=what), question, parts.terms)
    made = compose(found, sections, parts.terms)
    assert made.excerpts[0].units[-1].sentence.text.endswith("in three steps:")
    assert made.code is not None


async def test_a_table_that_a_sentence_leads_to_is_shown(parts: Parts) -> None:
    """Here the question neither compares nor chooses."""
    what = f"| step | what |\n|---|---|\n| 1 | count |\n| 2 | divide |\n| 3 | keep some |\n\n{LONG}"
    found, sections = _found(LEAD_IN.format(what=what), "pool size of an engine in 3 steps", parts.terms)
    made = compose(found, sections, parts.terms)
    quoted = any(unit.block.kind is BlockKind.TABLE for excerpt in made.excerpts for unit in excerpt.units)
    assert quoted or made.table is not None


async def test_nothing_found_makes_no_composition(parts: Parts) -> None:
    """Without a hit there is nothing to quote."""
    nothing = Found("how?", parts.terms.terms("how?"), [], STATISTICS, 0.0)
    assert compose(nothing, {}, parts.terms).excerpts == ()


async def test_follow_ups_are_none_of_the_question(extracts: list[Answer]) -> None:
    """Suggested questions are at most three and never the one that was asked."""
    for answer in extracts:
        assert len(answer.follow_ups) <= 3
        assert answer.question not in answer.follow_ups
        assert answer.status in (Status.ANSWERED, Status.PARTIAL)
