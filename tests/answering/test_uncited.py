"""What a reader of a model's answer cannot check."""

from __future__ import annotations

import pytest

from service.answering.uncited import uncited_sentences


@pytest.mark.parametrize(
    ("markdown", "wanted"),
    [
        ("Run it in a thread [1].", 0),
        ("Run it in a thread. [1]", 0),
        ("Run it in a thread. [1] [2] It blocks the loop [2].", 0),
        ("Run it in a thread [1]. It never blocks anything at all.", 1),
        ("Everybody knows that this is so. Run it in a thread [1].", 1),
        ("Do it in three steps:\n\n- open the pool first [1]\n- then close the pool again\n", 1),
        ("Use it [1].\n\n```python\nx = 1  # This is no sentence of it.\n```\n", 0),
        ("Use `a.b. c d e f` here [1].", 0),
        ("Yes. No way.", 0),
        ("| Option | When to choose it |\n", 1),
        ("", 0),
    ],
)
def test_sentences_without_a_marker_are_counted(markdown: str, wanted: int) -> None:
    """Markers count in a sentence and right after it; code, lead-ins and scraps need none."""
    assert uncited_sentences(markdown) == wanted
