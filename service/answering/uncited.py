"""Which sentences of a model's answer carry no marker: what a reader cannot check is counted and said."""

from __future__ import annotations

import re

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[^\n]*\n.*?(?:^[ \t]*\1[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`[^`\n]+`")
_LINE_MARK = re.compile(r"^\s*(?:>\s*)*(?:[-*+]\s+|\d{1,9}[.)]\s+|\|)?")
_END = re.compile(r"(?<=[.!?])(?:(?:\s*\[\d{1,2}\])+)?(?=\s|$)")
_MARKER = re.compile(r"\[\d{1,2}\]")
_FEWEST_WORDS = 4


def uncited_sentences(markdown: str) -> int:
    """How many sentences outside code have no marker, neither in them nor right after.

    Lead-ins (`…:`) and scraps of less than four words state nothing that could be cited.
    """
    prose = _SPAN.sub("code", _FENCE.sub("", markdown))
    return sum(_is_uncited(sentence) for line in prose.split("\n") for sentence in _sentences(line))


def _sentences(line: str) -> list[str]:
    text, start, found = _LINE_MARK.sub("", line), 0, []
    for end in _END.finditer(text):
        found.append(text[start : end.end()])
        start = end.end()
    return [*found, text[start:]]


def _is_uncited(sentence: str) -> bool:
    words = re.findall(r"\w[\w'-]*", sentence)
    return len(words) >= _FEWEST_WORDS and not sentence.rstrip().endswith(":") and not _MARKER.search(sentence)
