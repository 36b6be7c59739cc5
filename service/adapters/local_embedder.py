"""The bundled embedding model (all-MiniLM-L6-v2, ONNX) run by onnxruntime itself.

fastembed would load the same files, but importing it takes 0.4 s and 38 MB more, it cuts texts before their tokens can
be counted, and it keeps the memory of the largest batch for ever.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import cast

import numpy as np
import onnxruntime
from tokenizers import Encoding, Tokenizer

from service.adapters.batcher import Batcher
from service.errors import EmbeddingFailed
from service.ports import Vector, Vectors

MAX_TOKENS = 256
BATCH_TOKENS = 256
"""Of a batch, padding counted: one long text, or several short ones. More cost 25 % of the speed and all the memory."""

_GIVEN = 16  # texts handed to a thread at a time
_COUNTED = 256  # texts that the tokenizer is given at a time: it keeps all their tokens until it returns


class LocalEmbedder:
    """Embeds on the CPU, outside of the event loop."""

    def __init__(self, folder: Path, name: str = "all-MiniLM-L6-v2") -> None:
        """Read a folder with `model.onnx` and `tokenizer.json`; the model itself is loaded by the first text.

        Raises:
            EmbeddingFailed: a file is missing, or the tokenizer is damaged.
        """
        self.name = name
        self.size = 384
        try:
            self._weights = folder / "model.onnx"
            with self._weights.open("rb") as stream:
                self.fingerprint = f"{name}@{hashlib.file_digest(stream, 'sha256').hexdigest()[:16]}"
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # the vendors raise bare exceptions
            raise EmbeddingFailed(
                f"the bundled model in {folder} cannot be loaded: {error}; restore the folder"
            ) from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="embed", initializer=_let_others_go_first)
        self._batcher = Batcher(self.embed_all, self._threads)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without the model's two markers; on all cores, and without the GIL."""
        return [
            len(encoding)
            for at in range(0, len(texts), _COUNTED)
            for encoding in self._tokenizer.encode_batch_fast(texts[at : at + _COUNTED], add_special_tokens=False)
        ]

    async def embed_query(self, text: str) -> Vector:
        """The unit vector of one question; what is over 256 tokens is not read."""
        return await self._batcher.vector_of(text)

    async def embed_documents(self, texts: Sequence[str]) -> AsyncIterator[tuple[list[int], Vectors]]:
        """Batches of texts of like length, the longest first, so that little is spent on padding."""
        loop = asyncio.get_running_loop()
        order = sorted(range(len(texts)), key=lambda position: len(texts[position]), reverse=True)
        for at in range(0, len(order), _GIVEN):
            positions = order[at : at + _GIVEN]
            yield positions, await loop.run_in_executor(self._threads, self.embed_all, [texts[p] for p in positions])

    def embed_all(self, texts: Sequence[str]) -> Vectors:
        """The unit vectors of texts of like length, the longest first, in as many batches as they need."""
        if len(texts) == 1:
            return self.embed(texts)
        vectors: list[Vectors] = []
        at = 0
        while at < len(texts):
            tokens = self.count_tokens(texts[at : at + 1])[0] + 2
            room = max(1, BATCH_TOKENS // tokens)
            vectors.append(self.embed(texts[at : at + room]))
            at += room
        return np.concatenate(vectors)

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        """The loaded model: an ingest that finds nothing new never needs it."""
        try:
            return _session(self._weights)
        except Exception as error:  # the vendor raises bare exceptions
            raise EmbeddingFailed(f"the bundled model {self._weights} is damaged: {error}; restore it") from error

    def embed(self, texts: Sequence[str]) -> Vectors:
        """The unit vectors of one batch, in this thread."""
        encodings = [_cut(encoding) for encoding in self._tokenizer.encode_batch(list(texts))]
        longest = max(len(ids) for ids in encodings)
        ids = np.zeros((len(texts), longest), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(encodings):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        session = self._session
        try:
            hidden = session.run(None, inputs)[0]
        except Exception as error:  # the vendor raises bare exceptions
            raise EmbeddingFailed(f"the bundled model failed: {error}") from error
        weights = mask[:, :, None].astype(np.float32)
        pooled = (hidden * weights).sum(axis=1)
        return cast(Vectors, pooled / np.linalg.norm(pooled, axis=1, keepdims=True))

    async def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False)


def _cut(encoding: Encoding) -> list[int]:
    ids = encoding.ids
    return ids if len(ids) <= MAX_TOKENS else [*ids[: MAX_TOKENS - 1], ids[-1]]


def _let_others_go_first() -> None:
    """Linux schedules this thread, and those that the model starts in it, as what computes and isn't waited for.

    It keeps its share of the cores, but when it wakes up it does not interrupt the event loop or the engine.
    """
    if hasattr(os, "SCHED_BATCH"):
        with suppress(OSError):  # a sandbox that forbids it
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def _session(weights: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = os.cpu_count() or 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # the arena keeps the largest batch's memory for ever
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # waiting threads give their core away
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
