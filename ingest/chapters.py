"""A Markdown file's text -> a chapter: front matter, headings, body.

Front matter is optional; where it is broken, a `Problem` names file and line and the text still counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ingest.markdown import Outline, Slugs, outline, plain
from ingest.sources import INTRODUCTION, SAFE_LOADER, Problem, Source
from service.domain import Chapter, is_question

_SUFFIX = re.compile(r"\.(?:md|markdown)$", re.IGNORECASE)
_KEY = re.compile(r"[\w-]+:(?:\s|$)")


def parse(source: Source) -> tuple[Chapter, list[Problem]]:
    """Source -> chapter. Broken front matter is reported and left out; the chapter's text still counts."""
    front, body, body_line, problems = _split_front_matter(source)
    parsed = outline(body, body_line)
    asked, unknown = _answered(source, parsed)
    own = _texts(front.get("questions"), separator="\n")
    top = next((heading.text for heading in parsed.headings if heading.level == 1 and heading.text), "")
    chapter = Chapter(
        path=source.path,
        title=_text(front.get("title")) or top or words_of(Path(source.path).stem).capitalize(),
        text=source.text,
        body_line=body_line,
        headings=parsed.headings,
        section=_text(front.get("section")) or section_title(source.path),
        level=_text(front.get("level")).lower(),
        summary=_text(front.get("summary")) or _text(front.get("description")),
        tags=_texts(front.get("tags")),
        questions=own or _first_of_each(asked),
        brings_questions=bool(own),
        prerequisites=_texts(front.get("prerequisites")),
        versions=_versions(front.get("versions")),
        content_hash=source.content_hash,
        asked=asked,
    )
    return chapter, problems + unknown


def check(source: Source) -> list[Problem]:
    """What is wrong with a source; all of it is parsed only where a question seems to have lost its section."""
    slugs = Slugs()
    titles = (line.lstrip("#").strip() for line in source.text.split("\n") if source.asked and line.startswith("#"))
    answered = source.shipped or source.asked.keys() <= {slugs.slug(plain(title)) for title in titles}
    return _split_front_matter(source)[3] if answered else parse(source)[1]


def _answered(source: Source, parsed: Outline) -> tuple[dict[str, tuple[str, ...]], list[Problem]]:
    """What is asked of the chapter's sections; an anchor that is none of them is named and left out."""
    anchors = {heading.anchor for heading in parsed.headings} | {"" for part in parsed.sections if not part.trail}
    known = {anchor: texts for anchor, texts in source.asked.items() if anchor in anchors}
    if source.shipped:  # a library's pages change from version to version
        return known, []
    missing = [
        f"no heading with the anchor `{anchor}`" if anchor else f"no {INTRODUCTION} before its first heading"
        for anchor in source.asked
        if anchor not in anchors
    ]
    return known, [Problem(source.path, f"has {what}, which questions.yaml names", skipped=False) for what in missing]


def _first_of_each(asked: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Questions to suggest to a reader, where the front matter has none."""
    return tuple(whole[0] for texts in asked.values() if (whole := [text for text in texts if is_question(text)]))


def body_of(chapter: Chapter) -> str:
    """The chapter's Markdown below its front matter."""
    return "\n".join(chapter.text.split("\n")[chapter.body_line - 1 :])


def words_of(path: str) -> str:
    """`06_nosql_mongodb/02_motor-setup.md` -> `nosql mongodb motor setup`."""
    parts = [re.sub(r"^\d+[-_. ]+", "", part) for part in _SUFFIX.sub("", path).split("/")]
    return " ".join(re.sub(r"[-_.]+", " ", part).strip() for part in parts).strip()


def section_title(path: str) -> str:
    """The top folder as a title: `06_nosql_mongodb/x.md` -> `06 - Nosql Mongodb`; empty for a file at the top."""
    folder, _, rest = path.partition("/")
    if not rest:
        return ""
    number = re.match(r"\d+(?=[-_. ])", folder)
    words = words_of(folder).title()
    return f"{number[0]} - {words}" if number else words


def _split_front_matter(source: Source) -> tuple[Mapping[str, Any], str, int, list[Problem]]:
    lines = source.text.split("\n")
    close = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() in ("---", "...")), None)
    if lines[0].rstrip() != "---" or (close is None and not _KEY.match("".join(lines[1:2]))):
        return {}, source.text, 1, []
    if close is None:
        blank = next((n for n, line in enumerate(lines) if not line.strip()), len(lines))
        return _broken(source.path, lines, blank, "it has no closing `---`", 1)
    try:
        front = yaml.load("\n".join(lines[1:close]), Loader=SAFE_LOADER)  # noqa: S506 - a safe loader, the C one if built in
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date or a number that cannot be
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error).split("\n")[0]
        return _broken(source.path, lines, close + 1, reason, mark.line + 2 if mark else 2)
    if not isinstance(front, dict | None):  # a chapter that merely begins with a rule
        return {}, source.text, 1, []
    problems = _type_problems(source.path, front or {}, lines[1:close])
    return front or {}, "\n".join(lines[close + 1 :]), close + 2, problems


def _broken(
    path: str, lines: Sequence[str], end: int, reason: str, line: int
) -> tuple[Mapping[str, Any], str, int, list[Problem]]:
    """What is left of a chapter whose front matter is broken: the text from its end, or from a heading before that.

    Front matter that was not closed seems to go on to the next rule in the text.
    """
    heading = next((n for n in range(1, end) if lines[n].startswith("#") and not lines[n - 1].strip()), end)
    problem = Problem(path, f"front matter is broken: {reason}", line, skipped=False)
    return {}, "\n".join(lines[heading:]), heading + 1, [problem]


_LISTS = ("tags", "questions", "prerequisites")
_SINGLE = ("title", "section", "level", "summary", "description")


def _type_problems(path: str, front: Mapping[str, Any], lines: list[str]) -> list[Problem]:
    """Front-matter values of a wrong type: named, and then left out."""
    problems = []
    for key, value in front.items():
        wrong = ""
        if key in _LISTS and value is not None and not _is_texts(value):
            wrong = f"front matter `{key}` must be a list of texts"
        elif key in _SINGLE and isinstance(value, list | dict):
            wrong = f"front matter `{key}` must be a text"
        elif key == "versions" and value is not None and not isinstance(value, dict):
            wrong = "front matter `versions` must be a mapping of names to versions"
        if wrong:
            line = next((n for n, text in enumerate(lines, 2) if text.startswith(f"{key}:")), 2)
            problems.append(Problem(path, wrong, line, skipped=False))
    return problems


def _is_texts(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(v, str | int | float) for v in value))


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, list | dict) else str(value).strip()


def _texts(value: Any, separator: str = ",") -> tuple[str, ...]:
    if not value or not _is_texts(value):
        return ()
    parts = value.split(separator) if isinstance(value, str) else value
    return tuple(text for part in parts if (text := str(part).strip()))


def _versions(value: Any) -> dict[str, str]:
    return {str(name): str(version) for name, version in value.items()} if isinstance(value, dict) else {}
