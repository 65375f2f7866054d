"""Streaming: the answer's body is read as it arrives, and the connection is given back or dropped."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from pytest_vikingdb.contracts.failing import BRIEF
from tests.support.http import PATIENT, request_to
from tests.support.notes import WATCH, AsyncNotes
from tests.support.server import Connection, LoopbackServer
from vikingdb_aio import AiohttpTransport
from vikingdb_core.credentials import NoAuth
from vikingdb_core.effects import StreamedResponse
from vikingdb_core.exceptions import ConnectionLost, RequestTimeout, ServerError
from vikingdb_core.messages import Response

CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
UNTIL_CLOSED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def opened(answer: StreamedResponse | Response) -> StreamedResponse:
    assert isinstance(answer, StreamedResponse)
    return answer


def begins(connection: Connection) -> None:
    """Says the first piece, and waits for the client to leave."""
    connection.read_request()
    connection.send(CHUNKED + chunk(b"first"))
    connection.wait_for_the_client_to_close()
    connection.server.notes.append("closed")


@asynccontextmanager
async def transport() -> AsyncIterator[AiohttpTransport]:
    made = AiohttpTransport()
    try:
        yield made
    finally:
        await made.close()


@pytest.mark.parametrize(("head", "frame", "end"), [(CHUNKED, chunk, b"0\r\n\r\n"), (UNTIL_CLOSED, bytes, b"")])
def test_each_piece_is_read_before_the_next_is_sent(head: bytes, frame: Callable[[bytes], bytes], end: bytes) -> None:
    seen = threading.Semaphore(0)

    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.send(head)
        for piece in (b"data: 1\n\n", b"data: 2\n\n"):
            connection.send(frame(piece))
            seen.acquire(timeout=5)
        connection.send(end)

    async def go(url: str) -> list[bytes]:
        pieces = []
        async with transport() as made:
            async for piece in opened(await made.stream(request_to(url), PATIENT)):
                pieces.append(piece)
                seen.release()
        return pieces

    with LoopbackServer(serve) as server:
        assert asyncio.run(go(server.url)) == [b"data: 1\n\n", b"data: 2\n\n"]


def test_a_stream_read_to_its_end_gives_its_connection_back() -> None:
    def serve(connection: Connection) -> None:
        while connection.read_request():
            connection.send(CHUNKED + chunk(b"a") + chunk(b"b") + b"0\r\n\r\n")

    async def go(url: str) -> None:
        async with transport() as made:
            for _ in range(3):
                stream = opened(await made.stream(request_to(url), PATIENT))
                assert b"".join([piece async for piece in stream]) == b"ab"
                await stream.close()

    with LoopbackServer(serve) as server:
        asyncio.run(go(server.url))
    assert server.connections == 1


def test_a_stream_closed_early_drops_its_connection() -> None:
    async def go(server: LoopbackServer) -> None:
        async with transport() as made:
            async with opened(await made.stream(request_to(server.url), PATIENT)) as stream:
                assert await anext(aiter(stream)) == b"first"
            await asyncio.to_thread(server.wait_for_notes, 1)
            await stream.close()
            assert [piece async for piece in stream] == []

    with LoopbackServer(begins) as server:
        asyncio.run(go(server))


@pytest.mark.parametrize("is_read", [True, False])
def test_a_stream_that_is_forgotten_drops_its_connection(is_read: bool) -> None:
    async def go(server: LoopbackServer) -> None:
        async with transport() as made:
            stream = opened(await made.stream(request_to(server.url), PATIENT))
            if is_read:
                async for _ in stream:
                    break
            del stream
            gc.collect()
            await asyncio.to_thread(server.wait_for_notes, 1)

    with LoopbackServer(begins) as server:
        asyncio.run(go(server))


def test_an_answer_that_is_no_success_comes_whole() -> None:
    def serve(connection: Connection) -> None:
        for status in (503, 302):
            connection.read_request()
            connection.reply(status, b"busy")

    async def go(url: str) -> list[Any]:
        async with transport() as made:
            return [await made.stream(request_to(url), PATIENT) for _ in range(2)]

    with LoopbackServer(serve) as server:
        answers = asyncio.run(go(server.url))
    assert [(type(answer), answer.status, answer.body) for answer in answers] == [
        (Response, 503, b"busy"),
        (Response, 302, b"busy"),
    ]
    assert server.connections == 1


def test_a_stream_that_breaks_off_says_so_once() -> None:
    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.send(CHUNKED + chunk(b"first"))

    async def go(url: str) -> ConnectionLost:
        async with transport() as made:
            pieces = aiter(opened(await made.stream(request_to(url), PATIENT)))
            assert await anext(pieces) == b"first"
            with pytest.raises(ConnectionLost) as caught:
                await anext(pieces)
            assert await anext(pieces, None) is None
        return caught.value

    with LoopbackServer(serve) as server:
        assert asyncio.run(go(server.url)).sent


def test_a_stream_that_falls_silent_times_out_and_drops_its_connection() -> None:
    async def go(server: LoopbackServer) -> None:
        async with transport() as made:
            pieces = aiter(opened(await made.stream(request_to(server.url), BRIEF)))
            assert await anext(pieces) == b"first"
            with pytest.raises(RequestTimeout):
                await anext(pieces)
            await asyncio.to_thread(server.wait_for_notes, 1)

    with LoopbackServer(begins) as server:
        asyncio.run(go(server))


def test_a_stream_may_last_longer_than_an_attempt() -> None:
    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.send(CHUNKED)
        for _ in range(6):
            connection.send(chunk(b"."))
            connection.server.stopping.wait(0.05)
        connection.send(b"0\r\n\r\n")

    async def go(url: str) -> bytes:
        async with transport() as made:
            stream = opened(await made.stream(request_to(url), BRIEF))
            return b"".join([piece async for piece in stream])

    with LoopbackServer(serve) as server:
        assert asyncio.run(go(server.url)) == b"......"


def test_a_client_hands_out_the_open_response_and_tries_to_open_it_again() -> None:
    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.reply(503, b"busy")
        connection.read_request()
        connection.send(CHUNKED + chunk(b"1") + b"0\r\n\r\n")

    async def go(url: str) -> list[bytes]:
        async with AsyncNotes(endpoint=url, auth=NoAuth()) as notes:
            stream: Any = await notes.call(WATCH)
            return [piece async for piece in stream]

    with LoopbackServer(serve) as server:
        assert asyncio.run(go(server.url)) == [b"1"]
    assert len(server.received) == 2


def test_a_refused_stream_raises_like_any_call() -> None:
    def serve(connection: Connection) -> None:
        while connection.read_request():
            connection.reply(500, b"")

    async def go(url: str) -> None:
        async with AsyncNotes(endpoint=url, auth=NoAuth(), retry=1) as notes:
            await notes.call(WATCH)

    with LoopbackServer(serve) as server, pytest.raises(ServerError):
        asyncio.run(go(server.url))
