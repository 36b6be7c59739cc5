"""The code of every chapter parses, imports what exists, and runs."""

from __future__ import annotations

from service.domain import Chapter

from .block_run import run_problems
from .code_blocks import (
    MINIMUM_SHARE_OF_A_CHAPTER,
    MINIMUM_SHARE_OF_THE_BOOK,
    info_problems,
    python_blocks,
    running_share,
)
from .data_blocks import data_problems
from .imports import ImportResolver, import_problems, syntax_problems
from .library import Library
from .report import fail_on


def test_info_strings_are_ones_the_checker_reads(chapter: Chapter) -> None:
    """Every fence names its language, and no spelling of a mark switches a check off unnoticed."""
    fail_on(info_problems(chapter))


def test_python_parses(chapter: Chapter) -> None:
    """Every Python block is valid Python, also one that is wrong or does not run."""
    fail_on(syntax_problems(chapter))


def test_imports_resolve(chapter: Chapter, resolver: ImportResolver) -> None:
    """Every module and name that a block imports exists in the installed libraries."""
    fail_on(import_problems(chapter, resolver))


def test_python_runs(chapter: Chapter) -> None:
    """The blocks run in order, in one namespace, in an empty folder and without network."""
    fail_on(run_problems(chapter))


def test_half_of_a_chapters_python_runs(chapter: Chapter) -> None:
    """At least half of a chapter's Python blocks run, so that none hides its code behind `no-run`."""
    assert running_share(python_blocks(chapter)) >= MINIMUM_SHARE_OF_A_CHAPTER


def test_most_of_the_books_python_runs(library: Library) -> None:
    """At least 60 % of all Python blocks run."""
    blocks = [block for chapter in library.chapters.values() for block in python_blocks(chapter)]
    assert running_share(blocks) >= MINIMUM_SHARE_OF_THE_BOOK


def test_data_and_sql_parse(chapter: Chapter) -> None:
    """SQL, JSON, YAML, TOML and Dockerfile blocks are accepted by a parser of their language."""
    fail_on(data_problems(chapter))
