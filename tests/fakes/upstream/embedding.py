"""Embeddings without a model: each word points somewhere, and a text is the sum of its words."""

from __future__ import annotations

import base64
import re
import zlib
from typing import Any

import numpy as np

SIZES = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072}


def embedded(body: dict[str, Any], used: int) -> dict[str, Any]:
    """The response to a request."""
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    size = body.get("dimensions") or SIZES.get(body["model"], 64)
    rows = [
        {"object": "embedding", "index": index, "embedding": _encoded(_vector(text, size), body.get("encoding_format"))}
        for index, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": used, "total_tokens": used}
    return {"object": "list", "model": body["model"], "data": rows, "usage": usage}


def _vector(text: str, size: int) -> np.ndarray:
    vector = np.zeros(size, dtype=np.float32)
    vector[0] = 0.01
    for word in re.findall(r"\w+", text.lower()):
        vector[zlib.crc32(word.encode()) % size] += 1
    return vector / np.linalg.norm(vector)


def _encoded(vector: np.ndarray, how: str | None) -> str | list[float]:
    return base64.b64encode(vector.tobytes()).decode() if how == "base64" else vector.tolist()
