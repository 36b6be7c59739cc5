"""Protocols for everything outside: what the inner rooms need, whoever provides it."""

from __future__ import annotations

from service.ports.chat import ChatCall, ChatModel, Message
from service.ports.embedding import CachingEmbedder, Embedder, Terms, Vector, Vectors
from service.ports.index import GenerationWriter, IndexStore, IngestLock, VectorIndex
from service.ports.state import AnswerStore, ConversationStore, GroupBy, Ledger

__all__ = [
    "AnswerStore",
    "CachingEmbedder",
    "ChatCall",
    "ChatModel",
    "ConversationStore",
    "Embedder",
    "GenerationWriter",
    "GroupBy",
    "IndexStore",
    "IngestLock",
    "Ledger",
    "Message",
    "Terms",
    "Vector",
    "VectorIndex",
    "Vectors",
]
