"""What calls cost."""

from __future__ import annotations

from decimal import Decimal

from service.adapters.pricing import CHAT_PRICES, EMBEDDING_PRICES, Price
from service.domain import Usage
from service.settings import Settings


def test_cached_tokens_have_a_rate_of_their_own() -> None:
    """Input, cached input and output are each counted once, at their own price a million."""
    price = Price(input=Decimal(2), cached=Decimal("0.5"), output=Decimal(10))
    assert price.of(Usage(input_tokens=1_000_000, cached_tokens=400_000, output_tokens=100_000)) == Decimal("2.4")
    assert price.of(Usage()) == 0


def test_prices_make_sense() -> None:
    """Cached input costs less than fresh input, and output more; the default model has a price."""
    assert Settings.model_fields["chat_model"].default in CHAT_PRICES
    for price in CHAT_PRICES.values():
        assert 0 < price.cached < price.input < price.output
    assert all(price > 0 for price in EMBEDDING_PRICES.values())
