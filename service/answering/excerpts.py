"""Which sentences of a section are quoted: the best one, with the neighbours that it needs or that belong to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.answering.units import FEWEST_WORDS, Unit
from service.domain import BlockKind, Chunk

MAX_SENTENCES = 5
_SHORT_SECTION_WORDS = 110
_NEAR = 3  # chunks: a longer section is on many things, and opens with another one


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


def runs_of(units: Sequence[Unit], room: int, most: int) -> list[Excerpt]:
    """Up to `most` runs of neighbouring sentences around the best ones, `room` sentences in all, in reading order."""
    if whole := _short_section(units, MAX_SENTENCES if most > 1 else room):
        return _pieces(whole)
    runs: list[tuple[int, int]] = []
    best = max((unit.score for unit in units), default=0.0)
    seeds = [unit for unit in units if not unit.is_label and not unit.is_note] or units
    for seed in sorted(seeds, key=lambda unit: -unit.score)[:4]:
        taken = sum(stop - start for start, stop in runs)
        if len(runs) == most or taken >= room or (runs and seed.score < 0.65 * best):
            break
        if any(_belongs(seed, units, start, stop) for start, stop in runs):
            continue
        first = most > 1 and not runs
        start, stop = _around(units, seed, max(2, room - 1) + seed.leads_on if first else room - taken)
        start = max([start, *(end for _, end in runs if end <= seed.order)])
        stop = min([stop, *(begin for begin, _ in runs if begin > seed.order)])
        while stop > start and units[stop - 1].leads_on and not (most > 1 and units[stop - 1].announces):
            stop -= 1
        if stop > start:
            runs.append((start, stop))
    return [piece for run in _joined(runs) for piece in _pieces(units[run[0] : run[1]])]


def _joined(runs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Runs in reading order; two that touch are one, so that a list is not quoted in two pieces."""
    joined: list[tuple[int, int]] = []
    for start, stop in sorted(runs):
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return joined


def _pieces(units: Sequence[Unit]) -> list[Excerpt]:
    """Neighbouring sentences as they stand in the text, parted where code or a table stands between them.

    "For example:" before such a place is left out, as the code is shown under the sentences, and the title of a box,
    whose text is not quoted.
    """
    pieces: list[list[Unit]] = []
    for unit in units:
        if pieces and not _is_parted(pieces[-1][-1], unit):
            pieces[-1].append(unit)
        else:
            pieces.append([unit])
    for piece in pieces:
        while piece and (piece[-1].is_title or (piece is not pieces[-1] and _only_points_at_code(piece[-1]))):
            piece.pop()
    return [Excerpt(piece[0].chunk, tuple(piece)) for piece in pieces if piece]


def _only_points_at_code(unit: Unit) -> bool:
    return unit.announces and unit.words < FEWEST_WORDS


def _is_parted(unit: Unit, following: Unit) -> bool:
    """Whether sentences are of two chunks, of text and a table, or have a block between them that neither is of."""
    if unit.chunk.id != following.chunk.id:
        return True
    kinds = {unit.block.kind, following.block.kind}
    blocks = unit.chunk.blocks
    of_two = len(kinds) > 1 and not kinds.isdisjoint({BlockKind.TABLE, BlockKind.CODE})
    return of_two or blocks.index(following.block) - blocks.index(unit.block) > 1


def with_opening(units: Sequence[Unit], runs: Sequence[Excerpt]) -> list[Excerpt]:
    """The runs of a section with its first sentence before them: what is quoted from its middle assumes that claim.

    Only where people's questions lead to the section; others often open with what they are about, and claim nothing.
    """
    first = units[0] if any(unit.chunk.questions for unit in units) else None
    quoted = [unit.order for run in runs for unit in run.units]
    if not first or not quoted or min(quoted) == first.order or len(quoted) >= MAX_SENTENCES or not first.is_claim:
        return list(runs)
    head, *rest = runs
    if head.chunk.position - first.chunk.position > _NEAR:
        return list(runs)
    if head.units[0].order == first.order + 1 and head.units[0].block is first.block:
        return [Excerpt(head.chunk, (first, *head.units)), *rest]
    return [Excerpt(first.chunk, (first,)), *runs]


def _belongs(seed: Unit, units: Sequence[Unit], start: int, stop: int) -> bool:
    """Whether a run has this sentence, is beside it in its paragraph, or shows it as a row of its table."""
    same_block = any(unit.block is seed.block for unit in units[start:stop])
    beside = start - 1 <= seed.order <= stop
    return start <= seed.order < stop or (same_block and (beside or seed.block.kind is BlockKind.TABLE))


