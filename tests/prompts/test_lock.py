"""A released version never changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from prompts.lock import Standing, main, problems, read, release, standing
from prompts.prompt import PromptError
from prompts.registry import Registry

from .written import text_of, write


def test_every_shipped_prompt_is_released_and_unchanged() -> None:
    """What is shipped is in the lock with its hash: run `python -m prompts.lock` after adding a version."""
    assert problems() == []
    released = read()
    assert {prompt.id: prompt.sha256 for prompt in Registry().all()} == released


def test_new_versions_are_added_in_order(folder: Path) -> None:
    """A release adds what is new and leaves what stands there alone."""
    assert release(folder) == ["ask/v1", "ask/v2", "ask/v10", "tell/v1"]
    before = (folder / "released.lock").read_text()
    assert release(folder) == []
    write(folder, "ask", 3, text_of("Third {{ question }}."))
    assert release(folder) == ["ask/v3"]
    lines = (folder / "released.lock").read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["ask/v1", "ask/v2", "ask/v3", "ask/v10", "tell/v1"]
    assert set(before.splitlines()) < set(lines)


def test_a_changed_version_stops_the_release(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One changed byte of a released file is named, and nothing is written."""
    release(folder)
    before = (folder / "released.lock").read_text()
    file = folder / "ask" / "v2.md"
    file.write_text(file.read_text() + "\n")
    write(folder, "ask", 3, text_of("Third {{ question }}."))
    assert problems(folder) == ["ask/v2 was edited after its release; restore its file and add a new version instead"]
    assert main(folder) == 1
    assert "error: ask/v2 was edited" in capsys.readouterr().err
    assert (folder / "released.lock").read_text() == before


def test_a_removed_version_stops_the_release(folder: Path) -> None:
    """Receipts name it: it must stay."""
    release(folder)
    (folder / "tell" / "v1.md").unlink()
    assert problems(folder) == ["tell/v1 is released but its file is gone; restore it"]
    with pytest.raises(PromptError, match="tell/v1"):
        release(folder)


def test_the_command_says_what_it_did(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each released version on a line, or that there is none."""
    assert (main(folder), main(folder)) == (0, 0)
    assert capsys.readouterr().out == (
        "released ask/v1\nreleased ask/v2\nreleased ask/v10\nreleased tell/v1\nnothing new to release\n"
    )


def test_the_standing_of_a_version(folder: Path) -> None:
    """Released, a draft, or changed."""
    prompt = Registry(folder).load("ask", 1)
    assert standing(prompt, {}) is Standing.DRAFT
    assert standing(prompt, {"ask/v1": prompt.sha256}) is Standing.RELEASED
    assert standing(prompt, {"ask/v1": "0" * 64}) is Standing.CHANGED


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ask/v1\n", "line 1 is not `NAME/vN HASH`"),
        (f"ask/v1 {'0' * 64}\nask/v0 {'0' * 64}\n", "line 2 is not"),
        (f"ask/v1 {'0' * 64}\nask/v1 {'1' * 64}\n", "line 2 names ask/v1 again"),
    ],
)
def test_a_broken_lock_is_refused(folder: Path, text: str, message: str) -> None:
    """A line that a merge broke is named."""
    (folder / "released.lock").write_text(text)
    with pytest.raises(PromptError, match=message):
        read(folder)
