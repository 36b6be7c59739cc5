"""A folder of Markdown -> chapters.

Any tree of Markdown works; front matter is optional. What cannot be read is a `Problem` that names file and line, and
never keeps the other chapters from being read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ingest.markdown import outline
from service.domain import Chapter
from service.errors import EmptyKnowledgeBase, MissingKnowledgeBase

SUFFIXES = frozenset({".md", ".markdown"})
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MAX_CHAPTER_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one file; `skipped` when nothing of it could be used."""

    path: str
    message: str
    line: int | None = None
    skipped: bool = True

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.message}"


@dataclass(frozen=True, slots=True)
class Source:
    """One file as it stands on disk, not parsed yet; `content_hash` is the SHA-256 of its bytes."""

    path: str
    text: str
    content_hash: str


def scan(folder: Path) -> tuple[list[Source], list[Problem]]:
    """Read every chapter's text below a folder, in the order of their paths.

    Hidden folders and the contents page (`README.md` at the top, where there are other chapters) are left out.

    Raises:
        MissingKnowledgeBase: the folder is not there or is not a folder.
        EmptyKnowledgeBase: it holds no Markdown.
    """
    if not folder.is_dir():
        raise MissingKnowledgeBase(folder)
    root = folder.resolve()
    sources: list[Source] = []
    problems: list[Problem] = []
    for file in _markdown_files(folder):
        path = file.relative_to(folder).as_posix()
        read = _read(file, path, root)
        (sources if isinstance(read, Source) else problems).append(read)  # type: ignore[arg-type]
    if len(sources) > 1:
        sources = [source for source in sources if source.path.lower() != "readme.md"]
    if not sources and not problems:
        raise EmptyKnowledgeBase(folder)
    return sources, problems


def _markdown_files(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*"), key=lambda file: file.relative_to(folder).as_posix()):
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        if file.suffix.lower() in SUFFIXES and not hidden and (file.is_file() or file.is_symlink()):
            yield file


def _read(file: Path, path: str, root: Path) -> Source | Problem:
    if not file.resolve().is_relative_to(root):
        return Problem(path, "is a link to a file outside the knowledge base; copy the file into the folder instead")
    try:
        size = file.stat().st_size
        if size > MAX_CHAPTER_BYTES:
            megabytes, limit = size / 1e6, MAX_CHAPTER_BYTES / 1e6
            return Problem(path, f"is {megabytes:.1f} MB, over the limit of {limit:.1f} MB for a chapter; split it")
        raw = file.read_bytes()
    except OSError as error:
        return Problem(path, f"cannot be read: {error.strerror}")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return Problem(path, f"is not UTF-8 (byte 0x{raw[error.start]:02x}); save it as UTF-8", line)
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\N{REPLACEMENT CHARACTER}")
    return Source(path, text, hashlib.sha256(raw).hexdigest())


def parse(source: Source) -> tuple[Chapter, list[Problem]]:
    """Source -> chapter. Broken front matter is reported and left out; the chapter's text still counts."""
    front, body, body_line, problems = _split_front_matter(source)
    parsed = outline(body, body_line)
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
        questions=_texts(front.get("questions")),
        prerequisites=_texts(front.get("prerequisites")),
        versions=_versions(front.get("versions")),
        content_hash=source.content_hash,
    )
    return chapter, problems


def check(source: Source) -> list[Problem]:
    """What is wrong with a source's front matter, without parsing the rest."""
    return _split_front_matter(source)[3]


def body_of(chapter: Chapter) -> str:
    """The chapter's Markdown below its front matter."""
    return "\n".join(chapter.text.split("\n")[chapter.body_line - 1 :])


def words_of(path: str) -> str:
    """`06_nosql_mongodb/02_motor-setup.md` -> `nosql mongodb motor setup`."""
    parts = [re.sub(r"^\d+[-_. ]+", "", part) for part in path.removesuffix(".md").split("/")]
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
    if lines[0].rstrip() != "---" or close is None:
        return {}, source.text, 1, []
    body, body_line = "\n".join(lines[close + 1 :]), close + 2
    try:
        front = yaml.load("\n".join(lines[1:close]), Loader=_Loader)  # noqa: S506 - a safe loader, the C one if built in
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark else 2
        reason = getattr(error, "problem", None) or "not valid YAML"
        return {}, body, body_line, [Problem(source.path, f"front matter is broken: {reason}", line, skipped=False)]
    if front is None:
        return {}, body, body_line, []
    if not isinstance(front, dict):  # a chapter that merely begins with a rule
        return {}, source.text, 1, []
    return front, body, body_line, _type_problems(source.path, front, lines[1:close])


_LISTS = ("tags", "questions", "prerequisites")


def _type_problems(path: str, front: Mapping[str, Any], lines: list[str]) -> list[Problem]:
    """Front-matter values of a wrong type: named, and then left out."""
    problems = []
    for key, value in front.items():
        wrong = ""
        if key in _LISTS and value is not None and not _is_texts(value):
            wrong = f"front matter `{key}` must be a list of texts"
        elif key in ("title", "section", "level", "summary") and isinstance(value, list | dict):
            wrong = f"front matter `{key}` must be a text"
        if wrong:
            line = next((n for n, text in enumerate(lines, 2) if text.startswith(f"{key}:")), 2)
            problems.append(Problem(path, wrong, line, skipped=False))
    return problems


def _is_texts(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(v, str | int | float) for v in value))


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, list | dict) else str(value).strip()


def _texts(value: Any) -> tuple[str, ...]:
    if not value or not _is_texts(value):
        return ()
    parts = value.split(",") if isinstance(value, str) else value
    return tuple(text for part in parts if (text := str(part).strip()))


def _versions(value: Any) -> dict[str, str]:
    return {str(name): str(version) for name, version in value.items()} if isinstance(value, dict) else {}
