"""How many tokens texts have: each is counted once, many of them together."""

from __future__ import annotations

from collections.abc import Callable, Sequence


class TokenCounts:
    """The tokens of a text. Cutting a chapter asks for the same ones again and again."""

    def __init__(self, count_tokens: Callable[[Sequence[str]], Sequence[int]]) -> None:
        """`count_tokens` is an `Embedder`'s."""
        self._count_tokens = count_tokens
        self._known: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        """The tokens of one text."""
        if text not in self._known:
            self.ahead([text])
        return self._known[text]

    def ahead(self, texts: Sequence[str]) -> None:
        """Count together what will be asked for."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(new, self._count_tokens(new), strict=True))
