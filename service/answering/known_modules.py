"""The modules and public names of the libraries that the chapters pin, so that imports can be checked without them.

The service runs without most of these libraries, and would not import them to look. The list is made at development
time by `python -m ingest.known_modules`, which reads their source without running it.

The file holds a line a module, sorted: its name, its marks, and its names. Marks: `?` it may have names that its
source does not show, `*` it may have submodules that are not listed.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LIST = Path(__file__).with_name("known_modules.txt.gz")

_HIDDEN = frozenset({"test", "tests", "conftest"})


@dataclass(frozen=True, slots=True)
class KnownModule:
    """A module's public names. `more_names` and `more_modules` tell that there may be others."""

    names: frozenset[str]
    more_names: bool = False
    more_modules: bool = False


@dataclass(frozen=True, slots=True)
class KnownModules:
    """Modules by their dotted names, and the versions of the distributions that they are from.

    `lines` holds a module's marks and names as they stand in the file: few of the many are ever looked at.
    """

    python: str
    distributions: Mapping[str, str]
    lines: Mapping[str, str]

    def get(self, module: str) -> KnownModule | None:
        """A module; None where it is not listed."""
        line = self.lines.get(module)
        if line is None:
            return None
        marks, _, names = line.partition(" ")
        return KnownModule(frozenset(names.split()), "?" in marks, "*" in marks)


def is_hidden(module: str) -> bool:
    """Whether a module is left out of the list: a private one, or tests."""
    return any(part.startswith("_") or part in _HIDDEN for part in module.split("."))


def load(file: Path = LIST) -> KnownModules:
    """Read the list; takes some tens of milliseconds."""
    head, _, body = gzip.decompress(file.read_bytes()).decode("utf-8").partition("\n\n")
    python, *pinned = head.split("\n")
    distributions = dict(line.split("==") for line in pinned)
    lines = dict(line.split(" ", 1) for line in body.split("\n"))
    return KnownModules(python.removeprefix("python=="), distributions, lines)


def listed(python: str, distributions: Mapping[str, str], modules: Mapping[str, KnownModule]) -> KnownModules:
    """Modules as they stand in the list."""
    lines = {
        name: f"{'?' * module.more_names}{'*' * module.more_modules}- {' '.join(sorted(module.names))}"
        for name, module in modules.items()
    }
    return KnownModules(python, distributions, lines)


def dump(known: KnownModules) -> bytes:
    """The bytes of the list: the same for the same modules."""
    head = [f"python=={known.python}", *(f"{name}=={version}" for name, version in sorted(known.distributions.items()))]
    body = [f"{name} {line}" for name, line in sorted(known.lines.items())]
    return gzip.compress("\n".join([*head, "", *body]).encode(), compresslevel=9, mtime=0)
