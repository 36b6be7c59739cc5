"""Compositions as Markdown: markers, captions, tables and links."""

from __future__ import annotations

from service.answering.excerpts import Excerpt
from service.answering.extractive import Composition
from service.answering.presenting import NO_MODEL, link_to, not_covered, present
from service.answering.units import Unit
from service.domain import BlockKind, Chunk

from .sections import chunks_of


def _excerpt(chunk: Chunk, *places: int) -> Excerpt:
    """An excerpt of the chunk's sentences at these places."""
    units = [
        Unit(sentence, block, chunk, order, len(sentence.text.split()))
        for order, (block, sentence) in enumerate(
            (block, sentence) for block in chunk.blocks for sentence in block.sentences
        )
    ]
    return Excerpt(chunk, tuple(units[place] for place in places))


def _only(markdown: str) -> Chunk:
    (chunk,) = chunks_of(f"# Tips\n\n## Part\n\n{markdown}\n")
    return chunk


def _shown(chunk: Chunk, *places: int) -> str:
    markdown, _ = present(Composition((_excerpt(chunk, *places),)))
    return markdown.removesuffix(f"\n\n*{NO_MODEL}*")


def test_sentences_of_a_paragraph_run_on() -> None:
    """Neighbouring sentences are one paragraph with one marker at its end."""
    assert _shown(_only("First one here. Second one here."), 0, 1) == "First one here. Second one here. [1]"


def test_list_items_stay_a_list() -> None:
    """Quoted items are bullets, close together, set off from a sentence before them."""
    chunk = _only("Three rules hold here.\n\n- Cache little.\n- Expire always.")
    assert _shown(chunk, 0, 1, 2) == "Three rules hold here.\n\n- Cache little.\n- Expire always. [1]"


def test_steps_keep_their_numbers() -> None:
    """A step that is quoted alone is seen to be one of several."""
    chunk = _only("Do this in order:\n\n1. Add the column.\n2. Fill it.\n3. Drop the old one.")
    assert _shown(chunk, 2, 3) == "2. Fill it.\n3. Drop the old one. [1]"
    assert _shown(chunk, 0, 1) == "Do this in order:\n\n1. Add the column.\n2. … [1]"


def test_a_list_that_is_cut_says_so() -> None:
    """Who reads "three rules" and finds two bullets is told that there are more; a lone bullet announces nothing."""
    chunk = _only("Three rules hold here:\n\n- Cache little.\n- Expire always.\n- Lock never.")
    assert _shown(chunk, 0, 1, 2) == "Three rules hold here:\n\n- Cache little.\n- Expire always.\n- … [1]"
    assert _shown(chunk, 0, 1, 2, 3).endswith("- Lock never. [1]")
    assert _shown(chunk, 2) == "- Expire always. [1]"


def test_what_comes_from_another_section_stands_under_its_heading() -> None:
    """A sentence of another section seems to be about the first; its heading is shown as text, whatever is in it."""
    first, second = chunks_of(
        "# Tips\n\n## A\n\nOne is said.\n\n## The `__init__` of *B* and `to_thread`\n\nTwo is said.\n"
    )
    markdown, _ = present(Composition((_excerpt(first, 0), _excerpt(second, 0))))
    assert markdown.startswith("One is said. [1]\n\n**The \\_\\_init\\_\\_ of B and to_thread**\n\nTwo is said. [2]")


def test_a_row_of_a_small_table_brings_the_whole_table() -> None:
    """Rows are read together, so a small table is shown whole, once, with the marker under it."""
    table = "| Kind | Lifetime |\n|---|---|\n| access | 15 minutes |\n| refresh | 30 days |"
    assert _shown(_only(table), 0) == f"{table}\n\n[1]"
    assert _shown(_only(table), 0, 1) == f"{table}\n\n[1]"


