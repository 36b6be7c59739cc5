"""A made-up chapter that keeps every rule, for tests that break it in one place."""

from __future__ import annotations

from ingest.sources import Source
from service.domain import Chapter

from .library import Library, library_of

PATH = "01_introduction/async_vs_sync_backends.md"
NEIGHBOUR = "01_introduction/core_concepts_deep_dive.md"
SENTENCE = "The sample service number {n} keeps its own settings, its own clients and its own pool of connections. "
FRONT = """\
---
title: Async vs Sync Backends
section: 01 - Introduction
level: intermediate
summary: Choose between threads and coroutines for a service.
tags: [async, event-loop]
prerequisites: [01_introduction/core_concepts_deep_dive.md]
versions: {fastapi: "0.165"}
questions:
  - Why one?
  - Why two?
  - Why three?
  - Why four?
  - Why five?
  - Why six?
---
"""
BODY = """\
# Async vs Sync Backends

An answer to the main question.

{sections}

## Code

{code}

## When it goes wrong

### RuntimeError: one

The cause is one thing.

### RuntimeError: two

The cause is another thing.

### RuntimeError: three

The cause is a third thing.

### RuntimeError: four

The cause is a fourth thing.

## Trade-offs

| Option | Choose it when |
|---|---|
| Threads | the driver blocks |

## In an interview

Say what waits and what computes.

## See also

- [Core Concepts](core_concepts_deep_dive.md#code): where the words come from.
- [FastAPI](https://fastapi.tiangolo.com/async/)
"""


def parts() -> str:
    """About 1,300 words, in sections of 170."""
    return "\n\n".join(
        f"## Part {part}\n\n" + "".join(SENTENCE.format(n=f"{part}{n}") for n in range(10)) for part in range(8)
    )


def good(code: str = "```python\nx = 1\n```") -> str:
    """A chapter that keeps every rule."""
    return FRONT + BODY.format(sections=parts(), code=code)


def chapter_of(text: str, path: str = PATH) -> Chapter:
    """Text as the chapter at a path."""
    return library_of([Source(path, text, "")]).chapters[path]


def with_code(code: str) -> Chapter:
    """The good chapter with this code in it."""
    return chapter_of(good(code))


def asked(**more: tuple[str, ...]) -> Chapter:
    """The good chapter with questions for each of its sections; `more` replaces those of one, by its anchor."""
    given = {heading.anchor: (f"Why {heading.text}?", heading.text.lower()) for heading in chapter_of(good()).headings}
    given |= {"code": chapter_of(good()).questions, "see-also": ()}
    given |= {anchor.replace("_", "-"): questions for anchor, questions in more.items()}
    return library_of([Source(PATH, good(), "", given)]).chapters[PATH]


def library(first: str, second: str | None = None) -> Library:
    """A book of the chapter and its neighbour, which shares nothing with it by default."""
    other = second or FRONT.replace("Why", "How").replace("[01_introduction/core_concepts_deep_dive.md]", "[]")
    body = "" if second else "# Core Concepts Deep Dive\n\nAn opening.\n\n## Code\n\nSome code.\n"
    return library_of([Source(PATH, first, ""), Source(NEIGHBOUR, other + body, "")])
