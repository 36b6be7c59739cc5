"""Whether SQL, JSON, YAML, TOML and Dockerfile blocks parse, each with a real parser where there is one."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping

import sqlglot
import yaml
from sqlglot.errors import SqlglotError

from service.domain import Chapter

from .code_blocks import CodeBlock, code_blocks

_INSTRUCTIONS = frozenset(
    "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME "
    "WORKDIR".split()
)
_HEREDOC = re.compile(r"<<-?\s*[\"']?(\w+)[\"']?")


class DoesNotParse(ValueError):
    """What the parser says, on one line."""


def _parse_json(block: CodeBlock) -> None:
    try:
        json.loads(block.code)
    except ValueError as error:
        raise DoesNotParse(str(error)) from error


def _parse_json_lines(block: CodeBlock) -> None:
    for line in filter(str.strip, block.code.splitlines()):
        try:
            json.loads(line)
        except ValueError as error:
            raise DoesNotParse(f"{error}: {line}") from error


def _parse_yaml(block: CodeBlock) -> None:
    try:
        list(yaml.compose_all(block.code, Loader=yaml.SafeLoader))  # nodes only: another tool's tag is no mistake
    except yaml.YAMLError as error:
        raise DoesNotParse(" ".join(str(error).split())) from error


def _parse_toml(block: CodeBlock) -> None:
    try:
        tomllib.loads(block.code)
    except tomllib.TOMLDecodeError as error:
        raise DoesNotParse(str(error)) from error


def _parse_sql(block: CodeBlock) -> None:
    dialect = next((mark for mark in block.marks if mark != "wrong"), "postgres")
    try:
        statements = sqlglot.parse(block.code, dialect=dialect)
    except (SqlglotError, ValueError) as error:  # ValueError: a dialect that sqlglot does not know
        raise DoesNotParse(re.sub(r"\x1b\[\d*m", "", str(error)).strip()) from error
    if not any(statements):
        raise DoesNotParse("no statement")


def _parse_dockerfile(block: CodeBlock) -> None:
    """Known instruction words, and FROM or ARG first unless the block is marked `fragment`."""
    words = [line.split()[0].upper() for line in _instructions(block.code)]
    if unknown := [word for word in words if word not in _INSTRUCTIONS]:
        raise DoesNotParse(f"no such instruction: {unknown[0]}")
    if not words or (words[0] not in ("FROM", "ARG") and "fragment" not in block.marks):
        raise DoesNotParse("does not begin with FROM or ARG; mark a part of a file as `dockerfile fragment`")


def _instructions(code: str) -> list[str]:
    """The logical lines: comments gone, continuation lines joined, here-documents left out."""
    found: list[str] = []
    joined, heredoc = "", ""
    for line in code.splitlines():
        if heredoc:
            heredoc = "" if line.strip() == heredoc else heredoc
        elif line.strip() and not line.lstrip().startswith("#"):
            joined += line.strip().removesuffix("\\") + " "
            if not line.rstrip().endswith("\\"):
                document = _HEREDOC.search(joined)
                heredoc = document[1] if document and joined.split()[0].upper() in ("RUN", "COPY", "ADD") else ""
                found.append(joined.strip())
                joined = ""
    return found + ([joined.strip()] if joined.strip() else [])


_PARSERS: Mapping[str, Callable[[CodeBlock], None]] = {
    "json": _parse_json,
    "jsonl": _parse_json_lines,
    "yaml": _parse_yaml,
    "toml": _parse_toml,
    "sql": _parse_sql,
    "dockerfile": _parse_dockerfile,
}


def data_problems(chapter: Chapter) -> list[str]:
    """Blocks that do not parse; `wrong` ones may show malformed text."""
    problems = []
    for block in code_blocks(chapter):
        parser = _PARSERS.get(block.language)
        if parser is None or block.skip or block.wrong:
            continue
        try:
            parser(block)
        except DoesNotParse as error:
            problems.append(f"{chapter.path}:{block.line}: {block.language}: {error}")
    return problems
