"""A Qdrant server that does not answer, answers with errors, or answers half: named errors, and nothing half done."""

from __future__ import annotations

import inspect
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import respx
from qdrant_client import AsyncQdrantClient
from qdrant_client.common import client_exceptions
from qdrant_client.http import exceptions

from service.adapters.qdrant_index import QdrantIndex
from service.adapters.qdrant_store import QdrantStore, reaching
from service.domain import SearchFilter
from service.errors import IndexBusy, IndexCorrupted, IndexMissing, IndexUnreachable, IngestFailed

from ..fakes.qdrant_server import URL, Fault, QdrantServer
from ..fakes.vectors import vector_of
from .corpus import FINGERPRINT, FIRST, SECOND, Corpus, publish

ALIAS = "chapters"
OLD, NEW = f"{ALIAS}_{FIRST}", f"{ALIAS}_{SECOND}"

TIMEOUT = httpx.ReadTimeout("timed out")
FAULTS: dict[str, tuple[Fault, str]] = {
    "timeout": (TIMEOUT, "did not answer"),
    "refused": (httpx.ConnectError("Connection refused"), "did not answer"),
    "cut": (httpx.RemoteProtocolError("peer closed connection"), "did not answer"),
    "unavailable": (httpx.Response(503, text="overloaded"), "answered 503"),
    "gateway": (httpx.Response(502, html="<html>Bad gateway"), "answered 502"),
    "limited": (httpx.Response(429, headers={"Retry-After": "1"}), "answered 429"),
    "limited, until a date": (httpx.Response(429, headers={"Retry-After": "Sun, 22 Nov 2026"}), "did not answer"),
    "key": (httpx.Response(401), "QDRANT_API_KEY"),
    "another server": (httpx.Response(200, json={"hello": "world"}), "did not answer"),
}
every_fault = pytest.mark.parametrize(("fault", "said"), FAULTS.values(), ids=FAULTS)


@pytest.fixture
def server() -> Iterator[QdrantServer]:
    """A healthy server."""
    fake = QdrantServer()
    with respx.mock(assert_all_called=False) as router:
        fake.install(router)
        yield fake


@pytest_asyncio.fixture
async def client(server: QdrantServer) -> AsyncIterator[AsyncQdrantClient]:
    """A client of that server."""
    made = AsyncQdrantClient(url=URL, timeout=1, check_compatibility=False, verify=False)  # nor certificates to load
    yield made
    await made.close()


@pytest.fixture
def store(client: AsyncQdrantClient, tmp_path: Path) -> QdrantStore:
    """A store on that server."""
    return QdrantStore(client, ALIAS, tmp_path)


@pytest_asyncio.fixture
async def serving(store: QdrantStore, few: Corpus) -> QdrantStore:
    """The store, with a first generation of a few chunks."""
    await publish(store, few, few.generation(FIRST), batches=1)
    return store


@pytest.fixture
def index(client: AsyncQdrantClient) -> QdrantIndex:
    """A reader of that server."""
    return QdrantIndex(client, ALIAS, FINGERPRINT)


@pytest.fixture(scope="module")
def few(corpus: Corpus) -> Corpus:
    """A chapter and a few chunks."""
    return Corpus(corpus.chapters[:1], corpus.chunks[:12])


async def write_second(store: QdrantStore, corpus: Corpus) -> None:
    """Publish a second generation, in two batches."""
    await publish(store, corpus, corpus.generation(SECOND))


def assert_first_serves(server: QdrantServer) -> None:
    """The alias stands where it stood, and nothing of the second generation is left."""
    assert server.aliases == {ALIAS: OLD}
    assert set(server.collections) == {OLD}


async def test_a_healthy_server_is_switched_in_one_request(
    server: QdrantServer, serving: QdrantStore, few: Corpus
) -> None:
    """The alias moves by a single request that both removes and sets it, and the old collection is dropped after."""
    switches: list[Any] = []

    def watch(request: httpx.Request) -> httpx.Response:
        switches.append(json.loads(request.content)["actions"])
        assert set(server.collections) == {OLD, NEW}
        return server.perform(request)

    server.forever["update_aliases"] = watch
    await write_second(serving, few)
    assert [[*action] for action in switches[0]] == [["delete_alias"], ["create_alias"]]
    assert len(switches) == 1
    assert server.aliases == {ALIAS: NEW}
    assert set(server.collections) == {NEW}


