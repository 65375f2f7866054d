"""The asynchronous HTTP transport sends just what it was given, over connections it keeps, and adds nothing of its own.

What holds for every transport is in ``tests/contract``; here is what this one promises beyond that.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections import Counter

import pytest

from tests.support.http import PATIENT, request_to, run_silently
from tests.support.notes import AsyncNotes
from tests.support.server import CERTIFICATE, Connection, LoopbackServer
from vikingdb_aio import AiohttpTransport
from vikingdb_core.credentials import NoAuth
from vikingdb_core.effects import StreamedResponse
from vikingdb_core.exceptions import APIError, ConnectionLost, RequestError
from vikingdb_core.messages import Response
from vikingdb_core.transport import TransportSettings


def echo(connection: Connection) -> None:
    while received := connection.read_request():
        connection.reply(200, received.body)


async def send(transport: AiohttpTransport, *urls: str) -> list[Response]:
    """One request after the other, and then the end."""
    try:
        return [await transport.send(request_to(url), PATIENT) for url in urls]
    finally:
        await transport.close()


def test_the_transport_adds_what_framing_needs_and_asks_for_no_coding() -> None:
    with LoopbackServer() as server:
        asyncio.run(send(AiohttpTransport(), server.url))
    assert set(server.received[0].lines) == {
        b"Host: 127.0.0.1:%d" % server.port,
        b"Content-Type: application/json",
        b"Content-Length: 2",
        b"Accept-Encoding: identity",
    }


def test_a_header_the_caller_wrote_is_sent_in_place_of_the_transports() -> None:
    headers = {"Accept-Encoding": "gzip", "User-Agent": "mine/1", "Accept": "text/event-stream"}

    async def go(url: str) -> None:
        transport = AiohttpTransport()
        await transport.send(request_to(url, headers=headers), PATIENT)
        await transport.close()

    with LoopbackServer() as server:
        asyncio.run(go(server.url))
    assert headers.items() <= server.received[0].headers.items()
    assert len(server.received[0].lines) == len(server.received[0].headers)


@pytest.mark.parametrize("size", [0, 10, 1 << 20, 3 << 20])
@pytest.mark.parametrize("header", ["plain", "caf\xe9"])
def test_a_body_of_any_size_arrives_whole_whatever_the_head(size: int, header: str) -> None:
    async def go(url: str) -> Response:
        transport = AiohttpTransport()
        try:
            return await transport.send(request_to(url, headers={"X-Team": header}, body=b"\r\n\r\n" * size), PATIENT)
        finally:
            await transport.close()

    with LoopbackServer(echo) as server:
        assert asyncio.run(go(server.url)).body == b"\r\n\r\n" * size
    assert f"X-Team: {header}".encode("latin-1") in server.received[0].lines


def test_headers_of_a_response_are_read_as_the_sync_transport_reads_them() -> None:
    def serve(connection: Connection) -> None:
        connection.read_request()
        lines = [b"X-Folded: one\r\n  two", b"X-Text: \xe4\xb8\x89", b"x-tt-logid: abc", b"Vary: a", b"Vary: b"]
        connection.reply(200, b"{}", *lines)

    with LoopbackServer(serve) as server:
        (response,) = asyncio.run(send(AiohttpTransport(), server.url))
    assert response.headers["X-Folded"].split() == ["one", "two"]
    assert response.headers["X-Text"] == "\xe4\xb8\x89"
    assert response.headers["X-Tt-Logid"] == "abc"
    assert response.headers["Vary"] == "a, b"


def test_one_connection_carries_many_calls() -> None:
    with LoopbackServer() as server:
        asyncio.run(send(AiohttpTransport(), *[server.url] * 5))
    assert [received.connection for received in server.received] == [0] * 5


def test_an_error_response_does_not_cost_the_connection() -> None:
    def serve(connection: Connection) -> None:
        while connection.read_request():
            connection.reply(503, b"busy")

    with LoopbackServer(serve) as server:
        answers = asyncio.run(send(AiohttpTransport(), *[server.url] * 3))
    assert [answer.status for answer in answers] == [503] * 3
    assert server.connections == 1


def test_one_transport_serves_many_hosts() -> None:
    with LoopbackServer() as data, LoopbackServer() as control:
        asyncio.run(send(AiohttpTransport(), data.url, control.url))
    assert (len(data.received), len(control.received)) == (1, 1)


def test_a_redirect_reaches_the_user_as_an_error_with_its_status() -> None:
    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.reply(302, b"", b"Location: https://login.example")

    async def read(url: str) -> None:
        async with AsyncNotes(endpoint=url, auth=NoAuth()) as notes:
            await notes.shelf().read()

    with LoopbackServer(serve) as server, pytest.raises(APIError) as caught:
        asyncio.run(read(server.url))
    assert caught.value.status_code == 302


@pytest.mark.parametrize("pool_maxsize", [1, 50])
def test_256_tasks_share_a_pool_and_get_their_own_answers(pool_maxsize: int) -> None:
    transport = AiohttpTransport(settings=TransportSettings(pool_maxsize=pool_maxsize))

    async def work(url: str, number: int) -> bytes:
        return (await transport.send(request_to(url, body=b"%d" % number), PATIENT)).body

    async def go(url: str) -> list[bytes]:
        try:
            return await asyncio.gather(*(work(url, number) for number in range(256)))
        finally:
            await transport.close()

    with LoopbackServer(echo) as server:
        assert asyncio.run(go(server.url)) == [b"%d" % number for number in range(256)]
    assert server.connections <= pool_maxsize


def test_tasks_that_ask_again_and_again_leave_connections_to_others() -> None:
    transport = AiohttpTransport(settings=TransportSettings(pool_maxsize=2))
    served: list[int] = []

    async def work(url: str, number: int) -> None:
        for _ in range(5):
            await transport.send(request_to(url), PATIENT)
            served.append(number)

    async def go(url: str) -> None:
        try:
            await asyncio.gather(*(work(url, number) for number in range(8)))
        finally:
            await transport.close()

    with LoopbackServer() as server:
        asyncio.run(go(server.url))
    for start in range(0, 40, 8):  # nobody is a whole round ahead of anybody
        assert len(set(served[max(0, start - 2) : start + 10])) == 8
    assert server.connections <= 2


def test_a_closed_transport_may_be_closed_again_and_sends_nothing_more() -> None:
    async def go(url: str) -> None:
        transport = AiohttpTransport()
        await send(transport, url)
        await transport.close()
        for late in (transport.send, transport.stream):
            with pytest.raises(RequestError, match="closed"):
                await late(request_to(url), PATIENT)

    with LoopbackServer() as server:
        asyncio.run(go(server.url))
    assert len(server.received) == 1


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
BEGINNINGS = {
    "before the answer": b"",
    "in the head": b"HTTP/1.1 200 OK\r\nContent-",
    "in the body": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
    "between chunks": CHUNKED,
    "in a body that ends with the connection": b"HTTP/1.1 200 OK\r\n\r\n{}",
}


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("where", BEGINNINGS)
@pytest.mark.parametrize("by", ["its own loop", "another loop"])
def test_closing_ends_requests_under_way_and_those_that_wait_for_their_connections(
    by: str, where: str, tls: bool
) -> None:
    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.send(BEGINNINGS[where])
        connection.server.notes.append("said")
        connection.wait_for_the_client_to_close()

    async def go(server: LoopbackServer) -> list[object]:
        transport = AiohttpTransport(settings=TransportSettings(verify=str(CERTIFICATE), pool_maxsize=1))
        requests = [asyncio.create_task(transport.send(request_to(server.url), PATIENT)) for _ in range(3)]
        await asyncio.to_thread(server.wait_for_notes, 1)
        await asyncio.sleep(0.05)  # the loop reads it
        if by == "its own loop":
            await transport.close()
        else:
            await asyncio.to_thread(asyncio.run, transport.close())
        async with asyncio.timeout(3):  # an attempt's own time is longer
            return list(await asyncio.gather(*requests, return_exceptions=True))

    with LoopbackServer(serve, tls=tls) as server:
        ended = asyncio.run(go(server))
    assert Counter(type(each) for each in ended) == {ConnectionLost: 1, RequestError: 2}
    assert server.connections == 1


def test_closing_ends_a_stream_and_requests_that_wait_behind_it() -> None:
    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.send(CHUNKED)
        connection.wait_for_the_client_to_close()

    async def go(server: LoopbackServer) -> None:
        transport = AiohttpTransport(settings=TransportSettings(pool_maxsize=1))
        stream = await transport.stream(request_to(server.url), PATIENT)
        assert isinstance(stream, StreamedResponse)
        waiting = asyncio.create_task(transport.send(request_to(server.url), PATIENT))
        await asyncio.sleep(0.05)
        await transport.close()
        async with asyncio.timeout(3):
            with pytest.raises(RequestError):
                await waiting
            pieces = aiter(stream)
            assert await anext(pieces) == b"a"
            with pytest.raises(ConnectionLost):
                await anext(pieces)

    with LoopbackServer(serve) as server:
        asyncio.run(go(server))


def test_leaving_a_client_closes_its_connections() -> None:
    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.reply()
        connection.wait_for_the_client_to_close()
        connection.server.notes.append("closed")

    async def go(server: LoopbackServer) -> None:
        async with AsyncNotes(endpoint=server.url, auth=NoAuth()) as notes:
            await notes.shelf().read()
        await asyncio.to_thread(server.wait_for_notes, 1)

    with LoopbackServer(serve) as server:
        asyncio.run(go(server))


def test_a_kept_connection_that_the_server_has_closed_meanwhile_is_replaced() -> None:
    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.reply()
        connection.socket.shutdown(socket.SHUT_RDWR)
        connection.server.notes.append("closed")

    async def go(server: LoopbackServer) -> None:
        transport = AiohttpTransport()
        for turn in range(3):
            assert (await transport.send(request_to(server.url), PATIENT)).ok
            server.wait_for_notes(turn + 1)  # in the loop's own thread: it has no turn in which to see the end
        await transport.close()

    with LoopbackServer(serve) as server:
        asyncio.run(go(server))
    assert [received.connection for received in server.received] == [0, 1, 2]


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_an_answer_that_nobody_asked_for_is_nobodys(tls: bool) -> None:
    def serve(connection: Connection) -> None:
        while received := connection.read_request():
            connection.reply(200, received.body)
            if received.body == b"1":
                answered.wait(5)
                connection.reply(200, b"unasked")
                connection.server.notes.append("said")

    async def go(server: LoopbackServer) -> list[bytes]:
        transport = AiohttpTransport(settings=TransportSettings(verify=str(CERTIFICATE)))
        answers = []
        for body in (b"1", b"2", b"3"):
            answers.append((await transport.send(request_to(server.url, body=body), PATIENT)).body)
            answered.set()
            await asyncio.to_thread(server.wait_for_notes, 1)
            await asyncio.sleep(0.05)  # the loop reads it
        await transport.close()
        return answers

    answered = threading.Event()
    with LoopbackServer(serve, tls=tls) as server:
        assert asyncio.run(go(server)) == [b"1", b"2", b"3"]
    assert [received.connection for received in server.received] == [0, 1, 1]


def test_a_get_that_breaks_is_not_sent_again_by_the_transport() -> None:
    def serve(connection: Connection) -> None:
        connection.read_request()
        if connection.number == 0:
            connection.reply()
            connection.read_request()

    async def go(url: str) -> None:
        transport = AiohttpTransport()
        await transport.send(request_to(url, method="GET"), PATIENT)
        with pytest.raises(ConnectionError, match="broke") as caught:
            await transport.send(request_to(url, method="GET"), PATIENT)
        assert caught.value.sent  # type: ignore[attr-defined]
        await transport.close()

    with LoopbackServer(serve) as server:
        asyncio.run(go(server.url))
    assert len(server.received) == 2


FORKING = """
import asyncio, os, sys
from tests.support.http import PATIENT, request_to
from vikingdb_aio import AiohttpTransport

