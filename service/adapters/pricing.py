"""Prices in US dollars per million tokens, as published in October and November 2026."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from service.domain import Usage

_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Price:
    """What a model's tokens cost; cached input has its own rate."""

    input: Decimal
    cached: Decimal
    output: Decimal

    def of(self, usage: Usage) -> Decimal:
        """What a call cost."""
        fresh = usage.input_tokens - usage.cached_tokens
        return (fresh * self.input + usage.cached_tokens * self.cached + usage.output_tokens * self.output) / _MILLION


def _price(input_: str, cached: str, output: str) -> Price:
    return Price(Decimal(input_), Decimal(cached), Decimal(output))


CHAT_PRICES: Mapping[str, Price] = {
    "gpt-6-luna": _price("0.10", "0.01", "0.50"),
    "gpt-6.1-terra": _price("1", "0.05", "5"),
    "gpt-6.1-sol": _price("2", "0.10", "10"),
    "gpt-5.6-luna": _price("0.20", "0.02", "1.20"),
    "gpt-5.4-mini": _price("0.75", "0.075", "4.50"),
}

EMBEDDING_PRICES: Mapping[str, Decimal] = {
    "text-embedding-3-small": Decimal("0.02"),
    "text-embedding-3-large": Decimal("0.13"),
}
