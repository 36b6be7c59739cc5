"""Cuts prose into whole sentences and code into its comments: the units that an answer may quote.

A sentence ends at a full stop, question or exclamation mark, also a Chinese or Japanese one, that stands outside code
spans, links and brackets and is not part of an abbreviation, a number or a dotted name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, String, _TokenType
from pygments.util import ClassNotFound

from service.domain import Sentence

_ABBREVIATIONS = frozenset("e.g i.e etc vs cf approx resp no fig dr mr mrs ms st al inc ltd jr sr ca".split())
_END = re.compile(r"[.!?…][\"'”’)\]*_]*(?=\s)|[。！？][”’）」]*")
_OPAQUE = re.compile(r"(`+).+?\1|\[[^\]\n]*\]\([^)\n]*\)|<https?://[^>]*>|https?://\S*[^\s.,;)]")
_STARTS_LOWER = re.compile(r"\s+[a-z]")
_LINE_PREFIX = re.compile(r"^\s*(?:>\s?)*(?:[-*+]\s+(?:\[[ xX]\]\s+)?|\d{1,9}[.)]\s+)?")
_COMMENT_MARKS = re.compile(
    r"^\s*(?:#+!?|//+[/!]?|--+|/\*+|\*+/?|;+|%+|\"\"\"|'''|<!--)\s?|(?:\*+/|\"\"\"|'''|-->)\s*$"
)
_NOT_WORDS = re.compile(r"[^\w]+")


def sentences_of(markdown: str, first_line: int, inside: int | None = None) -> tuple[Sentence, ...]:
    """Sentences of a paragraph, list item or quote; list and quote markers are not part of them.

    `first_line` is the file's line of the text's first one; `inside` gives every sentence the range up to that line,
    for text whose own lines are not the file's.
    """
    found: list[Sentence] = []
    for paragraph, line in _paragraphs(markdown, first_line):
        flat = paragraph.replace("\n", " ")
        for start, end in _spans(flat):
            text = re.sub(r"\s+", " ", flat[start:end]).strip()
            if not _NOT_WORDS.sub("", text):
                continue
            first = line + paragraph.count("\n", 0, start + len(flat[start:end]) - len(flat[start:end].lstrip()))
            last = line + paragraph.count("\n", 0, end)
            found.append(Sentence(text, first_line if inside else first, inside or last))
    return tuple(found)


def _paragraphs(markdown: str, first_line: int) -> Iterator[tuple[str, int]]:
    """Runs of lines that read on: a blank line or a list marker begins a new one."""
    run: list[str] = []
    start = first_line
    for number, line in enumerate(markdown.split("\n"), first_line):
        prefix = _LINE_PREFIX.match(line)
        marker = prefix[0] if prefix else ""
        text = line[len(marker) :]
        if (not text.strip() or marker.strip(" >")) and run:
            yield "\n".join(run), start
            run = []
        if text.strip():
            start = start if run else number
            run.append(text.rstrip())
    if run:
        yield "\n".join(run), start


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence in one line of text."""
    masked = _OPAQUE.sub(lambda span: "x" * len(span[0]), text)
    start = 0
    for end in _END.finditer(masked):
        if _goes_on(masked, start, end):
            continue
        yield start, end.end()
        start = end.end()
    if text[start:].strip():
        yield start, len(text)


def _goes_on(text: str, start: int, end: re.Match[str]) -> bool:
    """Whether the sentence goes on after this full stop."""
    before, after = text[start : end.start()], text[end.end() :]
    if end[0][0] != "." or not after.strip():
        return before.count("(") > before.count(")") + end[0].count(")") and ")" in after and end[0][0] in "?!."
    words = before.split()
    last = words[-1].lstrip("(*_\"'").lower() if words else ""
    if last in _ABBREVIATIONS or (len(last) == 1 and last.isalpha()) or (last.isdigit() and len(words) == 1):
        return True
    if before.count("(") > before.count(")") + end[0].count(")") and ")" in after:
        return True
    return bool(_STARTS_LOWER.match(after)) and end[0].rstrip("*_") == "."


def rows_of(table: str, first_line: int) -> tuple[Sentence, ...]:
    """The body rows of a table, each whole."""
    rows = table.split("\n")[2:]
    return tuple(Sentence(row.strip(), line, line) for line, row in enumerate(rows, first_line + 2) if row.strip())


def comments_of(code: str, language: str, first_line: int) -> tuple[Sentence, ...]:
    """The comments and docstrings of a code block, neighbouring comment lines read as one text.

    A language that no lexer knows is taken to comment with `#`, `//` or `--`.
    """
    lines: dict[int, str] = {}
    for number, text in _comment_lines(code, language):
        words = _COMMENT_MARKS.sub("", _COMMENT_MARKS.sub("", text)).strip()
        if len(_NOT_WORDS.sub("", words)) > 2 and not text.lstrip().startswith("#>"):  # `#>` is a doc's printed output
            lines[number] = words
    found: list[Sentence] = []
    for number, words in lines.items():
        previous = found[-1] if found else None
        if (
            previous
            and previous.end_line == first_line + number - 1
            and not previous.text.endswith((".", "!", "?", ":"))
        ):
            found[-1] = Sentence(f"{previous.text} {words}", previous.start_line, first_line + number)
        else:
            found.append(Sentence(words, first_line + number, first_line + number))
    return tuple(found)


@lru_cache
def _lexer(language: str) -> Lexer | None:
    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False) if language not in ("", "text") else None
    except ClassNotFound:
        return None


def _comment_lines(code: str, language: str) -> Iterator[tuple[int, str]]:
    lexer = _lexer(language)
    if lexer is None:
        for number, line in enumerate(code.split("\n")):
            if re.match(r"\s*(#|//|--)\s", line):
                yield number, line
        return
    number = 0
    for kind, text in lexer.get_tokens(code):
        if _is(kind, String.Doc) or (_is(kind, Comment) and not _is(kind, Comment.Preproc)):
            for offset, line in enumerate(text.split("\n")):
                yield number + offset, line
        number += text.count("\n")


def _is(kind: _TokenType, wider: _TokenType) -> bool:
    """Whether a token type is another or a part of it."""
    return tuple(kind[: len(wider)]) == tuple(wider)
