"""A Qdrant server's REST interface, as far as the adapter uses it, that fails when a test says so.

It keeps collections, points (payloads only) and aliases. It does not search: every query finds the first points.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from typing import Any

import httpx
import respx

URL = "http://qdrant.test:6333"

Fault = Exception | httpx.Response | Callable[[httpx.Request], httpx.Response]
"""What happens instead of an answer: none comes, or this one, or one that depends on the request."""

_OPERATIONS = {
    "get_aliases": "GET /aliases",
    "get_collections": "GET /collections",
    "update_aliases": "POST /collections/aliases",
    "create": "PUT /collections/([^/]+)",
    "delete": "DELETE /collections/([^/]+)",
    "create_index": "PUT /collections/([^/]+)/index",
    "upsert": "PUT /collections/([^/]+)/points",
    "retrieve": "POST /collections/([^/]+)/points",
    "count": "POST /collections/([^/]+)/points/count",
    "scroll": "POST /collections/([^/]+)/points/scroll",
    "query": "POST /collections/([^/]+)/points/query/batch",
}


class QdrantServer:
    """`faults` are what goes wrong with the next calls of an operation, `forever` what goes wrong with all of them."""

    def __init__(self) -> None:
        self.collections: dict[str, dict[str, dict[str, Any]]] = {}
        self.aliases: dict[str, str] = {}
        self.calls: Counter[str] = Counter()
        self.faults: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self.forever: dict[str, Fault] = {}

    def install(self, router: respx.Router) -> None:
        """Answer all requests to the server's address."""
        router.route(url__startswith=URL).mock(side_effect=self._answer)

    def perform(self, request: httpx.Request) -> httpx.Response:
        """What a healthy server does."""
        operation, collection = _parsed(request)
        if collection and operation != "create" and collection not in self.collections:
            return httpx.Response(404, json={"status": {"error": f"Not found: Collection `{collection}`"}})
        result = getattr(self, f"_{operation}")(collection, json.loads(request.content or b"{}"))
        return httpx.Response(200, json={"result": result, "status": "ok", "time": 0.001})

    def _answer(self, request: httpx.Request) -> httpx.Response:
        operation, _ = _parsed(request)
        self.calls[operation] += 1
        queue = self.faults[operation]
        fault = queue.popleft() if queue else self.forever.get(operation, self.perform)
        if isinstance(fault, Exception):
            raise fault
        return fault if isinstance(fault, httpx.Response) else fault(request)

    def _get_aliases(self, _: str, __: Any) -> Any:
        pairs = [{"alias_name": alias, "collection_name": name} for alias, name in self.aliases.items()]
        return {"aliases": pairs}

    def _get_collections(self, _: str, __: Any) -> Any:
        return {"collections": [{"name": name} for name in self.collections]}

    def _update_aliases(self, _: str, body: Any) -> Any:
        for action in body["actions"]:
            if "delete_alias" in action:
                del self.aliases[action["delete_alias"]["alias_name"]]
            else:
                self.aliases[action["create_alias"]["alias_name"]] = action["create_alias"]["collection_name"]
        return True

    def _create(self, name: str, _: Any) -> Any:
        self.collections[name] = {}
        return True

    def _delete(self, name: str, _: Any) -> Any:
        del self.collections[name]
        self.aliases = {alias: target for alias, target in self.aliases.items() if target != name}
        return True

    def _create_index(self, _: str, __: Any) -> Any:
        return {"operation_id": 1, "status": "completed"}

    def _upsert(self, name: str, body: Any) -> Any:
        self.collections[name].update({point["id"]: point["payload"] for point in body["points"]})
        return {"operation_id": 2, "status": "completed"}

    def _retrieve(self, name: str, body: Any) -> Any:
        points = self.collections[name]
        return [{"id": id_, "payload": points[id_]} for id_ in body["ids"] if id_ in points]

    def _count(self, name: str, body: Any) -> Any:
        return {"count": len(self._matching(name, body["filter"]))}

    def _scroll(self, name: str, body: Any) -> Any:
        found = self._matching(name, body["filter"])
        return {"points": [{"id": id_, "payload": self.collections[name][id_]} for id_ in found]}

    def _query(self, name: str, body: Any) -> Any:
        answers = []
        for query in body["searches"]:
            found = self._matching(name, query.get("filter") or query["prefetch"][0]["filter"])[: query["limit"]]
            answers.append({"points": [{"id": id_, "version": 1, "score": 1 / n} for n, id_ in enumerate(found, 1)]})
        return answers

    def _matching(self, name: str, where: Any) -> list[str]:
        """Ids of the points whose payload has the values that the filter names; other conditions are not known."""
        wanted = {condition["key"]: condition["match"]["value"] for condition in where["must"]}
        return [id_ for id_, payload in self.collections[name].items() if wanted.items() <= payload.items()]


def _parsed(request: httpx.Request) -> tuple[str, str]:
    """The operation and the collection that a request is about."""
    line = f"{request.method} {request.url.path}"
    for operation, pattern in _OPERATIONS.items():
        if found := re.fullmatch(pattern, line):
            return operation, found[1] if found.groups() else ""
    raise AssertionError(f"the adapter sent something that the fake does not know: {line}")
