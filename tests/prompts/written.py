"""Prompts written into a folder for tests."""

from __future__ import annotations

from pathlib import Path

FRONT = "---\npurpose: Test.\nvariables: [{variables}]\noutput: Text\nchangelog: {changelog}\n---\n"


def text_of(body: str, variables: str = "question", changelog: str = "First version.") -> str:
    """The text of a prompt's file."""
    return FRONT.format(variables=variables, changelog=changelog) + body


def write(folder: Path, name: str, version: int, text: str) -> Path:
    """Write `NAME/vN.md`."""
    file = folder / name / f"v{version}.md"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file
