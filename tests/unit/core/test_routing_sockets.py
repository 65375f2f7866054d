"""Routing, seen at the sockets: whom a client talks to, and what it tells them, with keys lying about.

A whole scenario runs on both planes, with a call that is tried again and calls that are refused, while every address
the process connects to or looks up is written down.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pytest_vikingdb import VirtualClock
from tests.support.emulator import Emulator
from tests.support.server import LoopbackServer, Received, free_port
from vikingdb_core.credentials import IAM
from vikingdb_core.exceptions import Conflict, ConnectError, NotFound
from vikingdb_core.messages import Headers, Request, Response
from vikingdb_local.handlers import HANDLERS
from vikingdb_local.transport import LocalTransport
from vikingdb_vector import VikingDB
from vikingdb_vector import operations as ops

LOCAL = "local://?embedder=hash-v1"
VARIABLES = (
    *("VIKINGDB_AK", "VIKINGDB_SK", "VIKINGDB_SESSION_TOKEN", "VIKINGDB_API_KEY"),
    *("VOLC_ACCESSKEY", "VOLC_SECRETKEY", "VOLC_SESSIONTOKEN"),
    *("VOLCENGINE_ACCESS_KEY", "VOLCENGINE_SECRET_KEY", "VOLCENGINE_SESSION_TOKEN"),
)
FIELDS = [
    {"field_name": "id", "field_type": "int64", "is_primary_key": True},
    {"field_name": "mood", "field_type": "vector", "dim": 4},
]
BOOKS = {"collection_name": "books"}
BY_MOOD = {**BOOKS, "index_name": "by_mood"}
FLAT = {"index_type": "flat", "distance": "ip"}

_seen: list[Any] | None = None


def _write_down(event: str, arguments: tuple[Any, ...]) -> None:
    if _seen is None:
        return
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        _seen.append(arguments[:2])
    elif event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        _seen.append(arguments[1])


sys.addaudithook(_write_down)  # for good: a hook cannot be taken away, so it mostly looks away


@contextmanager
def addresses() -> Iterator[list[Any]]:
    """Every address anyone in this process connects to, sends to or looks up, whichever library does it."""
    global _seen
    _seen = found = []
    try:
        yield found
    finally:
        _seen = None


@pytest.fixture(autouse=True)
def keys_lying_about(guarded_environment: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keys in the environment and in the files that other tools read. None is for whoever listens on this machine."""
    for name in VARIABLES:
        monkeypatch.setenv(name, f"PLANTED-{name}")
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    (tmp_path / ".netrc").write_text("default login PLANTED password PLANTED\n")
    (tmp_path / ".volc").mkdir()
    (tmp_path / ".volc" / "config").write_text('{"ak": "PLANTED", "sk": "PLANTED"}')


class BusyAtFirst(Emulator):
    """Answers the first search with 503."""

    searches = 0

    def respond(self, received: Received) -> Response:
        if "/search/" in received.target:
            self.searches += 1
            if self.searches == 1:
                return Response(503, Headers(), b"busy")
        return super().respond(received)


def run_scenario(client: VikingDB) -> None:
    """Both planes, from nothing to nothing. The first search is to be tried again."""
    client.ping()
    client.admin.create_collection(**BOOKS, fields=FIELDS)
    client.admin.create_index(**BY_MOOD, vector_index=FLAT)
    with pytest.raises(Conflict):
        client.admin.create_collection(**BOOKS, fields=FIELDS)
    assert [each.collection_name for each in client.admin.iter_collections()] == ["books"]
    client.collection(**BOOKS).upsert({"data": [{"id": 1, "mood": [1, 0, 0, 0]}]})
    assert [hit.id for hit in client.index(**BY_MOOD).search_by_random().result.data] == [1]
    with pytest.raises(NotFound):
        client.collection(collection_name="absent").fetch({"ids": [1]})
    client.admin.delete_index(**BY_MOOD)
    client.admin.delete_collection(**BOOKS)


def assert_unsigned(requests: list[Received]) -> None:
    for request in requests:
        names = {name.lower() for name in request.headers}
        assert not names & {"authorization", "proxy-authorization", "x-security-token", "cookie"}
        assert b"PLANTED" not in b"\n".join([request.target.encode(), *request.lines, request.body])


