"""One version of a prompt: messages with `{{ variable }}` places, and what its front matter says.

The text is split by lines that are exactly `# system`, `# user` or `# assistant`; a text without such lines is one
user message. The system part has no places: what comes from outside never stands in it, and it is the same in
every call, so that a provider can cache it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Role = Literal["system", "user", "assistant"]
Messages = tuple[tuple[Role, str], ...]

PLACE = re.compile(r"\{\{ *(\w+) *\}\}")


class PromptError(ValueError):
    """A prompt is not there, is broken, or was filled with the wrong variables."""


@dataclass(frozen=True, slots=True)
class Hints:
    """What the prompt's author recommends for the call; None leaves it to the settings."""

    temperature: float | None = None
    max_output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """One version of a prompt. `output` names the model of what it asks for; `raw` is its file, byte for byte."""

    name: str
    version: int
    messages: Messages
    variables: frozenset[str]
    raw: bytes = field(repr=False)
    purpose: str = ""
    output: str = ""
    changelog: str = ""
    hints: Hints = Hints()

    @property
    def id(self) -> str:
        """Such as `answer/v1`."""
        return f"{self.name}/v{self.version}"

    @property
    def sha256(self) -> str:
        """The hash of its file, as `released.lock` holds it."""
        return hashlib.sha256(self.raw).hexdigest()

    @property
    def hash(self) -> str:
        """The first 16 digits of `sha256`, as receipts hold it."""
        return self.sha256[:16]

    @property
    def system(self) -> str:
        """The system part; empty where it has none."""
        return "\n\n".join(text for role, text in self.messages if role == "system")

    def fill(self, values: Mapping[str, str]) -> Messages:
        """The messages with every place filled; values are inserted as they are and never expanded again.

        Raises:
            PromptError: a variable is missing or unknown.
        """
        if missing := self.variables - values.keys():
            raise PromptError(f"{self.id} needs {', '.join(sorted(missing))}")
        if unknown := values.keys() - self.variables:
            raise PromptError(f"{self.id} does not know {', '.join(sorted(unknown))}")
        return tuple((role, PLACE.sub(lambda place: values[place[1]], text)) for role, text in self.messages)
