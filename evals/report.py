"""Figures as a table for people and as JSON for machines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from evals.metrics import Figure
from evals.runner import Outcome


def as_json(figures: Mapping[str, Mapping[str, Figure]]) -> dict[str, Any]:
    """Set -> figure -> value, interval and n; null where nothing was measured, since JSON has no NaN."""
    return {name: {key: _rounded(figure) for key, figure in some.items()} for name, some in figures.items()}


def _rounded(figure: Figure) -> dict[str, float | None]:
    return {k: None if math.isnan(v) else round(v, 4) for k, v in asdict(figure).items()}


def print_table(figures: Mapping[str, Mapping[str, Figure]]) -> None:
    """One row a figure, one column a set."""
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for name in figures:
        table.add_column(name, justify="right")
    for key in next(iter(figures.values())):
        table.add_row(key, *(_cell(some[key]) for some in figures.values()))
    Console(width=40 + 26 * len(figures)).print(table)


def print_misses(outcomes: Sequence[Outcome]) -> None:
    """The questions that went wrong, and how."""
    out = Console(soft_wrap=True, highlight=False)
    for outcome in outcomes:
        item = outcome.item
        if item.answerable and outcome.refused:
            wrong = "refused"
        elif not item.answerable and not outcome.refused:
            wrong = f"answered although {item.distance or 'not covered'}"
        elif item.answerable and outcome.coverage < 1:
            wrong = f"rank {outcome.rank}, {outcome.coverage:.0%} of the facts"
        else:
            continue
        cited = ", ".join(f"{c.chapter}#{c.anchor}" for c in outcome.answer.citations[:1])
        out.print(f"{item.id}: {wrong}: {item.question[:110]!r} -> {cited}", markup=False)


def _cell(figure: Figure) -> str:
    return "-" if not figure.n else f"{figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}] n={figure.n}"