def test_a_row_of_a_large_table_comes_under_its_head() -> None:
    """Of a long table only the head and the row that answers are shown."""
    rows = [f"| name{number} | value{number} |" for number in range(30)]
    chunk = _only("\n".join(["| Name | Value |", "|---|---|", *rows]))
    assert _shown(chunk, 3) == "| Name | Value |\n|---|---|\n| name3 | value3 |\n\n[1]"


def test_links_within_the_chapters_become_their_text() -> None:
    """A relative link or picture would lead nowhere from an answer; a link to the web is kept."""
    chunk = _only("See [pools](../03/pools.md#size) and ![a diagram](pool.png), or [the docs](https://example.org/x).")
    assert _shown(chunk, 0) == "See pools and a diagram, or [the docs](https://example.org/x). [1]"


def test_half_an_emphasis_is_dropped() -> None:
    """A sentence cut out of a bold run does not make the rest of the answer bold."""
    assert _shown(_only("**Never block. Never wait** in the loop."), 0) == "Never block. [1]"


def test_one_passage_is_one_citation() -> None:
    """Two excerpts of one chunk share a number; a second chunk gets the next one."""
    first, second = chunks_of("# Tips\n\n## A\n\nOne is said. Two is said.\n\n## B\n\nThree is said.\n")
    markdown, citations = present(Composition((_excerpt(first, 0), _excerpt(second, 0), _excerpt(first, 1))))
    assert markdown.startswith("One is said. [1]\n\n**B**\n\nThree is said. [2]\n\n**A**\n\nTwo is said. [1]\n\n")
    assert [(cited.number, cited.heading) for cited in citations] == [(1, "A"), (2, "B")]


def test_code_is_captioned_with_the_number_of_its_passage() -> None:
    """The block stands under the sentences, and its caption gives place, lines and number."""
    chunk = _only("Set the size once.\n\n```python\npool_size = 5\n```")
    markdown, citations = present(Composition((_excerpt(chunk, 0),), code=(chunk, chunk.blocks[1])))
    assert (
        "```python\npool_size = 5\n```\n\nFrom [Tips › Part](/read/07_caching_layer/tips#part), lines 7–9 [1]"
        in markdown
    )
    assert len(citations) == 1


def test_code_of_another_section_gets_a_number_of_its_own() -> None:
    """A block from a passage that is not quoted yet is one more citation, with its lines."""
    first, second = chunks_of("# Tips\n\n## A\n\nOne is said.\n\n## B\n\n```python\nx = 1\n```\n")
    markdown, citations = present(Composition((_excerpt(first, 0),), code=(second, second.blocks[0])))
    assert "(/read/07_caching_layer/tips#b), lines 9–11 [2]" in markdown
    assert (citations[1].start_line, citations[1].end_line) == (9, 11)


def test_headings_cannot_break_out_of_a_link() -> None:
    """Brackets and backslashes in a heading are escaped in the link's text."""
    (chunk,) = chunks_of("# Tips\n\n## list[str] \\ [x](y)\n\nSomething is said.\n")
    link = link_to(chunk)
    assert link.startswith(r"[Tips › ")
    assert r"list\[str\]" in link
    assert link.count("](") == 1


def test_not_covered_names_the_nearest_places() -> None:
    """A refusal links what comes nearest, or nothing where there is nothing."""
    (chunk,) = chunks_of("# Tips\n\n## Part\n\nSomething is said.\n")
    assert not_covered([chunk]) == (
        "The knowledge base does not cover this. Nearest: [Tips › Part](/read/07_caching_layer/tips#part)"
    )
    assert not_covered([]) == "The knowledge base does not cover this."


def test_a_sentence_in_code_is_no_bullet() -> None:
    """A quoted comment is shown as the sentence that it is."""
    chunk = _only("```python\n# Never block the event loop in a handler.\nx = 1\n```")
    assert chunk.blocks[0].kind is BlockKind.CODE
    assert _shown(chunk, 0) == "Never block the event loop in a handler. [1]"
