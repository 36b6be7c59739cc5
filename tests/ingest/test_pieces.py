"""Blocks over the limit, cut into pieces that stand alone."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.markdown import fenced
from ingest.pieces import Count, pieces_of
from service.domain import Block, BlockKind

from .written import blocks


def words(text: str) -> int:
    """Words and marks, the cheapest count that adds up as the model's does."""
    return sum(1 + sum(not c.isalnum() for c in word) for word in text.split())


def pieces(text: str, room: int, count: Count = words) -> list[Block]:
    """The pieces of the one block of a text."""
    (block,) = blocks(text)
    return pieces_of(block, room, count)


def code_of(piece: Block) -> list[str]:
    """The lines inside a piece's fence."""
    return piece.text.split("\n")[1:-1]


def test_pieces_of_a_fence_are_fenced_and_know_their_lines() -> None:
    """Each piece opens and closes its own fence with the language, and names the lines that it holds."""
    lines = [f"call_{n} a b" for n in range(30)]
    text = "\n".join(["```python", *lines, "```"])
    cut = pieces(text, 60)
    assert len(cut) > 2
    assert [line for piece in cut for line in code_of(piece)] == lines
    for piece in cut:
        assert (piece.text.split("\n")[0], piece.text.split("\n")[-1]) == ("```python", "```")
        assert text.split("\n")[piece.start_line - 1 : piece.end_line] == code_of(piece)
        assert words(piece.text) <= 60
    assert [(piece.part, piece.parts) for piece in cut] == [(n, len(cut)) for n in range(1, len(cut) + 1)]


def test_a_cut_falls_on_a_blank_line_if_one_is_near() -> None:
    """Code is cut between its functions rather than inside one, and blank lines at a cut are not shown."""
    function = ["def f():", *(f"    x = {n}" for n in range(6))]
    cut = pieces("\n".join(["```python", *function, "", "", *function, "", "", *function, "```"]), 50)
    assert [code_of(piece) for piece in cut] == [function, function, function]
    steps = ["step(1)", "step(2)", "step(3)", "step(4)", "step(5)"]
    cut = pieces("\n".join(["```python", *steps, "", *steps, "", *steps, "```"]), 45)
    assert [code_of(piece) for piece in cut] == [steps, steps, steps]


def test_without_blank_lines_a_cut_falls_before_an_unindented_line() -> None:
    """A cut never parts a statement from its indented lines where another place is near."""
    function = ["def f():", *(f"    x = {n}" for n in range(6)), "    y = [", "    ]"]
    for piece in pieces("\n".join(["```python", *function * 4, "```"]), 70):
        assert code_of(piece)[0] == "def f():"


def test_lines_are_right_without_a_closing_fence_and_without_any() -> None:
    """The pieces of a fence that is never closed, and of indented code, name the lines that they hold too."""
    code = [f"call_{n} a b" for n in range(30)]
    for text in ("\n".join(["```python", *code]), "\n".join(f"    {line}" for line in code)):
        for piece in pieces(text, 60):
            there = text.split("\n")[piece.start_line - 1 : piece.end_line]
            assert [line.strip() for line in there] == [line.strip() for line in code_of(piece)]


def test_the_fence_counts_too() -> None:
    """A piece is within the limit with its fence, also where its lines alone would just fit."""
    cut = pieces("\n".join(["```python", *["word " * 27] * 6, "```"]), 60)
    assert all(words(piece.text) <= 60 for piece in cut)


def test_comments_stay_with_their_lines() -> None:
    """A piece of code keeps the comments that begin on its lines and no others."""
    text = "\n".join(["```python", *(f"# Comment number {n}.\nx = {n}" for n in range(20)), "```"])
    cut = pieces(text, 50)
    assert len(cut) > 2
    for piece in cut:
        assert [s.text for s in piece.sentences] == [line[2:] for line in code_of(piece) if line.startswith("#")]
    assert sum(len(piece.sentences) for piece in cut) == 20


def test_pieces_of_a_table_repeat_its_head() -> None:
    """Each piece is a table by itself, with rows that can be quoted, and no row is shown twice."""
    rows = [f"| option {n} |   a long   way of saying it {n} |" for n in range(20)]
    text = "\n".join(["| Name | Use |", "|------|-----|", *rows])
    cut = pieces(text, 80)
    assert len(cut) > 2
    assert [row for piece in cut for row in piece.text.split("\n")[2:]] == rows
    for piece in cut:
        assert piece.text.split("\n")[:2] == ["| Name | Use |", "|---|---|"]
        there = text.split("\n")[piece.start_line - 1 : piece.end_line]
        assert (there[2:] if piece.part == 1 else there) == piece.text.split("\n")[2:]
        assert [s.text for s in piece.sentences] == piece.text.split("\n")[2:]
        assert words(piece.text) <= 80


