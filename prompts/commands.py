"""`mastery prompts list|show|diff`: the versions, their texts, and what changed between two of them.

Exit codes: 0, or 2 where a prompt or version does not exist or is broken.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from prompts.prompt import Prompt, PromptError

if TYPE_CHECKING:
    from rich.table import Table

prompts_app = typer.Typer(no_args_is_help=True, help="The prompts: their versions, texts and changes.")

_SPECIFIED = re.compile(r"([A-Za-z]\w*)(?:/v([1-9]\d*))?")
_VERSION = re.compile(r"v?([1-9]\d*)")
_STYLES = {"released": "green", "draft": "yellow", "changed": "bold red"}


@prompts_app.command("list")
def list_prompts() -> None:
    """List every version: purpose, hash, whether it is released, and what is new in it."""
    from rich.console import Console  # noqa: PLC0415 - commands import what they need, so that --help is quick

    from prompts.lock import read, standing  # noqa: PLC0415
    from prompts.registry import Registry  # noqa: PLC0415

    try:
        prompts = Registry().all()
        released = read()
    except PromptError as error:
        _fail(error)
    out = Console()
    if out.is_terminal:
        out.print(_table([(prompt, standing(prompt, released)) for prompt in prompts]))
        return
    for prompt in prompts:  # one line each, for grep and cut
        state = standing(prompt, released)
        typer.echo(f"{prompt.id}\t{prompt.hash}\t{state}\t{prompt.purpose}\t{prompt.changelog}")


@prompts_app.command()
def show(prompt: Annotated[str, typer.Argument(help="NAME for the newest version, or NAME/vN.")]) -> None:
    """Print a prompt's file as it is."""
    try:
        found = _load(prompt)
    except PromptError as error:
        _fail(error)
    _print(found.raw.decode("utf-8"), "markdown")


@prompts_app.command()
def diff(
    name: Annotated[str, typer.Argument(help="The prompt's name.")],
    old: Annotated[str, typer.Argument(help="A version, such as v1.")],
    new: Annotated[str, typer.Argument(help="Another version, such as v2.")],
) -> None:
    """Print what changed from one version to another, as a unified diff."""
    import difflib  # noqa: PLC0415

    from prompts.registry import Registry  # noqa: PLC0415

    try:
        registry = Registry()
        one, other = (registry.load(name, _number(version)) for version in (old, new))
    except PromptError as error:
        _fail(error)
    lines = difflib.unified_diff(
        one.raw.decode("utf-8").splitlines(), other.raw.decode("utf-8").splitlines(), one.id, other.id, lineterm=""
    )
    _print("\n".join(lines) + "\n" if one.raw != other.raw else "", "diff")


def _table(rows: list[tuple[Prompt, str]]) -> Table:
    from rich.table import Table  # noqa: PLC0415

    table = Table("version", "hash", "standing", "purpose", "changelog", box=None, pad_edge=False)
    for prompt, state in rows:
        shown = f"[{_STYLES[state]}]{state}[/]"
        table.add_row(prompt.id, prompt.hash, shown, _plain(prompt.purpose), _plain(prompt.changelog))
    return table


def _plain(text: str) -> str:
    return text.replace("[", "\\[")


def _load(specified: str) -> Prompt:
    from prompts.registry import Registry  # noqa: PLC0415

    found = _SPECIFIED.fullmatch(specified)
    if found is None:
        raise PromptError(f"{specified!r} is not a prompt; write NAME or NAME/vN, such as answer/v1")
    return Registry().load(found[1], int(found[2]) if found[2] else None)


def _number(version: str) -> int:
    found = _VERSION.fullmatch(version)
    if found is None:
        raise PromptError(f"{version!r} is not a version; write v1 or 1")
    return int(found[1])


def _print(text: str, language: str) -> None:
    """In colours in a terminal; elsewhere exactly the text, so that it can be piped."""
    from rich.console import Console  # noqa: PLC0415
    from rich.syntax import Syntax  # noqa: PLC0415

    out = Console(soft_wrap=True)
    if out.is_terminal:
        out.print(Syntax(text, language, background_color="default", word_wrap=True))
    else:
        typer.echo(text, nl=False)


def _fail(error: PromptError) -> NoReturn:
    typer.echo(f"error: {error}", err=True)
    raise typer.Exit(2)
