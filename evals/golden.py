"""Golden questions: YAML files -> items, checked when they are read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator

from service.errors import UserError

FOLDER = Path(__file__).parent / "golden"


class GoldenFileInvalid(UserError):
    """A golden file cannot be read."""

    code = "golden_file_invalid"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Place(_Model):
    """A section that answers the question."""

    chapter: str
    anchor: str


class TurnItem(_Model):
    """One message before the question."""

    role: Literal["user", "assistant"]
    content: str


class Item(_Model):
    """One golden question. `facts` are lists of alternative regular expressions; one of each list must match."""

    id: str
    question: str
    answerable: bool
    split: Literal["dev", "test"] = "test"
    kind: str = ""
    distance: Literal["near", "far", ""] = ""
    why: str = ""
    history: tuple[TurnItem, ...] = ()
    expect: tuple[Place, ...] = ()
    facts: tuple[tuple[str, ...], ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Item:
        if self.answerable and not (self.expect and self.facts):
            raise ValueError("an answerable question needs `expect` and `facts`")
        for alternatives in self.facts:
            for pattern in alternatives:
                try:
                    re.compile(pattern)
                except re.error as error:
                    raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
        return self


_ITEMS = TypeAdapter(list[Item])


def load(file: Path) -> list[Item]:
    """Read one file.

    Raises:
        GoldenFileInvalid: it names the file and what is wrong.
    """
    try:
        read = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise GoldenFileInvalid(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise GoldenFileInvalid(f"{file}: not UTF-8 at byte {error.start}") from error
    except yaml.YAMLError as error:
        raise GoldenFileInvalid(f"{file}: not valid YAML: {error}") from error
    try:
        return _ITEMS.validate_python(read)
    except ValidationError as error:
        raise GoldenFileInvalid(f"{file}: {_first_problem(error, read)}") from error


def _first_problem(error: ValidationError, read: Any) -> str:
    """The item by its id, or by its place where it has none, the field in it, and what is wrong."""
    first = error.errors()[0]
    if not first["loc"]:
        return first["msg"]
    place, *inside = first["loc"]
    item = read[place]
    name = (item.get("id") if isinstance(item, dict) else None) or f"no. {int(place) + 1}"
    field = f", {'.'.join(map(str, inside))}" if inside else ""
    return f"item {name}{field}: {first['msg']}"


def load_all(files: Sequence[Path]) -> list[Item]:
    """Read files.

    Raises:
        GoldenFileInvalid: one cannot be read, or an id stands twice.
    """
    items = [item for file in files for item in load(file)]
    ids = [item.id for item in items]
    if twice := {id_ for id_ in ids if ids.count(id_) > 1}:
        names = ", ".join(str(file) for file in files)
        raise GoldenFileInvalid(f"{names}: ids stand twice: {', '.join(sorted(twice))}")
    return items
