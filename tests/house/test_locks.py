"""The locks pin every package to what was tested, byte for byte."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")
_PIN = re.compile(r"^([a-z0-9][a-z0-9.-]*)(\[[a-z0-9, -]+\])?==(\S+)( ; .+?)?( \\)?$")
_HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")


def _entries(lock: str) -> dict[str, tuple[str, int]]:
    """Package -> version and number of hashes; any other line than a pin, a hash or a comment fails."""
    entries: dict[str, tuple[str, int]] = {}
    name = ""
    for line in (PROJECT / lock).read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if _HASH.match(line):
            version, hashes = entries[name]
            entries[name] = (version, hashes + 1)
            continue
        pin = _PIN.match(line)
        assert pin, f"{lock}: {line}"
        name = f"{pin[1]}{pin[4] or ''}"
        assert name not in entries, f"{lock}: {name} stands twice"
        entries[name] = (pin[3], 0)
    return entries


@pytest.mark.parametrize("lock", LOCKS)
def test_every_entry_is_pinned_with_hashes(lock: str) -> None:
    """Each package has one exact version and at least one SHA-256; there are no options, URLs or paths."""
    entries = _entries(lock)
    assert len(entries) > 50
    assert [name for name, (_, hashes) in entries.items() if hashes == 0] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_no_index_is_named(lock: str) -> None:
    """The lock says what to install, not from where."""
    text = (PROJECT / lock).read_text(encoding="utf-8")
    assert not re.search(r"--(extra-)?index-url|--find-links|--trusted-host|https?://| @ ", text)


def test_both_locks_agree() -> None:
    """What is tested is what runs: each package of the smaller lock has the same version in the larger one."""
    run, develop = _entries("requirements.lock"), _entries("requirements-dev.lock")
    assert {name: version for name, (version, _) in run.items() if develop[name][0] != version} == {}
    assert run.keys() < develop.keys()


def test_every_dependency_is_locked() -> None:
    """What pyproject.toml asks for is in the lock that `make run` installs, and the tools are only in the other one."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))

    def names(lines: list[str]) -> set[str]:
        return {re.split(r"[\[<>=~!; ]", line)[0].lower() for line in lines}

    locked = {name.split(" ")[0] for name in _entries("requirements.lock")}
    assert names(project["project"]["dependencies"]) <= locked
    developed = {name.split(" ")[0] for name in _entries("requirements-dev.lock")}
    assert names(project["dependency-groups"]["dev"]) <= developed
    assert not {"pytest", "mypy", "ruff", "torch"} & locked
