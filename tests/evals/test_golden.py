"""The golden files are sound, and a broken one is refused with file and item."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
import yaml

from evals import golden
from evals.command import DEFAULT
from evals.golden import GoldenFileInvalid, Item, load, load_all
from ingest.chapters import body_of, parse
from ingest.folder import scan
from ingest.markdown import outline
from ingest.shipped_questions import SHEETS

from ..knowledge_base.text import folded
from ..small_index import PLAIN

PROJECT = Path(__file__).parents[2]
OURS = PROJECT / "knowledge_base"
FILES = sorted(golden.FOLDER.glob("*.yaml"))
HERE = [file for file in FILES if file.stem != "pydantic"]  # the pages that it asks about are not in this repository


@cache
def _items(file: Path) -> list[Item]:
    return load(file)


@pytest.fixture(scope="session")
def sections() -> dict[str, dict[tuple[str, str], str]]:
    """Golden file -> (chapter, anchor) -> that section's text, for the chapters that the file is about."""
    ours, plain = _sections(OURS), _sections(PLAIN)
    return {file.name: plain if file.stem == "plain" else ours for file in HERE}


def _sections(root: Path) -> dict[tuple[str, str], str]:
    texts: dict[tuple[str, str], str] = {}
    for source in scan(root)[0]:
        chapter, _ = parse(source)
        lines = chapter.text.split("\n")
        for section in outline(body_of(chapter), chapter.body_line).sections:
            if section.blocks:
                anchor = section.trail[-1].anchor if section.trail else ""
                text = "\n".join(lines[section.blocks[0].start_line - 1 : section.blocks[-1].end_line])
                texts[chapter.path, anchor] = texts.get((chapter.path, anchor), "") + "\n" + text
    return texts


def test_the_shipped_files_are_there() -> None:
    """`mastery eval` asks these without being told; the others are asked by name."""
    assert {*DEFAULT, "plain.yaml"} <= {file.name for file in FILES}


def test_ids_are_unique_over_all_files() -> None:
    """An id names one question."""
    items = load_all(FILES)
    assert len({item.id for item in items}) == len(items)


def test_there_are_enough_questions_of_each_kind() -> None:
    """At least 60 that our chapters answer and 25 that they do not, near and far; both splits are filled."""
    ours = [item for name in DEFAULT for item in _items(golden.FOLDER / name)]
    assert sum(item.answerable for item in ours) >= 60
    refused = [item for item in ours if not item.answerable]
    assert len(refused) >= 25
    assert {item.distance for item in refused} == {"near", "far"}
    for split in ("dev", "test"):
        assert sum(item.split == split for item in ours) >= 30


def test_questions_are_not_copied() -> None:
    """No two questions are alike, and none asks about nothing."""
    said = [
        re.sub(r"\W+", " ", item.question).strip().casefold()
        for file in FILES
        for item in _items(file)
        if not item.history
    ]
    assert len(said) == len(set(said))
    assert all(len(question.split()) >= 3 for question in said)


@pytest.mark.parametrize("file", HERE, ids=lambda file: file.stem)
def test_expected_sections_exist(file: Path, sections: dict[str, dict[tuple[str, str], str]]) -> None:
    """Every chapter and anchor that is expected is there."""
    wanted = {(item.id, place.chapter, place.anchor) for item in _items(file) for place in item.expect}
    assert sorted(want for want in wanted if want[1:] not in sections[file.name]) == []


@pytest.mark.parametrize("file", HERE, ids=lambda file: file.stem)
def test_facts_stand_in_an_expected_section(file: Path, sections: dict[str, dict[tuple[str, str], str]]) -> None:
    """Each fact can be found by quoting: one of its patterns matches the source of a section that is expected."""
    texts = sections[file.name]
    missing = []
    for item in _items(file):
        there = [texts.get((place.chapter, place.anchor), "") for place in item.expect]
        for alternatives in item.facts:
            if not any(_found(pattern, text) for pattern in alternatives for text in there):
                missing.append((item.id, alternatives))
    assert missing == []


