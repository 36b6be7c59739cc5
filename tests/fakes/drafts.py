"""Texts as a chat model writes them for the schema of a draft."""

from __future__ import annotations

import json
from collections.abc import Sequence


def drafted(
    answer: str,
    citations: Sequence[tuple[int, str]] = (),
    status: str = "answered",
    follow_ups: Sequence[str] = (),
) -> str:
    """A completion as the schema asks for it; citations are pairs of passage number and quote."""
    cited = [{"passage": number, "quote": quote} for number, quote in citations]
    return json.dumps({"answer": answer, "citations": cited, "status": status, "follow_ups": list(follow_ups)})
