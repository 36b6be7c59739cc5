"""A folder of prompts."""

from __future__ import annotations

from pathlib import Path

import pytest

from .written import text_of, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three versions of `ask`, one of `tell`, and a file that is no version."""
    write(tmp_path, "ask", 1, text_of("Answer {{ question }}.\n"))
    body = "# system\nBe kind.\n\n# user\n{{passages}} then {{ question }} and {{question}}\n\n"
    write(tmp_path, "ask", 2, text_of(body, "question, passages"))
    write(tmp_path, "ask", 10, text_of("Say {{ question }}.\n", changelog="Says it."))
    write(tmp_path, "tell", 1, text_of("Tell {{ question }}.\n"))
    (tmp_path / "ask" / "verbose.md").write_text("notes")
    (tmp_path / "ask" / "v03.md").write_text("notes")
    return tmp_path
