"""Which sentences of a section are quoted: the best one, with the neighbours that it needs or that belong to it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from service.answering.coverage import Coverage
from service.answering.retrieval import Found
from service.domain import Block, BlockKind, Chunk, Sentence
from service.ports import Terms

MAX_SENTENCES = 5
_SHORT_SECTION_WORDS = 110
_FEWEST_WORDS = 5  # of a sentence that claims something; a shorter one is a title, such as **API Documentation**
_LABEL_WORDS = 8  # a shorter comment names rather than explains

_LEANS_BACK = re.compile(
    r"^\W*(it|its|this|that|these|those|they|them|he|she|such|both|neither|the (former|latter|same|other)|then|so|but"
    r"|however|therefore|instead|otherwise|also|and|for instance|for example|in that case|because of (this|that)"
    r"|the reason|(after|before|for|with|without|by|until|from|on|in|at) (this|that|these|those|such|it|them)"
    r"|as (said|mentioned|shown|seen|noted|described|explained) (above|before|earlier)"
    r"|in the (above|previous|preceding)|in the (code|example|snippet|block|table) (above|below|before)"
    r"|as a result|(in )?this way|here|thus|hence|consequently|afterwards|likewise|similarly|conversely)\b",
    re.IGNORECASE,
)
_ABOUT_LAYOUT = re.compile(
    r"^\W*(the|this|these|here is the|here's the) (\w+ ){0,2}(block|table|example|code|snippet|figure|diagram)\b",
    re.IGNORECASE,
)
_POINTS_ELSEWHERE = re.compile(
    r"^\W*(see\b|((you can|to) )?(read|learn|find( out)?) more|check out|refer to|for (more|further|details|examples?)"
    r"|(more|further) (details|information|examples?|about|on)"
    r"|(version|deprecated|removed|new|changed|added)( (added|changed|deprecated|removed))?(:| in) (version )?v?\d)",
    re.IGNORECASE,
)
_LINK = re.compile(r"\W*\[[^\]]*\]\([^)]*\)\W*")
_FRAME = "difference different differ differs compare compared versus vs"  # asks about things, is none of them
_DEFINITION = re.compile(r"\W*(?:\*\*|__|`)([^:\n]{2,60}?)(?:\*\*|__|`)\W{0,3}?\s*[:\u2013\u2014]\s")


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence where it stands: which block of which chunk, and its place in the section."""

    sentence: Sentence
    block: Block
    chunk: Chunk
    order: int
    score: float = 0.0
    terms: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Neighbouring sentences of one chunk, quoted together."""

    chunk: Chunk
    units: tuple[Unit, ...]

    @property
    def text(self) -> str:
        """The sentences as one run of text."""
        return " ".join(unit.sentence.text for unit in self.units)

    @property
    def lines(self) -> tuple[int, int]:
        """First and last line in the chapter."""
        return self.units[0].sentence.start_line, max(unit.sentence.end_line for unit in self.units)


class Weigher:
    """Scores sentences against the question."""

    def __init__(self, found: Found, terms: Terms) -> None:
        self._terms = terms
        self._coverage = Coverage(found.terms - terms.terms(_FRAME) or found.terms, found.statistics, terms)
        self._asked = _words(found.query)
        self._chunk_scores = {hit.chunk.id: hit.score for hit in found.hits}
        self._best = max(self._chunk_scores.values(), default=1.0)

    def units(self, section: Sequence[Chunk]) -> list[Unit]:
        """All sentences of a section with their scores, in order."""
        units: list[Unit] = []
        for chunk in section:
            for block in chunk.blocks:
                for sentence in block.sentences:
                    own = self._terms.terms(sentence.text)
                    score = self._score(sentence, block, chunk, own)
                    units.append(Unit(sentence, block, chunk, len(units), score, own))
        return units

    def overlap(self, text: str) -> float:
        """How much of the question's weight a text covers, 0 to 1."""
        return self._coverage.of(self._terms.terms(text))

    def _score(self, sentence: Sentence, block: Block, chunk: Chunk, own: frozenset[int]) -> float:
        """Weights from a fit on the golden questions, rounded (DECISIONS.md)."""
        text, words = sentence.text, len(sentence.text.split())
        score = self._coverage.of(own)
        score += 0.5 if (defined := _defined(sentence.text)) and defined <= self._asked else 0.0
        score += 0.55 * self._chunk_scores.get(chunk.id, 0.5 * self._best) / max(self._best, 0.01)
        score -= 0.25 if words < _FEWEST_WORDS else 0.0
        score -= 0.1 if words > 60 else 0.0
        score -= 0.15 if _is_lead_in(text) else 0.0
        score -= 0.2 if _ABOUT_LAYOUT.match(text) else 0.0
        score -= 0.2 if _POINTS_ELSEWHERE.match(text) else 0.0
        score -= 0.4 if _LINK.fullmatch(text) else 0.0
        score -= 0.1 if _LEANS_BACK.match(text) else 0.0
        score -= 0.1 if block.kind in (BlockKind.TABLE, BlockKind.HTML, BlockKind.CODE) else 0.0
        return score


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def _defined(text: str) -> set[str]:
    """The words of what a sentence says what it is: `**After validators**: run after …`."""
    found = _DEFINITION.match(text)
    return _words(found[1]) if found else set()


