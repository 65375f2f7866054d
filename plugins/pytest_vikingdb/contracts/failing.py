"""What a transport promises when no complete response arrives."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from vikingdb_core.effects import Timeouts
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.exceptions import ConnectError, ConnectionLost, RequestTimeout, TransportError

from ..loopback import Connection, Serve, free_port
from .carrying import Carrying, request_to, serve_answers

BRIEF = Timeouts(connect=10, total=0.1)


def hangs_up(connection: Connection) -> None:
    connection.read_request()


def resets(connection: Connection) -> None:
    connection.read_request()
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close sends a reset


def says(data: bytes) -> Serve:
    """Says this, and hangs up."""

    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.send(data)

    return serve


def falls_silent_after(data: bytes) -> Serve:
    """Says this, and then nothing."""

    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.send(data)
        connection.wait_for_the_client_to_close()

    return serve


def trickles(head: bytes, piece: Callable[[], bytes]) -> Serve:
    """Says a little every now and then, for longer than an attempt may take, but not for ever."""

    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.send(head)
        for _ in range(60):
            connection.send(piece())
            connection.server.notes.append("a piece")
            connection.server.stopping.wait(0.02)

    return serve


_HALF_A_BODY = b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"code":'
_HALF_A_CHUNK = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n80\r\n{"code":'
_ONE_CHUNK = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{"code":\r\n'


class Failing(Carrying, contract=True, network=True):
    """Every failure is a ``TransportError``, and its ``sent`` is true to what happened: retries depend on it."""

    def test_a_refused_connection_was_never_sent(self) -> None:
        """When nobody listens it is a ``ConnectError``, and ``sent`` is ``False``: every call may be tried again."""
        with self._over_network() as (driven, _, _server), pytest.raises(ConnectError) as caught:
            driven.send(request_to(Endpoint("http", "127.0.0.1", free_port())), self.patient)
        assert caught.value.sent is False

    @pytest.mark.parametrize(
        "serve",
        [
            hangs_up,
            resets,
            says(b"SSH-2.0-something\r\n\r\n"),
            says(b"HTTP/1.1 2"),
            says(_HALF_A_BODY),
            says(_HALF_A_CHUNK),
            says(_ONE_CHUNK),
        ],
        ids=["nothing", "reset", "nonsense", "half a status", "half a body", "half a chunk", "between chunks"],
    )
    def test_a_connection_that_breaks_may_have_been_processed(self, serve: Serve) -> None:
        """When the connection ends before the response is complete it is a ``ConnectionLost``, and ``sent`` is
        ``True``: the service may have processed the request, and an unsafe call is not tried again."""
        with self._over_network(serve) as (driven, endpoint, server), pytest.raises(ConnectionLost) as caught:
            driven.send(request_to(endpoint), self.patient)
        assert caught.value.sent is True
        assert len(server.received) == 1, "it was sent again, behind the caller's back"

    @pytest.mark.parametrize(
        "serve", [falls_silent_after(b""), falls_silent_after(_HALF_A_BODY)], ids=["at once", "in the body"]
    )
    def test_a_server_that_falls_silent_is_a_timeout(self, serve: Serve) -> None:
        """When the answer is not there within ``timeouts.total`` seconds it is a ``RequestTimeout``, and ``sent`` is
        ``True``."""
        with self._over_network(serve) as (driven, endpoint, _), pytest.raises(RequestTimeout) as caught:
            driven.send(request_to(endpoint), BRIEF)
        assert caught.value.sent is True

    @pytest.mark.parametrize(
        "serve",
        [
            trickles(b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n", lambda: b" "),
            trickles(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", lambda: b"1\r\n \r\n"),
        ],
        ids=["a long body", "chunks"],
    )
    def test_a_server_that_trickles_does_not_outlast_the_attempt(self, serve: Serve) -> None:
        """``timeouts.total`` bounds the attempt to the last byte of the body, not the wait for the next one."""
        with self._over_network(serve) as (driven, endpoint, server):
            with pytest.raises(RequestTimeout):
                driven.send(request_to(endpoint), BRIEF)
            assert len(server.notes) < 60, "it waited to the end"

    def test_a_failure_shows_no_header_and_keeps_its_cause(self) -> None:
        """What an error shows has no header in it, and names the endpoint. Its cause is kept."""
        with self._over_network(hangs_up) as (driven, endpoint, _), pytest.raises(TransportError) as caught:
            driven.send(request_to(endpoint, headers={"Authorization": "Bearer very-secret"}), self.patient)
        assert "very-secret" not in str(caught.value) + repr(caught.value) + repr(vars(caught.value))
        assert endpoint.netloc in str(caught.value)
        assert caught.value.__cause__ is not None

    def test_a_failure_leaves_it_usable(self) -> None:
        """After a connection that broke, the next request gets another one."""

        def serve(connection: Connection) -> None:
            if connection.number == 0:
                connection.read_request()
            else:
                serve_answers(connection)

        with self._over_network(serve) as (driven, endpoint, _):
            with pytest.raises(ConnectionLost):
                driven.send(request_to(endpoint), self.patient)
            assert driven.send(self.make_request(endpoint, "again"), self.patient).ok
