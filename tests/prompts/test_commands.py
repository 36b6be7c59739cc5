"""`mastery prompts`: what there is, what it says, and what changed."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from prompts.commands import prompts_app
from prompts.registry import FOLDER, load

RUNNER = CliRunner()


def test_list_names_every_version_on_a_line() -> None:
    """Version, hash, standing, purpose and changelog, apart by tabs when it is piped."""
    done = RUNNER.invoke(prompts_app, ["list"])
    assert done.exit_code == 0
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    prompt = load("answer", 1)
    assert ["answer/v1", prompt.hash, "released", prompt.purpose, "First version."] in rows
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert {len(row) for row in rows} == {5}


def test_list_is_a_table_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """People read columns and colours."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    done = RUNNER.invoke(prompts_app, ["list"], color=True)
    assert done.exit_code == 0
    assert "\x1b[" in done.stdout
    assert re.search(r"version +hash +standing +purpose +changelog", re.sub(r"\x1b\[[\d;]*m", "", done.stdout))


@pytest.mark.parametrize("specified", ["answer/v2", "answer"])
def test_show_prints_the_file(specified: str) -> None:
    """Byte for byte when it is piped; the newest version unless one is named."""
    done = RUNNER.invoke(prompts_app, ["show", specified])
    assert (done.exit_code, done.stdout_bytes) == (0, (FOLDER / "answer" / "v2.md").read_bytes())


def test_diff_is_unified() -> None:
    """Lines that went and lines that came, with the versions as file names."""
    done = RUNNER.invoke(prompts_app, ["diff", "answer", "v1", "2"])
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[:2] == ["--- answer/v1", "+++ answer/v2"]
    assert "-changelog: First version." in lines
    assert "+# system" in lines
    assert "\x1b[" not in done.stdout


def test_diff_has_colours_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Additions and removals can be told apart at a glance."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    done = RUNNER.invoke(prompts_app, ["diff", "answer", "v1", "v2"], color=True)
    assert "\x1b[" in done.stdout


def test_a_version_does_not_differ_from_itself() -> None:
    """Nothing is printed, as `diff` does."""
    done = RUNNER.invoke(prompts_app, ["diff", "answer", "v1", "v1"])
    assert (done.exit_code, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "shout"], "error: there is no prompt 'shout'; there are answer, questions, repair, rewrite"),
        (["show", "answer/v99"], "error: prompt 'answer' has no version 99; it has 1, 2"),
        (["show", "answer/2"], "error: 'answer/2' is not a prompt; write NAME or NAME/vN, such as answer/v1"),
        (["show", "../answer"], "error: '../answer' is not a prompt"),
        (["diff", "answer", "v1", "v99"], "error: prompt 'answer' has no version 99; it has 1, 2"),
        (["diff", "answer", "v1", "new"], "error: 'new' is not a version; write v1 or 1"),
        (["diff", "answer", "v1"], "Missing argument"),
    ],
)
def test_wrong_use_is_named_and_exits_with_2(arguments: list[str], message: str) -> None:
    """The error says what there is, or the form that is read."""
    done = RUNNER.invoke(prompts_app, arguments)
    assert done.exit_code == 2
    assert message in done.stderr
    assert done.stdout == ""
