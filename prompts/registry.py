"""Prompts as versioned files: `NAME/vN.md`, front matter and a text with `{{ variable }}` places.

A missing or an unknown variable is refused by name. A released version is never edited: a new one is added.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_FOLDER = Path(__file__).parent
_PLACE = re.compile(r"\{\{ *(\w+) *\}\}")


class PromptError(ValueError):
    """A prompt is not there, is broken, or was filled with the wrong variables."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One version of a prompt. `hash` is the SHA-256 of its file, shortened to 16 digits."""

    name: str
    version: int
    text: str
    variables: frozenset[str]
    hash: str

    @property
    def id(self) -> str:
        """Such as `answer/v1`."""
        return f"{self.name}/v{self.version}"

    def fill(self, values: Mapping[str, str]) -> str:
        """The text with every place filled; values are inserted as they are and never expanded again.

        Raises:
            PromptError: a variable is missing or unknown.
        """
        if missing := self.variables - values.keys():
            raise PromptError(f"{self.id} needs {', '.join(sorted(missing))}")
        if unknown := values.keys() - self.variables:
            raise PromptError(f"{self.id} does not know {', '.join(sorted(unknown))}")
        return _PLACE.sub(lambda place: values[place[1]], self.text)


def load(name: str, version: int | None = None, folder: Path = _FOLDER) -> Prompt:
    """A version of a prompt, or its newest.

    Raises:
        PromptError: there is no such prompt or version, or its file is broken.
    """
    versions = {int(file.stem[1:]): file for file in (folder / name).glob("v*.md") if file.stem[1:].isdigit()}
    if not versions:
        raise PromptError(f"there is no prompt {name!r}")
    chosen = max(versions) if version is None else version
    if chosen not in versions:
        raise PromptError(f"prompt {name!r} has no version {chosen}; it has {', '.join(map(str, sorted(versions)))}")
    raw = versions[chosen].read_text(encoding="utf-8")
    variables, text = _parsed(f"{name}/v{chosen}", raw)
    used = frozenset(_PLACE.findall(text))
    if variables != used:
        raise PromptError(f"{name}/v{chosen} declares {sorted(variables)} but uses {sorted(used)}")
    return Prompt(name, chosen, text.strip(), variables, hashlib.sha256(raw.encode()).hexdigest()[:16])


def _parsed(id_: str, raw: str) -> tuple[frozenset[str], str]:
    """The variables that the front matter declares, and the text below it."""
    match raw.split("---\n", 2):
        case ["", front, text]:
            pass
        case _:
            raise PromptError(f"{id_} has no front matter")
    try:
        declared: Any = yaml.safe_load(front)
    except yaml.YAMLError as error:
        raise PromptError(f"{id_} has front matter that is not valid YAML: {error}") from error
    variables = declared.get("variables") if isinstance(declared, dict) else None
    if not isinstance(variables, list):
        raise PromptError(f"{id_} does not declare its variables as a list")
    return frozenset(map(str, variables)), text
