"""`mastery eval`: the golden questions against the index, or against the plain fixture chapters."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from evals.golden import FOLDER, Item, load_all
from evals.report import as_json as figures_as_json
from evals.report import print_misses, print_table
from evals.runner import Outcome, by_prompt, measure, run
from service.errors import UserError
from service.settings import Settings
from service.wiring import open_service

DEFAULT = ("fastapi.yaml", "everyday.yaml", "fresh_02_06.yaml", "followups.yaml")


async def run_evaluation(
    settings: Settings, files: Sequence[Path], *, prompt: int | None = None, misses: bool, as_json: bool
) -> None:
    """Run, print figures by file, over the test split, and by prompt version where a model answered.

    Raises:
        UserError: a golden file names a chapter that the index does not hold.
    """
    chosen = list(files) or [FOLDER / name for name in DEFAULT]
    load_all(chosen)
    outcomes: dict[str, list[Outcome]] = {}
    async with open_service(settings) as service:
        there = {chapter.path for chapter in await service.index.chapters()}
        with Progress(console=Console(stderr=True), transient=True) as progress:
            for file in chosen:
                items = load_all([file])
                _require(items, there, file)
                task = progress.add_task(file.stem, total=len(items))
                outcomes[file.stem] = await run(service.answerer, items, partial(progress.advance, task), prompt)
    everything = [outcome for some in outcomes.values() for outcome in some]
    figures = {name: measure(some) for name, some in outcomes.items()}
    figures["test split"] = measure([outcome for outcome in everything if outcome.item.split == "test"])
    figures |= {version: measure(some) for version, some in by_prompt(everything).items()}
    if as_json:
        sys.stdout.write(json.dumps(figures_as_json(figures), indent=2) + "\n")
    else:
        print_table(figures)
    if misses:
        print_misses(everything)


def _require(items: Sequence[Item], there: set[str], file: Path) -> None:
    wanted = {place.chapter for item in items for place in item.expect}
    if missing := sorted(wanted - there):
        raise UserError(f"{file.name} asks about {missing[0]}, which the index does not hold; ingest it first")