transport = AiohttpTransport()
url = sys.argv[1]
loop = asyncio.new_event_loop()
loop.run_until_complete(transport.send(request_to(url, body=b"parent"), PATIENT))
child = os.fork()
if child == 0:
    async def talk():
        await transport.send(request_to(url, body=b"child"), PATIENT)
        await transport.close()
    asyncio.run(talk())
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
loop.run_until_complete(transport.send(request_to(url, body=b"parent again"), PATIENT))
loop.run_until_complete(transport.close())
loop.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_does_not_share_its_parents_sockets() -> None:
    with LoopbackServer() as server:
        run_silently(FORKING, server.url)
    assert [(received.body, received.connection) for received in server.received] == [
        (b"parent", 0),
        (b"child", 1),
        (b"parent again", 0),
    ]


FORKING_MEANWHILE = """
import asyncio, importlib, os, signal, sys, threading
from tests.support.notes import AsyncNotes
from vikingdb_core.credentials import NoAuth
from vikingdb_core.transport import https

module, name = importlib.import_module(sys.argv[2]), sys.argv[3]
inner, parent = getattr(module, name), os.getpid()
begun, may_go_on = threading.Event(), threading.Event()

def held(*given, **named):
    if os.getpid() == parent:
        begun.set()
        assert may_go_on.wait(20)
    return inner(*given, **named)

async def read():
    assert (await client.shelf().read()).code == "Success"

setattr(module, name, held)
client = AsyncNotes(endpoint=sys.argv[1], auth=NoAuth(), retry=1)
thread = threading.Thread(target=asyncio.run, args=(read(),))
thread.start()
assert begun.wait(20)
child = os.fork()
if child == 0:
    signal.alarm(5)
    asyncio.run(read())
    os._exit(0)
status = os.waitpid(child, 0)[1]
may_go_on.set()
thread.join()
asyncio.run(client.close())
assert status == 0, status
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize(
    "held",
    [("vikingdb_core.transport.select", "_found"), ("vikingdb_aio.transport", "Pool"), ("vikingdb_aio.route", "Route")],
)
def test_a_process_forked_during_the_first_request_of_another_thread_can_send(held: tuple[str, str]) -> None:
    with LoopbackServer() as server:
        run_silently(FORKING_MEANWHILE, server.url, *held)
    assert len(server.received) == 2
