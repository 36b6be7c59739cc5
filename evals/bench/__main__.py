"""`make bench`: prints figures and ratios; it asserts nothing, since a shared machine is never the same twice."""

from __future__ import annotations

import asyncio
import os
import platform
import tempfile
from pathlib import Path

from evals.bench import ingesting, page, quickstart, serving, storing, streaming
from evals.golden import FOLDER, load
from service.settings import PROJECT


def main() -> None:
    """Run every benchmark on the shipped chapters."""
    if hasattr(os, "sched_setaffinity"):  # the figures are for two cores
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    questions = [item.question for item in load(FOLDER / "fastapi.yaml") if item.answerable]
    print(f"Python {platform.python_version()}, {platform.machine()}, 2 cores\n")
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        ingesting.measure_all(scratch)
        ours = asyncio.run(serving.measure(scratch / "data", scratch / "chapters", questions))
        asyncio.run(storing.measure(scratch / "state"))
        with serving.RunningService(scratch / "data", scratch / "chapters") as service:
            asyncio.run(page.measure(service))
        asyncio.run(streaming.measure(scratch / "data", scratch / "chapters", questions))
        quickstart.measure(PROJECT / "knowledge_base", questions[:60], ours)


if __name__ == "__main__":
    main()
