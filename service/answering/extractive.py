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
MAX_CODE_LINES = 80
_SHORT_SECTION_WORDS = 110

_WANTS_CODE = re.compile(
    r"\b(how (do|to|can|should|would|does)|example|snippet|code|show|implement|write|set ?up|configure|create|add"
    r"|use|using|sample|syntax|build|make)\b",
    re.IGNORECASE,
)
_WANTS_TABLE = re.compile(
    r"\b(vs\.?|versus|compare|comparison|difference|better|or|trade-?offs?|which|choose|when)\b", re.IGNORECASE
)
_LEANS_BACK = re.compile(
    r"^\W*(it|its|this|that|these|those|they|them|he|she|such|both|neither|the (former|latter|same|other)|then|so|but"
    r"|however|therefore|instead|otherwise|also|and|for instance|for example|in that case|because of (this|that)"
    r"|the reason)\b",
    re.IGNORECASE,
)
_ABOUT_LAYOUT = re.compile(
    r"^\W*(the|this|these|here is the|here's the) (\w+ ){0,2}(block|table|example|code|snippet|figure|diagram)\b",
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
    for rank, (section_id, relative) in enumerate(_best_sections(found)):
        room = MAX_SENTENCES - sum(len(excerpt.units) for excerpt in excerpts)
        if rank == MAX_SECTIONS or room <= 0:
            break
        units = weigh.units(sections[section_id])
        runs = _runs(units, min(room, 4), 2) if rank == 0 else _runs(units, min(room, 2), 1)
        excerpts += [run for run in runs if rank == 0 or _worth_adding(run, excerpts, relative)]
    if not excerpts:
        return Composition(())
    main = sections[excerpts[0].chunk.section_id]
    code = _code(found, main, excerpts, weigh)
    table = _table(found.query, main, excerpts) if code is None else None
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
                    score = self._score(sentence, block, chunk, own)
                    units.append(Unit(sentence, block, chunk, len(units), score, own))
        return units

    def overlap(self, text: str) -> float:
        """How much of the question's weight a text covers, 0 to 1."""
        return sum(map(self._found.statistics.idf, self._terms.terms(text) & self._found.terms)) / self._total

    def _score(self, sentence: Sentence, block: Block, chunk: Chunk, own: frozenset[int]) -> float:
        """Weights from a fit on the golden questions, rounded (DECISIONS.md)."""
        text, words = sentence.text, len(sentence.text.split())
        score = sum(map(self._found.statistics.idf, own & self._found.terms)) / self._total
        score += 0.45 * self._chunk_scores.get(chunk.id, 0.5 * self._best) / max(self._best, 0.01)
        score -= 0.25 if words < 5 else 0.0
        score -= 0.1 if words > 60 else 0.0
        score -= 0.15 if _leads_on(text) else 0.0
        score -= 0.35 if _ABOUT_LAYOUT.match(text) else 0.0
        score -= 0.1 if block.kind in (BlockKind.TABLE, BlockKind.HTML) else 0.0
        return score


def _best_sections(found: Found) -> list[tuple[str, float]]:
    """Section ids by their best hit, with that hit's score relative to the best of all; appendices left out."""
    sections: dict[str, float] = {}
    best = found.hits[0].score if found.hits else 1.0
    for hit in found.hits:
        if hit.chunk.section_id not in sections and (not sections or not is_appendix(hit.chunk.heading)):
            sections[hit.chunk.section_id] = hit.score / best if best > 0 else 0.0
    return list(sections.items())[:4]


def _runs(units: Sequence[Unit], room: int, most: int) -> list[Excerpt]:
    """Up to `most` runs of neighbouring sentences around the best ones, `room` sentences in all, in reading order."""
    if whole := _short_section(units):
        return [whole]
    runs: list[tuple[int, int]] = []
    best = max((unit.score for unit in units), default=0.0)
    for seed in sorted(units, key=lambda unit: -unit.score)[:4]:
        taken = sum(stop - start for start, stop in runs)
        if len(runs) == most or taken >= room or (runs and seed.score < 0.75 * best):
            break
        if any(start - 1 <= seed.order <= stop for start, stop in runs):
            continue
        start, stop = _around(units, seed, room - taken if most == 1 or runs else max(2, room - 1))
        start = max([start, *(end for _, end in runs if end <= seed.order)])
        stop = min([stop, *(begin for begin, _ in runs if begin > seed.order)])
        runs.append((start, stop))
    return [Excerpt(units[start].chunk, tuple(units[start:stop])) for start, stop in sorted(runs)]


def _short_section(units: Sequence[Unit]) -> Excerpt | None:
    """A section of a few sentences, such as cause and fix of an error, is read as a whole."""
    prose = [unit for unit in units if unit.block.kind is BlockKind.PROSE]
    words = sum(len(unit.sentence.text.split()) for unit in prose)
    one_chunk = len({unit.chunk.id for unit in prose}) == 1
    if not one_chunk or len(prose) < len(units) or len(prose) > MAX_SENTENCES or words > _SHORT_SECTION_WORDS:
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
    return start, stop


def _needs_previous(unit: Unit, previous: Unit) -> bool:
    """Whether a sentence cannot be understood without the one before it."""
    if unit.block.kind is BlockKind.CODE or previous.block.kind is BlockKind.CODE:
        return False
    close = previous.sentence.end_line >= unit.sentence.start_line - 2
    return bool(_LEANS_BACK.match(unit.sentence.text)) or (close and _leads_on(previous.sentence.text))


def _leads_on(text: str) -> bool:
    """Whether a sentence only announces what follows it."""
    return text.rstrip("*_ ").endswith((":", "?", "\N{FULLWIDTH COLON}"))


def _worth_reading_on(unit: Unit, following: Unit, seed: Unit) -> bool:
    """Whether the next sentence belongs to the answer: same paragraph or list, and not a lead-in to something else."""
    if following.block.kind is not unit.block.kind or following.block.kind is BlockKind.CODE:
        return False
    if _leads_on(following.sentence.text) or following.block.kind is BlockKind.TABLE:
        return False
    same_block = following.block is unit.block
    return same_block or following.block.kind is BlockKind.ITEM or following.score >= 0.55 * seed.score


def _worth_reading_back(previous: Unit, unit: Unit, seed: Unit) -> bool:
    if previous.block is not unit.block or previous.block.kind is BlockKind.CODE:
        return False
    return previous.score >= 0.6 * seed.score and not _leads_on(previous.sentence.text)


def _worth_adding(excerpt: Excerpt, excerpts: Sequence[Excerpt], relative: float) -> bool:
    """Whether a further passage says something about the question that was not said yet."""
    said = {term for earlier in excerpts for unit in earlier.units for term in unit.terms}
    new = {term for unit in excerpt.units for term in unit.terms}
    if relative < 0.72 or not new or len(new & said) / len(new) >= 0.6:
        return False
    best = max(unit.score for unit in excerpts[0].units) if excerpts else 0.0
    return max(unit.score for unit in excerpt.units) >= 0.7 * best


def _code(
    found: Found, section: Sequence[Chunk], excerpts: Sequence[Excerpt], weigh: _Weigher
) -> tuple[Chunk, Block] | None:
    """The code block that belongs to the answer, whole: where the question asks how, or the code is the answer."""
    whole = _whole_codes(section)
    quoted = [unit.block for excerpt in excerpts for unit in excerpt.units if unit.block.kind is BlockKind.CODE]
    for chunk, block in whole:
        if any(block.start_line <= piece.start_line <= block.end_line for piece in quoted):
            return chunk, block
    best = found.hits[0].chunk
    asked = _WANTS_CODE.search(found.query) or _ERROR_TEXT.search(found.query) or _mostly_code(best)
    if not whole or not asked:
        return None
    last = max((excerpt.lines[1] for excerpt in excerpts if excerpt.chunk.chapter == best.chapter), default=0)

    def worth(block: Block) -> float:
        near = 0.3 if block.start_line <= best.end_line and best.start_line <= block.end_line else 0.0
        near += 0.2 if 0 <= block.start_line - last <= 3 else 0.0
        return weigh.overlap(block.text) + near - (0.3 if block.language in ("text", "console", "") else 0.0)

    chunk, block = max(whole, key=lambda place: worth(place[1]))
    return (chunk, block) if worth(block) > 0.1 else None


def _mostly_code(chunk: Chunk) -> bool:
    """Whether a chunk explains itself in code rather than in prose."""
    code = sum(len(block.text) for block in chunk.blocks if block.kind is BlockKind.CODE)
    return code > 0.5 * len(chunk.text)


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


def _table(query: str, section: Sequence[Chunk], excerpts: Sequence[Excerpt]) -> tuple[Chunk, Block] | None:
    """A table of the section, where the question compares or chooses and no row of it is quoted already."""
    quoted = any(unit.block.kind is BlockKind.TABLE for excerpt in excerpts for unit in excerpt.units)
    if quoted or not _WANTS_TABLE.search(query):
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
