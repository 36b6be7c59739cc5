"""`mastery replay`: an answer once more, and what is different."""

from __future__ import annotations

import json
import sys

from rich.console import Console
from rich.syntax import Syntax

from service.answering.replaying import Replay
from service.settings import Settings
from service.wiring import open_replayer


async def replay_and_print(settings: Settings, id_: str, *, as_json: bool) -> None:
    """Repeat an answer and print the difference."""
    async with open_replayer(settings) as (answers, replayer):
        replay = await replayer.replay(await answers.get(id_))
    if as_json:
        sys.stdout.write(json.dumps(_document(replay), ensure_ascii=False, indent=2) + "\n")
    else:
        _print(replay)


def _document(replay: Replay) -> dict[str, object]:
    gone, new = replay.citation_changes()
    return {
        "id": replay.record.answer.id,
        "prompt": replay.record.answer.receipt.prompt,
        "model_then": replay.record.answer.receipt.model,
        "model_now": replay.model,
        "problem": replay.problem,
        "answer": replay.answer,
        "same": replay.problem is None and not replay.diff(),
        "diff": replay.diff(),
        "citations_gone": gone,
        "citations_new": new,
        "tokens": {"input": replay.bill.usage.input_tokens, "output": replay.bill.usage.output_tokens},
        "cost_usd": None if replay.bill.cost is None else format(replay.bill.cost, "f"),
    }


def _print(replay: Replay) -> None:
    out = Console(highlight=False)
    receipt = replay.record.answer.receipt
    out.print(f"\n{replay.record.answer.question}", style="bold", markup=False)
    out.print(f"{receipt.prompt} · then {receipt.model} · now {replay.model}\n", style="dim", markup=False)
    if replay.problem:
        out.print(f"No answer this time: {replay.problem}", style="red", markup=False)
    elif diff := replay.diff():
        out.print(Syntax("\n".join(diff), "diff", background_color="default", word_wrap=True))
    else:
        out.print("The same answer, word for word.")
    gone, new = replay.citation_changes()
    for label, places in (("cited then only", gone), ("cited now only", new)):
        for place in places:
            out.print(f"{label}: {place}", markup=False)
    cost = "price unknown" if replay.bill.cost is None else f"${replay.bill.cost:f}"
    usage = replay.bill.usage
    out.print(f"\n{usage.input_tokens} + {usage.output_tokens} tokens · {cost}\n", style="dim", markup=False)