def runs_of(units: Sequence[Unit], room: int, most: int) -> list[Excerpt]:
    """Up to `most` runs of neighbouring sentences around the best ones, `room` sentences in all, in reading order."""
    if whole := _short_section(units, MAX_SENTENCES if most > 1 else room):
        return [whole]
    runs: list[tuple[int, int]] = []
    best = max((unit.score for unit in units), default=0.0)
    seeds = [unit for unit in units if not _is_label(unit)] or units
    for seed in sorted(seeds, key=lambda unit: -unit.score)[:4]:
        taken = sum(stop - start for start, stop in runs)
        if len(runs) == most or taken >= room or (runs and seed.score < 0.65 * best):
            break
        if any(start - 1 <= seed.order <= stop or _is_shown(seed, units[start:stop]) for start, stop in runs):
            continue
        first = most > 1 and not runs
        start, stop = _around(units, seed, max(2, room - 1) + leads_on(seed) if first else room - taken)
        start = max([start, *(end for _, end in runs if end <= seed.order)])
        stop = min([stop, *(begin for begin, _ in runs if begin > seed.order)])
        while stop > start and leads_on(units[stop - 1]) and not (most > 1 and _announces(units[stop - 1])):
            stop -= 1
        if stop > start:
            runs.append((start, stop))
    return [Excerpt(units[start].chunk, tuple(units[start:stop])) for start, stop in sorted(runs)]


def with_opening(units: Sequence[Unit], runs: Sequence[Excerpt]) -> list[Excerpt]:
    """The runs of a section with its first sentence before them: what is quoted from its middle assumes that claim.

    Only where people's questions lead to the section; others often open with what they are about, and claim nothing.
    """
    first = units[0] if any(unit.chunk.questions for unit in units) else None
    quoted = [unit.order for run in runs for unit in run.units]
    if not first or not quoted or min(quoted) == first.order or len(quoted) >= MAX_SENTENCES or not _is_claim(first):
        return list(runs)
    head, *rest = runs
    if head.units[0].order == first.order + 1 and head.units[0].block is first.block:
        return [Excerpt(head.chunk, (first, *head.units)), *rest]
    return [Excerpt(first.chunk, (first,)), *runs]


def _is_claim(unit: Unit) -> bool:
    text = unit.sentence.text
    kind = unit.block.kind is BlockKind.PROSE
    says = len(text.split()) >= _FEWEST_WORDS and (_announces(unit) or not leads_on(unit))
    return kind and says and not (_ABOUT_LAYOUT.match(text) or _POINTS_ELSEWHERE.match(text))


def _is_label(unit: Unit) -> bool:
    """Whether a comment names a step of the code ("the gate before the switch") rather than explains it."""
    return unit.block.kind is BlockKind.CODE and len(unit.sentence.text.split()) < _LABEL_WORDS


def _is_shown(row: Unit, run: Sequence[Unit]) -> bool:
    """Whether a row's table is shown already."""
    return row.block.kind is BlockKind.TABLE and any(unit.block is row.block for unit in run)


def _short_section(units: Sequence[Unit], room: int) -> Excerpt | None:
    """A section of a few sentences, such as cause and fix of an error, is read as a whole."""
    prose = [unit for unit in units if unit.block.kind is BlockKind.PROSE]
    words = sum(len(unit.sentence.text.split()) for unit in prose)
    one_chunk = len({unit.chunk.id for unit in prose}) == 1
    if not one_chunk or len(prose) < len(units) or len(prose) > room or words > _SHORT_SECTION_WORDS:
        return None
    return Excerpt(prose[0].chunk, tuple(prose))


