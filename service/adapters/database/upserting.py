"""Inserts that know what to do about a row that is there; each dialect has a construct of its own for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnCollection, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite


def upserts(table: Table, change: Callable[[ColumnCollection[str, Any]], Mapping[str, Any]]) -> dict[str, Insert]:
    """The statement for each dialect, by its name; `change` says out of the new row what becomes of the old one."""
    keys = list(table.primary_key.columns)
    for_sqlite = sqlite.insert(table)
    for_postgres = postgresql.insert(table)
    return {
        "sqlite": for_sqlite.on_conflict_do_update(index_elements=keys, set_=dict(change(for_sqlite.excluded))),
        "postgresql": for_postgres.on_conflict_do_update(index_elements=keys, set_=dict(change(for_postgres.excluded))),
    }
