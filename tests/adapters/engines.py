"""The two engines behind the ports, told apart by nothing but how they are opened and how they are damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from qdrant_client import AsyncQdrantClient

from service.adapters.edge_index import EdgeIndex
from service.adapters.edge_store import EdgeStore
from service.adapters.qdrant_index import QdrantIndex
from service.adapters.qdrant_store import QdrantStore
from service.domain import Fingerprint, Generation
from service.ports import IndexStore, VectorIndex

from .corpus import FINGERPRINT, Corpus, publish


class Engine(Protocol):
    """Somewhere to keep generations, and readers of it."""

    store: IndexStore

    async def fill(self, corpus: Corpus, generation: Generation) -> None:
        """Publish a generation, by the shortest way there is."""

    def reader(self, expected: Fingerprint = FINGERPRINT) -> VectorIndex:
        """A reader with nothing open yet."""

    async def kept(self) -> set[str]:
        """The generations that take up room, published or not."""

    async def close(self) -> None:
        """Remove everything."""


class EdgeEngine:
    """The embedded engine in a folder."""

    def __init__(self, folder: Path, template: Path | None = None) -> None:
        self.folder = folder
        self.store = EdgeStore(folder)
        self._template = template
        self._readers: list[VectorIndex] = []

    async def fill(self, corpus: Corpus, generation: Generation) -> None:
        """Build it in the child process."""
        await publish(self.store, corpus, generation)

    def reader(self, expected: Fingerprint = FINGERPRINT) -> VectorIndex:
        """A reader of the folder."""
        self._readers.append(EdgeIndex(EdgeStore(self.folder), expected))
        return self._readers[-1]

    async def kept(self) -> set[str]:
        """The folders under `generations`."""
        return {entry.name for entry in (self.folder / "generations").glob("*")}

    async def close(self) -> None:
        """Close the readers; pytest removes the folder."""
        for reader in self._readers:
            await reader.close()


class QdrantEngine:
    """The server's adapter, on a server or on qdrant-client's local mode."""

    def __init__(self, client: AsyncQdrantClient, alias: str, lock_folder: Path) -> None:
        self.client = client
        self.alias = alias
        self.store = QdrantStore(client, alias, lock_folder)

    async def fill(self, corpus: Corpus, generation: Generation) -> None:
        """Upsert it."""
        await publish(self.store, corpus, generation)

    def reader(self, expected: Fingerprint = FINGERPRINT) -> VectorIndex:
        """A reader over the same client."""
        return QdrantIndex(self.client, self.alias, expected)

    async def kept(self) -> set[str]:
        """The collections whose names begin with the alias."""
        names = [collection.name for collection in (await self.client.get_collections()).collections]
        return {name.removeprefix(f"{self.alias}_") for name in names if name.startswith(f"{self.alias}_")}

    async def close(self) -> None:
        """Drop what was made."""
        for name in await self.kept():
            await self.client.delete_collection(f"{self.alias}_{name}")
        await self.client.close()