def test_an_embedded_engine_is_reached_without_a_socket_and_told_no_key(
    viking_clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Request] = []
    send, search = LocalTransport.send, HANDLERS[ops.SEARCH_BY_RANDOM.name]

    def send_and_keep(self: LocalTransport, request: Request, timeouts: Any) -> Response:
        sent.append(request)
        return send(self, request, timeouts)

    def fail_once(*given: Any) -> Any:
        monkeypatch.setitem(HANDLERS, ops.SEARCH_BY_RANDOM.name, search)
        raise OSError("a fault")

    monkeypatch.setattr(LocalTransport, "send", send_and_keep)
    monkeypatch.setitem(HANDLERS, ops.SEARCH_BY_RANDOM.name, fail_once)
    with addresses() as found, VikingDB(endpoint=LOCAL, clock=viking_clock) as client:
        run_scenario(client)
    assert found == []
    assert len(viking_clock.sleeps) == 1
    assert len(sent) == 11
    assert "PLANTED" not in "".join(f"{each.url} {dict(each.headers)} {each.body!r}" for each in sent)
    assert not any("Authorization" in each.headers for each in sent)


def test_a_server_on_this_machine_is_the_only_one_talked_to_and_told_no_key(viking_clock: VirtualClock) -> None:
    with BusyAtFirst() as server:
        with addresses() as found, VikingDB(endpoint=server.url, clock=viking_clock) as client:
            run_scenario(client)
        assert set(found) == {("127.0.0.1", server.port)}
        assert len(viking_clock.sleeps) == 1
        assert len(server.received) == 11
        assert_unsigned(server.received)


def test_a_server_that_is_gone_is_not_replaced_by_another(viking_clock: VirtualClock) -> None:
    port = free_port()
    with addresses() as found, VikingDB(endpoint=f"http://127.0.0.1:{port}", clock=viking_clock) as client:
        for call in (client.ping, client.admin.list_collections, client.index(**BY_MOOD).search_by_random):
            with pytest.raises(ConnectError):
                call()
    assert len(viking_clock.sleeps) > 3
    assert set(found) == {("127.0.0.1", port)}


def test_a_control_endpoint_gets_the_control_plane_and_nothing_else(viking_clock: VirtualClock) -> None:
    keys = IAM("AKDEMO", "SKDEMO")
    with LoopbackServer() as data, Emulator() as control:
        options: dict[str, Any] = {"endpoint": data.url, "control_endpoint": control.url, "auth": keys}
        with addresses() as found, VikingDB(clock=viking_clock, **options) as client:
            client.ping()
            client.admin.create_collection(**BOOKS, fields=FIELDS)
            client.collection(**BOOKS).upsert({"data": [{"id": 1, "mood": [1, 0, 0, 0]}]})
            with pytest.raises(Conflict):
                client.admin.create_collection(**BOOKS, fields=FIELDS)
            client.collection(**BOOKS).delete({"ids": [1]})
        assert set(found) == {("127.0.0.1", data.port), ("127.0.0.1", control.port)}
        paths = ["/api/vikingdb/Ping", "/api/vikingdb/data/upsert", "/api/vikingdb/data/delete"]
        assert [each.target for each in data.received] == paths
        assert [each.target for each in control.received] == [
            "/?Action=CreateVikingdbCollection&Version=2025-06-09"
        ] * 2
        for each in data.received + control.received:
            assert "Credential=AKDEMO/" in each.headers["Authorization"]
            assert b"PLANTED" not in b"\n".join(each.lines)


def test_an_embedded_engine_leaves_the_control_plane_to_a_control_endpoint(viking_clock: VirtualClock) -> None:
    with Emulator() as control:
        options: dict[str, Any] = {"endpoint": LOCAL, "control_endpoint": control.url, "clock": viking_clock}
        with addresses() as found, VikingDB(**options) as client:
            client.admin.create_collection(**BOOKS, fields=FIELDS)
            with pytest.raises(NotFound):  # it was created elsewhere
                client.collection(**BOOKS).fetch({"ids": [1]})
        assert set(found) == {("127.0.0.1", control.port)}
        assert [each.target for each in control.received] == ["/?Action=CreateVikingdbCollection&Version=2025-06-09"]
        assert_unsigned(control.received)


def test_what_is_written_down_is_what_is_connected_to() -> None:
    import socket

    with LoopbackServer() as server, addresses() as found:
        socket.create_connection(("localhost", server.port)).close()
    assert ("localhost", server.port) in found  # looked up
    assert ("127.0.0.1", server.port) in found
