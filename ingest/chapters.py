"""A folder of Markdown -> chapters.

Any tree of Markdown works; front matter is optional. What cannot be read is a `Problem` that names file and line, and
never keeps the other chapters from being read.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ingest.markdown import outline
from service.domain import Chapter
from service.errors import EmptyKnowledgeBase, MissingKnowledgeBase

SUFFIXES = frozenset({".md", ".markdown"})
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SUFFIX = re.compile(r"\.(?:md|markdown)$", re.IGNORECASE)
_KEY = re.compile(r"[\w-]+:(?:\s|$)")
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
        read = _linked(path) if file.is_dir() else _read(file, path, root)
        (sources if isinstance(read, Source) else problems).append(read)  # type: ignore[arg-type]
    if len(sources) > 1:
        sources = [source for source in sources if source.path.lower() != "readme.md"]
    if not sources and not problems:
        raise EmptyKnowledgeBase(folder)
    return sources, problems


def _markdown_files(folder: Path) -> Iterator[Path]:
    """The Markdown files, and the links to folders elsewhere that hold some."""
    root = folder.resolve()
    for file in sorted(folder.rglob("*"), key=lambda file: file.relative_to(folder).as_posix()):
        if any(part.startswith(".") for part in file.relative_to(folder).parts):
            continue
        linked = file.is_symlink()
        if linked and file.is_dir():
            if not _is_inside(file, root) and any(map(_is_markdown, file.iterdir())):
                yield file
        elif _is_markdown(file) and (linked or file.is_file()):
            yield file


def _is_markdown(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES


def _is_inside(file: Path, root: Path) -> bool:
    return Path(os.path.realpath(file)).is_relative_to(root)  # Path.resolve raises on a link to itself


def _linked(path: str) -> Problem:
    return Problem(path, "is a link to a folder outside the knowledge base; copy the folder into it instead")


def _read(file: Path, path: str, root: Path) -> Source | Problem:
    if (shown := path.encode(errors="backslashreplace").decode()) != path:
        return Problem(shown, "has a name that is not UTF-8; rename it")
    if not _is_inside(file, root):
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
        questions=_texts(front.get("questions"), separator="\n"),
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
        front = yaml.load("\n".join(lines[1:close]), Loader=_Loader)  # noqa: S506 - a safe loader, the C one if built in
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
