"""A streamed reply: its chunks, put together, and the outcome that they make.

The SDK checks nothing that it parses: what a server sends may be anything, with fields of any type.
"""

from __future__ import annotations

from dataclasses import replace

from openai.types import CompletionUsage
from openai.types.chat import ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import Choice, ChoiceDelta
from pydantic import BaseModel, ValidationError

from service.adapters.json_text import JsonText
from service.domain import Answered, CutByLength, Failed, Filtered, Malformed, Outcome, Refused, Usage

_LONGEST_DETAIL = 1000
_STOPPED: dict[str, type[CutByLength | Filtered]] = {"length": CutByLength, "content_filter": Filtered}


class Reply:
    """What came of one reply so far."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._text = JsonText()
        self._refusal: list[str] = []
        self._finish_reason: str | None = None
        self._usage: Usage | None = None
        self._chose = False
        self.empty = True
        self.begun = False

    @property
    def finished(self) -> bool:
        """Whether the model has written its last word; only the usage may still come."""
        return self._finish_reason is not None

    def take(self, chunk: ChatCompletionChunk) -> str:
        """Add a chunk; returns what it adds to the text.

        Raises:
            TypeError: it is no chunk of a completion.
        """
        if not isinstance(chunk, ChatCompletionChunk) or not isinstance(chunk.choices, list | None):
            raise TypeError("a chunk that is no part of a completion")
        self.empty = False
        if isinstance(chunk.model, str) and chunk.model:
            self._model = chunk.model
        self._usage = _usage(chunk.usage) or self._usage
        if not chunk.choices:
            return ""
        choice = chunk.choices[0]
        if not isinstance(choice, Choice):
            raise TypeError("a choice that is none")
        self._chose = True
        self._finish_reason = choice.finish_reason or self._finish_reason
        delta = choice.delta if isinstance(choice.delta, ChoiceDelta) else None
        if delta and isinstance(delta.refusal, str):
            self._refusal.append(delta.refusal)
        if not delta or not delta.content:
            return ""
        if not isinstance(delta.content, str):
            raise TypeError("a piece of text that is none")
        piece = self._text.feed(delta.content)
        self.begun = self.begun or bool(piece)
        return piece

    def outcome(self, schema: type[BaseModel]) -> Outcome:
        """How it ended, once no more chunks come."""
        if not self._chose and not self.empty:
            return self.malformed("no choice came; the server may not be an OpenAI-compatible one")
        if not self.finished:
            detail = f"the stream of {self._model} ended before the answer did"
            return self.failed(Failed(model=self._model, detail=detail, passing=True, begun=self.begun))
        text, refusal = self._text.text, "".join(self._refusal)
        if stopped := _STOPPED.get(str(self._finish_reason)):
            return stopped(model=self._model, text=text, usage=self._usage)
        if refusal:
            return Refused(model=self._model, text=text, detail=refusal[:_LONGEST_DETAIL], usage=self._usage)
        wrong = _wrong(text, schema)
        return self.malformed(wrong) if wrong else Answered(model=self._model, text=text, usage=self._usage)

    def failed(self, failure: Failed) -> Failed:
        """A failure in the middle of the stream, with what had come."""
        return replace(failure, model=self._model, text=self._text.text, usage=self._usage or failure.usage)

    def malformed(self, detail: str) -> Malformed:
        """What came is not what was asked for."""
        return Malformed(model=self._model, text=self._text.text, detail=detail[:_LONGEST_DETAIL], usage=self._usage)


def _wrong(text: str, schema: type[BaseModel]) -> str:
    """The places of a text that do not fit the schema, in one line; nothing where all do."""
    if not text.strip():
        return "the text is empty"
    try:
        schema.model_validate_json(text)
    except ValidationError as error:
        return _readable(error)
    return ""


def _readable(error: ValidationError) -> str:
    """Where and why, without what stood there."""
    places = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, at['loc'])) or 'the text'}: {at['msg']}" for at in places)


def _usage(used: object) -> Usage | None:
    """Tokens as the provider counts them; None where it does not say."""
    if not isinstance(used, CompletionUsage) or not isinstance(used.prompt_tokens, int):
        return None
    details = used.prompt_tokens_details
    return Usage(
        input_tokens=used.prompt_tokens,
        cached_tokens=(details.cached_tokens or 0) if details else 0,
        cache_write_tokens=(details.cache_write_tokens or 0) if details else 0,
        output_tokens=used.completion_tokens or 0,
    )
