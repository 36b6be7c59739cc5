"""An answer without a model: whole sentences of the chapters, quoted in order, each cited; then the code.

The best section gives the seed sentence and its neighbours; other passages may add one or two sentences that say
something new. Nothing is rewritten, so nothing can be invented.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from service.answering.excerpts import MAX_SENTENCES, Excerpt, runs_of, with_opening, worth_adding
from service.answering.illustrations import code_for, notes_on, table_for
from service.answering.ranking import is_appendix
from service.answering.retrieval import Found
from service.answering.weighing import Weigher
from service.domain import Block, Chunk
from service.ports import Terms

MAX_SECTIONS = 3
ALSO_GOOD = 0.72  # of the best section's score, has one that may add to it
NEARLY_AS_GOOD = 0.85  # has one that may add to a section that stands out


@dataclass(frozen=True, slots=True)
class Pointer:
    """A place to read on, and the sentence there that says most about the question, if one does."""

    chunk: Chunk
    says: str = ""


@dataclass(frozen=True, slots=True)
class Composition:
    """What an extractive answer is made of, in the order in which it is shown."""

    excerpts: tuple[Excerpt, ...]
    table: tuple[Chunk, Block] | None = None
    code: tuple[Chunk, Block] | None = None
    notes: tuple[Block, ...] = ()
    further: tuple[Pointer, ...] = ()

    @property
    def sections(self) -> set[str]:
        """The ids of the sections that something is taken from."""
        places = [place[0] for place in (self.table, self.code) if place]
        return {chunk.section_id for chunk in (*places, *(excerpt.chunk for excerpt in self.excerpts))}


def compose(found: Found, sections: Mapping[str, Sequence[Chunk]], terms: Terms) -> Composition:
    """Choose what to quote. `sections` holds the whole section of every hit that may be quoted, by section id."""
    weigh = Weigher(found, terms)
    excerpts: list[Excerpt] = []
    enough = NEARLY_AS_GOOD if found.stands_out else ALSO_GOOD
    best = _best_sections(found)
    for rank, (section_id, relative) in enumerate(best):
        room = MAX_SENTENCES - sum(len(excerpt.units) for excerpt in excerpts)
        if rank == MAX_SECTIONS or room <= 0 or relative < enough:
            break
        units = weigh.units(sections[section_id])
        if not units and rank == 0 and code_for(found, sections[section_id], (), weigh):
            break  # code without a word is the answer by itself
        if rank == 0:
            excerpts += with_opening(units, runs_of(units, min(room, 4), 2))
        else:
            excerpts += [run for run in runs_of(units, min(room, 2), 1) if worth_adding(run, excerpts)]
    if not best:
        return Composition(())
    main = sections[excerpts[0].chunk.section_id if excerpts else best[0][0]]
    code = code_for(found, main, excerpts, weigh)
    table = table_for(found.query, main, excerpts) if code is None else None
    notes = notes_on(code[1], main, excerpts) if code else ()
    made = Composition(tuple(excerpts), table, code, notes)
    return replace(made, further=_further(found, sections, made.sections, weigh))


def _best_sections(found: Found) -> list[tuple[str, float]]:
    """Section ids by their best hit, with that hit's score relative to the best of all; appendices left out."""
    sections: dict[str, float] = {}
    best = found.hits[0].score if found.hits else 1.0
    for hit in found.hits:
        if hit.chunk.section_id not in sections and (not sections or not is_appendix(hit.chunk.heading)):
            sections[hit.chunk.section_id] = hit.score / best if best > 0 else 0.0
    return list(sections.items())[:4]


def _further(
    found: Found, sections: Mapping[str, Sequence[Chunk]], used: set[str], weigh: Weigher
) -> tuple[Pointer, ...]:
    """Where to read on: other sections that were found, best first, at most three."""
    further: dict[str, list[Chunk]] = {}
    for rank, hit in enumerate(found.hits):
        section = hit.chunk.section_id
        if section in further or (rank < 12 and section not in used and not is_appendix(hit.chunk.heading)):
            further.setdefault(section, []).append(hit.chunk)
    return tuple(
        Pointer(chunks[0], weigh.gist(sections.get(section, chunks))) for section, chunks in list(further.items())[:3]
    )
