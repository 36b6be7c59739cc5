"""A sentence where it stands in a section, and what can be told from how it is written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from service.domain import Block, BlockKind, Chunk, Sentence

FEWEST_WORDS = 5  # of a sentence that claims something; a shorter one is a title, such as **API Documentation**
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
NUMBERED = re.compile(r"\s*(\d{1,9})[.)]\s")
_MARK = re.compile(r"\((\d{1,2})\)!")
_TITLE = re.compile(r"\W*\*\*[^*]+\*\*\s*")  # of a box or a paragraph that follows


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence where it stands: which block of which chunk, its place in the section, and the block after its own.

    That block may be in another chunk: a long code block seldom fits beside the sentence that leads to it. `words` is
    the sentence's length. A note explains one line of the code before it, by number.
    """

    sentence: Sentence
    block: Block
    chunk: Chunk
    order: int
    words: int
    following: tuple[Chunk, Block] | None = None
    is_note: bool = False
    score: float = 0.0
    terms: frozenset[int] = frozenset()

    def weighed(self, score: float, terms: frozenset[int]) -> Unit:
        """The same with a score; `replace` takes four times as long, and an answer weighs some thirty sentences."""
        return Unit(
            self.sentence, self.block, self.chunk, self.order, self.words, self.following, self.is_note, score, terms
        )  # fmt: skip

    @property
    def leads_on(self) -> bool:
        """Whether it only announces what follows it."""
        return self.sentence.text.rstrip("*_ ").endswith((":", "?", "\N{FULLWIDTH COLON}"))

    @property
    def leans_back(self) -> bool:
        """Whether it cannot be understood without the one before it."""
        return bool(_LEANS_BACK.match(self.sentence.text))

    @property
    def is_about_layout(self) -> bool:
        """Whether it speaks of a block beside it ("The following table")."""
        return bool(_ABOUT_LAYOUT.match(self.sentence.text))

    @property
    def points_elsewhere(self) -> bool:
        """Whether it sends the reader on, or is a note on versions."""
        return bool(_POINTS_ELSEWHERE.match(self.sentence.text))

    @property
    def is_link(self) -> bool:
        """Whether it is a link and nothing else."""
        return bool(_LINK.fullmatch(self.sentence.text))

    @property
    def is_title(self) -> bool:
        """Whether it names a box or a paragraph that follows."""
        return bool(_TITLE.fullmatch(self.sentence.text))

    @property
    def is_label(self) -> bool:
        """Whether it is a comment that names a step of the code ("the gate before the switch")."""
        return self.block.kind is BlockKind.CODE and self.words < _LABEL_WORDS

    @property
    def is_claim(self) -> bool:
        """Whether it is prose that says something by itself, or by the block that it leads to."""
        says = self.words >= FEWEST_WORDS and (self.announces or not self.leads_on)
        return self.block.kind is BlockKind.PROSE and says and not (self.is_about_layout or self.points_elsewhere)

    @property
    def stands_alone(self) -> bool:
        """Whether it says something though nothing that stands around it is shown."""
        text = self.block.kind in (BlockKind.PROSE, BlockKind.ITEM) and self.words >= FEWEST_WORDS
        says = text and (not self.leads_on or self.announced(BlockKind.CODE) is not None)
        return says and not (self.leans_back or self.points_elsewhere or self.is_about_layout or self.is_note)

    @property
    def announces(self) -> bool:
        """Whether it leads to code or a table, which are shown under the sentences."""
        return self.announced(BlockKind.CODE) is not None or self.announced(BlockKind.TABLE) is not None

    def announced(self, kind: BlockKind) -> tuple[Chunk, Block] | None:
        """The block of this kind that it leads to, and its chunk."""
        return self.following if self.leads_on and self.following and self.following[1].kind is kind else None


def units_of(section: Sequence[Chunk]) -> list[Unit]:
    """All sentences of a section in order, not weighed yet."""
    units: list[Unit] = []
    places = [(chunk, block) for chunk in section for block in chunk.blocks]
    notes = notes_in([block for _, block in places])
    for (chunk, block), following in zip_longest(places, places[1:]):
        is_note = bool(notes) and block in notes
        for sentence in block.sentences:
            after = following if sentence is block.sentences[-1] else None
            units.append(Unit(sentence, block, chunk, len(units), len(sentence.text.split()), after, is_note))
    return units


def notes_in(blocks: Sequence[Block]) -> list[Block]:
    """The numbered items that explain lines of the code before them (`# (1)!`), as documentation sites have them."""
    notes: list[Block] = []
    marks: set[str] = set()
    for block in blocks:
        if block.kind is BlockKind.CODE:
            marks = set(_MARK.findall(block.text)) | (marks if block.part > 1 else set())
        elif (number := NUMBERED.match(block.text)) and block.kind is BlockKind.ITEM and number[1] in marks:
            notes.append(block)
        else:
            marks = set()
    return notes
