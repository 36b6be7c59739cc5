"""Answers and compositions for the golden questions on the plain chapters, made once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest_asyncio

from evals import golden
from prompts.registry import Registry
from service.adapters.bm25 import Bm25
from service.adapters.edge_index import EdgeIndex
from service.adapters.edge_store import EdgeStore
from service.adapters.local_embedder import LocalEmbedder
from service.answering.answerer import Answerer
from service.answering.extractive import Composition, compose
from service.answering.preparing import Limits
from service.answering.prompting import Prompting
from service.answering.retrieval import Found, Retriever
from service.domain import EVERYWHERE, Answer, Ask, Chunk
from service.parts import fingerprint_for
from service.ports import AnswerStore, ChatModel, Embedder, Terms, VectorIndex
from service.settings import BUNDLED_MODEL
from service.wiring import Service

from ..fakes.stores import MemoryAnswers
from ..small_index import settings_for

LIMITS = Limits(question_chars=100_000)


@dataclass(frozen=True)
class Parts:
    """What an answerer is made of, over the plain chapters."""

    index: VectorIndex
    embedder: Embedder
    terms: Terms

    def answerer(
        self,
        model: ChatModel | None,
        answers: AnswerStore | None = None,
        *,
        limits: Limits = LIMITS,
        prompting: Prompting | None = None,
        caching: bool = True,
    ) -> Answerer:
        """An answerer with this chat model, and a store of its own unless it is given one."""
        return Answerer(
            self.index,
            self.embedder,
            self.terms,
            model,
            answers or MemoryAnswers(),
            limits=limits,
            prompting=prompting or Prompting(Registry()),
            caching=caching,
        )


@dataclass(frozen=True)
class Composed:
    """A question's composition and what it was made from."""

    found: Found
    sections: dict[str, list[Chunk]]
    composition: Composition


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def parts(plain_data: Path) -> AsyncIterator[Parts]:
    """Index, embedder and terms over the plain chapters."""
    embedder = LocalEmbedder(BUNDLED_MODEL)
    index = EdgeIndex(EdgeStore(settings_for(plain_data).index_dir), fingerprint_for(embedder))
    yield Parts(index, embedder, Bm25())
    await index.close()
    await embedder.close()


def _questions() -> list[str]:
    return [item.question for item in golden.load(golden.FOLDER / "plain.yaml") if item.answerable]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def extracts(plain_service: Service) -> list[Answer]:
    """Extractive answers to the golden questions; the few that are refused are left out."""
    answers = [await plain_service.answerer.ask(Ask(question)) for question in _questions()]
    answered = [answer for answer in answers if answer.citations]
    assert len(answered) > 0.7 * len(answers)
    return answered


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def composed(parts: Parts) -> list[Composed]:
    """Compositions for the golden questions."""
    retriever = Retriever(parts.index, parts.embedder, parts.terms)
    made = []
    for question in _questions():
        found = await retriever.find(question, EVERYWHERE)
        places = {hit.chunk.section_id: hit.chunk.chapter for hit in found.hits}
        sections = {id_: await parts.index.section(chapter, id_) for id_, chapter in places.items()}
        made.append(Composed(found, sections, compose(found, sections, parts.terms)))
    return made
