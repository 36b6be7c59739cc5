"""Cuts prose into whole sentences and code into its comments: the units that an answer may quote.

A sentence ends at a full stop, question or exclamation mark, also a Chinese or Japanese one, that stands outside code
spans, links and brackets and is not part of an abbreviation, a number or a dotted name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby
from operator import itemgetter

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, String, _TokenType
from pygments.util import ClassNotFound

from service.domain import Sentence

_ABBREVIATIONS = frozenset("e.g i.e etc vs cf approx resp no fig dr mr mrs ms st al inc ltd jr sr ca".split())
_END = re.compile(r"[.!?…][\"'”’)\]*_]*(?=\s)|[。！？][”’）」]*")
_OPAQUE = re.compile(r"(`+).+?\1|\[[^\]\n]{0,999}\]\([^)\n]{0,999}\)|<https?://[^>]*>|https?://\S*[^\s.,;)]")
_STARTS_LOWER = re.compile(r"\s+[a-z]")
_SHORT_FORM = 5  # letters; shorter words before a full stop may be an abbreviation that no list knows
_LONGEST = 2000  # characters; what reads on for longer is no sentence, and to look on without an end takes for ever
_LINE_PREFIX = re.compile(r"^\s*(?:>\s?)*(?:[-*+]\s+(?:\[[ xX]\]\s+)?|\d{1,9}[.)]\s+)?")
_COMMENT_MARKS = re.compile(
    r"^\s*(?:#+!?|//+[/!]?|--+|/\*+|\*+/?|;+|%+|\"\"\"|'''|<!--)\s?|(?:\*+/|\"\"\"|'''|-->)\s*$"
)
_NOT_COMMENTS = (Comment.Preproc, Comment.PreprocFile, Comment.Hashbang)  # what lexers file under comments
_PYTHON_COMMENT = re.compile(
    r"""(?P<doc>\"{3}[\s\S]*?(?:\"{3}|\Z)|'{3}[\s\S]*?(?:'{3}|\Z))"""
    r"""|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|(?P<comment>\#[^\n]*)"""
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
        last, counted = line, 0
        for start, end in _spans(flat):
            begin = start + len(flat[start:end]) - len(flat[start:end].lstrip())
            first = last + paragraph.count("\n", counted, begin)
            last, counted = first + paragraph.count("\n", begin, end), end
            text = re.sub(r"\s+", " ", flat[start:end]).strip()
            if _NOT_WORDS.sub("", text):
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
    masked = _OPAQUE.sub(_masked, text)
    start = 0
    for end in _END.finditer(masked):
        if _goes_on(masked, start, end):
            continue
        yield start, end.end()
        start = end.end()
    if text[start:].strip():
        yield start, len(text)


def _masked(span: re.Match[str]) -> str:
    """As long as what it hides; a name in code may begin a sentence, whatever its first letter."""
    begins = span[0].lstrip("[<")[:1]
    return ("x" if begins.islower() else "X").ljust(len(span[0]), "_")


def _goes_on(text: str, start: int, end: re.Match[str]) -> bool:
    """Whether the sentence goes on after this full stop."""
    before = text[start : end.start()]
    if len(before) > _LONGEST or end.end() == len(text):
        return False
    opened = before.count("(") > before.count(")") + end[0].count(")")
    if opened and end[0][0] in "?!." and text.find(")", end.end(), end.end() + _LONGEST) >= 0:
        return True
    if end[0][0] != ".":
        return False
    last = before[before.rfind(" ") + 1 :].lstrip("(*_\"'").lower()
    if last in _ABBREVIATIONS or (len(last) == 1 and last.isalpha()) or (last.isdigit() and before.strip() == last):
        return True
    a_word = len(last) >= _SHORT_FORM and last.isalpha()
    return not a_word and bool(_STARTS_LOWER.match(text, end.end())) and end[0].rstrip("*_") == "."


def rows_of(table: str, first_line: int) -> tuple[Sentence, ...]:
    """The body rows of a table, each whole."""
    rows = table.split("\n")[2:]
    return tuple(Sentence(row.strip(), line, line) for line, row in enumerate(rows, first_line + 2) if row.strip())


def comments_of(code: str, language: str, first_line: int) -> tuple[Sentence, ...]:
    """The comments and docstrings of a code block, neighbouring comment lines read as one text.

    A comment after code is about its own line and goes on only in comments right below it. A language that no lexer
    knows is taken to comment with `#`, `//` or `--`.
    """
    found: list[Sentence] = []
    above = ""
    for number, before, text in _comment_lines(code, language):
        words = _COMMENT_MARKS.sub("", text).strip()
        if len(_NOT_WORDS.sub("", words)) <= 2 or text.lstrip().startswith("#>"):  # `#>` is a doc's printed output
            continue
        line = first_line + number
        neighbour = bool(found) and found[-1].end_line == line - 1 and not found[-1].text.endswith((".", "!", "?", ":"))
        if neighbour and not before.strip() and (not above.strip() or len(above) == len(before)):
            found[-1] = Sentence(f"{found[-1].text} {words}", found[-1].start_line, line)
        else:
            found.append(Sentence(words, line, line))
            above = before
    return tuple(found)


@lru_cache
def _lexer(language: str) -> Lexer | None:
    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False) if language not in ("", "text") else None
    except ClassNotFound:
        return None