Read = Callable[[QdrantIndex], Awaitable[object]]
READS: dict[str, tuple[str, Read]] = {
    "search": ("query", lambda index: index.search("motor", vector_of("motor"), 3, SearchFilter())),
    "chunks": ("retrieve", lambda index: index.search("motor", vector_of("motor"), 3, SearchFilter())),
    "chapters": ("scroll", lambda index: index.chapters()),
    "section": ("scroll", lambda index: index.section("any.md", "any")),
    "chapter": ("retrieve", lambda index: index.chapter("any.md")),
    "refresh": ("get_aliases", lambda index: index.refresh()),
}


@every_fault
@pytest.mark.parametrize(("operation", "read"), READS.values(), ids=READS)
async def test_a_reader_names_a_server_that_fails(
    server: QdrantServer,
    serving: QdrantStore,
    index: QdrantIndex,
    operation: str,
    read: Read,
    fault: Fault,
    said: str,
) -> None:
    """Whatever is read and whatever goes wrong, the error is `IndexUnreachable`, in one line; afterwards it works."""
    await index.generation()
    server.faults[operation].append(fault)
    with pytest.raises(IndexUnreachable, match=said) as raised:
        await read(index)
    assert "\n" not in str(raised.value)
    await read(index)


@every_fault
@pytest.mark.parametrize("operation", ["get_aliases", "retrieve", "count"])
async def test_an_index_that_cannot_be_opened_is_opened_at_the_next_call(
    server: QdrantServer, serving: QdrantStore, index: QdrantIndex, operation: str, fault: Fault, said: str
) -> None:
    """A fault while opening is named and not remembered."""
    server.faults[operation].append(fault)
    with pytest.raises(IndexUnreachable, match=said):
        await index.generation()
    assert (await index.generation()).id == FIRST


@every_fault
async def test_a_store_names_a_server_that_fails(
    server: QdrantServer, serving: QdrantStore, fault: Fault, said: str
) -> None:
    """Reading the current generation before an ingest fails with the same error."""
    server.faults["get_aliases"].append(fault)
    with pytest.raises(IndexUnreachable, match=said):
        await serving.current()


async def test_fewer_answers_than_queries_are_an_error(
    server: QdrantServer, serving: QdrantStore, index: QdrantIndex
) -> None:
    """Half an answer is not taken for a whole one."""

    def half(request: httpx.Request) -> httpx.Response:
        answer = server.perform(request).json()
        return httpx.Response(200, json=answer | {"result": answer["result"][:2]})

    server.faults["query"].append(half)
    with pytest.raises(IndexUnreachable, match="answered 2 of 3 queries"):
        await index.search("motor", vector_of("motor"), 3, SearchFilter())


@pytest.mark.parametrize("fault", [FAULTS["timeout"][0], FAULTS["unavailable"][0], FAULTS["limited"][0]])
async def test_a_batch_is_written_again_after_a_passing_fault(
    server: QdrantServer, serving: QdrantStore, few: Corpus, fault: Fault
) -> None:
    """Two faults in a row do not end an ingest."""
    server.faults["upsert"].extend([fault, fault])
    await write_second(serving, few)
    assert server.aliases == {ALIAS: NEW}
    assert (await serving.current()) == few.generation(SECOND)


