"""An answer without a model: whole sentences of the chapters, quoted in order, each cited; then the code.

The best section gives the seed sentence and its neighbours; other passages may add one or two sentences that say
something new. Nothing is rewritten, so nothing can be invented.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from service.answering.ranking import is_appendix
from service.answering.retrieval import Found
from service.domain import Block, BlockKind, Chunk, Sentence
from service.ports import Terms

MAX_SENTENCES = 5
MAX_SECTIONS = 3
MAX_CODE_LINES = 60

_WANTS_CODE = re.compile(
    r"\b(how (do|to|can|should|would|does)|example|snippet|code|show|implement|write|set ?up|configure|create|add|use|using"
    r"|sample|syntax|build|make)\b",
    re.IGNORECASE,
)
_WANTS_TABLE = re.compile(r"\b(vs\.?|versus|compare|comparison|difference|better|or|trade-?offs?|which|choose|when)\b", re.I)
_LEANS_BACK = re.compile(
    r"^\W*(it|its|this|that|these|those|they|them|he|she|such|both|neither|the (former|latter|same|other)|then|so|but|however"
    r"|therefore|instead|otherwise|also|and|for instance|for example|in that case|because of (this|that)|the reason)\b",
    re.IGNORECASE,
)
_ERROR_TEXT = re.compile(r"\b\w*(Error|Exception|Warning)\b|Traceback|^\s+at |\b[45]\d\d\b")


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
    """Neighbouring sentences of one chunk, quoted together; `code` is the block that belongs to them."""

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


@dataclass(frozen=True, slots=True)
class Composition:
    """What an extractive answer is made of, in the order in which it is shown."""

    excerpts: tuple[Excerpt, ...]
    table: tuple[Chunk, Block] | None = None
    code: tuple[Chunk, Block] | None = None
    further: tuple[Chunk, ...] = field(default=())


def compose(found: Found, sections: Mapping[str, Sequence[Chunk]], terms: Terms) -> Composition:
    """Choose what to quote. `sections` holds the whole section of every hit that may be quoted, by section id."""
    weigh = _Weigher(found, terms)
    excerpts: list[Excerpt] = []
    said: set[int] = set()
    for rank, (section_id, relative) in enumerate(_best_sections(found)):
        room = MAX_SENTENCES - sum(len(excerpt.units) for excerpt in excerpts)
        if len(excerpts) == MAX_SECTIONS or room <= 0:
            break
        units = weigh.units(sections[section_id])
        excerpt = _excerpt(units, min(room, 4 if rank == 0 else 2), found)
        if excerpt is None:
            continue
        new = {term for unit in excerpt.units for term in unit.terms}
        if rank and not _worth_adding(excerpt, excerpts, said, new, relative):
            continue
        excerpts.append(excerpt)
        said |= new
    main = sections[excerpts[0].chunk.section_id] if excerpts else ()
    code = _code(found.query, main, excerpts[0], weigh) if excerpts else None
    table = _table(found.query, main, excerpts[0]) if excerpts and code is None else None
    return Composition(tuple(excerpts), table, code, _further(found, excerpts))


class _Weigher:
    """Scores sentences against the question."""

    def __init__(self, found: Found, terms: Terms) -> None:
        self._found = found
        self._terms = terms
        self._total = sum(map(found.statistics.idf, found.terms)) or 1.0
        self._chunk_scores = {hit.chunk.id: hit.score for hit in found.hits}
        self._best = max(self._chunk_scores.values(), default=1.0)

    def units(self, section: Sequence[Chunk]) -> list[Unit]:
        """All sentences of a section with their scores, in order."""
        units: list[Unit] = []
        for chunk in section:
            for block in chunk.blocks:
                for sentence in block.sentences:
                    own = self._terms.terms(sentence.text)
                    score = self._score(sentence, block, chunk, own, first=not units)
                    units.append(Unit(sentence, block, chunk, len(units), score, own))
        return units

    def overlap(self, text: str) -> float:
        """How much of the question's weight a text covers, 0 to 1."""
        return sum(map(self._found.statistics.idf, self._terms.terms(text) & self._found.terms)) / self._total

    def _score(self, sentence: Sentence, block: Block, chunk: Chunk, own: frozenset[int], *, first: bool) -> float:
        words = len(sentence.text.split())
        score = sum(map(self._found.statistics.idf, own & self._found.terms)) / self._total
        score += 0.5 * self._chunk_scores.get(chunk.id, 0.5 * self._best) / max(self._best, 0.01)
        score += 0.25 if first and block.kind is BlockKind.PROSE else 0.0
        score -= 0.4 if words < 5 else 0.0
        score -= 0.2 if words > 60 else 0.0
        score -= 0.35 if sentence.text.rstrip("*_ ").endswith((":", "\N{FULLWIDTH COLON}", "?")) else 0.0
        score -= 0.15 if _LEANS_BACK.match(sentence.text) else 0.0
        score -= 0.15 if block.kind is BlockKind.CODE else 0.0
        score -= 0.1 if block.kind is BlockKind.HTML else 0.0
        return score


def _best_sections(found: Found) -> list[tuple[str, float]]:
    """Section ids by their best hit, with that hit's score relative to the best of all; appendices left out."""
    sections: dict[str, float] = {}
    best = found.hits[0].score if found.hits else 1.0
    for hit in found.hits:
        if hit.chunk.section_id not in sections and (not sections or not is_appendix(hit.chunk.heading)):
            sections[hit.chunk.section_id] = hit.score / best if best > 0 else 0.0
    return list(sections.items())[:4]


