"""What the service adds to a model's own time to the first word, with a scripted provider on loopback."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evals.bench.clock import Spread, figure
from evals.bench.serving import RunningService

_THINKS = {"delay": 0.1, "gap": 0.002}
_RUNS = 60
_WARM_UP = 5


@contextmanager
def provider() -> Iterator[int]:
    """The scripted provider of the tests, in a process of its own; gives its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "tests.fakes.upstream", "--port", str(port), "--script", json.dumps([_THINKS])]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait(10)


async def measure(data_dir: Path, knowledge_base: Path, questions: Sequence[str]) -> None:
    """Print how long after its sources an answer's first word comes, beside the provider alone."""
    with provider() as port:
        settings = {"OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1", "MASTERY_ANSWER_CACHE": "false"}
        with RunningService(data_dir, knowledge_base, settings=settings) as service:
            sources, words = await _through(service.port, questions)
        alone = await _alone(port)
    added = Spread([word - source for source, word in zip(sources, words, strict=True)]).percentile(0.5)
    own = alone.percentile(0.5)
    figure("a model's answer: time to its sources", str(Spread(sources)))
    figure("first word after the sources", f"p50 {added:.1f} ms, the provider alone {own:.1f} ms")
    figure("added to the provider's own time", f"p50 {added - own:.1f} ms", "p50 <= 15 ms")


async def _through(port: int, questions: Sequence[str]) -> tuple[list[float], list[float]]:
    """Milliseconds to the sources and to the first piece of text, a question each."""
    sources: list[float] = []
    words: list[float] = []
    for number in range(_WARM_UP + _RUNS):
        times = await _streamed(port, {"question": questions[number % len(questions)]})
        if number >= _WARM_UP and "delta" in times:
            sources.append(times["sources"])
            words.append(times["delta"])
    return sources, words


async def _streamed(port: int, body: Mapping[str, Any]) -> dict[str, float]:
    """Milliseconds to the first event of each name."""
    times: dict[str, float] = {}
    started = time.perf_counter()
    async for line in _lines(port, "/api/ask", body):
        if line.startswith(b"event: "):
            times.setdefault(line[7:].strip().decode(), (time.perf_counter() - started) * 1000)
    return times


async def _alone(port: int) -> Spread:
    """Milliseconds from the request to the first piece in which there is text of the answer."""
    samples: list[float] = []
    passages = "\n\n".join(
        f'<passage number="{number}" source="A › B">\nA passage says that everything is fine here, number {number}.\n'
        + "More words of the passage. " * 50
        + "\n</passage>"
        for number in range(1, 9)
    )
    body = {"model": "gpt-6-luna", "stream": True, "messages": [{"role": "user", "content": passages}]}
    for number in range(_WARM_UP + _RUNS):
        started = time.perf_counter()
        said = ""
        async for line in _lines(port, "/v1/chat/completions", body):
            if line.startswith(b"data: {"):
                choices = json.loads(line[6:])["choices"]
                said += (choices[0]["delta"].get("content") or "") if choices else ""
            if len(said) > len('{"answer": "'):
                break
        if number >= _WARM_UP:
            samples.append((time.perf_counter() - started) * 1000)
    return Spread(samples)


async def _lines(port: int, path: str, body: Mapping[str, Any]) -> AsyncIterator[bytes]:
    """The lines of a streamed response, each as soon as it is there."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    payload = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAccept: text/event-stream\r\n"
        f"Authorization: Bearer none\r\nConnection: close\r\nContent-Length: {len(payload)}\r\n\r\n"
    )
    writer.write(head.encode() + payload)
    try:
        while line := await reader.readline():
            yield line
    finally:
        writer.close()
        await writer.wait_closed()
