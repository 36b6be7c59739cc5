"""The values that the product talks about."""

from __future__ import annotations

import dataclasses
import inspect
import math
from dataclasses import FrozenInstanceError, replace

import pytest

from service import domain
from service.domain import Block, BlockKind, Chunk, Fingerprint, Status, TermStatistics, join_blocks


def _block(kind: BlockKind, text: str) -> Block:
    return Block(kind, text, 1, 1)


CHUNK = Chunk("id", "a/b.md", "Title", "A", "", ("Top", "Inner"), "inner", "s", 0, 3, 4, (), "a b › Title", "hash")


def test_blocks_are_put_together_as_markdown() -> None:
    """Items of one list stay close together, everything else is apart."""
    prose, item, code = (_block(kind, kind.value) for kind in (BlockKind.PROSE, BlockKind.ITEM, BlockKind.CODE))
    assert join_blocks([prose, item, item, code, prose]) == "prose\n\nitem\nitem\n\ncode\n\nprose"
    assert join_blocks([code]) == "code"
    assert join_blocks([]) == ""


def test_a_chunk_is_shown_without_and_embedded_with_its_context() -> None:
    """What is matched also says where it stands; what is shown is the text alone."""
    chunk = replace(CHUNK, blocks=(_block(BlockKind.PROSE, "One."), _block(BlockKind.PROSE, "Two.")))
    assert chunk.text == "One.\n\nTwo."
    assert chunk.embedded_text == "a b › Title\nOne.\n\nTwo."
    assert chunk.heading == "Inner"
    assert replace(chunk, headings=()).heading == "Title"


def test_fingerprints_say_what_differs() -> None:
    """Each difference is named with both values; equal ones have none."""
    built = Fingerprint("model@1", 1, 2)
    assert built.differences(Fingerprint("model@1", 1, 2)) == []
    assert built.differences(Fingerprint("model@2", 1, 2)) == ["embedding model model@1 instead of model@2"]
    assert len(built.differences(Fingerprint("other", 7, 7))) == 3


def test_rare_terms_weigh_more() -> None:
    """The weight falls with the number of chunks, is never negative, and highest for a term never seen."""
    statistics = TermStatistics(100, {1: 1, 2: 50, 3: 100})
    weights = [statistics.idf(term) for term in (99, 1, 2, 3)]
    assert weights == sorted(weights, reverse=True)
    assert weights[-1] > 0
    assert statistics.idf(1) == pytest.approx(math.log(1 + 99.5 / 1.5))
    assert TermStatistics(0, {}).idf(1) > 0


def test_every_value_is_frozen() -> None:
    """What was made is not changed: it may be shared between requests."""
    values = [kind for _, kind in inspect.getmembers(domain, dataclasses.is_dataclass)]
    assert len(values) > 12
    assert all(kind.__dataclass_params__.frozen and hasattr(kind, "__slots__") for kind in values)
    with pytest.raises(FrozenInstanceError):
        CHUNK.title = "Other"  # type: ignore[misc]


def test_the_words_of_the_contract_are_fixed() -> None:
    """Clients compare these texts."""
    assert [status.value for status in Status] == ["answered", "partial", "not_in_knowledge_base"]
    assert [mode.value for mode in domain.Mode] == ["llm", "extractive"]
