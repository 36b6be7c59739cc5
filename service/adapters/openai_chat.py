"""Chat Completions, always streamed: one call is one HTTP request.

Works with OpenAI and with every server that speaks its API. What a server refuses of the call's form is remembered
here, so one object serves one model of one server.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import replace

import httpx2
import openai
from openai import AsyncOpenAI, AsyncStream
from openai.types.chat import ChatCompletionChunk

from service.adapters.openai_errors import failure
from service.adapters.openai_forms import Form
from service.adapters.openai_reply import Reply
from service.domain import Failed, Malformed, Outcome, TextDelta, Usage
from service.ports import ChatCall, Message

FORM_REFUSED = "model_form_refused"
"""Code of a failure after which the same call goes out in another form, right away."""


class OpenAIChat:
    """The innermost `ChatModel`: it sends, reads and names what happened. It books nothing and tries nothing twice.

    A failure's `usage` is nought where nothing can have been billed (no connection, an error status) and None where
    the provider may have worked.
    """

    def __init__(self, client: AsyncOpenAI, model: str, usage_seconds: float = 5.0) -> None:
        """The client's read timeout is the longest silence, before the first piece and between pieces.

        Once the answer is whole, its usage is waited for so many seconds.
        """
        self._client = client
        self._usage_seconds = usage_seconds
        self._form = Form()
        self.name = model

    async def afford(self, call: ChatCall) -> None:
        """Nothing limits it here."""

    def sent(self, call: ChatCall) -> tuple[tuple[Message, ...], str]:
        """Messages and schema as they would go out now, for who counts them."""
        return self._form.messages(call), self._form.schema(call)

    async def stream(self, call: ChatCall) -> AsyncGenerator[TextDelta | Outcome]:
        """One request; closing the generator closes the connection."""
        reply, form, what = Reply(self.name), self._form, f"the chat model {self.name}"
        if call.deadline <= time.monotonic():
            late = f"{what} was not called: no time was left"
            yield Failed(model=self.name, code="model_timeout", passing=True, detail=late, usage=Usage())
            return
        try:
            async with _until(call.deadline):
                stream = await self._client.chat.completions.create(stream=True, **form.body(self.name, call))
        except openai.APIStatusError as error:
            yield self._refused(form, error) or failure(error, self.name, what)
            return
        except (openai.OpenAIError, httpx2.HTTPError, OSError, ValueError) as error:
            yield failure(error, self.name, what)
            return
        async with stream:
            ended: Exception | None = None
            try:
                while (chunk := await self._next(stream, reply, call.deadline)) is not None:
                    if piece := reply.take(chunk):
                        yield TextDelta(piece)
            except Exception as error:  # what parsing meets, the SDK lets out as it is
                ended = error
        outcome = self._outcome(stream, reply, ended, call, what)
        if isinstance(outcome, Malformed) and outcome.text and not reply.begun:  # words: the schema had no effect
            self._form = self._form.at_most(replace(form, words=True))
        yield outcome

    def _refused(self, form: Form, error: openai.APIStatusError) -> Failed | None:
        """The step down after a refusal of the call's form, remembered for the calls to come."""
        lower = form.after(error.status_code, error.body)
        if lower == form:
            return None
        self._form = self._form.at_most(lower)
        detail = f"the chat model {self.name} does not take {form}; {lower} is tried"
        return Failed(model=self.name, code=FORM_REFUSED, detail=detail, usage=Usage())

    def _outcome(
        self,
        stream: AsyncStream[ChatCompletionChunk],
        reply: Reply,
        ended: Exception | None,
        call: ChatCall,
        what: str,
    ) -> Outcome:
        if ended is None or reply.finished:  # whole, whatever became of the usage after it
            kind = stream.response.headers.get("content-type", "nothing")
            if reply.empty and not kind.startswith("text/event-stream"):
                detail = f"{what} answered with {kind[:60]} and not with a stream; check OPENAI_BASE_URL"
                return Failed(model=self.name, code="model_rejected", detail=detail, usage=Usage())
            return reply.outcome(call.schema)
        if isinstance(ended, ValueError | AttributeError | TypeError):
            return reply.malformed("the stream holds something that is no part of a completion")
        return reply.failed(failure(ended, self.name, what, begun=reply.begun))

    async def _next(
        self, stream: AsyncStream[ChatCompletionChunk], reply: Reply, deadline: float
    ) -> ChatCompletionChunk | None:
        """The next chunk, or None after the last."""
        soonest = min(deadline, time.monotonic() + self._usage_seconds) if reply.finished else deadline
        async with _until(soonest):
            return await anext(stream, None)

    async def close(self) -> None:
        """Close connections."""
        await self._client.close()


def _until(deadline: float) -> asyncio.Timeout:
    """A timeout at a moment of the monotonic clock."""
    return asyncio.timeout(max(deadline - time.monotonic(), 0))
