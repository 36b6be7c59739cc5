"""Chapters cut into chunks, counted by the bundled model's own tokenizer."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.chapters import body_of, parse
from ingest.chunking import MAX_TOKENS, TARGET_TOKENS, chunk
from ingest.markdown import outline
from ingest.sources import Source
from ingest.token_counts import TokenCounts
from service.domain import BlockKind, Chapter, Chunk

from .written import cut

MODEL_READS = 256  # tokens
MARKERS = 2
TAG = re.compile(r"</?(?:details|summary)>")
PROSE = "A sentence of quite ordinary words about connection pools and event loops. "


@pytest.fixture(scope="session")
def plain(plain_sources: list[Source], count: TokenCounts) -> dict[str, tuple[Chapter, list[Chunk]]]:
    """The plain chapters and their chunks, by path."""
    chapters = [parse(source)[0] for source in plain_sources]
    return {made.path: (made, chunk(made, count)) for made in chapters}


def words(text: str) -> list[str]:
    """Words of letters and digits."""
    return re.findall(r"\w+", text)


def code(lines: int, language: str = "python") -> str:
    """A fence of so many lines without a blank one."""
    return "\n".join([f"```{language}", *(f"value_{n} = {n}" for n in range(lines)), "```"])


def test_no_chunk_of_the_plain_chapters_is_over_the_limit(
    plain: dict[str, tuple[Chapter, list[Chunk]]], count: TokenCounts
) -> None:
    """What is embedded of a chunk fits what the model reads, its markers included."""
    sizes = [count(made.embedded_text) + MARKERS for _, chunks in plain.values() for made in chunks]
    assert max(sizes) <= MODEL_READS


def test_the_limit_is_used_to_the_last_token(count: TokenCounts) -> None:
    """A paragraph that fits exactly stays whole; one token more, and it is cut."""
    sizes = {}
    for number in range(235, 260):
        made = cut("# T\n\n" + "word " * number, count)
        sizes[number] = [count(one.embedded_text) + MARKERS for one in made]
    assert max(size for some in sizes.values() for size in some) == MODEL_READS
    whole = [number for number, some in sizes.items() if len(some) == 1]
    assert sizes[whole[-1]] == [MODEL_READS]
    assert whole == list(range(235, whole[-1] + 1))


LINES = """# Title|## 标题 🚀|Setext|---|===|```python|```|~~~|````|- item|  - nested|1. one|> quote|    indented
<div>|</div>|<!--|-->|!!! note "T"|    body|=== "Tab"|/// tip||[a][b]|[b]: http://x.dev"""
LONG = ["| a | b |\n|---|---|\n| 1 | 2 |", "`" * 70, "x" * 300, "word " * 150, "a.b." * 120, "中文。" * 90, "x " * 2000,
        "| " + "cell | " * 60 + "\n|" + "---|" * 60 + "\n|" + "x|" * 60, "# " + "long heading " * 30, PROSE * 12,
        "- " + PROSE * 8, "> " + PROSE * 8, "# comment\n" * 40, "```" + "x-" * 200]  # fmt: skip