def _short_section(units: Sequence[Unit], room: int) -> list[Unit]:
    """A section of a few sentences, such as cause and fix of an error, is read as a whole."""
    prose = [unit for unit in units if unit.block.kind is BlockKind.PROSE]
    words = sum(unit.words for unit in prose)
    one_chunk = len({unit.chunk.id for unit in prose}) == 1
    short = len(prose) <= room and words <= _SHORT_SECTION_WORDS
    return prose if one_chunk and short and len(prose) == len(units) else []


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
    whole = _list_around(units, seed)
    return whole if whole and whole[1] - whole[0] <= MAX_SENTENCES else (start, _end_of_list(units, start, stop))


def _list_around(units: Sequence[Unit], seed: Unit) -> tuple[int, int] | None:
    """The list that a sentence announces and that this one is an item of: alternatives are read together."""
    first, last = seed.order, seed.order + 1
    while first > 0 and _is_item_beside(units[first - 1], seed):
        first -= 1
    while last < len(units) and _is_item_beside(units[last], seed):
        last += 1
    announced = first > 0 and units[first - 1].leads_on and units[first - 1].chunk is seed.chunk
    return (first - 1, last) if announced and seed.block.kind is BlockKind.ITEM else None


def _is_item_beside(unit: Unit, seed: Unit) -> bool:
    return unit.block.kind is seed.block.kind is BlockKind.ITEM and unit.chunk is seed.chunk and not unit.is_note


def _end_of_list(units: Sequence[Unit], start: int, stop: int) -> int:
    """A list that a sentence announces is quoted to its end, if that is not far."""
    end = stop
    if any(unit.leads_on for unit in units[start:stop]) and units[stop - 1].block.kind is BlockKind.ITEM:
        while end < len(units) and units[end].block.kind is BlockKind.ITEM and units[end].chunk is units[start].chunk:
            end += 1
    return end if end - start <= MAX_SENTENCES else stop


def _needs_previous(unit: Unit, previous: Unit) -> bool:
    """Whether a sentence cannot be understood without the one before it."""
    if unit.block.kind is BlockKind.CODE or previous.block.kind is BlockKind.CODE:
        return False
    close = previous.sentence.end_line >= unit.sentence.start_line - 2
    return unit.leans_back or (close and previous.leads_on)


def is_cut(excerpt: Excerpt) -> bool:
    """Whether an excerpt announces a list and ends in the middle of it."""
    last = excerpt.units[-1]
    if last.block.kind is not BlockKind.ITEM or not any(unit.leads_on for unit in excerpt.units):
        return False
    blocks = last.chunk.blocks
    return any(block.kind is BlockKind.ITEM for block in blocks[blocks.index(last.block) + 1 :][:1])


def _worth_reading_on(unit: Unit, following: Unit, seed: Unit) -> bool:
    """Whether the next sentence belongs to the answer: same paragraph or list, and not a lead-in to something else."""
    if unit.leads_on:
        close = following.sentence.start_line - unit.sentence.end_line <= 2
        return close and following.block.kind not in (BlockKind.CODE, BlockKind.TABLE)
    if following.block.kind is not unit.block.kind or following.block.kind is BlockKind.CODE:
        return False
    if following.leads_on or following.block.kind is BlockKind.TABLE:
        return False
    same_block = following.block is unit.block
    return same_block or following.block.kind is BlockKind.ITEM or following.score >= 0.55 * seed.score


def _worth_reading_back(previous: Unit, unit: Unit, seed: Unit) -> bool:
    if previous.block is not unit.block or previous.block.kind is BlockKind.CODE:
        return False
    return previous.score >= 0.6 * seed.score and not previous.leads_on


def worth_adding(excerpt: Excerpt, excerpts: Sequence[Excerpt]) -> bool:
    """Whether a further passage says something about the question that was not said yet."""
    said = {term for earlier in excerpts for unit in earlier.units for term in unit.terms}
    new = {term for unit in excerpt.units for term in unit.terms}
    if not new or len(new & said) / len(new) >= 0.6:
        return False
    best = max(unit.score for unit in excerpts[0].units) if excerpts else 0.0
    return max(unit.score for unit in excerpt.units) >= 0.7 * best
