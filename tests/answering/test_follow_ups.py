"""What is suggested to be asked next."""

from __future__ import annotations

from dataclasses import replace

from service.answering.follow_ups import follow_ups
from service.domain import Hit, Turn

from .sections import chunks_of

CHAPTER = "# Tips\n\n## {0}\n\n{0} is explained.\n\n## {1}\n\n{1} is explained.\n\n## {2}\n\n{2} is explained.\n"


def _hits(*questions: tuple[str, ...]) -> list[Hit]:
    """A hit for each section, with these questions."""
    chunks = chunks_of(CHAPTER.format("One", "Two", "Three"))
    return [Hit(replace(chunk, questions=asked), 1.0) for chunk, asked in zip(chunks, questions, strict=True)]


def test_questions_lead_on_to_other_sections() -> None:
    """One of each section that was found; what the answer quotes is asked about last."""
    hits = _hits(("What is one?", "Why one?"), ("What is two?", "Why two?"), ("What is three?",))
    quoted = {hits[0].chunk.section_id}
    assert follow_ups("tell me about one", (), hits, quoted) == ["What is two?", "What is three?", "What is one?"]


def test_what_was_asked_is_not_suggested_again() -> None:
    """Neither the question nor one before it in the conversation, whatever their case and punctuation."""
    hits = _hits(("What is one?", "Why one?"), ("What is two?", "Why two?"), ("What is three?",))
    history = (Turn("user", "WHAT IS TWO"), Turn("assistant", "What is three?"))
    assert follow_ups("what is one", history, hits, ()) == ["Why one?", "Why two?", "What is three?"]


def test_words_to_search_for_are_no_suggestion() -> None:
    """Chapters are also searched in a few words; only whole questions are offered."""
    assert follow_ups("one", (), _hits(("one two", "why one?"), (), ("What is three?",)), ()) == ["What is three?"]
