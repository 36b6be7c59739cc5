"""`python -m ingest.known_modules`: list the modules and names of the libraries that the chapters pin.

Run in the development environment after a lock changed. Only source and stubs are read; nothing is imported. The
standard library is taken from the stubs that come with mypy, which say what each version of Python has.
"""

from __future__ import annotations

import re
import sys
import sysconfig
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from ingest.chapters import parse
from ingest.folder import scan
from ingest.module_names import PYTHON, Source, read
from service.answering.known_modules import LIST, KnownModule, KnownModules, dump, is_hidden, listed

PROJECT = Path(__file__).resolve().parent.parent
STANDARD = "python"

_TOOLS = frozenset({"mypy", "ruff"})
"""Programs that nobody imports."""

_REQUIREMENT = re.compile(r"[\w.-]+")
_COMPILED = re.compile(r"^(\w+)(\.[\w-]+)*\.(so|pyd)$")


_FOR_OLDER = re.compile(r"python_(?:full_)?version\s*<\s*['\"]3\.(?:\d|10|11)(?:\.\d+)?['\"]")
"""What only a Python before 3.11, or an early patch of it, requires: the list is the same on every 3.11."""


def pinned(project: Path = PROJECT) -> list[str]:
    """The distributions that are listed: what the project and the chapters name, and what those require themselves."""
    declared = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    groups = declared["dependency-groups"]
    named = {_name(text) for text in (*declared["project"]["dependencies"], *groups["dev"], *groups["kb"])}
    named |= {name for source in scan(project / "knowledge_base")[0] for name in parse(source)[0].versions}
    named -= _TOOLS
    found = {name: there for name in named if (there := _installed(name))}
    texts = (text for there in found.values() for text in there.requires or ())
    required = {_name(text) for text in texts if "extra ==" not in text and not _FOR_OLDER.search(text)}
    found |= {name: there for name in required - found.keys() if (there := _installed(name))}
    return sorted(found)


def gather(distributions: Iterable[str]) -> KnownModules:
    """Read distributions, and the standard library where `python` is among them.

    Raises:
        PackageNotFoundError: one is not installed.
    """
    sources: dict[str, Source] = {}
    versions: dict[str, str] = {}
    for name in distributions:
        if name == STANDARD:
            sources |= _standard()
            continue
        there = distribution(name)
        versions[name] = there.version
        for module, source in _of(there):
            sources[module] = sources.get(module, Source()) | source
    for source in list(sources.values()):
        for module, name in source.gives:
            if module in sources:
                sources[module].names.add(name)
    resolver = _Resolver(sources)
    modules = {module: resolver.known(module) for module in sources if not is_hidden(module)}
    for module in list(modules):
        for parent in _parents(module):  # a folder without `__init__.py`: other distributions may put modules there
            modules.setdefault(parent, KnownModule(frozenset(), more_names=True, more_modules=True))
    return listed(".".join(map(str, PYTHON)), versions, modules)


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:  # a requirement of another platform
        return None


def _name(requirement: str) -> str:
    found = _REQUIREMENT.match(requirement)
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else requirement


def _of(there: Distribution) -> Iterator[tuple[str, Source]]:
    """The modules of an installed distribution."""
    for file in there.files or ():
        path = PurePosixPath(file.as_posix())
        if path.parts[0].endswith((".dist-info", ".data")) or ".." in path.parts:
            continue
        if compiled := _COMPILED.match(path.name):
            yield _module(path.with_name(compiled[1])), Source(more_names=True)
        elif path.suffix in (".py", ".pyi") and all(part.isidentifier() for part in path.with_suffix("").parts):
            yield _read(Path(str(there.locate_file(file))), path)


def _read(file: Path, path: PurePosixPath) -> tuple[str, Source]:
    module = _module(path.with_suffix(""))
    try:
        return module, read(file.read_bytes(), module, path.stem == "__init__")
    except (SyntaxError, OSError):
        return module, Source(more_names=True)


