"""Follow-up + conversation -> a question that can be searched on its own, without a model.

A follow-up that leans on what was said ("and how do I test that?") is searched together with the question before it;
a question that stands alone is searched as it is, so that a change of subject is not dragged back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from service.domain import TermStatistics, Turn
from service.ports import Terms

_LEANS = re.compile(
    r"^(and|but|so|then|also|or|what about|how about|why|why not|really|ok(ay)?|same|what if|which one|how so|more)\b"
    r"|\b(it|its|that|this|these|those|they|them|their|there|one|ones|former|latter|above|instead"
    r"|the (first|second|third|other|same|last))\b",
    re.IGNORECASE,
)
_FEW_TERMS = 3
_TELLING_IDF = 2.5
_LONG_CONTEXT = 600  # characters; the embedding model reads about 1,000, from the beginning


def standalone(question: str, history: Sequence[Turn], terms: Terms, statistics: TermStatistics) -> str:
    """The query to search with: the question, with the one before it in front (a long one: behind) if it needs it."""
    earlier = [turn.content for turn in history if turn.role == "user" and turn.content.strip()]
    if not earlier:
        return question
    own = terms.terms(question)
    known = {term for term in own if term in statistics.frequencies}
    telling = [term for term in known if statistics.idf(term) > _TELLING_IDF]
    leans = bool(_LEANS.search(question))
    if len(telling) >= _FEW_TERMS + (2 if leans else 0) or (len(telling) >= _FEW_TERMS and not leans):
        return question
    if not leans and len(own) >= _FEW_TERMS:
        return question
    context = [earlier[-1]]
    if len(earlier) > 1 and _LEANS.search(earlier[-1]) and len(terms.terms(earlier[-1])) < _FEW_TERMS * 2:
        context.insert(0, earlier[-2])
    long = sum(map(len, context)) > _LONG_CONTEXT
    return "\n".join([question, *context] if long else [*context, question])
