"""Ingests in processes of their own, which a test may watch and kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an ingest ended: with a report, with a message, or (neither) killed."""

    report: dict[str, Any] | None
    error: str
    code: str

    @property
    def killed(self) -> bool:
        """Whether it ended without a word."""
        return self.report is None and not self.error


def environment(bytecode: Path) -> dict[str, str]:
    """This process's environment, and a folder that keeps compiled modules, so that many processes start quickly."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": str(bytecode), "OPENBLAS_NUM_THREADS": "1"}


class Ingests:
    """The process that starts them, one at a time (see `ingest_runner`)."""

    def __init__(self, bytecode: Path) -> None:
        self._bytecode = bytecode

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from tests.integration.ingest_runner import serve; serve()"],
            cwd=ROOT,
            env=environment(self._bytecode),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def start(self, data: Path, folder: Path, **more: Any) -> int:
        """Begin one; its process id, which is its process group's too."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"data": str(data), "folder": str(folder), **more}) + "\n")
        self._process.stdin.flush()
        return int(self._line()["started"])

    def kill(self, group: int) -> None:
        """Kill -9 the ingest and its child, if it has not ended by itself."""
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)

    def wait(self) -> Outcome:
        """Until the ingest is no more."""
        outcome = Outcome(None, "", "")
        while "gone" not in (line := self._line()):
            ended = line["ended"]
            outcome = Outcome(ended.get("report"), ended.get("error", ""), ended.get("code", ""))
        return outcome

    def run(self, data: Path, folder: Path, **more: Any) -> Outcome:
        """One from beginning to end."""
        self.start(data, folder, **more)
        return self.wait()

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout
        assert self._process.stderr
        if line := self._process.stdout.readline():
            return dict(json.loads(line))
        raise AssertionError(f"the runner ended: {self._process.stderr.read()}")
