"""`mastery ingest` as people and scripts run it: exit codes, the report, JSON alone on standard output."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingest.shipped_questions import SHEETS
from service.adapters.edge_store import EdgeStore
from service.settings import PROJECT

from .written import write_tree

GOOD = {"a/one.md": "# One\n\nThe first text.\n", "two.md": "# Two\n\nThe second text.\n"}
COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
OURS = ("MASTERY_", "OPENAI_", "QDRANT_")


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """Standard output, all of it, as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Command:
    """`mastery ingest` in a process of its own, with nothing in its environment but what the test says."""

    folder: Path
    data_dir: Path

    def run(self, *arguments: str, **settings: str) -> Ran:
        """Run it on the folder."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        given = {"MASTERY_DATA_DIR": str(self.data_dir), "MASTERY_KNOWLEDGE_BASE": str(self.folder), "COLUMNS": "200"}
        ended = subprocess.run(
            [sys.executable, "-m", "service.cli", "ingest", *arguments],
            env=inherited | given | settings,
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert "Traceback" not in ended.stderr
        return Ran(ended.returncode, COLOURS.sub("", ended.stdout), COLOURS.sub("", ended.stderr))


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Two good chapters, and no data yet."""
    return Command(write_tree(tmp_path / "kb", GOOD), tmp_path / "data")


def test_a_good_folder_is_reported_to_people(command: Command) -> None:
    """Without problems the exit code is 0, a table says what happened, and a terminal shows how far it is."""
    ran = command.run(FORCE_COLOR="1")
    assert ran.code == 0
    assert all(step in ran.err for step in ("Reading chapters", "Embedding", "Building the index"))
    assert [line.split() for line in ran.out.splitlines()[:3]] == [
        ["added", "changed", "removed", "unchanged"], ["chapters", "2", "0", "0", "0"], ["chunks", "2", "0", "0", "0"],
    ]  # fmt: skip
    assert "tokens in all; embedded 2 chunks" in ran.out
    assert "problem" not in ran.err


def test_people_are_told_which_questions_came_with_the_program(command: Command) -> None:
    """Pages of a known library are found in words that stand nowhere in the folder; a line says why."""
    pages = list(yaml.safe_load((SHEETS / "pydantic.yaml").read_text(encoding="utf-8")))
    write_tree(command.folder, dict.fromkeys(pages[:40], "It is a page.\n"))
    ran = command.run()
    assert "what people ask of 40 chapters came with this program (pydantic)" in ran.out


def test_problems_are_named_and_cost_the_exit_code_every_time(command: Command) -> None:
    """Broken front matter exits with 1, also if nothing changed; file and line are named and the rest is ingested."""
    write_tree(command.folder, {"broken.md": "---\ntitle: x\ntags: [\n---\n# Broken\n\nStill read.\n"})
    for counts in ({"added": 3, "unchanged": 0}, {"added": 0, "unchanged": 3}):
        ran = command.run(str(command.folder), "--json")
        assert ran.code == 1
        assert ran.report["chapters"] == {"changed": 0, "removed": 0} | counts
        (problem,) = ran.report["problems"]
        assert (problem["path"], problem["line"], problem["skipped"]) == ("broken.md", 4, False)
        assert "problem: broken.md:4: front matter is broken" in ran.err
    assert ran.report["generation"] == EdgeStore(command.data_dir / "index").current_id()


def test_a_dry_run_says_what_it_would_cost(command: Command) -> None:
    """With a paid embedder the estimate is printed and reported, nothing is sent and no index is made."""
    paid = {"MASTERY_EMBEDDING_MODEL": "text-embedding-3-small", "OPENAI_API_KEY": "none"}
    ran = command.run("--dry-run", "--json", **paid)
    assert ran.code == 0
    assert (ran.report["dry_run"], ran.report["generation"], ran.report["computed"]) == (True, None, 2)
    tokens = ran.report["computed_tokens"]
    assert float(ran.report["cost_usd"]) == pytest.approx(tokens * 0.02e-6)
    assert f"2 texts to embed, {tokens} tokens, about $0.0000" in ran.err
    assert not (command.data_dir / "index").exists()


def test_a_folder_that_cannot_be_used_is_wrong_use(command: Command, tmp_path: Path) -> None:
    """A missing folder, and one without Markdown, exit with 2 and one line that says what to do."""
    missing = command.run(str(tmp_path / "nowhere"))
    assert (missing.code, missing.out) == (2, "")
    assert missing.err == (
        f"error: {tmp_path / 'nowhere'} does not exist; name the folder of chapters, or set MASTERY_KNOWLEDGE_BASE\n"
    )
    (tmp_path / "empty").mkdir()
    empty = command.run(str(tmp_path / "empty"), "--json")
    assert (empty.code, empty.out) == (2, "")
    assert "holds no Markdown" in empty.err


def test_a_second_ingest_at_the_same_time_is_refused(command: Command) -> None:
    """While another process ingests, the exit code is 1 and the message says to wait."""
    with EdgeStore(command.data_dir / "index").lock():
        ran = command.run()
    assert (ran.code, ran.err) == (1, "error: another ingest is running on this index; wait for it to end\n")
