"""An index of the plain fixture chapters in the embedded engine, embedded by the bundled model, and settings for it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from ingest.pipeline import Pipeline
from ingest.report import IngestReport
from service.settings import Settings
from service.wiring import open_workshop

PLAIN = Path(__file__).parent / "fixtures" / "plain_knowledge_base"


class Silence:
    """The pipeline's `Progress`, told to nobody."""

    def step(self, name: str, total: int) -> None:
        """Ignore."""

    def advance(self, count: int = 1) -> None:
        """Ignore."""

    def estimate(self, chunks: int, tokens: int, cost: Decimal | None) -> None:
        """Ignore."""


def settings_for(data_dir: Path, **changes: Any) -> Settings:
    """The defaults with this data folder, whatever the environment says."""
    values = {name: field.get_default() for name, field in Settings.model_fields.items()}
    values |= {"data_dir": data_dir, "knowledge_base": PLAIN} | changes
    return Settings(**{str(Settings.model_fields[name].alias): value for name, value in values.items()})


async def ingest(data_dir: Path, folder: Path) -> IngestReport:
    """Bring the index in a data folder up to date with a folder of chapters."""
    async with open_workshop(settings_for(data_dir)) as workshop:
        pipeline = Pipeline(workshop.store, workshop.embedder, workshop.terms, workshop.fingerprint, Silence())
        return await pipeline.run(folder)


def source_lines(path: str) -> list[str]:
    """The lines of a fixture chapter as they stand in its file; the first is line 1, at position 0."""
    text = (PLAIN / path).read_bytes().decode("utf-8-sig")
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
