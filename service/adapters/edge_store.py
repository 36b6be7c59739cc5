"""The embedded engine, writing: generations on disk, and the pointer to the one that serves.

    index/CURRENT                    the published generation's id, replaced atomically
    index/generations/ID/            shard/ (the engine's files) and manifest.json (what it is, and a checksum a file)
    index/readers/PID-…/             one hard-linked view a reader, and beside it the reader's lock (see edge_index)

A generation is built in a child process, because Edge holds the GIL while it optimizes and a full disk may kill it.
A crash at any moment leaves CURRENT as it was; what is left over is removed by the next ingest.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import shutil
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from service.adapters import points
from service.adapters.edge_builder import Batch, Built, Finish, build
from service.adapters.lock import IngestFileLock
from service.domain import Chapter, Chunk, Generation, TermStatistics
from service.errors import IndexCorrupted, IngestFailed
from service.ports import Vectors

_BLOCK = 1 << 16
_ZEROS = bytes(_BLOCK)


@dataclass(frozen=True, slots=True)
class StoredGeneration:
    """A generation on disk; `checksums` are CRC-32 by file name relative to the shard."""

    generation: Generation
    shard: Path
    checksums: dict[str, int]

    def verify(self, folder: Path) -> None:
        """Compare every file of a copy of the shard with its checksum.

        Raises:
            IndexCorrupted: a file is missing or changed.
        """
        for name, expected in self.checksums.items():
            file = folder / name
            if not file.is_file() or checksum(file) != expected:
                raise IndexCorrupted(f"the index is damaged ({name}); run `mastery ingest --rebuild`")


class EdgeStore:
    """An `IndexStore` in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._generations = folder / "generations"
        self._pointer = folder / "CURRENT"
        self.readers = folder / "readers"

    def current_id(self) -> str | None:
        """The published generation's id, or None before the first ingest; nonsense if the file holds nonsense.

        Raises:
            IndexCorrupted: the file is there and cannot be read.
        """
        try:
            return self._pointer.read_text(errors="replace").strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise IndexCorrupted(f"{self._pointer} cannot be read ({error.strerror}); mend its permissions") from error

    async def current(self) -> Generation | None:
        """The published generation."""
        stored = await asyncio.to_thread(self.published)
        return stored.generation if stored else None

    def published(self) -> StoredGeneration | None:
        """The published generation with its files; not verified.

        Raises:
            IndexCorrupted: CURRENT points to nothing that can be read.
        """
        while (id_ := self.current_id()) is not None:
            folder = self._generations / id_
            try:
                manifest = json.loads((folder / "manifest.json").read_text())
                generation = points.parse_generation(json.dumps(manifest["generation"]))
                return StoredGeneration(generation, folder / "shard", dict(manifest["checksums"]))
            except (OSError, ValueError, KeyError, TypeError) as error:
                if self.current_id() == id_:  # else a newer one was published just now
                    raise IndexCorrupted(f"the index is damaged ({error}); run `mastery ingest --rebuild`") from error
        return None

    def lock(self) -> IngestFileLock:
        """Held while ingesting."""
        return IngestFileLock(self._folder / "ingest.lock")

    def write(self, id_: str) -> EdgeWriter:
        """Begin a new generation, after removing what earlier ones left."""
        self.remove_unpublished()
        return EdgeWriter(self, id_, self._generations / id_)

    def publish(self, id_: str) -> None:
        """Point to a generation, in one step: whoever reads CURRENT finds the old id or the new one.

        Raises:
            OSError: it could not be written; CURRENT is as it was.
        """
        pointer = self._pointer.with_suffix(".next")
        try:
            _write_durably(pointer, id_)
            pointer.replace(self._pointer)
        except OSError:
            pointer.unlink(missing_ok=True)
            raise

    def remove_unpublished(self) -> None:
        """Remove every generation but the published one. Readers keep theirs by their own links."""
        current = self.current_id()
        for folder in self._generations.glob("*"):
            if folder.name != current:
                shutil.rmtree(folder, ignore_errors=True)


