"""`mastery serve` as a process of its own, on a port of this machine."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from .conftest import Mastery

PROJECT = Path(__file__).parents[2]
QUESTION = "How does keyset pagination with a cursor work?"


@dataclass
class Serving:
    """A process that serves, its address, and what it wrote until it was ready."""

    process: subprocess.Popen[str]
    address: str
    said: str

    def stop(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal; the exit code and what it wrote afterwards."""
        self.process.send_signal(number)
        _, rest = self.process.communicate(timeout=30)
        return self.process.returncode, rest


@contextmanager
def serving(environment: dict[str, str], *arguments: str) -> Iterator[Serving]:
    """Start it and wait until it has said that its index is open."""
    command = [sys.executable, "-m", "service.cli", "serve", "--port", "0", *arguments]
    process = subprocess.Popen(
        command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr
        said = ""
        for line in process.stderr:
            said += line
            if "index_opened" in line or "index_not_opened" in line:
                break
        address = re.search(r"answers at (http://\S+)", said)
        assert address, said
        yield Serving(process, address[1], said)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def environment(plain_data: Path, clean_environment: dict[str, str]) -> dict[str, str]:
    """No settings but the folder with the index of the plain chapters."""
    return clean_environment | {"MASTERY_DATA_DIR": str(plain_data)}


def test_it_serves_beside_other_processes_until_it_is_stopped(environment: dict[str, str], plain_data: Path) -> None:
    """It prints its address and a first curl; `ask` works meanwhile; Ctrl+C ends it and leaves nothing behind."""
    with serving(environment) as service:
        assert f"curl -s {service.address}/api/ask" in service.said
        assert f"{service.address}/docs" in service.said
        served = httpx.post(f"{service.address}/api/ask", json={"question": QUESTION}, timeout=30)
        assert served.status_code == 200
        assert served.headers["x-request-id"]
        assert httpx.get(f"{service.address}/readyz").json()["chapters"] == 8

        command = [sys.executable, "-m", "service.cli", "ask", "--json", QUESTION]
        asked = subprocess.run(
            command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert (asked.returncode, asked.stderr) == (0, "")
        assert json.loads(asked.stdout)["answer"] == served.json()["answer"]

        views = plain_data / "index" / "readers"
        assert list(views.glob(f"{service.process.pid}-*"))
        assert httpx.get(f"{service.address}/healthz").status_code == 200
        code, rest = service.stop(signal.SIGINT)
        assert code in (0, 130)
        assert "Traceback" not in rest
        assert list(views.glob(f"{service.process.pid}-*")) == []


def test_it_ends_when_it_is_told_to(clean_environment: dict[str, str], tmp_path: Path) -> None:
    """A container's stop signal ends it at once and in order, also before anything was ingested."""
    with serving(clean_environment | {"MASTERY_DATA_DIR": str(tmp_path)}) as service:
        assert "index_missing" in service.said
        assert httpx.get(f"{service.address}/readyz").status_code == 503
        code, rest = service.stop(signal.SIGTERM)
        assert code == 128 + signal.SIGTERM
        assert "Traceback" not in rest


@pytest.mark.parametrize(
    ("settings", "arguments", "message"),
    [
        ({"MASTERY_EMBEDDING_MODEL": "text-embedding-3-small"}, ("--port", "0"), "error: MASTERY_EMBEDDING_MODEL: "),
        ({"MASTERY_HOST": "no.such.host.invalid"}, (), "error: no.such.host.invalid:8000 cannot be used ("),
        ({}, ("--host", "203.0.113.1"), "error: 203.0.113.1:8000 cannot be used ("),
    ],
)
def test_a_setting_that_cannot_work_is_one_line(
    mastery: Mastery, settings: dict[str, str], arguments: tuple[str, ...], message: str
) -> None:
    """It does not start, says why in one line, announces nothing, and exits with 2."""
    done = mastery("serve", *arguments, **settings)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(message)
    assert done.err.count("\n") == 1


def test_a_port_that_somebody_else_uses_is_one_line(mastery: Mastery) -> None:
    """Whoever holds the port, the line names it and what to do."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = mastery("serve", MASTERY_PORT=str(port))
    assert done.code == 2
    assert done.err.startswith(f"error: 127.0.0.1:{port} cannot be used (")
    assert done.err.endswith("stop what runs there, or set MASTERY_HOST and MASTERY_PORT\n")
    assert done.err.count("\n") == 1
