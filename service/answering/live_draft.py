"""A draft's JSON while it is being written -> the part of `answer` that is there so far."""

from __future__ import annotations

import re

import jiter

_OPENING_FENCE = re.compile(r"\s*(?:`{3,}\w*\s*)?")


class LiveDraft:
    """Feed it the raw text of a model; it gives back what is new of the answer."""

    def __init__(self) -> None:
        self._raw = ""
        self._given = 0

    def feed(self, raw: str) -> str:
        """The next piece of the answer; empty where there is none, or where the text is no JSON object."""
        self._raw += raw
        start = _OPENING_FENCE.match(self._raw)
        try:
            so_far = jiter.from_json(
                self._raw[start.end() if start else 0 :].encode("utf-8", "replace"), partial_mode="trailing-strings"
            )
        except ValueError:
            return ""
        answer = so_far.get("answer") if isinstance(so_far, dict) else None
        if not isinstance(answer, str):
            return ""
        new = answer[self._given :]
        self._given = len(answer)
        return new
