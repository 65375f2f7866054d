"""Requests without a client, a clock that moves when told, and rows to send."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from vikingdb_core.effects import Timeouts
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.messages import Headers, Request, Response
from vikingdb_local.transport import LocalTransport

HASHED = "local://?embedder=hash-v1"
BOOK_FIELDS = [
    {"FieldName": "id", "FieldType": "string", "IsPrimaryKey": True},
    {"FieldName": "title", "FieldType": "text"},
    {"FieldName": "year", "FieldType": "int64"},
    {"FieldName": "price", "FieldType": "float32", "DefaultValue": 1.5},
    {"FieldName": "genre", "FieldType": "string"},
    {"FieldName": "sold", "FieldType": "bool"},
    {"FieldName": "tags", "FieldType": "list<string>"},
    {"FieldName": "pages", "FieldType": "list<int64>"},
    {"FieldName": "vec", "FieldType": "vector", "Dim": 4},
]


class Clock:
    """Seconds since 1970, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1_790_000_000.0

    def __call__(self) -> float:
        return self.seconds


class Wire:
    """Requests as bytes, answers as status, document and headers."""

    def __init__(self, transport: LocalTransport, endpoint: Endpoint) -> None:
        self.transport = transport
        self.endpoint = endpoint

    def send(
        self,
        path: str,
        body: Any = None,
        *,
        method: str = "POST",
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        payload = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        pairs = tuple((query or {}).items())
        request = Request(method, self.endpoint, path, pairs, Headers(headers or {}), payload)
        return self.transport.send(request, Timeouts(1, 1))

    def data(self, path: str, body: Any) -> tuple[int, Any]:
        """A call of the data plane: status and envelope."""
        response = self.send(f"/api/vikingdb/{path}", body)
        return response.status, json.loads(response.body)

    def act(self, action: str, body: Any) -> tuple[int, Any]:
        """A call of the control plane: status and envelope."""
        response = self.send("/", body, query={"Action": action, "Version": "2025-06-09"})
        return response.status, json.loads(response.body)

    def make(self, collection: Mapping[str, Any], index: Mapping[str, Any] | None = None) -> None:
        """Create a collection ``c`` and its index ``i``."""
        status, answer = self.act("CreateVikingdbCollection", {"CollectionName": "c", **collection})
        assert status == 200, answer
        if index is not None:
            status, answer = self.act("CreateVikingdbIndex", {"CollectionName": "c", "IndexName": "i", **index})
            assert status == 200, answer

    def result(self, path: str, **body: Any) -> Any:
        """The result of a call that has to succeed, addressed to ``c`` and ``i``."""
        status, answer = self.data(path, {"collection_name": "c", "index_name": "i", **body})
        assert (status, answer["code"]) == (200, "Success"), answer
        return answer["result"]

    def refusal(self, path: str, **body: Any) -> tuple[int, str, str]:
        """Status, code and message of a call that has to fail, addressed to ``c`` and ``i``."""
        status, answer = self.data(path, {"collection_name": "c", "index_name": "i", **body})
        assert answer["result"] is None, answer
        return status, answer["code"], answer["message"]


def book(key: str, vec: list[float] | None = None, **fields: Any) -> dict[str, Any]:
    """A row for ``books``."""
    return {"id": key, "title": "Untitled", "vec": vec or [1, 0, 0, 0], **fields}
