"""How a list of problems fails a test."""

from __future__ import annotations

from collections.abc import Sequence

import pytest


def fail_on(problems: Sequence[str]) -> None:
    """Fail with every problem on lines of its own, without pytest's view of the comparison."""
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)
