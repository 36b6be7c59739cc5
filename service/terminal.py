"""Answers and passages for people in a terminal."""

from __future__ import annotations

import re
import sys
from contextlib import nullcontext

from rich.console import Console
from rich.markdown import Markdown
from rich.padding import Padding

from service.domain import Answer, Ask, Passage, SearchFilter, Status
from service.settings import Settings
from service.wiring import open_service

_OWN_LINK = re.compile(r"\[((?:[^\[\]\\]|\\.)*)\]\(/read/[^)]*\)")


async def ask_and_print(settings: Settings, ask: Ask, *, as_json: bool) -> bool:
    """Ask and print; whether the knowledge base covers it."""
    waiting = Console(stderr=True).status("Reading the chapters …")
    async with open_service(settings) as service:
        with waiting if settings.uses_chat_model else nullcontext():
            answer = await service.desk.answer(ask)
    if as_json:
        from service.api.asking import ANSWER  # noqa: PLC0415 - only for JSON; it brings FastAPI along

        _print_json(ANSWER.dump_json(answer))
    else:
        _print_answer(answer)
    return answer.status is not Status.NOT_IN_KNOWLEDGE_BASE


async def search_and_print(settings: Settings, query: str, where: SearchFilter, limit: int, as_json: bool) -> None:
    """Search and print."""
    async with open_service(settings) as service:
        passages = await service.answerer.search(query, where, limit)
    if as_json:
        from service.api.asking import PASSAGES  # noqa: PLC0415

        _print_json(PASSAGES.dump_json(passages))
    else:
        _print_passages(passages)


def _print_json(document: bytes) -> None:
    """JSON is UTF-8 whatever the terminal speaks (RFC 8259)."""
    sys.stdout.buffer.write(document + b"\n")


def _print_answer(answer: Answer) -> None:
    out = Console(soft_wrap=False)
    out.print()
    text = _OWN_LINK.sub(r"\1", answer.answer)  # links into the page mean nothing in a terminal
    out.print(Padding(Markdown(text, hyperlinks=False), (0, 2)))
    if answer.citations:
        out.print()
    for cited in answer.citations:
        place = f"{cited.chapter}:{cited.start_line}"
        out.print(f"  [{cited.number}] {cited.title} › {cited.heading}", style="bold", markup=False, highlight=False)
        out.print(f"      {place}", style="dim", markup=False, highlight=False)
    receipt = answer.receipt
    cost = "price unknown" if receipt.cost_usd is None else f"${receipt.cost_usd}"
    line = f"{answer.status} · {answer.mode} · {receipt.latency_ms.total:.0f} ms · {cost}"
    if receipt.cached:
        line += " · stored earlier (--fresh asks again)"
    if answer.degraded:
        line += f" · degraded ({receipt.degraded_reason})"
    out.print(f"\n  {line}\n  answer {answer.id}\n", style="dim", markup=False, highlight=False)


def _print_passages(passages: list[Passage]) -> None:
    out = Console()
    if not passages:
        out.print("Nothing found.")
    for number, passage in enumerate(passages, 1):
        out.print(f"\n{number}. {passage.title} › {passage.heading}", style="bold", markup=False, highlight=False)
        out.print(
            f"   {passage.chapter}:{passage.start_line}  score {passage.score:.2f}",
            style="dim",
            markup=False,
            highlight=False,
        )
        text = passage.text if len(passage.text) < 400 else f"{passage.text[:400]} …"
        out.print(Padding(text, (0, 3)), markup=False, highlight=False)
