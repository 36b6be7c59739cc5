"""Our chunker as a LlamaIndex `NodeParser`, and the `IngestionPipeline` that runs it.

The only module that imports llama_index, which takes 1.1 s and 100 MB: it is imported when chapters have changed, and
never by the serving process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.node_parser import NodeParser
from llama_index.core.schema import BaseNode, Document, NodeRelationship, TextNode
from pydantic import PrivateAttr

from ingest.chunking import chunk
from ingest.token_counts import TokenCounts
from service.domain import Chapter, Chunk


class ChapterNodeParser(NodeParser):
    """Cuts documents whose id is a chapter's path; `chunk_of` gives the `Chunk` behind a node.

    Chapters and chunks are kept beside the nodes: LlamaIndex hashes all metadata, which took longer than cutting.
    """

    _chapters: Mapping[str, Chapter] = PrivateAttr()
    _count: TokenCounts = PrivateAttr()
    _on_chapter: Callable[[], None] = PrivateAttr()
    _chunks: dict[str, Chunk] = PrivateAttr(default_factory=dict)

    def __init__(
        self, chapters: Sequence[Chapter], count: TokenCounts, on_chapter: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(include_prev_next_rel=False, include_metadata=False)
        self._chapters = {chapter.path: chapter for chapter in chapters}
        self._count = count
        self._on_chapter = on_chapter

    def chunk_of(self, node: BaseNode) -> Chunk:
        """The chunk that a node was made from."""
        return self._chunks[node.node_id]

    def _parse_nodes(self, nodes: Sequence[BaseNode], show_progress: bool = False, **kwargs: Any) -> list[BaseNode]:
        parsed: list[BaseNode] = []
        for document in nodes:
            source = document.as_related_node_info()
            for made in chunk(self._chapters[document.node_id], self._count):
                self._chunks[made.id] = made
                relationships = {NodeRelationship.SOURCE: source}
                parsed.append(TextNode(id_=made.id, text=made.embedded_text, relationships=relationships))
            self._on_chapter()
        return parsed


def run(chapters: Sequence[Chapter], count: TokenCounts, on_chapter: Callable[[], None]) -> list[Chunk]:
    """Chapters -> chunks through LlamaIndex's pipeline."""
    parser = ChapterNodeParser(chapters, count, on_chapter)
    documents = [Document(id_=chapter.path, text=chapter.text) for chapter in chapters]
    nodes = IngestionPipeline(transformations=[parser], disable_cache=True).run(documents=documents)
    return [parser.chunk_of(node) for node in nodes]
