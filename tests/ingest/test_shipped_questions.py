"""Questions that come with the program, for the documentation of libraries."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ingest.chapters import check, parse
from ingest.folder import scan
from ingest.questions import parse as parse_sheet
from ingest.shipped_questions import SHEETS, with_shipped
from ingest.sources import Source, read

from .written import write_tree

SHEET = """# comment: what people ask
guide/pools.md:
  (introduction): [What is a pool?]
  size: [How many connections?]
guide/locks.md:
  kinds: [Which locks?]
index.md:
  start: [Where do I begin?]
"""
POOLS = "A pool is kept.\n\n## Size\n\nIt has five.\n"


def _sources(folder: Path, *paths: str) -> list[Source]:
    write_tree(folder, dict.fromkeys(paths, POOLS))
    found = [read(folder / path, path, folder.resolve()) for path in paths]
    return [source for source in found if isinstance(source, Source)]


def _shipped(tmp_path: Path, *paths: str, spoken_for: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """The anchors that have questions, by chapter."""
    write_tree(tmp_path / "sheets", {"lib.yaml": SHEET})
    sources = _sources(tmp_path / "kb", *paths)
    return {
        source.path: list(source.asked)
        for source in with_shipped(sources, spoken_for, tmp_path / "sheets")
        if source.shipped == "lib"
    }


@pytest.mark.parametrize("base", ["", "docs/", "lib/docs/"])
def test_known_pages_get_their_questions_wherever_they_lie(tmp_path: Path, base: str) -> None:
    """A library's repository may be given as a whole; pages that are not there any more are not missed."""
    paths = [f"{base}guide/pools.md", f"{base}index.md", f"{base}guide/new.md"]
    assert _shipped(tmp_path, *paths) == {paths[0]: ["", "size"], paths[1]: ["start"]}


def test_other_pages_get_none(tmp_path: Path) -> None:
    """One file of the same name is chance; only where half of a sheet's pages lie together is it that library."""
    assert _shipped(tmp_path, "index.md", "guide/other.md") == {}
    assert _shipped(tmp_path, "a/index.md", "b/guide/pools.md") == {}


def test_what_the_folder_says_itself_goes_before(tmp_path: Path) -> None:
    """Also where it says that nothing is asked of a page."""
    assert _shipped(tmp_path, "guide/pools.md", "guide/locks.md", "index.md", spoken_for=("index.md",)).keys() == {
        "guide/pools.md", "guide/locks.md",
    }  # fmt: skip
    pages = dict.fromkeys(_pydantic(), POOLS)
    write_tree(
        tmp_path / "kb", {**pages, "questions.yaml": "concepts/models.md: {}\nconcepts/types.md:\n  size: [Why?]\n"}
    )
    sources = {source.path: source for source in scan(tmp_path / "kb")[0]}
    assert (dict(sources["concepts/models.md"].asked), sources["concepts/models.md"].shipped) == ({}, "")
    assert (dict(sources["concepts/types.md"].asked), sources["concepts/types.md"].shipped) == ({"size": ("Why?",)}, "")
    assert sources["concepts/unions.md"].shipped == "pydantic"


def test_a_page_that_lost_a_section_is_no_problem(tmp_path: Path) -> None:
    """Libraries change their pages; nobody can mend a sheet that came with the program."""
    write_tree(tmp_path / "kb", dict.fromkeys(_pydantic(), POOLS))
    sources, problems = scan(tmp_path / "kb")
    assert problems == []
    assert {source.shipped for source in sources} == {"pydantic"}
    assert [problem for source in sources for problem in [*parse(source)[1], *check(source)]] == []
    assert "" in parse(sources[0])[0].asked


def test_a_changed_sheet_changes_the_chapters_that_it_serves(tmp_path: Path) -> None:
    """The next ingest after an update of the program sees it."""
    write_tree(tmp_path / "sheets", {"lib.yaml": SHEET})
    sources = _sources(tmp_path / "kb", "guide/pools.md", "guide/locks.md", "index.md")
    before = {source.path: source.content_hash for source in with_shipped(sources, (), tmp_path / "sheets")}
    write_tree(tmp_path / "sheets", {"lib.yaml": SHEET.replace("five", "six").replace("Which locks", "What locks")})
    after = {source.path: source.content_hash for source in with_shipped(sources, (), tmp_path / "sheets")}
    assert [path for path in before if before[path] != after[path]] == ["guide/locks.md"]


@pytest.mark.parametrize("sheet", sorted(SHEETS.glob("*.yaml")), ids=lambda sheet: sheet.stem)
def test_a_shipped_sheet_is_sound(sheet: Path) -> None:
    """It can be read, asks nothing twice, and nothing that nobody would type."""
    asked, problems = parse_sheet(Source(sheet.name, sheet.read_text(encoding="utf-8"), ""))
    assert problems == []
    texts = [text for sections in asked.values() for given in sections.values() for text in given]
    assert len(texts) == len(set(texts))
    assert all(3 < len(text) <= 160 for text in texts)


def _pydantic() -> list[str]:
    return list(yaml.safe_load((SHEETS / "pydantic.yaml").read_text(encoding="utf-8")))
