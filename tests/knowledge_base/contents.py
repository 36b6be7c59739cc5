"""The contents page as data, and which parts of the book have to be there already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

CONTENTS_FILE = Path(__file__).with_name("contents.yaml")

# Section folders whose chapters must all exist; a section joins when its last chapter is written.
COMPLETE_SECTIONS: tuple[str, ...] = (
    "01_introduction",
    "02_project_structure",
    "03_data_layer_fundamentals",
    "04_relational_databases_sql",
    "05_postgresql_specific",
    "06_nosql_mongodb",
    "12_ai_and_llm_integration",
)

# Section folders whose interview.yaml must exist and hold at least four questions a chapter.
BANKS_COMPLETE: tuple[str, ...] = COMPLETE_SECTIONS


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the contents page: where a chapter stands and what it is called."""

    path: str
    title: str
    section: str


@cache
def contents() -> Mapping[str, Entry]:
    """Every chapter of the book by its path."""
    sections = yaml.safe_load(CONTENTS_FILE.read_text("utf-8"))
    entries = [
        Entry(chapter["path"], chapter["title"], section["section"])
        for section in sections
        for chapter in section["chapters"]
    ]
    return {entry.path: entry for entry in entries}


def folder_of(path: str) -> str:
    """The section folder of a path: `10_x/websockets/01_theory.md` -> `10_x`."""
    return path.partition("/")[0]
