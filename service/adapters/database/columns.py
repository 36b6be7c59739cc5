"""How values are put into columns so that SQLite and Postgres hold the same: times, money, text."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal

from sqlalchemy import DateTime, Dialect
from sqlalchemy.types import TypeDecorator

_PARTS = 10**12
_MOST = Decimal(9_000_000)
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept in UTC; SQLite has no zones, so there it is written without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Python to database."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} is without a time zone")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Database to Python."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def to_parts(dollars: Decimal) -> int:
    """Dollars as a whole number of 1e-12 dollars, in which sums are exact; what is finer is rounded to even.

    Raises:
        ValueError: it is negative, not a number, or more than nine million dollars, which a column cannot add up.
    """
    if not (dollars.is_finite() and 0 <= dollars <= _MOST):
        raise ValueError(f"a cost of {dollars} dollars cannot be booked; see whether the prices are right")
    return int(_EXACT.to_integral_value(_EXACT.multiply(dollars, _PARTS)))


def to_dollars(parts: int) -> Decimal:
    """The inverse of `to_parts`, without trailing zeros."""
    return _EXACT.divide(Decimal(parts), Decimal(_PARTS))


def storable(text: str) -> str:
    """Text that both databases take: Postgres refuses NUL, both refuse half characters; each becomes `�`."""
    text = text.replace("\0", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in text)
    return text


def folded(text: str) -> str:
    """Text as it is searched: without case, accents and differences of presentation, in any script.

    The databases' own `lower` and `LIKE` differ between them, and SQLite's know ASCII alone.
    """
    apart = unicodedata.normalize("NFKD", storable(text)).casefold()
    return "".join(
        character for character in unicodedata.normalize("NFKD", apart) if not unicodedata.combining(character)
    )
