"""Cancellation ends a request wherever it is, closes its connection and no other, and is never taken for a failure."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable

import pytest

from pytest_vikingdb import VirtualClock
from tests.support.http import PATIENT, request_to
from tests.support.notes import WATCH, AsyncNotes
from tests.support.server import CERTIFICATE, Connection, LoopbackServer
from vikingdb_aio import AiohttpTransport, message
from vikingdb_core.credentials import NoAuth
from vikingdb_core.effects import StreamedResponse, Timeouts
from vikingdb_core.exceptions import RequestTimeout
from vikingdb_core.hooks import hookimpl
from vikingdb_core.transport import TransportSettings

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def answers_late(said: bytes) -> Callable[[Connection], None]:
    """Its first connection says this and then nothing; the others answer."""

    def serve(connection: Connection) -> None:
        if connection.number > 0:
            while connection.read_request():
                connection.reply()
            return
        connection.read_request()
        connection.send(said)
        connection.server.notes.append("said")
        connection.wait_for_the_client_to_close()
        connection.server.notes.append("closed")

    return serve


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize(
    "said",
    [b"", b"HTTP/1.1 200 OK\r\nContent-", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", CHUNKED + b"1\r\n{\r\n"],
    ids=["before the answer", "in the head", "in the body", "between chunks"],
)
def test_a_cancelled_request_closes_its_connection(said: bytes, tls: bool) -> None:
    async def go(server: LoopbackServer) -> None:
        transport = AiohttpTransport(settings=TransportSettings(verify=str(CERTIFICATE)))
        sending = asyncio.create_task(transport.send(request_to(server.url), PATIENT))
        await asyncio.to_thread(server.wait_for_notes, 1)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert sending.cancelled()
        await asyncio.to_thread(server.wait_for_notes, 2)
        for _ in range(2):
            assert (await transport.send(request_to(server.url), PATIENT)).ok
        await transport.close()

    with LoopbackServer(answers_late(said), tls=tls) as server:
        asyncio.run(go(server))
    assert [received.connection for received in server.received] == [0, 1, 1]


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
@pytest.mark.parametrize("how", ["cancelled", "timed out"])
def test_a_request_given_up_while_the_server_reads_nothing_sends_no_more(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message, "_PIECEWISE_BYTES", 1 << 30)  # all at once, more than the system keeps for both
    body = bytes(32 << 20)
    read: list[int] = []

    def serve(connection: Connection) -> None:
        connection.socket.recv(1)
        connection.server.notes.append("begun")
        given_up.wait(10)
        try:
            while piece := connection.socket.recv(1 << 20):
                read.append(len(piece))
        except OSError:
            pass
        connection.server.notes.append("closed")

    async def go(server: LoopbackServer) -> None:
        transport = AiohttpTransport()
        timeouts = Timeouts(connect=5, total=5 if how == "cancelled" else 0.5)
        sending = asyncio.create_task(transport.send(request_to(server.url, body=body), timeouts))
        await asyncio.to_thread(server.wait_for_notes, 1)
        if how == "cancelled":
            sending.cancel()
        with pytest.raises((asyncio.CancelledError, RequestTimeout)):
            await sending
        await asyncio.sleep(0)
        given_up.set()
        await asyncio.to_thread(server.wait_for_notes, 2)
        await transport.close()

    given_up = threading.Event()
    with LoopbackServer(serve) as server:
        asyncio.run(go(server))
    assert sum(read) < len(body) / 2


@pytest.mark.parametrize("how", ["cancelled", "timed out"])
def test_a_request_given_up_over_tls_waits_for_no_farewell(how: str) -> None:
    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.server.notes.append("begun")
        with socket.socket(fileno=os.dup(connection.socket.fileno())) as beneath:  # a TLS socket would say goodbye
            beneath.settimeout(2)
            try:
                while beneath.recv(1 << 16):
                    pass
                connection.server.notes.append("closed")
            except ConnectionError:
                connection.server.notes.append("closed")
            except TimeoutError:
                connection.server.notes.append("open")

    async def go(server: LoopbackServer) -> None:
        transport = AiohttpTransport(settings=TransportSettings(verify=str(CERTIFICATE)))
        timeouts = Timeouts(connect=5, total=5 if how == "cancelled" else 0.5)
        sending = asyncio.create_task(transport.send(request_to(server.url), timeouts))
        await asyncio.to_thread(server.wait_for_notes, 1)
        if how == "cancelled":
            sending.cancel()
        with pytest.raises((asyncio.CancelledError, RequestTimeout)):
            await sending
        await asyncio.to_thread(server.wait_for_notes, 2)
        await transport.close()

    with LoopbackServer(serve, tls=True) as server:
        asyncio.run(go(server))
    assert server.notes == ["begun", "closed"]


def test_a_request_that_is_cancelled_while_it_waits_for_the_pool_is_never_sent() -> None:
    async def go(server: LoopbackServer) -> None:
        transport = AiohttpTransport(settings=TransportSettings(pool_maxsize=1))
        first = asyncio.create_task(transport.send(request_to(server.url, body=b"first"), PATIENT))
        await asyncio.to_thread(server.wait_for_notes, 1)
        second = asyncio.create_task(transport.send(request_to(server.url, body=b"second"), PATIENT))
        third = asyncio.create_task(transport.send(request_to(server.url, body=b"third"), PATIENT))
        await asyncio.sleep(0)
        second.cancel()
        first.cancel()
        assert (await third).ok
        await transport.close()

    with LoopbackServer(answers_late(b"")) as server:
        asyncio.run(go(server))
    assert [received.body for received in server.received] == [b"first", b"third"]


def test_a_hundred_cancelled_requests_leave_a_pool_that_works() -> None:
    """The pool has four connections: none of them may be lost to a request that was cancelled."""

    def serve(connection: Connection) -> None:
        while received := connection.read_request():
            if received.body == b"slow":
                connection.server.notes.append("slow")
                connection.wait_for_the_client_to_close()
                return
            connection.reply()

    async def go(server: LoopbackServer) -> None:
        transport = AiohttpTransport(settings=TransportSettings(pool_maxsize=4))
        for turn in range(25):
            slow = [
                asyncio.create_task(transport.send(request_to(server.url, body=b"slow"), PATIENT)) for _ in range(4)
            ]
            await asyncio.to_thread(server.wait_for_notes, 4 * (turn + 1))
            for task in slow:
                task.cancel()
            await asyncio.gather(*slow, return_exceptions=True)
            assert all(task.cancelled() for task in slow)
        answers = await asyncio.gather(*(transport.send(request_to(server.url), PATIENT) for _ in range(16)))
        assert all(answer.ok for answer in answers)
        await transport.close()

    with LoopbackServer(serve) as server:
        asyncio.run(go(server))


@pytest.mark.parametrize("where", ["before a piece", "between pieces"])
def test_a_cancelled_stream_closes_its_connection(where: str) -> None:
    async def go(server: LoopbackServer) -> None:
        transport = AiohttpTransport()
        stream = await transport.stream(request_to(server.url), PATIENT)
        assert isinstance(stream, StreamedResponse)

        async def read() -> None:
            async for _ in stream:
                pass

        reading = asyncio.create_task(read())
        await asyncio.to_thread(server.wait_for_notes, 1)
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await asyncio.to_thread(server.wait_for_notes, 2)
        assert [piece async for piece in stream] == []
        await transport.close()

    said = CHUNKED if where == "before a piece" else CHUNKED + b"1\r\na\r\n"
    with LoopbackServer(answers_late(said)) as server:
        asyncio.run(go(server))


def test_a_cancelled_call_is_a_cancelled_call_and_is_not_tried_again() -> None:
    ended: list[BaseException | None] = []

    class Listener:
        @hookimpl
        def after_call(self, error: BaseException | None) -> None:
            ended.append(error)

    async def go(server: LoopbackServer) -> None:
        async with AsyncNotes(endpoint=server.url, auth=NoAuth(), plugins=[Listener()], retry=3) as notes:
            reading = asyncio.create_task(notes.shelf().read())
            await asyncio.to_thread(server.wait_for_notes, 1)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            await asyncio.to_thread(server.wait_for_notes, 2)

    with LoopbackServer(answers_late(b"")) as server:
        asyncio.run(go(server))
    assert len(server.received) == 1
    assert [type(error) for error in ended] == [asyncio.CancelledError]


def test_the_callers_own_timeout_is_the_callers() -> None:
    async def go(server: LoopbackServer) -> None:
        async with AsyncNotes(endpoint=server.url, auth=NoAuth()) as notes:
            with pytest.raises(TimeoutError) as caught:
                await asyncio.wait_for(notes.shelf().read(), 0.1)
            assert type(caught.value) is TimeoutError
            await asyncio.to_thread(server.wait_for_notes, 2)

    with LoopbackServer(answers_late(b"")) as server:
        asyncio.run(go(server))


def test_a_call_that_waits_to_be_tried_again_can_be_cancelled() -> None:
    class Stopped(VirtualClock):
        async def asleep(self, seconds: float) -> None:
            waiting.set()
            await asyncio.Event().wait()

    def serve(connection: Connection) -> None:
        while connection.read_request():
            connection.reply(503, b"busy")

    async def go(server: LoopbackServer) -> None:
        async with AsyncNotes(endpoint=server.url, auth=NoAuth(), clock=Stopped()) as notes:
            reading = asyncio.create_task(notes.shelf().read())
            await waiting.wait()
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading

    waiting = asyncio.Event()
    with LoopbackServer(serve) as server:
        asyncio.run(go(server))
    assert len(server.received) == 1


def test_a_watch_that_is_cancelled_while_it_opens_closes_its_connection() -> None:
    async def go(server: LoopbackServer) -> None:
        async with AsyncNotes(endpoint=server.url, auth=NoAuth()) as notes:
            opening = asyncio.create_task(notes.call(WATCH))
            await asyncio.to_thread(server.wait_for_notes, 1)
            opening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await opening
            await asyncio.to_thread(server.wait_for_notes, 2)

    with LoopbackServer(answers_late(b"")) as server:
        asyncio.run(go(server))
