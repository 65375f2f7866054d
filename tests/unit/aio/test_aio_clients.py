"""Clients: an async one does over HTTP what a sync one does, call by call and byte by byte.

Both go through one scenario on a server that is busy, slow, broken and unwilling in turn, and are compared.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import pytest

from pytest_vikingdb import Recorder, VirtualClock
from tests.support.http import request_to
from tests.support.notes import ADD, FOUND, PING, PUT, READ, AsyncNotes, Notes
from tests.support.server import Connection, LoopbackServer, Received
from vikingdb_aio import AiohttpTransport
from vikingdb_core.credentials import IAM, APIKey, NoAuth
from vikingdb_core.exceptions import ConnectError, DeadlineExceeded, RequestTimeout, VikingDBError
from vikingdb_core.operation import Operation
from vikingdb_core.request_options import RequestOptions


def succeeds(connection: Connection) -> None:
    connection.reply(200, b'{"code":"Success","result":{"count":1},"request_id":"r1"}')


def hangs_up(connection: Connection) -> None:
    raise OSError("enough")


def says(status: int, body: bytes, *headers: bytes) -> Callable[[Connection], None]:
    return lambda connection: connection.reply(status, body, *headers)


SCRIPTS: dict[str, list[Callable[[Connection], None]]] = {
    "success": [succeeds],
    "busy, then well": [says(503, b"busy"), succeeds],
    "throttled, and told when": [says(429, b'{"code":"SlowDown","message":"later"}', b"Retry-After: 7"), succeeds],
    "hung up, then well": [hangs_up, succeeds],
    "busy for ever": [says(503, b"busy")] * 3,
    "refused": [says(404, b'{"code":"NotFound.Note","message":"no such shelf","request_id":"r2"}')],
    "unauthorized": [says(401, b'{"code":"Unauthorized","message":"who?"}')],
    "html": [says(200, b"<html>")],
    "a redirect": [says(302, b"", b"Location: /elsewhere")],
}


class Scripted(LoopbackServer):
    """Does with each request what the script says, over whatever connection it comes."""

    def __init__(self, script: list[Callable[[Connection], None]]) -> None:
        super().__init__(self._follow)
        self._script = list(script)

    def _follow(self, connection: Connection) -> None:
        while connection.read_request():
            self._script.pop(0)(connection)


def perform(kind: Any, script: str, operation: Operation[Any, Any]) -> dict[str, Any]:
    """What becomes of one call: what the server saw, what hooks saw, how long it waited, how it ended."""
    recorder, clock = Recorder(), VirtualClock()
    with Scripted(SCRIPTS[script]) as server:
        options: dict[str, Any] = {"endpoint": server.url, "auth": NoAuth(), "clock": clock, "plugins": [recorder]}
        client = kind(**options, retry=3)
        client._runtime.__dict__["random"] = lambda: 0.5

        async def call() -> Any:
            async with client:
                return await client.call(operation, body)

        body = None if operation.method == "GET" else {"text": "三体"}
        end: Any
        try:
            if issubclass(kind, Notes):
                with client:
                    end = client.call(operation, body)
            else:
                end = asyncio.run(call())
        except VikingDBError as error:
            end = _shown(error, server)
        return {
            "sent": [_seen(each, server) for each in server.received],
            "events": [event.hook for event in recorder.events],
            "sleeps": clock.sleeps,
            "end": end,
        }


def _seen(received: Received, server: LoopbackServer) -> tuple[Any, ...]:
    return received.method, received.target, received.body, {**received.headers, "Host": ""}


def _shown(error: VikingDBError, server: LoopbackServer) -> tuple[Any, ...]:
    # In their own words the two libraries say differently what broke.
    words = str(error).replace(str(server.port), "PORT").partition("complete: ")[0]
    return type(error), words, error.attempts, error.request_id, error.operation, getattr(error, "retry_after", None)


@pytest.mark.parametrize("operation", [READ, PUT, ADD, FOUND, PING], ids=lambda operation: operation.name)
@pytest.mark.parametrize("script", SCRIPTS)
def test_an_async_client_does_over_http_what_a_sync_one_does(script: str, operation: Operation[Any, Any]) -> None:
    sync, asynchronous = perform(Notes, script, operation), perform(AsyncNotes, script, operation)
    assert sync == asynchronous
    assert sync["sent"]


def test_what_may_not_be_repeated_is_sent_once_when_the_server_hangs_up() -> None:
    seen = perform(AsyncNotes, "hung up, then well", ADD)
    assert len(seen["sent"]) == 1
    assert perform(AsyncNotes, "hung up, then well", PUT)["end"].code == "Success"


@pytest.mark.parametrize("auth", [IAM("AK", "SK"), APIKey("my-secret-key")], ids=["IAM", "API key"])
def test_a_signed_request_arrives_as_the_sync_client_would_have_sent_it(
    auth: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LoopbackServer() as server:
        options: dict[str, Any] = {"endpoint": server.url, "auth": auth, "headers": {"X-Team": "search"}}

        async def read() -> None:
            async with AsyncNotes(**options) as notes:
                await notes.shelf().read({"text": "a"}, request_options=RequestOptions(query={"q": "a b/é"}))

        with Notes(**options) as notes:
            notes.shelf().read({"text": "a"}, request_options=RequestOptions(query={"q": "a b/é"}))
        asyncio.run(read())
    sync, asynchronous = server.received
    assert (sync.method, sync.target, sync.body) == (asynchronous.method, asynchronous.target, asynchronous.body)
    of_the_time = {"X-Date", "Authorization"}
    assert {line for line in sync.lines if line.split(b":")[0].decode() not in of_the_time} == {
        line for line in asynchronous.lines if line.split(b":")[0].decode() not in of_the_time
    }
    assert sync.headers.keys() == asynchronous.headers.keys()


def test_a_deadline_bounds_the_call_and_its_attempts() -> None:
    def serve(connection: Connection) -> None:
        while connection.read_request():
            connection.wait_for_the_client_to_close()

    async def read(url: str) -> None:
        async with AsyncNotes(endpoint=url, auth=NoAuth(), deadline=0.2, timeout=60) as notes:
            await notes.shelf().read()

    with LoopbackServer(serve) as server, pytest.raises((RequestTimeout, DeadlineExceeded)):
        asyncio.run(read(server.url))
    assert len(server.received) == 1


def test_a_call_whose_deadline_has_passed_is_not_sent() -> None:
    async def read(url: str) -> None:
        clock = VirtualClock()
        async with AsyncNotes(endpoint=url, auth=NoAuth(), clock=clock, deadline=5, retry=3) as notes:
            await notes.shelf().read()

    def serve(connection: Connection) -> None:
        while connection.read_request():
            connection.reply(429, b'{"code":"SlowDown"}', b"Retry-After: 60")

    with LoopbackServer(serve) as server, pytest.raises(VikingDBError):
        asyncio.run(read(server.url))
    assert len(server.received) == 1


def test_256_tasks_share_one_client() -> None:
    def serve(connection: Connection) -> None:
        while received := connection.read_request():
            connection.reply(200, b'{"code":"Success","request_id":"%s"}' % received.headers["X-Tt-Logid"].encode())

    async def go(url: str) -> list[str | None]:
        async with AsyncNotes(endpoint=url, auth=NoAuth()) as notes:
            shelf = notes.shelf()
            calls = (shelf.read(request_options=RequestOptions(request_id=f"r{number}")) for number in range(256))
            return [answer.request_id for answer in await asyncio.gather(*calls)]

    with LoopbackServer(serve) as server:
        assert asyncio.run(go(server.url)) == [f"r{number}" for number in range(256)]
    assert server.connections <= 50


def test_the_transport_has_the_methods_of_the_protocol_and_they_are_awaited() -> None:
    for name in ("send", "stream", "close"):
        assert inspect.iscoroutinefunction(getattr(AiohttpTransport, name))


def test_a_request_needs_nobody_listening_to_fail_as_never_sent() -> None:
    async def read() -> None:
        await AiohttpTransport().send(request_to("http://127.0.0.1:1"), PATIENT)

    from tests.support.http import PATIENT

    with pytest.raises(ConnectError):
        asyncio.run(read())