def _found(pattern: str, text: str) -> bool:
    """Whether a pattern matches a section as it is written, or with its lines and comments run together."""
    flat = re.sub(r"\s+", " ", re.sub(r"^\s*#+ ?", "", text, flags=re.MULTILINE))
    return any(re.search(pattern, shown, re.IGNORECASE) for shown in (text, flat))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_is_not_answerable_expects_nothing(file: Path) -> None:
    """A question that no chapter answers has neither places nor facts, and says how far away it is."""
    for item in _items(file):
        assert item.answerable or not (item.expect or item.facts), item.id
        assert item.answerable == (item.distance == ""), item.id


ITEM = """- id: one
  question: "How?"
  answerable: true
  expect: [{chapter: a.md, anchor: b}]
  facts: [["x"]]
"""


def test_a_minimal_file_loads(tmp_path: Path) -> None:
    """An item needs an id, a question, whether it is answerable, a place and a fact."""
    file = tmp_path / "some.yaml"
    file.write_text(ITEM)
    (item,) = load(file)
    assert isinstance(item, Item)
    assert (item.id, item.split, item.history) == ("one", "test", ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ITEM.replace("id: one", "id: one\n  colour: red"), "item one, colour: Extra inputs"),
        (ITEM.replace("  facts:", "  fact:"), "item one, fact: Extra inputs"),
        (ITEM.replace('  facts: [["x"]]\n', ""), "item one: Value error, an answerable question needs"),
        (ITEM.replace('[["x"]]', '[["("]]'), r"item one: Value error, '(' is no regular expression"),
        (ITEM.replace('[["x"]]', '["x"]'), "item one, facts.0: "),
        (ITEM.replace("answerable: true", "answerable: maybe"), "item one, answerable: "),
        (ITEM.replace("- id: one", "- split: dev"), "item no. 1, id: Field required"),
        (ITEM + ITEM.replace("id: one", "id: two").replace("chapter: a.md, ", ""), "item two, expect.0.chapter: "),
        (ITEM.replace("anchor: b", "anchor: b, line: 3"), "item one, expect.0.line: Extra inputs"),
        (ITEM + "- just text\n", "item no. 2: "),
        ("", "Input should be a valid list"),
        ("items: []", "Input should be a valid list"),
        ("- id: [", "not valid YAML"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_by_name(tmp_path: Path, text: str, message: str) -> None:
    """The error names the file, the item and the field."""
    file = tmp_path / "broken.yaml"
    file.write_text(text)
    with pytest.raises(GoldenFileInvalid) as refused:
        load(file)
    assert str(refused.value).startswith(f"{file}: {message}")


def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    """Missing, a folder, or not UTF-8: one line with the file's name."""
    (tmp_path / "latin.yaml").write_bytes("- id: café".encode("latin-1"))
    for name in ("none.yaml", ".", "latin.yaml"):
        with pytest.raises(GoldenFileInvalid, match=re.escape(str(tmp_path / name))):
            load(tmp_path / name)


def test_ids_that_stand_twice_are_named(tmp_path: Path) -> None:
    """Within one file or over two, an id may stand once."""
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    one.write_text(ITEM)
    two.write_text(ITEM)
    with pytest.raises(GoldenFileInvalid, match=r"one\.yaml.*two\.yaml: ids stand twice: one$"):
        load_all([one, two])


def test_no_golden_question_stands_in_a_sheet() -> None:
    """A question that a section carries word for word would be found by it, and measure nothing."""
    sheets = [*OURS.glob("*/questions.yaml"), *SHEETS.glob("*.yaml")]
    asked = {
        folded(question)
        for sheet in sheets
        for sections in yaml.safe_load(sheet.read_text(encoding="utf-8")).values()
        for questions in sections.values()
        for question in questions
    }
    assert len(asked) > 5000
    assert [item.id for item in load_all(FILES) if folded(item.question) in asked] == []
