"""What tokens cost: dated data beside this file, and what MASTERY_PRICES adds to it. Unknown is None, never nothing."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from service.domain import Usage
from service.errors import BadSetting

_DATA = Path(__file__).with_name("prices.toml")
_MILLION = Decimal(1_000_000)
_DATED = re.compile(r"-20\d\d-?\d\d-?\d\d$")

_Dollars = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]


class Price(BaseModel):
    """US dollars per million tokens, from a day on. Cached input and cache writes have rates of their own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: _Dollars
    output: _Dollars = Decimal(0)
    cached: _Dollars | None = None
    cache_write: _Dollars | None = None
    since: date = date.min

    def of(self, usage: Usage) -> Decimal:
        """What a call costs in US dollars."""
        cached = self.input if self.cached is None else self.cached
        written = self.input if self.cache_write is None else self.cache_write
        fresh = max(usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens, 0)
        dollars = (
            fresh * self.input
            + usage.cached_tokens * cached
            + usage.cache_write_tokens * written
            + usage.output_tokens * self.output
        )
        return dollars / _MILLION


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices by model, for each model the oldest first."""

    by_model: Mapping[str, tuple[Price, ...]]

    def of(self, model: str, on: date | None = None) -> Price | None:
        """A model's price on a day (today), or None where it is unknown.

        A dated name (`gpt-6-luna-2026-10-01`) that has no price of its own has that of its model.
        """
        prices = self.by_model.get(model) or self.by_model.get(_DATED.sub("", model)) or ()
        day = on or datetime.now(UTC).date()
        return next((price for price in reversed(prices) if price.since <= day), None)

    def cost(self, usage: Usage, *models: str) -> Decimal | None:
        """What a call costs today, by the first of the names that has a price; None where none has."""
        price = next((price for model in models if (price := self.of(model))), None)
        return price.of(usage) if price else None


class _Entry(Price):
    """A price in the data file; there, the day is not optional."""

    model: str
    since: date


def load_prices(setting: str | None = None) -> Prices:
    """The table, and over it what MASTERY_PRICES says: JSON, `{model: {input, cached, cache_write, output}}`.

    Raises:
        BadSetting: it is no such thing.
    """
    data = tomllib.loads(_DATA.read_text(encoding="utf-8"), parse_float=Decimal)
    entries = TypeAdapter(list[_Entry]).validate_python(data["price"])
    by_model: dict[str, tuple[Price, ...]] = {}
    for entry in sorted(entries, key=lambda entry: entry.since):
        by_model[entry.model] = (*by_model.get(entry.model, ()), entry)
    own = {model: (price,) for model, price in _own_prices(setting).items()}
    return Prices(by_model | own)


def _own_prices(setting: str | None) -> dict[str, Price]:
    if not setting:
        return {}
    form = (
        'a JSON object such as {"my-model": {"input": 0.5, "cached": 0.05, "output": 2}}, in dollars a million tokens'
    )
    try:
        stated = json.loads(setting, parse_float=Decimal, parse_int=Decimal)
        return TypeAdapter(dict[str, Price]).validate_python(stated)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise BadSetting(f"MASTERY_PRICES: {place}: {first['msg']}; it must be {form}") from None
    except ValueError as error:
        raise BadSetting(f"MASTERY_PRICES: is no JSON ({error}); it must be {form}") from None
