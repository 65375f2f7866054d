"""What goes wrong on the way, and whether the service may have seen the request."""

from __future__ import annotations

import gzip
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
from urllib3.exceptions import InsecureRequestWarning

from pytest_vikingdb import VirtualClock
from tests.support.http import BRIEF, PATIENT, request_to
from tests.support.notes import Notes
from tests.support.server import CERTIFICATE, Connection, LoopbackServer, Serve, free_port
from vikingdb_core.effects import Timeouts
from vikingdb_core.exceptions import (
    ConfigError,
    ConnectError,
    ConnectionLost,
    DecodeError,
    RequestTimeout,
    TransportError,
    VikingDBError,
)
from vikingdb_core.transport import https
from vikingdb_core.transport.base import TransportSettings
from vikingdb_core.transport.https import RequestsTransport


@pytest.fixture
def transport() -> Iterator[RequestsTransport]:
    made = RequestsTransport()
    yield made
    made.close()


def silent(connection: Connection) -> None:
    connection.read_request()
    connection.wait_for_the_client_to_close()


def hangs_up(connection: Connection) -> None:
    connection.read_request()


def resets(connection: Connection) -> None:
    connection.read_request()
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close sends a reset


def talks_nonsense(connection: Connection) -> None:
    connection.read_request()
    connection.send(b"SSH-2.0-something\r\n\r\n")


def stops_in_the_status_line(connection: Connection) -> None:
    connection.read_request()
    connection.send(b"HTTP/1.1 2")


def stops_in_the_body(connection: Connection) -> None:
    connection.read_request()
    connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"code":')


