"""A conversation as a Markdown document."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from markdown_it import MarkdownIt

from service.api.exporting import as_markdown
from service.domain import Answer, Conversation, Exchange, Mode, Status

from ...adapters.database.conftest import NOON
from ...adapters.database.samples import ANSWER

CONVERSATION = Conversation("c", "Pagination", NOON, NOON, 1)


def _document(*answers: Answer, question: str = "How does keyset pagination work?") -> str:
    exchanges = [Exchange(number, question, "a", NOON, answer) for number, answer in enumerate(answers, 1)]
    return as_markdown(CONVERSATION, exchanges, "https://kb.example")


def test_it_reads_as_a_document() -> None:
    """Question, answer, numbered sources with links and lines, and how it was made."""
    assert _document(ANSWER) == (
        "# Pagination\n\n"
        "*1 question, begun on 2026-11-25 (UTC).*\n\n"
        "## 1. How does keyset pagination work?\n\n"
        "It remembers the last key [1].\n\n```python\nprint(1)\n```\n\n"
        "### Sources\n\n"
        "- \\[1\\] [Pagination › Keyset pagination]"
        "(<https://kb.example/read/04_databases/pagination#keyset-pagination>), "
        "04\\_databases/pagination.md, lines 3–9: “the last key”\n\n"
        "*Written by gpt-6-luna · $0.00017 · 2026-11-25 12:00 UTC*\n"
    )


def test_what_an_answer_is_worth_is_said() -> None:
    """Partly or not covered, without a model, at an unknown price."""
    partial = _document(replace(ANSWER, status=Status.PARTIAL, mode=Mode.EXTRACTIVE))
    assert "*The knowledge base covers this in part.*" in partial
    assert "*Composed of quotations · 2026" in partial
    nothing = replace(ANSWER, status=Status.NOT_IN_KNOWLEDGE_BASE, citations=(), mode=Mode.EXTRACTIVE, degraded=True)
    document = _document(nothing)
    assert "*The knowledge base does not cover this.*" in document
    assert "because the model could not be used" in document
    assert "Sources" not in document
    unpriced = replace(ANSWER, receipt=replace(ANSWER.receipt, cost_usd=None))
    assert "Written by gpt-6-luna · price unknown" in _document(unpriced)


def test_a_question_without_an_answer_is_in_it() -> None:
    """With the reason, where there is one."""
    exchanges = [Exchange(1, "A?", "a", NOON, None, "the model *failed*"), Exchange(2, "B?", "b", NOON)]
    document = as_markdown(replace(CONVERSATION, title="", turns=2), exchanges, "")
    assert document.startswith("# Conversation\n\n*2 questions,")
    assert "## 1. A?\n\n*No answer: the model \\*failed\\**" in document
    assert document.endswith("## 2. B?\n\n*Not answered yet.*\n")


def _headings(document: str) -> list[tuple[str, str]]:
    tokens = MarkdownIt("commonmark").parse(document)
    return [
        (token.tag, tokens[place + 1].content) for place, token in enumerate(tokens) if token.type == "heading_open"
    ]


def test_headings_of_an_answer_stay_below_its_question() -> None:
    """But for what is code: a comment is no heading, and a longer fence is not closed by a shorter one."""
    text = "# One\n\n````md\n# comment\n```\n## comment\n````\n\n## Two\n\n~~~\n# three\n~~~\n###### Six\n#no heading"
    document = _document(replace(ANSWER, answer=text, citations=()))
    assert _headings(document)[2:] == [("h3", "One"), ("h4", "Two"), ("h6", "Six")]
    assert "````md\n# comment\n```\n## comment\n````" in document
    assert "~~~\n# three\n~~~" in document


def test_a_question_cannot_change_the_document() -> None:
    """Its marks are letters, and a long one stands in full below a shortened heading."""
    hostile = "# <script>alert(1)</script> [link](javascript:x) `code`\n## Another heading\n" + "word " * 60
    document = _document(replace(ANSWER, answer="Text.", citations=()), question=hostile)
    assert [tag for tag, _ in _headings(document)] == ["h1", "h2"]
    html = MarkdownIt("commonmark", {"html": True}).render(document)
    assert "<script>" not in html
    assert 'href="javascript' not in html
    assert html.count("<code>") == 0
    assert "<blockquote>" in html


def test_the_same_conversation_twice_gives_the_same_document() -> None:
    """Nothing in it depends on when it is exported."""
    arguments: tuple[Any, ...] = (ANSWER, replace(ANSWER, status=Status.PARTIAL))
    assert _document(*arguments) == _document(*arguments)
