"""Settings -> the parts, put together. The only place that chooses an adapter."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

from service.adapters.bm25 import Bm25
from service.adapters.edge_index import EdgeIndex
from service.adapters.edge_store import EdgeStore
from service.adapters.local_embedder import LocalEmbedder
from service.adapters.points import SCHEMA_VERSION
from service.adapters.vector_cache import CachedEmbedder
from service.answering.retrieval import Retriever
from service.domain import CHUNKER_VERSION, Fingerprint
from service.ports import CachingEmbedder, Embedder, IndexStore, Terms, VectorIndex
from service.settings import BUNDLED_MODEL, Settings

SHIPPED_VECTORS = BUNDLED_MODEL / "vectors.npz"


def fingerprint_for(embedder: Embedder) -> Fingerprint:
    """What an index must have been built with to be served with this embedder."""
    return Fingerprint(embedder.fingerprint, CHUNKER_VERSION, SCHEMA_VERSION)
