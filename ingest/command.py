"""`mastery ingest`: progress while it runs, a report at the end."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from ingest.pipeline import Pipeline
from ingest.report import IngestReport
from service.settings import Settings
from service.wiring import open_workshop


async def ingest_folder(settings: Settings, folder: Path, dry_run: bool, rebuild: bool, as_json: bool) -> bool:
    """Ingest and report; whether a file could not be used."""
    console = Console(stderr=True)
    async with open_workshop(settings) as workshop:
        with _Bars(console) as bars:
            pipeline = Pipeline(workshop.store, workshop.embedder, workshop.terms, workshop.fingerprint, bars)
            report = await pipeline.run(folder, dry_run=dry_run, rebuild=rebuild)
    if as_json:
        sys.stdout.write(json.dumps(report.as_json(), ensure_ascii=False, indent=2) + "\n")
    else:
        _print(report)
    for problem in report.problems:
        console.print(f"problem: {problem}", style="red", markup=False, highlight=False, soft_wrap=True)
    return bool(report.problems)


class _Bars:
    """The pipeline's `Progress`, as bars on standard error; nothing is written before the first step."""

    def __init__(self, console: Console) -> None:
        self._console = console
        columns = (
            TextColumn("{task.description:<20}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        self._bars = Progress(*columns, console=console, transient=not console.is_terminal)
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._task is not None:
            self._bars.stop()

    def step(self, name: str, total: int) -> None:
        self._bars.start()
        self._task = self._bars.add_task(name, total=total)

    def advance(self, count: int = 1) -> None:
        if self._task is not None:
            self._bars.advance(self._task, count)

    def estimate(self, chunks: int, tokens: int, cost: Decimal | None) -> None:
        if cost is not None and chunks:
            self._console.print(f"{chunks:,} texts to embed, {tokens:,} tokens, about ${cost:.4f}")


def _print(report: IngestReport) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("", "added", "changed", "removed", "unchanged"):
        table.add_column(name, justify="left" if not name else "right")
    for name, changes in (("chapters", report.chapters), ("chunks", report.chunks)):
        table.add_row(name, str(changes.added), str(changes.changed), str(changes.removed), str(changes.unchanged))
    console = Console()
    console.print(table)
    what = "would embed" if report.dry_run else "embedded"
    cost = "" if report.cost_usd is None else f", ${report.cost_usd:.4f}"
    console.print(
        f"{report.tokens:,} tokens in all; {what} {report.computed:,} chunks "
        f"({report.computed_tokens:,} tokens{cost}); {report.seconds:.1f} s",
        highlight=False,
    )
    for sheet, chapters in report.shipped_questions.items():
        console.print(f"what people ask of {chapters} chapters came with this program ({sheet})", highlight=False)