def _excerpt(units: Sequence[Unit], room: int, found: Found) -> Excerpt | None:
    """The best sentence of a section with the neighbours it needs, within its chunk."""
    if not units:
        return None
    seed = max(units, key=lambda unit: unit.score)
    around = [unit for unit in units if unit.chunk.id == seed.chunk.id]
    start = stop = around.index(seed)
    while start > 0 and stop - start + 1 < room and _needs_previous(around[start], around[start - 1]):
        start -= 1
    while stop + 1 < len(around) and stop - start + 1 < room and _worth_reading_on(around[stop], around[stop + 1], seed):
        stop += 1
    while start > 0 and stop - start + 1 < min(room, 3) and _worth_reading_back(around[start - 1], around[start], seed):
        start -= 1
    return Excerpt(seed.chunk, tuple(around[start : stop + 1]))


def _needs_previous(unit: Unit, previous: Unit) -> bool:
    """Whether a sentence cannot be understood without the one before it."""
    if unit.block.kind is BlockKind.CODE or previous.block.kind is BlockKind.CODE:
        return False
    leads = previous.sentence.text.rstrip("*_ ").endswith((":", "?"))
    return bool(_LEANS_BACK.match(unit.sentence.text)) or (leads and previous.sentence.end_line >= unit.sentence.start_line - 2)


def _worth_reading_on(unit: Unit, following: Unit, seed: Unit) -> bool:
    """Whether the next sentence belongs to the answer: same paragraph or list, and not a lead-in to something else."""
    if following.block.kind is not unit.block.kind or following.block.kind is BlockKind.CODE:
        return False
    if following.sentence.text.rstrip("*_ ").endswith((":", "?")) and following.block is not seed.block:
        return False
    same_block = following.block is unit.block
    return same_block or following.block.kind is BlockKind.ITEM or following.score >= 0.55 * seed.score


def _worth_reading_back(previous: Unit, unit: Unit, seed: Unit) -> bool:
    if previous.block is not unit.block or previous.block.kind is BlockKind.CODE:
        return False
    return previous.score >= 0.6 * seed.score and not previous.sentence.text.rstrip("*_ ").endswith("?")


def _worth_adding(
    excerpt: Excerpt, excerpts: Sequence[Excerpt], said: set[int], new: set[int], relative: float
) -> bool:
    """Whether a further passage says something about the question that was not said yet."""
    if relative < 0.72 or not new:
        return False
    overlap = len(new & said) / len(new)
    best, seed = max(unit.score for unit in excerpts[0].units), max(unit.score for unit in excerpt.units)
    return overlap < 0.6 and seed >= 0.7 * best


def _code(
    query: str, section: Sequence[Chunk], excerpt: Excerpt, weigh: _Weigher
) -> tuple[Chunk, Block] | None:
    """The code block of the section that belongs to the answer, whole, where the question asks for how."""
    quoted = next((unit.block for unit in excerpt.units if unit.block.kind is BlockKind.CODE), None)
    if quoted is None and not (_WANTS_CODE.search(query) or _ERROR_TEXT.search(query)):
        return None
    whole = _whole_codes(section)
    if not whole:
        return None
    if quoted is not None:
        return next(((c, b) for c, b in whole if b.start_line <= quoted.start_line <= b.end_line), None)
    first, last = excerpt.lines

    def worth(place: tuple[Chunk, Block]) -> float:
        chunk, block = place
        after = block.start_line - last
        near = 0.35 if 0 <= after <= 3 else 0.15 if chunk.id == excerpt.chunk.id else 0.0
        return weigh.overlap(block.text) + near - (0.5 if block.language in ("text", "console", "") else 0.0)

    best = max(whole, key=worth)
    return best if worth(best) > 0.1 else None


def _whole_codes(section: Sequence[Chunk]) -> list[tuple[Chunk, Block]]:
    """The section's code blocks; those that were cut into pieces are put together again if they are not too long."""
    whole: list[tuple[Chunk, Block]] = []
    for chunk in section:
        for block in chunk.blocks:
            if block.kind is not BlockKind.CODE:
                continue
            previous = whole[-1][1] if whole else None
            if block.part > 1 and previous and previous.parts == block.parts:
                joined = _joined(previous, block)
                if len(joined.text.split("\n")) <= MAX_CODE_LINES + 2:
                    whole[-1] = (whole[-1][0], joined)
                    continue
            whole.append((chunk, block))
    return whole


def _joined(first: Block, second: Block) -> Block:
    """Two pieces of one fence as one block again."""
    opening, *body = first.text.split("\n")[:-1]
    more = second.text.split("\n")[1:-1]
    gap = [""] * max(0, second.start_line - first.end_line - 1)
    fence = re.match(r"`+", opening)
    text = "\n".join([opening, *body, *gap, *more, fence[0] if fence else "```"])
    return Block(
        first.kind, text, first.start_line, second.end_line, first.language,
        (*first.sentences, *second.sentences), second.part, second.parts,
    )  # fmt: skip


def _table(query: str, section: Sequence[Chunk], excerpt: Excerpt) -> tuple[Chunk, Block] | None:
    """A table of the section, where the question compares or chooses."""
    if not _WANTS_TABLE.search(query):
        return None
    tables = [(chunk, block) for chunk in section for block in chunk.blocks if block.kind is BlockKind.TABLE]
    return tables[0] if len(tables) == 1 and len(tables[0][1].text.split("\n")) <= 14 else None


def _further(found: Found, excerpts: Sequence[Excerpt]) -> tuple[Chunk, ...]:
    """Where to read on: other sections that were found, best first, at most three."""
    used = {excerpt.chunk.section_id for excerpt in excerpts}
    further: dict[str, Chunk] = {}
    for hit in found.hits[:12]:
        if hit.chunk.section_id not in used and not is_appendix(hit.chunk.heading):
            further.setdefault(hit.chunk.section_id, hit.chunk)
    return tuple(further.values())[:3]
