"""`mastery questions`: a model writes what people ask, beside the chapters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ..fakes import upstream
from ..fakes.upstream import Provider, Reply
from ..ingest.written import write_tree
from .conftest import Mastery

CACHING = "# Caching\n\nWhat is read often is kept.\n\n## Expiry\n\nEvery key has a time to live.\n"
QUEUES = "# Queues\n\nA worker retries with backoff.\n"
WRITTEN = Reply(text=json.dumps({"sections": [{"number": 1, "questions": ["What is it?", "in short"]}]}))
BROKEN = Reply(text='{"sections": 1}')


@pytest.fixture
def provider() -> Provider:
    """A provider whose replies a test chooses."""
    return Provider(upstream.always(WRITTEN))


@pytest.fixture
def url(provider: Provider) -> Iterator[str]:
    """Where it listens."""
    with upstream.running(provider) as address:
        yield address


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two chapters without questions."""
    return write_tree(tmp_path / "kb", {"07_cache/caching.md": CACHING, "queues.md": QUEUES})


def sheet(folder: Path, name: str = "questions.yaml") -> object:
    """A sheet that was written."""
    return yaml.safe_load((folder / name).read_text(encoding="utf-8"))


def test_every_chapter_gets_its_questions(mastery: Mastery, folder: Path, url: str, tmp_path: Path) -> None:
    """They stand beside it, the next ingest reads them, the ledger has their cost; a second run has nothing to do."""
    settings = {"OPENAI_BASE_URL": url, "MASTERY_DATA_DIR": str(tmp_path / "data")}
    done = mastery("questions", str(folder), **settings)
    assert (done.code, done.out) == (0, "")
    assert "2 chapters, 3 sections; about " in done.err
    assert "4 questions for 2 chapters; `mastery ingest` makes use of them." in done.err
    assert sheet(folder, "07_cache/questions.yaml") == {"caching.md": {"caching": ["What is it?", "in short"]}}
    assert sheet(folder) == {"queues.md": {"queues": ["What is it?", "in short"]}}
    assert mastery("ingest", str(folder), "--json", **settings).json["problems"] == []
    (row,) = mastery("usage", "--by", "purpose", "--json", **settings).json["rows"]
    assert (row["key"], row["calls"]) == ("questions", 2)
    again = mastery("questions", str(folder), **settings)
    assert (again.code, again.err.split("\n")[:2]) == (0, ["Every chapter has its questions.", "Nothing was written."])


def test_a_dry_run_says_what_it_would_take(mastery: Mastery, folder: Path, url: str, provider: Provider) -> None:
    """Nothing is sent and nothing is written."""
    done = mastery(
        "questions", str(folder), "--dry-run", "--json", OPENAI_BASE_URL=url, MASTERY_CHAT_MODEL="gpt-6-luna"
    )
    assert done.code == 0
    assert (done.json["chapters"], done.json["sections"], done.json["written"]) == (2, 3, {})
    assert done.json["tokens_in"] > 100
    assert float(done.json["cost_usd"]) > 0
    assert provider.requests == []
    assert list(folder.rglob("*.yaml")) == []


def test_what_somebody_wrote_stays_as_it_is(mastery: Mastery, folder: Path, url: str) -> None:
    """Comments, order and questions of a sheet are kept; the chapters that it lacks are added below."""
    write_tree(folder, {"a.md": QUEUES, "questions.yaml": "# mine\nqueues.md:\n  queues: [Why?]   # one\n"})
    assert mastery("questions", str(folder), OPENAI_BASE_URL=url).code == 0
    text = (folder / "questions.yaml").read_text(encoding="utf-8")
    assert text.startswith("# mine\nqueues.md:\n  queues: [Why?]   # one\n\na.md:\n  queues:\n  - What is it?\n")