def stops_between_chunks(connection: Connection) -> None:
    connection.read_request()
    connection.send(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{"code":\r\n')


def stops_in_a_chunk(connection: Connection) -> None:
    connection.read_request()
    connection.send(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n80\r\n{"code":')


def says_gzip_and_sends_something_else(connection: Connection) -> None:
    connection.read_request()
    connection.reply(200, b"{}", b"Content-Encoding: gzip")


def silent_after_half(connection: Connection) -> None:
    stops_in_the_body(connection)
    connection.wait_for_the_client_to_close()


def silent_between_chunks(connection: Connection) -> None:
    stops_between_chunks(connection)
    connection.wait_for_the_client_to_close()


@pytest.mark.parametrize(
    "serve",
    [
        hangs_up,
        resets,
        talks_nonsense,
        stops_in_the_status_line,
        stops_in_the_body,
        stops_between_chunks,
        stops_in_a_chunk,
        says_gzip_and_sends_something_else,
    ],
)
def test_a_connection_that_breaks_after_the_request_is_lost_and_the_request_may_have_been_processed(
    transport: RequestsTransport, serve: Serve
) -> None:
    with LoopbackServer(serve) as server, pytest.raises(ConnectionLost, match=f"127.0.0.1:{server.port}") as caught:
        transport.send(request_to(server.url), PATIENT)
    assert caught.value.sent
    assert isinstance(caught.value, ConnectionError)
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize("serve", [silent, silent_after_half, silent_between_chunks])
def test_a_server_that_falls_silent_is_a_timeout_and_the_request_may_have_been_processed(
    transport: RequestsTransport, serve: Serve
) -> None:
    with LoopbackServer(serve) as server, pytest.raises(RequestTimeout) as caught:
        transport.send(request_to(server.url), BRIEF)
    assert caught.value.sent
    assert isinstance(caught.value, TimeoutError)


def trickle(connection: Connection, head: bytes, piece: bytes) -> None:
    connection.read_request()
    connection.send(head)
    for _ in range(30):  # longer than the attempt may take, but not for ever: a test that fails should end
        connection.send(piece)
        connection.server.notes.append("piece")
        connection.server.stopping.wait(0.02)


def trickles_a_long_body(connection: Connection) -> None:
    trickle(connection, b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n", b" ")


def trickles_chunks(connection: Connection) -> None:
    trickle(connection, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n")
    connection.send(b"0\r\n\r\n")


def trickles_without_an_end(connection: Connection) -> None:
    trickle(connection, b"HTTP/1.1 200 OK\r\n\r\n", b" ")


@pytest.mark.parametrize("serve", [trickles_a_long_body, trickles_chunks, trickles_without_an_end])
def test_a_server_that_trickles_its_answer_does_not_outlast_the_attempt(
    transport: RequestsTransport, serve: Serve
) -> None:
    with LoopbackServer(serve) as server:
        with pytest.raises(RequestTimeout) as caught:
            transport.send(request_to(server.url), BRIEF)
        assert len(server.notes) < 30, "the client waited to the end"
    assert caught.value.sent


@pytest.mark.xfail(reason="the socket's timeout starts anew with every byte of the head", strict=True)
def test_a_server_that_trickles_its_headers_does_not_outlast_the_attempt(transport: RequestsTransport) -> None:
    with LoopbackServer(lambda connection: trickle(connection, b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n")) as server:
        with pytest.raises(RequestTimeout):
            transport.send(request_to(server.url), BRIEF)
        assert len(server.notes) < 30, "the client waited to the end"


def test_an_answer_that_is_endless_once_unpacked_is_given_up(
    transport: RequestsTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(https, "LONGEST_BODY_BYTES", 1 << 20)
    packed = gzip.compress(bytes(64 << 20))

    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed))
        connection.send(packed)

    with LoopbackServer(serve) as server, pytest.raises(DecodeError, match="longer than 1048576 bytes"):
        transport.send(request_to(server.url), PATIENT)


def test_a_refused_connection_was_never_sent(transport: RequestsTransport) -> None:
    with pytest.raises(ConnectError, match="could not connect") as caught:
        transport.send(request_to(f"http://127.0.0.1:{free_port()}"), PATIENT)
    assert not caught.value.sent
    assert isinstance(caught.value, ConnectionError)


@contextmanager
def full_backlog() -> Iterator[int]:
    """A port whose queue is full, so that another connection is neither taken nor refused."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        for _ in range(4):
            queued = socket.socket()
            queued.setblocking(False)
            queued.connect_ex(listener.getsockname())
            waiting.append(queued)
        try:
            yield listener.getsockname()[1]
        finally:
            for queued in waiting:
                queued.close()


@pytest.mark.skipif(not os.path.exists("/proc/net/tcp"), reason="only Linux lets a full queue keep silent")
def test_a_connection_that_is_not_made_in_time_was_never_sent(transport: RequestsTransport) -> None:
    with full_backlog() as port, pytest.raises(ConnectError, match="in time") as caught:
        transport.send(request_to(f"http://127.0.0.1:{port}"), Timeouts(connect=0.1, total=5))
    assert not caught.value.sent


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "..example"])
def test_a_host_name_that_cannot_be_looked_up_is_an_error_of_ours(transport: RequestsTransport, host: str) -> None:
    with pytest.raises(ConnectError) as caught:
        transport.send(request_to(f"http://{host}"), PATIENT)
    assert not caught.value.sent


def test_a_kept_connection_that_the_server_has_closed_meanwhile_is_replaced(transport: RequestsTransport) -> None:
    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.reply()
        connection.socket.close()
        connection.server.notes.append("closed")

    with LoopbackServer(serve) as server:
        for turn in range(3):
            assert transport.send(request_to(server.url), PATIENT).ok
            server.wait_for_notes(turn + 1)
    assert [received.connection for received in server.received] == [0, 1, 2]


def test_no_error_of_the_transport_shows_a_header(transport: RequestsTransport) -> None:
    headers = {"Authorization": "Bearer very-secret"}
    with LoopbackServer(hangs_up) as server, pytest.raises(TransportError) as caught:
        transport.send(request_to(server.url, headers=headers), PATIENT)
    assert "very-secret" not in str(caught.value) + repr(caught.value)


# TLS


def test_an_untrusted_certificate_ends_the_attempt_before_anything_is_sent(transport: RequestsTransport) -> None:
    with LoopbackServer(tls=True) as server, pytest.raises(ConnectError, match="certificate") as caught:
        transport.send(request_to(server.url), PATIENT)
    assert not caught.value.sent
    assert server.received == []


@pytest.mark.parametrize("how", ["setting", "environment", "no check"])
def test_a_certificate_one_has_chosen_to_trust_is_accepted(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    choices: dict[str, bool | str] = {"setting": str(CERTIFICATE), "environment": True, "no check": False}
    if how == "environment":
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    transport = RequestsTransport(TransportSettings(verify=choices[how]))
    with LoopbackServer(tls=True) as server:
        with pytest.warns(InsecureRequestWarning) if how == "no check" else nullcontext():
            assert transport.send(request_to(server.url), PATIENT).ok
        transport.close()


def test_a_certificate_for_another_host_is_refused() -> None:
    transport = RequestsTransport(TransportSettings(verify=str(CERTIFICATE)))
    with LoopbackServer(tls=True) as server, pytest.raises(ConnectError, match="certificate"):
        transport.send(request_to(f"https://localhost:{server.port}"), PATIENT)
    assert server.received == []


def test_tls_to_a_server_without_tls_sends_nothing(transport: RequestsTransport) -> None:
    def serve(connection: Connection) -> None:
        connection.send(b"HTTP/1.1 400 no\r\n\r\n")

    with LoopbackServer(serve) as server, pytest.raises(TransportError):
        transport.send(request_to(f"https://127.0.0.1:{server.port}"), PATIENT)
    assert server.received == []


def test_tls_that_breaks_after_the_request_does_not_pass_for_a_request_that_was_never_sent() -> None:
    def serve(connection: Connection) -> None:
        connection.read_request()
        with socket.socket(fileno=os.dup(connection.socket.fileno())) as plain:
            plain.sendall(b"HTTP/1.1 500 in clear text, where a TLS record should be\r\n\r\n" * 4)
        connection.wait_for_the_client_to_close()

    transport = RequestsTransport(TransportSettings(verify=str(CERTIFICATE)))
    with LoopbackServer(serve, tls=True) as server, pytest.raises(TransportError) as caught:
        transport.send(request_to(server.url), PATIENT)
    assert len(server.received) == 1
    assert caught.value.sent


def test_a_ca_bundle_that_does_not_exist_is_an_error_of_ours(tmp_path: Path) -> None:
    transport = RequestsTransport(TransportSettings(verify=str(tmp_path / "absent.pem")))
    with LoopbackServer(tls=True) as server, pytest.raises(ConfigError, match=r"absent\.pem"):
        transport.send(request_to(server.url), PATIENT)


# Through a client


def test_a_ca_bundle_that_is_none_is_an_error_of_ours(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("no certificate\n")
    transport = RequestsTransport(TransportSettings(verify=str(bundle)))
    with LoopbackServer(tls=True) as server, pytest.raises(ConfigError, match=r"ca\.pem"):
        transport.send(request_to(server.url), PATIENT)
    transport.close()


def test_an_unsafe_call_to_a_server_that_hangs_up_is_sent_once() -> None:
    with (
        LoopbackServer(hangs_up) as server,
        Notes(endpoint=server.url) as notes,
        pytest.raises(ConnectionLost) as caught,
    ):
        notes.shelf().add({"text": "once"})
    assert len(server.received) == 1
    assert caught.value.operation == "notes.add"


def test_a_read_from_a_server_that_hangs_up_once_succeeds(viking_clock: VirtualClock) -> None:
    def serve(connection: Connection) -> None:
        if connection.number == 0:
            hangs_up(connection)
        elif connection.read_request():
            connection.reply()

    with LoopbackServer(serve) as server, Notes(endpoint=server.url, clock=viking_clock) as notes:
        assert notes.shelf().read().code == "Success"
    assert len(server.received) == 2


def test_a_name_that_does_not_resolve_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(VikingDBError) as caught:
        RequestsTransport().send(request_to("http://nowhere.example"), PATIENT)
    assert isinstance(caught.value, ConnectError)
