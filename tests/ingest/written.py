"""Markdown written in a test, as the stages of an ingest see it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from ingest.chapters import parse
from ingest.chunking import chunk
from ingest.markdown import outline
from ingest.sources import Problem, Source
from ingest.token_counts import TokenCounts
from service.domain import Block, Chapter, Chunk


def source(text: str, path: str = "notes/chapter.md") -> Source:
    """A file that was read."""
    return Source(path, text, hashlib.sha256(text.encode()).hexdigest())


def chapter(text: str, path: str = "notes/chapter.md") -> Chapter:
    """A file without problems, parsed."""
    parsed, problems = parse(source(text, path))
    assert problems == []
    return parsed


def problems_of(text: str) -> list[Problem]:
    """What is wrong with a file."""
    return parse(source(text))[1]


def blocks(text: str) -> list[Block]:
    """Every block of a text, whatever its section."""
    return [block for section in outline(text).sections for block in section.blocks]


def cut(text: str, count: TokenCounts, path: str = "notes/chapter.md") -> list[Chunk]:
    """The chunks of a text."""
    return chunk(chapter(text, path), count)


def write_tree(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files by their path below a folder; the folder is made, and returned."""
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
