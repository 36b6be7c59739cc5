"""Prompts are versioned files, and a wrong one is refused by name."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prompts import registry
from prompts.registry import Prompt, PromptError, load

SHIPPED = Path(registry.__file__).parent

V1 = "---\npurpose: Test.\nvariables: [question]\n---\nAnswer {{ question }}.\n"
V2 = "---\nvariables:\n  - question\n  - passages\n---\n{{passages}} then {{ question }} and {{question}}\n\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three versions of one prompt, and a file that is none."""
    (tmp_path / "ask").mkdir()
    (tmp_path / "ask" / "v1.md").write_text(V1)
    (tmp_path / "ask" / "v2.md").write_text(V2)
    (tmp_path / "ask" / "v10.md").write_text(V1.replace("Answer", "Say"))
    (tmp_path / "ask" / "verbose.md").write_text("notes")
    return tmp_path


def test_the_newest_version_is_the_highest_number(folder: Path) -> None:
    """v10 comes after v2, and a file that is no version does not count."""
    prompt = load("ask", folder=folder)
    assert (prompt.id, prompt.version, prompt.text) == ("ask/v10", 10, "Say {{ question }}.")


def test_a_version_can_be_asked_for(folder: Path) -> None:
    """An older version stays available, with its own hash over its whole file."""
    prompt = load("ask", 1, folder)
    assert prompt.text == "Answer {{ question }}."
    assert prompt.hash == hashlib.sha256(V1.encode()).hexdigest()[:16]
    assert prompt.hash != load("ask", 2, folder).hash


def test_every_place_is_filled(folder: Path) -> None:
    """A variable may stand several times, with or without spaces."""
    assert load("ask", 2, folder).fill({"question": "Q", "passages": "P"}) == "P then Q and Q"


def test_values_are_not_expanded_again(folder: Path) -> None:
    """What looks like a place or a backreference in a value is text."""
    filled = load("ask", 2, folder).fill({"question": r"\1 {{ passages }}", "passages": "{{ question }}"})
    assert filled == r"{{ question }} then \1 {{ passages }} and \1 {{ passages }}"


@given(st.text())
@settings(max_examples=50)
def test_any_value_is_inserted_as_it_is(value: str) -> None:
    """A value comes out exactly as it went in."""
    prompt = Prompt("x", 1, "<{{ value }}>", frozenset({"value"}), "")
    assert prompt.fill({"value": value}) == f"<{value}>"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"question": "Q"}, "ask/v2 needs passages"),
        ({}, "ask/v2 needs passages, question"),
        ({"question": "Q", "passages": "P", "tone": "kind"}, "ask/v2 does not know tone"),
    ],
)
def test_missing_and_unknown_variables_are_named(folder: Path, values: dict[str, str], message: str) -> None:
    """A prompt is filled completely and with nothing else, or not at all."""
    with pytest.raises(PromptError, match=f"^{re.escape(message)}$"):
        load("ask", 2, folder).fill(values)


def test_a_prompt_or_version_that_is_not_there_is_named(folder: Path) -> None:
    """The error says what there is instead."""
    with pytest.raises(PromptError, match=r"^there is no prompt 'tell'$"):
        load("tell", folder=folder)
    with pytest.raises(PromptError, match=r"^prompt 'ask' has no version 3; it has 1, 2, 10$"):
        load("ask", 3, folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Answer {{ question }}.", "has no front matter"),
        ("", "has no front matter"),
        ("---\nvariables: [question]\n", "has no front matter"),
        ("---\npurpose: x\n---\nAnswer.", "does not declare its variables as a list"),
        ("---\n- question\n---\n{{ question }}", "does not declare its variables as a list"),
        ("---\nvariables: question\n---\n{{ question }}", "does not declare its variables as a list"),
        ("---\nvariables: [\n---\n{{ question }}", "front matter that is not valid YAML"),
        ("---\nvariables: [question]\n---\nAnswer.", r"declares \['question'\] but uses \[\]"),
        ("---\nvariables: []\n---\n{{ question }}", r"declares \[\] but uses \['question'\]"),
    ],
)
def test_a_broken_prompt_is_refused_by_name(tmp_path: Path, text: str, message: str) -> None:
    """A file without front matter, or whose variables are not those that it uses, is never sent to a model."""
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "v1.md").write_text(text)
    with pytest.raises(PromptError, match=f"broken/v1.* {message}"):
        load("broken", folder=tmp_path)


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*/v*.md")), ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_every_shipped_prompt_loads(file: Path) -> None:
    """Each version that is shipped can be filled, and says what it is for."""
    prompt = load(file.parent.name, int(file.stem[1:]))
    filled = prompt.fill(dict.fromkeys(prompt.variables, "VALUE"))
    assert "{{" not in filled
    assert filled.count("VALUE") >= len(prompt.variables)
    assert "purpose:" in file.read_text(encoding="utf-8")
