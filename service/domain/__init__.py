"""What the product talks about, as plain frozen values that import nothing.

Lines are 1-based and inclusive, counted in the chapter's source file. Paths are POSIX, relative to the
knowledge base. Scores are unitless and comparable within one answer only.
"""

from __future__ import annotations

from service.domain.answer import (
    Answer,
    Citation,
    Latency,
    Mode,
    Passage,
    Receipt,
    Status,
    Turn,
    Usage,
)
from service.domain.chapter import (
    CHUNKER_VERSION,
    Block,
    BlockKind,
    Chapter,
    Chunk,
    Heading,
    Sentence,
    join_blocks,
)
from service.domain.generation import (
    Fingerprint,
    Generation,
    Hit,
    SearchFilter,
    TermStatistics,
)

__all__ = [
    "CHUNKER_VERSION",
    "Answer",
    "Block",
    "BlockKind",
    "Chapter",
    "Chunk",
    "Citation",
    "Fingerprint",
    "Generation",
    "Heading",
    "Hit",
    "Latency",
    "Mode",
    "Passage",
    "Receipt",
    "SearchFilter",
    "Sentence",
    "Status",
    "TermStatistics",
    "Turn",
    "Usage",
    "join_blocks",
]
