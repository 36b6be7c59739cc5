"""`mastery ingest`, `mastery eval`, and what every command has in common."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from evals.golden import FOLDER

from ..small_index import PLAIN
from .conftest import Mastery

PROJECT = Path(__file__).parents[2]
CHAPTER = "# Zeppelins\n\n## Mooring\n\nA zeppelin is moored with two ropes before it is filled.\n"


@pytest.fixture
def chapters(tmp_path: Path) -> Path:
    """A folder with one small chapter."""
    folder = tmp_path / "chapters"
    folder.mkdir()
    (folder / "zeppelins.md").write_text(CHAPTER)
    return folder


def test_help_lists_the_commands(mastery: Mastery) -> None:
    """Each command has one line of help."""
    done = mastery("--help")
    assert done.code == 0
    for command in ("serve", "ingest", "search", "ask", "eval", "doctor"):
        assert f" {command} " in done.out


def test_an_ingest_that_was_done_before_changes_nothing(mastery: Mastery) -> None:
    """The report says that everything is as it was, as JSON for scripts."""
    done = mastery("ingest", str(PLAIN), "--json")
    assert done.code == 0
    assert done.json["chapters"] == {"added": 0, "changed": 0, "removed": 0, "unchanged": 8}
    assert done.json["computed"] == 0
    assert done.json["problems"] == []


def test_a_dry_run_says_what_would_be_done(mastery: Mastery, chapters: Path) -> None:
    """Against the index that is there, a folder of one other chapter adds one and removes the rest."""
    done = mastery("ingest", str(chapters), "--dry-run", "--json")
    assert done.code == 0
    assert done.json["dry_run"] is True
    assert done.json["generation"] is None
    assert done.json["chapters"] == {"added": 1, "changed": 0, "removed": 8, "unchanged": 0}
    assert mastery("search", "--json", "keyset pagination").json != []


def test_the_folder_may_come_from_the_environment(mastery: Mastery, chapters: Path, tmp_path: Path) -> None:
    """Without an argument, MASTERY_KNOWLEDGE_BASE is ingested; people get a table."""
    done = mastery("ingest", MASTERY_KNOWLEDGE_BASE=str(chapters), MASTERY_DATA_DIR=str(tmp_path / "data"))
    assert done.code == 0
    assert "chapters" in done.out
    assert "tokens in all; embedded 1 chunks" in done.out
    found = mastery("search", "--json", "mooring", MASTERY_DATA_DIR=str(tmp_path / "data"))
    assert [passage["chapter"] for passage in found.json] == ["zeppelins.md"]


@pytest.mark.parametrize(
    ("made", "message"), [("nothing", "does not exist"), ("file", "is not a folder"), ("empty", "holds no")]
)
def test_a_folder_without_chapters_exits_with_2(mastery: Mastery, tmp_path: Path, made: str, message: str) -> None:
    """Missing, no folder, or empty: one line that names it, and the index stays as it is."""
    folder = tmp_path / made
    if made == "file":
        folder.write_text("x")
    if made == "empty":
        folder.mkdir()
    done = mastery("ingest", str(folder))
    assert done.code == 2
    assert done.err.count("error: ") == 1
    assert done.err.rstrip().split("\n")[-1].startswith(f"error: {folder} {message}")


def test_a_file_that_cannot_be_used_exits_with_1(mastery: Mastery, chapters: Path, tmp_path: Path) -> None:
    """The rest is ingested, and the file is named with its line."""
    (chapters / "latin.md").write_bytes("# Caf\xe9\n".encode("latin-1"))
    done = mastery("ingest", str(chapters), "--json", MASTERY_DATA_DIR=str(tmp_path / "data"))
    assert done.code == 1
    assert "problem: latin.md:1: is not UTF-8" in done.err
    assert done.json["chapters"]["added"] == 1


def test_the_golden_questions_are_measured(mastery: Mastery) -> None:
    """Figures by file as JSON that any parser reads, with interval and number of questions."""
    done = mastery("eval", "--golden", str(FOLDER / "plain.yaml"), "--json")
    assert done.code == 0
    figures = json.loads(done.out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert list(figures) == ["plain", "test split"]
    assert figures["plain"]["hit@1"]["n"] == 40
    assert figures["plain"]["hit@5"]["value"] > 0.8
    for name in ("mrr@10", "citation precision", "key-fact coverage", "refusal precision", "refusal recall"):
        figure = figures["plain"][name]
        assert figure["low"] <= figure["value"] <= figure["high"]


def test_questions_about_other_chapters_exit_with_2(mastery: Mastery) -> None:
    """Golden questions need their chapters; the line names file and chapter."""
    done = mastery("eval", "--golden", str(FOLDER / "fastapi.yaml"))
    assert done.code == 2
    assert done.err.strip().split("\n")[-1].startswith("error: fastapi.yaml asks about 01_introduction/")


def test_a_broken_golden_file_exits_with_2(mastery: Mastery, tmp_path: Path) -> None:
    """The line names the file and the item."""
    (tmp_path / "mine.yaml").write_text("- id: one\n  question: How?\n  answerable: false\n  colour: red\n")
    done = mastery("eval", "--golden", str(tmp_path / "mine.yaml"))
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert done.err.startswith(f"error: {tmp_path / 'mine.yaml'}: item one, colour: ")


@pytest.mark.parametrize(
    "command", [("ask", "How do I?"), ("ingest",), ("doctor",), ("serve",), ("eval",), ("search", "x1")]
)
def test_a_wrong_setting_exits_with_2_everywhere(mastery: Mastery, command: tuple[str, ...]) -> None:
    """No command starts its work with a setting that it cannot use."""
    done = mastery(*command, MASTERY_PORT="eighty")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: MASTERY_PORT: ")
    assert done.err.count("\n") == 1


def test_a_file_system_error_is_one_line(mastery: Mastery) -> None:
    """What the system refuses is a failure with its reason, not a traceback."""
    done = mastery("ingest", "x" * 300)
    assert done.code == 1
    assert done.err.startswith("error: [Errno ")
    assert done.err.count("\n") == 1


def test_a_terminal_that_speaks_little_is_served(plain_data: Path, clean_environment: dict[str, str]) -> None:
    """With an ASCII terminal, text shows `?` for what it cannot show, and JSON stays UTF-8 and whole."""
    environment = clean_environment | {"MASTERY_DATA_DIR": str(plain_data), "PYTHONIOENCODING": "ascii"}

    def shown(*options: str) -> bytes:
        command = [sys.executable, "-m", "service.cli", "ask", "Which cache strategies are there with Redis?", *options]
        done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, check=False, timeout=60)
        assert (done.returncode, done.stderr) == (0, b"")
        return done.stdout

    assert b"Cache Strategies with Redis ????" in shown()
    assert "缓存策略" in json.loads(shown("--json"))["citations"][0]["title"]
