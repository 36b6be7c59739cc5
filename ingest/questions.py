"""`questions.yaml` beside chapters: what people ask, in their words, by the section that answers it.

    caching.md:
      when-a-key-expires:
        - How long does a cached value live?
        - redis ttl default

Chapters say things in their own words and people in theirs; a section is found by its questions as well as by its text.
Chapters are named by their paths from the sheet, so that one sheet at the top may serve a whole tree; the text before
the first heading, which has no anchor, goes by `(introduction)`. The file is optional, and so is every entry.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import yaml

from ingest.sources import INTRODUCTION, SAFE_LOADER, Problem, Source
from service.errors import QuestionsFailed

FILE = "questions.yaml"

Asked = Mapping[str, tuple[str, ...]]


def parse(sheet: Source) -> tuple[dict[str, Asked], list[Problem]]:
    """The questions of each chapter file that the sheet names; what is of another form is named and left out."""
    try:
        content = yaml.load(sheet.text, Loader=SAFE_LOADER)  # noqa: S506 - a safe loader, the C one if built in
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error).split("\n")[0]
        return {}, [Problem(sheet.path, f"is broken: {reason}", mark.line + 1 if mark else None)]
    if not isinstance(content, dict | None):
        return {}, [Problem(sheet.path, "must be a mapping of chapter files to anchors to lists of questions", 1)]
    asked: dict[str, Asked] = {}
    problems: list[Problem] = []
    for file, sections in (content or {}).items():
        good = _asked(sections)
        if good is None:
            problem = f"`{file}` must be a mapping of anchors to lists of questions"
            problems.append(Problem(sheet.path, problem, _line(sheet, file), skipped=False))
        else:
            asked[str(file)] = good
    return asked, problems


def with_questions(sources: Sequence[Source], sheets: Sequence[Source]) -> tuple[list[Source], set[str], list[Problem]]:
    """The chapters, each with what the sheets say is asked of it; which of them the sheets name; what is wrong."""
    known = {source.path for source in sources}
    asked: dict[str, Asked] = {}
    problems: list[Problem] = []
    for sheet in sheets:
        folder = sheet.path.removesuffix(FILE)
        given, found = parse(sheet)
        problems += found
        for file, sections in given.items():
            if folder + file in known:
                asked[folder + file] = {**asked.get(folder + file, {}), **sections}
            else:
                problem = f"`{file}` is not a chapter below this folder"
                problems.append(Problem(sheet.path, problem, _line(sheet, file), skipped=False))
    chapters = [with_asked(source, asked[source.path]) if asked.get(source.path) else source for source in sources]
    return chapters, set(asked), problems


def with_asked(source: Source, asked: Asked, shipped: str = "") -> Source:
    """A chapter with what is asked of it, by a sheet of its folder or a shipped one; its hash is of both."""
    both = source.content_hash + json.dumps(asked, ensure_ascii=False)
    return replace(source, asked=asked, shipped=shipped, content_hash=hashlib.sha256(both.encode()).hexdigest())


def add(sheet: Path, file: str, asked: Mapping[str, Sequence[str]]) -> None:
    """Append a chapter's questions to a sheet, which is made if it is not there; what stands in it stays as it is.

    Raises:
        QuestionsFailed: it is written in a style to which nothing can be appended.
        OSError: it cannot be written. Either way it is as it was.
    """
    before = sheet.read_text(encoding="utf-8") if sheet.exists() else ""
    entry = {file: {anchor or INTRODUCTION: list(texts) for anchor, texts in asked.items()}}
    added = yaml.safe_dump(entry, allow_unicode=True, sort_keys=False, width=1000)
    whole = f"{before.rstrip()}\n\n{added}" if before.strip() else added
    if parse(Source(sheet.name, whole, ""))[1]:
        raise QuestionsFailed(f"{sheet.name} cannot be appended to; write its chapters on lines of their own")
    with NamedTemporaryFile("w", dir=sheet.parent, prefix=".questions", delete=False, encoding="utf-8") as new:
        try:
            new.write(whole)
            new.flush()
            Path(new.name).chmod(0o644)
            Path(new.name).replace(sheet)
        except OSError:
            Path(new.name).unlink(missing_ok=True)
            raise


def _asked(sections: Any) -> Asked | None:
    if not isinstance(sections, dict):
        return None
    if not all(isinstance(texts, list) and all(isinstance(t, str) for t in texts) for texts in sections.values()):
        return None
    given = {"" if anchor == INTRODUCTION else str(anchor): texts for anchor, texts in sections.items()}
    return {anchor: tuple(text for t in texts if (text := t.strip())) for anchor, texts in given.items()}


def _line(sheet: Source, key: Any) -> int | None:
    """Where a top-level key stands."""
    lines = sheet.text.split("\n")
    return next((n for n, line in enumerate(lines, 1) if line.lstrip("\"'").startswith(str(key))), None)
