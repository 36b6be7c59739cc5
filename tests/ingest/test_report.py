"""What an ingest says that it did."""

from __future__ import annotations

import json
from decimal import Decimal

from ingest.report import Changes, IngestReport, chapter_changes, chunk_changes
from ingest.sources import Problem


def test_chapters_are_compared_by_path_and_hash() -> None:
    """Added, changed, removed and unchanged chapters are counted apart."""
    old = {"same": "1", "edited": "1", "gone": "1"}
    new = {"same": "1", "edited": "2", "new": "1", "newer": "1"}
    assert chapter_changes(old, new) == Changes(added=2, changed=1, removed=1, unchanged=1)


def test_a_moved_chapter_is_one_gone_and_one_new() -> None:
    """The path is what a chapter is known by."""
    assert chapter_changes({"a": "1"}, {"b": "1"}) == Changes(added=1, removed=1)


def test_chunks_are_compared_within_their_chapter() -> None:
    """In one chapter a chunk gone and one new are a changed one; between chapters they are not."""
    old = {"a": ("1", "2", "3"), "gone": ("9",)}
    assert chunk_changes(old, {"a": ("1", "x", "3"), "new": ("9",)}) == Changes(1, 1, 1, 2)
    assert chunk_changes(old, {"a": ("1", "2", "3", "4"), "gone": ("9",)}) == Changes(added=1, unchanged=4)
    assert chunk_changes(old, {"a": ("1",)}) == Changes(removed=3, unchanged=1)


def test_chunks_that_repeat_and_move_are_counted_once_each() -> None:
    """The order does not count, the number of equal chunks does."""
    assert chunk_changes({"a": ("1", "1", "2")}, {"a": ("2", "1")}) == Changes(removed=1, unchanged=2)


def test_nothing_changed_is_told_apart_from_nothing_there() -> None:
    """Only added, changed and removed count as a change."""
    assert Changes(unchanged=3).none
    assert Changes().none
    assert not any(change.none for change in (Changes(added=1), Changes(changed=1), Changes(removed=1)))


def test_the_report_is_json() -> None:
    """Costs are texts, seconds are rounded, problems have all they know."""
    report = IngestReport(
        "kb", None, True, Changes(1), Changes(2), 2, 10, 10, Decimal("0.0002"), 1.23456, [Problem("a.md", "is bad", 3)]
    )
    assert json.loads(json.dumps(report.as_json())) == {
        "folder": "kb",
        "generation": None,
        "dry_run": True,
        "chapters": {"added": 1, "changed": 0, "removed": 0, "unchanged": 0},
        "chunks": {"added": 2, "changed": 0, "removed": 0, "unchanged": 0},
        "computed": 2,
        "tokens": 10,
        "computed_tokens": 10,
        "cost_usd": "0.0002",
        "seconds": 1.235,
        "problems": [{"path": "a.md", "message": "is bad", "line": 3, "skipped": True}],
        "shipped_questions": {},
    }
