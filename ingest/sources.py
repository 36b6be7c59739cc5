"""A text file as it stands on disk, and what is wrong with one.

What cannot be read is a `Problem` that names the file and the line, and never keeps the others from being read.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

MAX_CHAPTER_BYTES = 8 * 1024 * 1024
INTRODUCTION = "(introduction)"  # how a sheet of questions names the text before the first heading
SAFE_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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
    """One file as it stands on disk, not parsed yet; `content_hash` is the SHA-256 of its bytes.

    `asked` holds what people ask of a chapter, by the anchor of the section that answers, where a `questions.yaml` says
    so; the hash is then of both. `shipped` names the shipped sheet that says it.
    """

    path: str
    text: str
    content_hash: str
    asked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    shipped: str = ""


def read(file: Path, path: str, root: Path) -> Source | Problem:
    """A file's text without its BOM, line ends made alike; `path` is the one that is shown."""
    if (shown := path.encode(errors="backslashreplace").decode()) != path:
        return Problem(shown, "has a name that is not UTF-8; rename it")
    if not is_inside(file, root):
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


def is_inside(file: Path, root: Path) -> bool:
    """Whether a file, all links followed, lies in a folder."""
    return Path(os.path.realpath(file)).is_relative_to(root)  # Path.resolve raises on a link to itself