async def test_half_a_batch_is_completed_by_writing_it_again(
    server: QdrantServer, serving: QdrantStore, few: Corpus
) -> None:
    """A batch of which half arrived before the error is written whole, and nothing stands in the index twice."""

    def half(request: httpx.Request) -> httpx.Response:
        points = json.loads(request.content)["points"]
        written = {point["id"]: point["payload"] for point in points[: len(points) // 2]}
        server.collections[NEW].update(written)
        return httpx.Response(500, text="disk full")

    server.faults["upsert"].append(half)
    await write_second(serving, few)
    chunks = [payload for payload in server.collections[NEW].values() if payload["kind"] == "chunk"]
    assert len(chunks) == len(few.chunks)


@pytest.mark.parametrize("operation", ["create", "create_index", "upsert", "count", "update_aliases"])
@pytest.mark.parametrize("fault", [FAULTS["timeout"][0], FAULTS["unavailable"][0]], ids=["timeout", "unavailable"])
async def test_an_ingest_that_cannot_go_on_fails_and_the_old_generation_serves(
    server: QdrantServer, serving: QdrantStore, few: Corpus, operation: str, fault: Fault
) -> None:
    """At every step a fault that stays is `IngestFailed`; the alias is where it was."""
    server.forever[operation] = fault
    with pytest.raises(IngestFailed, match=r"^Qdrant .*; the old generation still serves$"):
        await write_second(serving, few)
    assert server.aliases == {ALIAS: OLD}
    assert OLD in server.collections
    if not (operation == "update_aliases" and fault is TIMEOUT):
        assert_first_serves(server)


async def test_an_upsert_is_tried_three_times(server: QdrantServer, serving: QdrantStore, few: Corpus) -> None:
    """A server that stays away is given up after three attempts, not at once and not never."""
    server.calls.clear()
    server.forever["upsert"] = TIMEOUT
    with pytest.raises(IngestFailed):
        await write_second(serving, few)
    assert server.calls["upsert"] == 3


async def test_a_refused_switch_drops_the_new_collection(
    server: QdrantServer, serving: QdrantStore, few: Corpus
) -> None:
    """A server that says no to the alias keeps the old one, and the collection that nobody wants is dropped."""
    server.forever["update_aliases"] = httpx.Response(400, json={"status": {"error": "Wrong input"}})
    with pytest.raises(IngestFailed, match=r"answered 400 while switching the alias; .*still serves"):
        await write_second(serving, few)
    assert_first_serves(server)


async def test_a_switch_whose_answer_is_lost_counts(server: QdrantServer, serving: QdrantStore, few: Corpus) -> None:
    """The alias moved but the answer did not come: the new collection serves, so it must not be dropped."""

    def switch_and_fall_silent(request: httpx.Request) -> httpx.Response:
        server.perform(request)
        raise TIMEOUT

    server.faults["update_aliases"].append(switch_and_fall_silent)
    await write_second(serving, few)
    assert server.aliases == {ALIAS: NEW}
    assert set(server.collections) == {NEW}


async def test_a_switch_of_unknown_outcome_leaves_both_collections(
    server: QdrantServer, serving: QdrantStore, few: Corpus
) -> None:
    """Where nobody can say which collection serves, neither is dropped; the next ingest tidies up."""

    def switch_and_go_away(request: httpx.Request) -> httpx.Response:
        server.perform(request)
        server.faults["get_aliases"].append(TIMEOUT)
        raise TIMEOUT

    server.faults["update_aliases"].append(switch_and_go_away)
    with pytest.raises(IngestFailed):
        await write_second(serving, few)
    assert set(server.collections) == {OLD, NEW}
    third = "20261103T120000-cccccc"
    await publish(serving, few, few.generation(third))
    assert set(server.collections) == {f"{ALIAS}_{third}"}


async def test_old_collections_that_cannot_be_dropped_do_not_fail_the_ingest(
    server: QdrantServer, serving: QdrantStore, few: Corpus
) -> None:
    """The new generation serves; what is left over is dropped by the next ingest."""
    server.faults["delete"].append(FAULTS["unavailable"][0])
    await write_second(serving, few)
    assert server.aliases == {ALIAS: NEW}
    assert set(server.collections) == {OLD, NEW}


async def test_collections_of_others_are_left_alone(server: QdrantServer, serving: QdrantStore, few: Corpus) -> None:
    """Only this alias's own generations are dropped, not another alias's or anybody's that begin with its name."""
    others = {f"{ALIAS}_staging_{FIRST}", f"{ALIAS}_backup", f"{ALIAS}", "elsewhere"}
    server.collections.update({name: {} for name in others})
    await write_second(serving, few)
    assert set(server.collections) == {NEW} | others


async def test_an_unfinished_collection_that_cannot_be_dropped_hides_no_error(
    server: QdrantServer, serving: QdrantStore, few: Corpus
) -> None:
    """The first error is the one that is reported."""
    server.forever |= {"upsert": TIMEOUT, "delete": TIMEOUT}
    with pytest.raises(IngestFailed, match="while writing points"):
        await write_second(serving, few)


async def test_a_reader_of_a_dropped_generation_moves_on(
    server: QdrantServer, serving: QdrantStore, index: QdrantIndex, few: Corpus
) -> None:
    """An ingest drops the collection under an open reader: its next call is answered by the new one."""
    assert (await index.generation()).id == FIRST
    await write_second(serving, few)
    hits = await index.search("motor", vector_of("motor"), 3, SearchFilter())
    assert len(hits) == 3
    assert (await index.generation()).id == SECOND


async def test_a_generation_dropped_while_it_is_opened_is_not_missed(
    server: QdrantServer, serving: QdrantStore, index: QdrantIndex
) -> None:
    """The alias is read, the collection goes, and the reader looks again."""

    def too_late(request: httpx.Request) -> httpx.Response:
        server.collections[NEW] = dict(server.collections[OLD])
        server.aliases[ALIAS] = NEW
        del server.collections[OLD]
        return server.perform(request)

    server.faults["retrieve"].append(too_late)
    assert (await index.generation()).id == FIRST  # what the copied manifest says
    assert await index.refresh() is False


async def test_an_alias_that_is_gone_is_a_missing_index(
    server: QdrantServer, serving: QdrantStore, index: QdrantIndex
) -> None:
    """Somebody deleted the collection: the reader says what to do."""
    await index.generation()
    server.collections.clear()
    server.aliases.clear()
    with pytest.raises(IndexMissing, match="run `mastery ingest`"):
        await index.search("motor", vector_of("motor"), 3, SearchFilter())


@pytest.mark.parametrize("lost", ["a chunk", "the statistics", "the manifest", "the manifest's text"])
async def test_a_collection_that_lost_points_is_not_served(
    server: QdrantServer, serving: QdrantStore, index: QdrantIndex, lost: str
) -> None:
    """What is not whole is refused with the command that rebuilds it."""
    points = server.collections[OLD]
    kind = {"a chunk": "chunk", "the statistics": "statistics"}.get(lost, "manifest")
    gone = next(id_ for id_, payload in points.items() if payload["kind"] == kind)
    if lost == "the manifest's text":
        points[gone] = {"kind": "manifest", "generation": '{"id": 1'}
    else:
        del points[gone]
    with pytest.raises(IndexCorrupted, match="run `mastery ingest --rebuild`"):
        await index.generation()


async def test_a_second_ingest_on_this_machine_is_refused(store: QdrantStore, client: AsyncQdrantClient) -> None:
    """The lock is one an alias, whoever asks for it."""
    with store.lock(), pytest.raises(IndexBusy, match="another ingest is running"):
        store.lock().__enter__()
    with store.lock():
        pass


async def test_every_error_of_the_vendor_is_translated() -> None:
    """A class of exception that a later qdrant-client adds must be added here, and be translated."""
    made: dict[type[Exception], Exception] = {
        exceptions.ApiException: exceptions.ApiException(),
        exceptions.UnexpectedResponse: exceptions.UnexpectedResponse(500, "no", b"", httpx.Headers()),
        exceptions.ResponseHandlingException: exceptions.ResponseHandlingException(ValueError()),
        client_exceptions.QdrantException: client_exceptions.QdrantException(),
        client_exceptions.ResourceExhaustedResponse: client_exceptions.ResourceExhaustedResponse("", 1),
    }
    theirs = {
        kind
        for module in (exceptions, client_exceptions)
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Exception)
    }
    assert theirs == made.keys()
    for error in made.values():
        with pytest.raises(IndexUnreachable):
            async with reaching("testing"):
                raise error


async def test_a_count_that_differs_fails_before_the_switch(
    server: QdrantServer, serving: QdrantStore, few: Corpus
) -> None:
    """A server that lost points on the way is noticed."""
    wrong = replace(few.generation(SECOND), chunks=13)
    with pytest.raises(IngestFailed, match="holds 12 chunks instead of 13"):
        await publish(serving, few, wrong)
    assert_first_serves(server)
