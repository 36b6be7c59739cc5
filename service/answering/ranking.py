"""Orders the candidates that the engine fused. The weights were chosen by `mastery eval` (see DECISIONS.md)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from service.domain import Hit

LEXICAL_WEIGHT = 0.5
QUESTION_FLOOR = 0.6  # a chapter's own question counts from this cosine on: below it, it is only on the same subject
APPENDIX_PENALTY = 0.1

_APPENDIX = re.compile(
    r"\W*(see also|summary|next steps|references|further reading|resources|conclusion|contents|checklist"
    r"|key takeaways)\b",
    re.IGNORECASE,
)


def ranked(hits: Sequence[Hit], ideal: float) -> list[Hit]:
    """Hits by cosine plus weighted BM25, best first; their `score` becomes that sum.

    `ideal` is the summed IDF of the question's terms, so that BM25 scores of long and short questions compare. A hit
    that is not among a way's best gets that way's lowest score, which is the most it can have.
    """
    least_dense = min((hit.dense for hit in hits if hit.dense is not None), default=0.0)

    def score(hit: Hit) -> float:
        dense = least_dense if hit.dense is None else hit.dense
        lexical = (hit.lexical or 0.0) / ideal if ideal else 0.0
        asked = max(0.0, (hit.question or 0.0) - QUESTION_FLOOR)
        return dense + LEXICAL_WEIGHT * lexical + asked - APPENDIX_PENALTY * is_appendix(hit.chunk.heading)

    return sorted((replace(hit, score=score(hit)) for hit in hits), key=lambda hit: -hit.score)


def is_appendix(heading: str) -> bool:
    """Whether a section only repeats or points elsewhere (a summary, links): rarely the best passage."""
    return bool(_APPENDIX.match(heading))
