"""Speed and memory of the running service, through HTTP on loopback, and of a switch under load."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Self

import psutil

from evals.bench.clock import Spread, figure, timed
from evals.bench.heartbeat import Stall, stalls_of

_WARM_UP = 30
_SERVE = ("service.cli", "serve")


class RunningService:
    """`mastery serve` in a process of its own, or the same service with a beating heart."""

    def __init__(
        self,
        data_dir: Path,
        knowledge_base: Path,
        *,
        with_heartbeat: bool = False,
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._command = [sys.executable, "-m", *(["evals.bench.heartbeat"] if with_heartbeat else _SERVE)]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
        self.environment = {
            **inherited,
            **settings,
            "MASTERY_DATA_DIR": str(data_dir),
            "MASTERY_KNOWLEDGE_BASE": str(knowledge_base),
            "MASTERY_PORT": str(self.port),
        }
        self.ready_seconds = 0.0

    def __enter__(self) -> Self:
        started = time.perf_counter()
        self._output = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            self._command, env=self.environment, stdout=self._output, stderr=subprocess.DEVNULL
        )
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5):
                    break
            except OSError:
                if time.perf_counter() - started > 30:
                    self.__exit__()
                    raise
                time.sleep(0.01)
        self.ready_seconds = time.perf_counter() - started
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(10)
        self._output.close()

    @property
    def stalls(self) -> list[Stall]:
        """The late heartbeats so far."""
        self._output.seek(0)
        return stalls_of(self._output.read())

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


async def while_ingesting(service: RunningService, questions: Sequence[str]) -> Spread:
    """The time that searches take while another process rebuilds the index, and until the service has switched."""
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
    return Spread(samples)


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
        during = await while_ingesting(service, questions)
        figure("search while a generation is built, switched", f"{during}; none failed")
        figure("resident memory after all that", f"{service.megabytes:.0f} MB", "<= 350 MB")
    await measure_stalls(data_dir, knowledge_base, questions)
    shutil.rmtree(data_dir / "index" / "readers", ignore_errors=True)
    return search.percentile(0.5)


async def measure_stalls(data_dir: Path, knowledge_base: Path, questions: Sequence[str]) -> None:
    """Print for how long the event loop was held up at most while a generation was built and switched."""
    with RunningService(data_dir, knowledge_base, with_heartbeat=True) as service:
        await one_after_another(service.port, "/api/search", "query", questions)
        since = time.monotonic()
        await while_ingesting(service, questions)
        stalls = sorted((stall for stall in service.stalls if stall.at > since), key=lambda stall: -stall.late_ms)
    busiest = max((stall.busy_ms for stall in stalls), default=0.0)
    figure(
        "event loop meanwhile, longest stall",
        f"{stalls[0].late_ms if stalls else 0.0:.0f} ms; by this process itself {busiest:.0f} ms",
        "<= 50 ms",
    )
