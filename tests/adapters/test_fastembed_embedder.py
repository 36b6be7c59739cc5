"""Other models by fastembed: what needs no download."""

from __future__ import annotations

import pytest

from service.errors import BadSetting


def test_an_unknown_model_names_the_setting() -> None:
    """A mistyped name is refused before anything is fetched."""
    from service.adapters.fastembed_embedder import FastembedEmbedder  # noqa: PLC0415 - takes 2 s

    with pytest.raises(BadSetting, match=r"MASTERY_EMBEDDING_MODEL: .*'no-such/model'.*local"):
        FastembedEmbedder("no-such/model")
