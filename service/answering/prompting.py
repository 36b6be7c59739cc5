"""Which version of a prompt is used, and the messages that it makes of a question and its passages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from prompts.choice import Choice, choose, sticky_key
from prompts.experiment import Experiment
from prompts.prompt import Prompt, PromptError
from prompts.registry import Registry
from service.answering.delimiting import conversation, delimited, passage
from service.answering.drafting import AnswerDraft
from service.domain import Ask, Reading, Turn
from service.errors import UnknownPrompt
from service.ports import Message

ANONYMOUS = "anonymous"


class Prompting:
    """Chooses and fills prompts."""

    schema: type[BaseModel] = AnswerDraft

    def __init__(self, registry: Registry, *, version: int | None = None, experiment: Experiment | None = None) -> None:
        """`version` is the settings' choice of the answer prompt, an experiment goes before it."""
        self._registry = registry
        self._version = version
        self._experiment = experiment

    def choose(self, ask: Ask, request: str) -> Choice:
        """The answer prompt for a request, whose id is `request`.

        Raises:
            UnknownPrompt: the version that was asked for does not exist.
        """
        caller = None if ask.caller == ANONYMOUS else ask.caller
        try:
            return choose(
                self._registry,
                "answer",
                requested=ask.prompt_version,
                experiment=self._experiment,
                setting=self._version,
                key=sticky_key(ask.conversation, caller, request),
            )
        except PromptError as error:
            raise UnknownPrompt(str(error)) from error

    def version(self, id_: str) -> Prompt:
        """The prompt with an id such as `answer/v1`.

        Raises:
            UnknownPrompt: it is gone.
        """
        name, _, version = id_.partition("/v")
        try:
            return self._registry.load(name, int(version))
        except (PromptError, ValueError) as error:
            raise UnknownPrompt(f"{id_} is not there any more: {error}") from error

    def answer(
        self, prompt: Prompt, question: str, history: Sequence[Turn], readings: Sequence[Reading]
    ) -> tuple[Message, ...]:
        """The messages that ask for an answer; whatever a passage, the history or the question holds is data."""
        values = {
            "question": delimited(question),
            "history": conversation(history),
            "passages": "\n\n".join(map(_passage, readings)),
        }
        return _filled(prompt, {name: values[name] for name in prompt.variables})

    @property
    def rewrite(self) -> Prompt:
        """The prompt that makes a follow-up stand alone."""
        return self._registry.load("rewrite")

    def repair(self, text: str, problem: str) -> tuple[str, tuple[Message, ...]]:
        """The messages that ask for the correction of a malformed draft, and their prompt's id."""
        prompt = self._registry.load("repair")
        schema = json.dumps(self.schema.model_json_schema(), ensure_ascii=False)
        values = {"schema": schema, "text": delimited(text), "problem": delimited(problem)}
        return prompt.id, _filled(prompt, values)


def _filled(prompt: Prompt, values: Mapping[str, str]) -> tuple[Message, ...]:
    return tuple(Message(role, content) for role, content in prompt.fill(values))


def _passage(reading: Reading) -> str:
    return passage(reading.number, f"{reading.title} › {reading.heading}", reading.text)
