"""What the product talks about, as plain frozen values that import nothing.

Lines are 1-based and inclusive, counted in the chapter's source file. Paths are POSIX, relative to the
knowledge base. Scores are unitless and comparable within one answer only. Times are aware and in UTC.
"""

from __future__ import annotations

from service.domain.accounting import Budgets, BudgetState, Call, Settlement, UsageRow
from service.domain.answer import (
    Answer,
    Citation,
    CodeBlock,
    CodeCheck,
    Latency,
    Mode,
    Passage,
    PassageUse,
    Receipt,
    Status,
)
from service.domain.chapter import (
    CHUNKER_VERSION,
    Block,
    BlockKind,
    Chapter,
    Chunk,
    Heading,
    Sentence,
    is_question,
    join_blocks,
)
from service.domain.completion import (
    NOTHING,
    Answered,
    Bill,
    CutByLength,
    Failed,
    Filtered,
    Malformed,
    Outcome,
    Purpose,
    Refused,
    TextDelta,
    Usage,
)
from service.domain.conversation import Conversation, Exchange
from service.domain.generation import (
    Fingerprint,
    Generation,
    Hit,
    SearchFilter,
    TermStatistics,
)
from service.domain.question import EVERYWHERE, Ask, Turn
from service.domain.record import AnswerRecord, Feedback, Reading, Reason, Verdict
from service.domain.wording import ALIKE

__all__ = [
    "ALIKE",
    "CHUNKER_VERSION",
    "EVERYWHERE",
    "NOTHING",
    "Answer",
    "AnswerRecord",
    "Answered",
    "Ask",
    "Bill",
    "Block",
    "BlockKind",
    "BudgetState",
    "Budgets",
    "Call",
    "Chapter",
    "Chunk",
    "Citation",
    "CodeBlock",
    "CodeCheck",
    "Conversation",
    "CutByLength",
    "Exchange",
    "Failed",
    "Feedback",
    "Filtered",
    "Fingerprint",
    "Generation",
    "Heading",
    "Hit",
    "Latency",
    "Malformed",
    "Mode",
    "Outcome",
    "Passage",
    "PassageUse",
    "Purpose",
    "Reading",
    "Reason",
    "Receipt",
    "Refused",
    "SearchFilter",
    "Sentence",
    "Settlement",
    "Status",
    "TermStatistics",
    "TextDelta",
    "Turn",
    "Usage",
    "UsageRow",
    "Verdict",
    "is_question",
    "join_blocks",
]
