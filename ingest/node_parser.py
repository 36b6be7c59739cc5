"""Our chunker as a LlamaIndex `NodeParser`, and the `IngestionPipeline` that runs it.

The only module that imports llama_index, which takes 1.1 s and 100 MB: it is imported when chapters have changed, and
never by the serving process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.node_parser import NodeParser
from llama_index.core.schema import BaseNode, Document, NodeRelationship, TextNode
from pydantic import PrivateAttr

from ingest.chunking import chunk
from ingest.pieces import CountTokens
from service.domain import Chapter, Chunk


class ChapterNodeParser(NodeParser):
    """Cuts documents made by `document_of`; each node's `chunk` metadata is the `Chunk` itself."""

    _count: CountTokens = PrivateAttr()
    _on_chapter: Callable[[], None] = PrivateAttr()

    def __init__(self, count: CountTokens, on_chapter: Callable[[], None] = lambda: None) -> None:
        super().__init__(include_prev_next_rel=True, include_metadata=False)
        self._count = count
        self._on_chapter = on_chapter

    def _parse_nodes(self, nodes: Sequence[BaseNode], show_progress: bool = False, **kwargs: Any) -> list[BaseNode]:
        parsed: list[BaseNode] = []
        for document in nodes:
            for made in chunk(document.metadata["chapter"], self._count):
                node = TextNode(id_=made.id, text=made.embedded_text, metadata={"chunk": made})
                node.relationships[NodeRelationship.SOURCE] = document.as_related_node_info()
                parsed.append(node)
            self._on_chapter()
        return parsed


def document_of(chapter: Chapter) -> Document:
    """A chapter as a LlamaIndex document."""
    return Document(id_=chapter.path, text=chapter.text, metadata={"chapter": chapter})


def run(chapters: Sequence[Chapter], count: CountTokens, on_chapter: Callable[[], None]) -> list[Chunk]:
    """Chapters -> chunks through LlamaIndex's pipeline."""
    pipeline = IngestionPipeline(transformations=[ChapterNodeParser(count, on_chapter)], disable_cache=True)
    nodes = pipeline.run(documents=[document_of(chapter) for chapter in chapters])
    return [node.metadata["chunk"] for node in nodes]
