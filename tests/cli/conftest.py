"""`mastery` with its arguments, in this process where that is enough and in one of its own where it is not."""

from __future__ import annotations

import json
import logging
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
import structlog

from service import cli
from service.settings import Settings


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


class Mastery(Protocol):
    """Runs a command to its end."""

    def __call__(self, *arguments: str, **environment: str) -> Done: ...


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of the test run is not that of the commands."""
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.alias), raising=False)


@pytest.fixture
def mastery(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], plain_data: Path) -> Iterator[Mastery]:
    """`mastery` over the plain chapters, in this process."""

    def run(*arguments: str, **environment: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["mastery", *arguments])
        for name, value in ({"MASTERY_DATA_DIR": str(plain_data), "COLUMNS": "200"} | environment).items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        code: Any = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
        shown = capsys.readouterr()
        return Done(code, shown.out, shown.err)

    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # typer sets its own
    handlers = list(logging.getLogger().handlers)
    on_stop = signal.getsignal(signal.SIGTERM)
    yield run
    signal.signal(signal.SIGTERM, on_stop)
    logging.getLogger().handlers[:] = handlers
    structlog.reset_defaults()
