"""The knowledge base as the product's own loader reads it, loaded once for all tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ingest.chapters import parse
from ingest.folder import scan
from ingest.sources import Problem, Source
from service.domain import Chapter

FOLDER = Path(__file__).parents[2] / "knowledge_base"


@dataclass(frozen=True, eq=False)  # compared and hashed by identity, so that an index of it can be cached
class Library:
    """The chapters that are written, by path, and what the loader could not read."""

    chapters: Mapping[str, Chapter]
    problems: tuple[Problem, ...] = ()


def library_of(sources: Iterable[Source], problems: Iterable[Problem] = ()) -> Library:
    """Parse sources into a library; what the parser reports joins the problems."""
    found = list(problems)
    chapters = {}
    for source in sources:
        chapter, more = parse(source)
        chapters[chapter.path] = chapter
        found.extend(more)
    return Library(chapters, tuple(found))


@cache
def load(folder: Path = FOLDER) -> Library:
    """The library on disk."""
    sources, problems = scan(folder)
    return library_of(sources, problems)
