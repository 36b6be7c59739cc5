"""Logs are lines on standard error, for people or as JSON, at the level that was set."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]

CODE = """
import structlog
from service import logs
from service.settings import load_settings

logs.configure(load_settings())
log = structlog.get_logger()
with structlog.contextvars.bound_contextvars(request_id="abc"):
    log.debug("a_debug_event")
    log.info("an_event", path="七/x.md", count=3)
    key = "sk-local-variable"
    try:
        raise RuntimeError("boom")
    except RuntimeError as error:
        log.exception("went_wrong", exc_info=error)
"""


def _logged(environment: dict[str, str], **settings: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CODE],
        cwd=PROJECT, env=environment | settings, capture_output=True, encoding="utf-8", check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout == ""
    return done.stderr


def test_json_logs_are_one_document_a_line(clean_environment: dict[str, str]) -> None:
    """Each has event, level, UTC time and what was bound; a traceback is a field, not more lines."""
    lines = _logged(clean_environment, MASTERY_LOG_FORMAT="json").splitlines()
    first, second = map(json.loads, lines)
    assert first["timestamp"].endswith("Z")
    assert {key: first[key] for key in ("event", "level", "path", "count", "request_id")} == {
        "event": "an_event",
        "level": "info",
        "path": "七/x.md",
        "count": 3,
        "request_id": "abc",
    }
    assert "RuntimeError: boom" in second["exception"]
    assert "七" in lines[0]


def test_console_logs_are_for_reading(clean_environment: dict[str, str]) -> None:
    """One line an event, a plain traceback below an error."""
    text = _logged(clean_environment)
    assert "an_event" in text
    assert "request_id=abc" in text
    assert "Traceback (most recent call last):" in text
    assert "\x1b[" not in text


@pytest.mark.parametrize("layout", ["console", "json"])
def test_a_traceback_shows_no_variables(clean_environment: dict[str, str], layout: str) -> None:
    """Local variables may hold keys: they never reach the log."""
    assert "sk-local-variable" not in _logged(clean_environment, MASTERY_LOG_FORMAT=layout).replace(CODE, "")


@pytest.mark.parametrize(
    ("level", "events"),
    [
        ("debug", ["a_debug_event", "an_event", "went_wrong"]),
        ("info", ["an_event", "went_wrong"]),
        ("warning", ["went_wrong"]),
        ("error", ["went_wrong"]),
    ],
)
def test_the_level_decides_what_is_logged(clean_environment: dict[str, str], level: str, events: list[str]) -> None:
    """What is below the level is not written."""
    lines = _logged(clean_environment, MASTERY_LOG_FORMAT="json", MASTERY_LOG_LEVEL=level).splitlines()
    assert [json.loads(line)["event"] for line in lines] == events
