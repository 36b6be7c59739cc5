"""The library, loaded once, and one test a chapter where a test asks for a `chapter`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from ingest.token_counts import TokenCounts

from .imports import ImportResolver
from .library import Library, load

_TOKENIZER = Path(__file__).parents[2] / "models" / "all-MiniLM-L6-v2" / "tokenizer.json"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrise by chapter; the ids hold the path, so that `-k file_stem` picks a chapter."""
    if "chapter" in metafunc.fixturenames:
        chapters = load().chapters
        metafunc.parametrize("chapter", chapters.values(), ids=[path.removesuffix(".md") for path in chapters])


@pytest.fixture(scope="session")
def library() -> Library:
    """The knowledge base on disk."""
    return load()


@pytest.fixture(scope="session")
def resolver() -> Iterator[ImportResolver]:
    """The process that tries imports."""
    resolver = ImportResolver()
    yield resolver
    resolver.close()


@pytest.fixture(scope="session")
def count() -> TokenCounts:
    """The tokens of a text for the bundled embedding model, as the index counts them."""
    tokenizer = Tokenizer.from_file(str(_TOKENIZER))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return TokenCounts(
        lambda texts: [len(encoding) for encoding in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]
    )
