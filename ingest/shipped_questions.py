"""What people ask of documentation that many bring, shipped in `sheets/`: a library's pages are known by their paths.

Such pages bring no `questions.yaml`, and people's words are not theirs. What a folder says of a chapter itself goes
before, be it that nothing is asked of it (`models.md: {}`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from ingest.questions import parse, with_asked
from ingest.sources import Source

SHEETS = Path(__file__).parent / "sheets"

_FILE = re.compile(r"^([^\s#].*):$", re.MULTILINE)
_ENOUGH = 0.5  # of a sheet's files, and it is that documentation, in whatever version


def with_shipped(sources: Sequence[Source], spoken_for: Collection[str], sheets: Path = SHEETS) -> list[Source]:
    """The chapters, those of a known documentation with its questions; the paths in `spoken_for` are left alone."""
    by_path = {source.path: source for source in sources}
    for sheet in sorted(sheets.glob("*.yaml")):
        text = sheet.read_text(encoding="utf-8")
        files = _FILE.findall(text)
        base = _base(files, list(by_path))
        if base is None:
            continue
        asked, _ = parse(Source(sheet.name, text, ""))
        for file, sections in asked.items():
            if (source := by_path.get(base + file)) and source.path not in spoken_for:
                by_path[source.path] = with_asked(source, sections, shipped=sheet.stem)
    return list(by_path.values())


def _base(files: Sequence[str], paths: Sequence[str]) -> str | None:
    """The folder, with its slash, below which enough of the files are; nothing if there is none."""
    known = set(files)
    bases = Counter(path[: len(path) - len(file)] for path in paths for file in _tails(path) if file in known)
    base, found = max(bases.items(), key=lambda place: place[1], default=("", 0))
    return base if found and found >= _ENOUGH * len(files) else None


def _tails(path: str) -> list[str]:
    """`a/b/c.md` as itself, `b/c.md` and `c.md`."""
    parts = path.split("/")
    return ["/".join(parts[at:]) for at in range(len(parts))]
