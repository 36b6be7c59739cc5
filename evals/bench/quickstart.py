"""LlamaIndex's own quick start on the same chapters with the same embedding model, in the same run.

Its parts are put together by hand: `VectorStoreIndex` of llama-index-core 0.14.25 fails in its document store here.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llama_index.core import SimpleDirectoryReader
from llama_index.core.embeddings import BaseEmbedding
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.vector_stores import SimpleVectorStore, VectorStoreQuery
from pydantic import PrivateAttr

from evals.bench.clock import Spread, figure, timed
from service.adapters.local_embedder import LocalEmbedder
from service.settings import BUNDLED_MODEL


class BundledEmbedding(BaseEmbedding):
    """The bundled model behind LlamaIndex's interface."""

    _model: LocalEmbedder = PrivateAttr()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(model_name="all-MiniLM-L6-v2", embed_batch_size=8, **kwargs)
        self._model = LocalEmbedder(BUNDLED_MODEL)

    def _get_query_embedding(self, query: str) -> list[float]:
        return [float(value) for value in self._model.embed([query])[0]]

    def _get_text_embedding(self, text: str) -> list[float]:
        return [float(value) for value in self._model.embed([text])[0]]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return [[float(value) for value in row] for row in self._model.embed(texts)]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)


def measure(chapters: Path, questions: Sequence[str], ours_ms: float) -> None:
    """Print the quick start's figures and ours beside them."""
    started = time.perf_counter()
    documents = SimpleDirectoryReader(str(chapters), recursive=True, required_exts=[".md"]).load_data()
    model = BundledEmbedding()
    nodes = IngestionPipeline(transformations=[SentenceSplitter(), model]).run(documents=documents)
    store = SimpleVectorStore()
    store.add(nodes)
    seconds = time.perf_counter() - started
    samples: list[float] = []
    for question in questions:
        with timed(samples):
            vector = model.get_query_embedding(question)
            store.query(VectorStoreQuery(query_embedding=vector, similarity_top_k=10))
    spread = Spread(samples)
    figure("LlamaIndex quick start: ingest, in memory", f"{seconds:.1f} s for {len(documents)} documents")
    figure("LlamaIndex quick start: retrieve, in process", str(spread))
    figure("their retrieve / our search through HTTP", f"{spread.percentile(0.5) / ours_ms:.1f}")
