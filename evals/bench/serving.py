"""Speed and memory of the running service, through HTTP on loopback, and of a switch under load."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import psutil

from evals.bench.clock import Spread, figure, timed

_WARM_UP = 30


class RunningService:
    """`mastery serve` in a process of its own."""

    def __init__(self, data_dir: Path, knowledge_base: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.environment = os.environ | {
            "MASTERY_DATA_DIR": str(data_dir),
            "MASTERY_KNOWLEDGE_BASE": str(knowledge_base),
            "MASTERY_PORT": str(self.port),
        }
        self.environment.pop("OPENAI_API_KEY", None)
        self.ready_seconds = 0.0

    def __enter__(self) -> Self:
        started = time.perf_counter()
        command = [sys.executable, "-m", "service.cli", "serve"]
        self.process = subprocess.Popen(command, env=self.environment, stderr=subprocess.DEVNULL)
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5):
                    break
            except OSError:
                if time.perf_counter() - started > 30:
                    raise
                time.sleep(0.01)
        self.ready_seconds = time.perf_counter() - started
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(10)

    @property
    def megabytes(self) -> float:
        """Resident memory now."""
        return psutil.Process(self.process.pid).memory_info().rss / 1e6


class Client:
    """A keep-alive HTTP/1.1 client that costs little, so that the service is measured and not the client."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def post(self, path: str, body: dict[str, object]) -> bytes:
        """The body of the answer, which must be a 200."""
        payload = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        self._writer.write(f"{head}Content-Length: {len(payload)}\r\n\r\n".encode() + payload)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(answer.decode())
        length = next(line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        return await self._reader.readexactly(int(length.split(b":")[1]))


async def one_after_another(port: int, path: str, field: str, questions: Sequence[str]) -> Spread:
    samples: list[float] = []
    async with Client(port) as client:
        for question in questions[:_WARM_UP]:
            await client.post(path, {field: question})
        for question in questions:
            with timed(samples):
                await client.post(path, {field: question})
    return Spread(samples)


async def at_once(port: int, questions: Sequence[str], connections: int, total: int) -> tuple[float, Spread]:
    """Requests a second over so many connections, and their latencies."""
    samples: list[float] = []
    numbers = iter(range(total))

    async def worker() -> None:
        async with Client(port) as client:
            for number in numbers:
                with timed(samples):
                    await client.post("/api/ask", {"question": questions[number % len(questions)]})

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(connections)))
    return total / (time.perf_counter() - started), Spread(samples)


async def while_ingesting(service: RunningService, questions: Sequence[str]) -> tuple[Spread, int]:
    """The time `/healthz`-like cheap searches take while another process rebuilds, and how many were answered."""
    command = [sys.executable, "-m", "service.cli", "ingest", "--rebuild"]
    samples: list[float] = []
    process = await asyncio.create_subprocess_exec(
        *command, env=service.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    ended = asyncio.create_task(process.wait())
    async with Client(service.port) as client:
        tail = 0.0
        while not ended.done() or time.perf_counter() < tail:
            if not ended.done():
                tail = time.perf_counter() + 2.0  # the switch is noticed within half a second
            with timed(samples):
                await client.post("/api/search", {"query": questions[len(samples) % len(questions)]})
            await asyncio.sleep(0.002)
    return Spread(samples), len(samples)


async def measure(data_dir: Path, knowledge_base: Path, questions: Sequence[str]) -> float:
    """Print the serving figures; returns the median of a search in milliseconds."""
    with RunningService(data_dir, knowledge_base) as first:
        pass  # the first start of a machine reads everything from disk
    with RunningService(data_dir, knowledge_base) as service:
        figure(
            "service ready, index there", f"{service.ready_seconds:.2f} s (cold {first.ready_seconds:.2f} s)", "<= 2 s"
        )
        search = await one_after_another(service.port, "/api/search", "query", questions)
        figure("search through HTTP", str(search), "p50 <= 8 ms")
        ask = await one_after_another(service.port, "/api/ask", "question", questions)
        figure("extractive ask through HTTP", str(ask), "p50 <= 20 ms")
        per_second, spread = await at_once(service.port, questions, connections=16, total=1500)
        figure("ask at 16 connections", f"{per_second:.0f} a second, {spread}", ">= 150 a second")
        during, answered = await while_ingesting(service, questions)
        figure("search while a generation is built, switched", f"{during}; {answered} answered, none failed")
        figure("resident memory after all that", f"{service.megabytes:.0f} MB", "<= 350 MB")
    shutil.rmtree(data_dir / "index" / "readers", ignore_errors=True)
    return search.percentile(0.5)