def test_one_chapter_can_be_named(mastery: Mastery, folder: Path, url: str) -> None:
    """By path or file name; one that is not there or has its questions is refused before anything is sent."""
    assert mastery("questions", str(folder), "--chapter", "caching.md", OPENAI_BASE_URL=url).code == 0
    assert not (folder / "questions.yaml").exists()
    done = mastery("questions", str(folder), "--chapter", "07_cache/caching.md", OPENAI_BASE_URL=url)
    assert (done.code, "07_cache/caching.md has its questions; take its entry out" in done.err) == (2, True)
    done = mastery("questions", str(folder), "--chapter", "nothing.md", OPENAI_BASE_URL=url)
    assert (done.code, "there is no chapter 'nothing.md'" in done.err) == (2, True)


def test_a_chapter_that_fails_does_not_end_the_others(
    mastery: Mastery, folder: Path, url: str, provider: Provider
) -> None:
    """It is named, the exit code is 1, and the next run writes what is missing."""
    provider.play(lambda _, body: BROKEN if "Caching" in str(body["messages"]) else WRITTEN)
    done = mastery("questions", str(folder), OPENAI_BASE_URL=url)
    assert done.code == 1
    assert "problem: 07_cache/caching.md: Malformed: sections: " in done.err
    assert "2 questions for 1 chapter;" in done.err
    assert sheet(folder) == {"queues.md": {"queues": ["What is it?", "in short"]}}
    provider.play(upstream.always(WRITTEN))
    assert mastery("questions", str(folder), OPENAI_BASE_URL=url).code == 0
    assert (folder / "07_cache/questions.yaml").exists()


def test_a_budget_that_is_spent_ends_it(mastery: Mastery, folder: Path, url: str, tmp_path: Path) -> None:
    """What was written stays, and the message says how to go on."""
    prices = '{"mine": {"input": 1000, "output": 1000}}'
    limits = {"MASTERY_CHAT_MODEL": "mine", "MASTERY_PRICES": prices, "MASTERY_BUDGET_DAY_USD": "0.000001"}
    data = str(tmp_path / "data")
    done = mastery("questions", str(folder), OPENAI_BASE_URL=url, MASTERY_DATA_DIR=data, **limits)
    assert done.code == 1
    assert "run the command again to go on" in done.err
    assert list(folder.rglob("*.yaml")) == []


def test_without_a_model_it_says_how_to_get_one(mastery: Mastery, folder: Path) -> None:
    """Nothing is made up in its place."""
    done = mastery("questions", str(folder))
    assert (done.code, done.err) == (2, "error: no model is configured; set OPENAI_API_KEY or OPENAI_BASE_URL\n")


def test_a_broken_sheet_is_not_written_to(mastery: Mastery, folder: Path, url: str, provider: Provider) -> None:
    """It could not be read afterwards either; nothing is sent for it."""
    write_tree(folder, {"questions.yaml": "queues.md: [\n"})
    done = mastery("questions", str(folder), OPENAI_BASE_URL=url)
    assert (done.code, "questions.yaml:2: is broken: " in done.err) == (2, True)
    assert provider.requests == []


def test_a_sheet_in_another_style_is_left_alone(mastery: Mastery, folder: Path, url: str) -> None:
    """Nothing can be appended to `{…}`: the chapter is named as a problem, and the sheet stays readable."""
    flow = "{a.md: {queues: [Why?]}}\n"
    write_tree(folder, {"a.md": QUEUES, "questions.yaml": flow})
    done = mastery("questions", str(folder), "--chapter", "queues.md", OPENAI_BASE_URL=url)
    assert (done.code, "questions.yaml cannot be appended to" in done.err) == (1, True)
    assert (folder / "questions.yaml").read_text(encoding="utf-8") == flow
    assert sorted(file.name for file in folder.iterdir()) == ["07_cache", "a.md", "questions.yaml", "queues.md"]


def test_a_chapter_that_is_named_twice_is_written_once(
    mastery: Mastery, folder: Path, url: str, provider: Provider
) -> None:
    """By its path and by its file name it is the same."""
    names = ("--chapter", "caching.md", "--chapter", "07_cache/caching.md")
    assert mastery("questions", str(folder), *names, OPENAI_BASE_URL=url).code == 0
    assert len(provider.requests) == 1
