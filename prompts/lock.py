"""`released.lock`: the hash of every released version, so that none is ever edited.

`python -m prompts.lock` releases the versions that are new; a released one that was changed or removed stops it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from prompts.prompt import Prompt, PromptError
from prompts.registry import FOLDER, Registry

_NAME = "released.lock"
_LINE = re.compile(r"([a-z][a-z0-9_]*/v[1-9]\d*) ([0-9a-f]{64})")


class Standing(StrEnum):
    """How a version's file stands to the lock."""

    RELEASED = "released"
    DRAFT = "draft"
    CHANGED = "changed"


def read(folder: Path = FOLDER) -> dict[str, str]:
    """Version id -> SHA-256 of its file.

    Raises:
        PromptError: a line is not `NAME/vN HASH`, or a version stands there twice.
    """
    file = folder / _NAME
    released: dict[str, str] = {}
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    for number, line in enumerate(lines, 1):
        found = _LINE.fullmatch(line)
        if found is None:
            raise PromptError(f"{_NAME} line {number} is not `NAME/vN HASH`: {line[:80]!r}")
        if found[1] in released:
            raise PromptError(f"{_NAME} line {number} names {found[1]} again")
        released[found[1]] = found[2]
    return released


def standing(prompt: Prompt, released: Mapping[str, str]) -> Standing:
    """Whether a version is released, and whether its file is still the one that was."""
    if prompt.id not in released:
        return Standing.DRAFT
    return Standing.RELEASED if released[prompt.id] == prompt.sha256 else Standing.CHANGED


def problems(folder: Path = FOLDER) -> list[str]:
    """What is wrong with the released versions: changed files and missing ones; empty if all is well.

    Raises:
        PromptError: the lock or a prompt is broken.
    """
    released = read(folder)
    there = {prompt.id: prompt for prompt in Registry(folder).all()}
    changed = [
        f"{id_} was edited after its release; restore its file and add a new version instead"
        for id_, prompt in there.items()
        if standing(prompt, released) is Standing.CHANGED
    ]
    return changed + [f"{id_} is released but its file is gone; restore it" for id_ in released if id_ not in there]


def release(folder: Path = FOLDER) -> list[str]:
    """Add every version that is not in the lock yet; the ids that were added.

    Raises:
        PromptError: a released version was changed or removed; nothing is written.
    """
    if wrong := problems(folder):
        raise PromptError("; ".join(wrong))
    released = read(folder)
    new = {prompt.id: prompt.sha256 for prompt in Registry(folder).all() if prompt.id not in released}
    if new:
        lines = sorted((released | new).items(), key=lambda item: _order(item[0]))
        (folder / _NAME).write_text("".join(f"{id_} {hash_}\n" for id_, hash_ in lines), encoding="utf-8")
    return list(new)


def _order(id_: str) -> tuple[str, int]:
    name, version = id_.split("/v")
    return name, int(version)


def main(folder: Path = FOLDER) -> int:
    """Release what is new and say so; the exit code."""
    try:
        new = release(folder)
    except PromptError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write("".join(f"released {id_}\n" for id_ in new) or "nothing new to release\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