MARKDOWN = st.lists(
    st.one_of(st.sampled_from(re.split(r"[|\n]", LINES)), st.sampled_from(LONG), st.text(max_size=60)), max_size=30
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(MARKDOWN)
def test_no_chunk_of_any_markdown_is_over_the_limit(count: TokenCounts, parts: list[str]) -> None:
    """However strange the Markdown, no chunk is more than the model reads, and positions count up."""
    text = "\n".join(parts).replace("\0", "").replace("\r", "\n")
    made = cut("\n" + text, count)
    assert all(count(one.embedded_text) + MARKERS <= MODEL_READS for one in made)
    assert [one.position for one in made] == list(range(len(made)))
    assert len({one.id for one in made}) == len(made)


def test_no_word_of_the_plain_chapters_is_lost(plain: dict[str, tuple[Chapter, list[Chunk]]]) -> None:
    """Every word of a chapter's body stands in a chunk or among its headings."""
    for path, (made, chunks) in plain.items():
        shown = {word for one in chunks for word in words(f"{one.text} {' '.join(one.headings)}")}
        lost = [word for word in words(TAG.sub("", body_of(made))) if word not in shown]
        assert lost == [], path


def test_lines_of_the_plain_chapters_are_exact(plain: dict[str, tuple[Chapter, list[Chunk]]]) -> None:
    """All that a chunk shows stands between its first and last line, and both hold some of it."""
    for path, (made, chunks) in plain.items():
        lines = made.text.split("\n")
        for one in chunks:
            there = lines[one.start_line - 1 : one.end_line]
            repeated = {line for block in one.blocks if block.part > 1 for line in block.text.split("\n")[:2]}
            for line in one.text.split("\n"):
                known = line in repeated or line.startswith("```") or re.fullmatch(r"[|: -]+", line)
                assert known or line in there or line.strip() in " ".join(there), (path, one.start_line, line)
            first, last = TAG.sub("", there[0]).strip(), TAG.sub("", there[-1]).strip()
            assert first.strip("`~") in one.text, (path, one.start_line)
            assert last.strip("`~") in one.text, (path, one.end_line)


def test_sentences_stand_on_their_lines(plain: dict[str, tuple[Chapter, list[Chunk]]]) -> None:
    """Every unit that an answer may quote stands, word for word, on the lines that it names."""
    for path, (made, chunks) in plain.items():
        lines = made.text.split("\n")
        for sentence in (sentence for one in chunks for block in one.blocks for sentence in block.sentences):
            there = words(" ".join(lines[sentence.start_line - 1 : sentence.end_line]))
            assert set(words(sentence.text)) <= set(there), (path, sentence)


def test_blocks_that_fit_are_never_cut(plain: dict[str, tuple[Chapter, list[Chunk]]], count: TokenCounts) -> None:
    """A fence, a table or a list item under the limit comes whole, in one chunk."""
    for path, (made, chunks) in plain.items():
        whole = {block.text for one in chunks for block in one.blocks if block.parts == 1}
        for section in outline(body_of(made), made.body_line).sections:
            for block in section.blocks:
                if count(block.text) <= MAX_TOKENS - 60:  # 60: the most that the context line takes
                    assert block.text in whole, (path, block.start_line)


@pytest.mark.parametrize(
    "block",
    [code(38), "| a | b |\n|---|---|\n" + "\n".join(f"| row {n} | x |" for n in range(33)), "- " + PROSE * 15],
    ids=["fence", "table", "item"],
)
def test_a_block_just_under_the_limit_stays_whole_wherever_it_stands(block: str, count: TokenCounts) -> None:
    """What stands around a block moves to other chunks rather than part it."""
    assert TARGET_TOKENS - 60 < count(block) <= MAX_TOKENS - 20
    for before in range(0, 12, 2):
        text = f"# T\n\n{PROSE * before}\n\n{block}\n\n{PROSE * 5}"
        holding = [one for one in cut(text, count) if block in one.text]
        assert len(holding) == 1


def test_a_sentence_that_leads_to_code_stays_with_it(count: TokenCounts) -> None:
    """A lead-in ending in a colon is in the chunk of its code, list or table, whatever came before it."""
    for follows in (code(30), "\n".join(f"- item number {n} of the list" for n in range(3)), "| a |\n|---|\n| b |"):
        for before in range(26):
            text = f"# T\n\n{PROSE * before}\n\n{PROSE}\n\nThe following does it:\n\n{follows}"
            (holding,) = (one for one in cut(text, count) if "The following" in one.text)
            assert follows.split("\n")[0] in holding.text, before


def test_a_lead_too_long_for_its_code_is_a_chunk_by_itself(count: TokenCounts) -> None:
    """Where lead and code do not fit together, neither is cut and neither takes other text along."""
    lead = f"{PROSE * 10}as follows:"
    made = cut(f"# T\n\n{PROSE * 3}\n\n{lead}\n\n{code(30)}", count)
    assert [one.text.strip() for one in made] == [(PROSE * 3).strip(), lead, code(30)]


def test_the_sentence_before_a_lone_fence_stays_with_it(
    plain: dict[str, tuple[Chapter, list[Chunk]]], count: TokenCounts
) -> None:
    """In the plain chapters prose and the code right below it share a chunk wherever both fit, colon or not."""
    for path, (_, chunks) in plain.items():
        for one, following in pairwise(chunks):
            last, first = one.blocks[-1], following.blocks[0]
            if one.section_id != following.section_id or first.kind is not BlockKind.CODE:
                continue
            together = count(f"{following.context} {last.text} {first.text}")
            assert last.kind is not BlockKind.PROSE or together > MAX_TOKENS, (path, last.text)


def test_small_neighbours_share_a_chunk_and_sections_never_do(count: TokenCounts) -> None:
    """Short paragraphs of a section make one chunk; a heading always begins another."""
    made = cut("# T\n\none\n\ntwo\n\n## A\n\nthree\n\n## B\n\nfour", count)
    assert [one.text for one in made] == ["one\n\ntwo", "three", "four"]
    assert len({one.section_id for one in made}) == 3


def test_a_section_cut_in_two_keeps_one_section_id(count: TokenCounts) -> None:
    """Chunks of one section belong together, in the order of the text, at about the size that is wanted."""
    made = cut("# T\n\n" + "\n\n".join([PROSE * 4] * 12), count)
    assert len(made) > 3
    assert len({one.section_id for one in made}) == 1
    assert [one.start_line for one in made] == sorted(one.start_line for one in made)
    assert all(TARGET_TOKENS // 2 < count(one.text) <= TARGET_TOKENS for one in made[:-1])


def test_the_context_names_path_title_and_headings(count: TokenCounts) -> None:
    """What is embedded begins with the words of the path, the title and the headings; what is shown does not."""
    (made,) = cut(
        "# Motor Setup\n\n## Step 3: Access\n\n### Reads\n\ntext", count, "06_nosql_mongodb/02_motor-setup.md"
    )
    assert made.embedded_text == "nosql mongodb motor setup › Motor Setup › Step 3: Access › Reads\ntext"
    assert (made.text, made.heading, made.anchor) == ("text", "Reads", "reads")


def test_a_long_context_is_cut_from_the_left(count: TokenCounts) -> None:
    """Long headings leave room for the text: the innermost one counts most."""
    made = cut(f"# {'Long title ' * 30}\n\n## {'Middle ' * 40}\n\n## The point\n\n{PROSE * 20}", count)
    assert made[-1].context.endswith("The point")
    assert all(count(one.context) <= 60 for one in made)


def test_text_above_the_first_heading_belongs_to_the_title(count: TokenCounts) -> None:
    """An introduction has the chapter's title for a heading and no anchor."""
    made = cut("Intro.\n\n# T\n\nBody.", count)[0]
    assert (made.heading, made.anchor, made.headings) == ("T", "", ())


def test_ids_depend_on_the_chapter_alone(plain_sources: list[Source], count: TokenCounts) -> None:
    """The same chapter has the same ids in another run and beside other chapters; another place or text has others."""
    chapters = [parse(source)[0] for source in plain_sources]
    ids = [[one.id for one in chunk(made, count)] for made in chapters]
    assert [[one.id for one in chunk(made, count)] for made in reversed(chapters)] == ids[::-1]
    assert len({id_ for some in ids for id_ in some}) == sum(map(len, ids))
    (here,), (there,), (other,) = (
        cut(text, count, path) for text, path in (("a", "a.md"), ("a", "b.md"), ("b", "a.md"))
    )
    assert len({here.id, there.id, other.id}) == 3
    assert here.id == "9de0534b-1a23-5ca9-a9f6-523cebf453ec"


def test_a_change_leaves_the_chunks_before_it_alone(count: TokenCounts) -> None:
    """Text added at the end of a chapter changes neither id nor hash of the chunks above it."""
    text = "# T\n\n## A\n\nalpha\n\n## B\n\nbeta"
    before, after = cut(text, count), cut(f"{text}\n\n## C\n\ngamma", count)
    assert [(one.id, one.content_hash) for one in after[:2]] == [(one.id, one.content_hash) for one in before]


def test_a_chapter_of_one_huge_fence_is_cut_into_fences(count: TokenCounts) -> None:
    """A fence of 5,000 lines gives pieces that are each fenced, fit, and hold every line once, in order."""
    made = cut("# Dump\n\n" + code(5000), count)
    lines = [line for one in made for line in one.text.split("\n")[1:-1]]
    assert lines == [f"value_{n} = {n}" for n in range(5000)]
    assert all(count(one.embedded_text) + MARKERS <= MODEL_READS for one in made)
    assert all(one.text.startswith("```python\n") and one.text.endswith("\n```") for one in made)
    assert (made[0].start_line, made[-1].end_line) == (4, 5003)


@pytest.mark.parametrize("odd", ["```" + "x-" * 200, "```python\n# " + "`" * 150])
def test_every_piece_of_code_is_fenced(odd: str, count: TokenCounts) -> None:
    """Neither a language without end nor code full of backticks costs a piece its fence."""
    made = cut(f"{odd}\n{code(100)[10:]}", count)
    assert len(made) > 2
    for one in made:
        opening, *_, closing = one.text.split("\n")
        assert opening.startswith(closing)
        assert set(closing) == {"`"}
        assert count(one.embedded_text) + MARKERS <= MODEL_READS


def test_a_step_with_code_over_the_limit_is_taken_apart(count: TokenCounts) -> None:
    """A list item with several fences falls into its own blocks, and each fence stays whole."""
    indented = "\n".join(f"    {line}" for line in code(25, "bash").split("\n"))
    made = cut(f"# T\n\n1.  First do this:\n\n{indented}\n\n    Then that:\n\n{indented}\n", count)
    fences = [block for one in made for block in one.blocks if block.kind is BlockKind.CODE]
    assert [block.text for block in fences] == [code(25, "bash")] * 2
    assert [(block.start_line, block.end_line) for block in fences] == [(5, 31), (35, 61)]
    assert "First do this:" in made[0].text
    assert "```bash" in made[0].text


def test_lists_inside_each_other_without_end_are_cut(count: TokenCounts) -> None:
    """A list nested thousands of levels deep, and a quote, give chunks and no error."""
    for mark in ("- ", "> "):
        made = cut(mark * 3000 + PROSE * 40, count)
        assert all(count(one.embedded_text) + MARKERS <= MODEL_READS for one in made)
        assert "event loops" in made[-1].text


def test_a_chapter_without_text_has_no_chunks(count: TokenCounts) -> None:
    """Headings and rules alone are nothing to find."""
    assert cut("# T\n\n## A\n\n---\n", count) == []
