"""A process that ingests on demand: it imports once, and forks a process group of its own for every request.

Each line of its input is a request, a JSON object with `data` (where the index is kept), `folder` (the chapters) and
perhaps `rebuild`, `file_limit` (bytes a file may grow to) and `limit_from` (`start` or `publish`). Each fork says
`started` with its process id, and `ended` with what became of it; the parent says `gone` when it is no more.
Everything is real but the embedding model.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from ingest.pipeline import Pipeline
from service.adapters.bm25 import Bm25
from service.adapters.edge_store import EdgeStore
from service.adapters.vector_cache import CachedEmbedder
from service.domain import Fingerprint
from service.errors import MasteryError

from ..fakes.vectors import WordVectors

FINGERPRINT = Fingerprint(WordVectors().fingerprint, chunker=1, schema=1)


class LimitAtPublish:
    """The pipeline's `Progress`: limits this process's files as soon as its child has the whole of this small index."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._building = False

    def step(self, name: str, total: int) -> None:
        """Which step it is."""
        self._building = name == "Building the index"

    def advance(self, count: int = 1) -> None:
        """Called after every batch, of which this small index has one."""
        if self._limit is not None and self._building:
            limit_files(self._limit)

    def estimate(self, chunks: int, tokens: int, cost: Decimal | None) -> None:
        """Nothing to show."""


def serve() -> None:
    """Read requests until the input ends."""
    import ingest.node_parser  # noqa: F401, PLC0415 - 1.1 s, that the forks then do not need

    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            os.setsid()
            _say(started=os.getpid())
            _say(ended=_ingest(request))
            os._exit(0)
        os.waitpid(child, 0)
        _say(gone=child)


def limit_files(limit: int) -> None:
    """No file of this process may grow beyond so many bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))


def _ingest(request: dict[str, Any]) -> dict[str, Any]:
    limit = request.get("file_limit")
    if limit is not None and request["limit_from"] == "start":
        limit_files(limit)
    try:
        return {"report": asyncio.run(_run(request, limit if request.get("limit_from") == "publish" else None))}
    except MasteryError as error:
        return {"error": str(error), "code": error.code}


async def _run(request: dict[str, Any], limit: int | None) -> dict[str, Any]:
    data = Path(request["data"])
    embedder = CachedEmbedder(WordVectors(), data / "vectors.sqlite")
    try:
        pipeline = Pipeline(EdgeStore(data / "index"), embedder, Bm25(), FINGERPRINT, LimitAtPublish(limit))
        report = await pipeline.run(Path(request["folder"]), rebuild=request.get("rebuild", False))
        return report.as_json()
    finally:
        await embedder.close()


def _say(**what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()
