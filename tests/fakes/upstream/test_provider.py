"""The scripted provider itself: it must speak as OpenAI does, or what is tested with it is not true."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from pydantic import BaseModel

from ...waiting import until
from . import Billed, Provider, Reply, always, by_chance, in_turn, named
from .drafting import written
from .reply import NAMED

PROJECT = Path(__file__).parents[3]
PASSAGES = """<passages>
<passage number="3" source="Pagination › Keyset">
## Keyset
```python
Cursor = "This sentence stands in code and must not be quoted."
```
A keyset cursor keeps pages stable while rows are inserted between two requests.
</passage>
<passage source="Testing" number="7">
Tests of pages insert rows between two requests and compare what both of them return.
</passage>
</passages>
<question>How does it work?</question>"""


class Citation(BaseModel):
    """As the product's schema has it."""

    passage: int
    quote: str


class Draft(BaseModel):
    """As the product's schema has it."""

    answer: str
    citations: list[Citation]
    status: str
    follow_ups: list[str]


class Standalone(BaseModel):
    """Another schema."""

    question: str


def request(said: str = PASSAGES, schema: type[BaseModel] = Draft, **more: Any) -> dict[str, Any]:
    """A request for a completion."""
    named_ = {"name": "x", "strict": True, "schema": schema.model_json_schema()}
    form = {"type": "json_schema", "json_schema": named_}
    return {"model": "gpt-6-luna", "messages": [{"role": "user", "content": said}], "response_format": form} | more


def client(url: str) -> openai.AsyncOpenAI:
    """The SDK."""
    return openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0)


def test_the_draft_quotes_the_passages_letter_for_letter() -> None:
    """Each number is one of the prompt's, each quote stands in its passage and not in code, each has a marker."""
    draft = Draft.model_validate_json(written(request()))
    assert [citation.passage for citation in draft.citations] == [3, 7]
    for citation in draft.citations:
        assert citation.quote in PASSAGES
        assert "code" not in citation.quote
        assert f"[{citation.passage}]" in draft.answer
    assert (draft.status, len(draft.follow_ups)) == ("answered", 2)


def test_without_passages_it_is_not_in_the_knowledge_base() -> None:
    """An honest model."""
    draft = Draft.model_validate_json(written(request("<question>Who won?</question>")))
    assert (draft.status, draft.answer, draft.citations) == ("not_in_knowledge_base", "", [])


def test_any_other_schema_is_filled() -> None:
    """A rewrite gives the question back."""
    assert json.loads(written(request(schema=Standalone))) == {"question": "How does it work?"}


def test_a_schema_in_words_is_followed_in_a_fence() -> None:
    """As a model does that is merely asked."""
    words = f"Reply as JSON:\n{json.dumps(Standalone.model_json_schema())}\n\n{PASSAGES}"
    text = written({"model": "m", "messages": [{"role": "user", "content": words}]})
    assert '```json\n{"question": "How does it work?"}\n```' in text


async def test_streamed_or_not_it_says_the_same_and_bills_the_same(upstream: tuple[Provider, str]) -> None:
    """Through the SDK's own types, with the usage where it was asked for."""
    provider, url = upstream
    sdk = client(url)
    whole = await sdk.chat.completions.create(**request())
    stream = await sdk.chat.completions.create(**request(stream=True, stream_options={"include_usage": True}))
    chunks = [chunk async for chunk in stream]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert whole.choices[0].message.content == text
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-2].choices[0].finish_reason == whole.choices[0].finish_reason == "stop"
    assert chunks[-1].usage == whole.usage
    assert whole.usage is not None
    await until(lambda: len(provider.bill) == 2)  # a stream is billed when it has ended, which the client may see first
    assert provider.bill == [Billed("gpt-6-luna", whole.usage.prompt_tokens, 0, whole.usage.completion_tokens)] * 2
    bare = [chunk async for chunk in await sdk.chat.completions.create(**request(stream=True))]
    assert bare[-1].choices
    assert [model.id async for model in await sdk.models.list()] == ["gpt-6-luna"]
    await sdk.close()