def test_a_head_too_wide_to_repeat_is_shown_once() -> None:
    """A table whose head fills most of a piece keeps the head's words, in the first piece."""
    head = "| " + " | ".join(f"column {n}" for n in range(20)) + " |"
    cut = pieces("\n".join([head, "|---" * 20 + "|", *("| x" * 20 + "|" for _ in range(4))]), 90)
    assert "column 0" in cut[0].text
    assert sum("column 0" in piece.text for piece in cut) == 1
    assert all(words(piece.text) <= 90 for piece in cut)


def test_a_paragraph_on_one_line_is_cut_between_sentences() -> None:
    """A long paragraph without line breaks falls into whole sentences."""
    sentences = [f"Sentence number {n} has a few words." for n in range(30)]
    cut = pieces(" ".join(sentences), 40)
    assert len(cut) > 2
    assert [s.text for piece in cut for s in piece.sentences] == sentences
    assert {(piece.start_line, piece.end_line) for piece in cut} == {(1, 1)}


def test_sentences_that_repeat_are_quoted_as_often_as_they_stand_there() -> None:
    """Of equal sentences on one line each piece has those that it shows, not those of the other pieces."""
    cut = pieces("Say it again. Or not at all. " * 30, 40)
    assert sum(len(piece.sentences) for piece in cut) == 60
    assert all(" ".join(s.text for s in piece.sentences) == piece.text.replace("\n", " ") for piece in cut)


def test_a_paragraph_on_many_lines_is_cut_between_them() -> None:
    """A long hard-wrapped paragraph is cut at its line breaks; a sentence across a cut is not quoted."""
    text = "\n".join(f"This is line {n}. It goes on" for n in range(30))
    cut = pieces(text, 40)
    assert [line for piece in cut for line in piece.text.split("\n")] == text.split("\n")
    for piece in cut:
        assert all(s.text in piece.text.replace("\n", " ") for s in piece.sentences)


def test_sentences_of_a_quote_survive_its_cutting() -> None:
    """A quoted sentence over two lines is still one after its quote was cut."""
    text = "\n".join(f"> Sentence {n} begins\n> and ends." for n in range(20))
    quoted = [s.text for piece in pieces(text, 40) for s in piece.sentences]
    assert "Sentence 0 begins and ends." in quoted
    assert len(quoted) > 10


def test_pieces_of_html_cover_its_lines() -> None:
    """What HTML shows has no lines of its own: each piece names the whole block's, and keeps its sentences."""
    text = "<div>\n" + "\n\n".join(f"  <p>Sentence {n} of it.</p>" for n in range(30)) + "\n</div>"
    text = text.replace("\n\n", "\n")
    cut = pieces(text, 40)
    assert len(cut) > 2
    assert {(piece.start_line, piece.end_line) for piece in cut} == {(1, 32)}
    assert [s.text for piece in cut for s in piece.sentences] == [f"Sentence {n} of it." for n in range(30)]


def test_long_sentences_do_not_cost_the_others() -> None:
    """Behind sentences that had to be cut, whole ones are still quoted, each in its own piece."""
    cut = pieces("Begin. " + ("Many " + "words " * 60 + "here. ") * 30 + "The end.", 40)
    assert [s.text for s in cut[0].sentences] == ["Begin."]
    assert [s.text for s in cut[-1].sentences] == ["The end."]
    assert sum(len(piece.sentences) for piece in cut) == 2


def test_one_line_over_the_limit_is_cut_between_words() -> None:
    """A line that does not fit by itself is cut, between words if it has any, anywhere if not."""
    line = " ".join(f"word{n}" for n in range(100))
    cut = pieces(f"```\n{line}\n```", 40)
    assert " ".join(part.strip() for piece in cut for part in code_of(piece)) == line
    assert {(piece.start_line, piece.end_line) for piece in cut} == {(2, 2)}
    marks = "#" * 200
    assert "".join(part for piece in pieces(f"```\n{marks}\n```", 40) for part in code_of(piece)) == marks


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text(alphabet="ab `#|.\t中", min_size=1, max_size=80).filter(str.strip), min_size=5, max_size=40),
    st.sampled_from([BlockKind.CODE, BlockKind.PROSE, BlockKind.HTML]),
    st.integers(60, 120),
)
def test_no_piece_is_over_the_room_and_no_letter_is_lost(lines: list[str], kind: BlockKind, room: int) -> None:
    """Whatever the block holds, its pieces fit, and together they say what it said."""
    body = "\n".join(lines)
    text = fenced(body, "text") if kind is BlockKind.CODE else body
    block = Block(kind, text, 1, text.count("\n") + 1, "text" if kind is BlockKind.CODE else "")
    cut = pieces_of(block, room, words)
    assert all(words(piece.text) <= room for piece in cut)
    inside = ["\n".join(code_of(piece)) if kind is BlockKind.CODE else piece.text for piece in cut]
    assert "".join("".join(inside).split()) == "".join(body.split())
