"""Streaming: the answer's body is read as it arrives, and the connection is given back or dropped."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pytest_vikingdb import ClientFactory, FlowStepper, Wire
from tests.support.http import BRIEF, PATIENT, request_to
from tests.support.notes import WATCH, AsyncNotes, NoteNotFound, Notes
from tests.support.server import Connection, LoopbackServer
from vikingdb_core.effects import Stream, StreamedResponse
from vikingdb_core.exceptions import ConnectError, ConnectionLost, RequestTimeout, ServerError
from vikingdb_core.hooks import hookimpl
from vikingdb_core.messages import Response
from vikingdb_core.transport.base import TransportSettings
from vikingdb_core.transport.https import RequestsTransport
from vikingdb_core.transport.select import SchemeTransport

CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
UNTIL_CLOSED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


@pytest.fixture
def transport() -> Iterator[RequestsTransport]:
    made = RequestsTransport()
    yield made
    made.close()


def opened(answer: StreamedResponse | Response) -> StreamedResponse:
    assert isinstance(answer, StreamedResponse)
    return answer


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


# Over HTTP


@pytest.mark.parametrize(("head", "frame", "end"), [(CHUNKED, chunk, b"0\r\n\r\n"), (UNTIL_CLOSED, bytes, b"")])
def test_each_piece_is_read_before_the_next_is_sent(
    transport: RequestsTransport, head: bytes, frame: Callable[[bytes], bytes], end: bytes
) -> None:
    seen = threading.Semaphore(0)

    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.send(head)
        for piece in (b"data: 1\n\n", b"data: 2\n\n"):
            connection.send(frame(piece))
            seen.acquire(timeout=5)
        connection.send(end)

    with LoopbackServer(serve) as server:
        pieces = []
        for piece in opened(transport.stream(request_to(server.url), PATIENT)):
            pieces.append(piece)
            seen.release()
    assert pieces == [b"data: 1\n\n", b"data: 2\n\n"]


def test_a_stream_read_to_its_end_gives_its_connection_back(transport: RequestsTransport) -> None:
    def serve(connection: Connection) -> None:
        while connection.read_request():
            connection.send(CHUNKED + chunk(b"a") + chunk(b"b") + b"0\r\n\r\n")

    with LoopbackServer(serve) as server:
        for _ in range(3):
            assert b"".join(opened(transport.stream(request_to(server.url), PATIENT))) == b"ab"
    assert server.connections == 1


def test_a_stream_closed_early_drops_its_connection(transport: RequestsTransport) -> None:
    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.send(CHUNKED + chunk(b"first"))
        connection.wait_for_the_client_to_close()
        connection.server.notes.append("closed")

    with LoopbackServer(serve) as server:
        with opened(transport.stream(request_to(server.url), PATIENT)) as stream:
            assert next(iter(stream)) == b"first"
        server.wait_for_notes(1)  # the server's thread is told by the closing alone
        stream.close()  # closing again does nothing
        assert list(stream) == []


def test_an_answer_that_is_no_success_comes_whole(transport: RequestsTransport) -> None:
    def serve(connection: Connection) -> None:
        while connection.read_request():
            connection.reply(503, b"busy")

    with LoopbackServer(serve) as server:
        answers = [transport.stream(request_to(server.url), PATIENT) for _ in range(2)]
    assert [(type(answer), answer.status) for answer in answers] == [(Response, 503)] * 2
    assert server.connections == 1


def test_a_stream_that_breaks_off_says_so(transport: RequestsTransport) -> None:
    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.send(CHUNKED + chunk(b"first"))

    with LoopbackServer(serve) as server:
        stream = iter(opened(transport.stream(request_to(server.url), PATIENT)))
        assert next(stream) == b"first"
        with pytest.raises(ConnectionLost) as caught:
            next(stream)
    assert caught.value.sent


def test_a_stream_that_falls_silent_times_out(transport: RequestsTransport) -> None:
    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.send(CHUNKED + chunk(b"first"))
        connection.wait_for_the_client_to_close()

    with LoopbackServer(serve) as server:
        stream = iter(opened(transport.stream(request_to(server.url), BRIEF)))
        assert next(stream) == b"first"
        with pytest.raises(RequestTimeout):
            next(stream)


def test_a_stream_goes_through_whichever_transport_its_endpoint_has() -> None:
    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.send(CHUNKED + chunk(b"one") + b"0\r\n\r\n")

    with LoopbackServer(serve) as server:
        transport = SchemeTransport(TransportSettings())
        assert b"".join(opened(transport.stream(request_to(server.url), PATIENT))) == b"one"
        transport.close()


# Through the flow


def test_a_streaming_operation_asks_for_events_and_yields_a_stream_effect(
    viking_client: ClientFactory, viking_flow: FlowStepper
) -> None:
    flow = viking_flow(viking_client(Notes).call, WATCH, {"text": "三体"})
    assert isinstance(flow.effect, Stream)
    assert flow.effect.request.headers["Accept"] == "text/event-stream"
    assert flow.effect.request.body == '{"text":"三体"}'.encode()


def test_a_client_hands_out_the_open_response(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.reply_chunks(200, [b"data: 1\n\n", b"data: 2\n\n"], headers={"Content-Type": "text/event-stream"})
    stream: Any = viking_client(Notes).call(WATCH)
    assert viking_wire.open_streams == 1
    assert list(stream) == [b"data: 1\n\n", b"data: 2\n\n"]
    assert viking_wire.open_streams == 0
    assert viking_wire.sent[0].streamed


def test_an_async_client_hands_out_an_async_one(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.reply_chunks(200, [b"1", b"2"]).reply_chunks(200, [b"1", b"2"])

    async def watch() -> list[bytes]:
        notes = viking_client(AsyncNotes)
        stream: Any = await notes.call(WATCH)
        pieces = [piece async for piece in stream]
        early: Any = await notes.call(WATCH)
        async with early:
            pieces.append(await anext(aiter(early)))
        return pieces

    assert asyncio.run(watch()) == [b"1", b"2", b"1"]
    assert viking_wire.open_streams == 0


def test_opening_a_stream_is_tried_again_like_any_call(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.then(ConnectError("refused")).reply(503).reply_chunks(200, [b"1"])
    stream: Any = viking_client(Notes).call(WATCH)
    assert list(stream) == [b"1"]
    assert len(viking_wire.requests) == 3


def test_a_stream_that_has_begun_is_never_tried_again(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.reply_chunks(200, [b"1", ConnectionLost("broke")])
    stream: Any = viking_client(Notes).call(WATCH)
    with pytest.raises(ConnectionLost):
        list(stream)
    assert len(viking_wire.requests) == 1


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [(404, {"code": "NotFound.Note", "message": "no such shelf"}, NoteNotFound), (500, None, ServerError)],
)
def test_a_refused_stream_raises_like_any_call(
    viking_client: ClientFactory, viking_wire: Wire, status: int, body: Any, expected: type[Exception]
) -> None:
    viking_wire.reply(status, body)
    with pytest.raises(expected):
        viking_client(Notes, retry=1).call(WATCH)


def test_the_call_is_over_for_plugins_when_the_stream_is_handed_out(
    viking_client: ClientFactory, viking_wire: Wire
) -> None:
    ended: list[Any] = []

    class Listener:
        @hookimpl
        def after_call(self, result: Any, error: BaseException | None) -> None:
            ended.append((type(result), error))

    viking_wire.reply_chunks(200, [b"1"])
    viking_client(Notes, plugins=[Listener()]).call(WATCH)
    assert ended == [(StreamedResponse, None)]
