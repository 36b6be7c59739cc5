"""A folder of Markdown -> the texts in it. Any tree of Markdown works."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ingest.questions import FILE, with_questions
from ingest.shipped_questions import with_shipped
from ingest.sources import Problem, Source, is_inside, read
from service.errors import EmptyKnowledgeBase, MissingKnowledgeBase

SUFFIXES = frozenset({".md", ".markdown"})


def scan(folder: Path) -> tuple[list[Source], list[Problem]]:
    """Read every chapter's text below a folder, in the order of their paths, with the questions that stand beside it.

    Hidden folders and the contents page (`README.md` at the top, where there are other chapters) are left out.

    Raises:
        MissingKnowledgeBase: the folder is not there or is not a folder.
        EmptyKnowledgeBase: it holds no Markdown.
    """
    if not folder.is_dir():
        raise MissingKnowledgeBase(folder)
    root = folder.resolve()
    texts: list[Source] = []
    problems: list[Problem] = []
    for file in _files(folder):
        path = file.relative_to(folder).as_posix()
        text = _linked(path) if file.is_dir() else read(file, path, root)
        (texts if isinstance(text, Source) else problems).append(text)  # type: ignore[arg-type]
    sheets = [text for text in texts if _is_sheet(text.path)]
    sources, named, found = with_questions([text for text in texts if not _is_sheet(text.path)], sheets)
    sources = with_shipped(sources, named)
    problems += found
    if len(sources) > 1:
        sources = [source for source in sources if source.path.lower() != "readme.md"]
    if not sources and not problems:
        raise EmptyKnowledgeBase(folder)
    return sources, problems


def _files(folder: Path) -> Iterator[Path]:
    """The Markdown files and the questions beside them, and the links to folders elsewhere that hold some."""
    root = folder.resolve()
    for file in sorted(folder.rglob("*"), key=lambda file: file.relative_to(folder).as_posix()):
        if any(part.startswith(".") for part in file.relative_to(folder).parts):
            continue
        linked = file.is_symlink()
        if linked and file.is_dir():
            if not is_inside(file, root) and any(map(_is_markdown, file.iterdir())):
                yield file
        elif (_is_markdown(file) or file.name == FILE) and (linked or file.is_file()):
            yield file


def _is_markdown(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES


def _is_sheet(path: str) -> bool:
    return path.rpartition("/")[2] == FILE


def _linked(path: str) -> Problem:
    return Problem(path, "is a link to a folder outside the knowledge base; copy the folder into it instead")
