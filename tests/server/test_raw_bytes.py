"""Whatever bytes come in: the server answers or closes, never with a fault of its own, and no row changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.server.conftest import FIELDS
from tests.server.raw import ask, exchange, head
from tests.support.served import HASHED, Served
from vikingdb_vector import VikingDB

SERVER_SIDE = range(500, 600)
ROWS = [{"id": key, "title": f"t{key}", "vec": [key, 0, 0, 1]} for key in range(1, 6)]
READS = (
    "search/vector",
    "search/random",
    "search/scalar",
    "search/keywords",
    "search/id",
    "agg",
    "fetch_in_collection",
)
WRITES = ("upsert", "update", "delete")
ACTIONS = ("CreateVikingdbCollection", "UpdateVikingdbCollection", "CreateVikingdbIndex", "CreateVikingdbTask")

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with Served(*HASHED) as served:
        with VikingDB(endpoint=served.url) as db:
            db.admin.create_collection(collection_name="c", fields=FIELDS)
            vectors = {"index_type": "flat", "distance": "ip"}
            db.admin.create_index(collection_name="c", index_name="i", vector_index=vectors, scalar_index=["id"])
            db.collection(collection_name="c").upsert({"data": ROWS})
        yield served


@pytest.fixture(autouse=True)
def rows_are_as_they_were(server: Served) -> Iterator[None]:
    """After every test."""
    yield
    answer = ask(
        server.port,
        "/api/vikingdb/data/search/scalar",
        json.dumps({"collection_name": "c", "index_name": "i", "field": "id", "order": "asc"}).encode(),
    )
    assert [(hit["id"], hit["fields"]["title"]) for hit in answer.document["result"]["data"]] == [
        (row["id"], row["title"]) for row in ROWS
    ]


once = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@once
@given(st.binary(max_size=200))
def test_noise_is_answered_with_400_or_nothing(server: Served, noise: bytes) -> None:
    assert exchange(server.port, noise, shut=True).status in (0, 400)


@once
@given(noise=st.binary(max_size=80), place=st.sampled_from([*READS, *WRITES]))
def test_a_body_that_is_no_json_is_refused(server: Served, noise: bytes, place: str) -> None:
    answer = ask(server.port, f"/api/vikingdb/data/{place}", b"\xff" + noise)
    assert (answer.status, answer.document["code"]) == (400, "InvalidParameter")


@once
@given(body=JSON, place=st.sampled_from([*READS, *WRITES]), located=st.booleans())
def test_any_json_is_answered(server: Served, body: Any, place: str, located: bool) -> None:
    if located and isinstance(body, dict):
        body = {"collection_name": "c", "index_name": "i", **body}
    answer = ask(server.port, f"/api/vikingdb/data/{place}", json.dumps(body).encode())
    assert answer.status in (*range(200, 300), *range(400, 500))
    assert answer.document["request_id"] == answer.headers["x-tt-logid"]


@once
@given(
    body=JSON, action=st.sampled_from(ACTIONS) | st.text(max_size=10), version=st.sampled_from(["2025-06-09", "", "1"])
)
def test_any_action_is_answered(server: Served, body: Any, action: str, version: str) -> None:
    from urllib.parse import quote

    answer = ask(server.port, f"/?Action={quote(action)}&Version={version}", json.dumps(body).encode())
    assert answer.status in (400, 404)


@once
@given(
    name=st.from_regex(r"[A-Za-z-]{1,20}", fullmatch=True),
    value=st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=40),
)
def test_any_header_is_borne(server: Served, name: str, value: str) -> None:
    sent = {"Host": "127.0.0.1", "Content-Type": "application/json"}
    if name.lower() in (
        "host",
        "content-type",
        "content-length",
        "transfer-encoding",
        "expect",
        "connection",
        "upgrade",
    ):
        return
    request = head("POST", "/api/vikingdb/data/search/random", {**sent, name: value}, 2) + b"{}"
    assert exchange(server.port, request).status in (400, 404)


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /api/vikingdb/Ping HTTP/1.1\r\n\r\n",
        b"GET /api/vikingdb/Ping HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET http://127.0.0.1/api/vikingdb/Ping HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /%zz/%00/%ff HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET //api/vikingdb/Ping HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"TRACE / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /api/vikingdb/Ping HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        b"POST /api/vikingdb/Ping HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/vikingdb/Ping HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        b"POST /x HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /x HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /api/vikingdb/data/upsert HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99\r\n\r\n{",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: " + b"a" * 200_000 + b"\r\n\r\n",
        b"G" * 100_000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=lambda sent: repr(sent[:40]),
)
def test_an_odd_request_is_answered_or_closed(server: Served, sent: bytes) -> None:
    answer = exchange(server.port, sent, shut=True)
    assert answer.status not in SERVER_SIDE


def test_json_nested_without_end_is_refused(server: Served) -> None:
    for body in (b"[" * 100_000, b'{"filter":' + b'{"op":"and","conds":[' * 500 + b"]}" * 500 + b"}"):
        answer = ask(server.port, "/api/vikingdb/data/search/random", body)
        assert answer.status in (400, 404)
