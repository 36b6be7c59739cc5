"""The JSON object within a text that comes in pieces.

A model that is held to a schema writes the object and nothing else. One that is merely asked for it may think aloud
first, or put the object into a Markdown fence. What is passed on is the object alone.
"""

from __future__ import annotations

_THOUGHT, _THOUGHT_END = "<think>", "</think>"


class JsonText:
    """Pieces in, the pieces of the first JSON object out."""

    def __init__(self) -> None:
        self._head = ""  # what came before the object
        self._kept: list[str] = []
        self._depth = 0
        self._in_string = False
        self._escaped = False

    @property
    def text(self) -> str:
        """The object so far; where no object began, all that came."""
        return "".join(self._kept) if self._kept else self._head

    def feed(self, piece: str) -> str:
        """The part of the object that came with this piece."""
        if not self._kept:
            self._head += piece
            start = _start(self._head)
            if start is None:
                return ""
            piece = self._head[start:]
        elif self._depth == 0:
            return ""
        kept = piece[: self._end(piece)]
        self._kept.append(kept)
        return kept

    def _end(self, piece: str) -> int:
        """How many characters of the piece belong to the object."""
        for at, character in enumerate(piece, 1):
            if self._escaped:
                self._escaped = False
            elif self._in_string:
                self._escaped = character == "\\"
                self._in_string = character != '"'
            elif character == '"':
                self._in_string = True
            elif character == "{":
                self._depth += 1
            elif character == "}":
                self._depth -= 1
                if self._depth == 0:
                    return at
        return len(piece)


def _start(head: str) -> int | None:
    """Where the object begins, once that can be told: a thought that is not over may hold braces."""
    after = 0
    if _THOUGHT in head:
        after = head.find(_THOUGHT_END)
        if after < 0:
            return None
    start = head.find("{", after)
    return None if start < 0 else start
