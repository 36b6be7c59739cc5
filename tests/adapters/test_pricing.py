"""What calls cost."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from service.adapters.pricing import Price, Prices, load_prices
from service.domain import Usage
from service.errors import BadSetting
from service.settings import Settings

MILLION = 1_000_000


def test_every_kind_of_token_has_a_rate_of_its_own() -> None:
    """Fresh input, cached input, cache writes and output are each counted once."""
    price = Price(input=Decimal(2), cached=Decimal("0.5"), cache_write=Decimal("2.5"), output=Decimal(10))
    used = Usage(input_tokens=MILLION, cached_tokens=400_000, cache_write_tokens=200_000, output_tokens=100_000)
    assert price.of(used) == Decimal("0.8") + Decimal("0.2") + Decimal("0.5") + Decimal(1)
    assert price.of(Usage()) == 0


def test_a_rate_that_is_not_given_is_that_of_other_input() -> None:
    """Never nothing."""
    price = Price(input=Decimal(2), output=Decimal(10))
    assert price.of(Usage(input_tokens=MILLION, cached_tokens=400_000, cache_write_tokens=200_000)) == 2


def test_more_cached_tokens_than_input_cost_nothing_extra() -> None:
    """A provider that counts cached tokens beside the input does not make the price negative."""
    price = Price(input=Decimal(2), cached=Decimal(1), output=Decimal(0))
    assert price.of(Usage(input_tokens=0, cached_tokens=MILLION)) == 1


def test_the_table_makes_sense() -> None:
    """Cached input costs less than fresh input, and output more; the default model and the embeddings have a price."""
    prices = load_prices()
    assert prices.of(Settings.model_fields["chat_model"].default)
    for model, entries in prices.by_model.items():
        for price in entries:
            assert date(2025, 1, 1) < price.since < date(2027, 1, 1)
            assert price.input > 0
            if model.startswith("text-embedding-"):
                assert price.output == 0
            else:
                assert price.cached is not None
                assert 0 < price.cached < price.input < price.output
    assert prices.cost(Usage(input_tokens=MILLION), "text-embedding-3-small") == Decimal("0.02")
    used = Usage(input_tokens=1000, cached_tokens=400, output_tokens=50)
    assert prices.cost(used, "gpt-6-luna") == Decimal("0.000089")


@pytest.mark.parametrize("name", ["gpt-6-luna-2026-10-01", "gpt-6-luna-20261001"])
def test_a_dated_name_has_the_price_of_its_model(name: str) -> None:
    """Unless it has one of its own."""
    prices = load_prices()
    assert prices.of(name) == prices.of("gpt-6-luna") is not None
    own = load_prices(f'{{"{name}": {{"input": 9}}}}')
    assert own.of(name) == Price(input=Decimal(9)) != own.of("gpt-6-luna")


@pytest.mark.parametrize("name", ["gpt-7", "gpt-6-luna-mini", "openai/gpt-6-luna", "", "ft:gpt-6-luna:me"])
def test_a_model_without_a_price_is_unknown(name: str) -> None:
    """Not free, and not as dear as one of a similar name."""
    assert load_prices().of(name) is None
    assert load_prices().cost(Usage(input_tokens=5), name) is None


def test_the_first_name_with_a_price_counts() -> None:
    """What was asked for, else what answered."""
    prices = load_prices('{"a": {"input": 1}, "b": {"input": 2}}')
    used = Usage(input_tokens=MILLION)
    assert [prices.cost(used, *names) for names in (("a", "b"), ("b", "a"), ("x", "b"), ("x", "y"))] == [1, 2, 2, None]


def test_prices_change_from_a_day_on() -> None:
    """A call is priced as of its day; before the first entry nothing is known."""
    old, new = Price(input=Decimal(1), since=date(2026, 1, 1)), Price(input=Decimal(2), since=date(2026, 6, 1))
    prices = Prices({"m": (old, new)})
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 5, 31), date(2026, 6, 1)]
    assert [prices.of("m", day) for day in days] == [None, old, old, new]


def test_the_setting_adds_and_replaces() -> None:
    """Numbers are read exactly, as JSON numbers or as text."""
    prices = load_prices('{"mine": {"input": 0.1, "cached": "0.01", "output": 3}, "gpt-6-luna": {"input": 7}}')
    assert prices.of("mine") == Price(input=Decimal("0.1"), cached=Decimal("0.01"), output=Decimal(3))
    assert prices.of("gpt-6-luna") == Price(input=Decimal(7))
    assert prices.of("gpt-6.1-sol") == load_prices().of("gpt-6.1-sol")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("cheap", "is no JSON"),
        ("[]", "the whole: Input should be"),
        ('{"m": 3}', "m: Input should be"),
        ('{"m": {}}', "m.input: Field required"),
        ('{"m": {"input": -1}}', "m.input: Input should be greater than or equal to 0"),
        ('{"m": {"input": "x"}}', "m.input: Input should be a valid decimal"),
        ('{"m": {"input": NaN}}', "m.input: Input should be a finite number"),
        ('{"m": {"input": 1, "ouput": 2}}', "m.ouput: Extra inputs are not permitted"),
    ],
)
def test_a_wrong_setting_is_named(setting: str, said: str) -> None:
    """In one line that says where, what, and what it must look like."""
    with pytest.raises(BadSetting) as raised:
        load_prices(setting)
    message = str(raised.value)
    assert message.startswith("MASTERY_PRICES: ")
    assert said in message
    assert '{"my-model": {"input": 0.5' in message
    assert "\n" not in message