def _around(units: Sequence[Unit], seed: Unit, room: int) -> tuple[int, int]:
    """The seed with the neighbours that it needs or that belong to it, within its chunk."""
    start, stop = seed.order, seed.order + 1

    def near(order: int) -> bool:
        return 0 <= order < len(units) and units[order].chunk.id == seed.chunk.id

    while stop - start < room and near(start - 1) and _needs_previous(units[start], units[start - 1]):
        start -= 1
    while stop - start < room and near(stop) and _worth_reading_on(units[stop - 1], units[stop], seed):
        stop += 1
    while stop - start < min(room, 3) and near(start - 1) and _worth_reading_back(units[start - 1], units[start], seed):
        start -= 1
    return start, _end_of_list(units, start, stop)


def _end_of_list(units: Sequence[Unit], start: int, stop: int) -> int:
    """A list that a sentence announces is quoted to its end, if that is not far."""
    end = stop
    if any(map(leads_on, units[start:stop])) and units[stop - 1].block.kind is BlockKind.ITEM:
        while end < len(units) and units[end].block.kind is BlockKind.ITEM and units[end].chunk is units[start].chunk:
            end += 1
    return end if end - start <= MAX_SENTENCES else stop


def _needs_previous(unit: Unit, previous: Unit) -> bool:
    """Whether a sentence cannot be understood without the one before it."""
    if unit.block.kind is BlockKind.CODE or previous.block.kind is BlockKind.CODE:
        return False
    close = previous.sentence.end_line >= unit.sentence.start_line - 2
    return bool(_LEANS_BACK.match(unit.sentence.text)) or (close and leads_on(previous))


def leads_on(unit: Unit) -> bool:
    """Whether a sentence only announces what follows it."""
    return _is_lead_in(unit.sentence.text)


def _is_lead_in(text: str) -> bool:
    return text.rstrip("*_ ").endswith((":", "?", "\N{FULLWIDTH COLON}"))


def _announces(unit: Unit) -> bool:
    """Whether what follows a sentence is code or a table, which is shown under the sentences."""
    return announced(unit, BlockKind.CODE) is not None or announced(unit, BlockKind.TABLE) is not None


def is_cut(excerpt: Excerpt) -> bool:
    """Whether an excerpt announces a list and ends in the middle of it."""
    last = excerpt.units[-1]
    if last.block.kind is not BlockKind.ITEM or not any(map(leads_on, excerpt.units)):
        return False
    blocks = last.chunk.blocks
    return any(block.kind is BlockKind.ITEM for block in blocks[blocks.index(last.block) + 1 :][:1])


def announced(unit: Unit, kind: BlockKind) -> Block | None:
    """The block of this kind that a sentence leads to."""
    following = [block for block in unit.chunk.blocks if block.start_line > unit.sentence.end_line]
    return following[0] if leads_on(unit) and following and following[0].kind is kind else None


def _worth_reading_on(unit: Unit, following: Unit, seed: Unit) -> bool:
    """Whether the next sentence belongs to the answer: same paragraph or list, and not a lead-in to something else."""
    if leads_on(unit):
        close = following.sentence.start_line - unit.sentence.end_line <= 2
        return close and following.block.kind not in (BlockKind.CODE, BlockKind.TABLE)
    if following.block.kind is not unit.block.kind or following.block.kind is BlockKind.CODE:
        return False
    if leads_on(following) or following.block.kind is BlockKind.TABLE:
        return False
    same_block = following.block is unit.block
    return same_block or following.block.kind is BlockKind.ITEM or following.score >= 0.55 * seed.score


def _worth_reading_back(previous: Unit, unit: Unit, seed: Unit) -> bool:
    if previous.block is not unit.block or previous.block.kind is BlockKind.CODE:
        return False
    return previous.score >= 0.6 * seed.score and not leads_on(previous)


def worth_adding(excerpt: Excerpt, excerpts: Sequence[Excerpt]) -> bool:
    """Whether a further passage says something about the question that was not said yet."""
    said = {term for earlier in excerpts for unit in earlier.units for term in unit.terms}
    new = {term for unit in excerpt.units for term in unit.terms}
    if not new or len(new & said) / len(new) >= 0.6:
        return False
    best = max(unit.score for unit in excerpts[0].units) if excerpts else 0.0
    return max(unit.score for unit in excerpt.units) >= 0.7 * best
