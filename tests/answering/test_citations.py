"""Quotes are found in passages whatever the typography, and nothing else is."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.answering.citations import chapter_url, citation, fold, resolve, stands_in

from .sections import chunks_of

PASSAGE = """The pool holds at most “five” connections; a sixth caller waits.

```python
# One client for the whole process: it is a pool
# and connects lazily.
client = AsyncClient(timeout=3.0)
```
"""


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("a  b\n\tc", "a b c"),
        ("“yes”, „ja‟", '"yes", "ja‟'),
        ("don’t ‘quote’", "don't 'quote'"),
        ("10\u00a0ms", "10 ms"),
        ("  ", ""),
    ],
)
def test_fold_evens_out_white_space_and_quotation_marks(written: str, folded: str) -> None:
    """White space of any kind becomes one space, typographic quotation marks become plain ones."""
    assert fold(written) == folded


@given(st.text())
@settings(max_examples=50)
def test_fold_twice_is_fold_once(text: str) -> None:
    """Folding what is folded changes nothing."""
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    "quote",
    [
        "a sixth caller waits",
        'The pool holds at most "five" connections',
        "The pool\n   holds at most",
        "# One client for the whole process: it is a pool",
        "One client for the whole process: it is a pool and connects lazily.",
        "client = AsyncClient(timeout=3.0)",
    ],
)
def test_a_quote_stands_in_its_passage(quote: str) -> None:
    """Other quotation marks, line breaks and missing comment marks do not keep a verbatim quote from being found."""
    assert stands_in(quote, PASSAGE)


@pytest.mark.parametrize(
    "quote",
    [
        "a seventh caller waits",
        "The pool holds five connections",
        "THE POOL HOLDS AT MOST",
        "The pool … a sixth caller waits",
        "caller waits; connects lazily",
        "",
        "pool",
        '  " "   ',
    ],
)
def test_a_quote_that_is_not_verbatim_stands_nowhere(quote: str) -> None:
    """Changed words, changed case, elisions and scraps that are too short to prove anything are no quotes."""
    assert not stands_in(quote, PASSAGE)


@given(st.data())
@settings(max_examples=60)
def test_every_stretch_of_a_passage_stands_in_it(data: st.DataObject) -> None:
    """Whatever is cut out of a passage is found in it again, also when it is wrapped at other places."""
    words = PASSAGE.split()
    start = data.draw(st.integers(0, len(words) - 3))
    stop = data.draw(st.integers(start + 3, len(words)))
    gaps = data.draw(
        st.lists(st.sampled_from([" ", "\n", "  ", "\u00a0"]), min_size=stop - start, max_size=stop - start)
    )
    quote = "".join(word + gap for word, gap in zip(words[start:stop], gaps, strict=True))
    assert stands_in(quote, PASSAGE) or len(fold(quote)) < 8


@pytest.mark.parametrize(
    ("path", "anchor", "url"),
    [
        ("06_nosql/motor.md", "step-1", "/read/06_nosql/motor#step-1"),
        ("06_nosql/motor.md", "", "/read/06_nosql/motor"),
        ("07_缓存/a b.md", "缓存-策略", "/read/07_%E7%BC%93%E5%AD%98/a%20b#%E7%BC%93%E5%AD%98-%E7%AD%96%E7%95%A5"),
        ("a/what?.md", "-heartbeats-1", "/read/a/what%3F#-heartbeats-1"),
        ('a/"><script>.md', 'x"y', "/read/a/%22%3E%3Cscript%3E#x%22y"),
        ("a/x.md.md", "", "/read/a/x.md"),
    ],
)
def test_chapter_urls_are_escaped(path: str, anchor: str, url: str) -> None:
    """Any path and any anchor, in any alphabet, become a URL that leads back to them."""
    assert chapter_url(path, anchor) == url
    shown, _, fragment = url.partition("#")
    assert unquote(shown) == f"/read/{path.removesuffix('.md')}"
    assert unquote(fragment) == anchor


CHAPTER = """# Cache tips

Text above the first section stands here.

## Keys

Give every key a version, so that a deploy can leave the old entries behind.

A key without an expiry stays for ever.

## Locks ❤️

Only one caller may fill an entry.
"""


def test_a_citation_says_where_the_quote_stands() -> None:
    """Title, heading, anchor and the lines of the block come from the chunk, not from whoever quotes."""
    keys = chunks_of(CHAPTER)[1]
    cited = citation(3, keys, "A key without an expiry stays for ever.")
    assert (cited.number, cited.title, cited.heading, cited.anchor) == (3, "Cache tips", "Keys", "keys")
    assert (cited.start_line, cited.end_line) == (9, 9)
    assert cited.url == "/read/07_caching_layer/tips#keys"


def test_known_lines_are_kept() -> None:
    """Lines that the caller knows are not looked for."""
    cited = citation(1, chunks_of(CHAPTER)[1], "Give every key a version", (7, 9))
    assert (cited.start_line, cited.end_line) == (7, 9)


def test_a_quote_is_resolved_to_its_chunk_and_lines() -> None:
    """A quote is looked for in every chunk of a passage; the lines are those of its block."""
    chunks = chunks_of(CHAPTER)
    found = resolve("Only one caller may fill an entry.", chunks)
    assert found == (chunks[-1], (13, 13))


def test_a_quote_over_two_chunks_is_resolved_to_the_whole_passage() -> None:
    """A quote that runs from one chunk into the next is cited with the lines of both."""
    chunks = chunks_of(CHAPTER)[:2]
    found = resolve("stands here. Give every key a version", chunks)
    assert found == (chunks[0], (chunks[0].start_line, chunks[1].end_line))


def test_a_quote_that_stands_nowhere_is_not_resolved() -> None:
    """Neither an invented quote nor a passage without chunks gives a place."""
    assert resolve("Redis is always faster than Postgres.", chunks_of(CHAPTER)) is None
    assert resolve("Only one caller may fill an entry.", []) is None