def _comment_lines(code: str, language: str) -> Iterator[tuple[int, str, str]]:
    """Every line of a comment: its number from 0, what stands before the comment on it, and the comment."""
    if language in ("python", "py", "python3"):
        yield from _python_comment_lines(code)
        return
    lexer = _lexer(language)
    if lexer is None:
        for number, line in enumerate(code.split("\n")):
            if re.match(r"\s*(#|//|--)\s", line):
                yield number, "", line
        return
    number, before = 0, ""
    for comment, tokens in groupby(_marked(lexer.get_tokens(f"{code}\n")), itemgetter(0)):
        first, *more = "".join(text for _, text in tokens).split("\n")
        if comment:
            yield number, before, first
            yield from ((number + offset, "", line) for offset, line in enumerate(more, 1))
        number += len(more)
        before = more[-1] if more else before + first


def _python_comment_lines(code: str) -> Iterator[tuple[int, str, str]]:
    """The same for Python, which most code is: 40 times faster than a lexer of the whole language.

    A triple-quoted string is a docstring where a module, class or function opens; elsewhere it is data.
    """
    number = counted = 0
    for found in _PYTHON_COMMENT.finditer(code):
        if not found["comment"] and not (found["doc"] and _opens_a_body(code, found.start())):
            continue
        number += code.count("\n", counted, found.start())
        counted = found.start()
        before = code[code.rfind("\n", 0, found.start()) + 1 : found.start()]
        for offset, line in enumerate(found[0].split("\n")):
            yield number + offset, "" if offset else before, line


def _opens_a_body(code: str, at: int) -> bool:
    while at and code[at - 1].isspace():
        at -= 1
    return not at or code[at - 1] == ":"


def _marked(tokens: Iterable[tuple[_TokenType, str]]) -> Iterator[tuple[bool, str]]:
    """Every token's text, and whether it is one of a comment or a docstring."""
    opens = True
    for kind, text in tokens:
        doc = _is(kind, String.Doc)
        if doc and text.startswith(('"', "'")):
            yield opens, text
        else:
            yield (doc or _is(kind, Comment)) and not any(_is(kind, other) for other in _NOT_COMMENTS), text
        if text.strip() and not _is(kind, Comment) and kind is not String.Affix:
            opens = text.strip() == ":"  # a string statement elsewhere is no docstring but, say, printed output


def _is(kind: _TokenType, wider: _TokenType) -> bool:
    """Whether a token type is another or a part of it."""
    return tuple(kind[: len(wider)]) == tuple(wider)
