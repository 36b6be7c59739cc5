"""A model's Markdown -> what is shown of it, piece by piece while it is being written.

Markers are numbered in order of first use, those of no passage are left out. Links and images are the model's word
for where something is, so only links that stand in the passages are kept; what looks like HTML is escaped. Code stays
as it is. What is given out is never taken back: a piece that could still become a marker, a link or code is held.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_PLAIN = re.compile(r"(?:(?!https?://)[^`~\[!<])+")
_UNDECIDED = re.compile(r"\s?(?:\bh(?:t(?:t(?:p(?:s?(?::/{0,2})?)?)?)?)?)?\Z")
_URL = re.compile(r"https?://[^\s<>`\"]*[^\s<>`\".,;:!?)\]'*_]")
_BRACKET = re.compile(r"(!?)\[([^\[\]\n]{0,300})\]")
_TARGET = re.compile(r"\(([^()\n]*(?:\([^()\n]*\)[^()\n]*)*)\)")
_MARKER = re.compile(r"\d{1,2}(?:\s*,\s*\d{1,2})*")
_TAG = re.compile(r"<[A-Za-z/!?]")
_LINE_OPENS = re.compile(r"\s*(?:>\s*)*(?:[-*+]\s+|\d{1,9}[.)]\s+)?\Z")
_LONGEST_SPAN = 2000

Number = Callable[[int], int | None]
"""A passage's number -> the number that is shown, None where the marker is left out."""


class ShownText:
    """Feed it the model's text as it comes; it gives back what may be shown."""

    def __init__(self, number: Number, is_known_link: Callable[[str], bool]) -> None:
        self._number = number
        self._is_known_link = is_known_link
        self._held = ""
        self._space = ""  # before a marker it is not shown
        self._line = ""  # what was shown of the current line
        self._fence = ""

    def feed(self, text: str) -> str:
        """The next piece; empty where everything is still undecided."""
        self._held += text
        return "".join(self._decided(ended=False))

    def end(self) -> str:
        """What was held, now that nothing follows."""
        return "".join(self._decided(ended=True))

    def _decided(self, *, ended: bool) -> Iterator[str]:
        while self._held:
            piece = self._in_fence(ended) if self._fence else self._next(ended)
            if piece is None:
                return
            self._line = (self._line + piece).rpartition("\n")[2]
            yield piece

    def _next(self, ended: bool) -> str | None:
        head = self._held[0]
        if head in "`~":
            return self._code(ended)
        if head in "[!":
            return self._bracket(ended)
        if head == "<":
            return self._angle(ended)
        if url := _URL.match(self._held):
            return self._address(url, ended)
        return self._plain(ended)

    def _take(self, length: int, shown: str | None = None) -> str:
        """Consume so many characters; show them, or something else instead."""
        taken, self._held = self._held[:length], self._held[length:]
        space, self._space = self._space, ""
        return space + (taken if shown is None else shown)

    def _plain(self, ended: bool) -> str | None:
        found = _PLAIN.match(self._held)
        length = found.end() if found else 1
        if not ended and (length == len(self._held) or not found):
            length = min(length, _start_of(_UNDECIDED, self._held))
            if not length:
                return None
        piece = self._take(length)
        if piece[-1].isspace() and self._held[:1] in ("", "[") and not ended:
            self._space = piece[-1]
            return piece[:-1]
        return piece

    def _address(self, url: re.Match[str], ended: bool) -> str | None:
        """A bare address: as code, so that nothing makes a link of it, unless the passages hold it."""
        if not ended and not re.search(r"\s", self._held) and len(self._held) < _LONGEST_SPAN:
            return None
        return self._take(url.end(), None if self._is_known_link(url[0]) else f"`{url[0]}`")

    def _angle(self, ended: bool) -> str | None:
        if len(self._held) == 1 and not ended:
            return None
        if _TAG.match(self._held) or self._held.startswith("<http"):
            return self._take(1, "\\<")
        return self._take(1)

    def _bracket(self, ended: bool) -> str | None:
        found = _BRACKET.match(self._held)
        if found is None:
            open_ = re.fullmatch(r"!?(?:\[[^\[\]\n]{0,300})?", self._held)
            return None if open_ and not ended else self._take(1)
        if found.end() == len(self._held) and not ended:
            return None
        if self._held[found.end() : found.end() + 1] == "(":
            return self._link(found, ended)
        if not found[1] and _MARKER.fullmatch(found[2]):
            return self._markers(found)
        return self._take(1)

    def _link(self, found: re.Match[str], ended: bool) -> str | None:
        target = _TARGET.match(self._held, found.end())
        if target is None:
            open_ = "\n" not in self._held[found.end() :] and len(self._held) < _LONGEST_SPAN
            return None if open_ and not ended else self._take(1)
        address = target[1].strip().partition(" ")[0].strip("<>")
        if not found[1] and self._is_known_link(address):
            return self._take(target.end())
        return self._take(target.end(), found[2].replace("<", "\\<"))

    def _markers(self, found: re.Match[str]) -> str:
        """Each number once, a space before each, in place of the white space that stood there."""
        numbers = dict.fromkeys(self._number(int(number)) for number in re.findall(r"\d+", found[2]))
        self._space = ""
        first = not self._line.strip()
        shown = "".join(f" [{number}]" for number in numbers if number is not None)
        return self._take(found.end(), shown.lstrip() if first else shown)

    def _code(self, ended: bool) -> str | None:
        mark = self._held[0]
        run = len(self._held) - len(self._held.lstrip(mark))
        if run == len(self._held) and not ended:
            return None
        if run >= 3 and _LINE_OPENS.match(self._line + self._space):
            self._fence = mark * run
            return self._take(run)
        if mark == "~":
            return self._take(run)
        close = re.compile(rf"(?<!`){mark * run}(?!`)").search(self._held, run)
        stop = self._held.find("\n\n", run)
        if close and (stop < 0 or close.start() < stop):
            undecided = close.end() == len(self._held) and not ended
            return None if undecided else self._take(close.end())
        given_up = ended or stop >= 0 or len(self._held) > _LONGEST_SPAN
        return self._take(run) if given_up else None

    def _in_fence(self, ended: bool) -> str | None:
        """Line by line, so that the closing fence is seen; the start of a line that may be one is held."""
        line, newline, _ = self._held.partition("\n")
        fresh = not self._line
        closes = fresh and _closes(line.strip(), self._fence)
        if not newline and not ended and fresh and not line.strip(f" {self._fence[0]}"):
            return None
        if closes:
            self._fence = ""
        return self._take(len(line) + len(newline))


def _closes(line: str, fence: str) -> bool:
    return len(line) >= len(fence) and not line.strip(fence[0])


def _start_of(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.search(text)
    return found.start() if found else len(text)


def shown(markdown: str, number: Number, is_known_link: Callable[[str], bool]) -> str:
    """A whole text at once."""
    text = ShownText(number, is_known_link)
    return text.feed(markdown) + text.end()
