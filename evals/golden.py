"""Golden questions: YAML files -> items, checked when they are read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

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
                re.compile(pattern)
        return self


_ITEMS = TypeAdapter(list[Item])


def load(file: Path) -> list[Item]:
    """Read one file.

    Raises:
        GoldenFileInvalid: it names the file and what is wrong.
    """
    try:
        return _ITEMS.validate_python(yaml.safe_load(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise GoldenFileInvalid(f"{file}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise GoldenFileInvalid(f"{file}: not valid YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise GoldenFileInvalid(f"{file}: item {first['loc'][0]}: {first['msg']}") from error


def load_all(files: Sequence[Path]) -> list[Item]:
    """Read files.

    Raises:
        GoldenFileInvalid: one cannot be read, or an id stands twice.
    """
    items = [item for file in files for item in load(file)]
    ids = [item.id for item in items]
    if twice := {id_ for id_ in ids if ids.count(id_) > 1}:
        raise GoldenFileInvalid(f"ids stand twice: {', '.join(sorted(twice))}")
    return items
