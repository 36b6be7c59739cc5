"""The prompts on disk: `NAME/vN.md`, one file a version. A released version is never edited: a new one is added."""

from __future__ import annotations

from pathlib import Path

from prompts.parsing import parse
from prompts.prompt import Prompt, PromptError

FOLDER = Path(__file__).parent


class Registry:
    """The prompts of a folder; each file is read once, for a released version never changes."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder
        self._files: dict[str, dict[int, Path]] = {}
        self._loaded: dict[tuple[str, int], Prompt] = {}

    def names(self) -> list[str]:
        """The names of all prompts, sorted."""
        return sorted({file.parent.name for file in self.folder.glob("*/v*.md") if _version(file)})

    def versions(self, name: str) -> list[int]:
        """The versions of a prompt, oldest first.

        Raises:
            PromptError: there is no such prompt.
        """
        return sorted(self._of(name))

    def load(self, name: str, version: int | None = None) -> Prompt:
        """A version of a prompt, or its newest.

        Raises:
            PromptError: there is no such prompt or version, or its file is broken.
        """
        files = self._of(name)
        chosen = max(files) if version is None else version
        if chosen not in files:
            there = ", ".join(map(str, sorted(files)))
            raise PromptError(f"prompt {name!r} has no version {chosen}; it has {there}")
        key = (name, chosen)
        if key not in self._loaded:
            self._loaded[key] = parse(name, chosen, files[chosen].read_bytes())
        return self._loaded[key]

    def all(self) -> list[Prompt]:
        """Every version of every prompt, by name and version.

        Raises:
            PromptError: a file is broken.
        """
        return [self.load(name, version) for name in self.names() for version in self.versions(name)]

    def _of(self, name: str) -> dict[int, Path]:
        if name not in self._files:
            found = {_version(file): file for file in self.folder.glob("*/v*.md") if file.parent.name == name}
            found.pop(0, None)
            if not found:
                raise PromptError(f"there is no prompt {name!r}; there are {', '.join(self.names()) or 'none'}")
            self._files[name] = found
        return self._files[name]


def load(name: str, version: int | None = None, folder: Path = FOLDER) -> Prompt:
    """A version of a prompt, or its newest, read anew.

    Raises:
        PromptError: there is no such prompt or version, or its file is broken.
    """
    return Registry(folder).load(name, version)


def _version(file: Path) -> int:
    """The number in `vN.md`; 0 where the file is no version, such as `verbose.md` or `v01.md`."""
    digits = file.stem[1:]
    number = int(digits) if digits.isascii() and digits.isdigit() else 0
    return number if digits == str(number) else 0
