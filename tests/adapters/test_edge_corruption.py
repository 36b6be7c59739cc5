"""A damaged index on disk: it is refused, with the command that rebuilds it, and never served."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.adapters.edge_index import EdgeIndex
from service.adapters.edge_store import EdgeStore, StoredGeneration, checksum
from service.domain import SearchFilter
from service.errors import IndexCorrupted

from ..fakes.vectors import vector_of
from .corpus import FINGERPRINT, FIRST, Corpus, publish

Damage = Callable[[Path], None]


def replaced(file: Path, change: Callable[[bytes], bytes]) -> None:
    """Give a file another content, without writing into the one that other tests are linked to."""
    content = change(file.read_bytes())
    file.unlink()
    file.write_bytes(content)


def flipped(content: bytes) -> bytes:
    """One bit of the data is another one, somewhere in its middle."""
    data = [at for at, byte in enumerate(content[: 1 << 16]) if byte] or [0]
    at = data[len(data) // 2]
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def stored(folder: Path) -> StoredGeneration:
    """The published generation."""
    found = EdgeStore(folder).published()
    assert found
    return found


def in_shard(pattern: str, change: Callable[[bytes], bytes]) -> Damage:
    """Damage to the first file of the shard that has this name."""
    return lambda folder: replaced(next(stored(folder).shard.rglob(pattern)), change)


def in_manifest(change: Callable[[bytes], bytes]) -> Damage:
    """Damage to the manifest."""
    return lambda folder: replaced(folder / "generations" / FIRST / "manifest.json", change)


def in_pointer(content: bytes) -> Damage:
    """CURRENT with another content."""
    return lambda folder: replaced(folder / "CURRENT", lambda _: content)


def without(content: bytes, key: str) -> bytes:
    """A manifest without one of its parts."""
    return json.dumps({name: part for name, part in json.loads(content).items() if name != key}).encode()


def fewer_chunks(content: bytes) -> bytes:
    """A manifest whose count is not that of the shard."""
    manifest = json.loads(content)
    manifest["generation"]["chunks"] -= 1
    return json.dumps(manifest).encode()


DAMAGES: dict[str, Damage] = {
    "a flipped bit in the vectors": in_shard("chunk_0.mmap", flipped),
    "a flipped bit in the texts": in_shard("payload_storage/page_0.dat", flipped),
    "a flipped bit in the ids": in_shard("*id_tracker.mappings", flipped),
    "a changed configuration": in_shard("edge_config.json", lambda content: content.replace(b"Cosine", b"Dot")),
    "a broken segment": in_shard("segment.json", lambda content: content[:-10]),
    "a truncated file": in_shard("chunk_0.mmap", lambda content: content[: len(content) // 2]),
    "a file cut by its last, empty byte": in_shard("chunk_0.mmap", lambda content: content[:-1]),
    "an empty file": in_shard("version.info", lambda _: b""),
    "a missing file": lambda folder: next(stored(folder).shard.rglob("chunk_0.mmap")).unlink(),
    "a missing segment": lambda folder: shutil.rmtree(stored(folder).shard / "segments"),
    "a missing shard": lambda folder: shutil.rmtree(stored(folder).shard),
    "a manifest cut off": in_manifest(lambda content: content[: len(content) // 2]),
    "a manifest that is a list": in_manifest(lambda _: b"[]"),
    "a manifest that is not UTF-8": in_manifest(lambda _: b"\xff\xfe{"),
    "a manifest without checksums": in_manifest(lambda content: without(content, "checksums")),
    "a manifest without a generation": in_manifest(lambda content: without(content, "generation")),
    "a manifest with another count": in_manifest(fewer_chunks),
    "a missing manifest": lambda folder: (folder / "generations" / FIRST / "manifest.json").unlink(),
    "a missing generation": lambda folder: shutil.rmtree(folder / "generations" / FIRST),
    "a pointer to nothing": in_pointer(b"20200101T000000-aaaaaa"),
    "an empty pointer": in_pointer(b""),
    "a pointer that is not text": in_pointer(b"\xff\xfe\x00\x01"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
async def test_a_damaged_index_is_not_served(linked: Path, damage: Damage) -> None:
    """Whatever is wrong with the files, neither a search nor a look at the generation works; no view is left."""
    damage(linked)
    index = EdgeIndex(EdgeStore(linked), FINGERPRINT)
    with pytest.raises(IndexCorrupted, match="run `mastery ingest --rebuild`"):
        await index.search("motor", vector_of("motor"), 5, SearchFilter())
    with pytest.raises(IndexCorrupted):
        await index.generation()
    await index.close()
    assert list((linked / "readers").glob("*")) == []


def test_every_file_of_a_generation_has_a_checksum(linked: Path) -> None:
    """No file can change unnoticed, however small."""
    found = stored(linked)
    files = {file.relative_to(found.shard).as_posix() for file in found.shard.rglob("*") if file.is_file()}
    assert found.checksums.keys() == files
    found.verify(found.shard)


@pytest.mark.parametrize("damage", ["a pointer that is not text", "a manifest cut off", "a flipped bit in the vectors"])
async def test_a_damaged_index_can_be_built_anew(linked: Path, corpus: Corpus, damage: str) -> None:
    """Writing a generation does not need the old one to be readable, and leaves nothing of it."""
    DAMAGES[damage](linked)
    few = Corpus(corpus.chapters, corpus.chunks[:10])
    fresh = few.generation("20261103T120000-cccccc")
    await publish(EdgeStore(linked), few, fresh)
    index = EdgeIndex(EdgeStore(linked), FINGERPRINT)
    assert await index.generation() == fresh
    await index.close()
    assert [entry.name for entry in (linked / "generations").iterdir()] == [fresh.id]


def test_a_pointer_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A folder stands where CURRENT should be: an error of ours says so."""
    (tmp_path / "CURRENT").mkdir()
    with pytest.raises(IndexCorrupted, match="CURRENT cannot be read"):
        EdgeStore(tmp_path).published()


def test_a_checksum_depends_on_where_the_content_stands(tmp_path: Path) -> None:
    """The same block at another place of a file of the same length is damage."""
    sums = set()
    for at in (0, 1 << 16, 1 << 17):
        file = tmp_path / str(at)
        file.write_bytes(b"")
        os.truncate(file, 1 << 18)
        with file.open("r+b") as stream:
            os.pwrite(stream.fileno(), b"vectors", at)
        sums.add(checksum(file))
    assert len(sums) == 3


@settings(max_examples=60, deadline=None)
@given(
    blocks=st.lists(st.tuples(st.integers(0, 12 << 16), st.binary(min_size=1, max_size=200)), max_size=6),
    size=st.integers(0, 12 << 16),
    data=st.data(),
)
def test_a_checksum_depends_on_content_and_not_on_holes(
    tmp_path_factory: pytest.TempPathFactory, blocks: list[tuple[int, bytes]], size: int, data: st.DataObject
) -> None:
    """A sparse file and its copy without holes have the same checksum; any changed byte or length gives another."""
    folder = tmp_path_factory.mktemp("sums")
    sparse, dense = folder / "sparse", folder / "dense"
    with sparse.open("wb") as stream:
        stream.truncate(size)
        for at, content in blocks:
            os.pwrite(stream.fileno(), content, at)
    content = sparse.read_bytes()
    dense.write_bytes(content)
    assert checksum(sparse) == checksum(dense)
    dense.write_bytes(content + b"\0")
    assert checksum(sparse) != checksum(dense)
    if content:
        at = data.draw(st.integers(0, len(content) - 1))
        dense.write_bytes(content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :])
        assert checksum(sparse) != checksum(dense)
