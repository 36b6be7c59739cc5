"""Speed and memory of ingests, and of cold embedding beside the model alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from evals.bench.clock import PeakMemory, figure
from ingest.folder import scan
from service.settings import PROJECT


def run(arguments: Sequence[str], data_dir: Path, knowledge_base: Path) -> tuple[float, float]:
    """Seconds and peak megabytes of one `mastery` command."""
    environment = os.environ | {"MASTERY_DATA_DIR": str(data_dir), "MASTERY_KNOWLEDGE_BASE": str(knowledge_base)}
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "service.cli", *arguments], env=environment, stdout=subprocess.DEVNULL
    )
    with PeakMemory(process.pid) as peak:
        code = process.wait()
    if code:
        raise RuntimeError(f"{arguments} ended with {code}")
    return time.perf_counter() - started, peak.megabytes


def measure(scratch: Path) -> None:
    """Print the figures of ingesting the shipped chapters."""
    chapters, data = scratch / "chapters", scratch / "data"
    shutil.copytree(PROJECT / "knowledge_base", chapters)
    seconds, megabytes = run(["ingest"], data, chapters)
    count = len(scan(chapters)[0])
    figure(f"first ingest, {count} chapters, shipped vectors", f"{seconds:.1f} s, {megabytes:.0f} MB", "<= 5 s")
    figure("nothing changed", f"{run(['ingest'], data, chapters)[0]:.2f} s", "<= 1 s")
    changed = min(chapters.rglob("*.md"))
    changed.write_text(changed.read_text() + "\n\n## A new section\n\nOne new sentence about connection pools.\n")
    figure("one chapter changed", f"{run(['ingest'], data, chapters)[0]:.2f} s", "<= 4 s")


def measure_cold(scratch: Path) -> None:
    """The rate of the pipeline's embedder beside the model alone, and the memory of an ingest that knows no vector."""
    process = subprocess.Popen([sys.executable, "-m", "evals.bench.cold"], stdout=subprocess.PIPE, text=True)
    with PeakMemory(process.pid) as peak:
        output, _ = process.communicate()
    ours, alone = map(float, output.split())
    figure(
        "cold embedding, 400 chunks",
        f"{ours:.0f} a second, the model alone {alone:.0f}: {ours / alone:.0%}; {peak.megabytes:.0f} MB",
        ">= 90 %, <= 700 MB",
    )
    chapters = scratch / "unknown"
    shutil.copytree(PROJECT / "knowledge_base" / "01_introduction", chapters / "91_under_another_name")
    seconds, megabytes = run(["ingest"], scratch / "unknown_data", chapters)
    figure("ingest of chapters that no vectors are shipped for", f"{seconds:.1f} s, {megabytes:.0f} MB", "<= 700 MB")


def measure_all(scratch: Path) -> None:
    """Everything in this module."""
    measure(scratch)
    measure_cold(scratch)
