"""Speed and memory of ingests, and of cold embedding beside the model alone."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from evals.bench.clock import PeakMemory, figure
from ingest.vectors import texts_of_shipped_chapters
from service.adapters.local_embedder import LocalEmbedder
from service.settings import BUNDLED_MODEL, PROJECT


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
    count = sum(1 for _ in chapters.rglob("*.md"))
    figure(f"first ingest, {count} chapters, shipped vectors", f"{seconds:.1f} s, {megabytes:.0f} MB", "<= 5 s")
    figure("nothing changed", f"{run(['ingest'], data, chapters)[0]:.2f} s", "<= 1 s")
    changed = min(chapters.rglob("*.md"))
    changed.write_text(changed.read_text() + "\n\n## A new section\n\nOne new sentence about connection pools.\n")
    figure("one chapter changed", f"{run(['ingest'], data, chapters)[0]:.2f} s", "<= 4 s")


async def measure_cold(limit: int = 400) -> None:
    """The rate through the pipeline's embedder against the model alone on the same texts."""
    embedder = LocalEmbedder(BUNDLED_MODEL)
    texts = texts_of_shipped_chapters(embedder)[:limit]
    alone = _alone(embedder, texts)
    with PeakMemory(os.getpid()) as peak:
        started = time.perf_counter()
        async for _ in embedder.embed_documents(texts):
            pass
        ours = len(texts) / (time.perf_counter() - started)
    figure(
        f"cold embedding, {len(texts)} chunks",
        f"{ours:.0f} a second, the model alone {alone:.0f}: {ours / alone:.0%}; {peak.megabytes:.0f} MB",
        ">= 90 %, <= 700 MB",
    )
    await embedder.close()


def _alone(embedder: LocalEmbedder, texts: Sequence[str]) -> float:
    """The model with nothing around it: sorted by length, one session call after another."""
    ordered = sorted(texts, key=len, reverse=True)
    batches = [ordered[at : at + 8] for at in range(0, len(ordered), 8)]
    started = time.perf_counter()
    for batch in batches:
        embedder.embed(batch)
    return len(texts) / (time.perf_counter() - started)


def measure_all(scratch: Path) -> None:
    """Everything in this module."""
    measure(scratch)
    asyncio.run(measure_cold())
