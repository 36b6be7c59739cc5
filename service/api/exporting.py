"""A conversation as a Markdown document that is read without this service, with links that lead back to it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from service.domain import Answer, Citation, Conversation, Exchange, Mode, Status

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~])")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}(#{1,6})(?=\s|$)")
_HEADING_LENGTH = 120
_STATUS = {
    Status.PARTIAL: "The knowledge base covers this in part.",
    Status.NOT_IN_KNOWLEDGE_BASE: "The knowledge base does not cover this.",
}


def as_markdown(conversation: Conversation, exchanges: Sequence[Exchange], base_url: str) -> str:
    """The document; `base_url` is where the service is reached, without a slash at its end."""
    number = len(exchanges)
    begun = f"{conversation.created_at:%Y-%m-%d}"
    parts = [
        f"# {_escaped(conversation.title) or 'Conversation'}",
        f"*{number} question{'' if number == 1 else 's'}, begun on {begun} (UTC).*",
    ]
    for exchange in exchanges:
        parts += _exchange(exchange, base_url)
    return "\n\n".join(parts) + "\n"


def _exchange(exchange: Exchange, base_url: str) -> Iterator[str]:
    line = " ".join(exchange.question.split())
    if len(line) <= _HEADING_LENGTH:
        yield f"## {exchange.position}. {_escaped(line)}"
    else:
        yield f"## {exchange.position}. {_escaped(line[:_HEADING_LENGTH])}…"
        yield "\n".join(f"> {_escaped(row)}".rstrip() for row in exchange.question.splitlines())
    if exchange.answer is None:
        yield f"*No answer: {_escaped(exchange.error)}*" if exchange.error else "*Not answered yet.*"
        return
    answer = exchange.answer
    if note := _STATUS.get(answer.status):
        yield f"*{note}*"
    yield _below_level_two(answer.answer.strip())
    if answer.citations:
        yield "### Sources"
        yield "\n".join(_source(citation, base_url) for citation in answer.citations)
    yield f"*{_made(answer)} · {exchange.asked_at:%Y-%m-%d %H:%M} UTC*"


def _source(citation: Citation, base_url: str) -> str:
    """`[1] Title › Heading, chapter, lines`, and the words that were cited."""
    lines = f"line {citation.start_line}"
    if citation.end_line != citation.start_line:
        lines = f"lines {citation.start_line}–{citation.end_line}"
    name = _escaped(f"{citation.title} › {citation.heading}")
    link = citation.url if "://" in citation.url else base_url + citation.url
    link = link.replace("<", "%3C").replace(">", "%3E")
    quote = " ".join(citation.quote.split())
    return f"- \\[{citation.number}\\] [{name}](<{link}>), {_escaped(citation.chapter)}, {lines}: “{_escaped(quote)}”"


def _made(answer: Answer) -> str:
    receipt = answer.receipt
    if answer.mode is Mode.EXTRACTIVE:
        reason = ", because the model could not be used" if answer.degraded else ""
        return f"Composed of quotations{reason}"
    cost = "price unknown" if receipt.cost_usd is None else f"${receipt.cost_usd}"
    return f"Written by {_escaped(receipt.model or 'a model')} · {cost}"


def _below_level_two(markdown: str) -> str:
    """Headings of an answer go two levels down, below that of its question; code stays as it is."""
    rows, fence = [], ""
    for row in markdown.split("\n"):
        mark = _FENCE.match(row)
        if fence:
            closes = mark and mark[1].startswith(fence) and not row.strip(" `~\t")
            fence = "" if closes else fence
        elif mark:
            fence = mark[1]
        elif heading := _HEADING.match(row):
            row = f"{'#' * min(6, len(heading[1]) + 2)}{row[heading.end() :]}"  # noqa: PLW2901 - the row, moved down
        rows.append(row)
    return "\n".join(rows)


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
