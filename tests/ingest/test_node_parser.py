"""Our chunker offered to LlamaIndex."""

from __future__ import annotations

from llama_index.core.node_parser import NodeParser
from llama_index.core.schema import Document, NodeRelationship

from ingest.chapters import parse
from ingest.chunking import chunk
from ingest.node_parser import ChapterNodeParser, run
from ingest.sources import Source
from ingest.token_counts import TokenCounts


def test_the_pipeline_gives_the_chunks_of_every_chapter(plain_sources: list[Source], count: TokenCounts) -> None:
    """LlamaIndex's pipeline changes nothing about the chunks or their order, and each chapter is told about."""
    chapters = [parse(source)[0] for source in plain_sources]
    done: list[None] = []
    made = run(chapters, count, lambda: done.append(None))
    assert made == [one for chapter in chapters for one in chunk(chapter, count)]
    assert len(done) == len(chapters)


def test_it_is_a_node_parser_like_any_other(plain_sources: list[Source], count: TokenCounts) -> None:
    """Nodes have the chunks' ids and embedded texts, and point to their chapter's document."""
    chapter = parse(plain_sources[0])[0]
    parser = ChapterNodeParser([chapter], count)
    assert isinstance(parser, NodeParser)
    nodes = parser.get_nodes_from_documents([Document(id_=chapter.path, text=chapter.text)])
    assert len(nodes) > 5
    for node in nodes:
        made = parser.chunk_of(node)
        assert (node.node_id, node.get_content()) == (made.id, made.embedded_text)
        assert node.relationships[NodeRelationship.SOURCE].node_id == chapter.path


def test_no_chapters_give_no_chunks(count: TokenCounts) -> None:
    """An empty list is no error."""
    assert run([], count, lambda: None) == []