async def test_embeddings_are_alike_where_words_are(upstream: tuple[Provider, str]) -> None:
    """Unit vectors of the model's size, in both encodings; they are on the bill."""
    provider, url = upstream
    sdk = client(url)
    texts = ["keyset pagination", "pagination by keyset", "unit tests"]
    made = await sdk.embeddings.create(model="text-embedding-3-small", input=texts)
    plain = await sdk.embeddings.create(model="text-embedding-3-small", input=texts, encoding_format="float")
    first, second, third = (row.embedding for row in made.data)
    assert len(first) == 1536
    assert first == pytest.approx(plain.data[0].embedding)
    dot = [sum(a * b for a, b in zip(first, other, strict=True)) for other in (first, second, third)]
    assert dot[0] == pytest.approx(1)
    assert dot[1] > 0.5 > dot[2]
    assert [one.input_tokens for one in provider.bill] == [made.usage.prompt_tokens] * 2
    await sdk.close()


async def test_a_script_can_be_changed_over_http(upstream: tuple[Provider, str]) -> None:
    """For who runs it in another process: another script, and the state of the bill."""
    _, url = upstream
    root = url.removesuffix("/v1")
    async with httpx2.AsyncClient() as http:
        await http.post(f"{root}/upstream/script", json={"script": "503,well"})
        statuses = [(await http.post(f"{url}/chat/completions", json=request())).status_code for _ in range(3)]
        state = (await http.get(f"{root}/upstream/state")).json()
        assert statuses == [503, 200, 200]
        assert (state["requests"], state["billed"]["calls"], state["left"]) == (3, 2, 0)
        assert state["billed"]["output_tokens"] > 0
        again = (await http.post(f"{root}/upstream/script", json={"fail_rate": 1.0})).json()
        assert again["requests"] == 0
        assert (await http.get(f"{url}/nowhere")).status_code == 404


def test_scripts_are_names_files_and_chances(tmp_path: Path) -> None:
    """Names in turn, a JSON file, or a share of failures that is the same for the same seed."""
    script = named("500, well")
    assert [script(number, {}) for number in range(3)] == [NAMED["500"], Reply(), Reply()]
    file = tmp_path / "script.json"
    file.write_text(json.dumps(["429", {"text": "{}", "refuses": ["json_schema"]}]), encoding="utf-8")
    for script in (named(str(file)), named(file.read_text(encoding="utf-8"))):
        assert [script(0, {}), script(1, {})] == [NAMED["429"], Reply(text="{}", refuses=("json_schema",))]
    assert in_turn(Reply(), NAMED["500"])(9, {}) == NAMED["500"]
    assert always(NAMED["cut"])(3, {}) == NAMED["cut"]
    first, second = by_chance(0.3, seed=2), by_chance(0.3, seed=2)
    replies = [first(number, {}) for number in range(1000)]
    assert replies == [second(number, {}) for number in range(1000)]
    assert 250 < sum(reply != Reply() for reply in replies) < 350
    with pytest.raises(SystemExit, match="no reply 418"):
        named("418")


async def test_it_runs_by_itself(clean_environment: dict[str, str], unused_tcp_port: int) -> None:
    """`python -m tests.fakes.upstream`, until it is stopped."""
    command = [sys.executable, "-m", "tests.fakes.upstream", "--port", str(unused_tcp_port), "--script", "401"]
    process = await asyncio.create_subprocess_exec(*command, cwd=PROJECT, env=clean_environment)
    try:
        async with httpx2.AsyncClient() as http:
            answer = None
            while answer is None and process.returncode is None:
                try:
                    url = f"http://127.0.0.1:{unused_tcp_port}/v1/chat/completions"
                    answer = await http.post(url, json=request())
                except httpx2.ConnectError:
                    await asyncio.sleep(0.05)
    finally:
        process.terminate()
        await process.wait()
    assert answer is not None
    assert answer.status_code == 401
