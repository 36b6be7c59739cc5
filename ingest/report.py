"""What an ingest did, or with `--dry-run` would do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from ingest.sources import Problem


@dataclass(frozen=True, slots=True)
class Changes:
    """How many of something were added, changed, removed and left as they were."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0

    @property
    def none(self) -> bool:
        """Whether everything is as it was."""
        return not (self.added or self.changed or self.removed)


def chapter_changes(old: Mapping[str, str], new: Mapping[str, str]) -> Changes:
    """Compare content hashes by path."""
    common = old.keys() & new.keys()
    unchanged = sum(old[path] == new[path] for path in common)
    return Changes(len(new.keys() - common), len(common) - unchanged, len(old.keys() - common), unchanged)


def chunk_changes(old: Mapping[str, Sequence[str]], new: Mapping[str, Sequence[str]]) -> Changes:
    """Compare chunks' hashes chapter by chapter; one gone and one new in the same chapter is one changed."""
    added = changed = removed = unchanged = 0
    for path in old.keys() | new.keys():
        before, after = Counter(old.get(path, ())), Counter(new.get(path, ()))
        kept = (before & after).total()
        gone, come = before.total() - kept, after.total() - kept
        both = min(gone, come)
        added, removed, changed, unchanged = (
            added + come - both,
            removed + gone - both,
            changed + both,
            unchanged + kept,
        )
    return Changes(added, changed, removed, unchanged)


@dataclass(frozen=True, slots=True)
class IngestReport:
    """The outcome. `computed` chunks had to be embedded, the others' vectors were known; costs are in US dollars.

    `shipped_questions` says of how many chapters the questions came with the program, by the name of the sheet.
    """

    folder: str
    generation: str | None
    dry_run: bool
    chapters: Changes
    chunks: Changes
    computed: int
    tokens: int
    computed_tokens: int
    cost_usd: Decimal | None
    seconds: float
    problems: list[Problem] = field(default_factory=list)
    shipped_questions: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The report for `--json`."""
        cost = None if self.cost_usd is None else str(self.cost_usd)
        return asdict(self) | {"cost_usd": cost, "seconds": round(self.seconds, 3)}