class EdgeWriter:
    """A `GenerationWriter` that feeds a child process and publishes what it built.

    The child takes half a second to start: it does so while its first batch is being prepared.
    """

    def __init__(self, store: EdgeStore, id_: str, folder: Path) -> None:
        self._store = store
        self._id = id_
        self._folder = folder
        self._published = False
        self._child: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None

    async def __aenter__(self) -> Self:
        try:
            await asyncio.to_thread(self._start)
        except OSError as error:
            await self._abandon()
            raise _failed(f"its files cannot be written ({error.strerror})") from error
        return self

    def _start(self) -> None:
        shard = self._folder / "shard"
        shard.mkdir(parents=True)
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        child = context.Process(target=build, args=(theirs, str(shard)), name="build-generation", daemon=True)
        with theirs:
            child.start()
        self._child = child

    async def add(self, chunks: Sequence[Chunk], vectors: Vectors, question_vectors: Sequence[Vectors | None]) -> None:
        """Hand a batch to the child."""
        await self._ask(Batch(list(chunks), vectors, list(question_vectors)))

    async def publish(self, generation: Generation, chapters: Sequence[Chapter], statistics: TermStatistics) -> None:
        """Let the child finish, compare its count with ours, write the manifest, switch."""
        built = await self._ask(Finish(list(chapters), statistics, generation))
        if built.chunks != generation.chunks:
            raise IngestFailed(
                f"the new index holds {built.chunks} chunks instead of {generation.chunks}; the old one still serves"
            )
        try:
            await asyncio.to_thread(self._write_manifest, generation)
            # Not in a thread: Ctrl+C cannot come between the switch and the note of it, and nothing else runs here.
            self._store.publish(self._id)
        except OSError as error:
            raise _failed(f"its files cannot be written ({error.strerror})") from error
        self._published = True
        await asyncio.to_thread(self._store.remove_unpublished)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._abandon()

    async def _abandon(self) -> None:
        """End the child, and remove what was built unless it was published."""
        if self._pipe:
            self._pipe.close()
        if self._child:
            if not self._published:
                self._child.kill()  # nobody wants its work any more
            await asyncio.to_thread(self._child.join)
        if not self._published:
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def _ask(self, message: Batch | Finish) -> Built:
        reply: Any = await asyncio.to_thread(self._exchange, message)
        if isinstance(reply, str):
            raise _failed(reply)
        return cast(Built, reply)

    def _exchange(self, message: Batch | Finish) -> Any:
        assert self._pipe
        assert self._child
        try:
            self._pipe.send(message)
            return self._pipe.recv()
        except (EOFError, OSError):
            self._child.join(5)
            return f"its process ended with code {self._child.exitcode} (is the disk full?)"

    def _write_manifest(self, generation: Generation) -> None:
        shard = self._folder / "shard"
        files = sorted(file for file in shard.rglob("*") if file.is_file())
        checksums = {file.relative_to(shard).as_posix(): checksum(file) for file in files}
        manifest = {"generation": json.loads(points.dump_generation(generation)), "checksums": checksums}
        _write_durably(self._folder / "manifest.json", json.dumps(manifest))


def _failed(reason: str) -> IngestFailed:
    return IngestFailed(f"the new index could not be built: {reason}; the old one still serves")


def checksum(file: Path) -> int:
    """CRC-32 of a file's size and of its blocks that are not all zero, each with its place.

    Edge sets its files up at 4 to 32 MB each, nearly all of it holes: 200 MB that need not be read at every start.
    """
    with file.open("rb", buffering=0) as stream:
        size = os.fstat(stream.fileno()).st_size
        value = zlib.crc32(_place(size))
        for start, end in _extents(stream.fileno(), size):
            for at in range(start, end, _BLOCK):
                stream.seek(at)
                block = stream.read(_BLOCK)
                if block != _ZEROS[: len(block)]:
                    value = zlib.crc32(block, zlib.crc32(_place(at), value))
    return value


def _extents(file: int, size: int) -> Iterator[tuple[int, int]]:
    """Where a file has data, in whole blocks and in order; all of it where the system does not tell holes."""
    if not hasattr(os, "SEEK_DATA"):
        yield 0, size
        return
    at = 0
    while at < size:
        try:
            data = os.lseek(file, at, os.SEEK_DATA)
        except OSError:  # nothing but a hole is left
            return
        end = os.lseek(file, data, os.SEEK_HOLE)
        start = max(at, data // _BLOCK * _BLOCK)
        at = -(-end // _BLOCK) * _BLOCK
        yield start, at


def _place(offset: int) -> bytes:
    return offset.to_bytes(8, "little")


def _write_durably(file: Path, text: str) -> None:
    with file.open("w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
