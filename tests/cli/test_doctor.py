"""`mastery doctor` looks at everything and says what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ..small_index import PLAIN
from .conftest import Mastery

KEY = "sk-live-0123456789-secret"


def _lines(out: str) -> dict[str, tuple[str, str]]:
    """Check -> verdict and words."""
    lines = {}
    for line in out.splitlines():
        verdict, rest = line.split(maxsplit=1)
        name, words = rest.split(": ", 1)
        lines[name] = (verdict, words)
    return lines


def test_all_is_well(mastery: Mastery) -> None:
    """Every check has one line, and the exit code is 0."""
    done = mastery("doctor", MASTERY_KNOWLEDGE_BASE=str(PLAIN))
    lines = _lines(done.out)
    assert done.code == 0
    assert list(lines) == ["settings", "knowledge base", "disk", "embedding model", "index", "database", "answers"]
    assert {verdict for verdict, _ in lines.values()} == {"ok"}
    assert lines["settings"][1] == "set in the environment: MASTERY_DATA_DIR, MASTERY_KNOWLEDGE_BASE"
    assert lines["knowledge base"][1] == f"{PLAIN} with 8 Markdown files"
    assert lines["embedding model"][1] == "all-MiniLM-L6-v2, 384 dimensions"
    assert lines["index"][1].startswith("8 chapters, ")
    assert re.search(r"state\.sqlite, with \d+ calls to models in its ledger$", lines["database"][1])
    assert lines["answers"][1].startswith("extractive")


@pytest.mark.parametrize(
    ("environment", "check", "words"),
    [
        ({"MASTERY_DATADIR": "x", "MASTERY_PROT": "1"}, "settings", "MASTERY_DATADIR, MASTERY_PROT"),
        ({"MASTERY_KNOWLEDGE_BASE": "/no/such/folder"}, "knowledge base", "does not exist"),
        ({"MASTERY_KNOWLEDGE_BASE": __file__}, "knowledge base", "is not a folder"),
        ({"MASTERY_EMBEDDING_MODEL": "nonesuch"}, "embedding model", "MASTERY_EMBEDDING_MODEL: "),
        ({"MASTERY_EMBEDDING_MODEL": "text-embedding-3-small"}, "embedding model", "OPENAI_API_KEY"),
        ({"DATABASE_URL": f"postgresql://me:{KEY}@127.0.0.1:9/x"}, "database", "127.0.0.1:9"),
        ({"OPENAI_API_KEY": KEY, "MASTERY_EXPERIMENT": "answer"}, "answers", "MASTERY_EXPERIMENT: "),
    ],
)
def test_a_problem_is_named_and_the_rest_is_still_checked(
    mastery: Mastery, environment: dict[str, str], check: str, words: str
) -> None:
    """The line says what is wrong, the other checks run, and the exit code is 1."""
    done = mastery("doctor", **environment)
    lines = _lines(done.out)
    assert done.code == 1
    assert lines[check][0] == "problem"
    assert words in lines[check][1]
    assert len(lines) == 7
    assert "Traceback" not in done.err
    assert KEY not in done.out + done.err


def test_an_empty_folder_is_a_problem(mastery: Mastery, tmp_path: Path) -> None:
    """A knowledge base without a chapter cannot be ingested."""
    done = mastery("doctor", MASTERY_KNOWLEDGE_BASE=str(tmp_path))
    assert _lines(done.out)["knowledge base"][0] == "problem"
    assert "holds no Markdown" in done.out


def test_a_missing_index_is_a_problem_with_its_command(mastery: Mastery, tmp_path: Path) -> None:
    """Before the first ingest, the doctor names it."""
    done = mastery("doctor", MASTERY_DATA_DIR=str(tmp_path))
    assert (done.code, _lines(done.out)["index"]) == (
        1,
        ("problem", "nothing is ingested yet; run `mastery ingest`"),
    )


def test_a_model_is_named_without_its_key(mastery: Mastery) -> None:
    """Which model at which server, never with what key or password."""
    done = mastery("doctor", OPENAI_API_KEY=KEY, OPENAI_BASE_URL=f"http://user:{KEY}@127.0.0.1:9/v1")
    verdict, words = _lines(done.out)["answers"]
    assert (verdict, words.partition(" (")[0]) == ("ok", "written by gpt-6-luna at http://***@127.0.0.1:9/v1")
    assert "$0.10 in and $0.50 out" in words
    assert KEY not in done.out + done.err
    assert "OPENAI_API_KEY" in _lines(done.out)["settings"][1]


def test_a_database_that_does_not_answer_is_a_problem(mastery: Mastery) -> None:
    """A Qdrant server that is not there is named, without its key or password."""
    done = mastery("doctor", QDRANT_URL=f"https://user:{KEY}@127.0.0.1:9", QDRANT_API_KEY=KEY)
    assert done.code == 1
    assert _lines(done.out)["index"][0] == "problem"
    assert KEY not in done.out + done.err
