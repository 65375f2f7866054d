"""What a transport promises of responses that are left open."""

from __future__ import annotations

import threading

import pytest

from vikingdb_core.exceptions import ConnectionLost, RequestTimeout

from ..loopback import Connection
from .carrying import Carrying, request_to
from .driven import DrivenStream
from .failing import BRIEF, falls_silent_after, says

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_FIRST = _HEAD + b"9\r\ndata: 1\n\n\r\n"


class Streaming(Carrying, contract=True, network=True):
    """A stream is read as it arrives, and ends one way or another."""

    def test_each_piece_is_read_before_the_next_is_sent(self) -> None:
        """A piece is handed on when it arrives: it waits neither for the next nor for a full buffer."""
        was_read = threading.Event()

        def serve(connection: Connection) -> None:
            connection.read_request()
            connection.send(_FIRST)
            if was_read.wait(self.patience_seconds):
                connection.send(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")

        with self._over_network(serve) as (driven, endpoint, _):
            stream = driven.stream(request_to(endpoint), self.patient)
            assert isinstance(stream, DrivenStream)
            assert stream.status == 200
            assert stream.headers["Content-Type"] == "text/event-stream"
            assert stream.read() == b"data: 1\n\n"
            was_read.set()
            assert stream.read_all() == b"data: 2\n\n"

    def test_a_stream_closed_early_lets_its_connection_go(self) -> None:
        """Closing a stream before its end closes its connection: the server stops. Closing it again does nothing."""
        left = threading.Event()

        def serve(connection: Connection) -> None:
            connection.read_request()
            connection.send(_FIRST)
            connection.wait_for_the_client_to_close()
            left.set()

        with self._over_network(serve) as (driven, endpoint, _):
            stream = driven.stream(request_to(endpoint), self.patient)
            assert isinstance(stream, DrivenStream)
            assert stream.read() == b"data: 1\n\n"
            stream.close()
            assert left.wait(self.patience_seconds), "the server still waits for its client"
            stream.close()

    def test_a_stream_that_breaks_off_says_so(self) -> None:
        """A connection that ends before the stream does is a ``ConnectionLost`` where the next piece is read."""
        with self._over_network(says(_FIRST)) as (driven, endpoint, _):
            stream = driven.stream(request_to(endpoint), self.patient)
            assert isinstance(stream, DrivenStream)
            assert stream.read() == b"data: 1\n\n"
            with pytest.raises(ConnectionLost) as caught:
                stream.read()
        assert caught.value.sent is True

    def test_a_stream_that_falls_silent_times_out(self) -> None:
        """For a stream ``timeouts.total`` bounds the wait for each piece, not the whole."""
        with self._over_network(falls_silent_after(_FIRST)) as (driven, endpoint, _):
            stream = driven.stream(request_to(endpoint), BRIEF)
            assert isinstance(stream, DrivenStream)
            assert stream.read() == b"data: 1\n\n"
            with pytest.raises(RequestTimeout):
                stream.read()
