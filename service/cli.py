"""`mastery`: the product on the command line. It parses, calls and prints; every command is a few lines.

Exit codes: 0, 1 for a failure, 2 for wrong use, 3 for "not in the knowledge base".
"""

from __future__ import annotations

import asyncio
import gc
import io
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from prompts.commands import prompts_app
from service import logs
from service.errors import MasteryError, UserError
from service.settings import Settings, load_settings

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Cited answers out of a knowledge base on FastAPI backends."
)

app.add_typer(prompts_app, name="prompts")

AsJson = Annotated[bool, typer.Option("--json", help="Print exactly the API's JSON.")]
Section = Annotated[list[str] | None, typer.Option("--section", help="Keep to a section: its title, folder or number.")]
Level = Annotated[list[str] | None, typer.Option("--level", help="Keep to a level, such as beginner.")]
PromptVersion = Annotated[int | None, typer.Option("--prompt", min=1, help="Version of the answer prompt.")]
ChapterOption = Annotated[list[str] | None, typer.Option("--chapter", help="Keep to a chapter: its path or file name.")]


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address; 127.0.0.1 unless told otherwise.")] = None,
    port: Annotated[int | None, typer.Option(help="Port.", min=0, max=65535)] = None,
) -> None:
    """Start the service."""
    from service.server import run_server  # noqa: PLC0415 - commands import what they need, so that --help is quick

    settings = _settings()
    changes = {"host": host or settings.host, "port": settings.port if port is None else port}
    run_server(settings.model_copy(update=changes))


@app.command()
def ingest(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder of Markdown; MASTERY_KNOWLEDGE_BASE if left out.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done and what it would cost.")] = False,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Build the index anew, also a damaged one.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the index up to date with a folder of chapters."""
    gc.set_threshold(50_000, 20, 100)  # what an ingest makes lives to its end: looking for garbage took 10 % of it
    from ingest.command import ingest_folder  # noqa: PLC0415

    settings = _settings()
    failed = _run(ingest_folder(settings, folder or settings.knowledge_base, dry_run, rebuild, as_json))
    raise typer.Exit(1 if failed else 0)


@app.command()
def questions(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder of Markdown; MASTERY_KNOWLEDGE_BASE if left out.")
    ] = None,
    chapter: Annotated[
        list[str] | None, typer.Option("--chapter", help="Only this chapter: its path or file name.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done and what it would cost.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let the model write what people ask of each section, so that it is found in their words."""
    from ingest.questions_command import write_questions  # noqa: PLC0415

    settings = _settings()
    work = write_questions(settings, folder or settings.knowledge_base, chapter or [], dry_run=dry_run, as_json=as_json)
    raise typer.Exit(1 if _run(work) else 0)


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="Words to look for.")],
    limit: Annotated[int, typer.Option(min=1, max=50)] = 5,
    section: Section = None,
    level: Level = None,
    chapter: ChapterOption = None,
    as_json: AsJson = False,
) -> None:
    """Find passages."""
    from service.terminal import search_and_print  # noqa: PLC0415

    _run(search_and_print(_settings(), query, _filter(section, level, chapter), limit, as_json))


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="A question in your own words.")],
    section: Section = None,
    level: Level = None,
    chapter: ChapterOption = None,
    prompt: PromptVersion = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask the model also where a stored answer would do.")] = False,
    as_json: AsJson = False,
) -> None:
    """Answer a question with citations; exit code 3 if the knowledge base does not cover it."""
    from service.terminal import ask_and_print  # noqa: PLC0415

    asked = _asked(question, _filter(section, level, chapter), prompt, fresh=fresh)
    covered = _run(ask_and_print(_settings(), asked, as_json=as_json))
    raise typer.Exit(0 if covered else 3)


@app.command(name="eval")
def evaluate(
    golden: Annotated[
        list[Path] | None, typer.Option("--golden", help="Golden files; the shipped ones if left out.")
    ] = None,
    prompt: PromptVersion = None,
    misses: Annotated[bool, typer.Option("--misses", help="List the questions that went wrong.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check answer quality against the golden questions."""
    from evals.command import run_evaluation  # noqa: PLC0415

    _run(run_evaluation(_settings(), golden or [], prompt=prompt, misses=misses, as_json=as_json))


@app.command()
def replay(
    answer: Annotated[str, typer.Argument(help="The answer's id, as `ask` and the API give it.")],
    as_json: AsJson = False,
) -> None:
    """Ask the model once more with the same passages and prompt, and show what is different."""
    from service.repeating import replay_and_print  # noqa: PLC0415

    _run(replay_and_print(_settings(), answer, as_json=as_json))


@app.command()
def usage(
    by: Annotated[str, typer.Option(help="day, model, prompt, caller or purpose.")] = "day",
    since: Annotated[str | None, typer.Option(help="From this day on (UTC), such as 2026-11-01.")] = None,
    until: Annotated[str | None, typer.Option(help="Before this day (UTC).")] = None,
    as_json: AsJson = False,
) -> None:
    """What calls to models cost, and what is left of the budgets."""
    from service.usage_report import print_usage  # noqa: PLC0415

    _run(print_usage(_settings(), by, since, until, as_json=as_json))


@app.command()
def key(name: Annotated[str, typer.Argument(help="Whose key it is; usage and budgets go by this name.")]) -> None:
    """Make an API key, and the entry for MASTERY_API_KEYS that knows it."""
    from service.keys import hash_of, new_key  # noqa: PLC0415

    made = new_key()
    print(f"key (shown this once):  {made}")
    print(f"for MASTERY_API_KEYS:   {name}:{hash_of(made)}")


@app.command()
def doctor() -> None:
    """Check settings, model, index and keys, and say what to do about what is wrong."""
    from service.doctor import examine  # noqa: PLC0415

    healthy = _run(examine(_settings()))
    raise typer.Exit(0 if healthy else 1)


def main() -> None:
    """Entry of the `mastery` command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a character shows a ? for it
    try:
        app(standalone_mode=True)
    except UserError as error:
        _fail(error, 2)
    except (MasteryError, OSError) as error:  # a disk or a permission: the message names the file
        _fail(error, 1)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(130)
    finally:
        gc.freeze()  # the process ends: to look through all that an ingest read once more takes 0.3 s


def _fail(error: Exception, code: int) -> None:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(code)


def _settings() -> Settings:
    settings = load_settings()
    logs.configure(settings)
    return settings


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def _asked(question: str, where: Any, prompt: int | None, *, fresh: bool) -> Any:
    from service.domain import Ask  # noqa: PLC0415

    return Ask(question, where=where, prompt_version=prompt, caller="terminal", fresh=fresh)


def _filter(section: list[str] | None, level: list[str] | None, chapter: list[str] | None) -> Any:
    from service.domain import SearchFilter  # noqa: PLC0415

    return SearchFilter(tuple(section or ()), tuple(level or ()), tuple(chapter or ()))


if __name__ == "__main__":
    main()
