"""`mastery questions`: a model writes what people ask of each section, into `questions.yaml` beside the chapters.

Chapter by chapter, and each is kept as soon as it is written: what was interrupted goes on where it ended.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ingest import questions
from ingest.chapters import parse
from ingest.folder import scan
from ingest.question_writer import Piece, QuestionWriter, pieces_of
from prompts.registry import Registry
from service.adapters.tokens import TokenCounter
from service.domain import Chapter, Usage
from service.errors import BudgetSpent, ChapterNotFound, QuestionsFailed, RequestTooCostly, UserError
from service.parts import prices_of
from service.settings import Settings
from service.wiring import open_chat_model

AT_ONCE = 4
SECONDS = 180.0
OUTPUT_PER_SECTION = 110  # tokens of five questions of fourteen words, with what JSON needs around them


@dataclass
class Report:
    """What came of it; `tokens_in` and `tokens_out` are estimates, made before anything is sent."""

    folder: str
    dry_run: bool
    chapters: int
    sections: int
    tokens_in: int
    tokens_out: int
    cost_usd: Decimal | None
    written: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        cost = None if self.cost_usd is None else f"{self.cost_usd:f}"
        return {**self.__dict__, "cost_usd": cost}


async def write_questions(
    settings: Settings, folder: Path, only: Sequence[str], *, dry_run: bool, as_json: bool
) -> bool:
    """Write what is missing and report; whether something went wrong.

    Raises:
        NoModel, MissingKnowledgeBase, EmptyKnowledgeBase, UserError: a chapter is not there, or has its questions.
    """
    console = Console(stderr=True)
    async with open_chat_model(settings) as model:
        writer = QuestionWriter(model, Registry().load("questions"), seconds=SECONDS)
        chapters, problems = _open_chapters(folder, only)
        report = await _estimated(settings, folder, chapters, writer, dry_run=dry_run)
        report.problems += problems
        if not as_json:
            console.print(_said_before(report), highlight=False)
        if chapters and not dry_run:
            await _write_all(writer, folder, chapters, report, console)
    if as_json:
        sys.stdout.write(json.dumps(report.as_json(), ensure_ascii=False, indent=2) + "\n")
    else:
        console.print(_said_after(report), highlight=False)
    for problem in report.problems:
        console.print(f"problem: {problem}", style="red", markup=False, highlight=False, soft_wrap=True)
    return bool(report.problems)


def _open_chapters(folder: Path, only: Sequence[str]) -> tuple[list[Chapter], list[str]]:
    """The chapters whose questions are to be written: all that have none, or those that are named."""
    sources, problems = scan(folder)
    if broken := [problem for problem in problems if problem.path.endswith(questions.FILE)]:
        raise UserError(f"{broken[0]}; mend it before more is written to it")
    chapters = [parse(source)[0] for source in sources]
    shipped = {source.path for source in sources if source.shipped}
    named = {name: [c for c in chapters if name in (c.path, c.path.rpartition("/")[2])] for name in only}
    for name, found in named.items():
        if not found:
            raise ChapterNotFound(f"there is no chapter {name!r} in {folder}")
        if written := [c.path for c in found if c.asked and c.path not in shipped]:
            raise UserError(f"{written[0]} has its questions; take its entry out of questions.yaml to write it anew")
    once = {chapter.path: chapter for found in named.values() for chapter in found}
    wanted = [*once.values()] or [c for c in chapters if not c.asked]
    return [chapter for chapter in wanted if pieces_of(chapter)], [str(problem) for problem in problems]


async def _estimated(
    settings: Settings, folder: Path, chapters: Sequence[Chapter], writer: QuestionWriter, *, dry_run: bool
) -> Report:
    """What it will take, before it begins."""
    pieces = [piece for chapter in chapters for piece in pieces_of(chapter)]
    counter = TokenCounter(settings.chat_model)
    texts = [message.content for piece in pieces for message in writer.messages(piece)]
    tokens_in = await counter.count(*texts) if texts else 0
    sections = sum(len(piece.sections) for piece in pieces)
    usage = Usage(input_tokens=tokens_in, output_tokens=sections * OUTPUT_PER_SECTION)
    cost = prices_of(settings).cost(usage, settings.chat_model)
    return Report(str(folder), dry_run, len(chapters), sections, tokens_in, usage.output_tokens, cost)


async def _write_all(
    writer: QuestionWriter, folder: Path, chapters: Sequence[Chapter], report: Report, console: Console
) -> None:
    """A few chapters at a time. A budget that is spent ends it; a chapter that fails does not end the others."""
    columns = (
        TextColumn("{task.description:<20}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=not console.is_terminal) as bars:
        bar = bars.add_task("Writing questions", total=len(chapters))
        waiting = iter(chapters)

        async def work(left: Iterator[Chapter]) -> None:
            for chapter in left:
                try:
                    await _write(writer, folder, chapter, report)
                except (QuestionsFailed, OSError) as error:
                    report.problems.append(f"{chapter.path}: {error}")
                bars.advance(bar)

        workers = [asyncio.create_task(work(waiting)) for _ in range(AT_ONCE)]
        try:
            await asyncio.gather(*workers)
        except (BudgetSpent, RequestTooCostly) as error:
            report.problems.append(f"{error}; run the command again to go on")
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)


async def _write(writer: QuestionWriter, folder: Path, chapter: Chapter, report: Report) -> None:
    pieces: list[Piece] = pieces_of(chapter)
    asked = await writer.write(pieces)
    if not asked:
        raise QuestionsFailed("the model wrote no question that can be used")
    place = folder / chapter.path
    questions.add(place.with_name(questions.FILE), place.name, asked)
    report.written[chapter.path] = sum(map(len, asked.values()))


def _said_before(report: Report) -> str:
    if not report.chapters:
        return "Every chapter has its questions."
    cost = "of unknown price" if report.cost_usd is None else f"about ${report.cost_usd:.4f}"
    what = f"{_counted(report.chapters, 'chapter')}, {_counted(report.sections, 'section')}"
    return f"{what}; about {report.tokens_in:,} tokens to read and {report.tokens_out:,} to write, {cost}"


def _said_after(report: Report) -> str:
    if not report.written:
        return "Nothing was written."
    total = sum(report.written.values())
    chapters = _counted(len(report.written), "chapter")
    return f"{_counted(total, 'question')} for {chapters}; `mastery ingest` makes use of them."


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
