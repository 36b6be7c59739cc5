"""Which version of a prompt a request gets: its own choice, else the experiment's, the setting's, or the newest."""

from __future__ import annotations

from dataclasses import dataclass

from prompts.experiment import Experiment
from prompts.prompt import Prompt
from prompts.registry import Registry


@dataclass(frozen=True, slots=True)
class Choice:
    """A prompt, and the id of the experiment that chose it; None where none did."""

    prompt: Prompt
    experiment: str | None = None


def choose(
    registry: Registry,
    name: str,
    *,
    requested: int | None = None,
    experiment: Experiment | None = None,
    setting: int | None = None,
    key: str,
) -> Choice:
    """Choose a version of a prompt; `key` is what an experiment sticks to (see `sticky_key`).

    Raises:
        PromptError: there is no such prompt or version, or its file is broken.
    """
    if requested is None and experiment is not None and experiment.name == name:
        return Choice(registry.load(name, experiment.version(key)), experiment.id)
    return Choice(registry.load(name, setting if requested is None else requested))


def sticky_key(conversation: str | None, caller: str | None, request: str) -> str:
    """What an experiment sticks to: the conversation, else the caller, else this one request.

    `caller` is None for one without a name, lest all of them fall to one version; `request` is the request's own id.
    """
    if conversation:
        return f"conversation:{conversation}"
    return f"caller:{caller}" if caller else f"request:{request}"
