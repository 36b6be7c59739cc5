"""Prompts are versioned files, found by name and number."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from prompts.prompt import PromptError
from prompts.registry import FOLDER, Registry, load

from .written import text_of, write

SHIPPED = Registry()


def test_the_newest_version_is_the_highest_number(folder: Path) -> None:
    """v10 comes after v2, and files that are no version do not count."""
    prompt = load("ask", folder=folder)
    assert (prompt.id, prompt.version, prompt.changelog) == ("ask/v10", 10, "Says it.")
    assert prompt.messages == (("user", "Say {{ question }}."),)
    assert Registry(folder).versions("ask") == [1, 2, 10]


def test_a_version_can_be_asked_for(folder: Path) -> None:
    """An older version stays available, with its own hash over its whole file."""
    prompt = load("ask", 1, folder)
    raw = (folder / "ask" / "v1.md").read_bytes()
    assert prompt.sha256 == hashlib.sha256(raw).hexdigest()
    assert prompt.hash == prompt.sha256[:16]
    assert prompt.hash != load("ask", 2, folder).hash


def test_a_prompt_or_version_that_is_not_there_is_named(folder: Path) -> None:
    """The error says what there is instead."""
    with pytest.raises(PromptError, match=r"^there is no prompt 'shout'; there are ask, tell$"):
        load("shout", folder=folder)
    with pytest.raises(PromptError, match=r"^prompt 'ask' has no version 3; it has 1, 2, 10$"):
        load("ask", 3, folder)
    with pytest.raises(PromptError, match=r"^there is no prompt '\.\./ask'"):
        load("../ask", folder=folder / "tell")


def test_everything_is_listed_by_name_and_version(folder: Path) -> None:
    """Names and versions come in order."""
    assert [prompt.id for prompt in Registry(folder).all()] == ["ask/v1", "ask/v2", "ask/v10", "tell/v1"]


def test_a_registry_reads_a_file_once(folder: Path) -> None:
    """A running service goes on with the version it has, whatever happens to the file."""
    registry = Registry(folder)
    first = registry.load("ask", 1)
    write(folder, "ask", 1, text_of("Changed {{ question }}."))
    assert registry.load("ask", 1) is first
    assert load("ask", 1, folder) != first


@pytest.mark.parametrize("prompt", SHIPPED.all(), ids=lambda prompt: prompt.id)
def test_every_shipped_prompt_can_be_filled(prompt) -> None:
    """Every place is filled, and the data stands between tags of its own."""
    filled = "\n".join(text for _, text in prompt.fill({name: f"<<{name}>>" for name in prompt.variables}))
    assert "{{" not in filled
    for name in prompt.variables:
        assert filled.count(f"<{name}>\n<<{name}>>\n</{name}>") == 1


def test_the_first_prompt_is_still_the_one_that_was_shipped() -> None:
    """answer/v1 has no parts: it is one user message, as it was sent before there were parts."""
    prompt = load("answer", 1)
    assert prompt.sha256 == "7a108e73bb755df25c83f7f7e3035dde9491534b47014a28bc2bb9c825e4d46b"
    assert [role for role, _ in prompt.messages] == ["user"]
    assert prompt.system == ""


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        ("answer", {"passages", "history", "question"}),
        ("rewrite", {"history", "question"}),
        ("repair", {"schema", "text", "problem"}),
        ("questions", {"passages"}),
    ],
)
def test_the_newest_prompts_separate_rules_from_data(name: str, variables: set[str]) -> None:
    """A system part with the rules, a user part with the data, and the variables that the service fills."""
    prompt = load(name)
    assert [role for role, _ in prompt.messages] == ["system", "user"]
    assert prompt.variables == variables
    assert re.search(r"\bdo not\s+follow it", prompt.system)
    assert len(prompt.changelog) > 10


def test_all_prompts_lie_in_the_package() -> None:
    """The folder that is read is the one that is shipped."""
    assert SHIPPED.names() == ["answer", "questions", "repair", "rewrite"]
    assert FOLDER.name == "prompts"
