"""A question as a client poses it."""

from __future__ import annotations

from dataclasses import dataclass

from service.domain.generation import SearchFilter

EVERYWHERE = SearchFilter()


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the conversation so far; `role` is `user` or `assistant`."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Ask:
    """A question, what it follows, where to look and who asks.

    `prompt_version` is a version of the answer prompt, the settings' choice where it is None. `limit` is how many
    passages are returned with the answer. `caller` is the name of the key that was given. `fresh` asks for a new
    answer where a stored one would do.
    """

    question: str
    history: tuple[Turn, ...] = ()
    where: SearchFilter = EVERYWHERE
    prompt_version: int | None = None
    limit: int = 8
    caller: str = "anonymous"
    conversation: str | None = None
    fresh: bool = False
