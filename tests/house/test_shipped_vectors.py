"""The vectors that are shipped with the model, so that a newcomer need not compute them."""

from __future__ import annotations

import numpy as np
import pytest

from ingest.vectors import texts_of_shipped_chapters
from service.adapters.local_embedder import LocalEmbedder
from service.adapters.vector_cache import ShippedVectors, key_of
from service.settings import BUNDLED_MODEL
from service.wiring import SHIPPED_VECTORS


@pytest.fixture(scope="module")
def embedder() -> LocalEmbedder:
    return LocalEmbedder(BUNDLED_MODEL)


@pytest.fixture(scope="module")
def texts(embedder: LocalEmbedder) -> list[str]:
    return texts_of_shipped_chapters(embedder)


def test_every_text_of_the_shipped_chapters_has_a_vector(embedder: LocalEmbedder, texts: list[str]) -> None:
    """A first ingest computes nothing; `make vectors` brings the file up to date."""
    shipped = ShippedVectors(SHIPPED_VECTORS, embedder.fingerprint)
    missing = [text for text in texts if shipped.get(key_of(text)) is None]
    assert not missing, f"{len(missing)} texts have no shipped vector; run `make vectors`"


def test_a_sample_recomputed_is_the_same(embedder: LocalEmbedder, texts: list[str]) -> None:
    """The shipped vectors are the model's own, to half precision."""
    shipped = ShippedVectors(SHIPPED_VECTORS, embedder.fingerprint)
    sample = texts[:: max(1, len(texts) // 40)]
    stored = np.array([shipped.get(key_of(text)) for text in sample])
    computed = np.concatenate([embedder.embed([text]) for text in sample])
    cosines = (stored * computed).sum(axis=1) / np.linalg.norm(stored, axis=1)
    assert cosines.min() > 0.9999