def _module(path: PurePosixPath) -> str:
    parts = path.parts[:-1] if path.name == "__init__" else path.parts
    return ".".join(parts)


def _standard() -> dict[str, Source]:
    """The standard library, by mypy's stubs; they are complete, whatever the modules do when they run."""
    spec = find_spec("mypy")
    if spec is None or not spec.submodule_search_locations:
        raise PackageNotFoundError("mypy")
    stubs = Path(spec.submodule_search_locations[0]) / "typeshed" / "stdlib"
    ranges = _ranges((stubs / "VERSIONS").read_text(encoding="utf-8"))
    sources = {}
    for file in sorted(stubs.rglob("*.pyi")):
        module, source = _read(file, PurePosixPath(file.relative_to(stubs).as_posix()))
        if _exists(module, ranges):
            source |= _imported_there(file.relative_to(stubs))
            source.more_names = source.more_modules = False
            sources[module] = source
    return sources | {
        name: Source(more_names=True, more_modules=True) for name in sys.stdlib_module_names if name not in sources
    }


def _imported_there(stub: Path) -> Source:
    """What the module's own source binds beside its stub, such as the modules that it imports itself."""
    library = Path(sysconfig.get_path("stdlib"))
    file, package = stub.with_suffix(".py"), stub.with_suffix("") / "__init__.py"
    if stub.stem == "__init__":  # what is a package to the stubs may be one file here, and the other way round
        package, file = file, stub.parent.parent / f"{stub.parent.name}.py"
    for there in (library / file, library / package):
        if there.exists():
            return _read(there, PurePosixPath(stub.with_name(there.name).as_posix()))[1]
    return Source()


def _ranges(text: str) -> dict[str, tuple[tuple[int, ...], tuple[int, ...]]]:
    """Module -> the first and the last version of Python that has it."""
    ranges = {}
    for line in text.splitlines():
        module, colon, versions = line.partition("#")[0].strip().partition(": ")
        if colon:
            first, _, last = versions.partition("-")
            ranges[module] = (_version(first), _version(last) if last else (9, 9))
    return ranges


def _version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def _exists(module: str, ranges: dict[str, tuple[tuple[int, ...], tuple[int, ...]]]) -> bool:
    for name in (module, *_parents(module)):
        first, last = ranges.get(name, ((0,), (9,)))
        if not first <= PYTHON <= last:
            return False
    return True


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:end]) for end in range(len(parts) - 1, 0, -1)]


class _Resolver:
    """Source of modules -> what each of them is known to have, names that it takes over from others included."""

    def __init__(self, sources: dict[str, Source]) -> None:
        self._sources = sources
        self._children: dict[str, set[str]] = {}
        for module in sources:
            parent, _, name = module.rpartition(".")
            self._children.setdefault(parent, set()).add(name)

    def known(self, module: str) -> KnownModule:
        names, more = self._names(module, frozenset())
        public = frozenset(name for name in names if not name.startswith("_"))
        return KnownModule(public, more, self._sources[module].more_modules)

    def _names(self, module: str, seen: frozenset[str]) -> tuple[set[str], bool]:
        """The names of a module, and whether there may be more."""
        source = self._sources[module]
        names, more = set(source.names), source.more_names
        for star in source.stars:
            if star in seen or star == module:
                continue
            if star not in self._sources:
                more = True
                continue
            taken, open_ = self._names(star, seen | {module})
            names |= taken | (self._sources[star].exported or frozenset()) | self._children.get(star, set())
            more |= open_
        return names, more


def main(file: Path = LIST, distributions: Iterable[str] | None = None) -> int:
    """Write the list; the exit code."""
    known = gather(distributions or [STANDARD, *pinned()])
    file.write_bytes(dump(known))
    open_ = sum(line.startswith("?") for line in known.lines.values())
    sys.stdout.write(
        f"{len(known.lines):,} modules of {len(known.distributions)} distributions, {open_:,} of them open; "
        f"{file.stat().st_size:,} bytes\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
