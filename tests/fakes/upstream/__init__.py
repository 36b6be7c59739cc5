"""A scripted provider on loopback: Chat Completions and Embeddings as OpenAI speaks them, and its own bill."""

from __future__ import annotations

from .billing import Billed
from .provider import Provider
from .reply import Reply, Script, always, by_chance, in_turn, named
from .server import running

__all__ = ["Billed", "Provider", "Reply", "Script", "always", "by_chance", "in_turn", "named", "running"]
