"""What goes wrong on the way, and whether the service may have seen the request."""

from __future__ import annotations

import asyncio
import gzip
import os
import socket
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_vikingdb.contracts.failing import BRIEF, hangs_up, says, trickles
from tests.support.http import PATIENT, request_to
from tests.support.server import CERTIFICATE, Connection, LoopbackServer, free_port
from vikingdb_aio import AiohttpTransport, transport
from vikingdb_core.effects import Timeouts
from vikingdb_core.exceptions import (
    ConfigError,
    ConnectError,
    ConnectionLost,
    DecodeError,
    RequestError,
    RequestTimeout,
    TransportError,
)
from vikingdb_core.messages import Request, Response
from vikingdb_core.transport import TransportSettings


def send(request: Request, timeouts: Timeouts = PATIENT, **settings: object) -> Response:
    """Send by a transport of its own."""
    transport = AiohttpTransport(settings=TransportSettings(**settings))  # type: ignore[arg-type]

    async def go() -> Response:
        try:
            return await transport.send(request, timeouts)
        finally:
            await transport.close()

    return asyncio.run(go())


def says_gzip_and_sends_something_else(connection: Connection) -> None:
    connection.read_request()
    connection.reply(200, b"{}", b"Content-Encoding: gzip")


def test_what_cannot_be_decompressed_is_lost() -> None:
    with LoopbackServer(says_gzip_and_sends_something_else) as server, pytest.raises(ConnectionLost) as caught:
        send(request_to(server.url))
    assert caught.value.sent


def test_an_answer_too_long_for_memory_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.reply(200, gzip.compress(bytes(8 << 20)), b"Content-Encoding: gzip")
        connection.wait_for_the_client_to_close()

    monkeypatch.setattr(transport, "LONGEST_BODY_BYTES", 4 << 20)
    with LoopbackServer(serve) as server, pytest.raises(DecodeError, match="longer than 4194304 bytes"):
        send(request_to(server.url))


def test_an_error_of_a_broken_connection_names_the_endpoint_and_keeps_a_cause_without_secrets() -> None:
    request = {"headers": {"Authorization": "Bearer very-secret"}}
    for serve in (hangs_up, says(b"SSH-2.0-something\r\n\r\n"), says(b"HTTP/1.1 2")):
        with LoopbackServer(serve) as server, pytest.raises(ConnectionLost, match=f"127.0.0.1:{server.port}") as caught:
            send(request_to(server.url, **request))  # type: ignore[arg-type]
        error: BaseException | None = caught.value
        assert error is not None
        assert error.__cause__ is not None
        assert error.__context__ in (None, error.__cause__)
        assert "very-secret" not in "".join(traceback.format_exception(error))
        while error is not None:
            assert "very-secret" not in repr(error) + repr(vars(error))
            error = error.__cause__


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n"),
        (b"HTTP/1.1 200 OK\r\nX-More: ", b"1"),
        (b"", b"H"),
    ],
    ids=["a body", "chunks", "a body without end", "headers", "a header", "a status line"],
)
def test_a_server_that_trickles_does_not_outlast_the_attempt(head: bytes, piece: bytes) -> None:
    with LoopbackServer(trickles(head, lambda: piece)) as server:
        with pytest.raises((RequestTimeout, ConnectionLost)) as caught:
            send(request_to(server.url), BRIEF)
        assert len(server.notes) < 60, "the client waited to the end"
    assert caught.value.sent
    assert isinstance(caught.value, RequestTimeout) or not head


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
@pytest.mark.parametrize("timeouts", [Timeouts(0.1, 5), Timeouts(0.1, 0.1)], ids=["connect", "total"])
def test_a_connection_that_is_not_made_in_time_was_never_sent(timeouts: Timeouts) -> None:
    with full_backlog() as port, pytest.raises(ConnectError, match="in time") as caught:
        send(request_to(f"http://127.0.0.1:{port}"), timeouts)
    assert not caught.value.sent


def test_a_request_that_no_connection_became_free_for_was_never_sent() -> None:
    """The pool's only connection is taken for longer than the attempt may last."""

    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.server.notes.append("taken")
        connection.wait_for_the_client_to_close()

    async def go(server: LoopbackServer) -> TransportError:
        transport = AiohttpTransport(settings=TransportSettings(pool_maxsize=1))
        taking = asyncio.create_task(transport.send(request_to(server.url), PATIENT))
        await asyncio.to_thread(server.wait_for_notes, 1)
        with pytest.raises(ConnectError, match=r"no connection to .* became free in time.*pool_maxsize") as caught:
            await transport.send(request_to(server.url), Timeouts(0.05, 0.1))
        await transport.close()
        with pytest.raises(ConnectionLost):
            await taking
        return caught.value

    with LoopbackServer(serve) as server:
        assert not asyncio.run(go(server)).sent
    assert len(server.received) == 1


def test_the_time_to_connect_is_not_spent_waiting_for_the_pool() -> None:
    def serve(connection: Connection) -> None:
        while connection.read_request():
            connection.server.notes.append("taken")
            connection.server.stopping.wait(0.1)
            connection.reply()

    async def go(server: LoopbackServer) -> None:
        transport = AiohttpTransport(settings=TransportSettings(pool_maxsize=1))
        sending = [transport.send(request_to(server.url), Timeouts(0.05, 5)) for _ in range(3)]
        assert all(response.ok for response in await asyncio.gather(*sending))
        await transport.close()

    with LoopbackServer(serve) as server:
        asyncio.run(go(server))
    assert server.connections == 1


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "..example"])
def test_a_host_name_that_cannot_be_looked_up_is_an_error_of_ours(host: str) -> None:
    with pytest.raises(ConnectError) as caught:
        send(request_to(f"http://{host}"))
    assert not caught.value.sent


def test_a_name_that_does_not_resolve_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ConnectError, match="Name or service not known") as caught:
        send(request_to("http://nowhere.example"))
    assert not caught.value.sent


def test_closing_a_transport_ends_what_it_is_doing_and_what_waits_for_it() -> None:
    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.server.notes.append("seen")
        connection.wait_for_the_client_to_close()

    async def go(server: LoopbackServer) -> list[BaseException]:
        transport = AiohttpTransport(settings=TransportSettings(pool_maxsize=1))
        sending = [asyncio.create_task(transport.send(request_to(server.url), PATIENT)) for _ in range(2)]
        await asyncio.to_thread(server.wait_for_notes, 1)
        await transport.close()
        return await asyncio.gather(*sending, return_exceptions=True)  # type: ignore[return-value]

    with LoopbackServer(serve) as server:
        ended = asyncio.run(go(server))
    assert {type(error) for error in ended} == {ConnectionLost, RequestError}  # whichever was first to have it


def test_closing_a_transport_while_it_connects_is_not_taken_for_a_failure_to_connect() -> None:
    async def go(url: str) -> None:
        transport = AiohttpTransport()
        sending = [asyncio.create_task(transport.send(request_to(url), PATIENT)) for _ in range(20)]
        while not transport._pools:
            await asyncio.sleep(0)
        await transport.close()
        for ended in await asyncio.gather(*sending, return_exceptions=True):
            assert isinstance(ended, RequestError)
            assert "closed" in str(ended)

    with LoopbackServer() as server:
        asyncio.run(go(server.url))
    assert server.received == []


# TLS


def test_an_untrusted_certificate_ends_the_attempt_before_anything_is_sent() -> None:
    with LoopbackServer(tls=True) as server, pytest.raises(ConnectError, match="certificate") as caught:
        send(request_to(server.url))
    assert not caught.value.sent
    assert server.received == []


@pytest.mark.parametrize("how", ["setting", "folder", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "no check"])
def test_a_certificate_one_has_chosen_to_trust_is_accepted(
    how: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    verify: bool | str = {"setting": str(CERTIFICATE), "folder": str(tmp_path), "no check": False}.get(how, True)
    if how == "folder":
        (tmp_path / "88d0bdcb.0").write_text(CERTIFICATE.read_text())  # what openssl x509 -subject_hash says of it
    elif verify is True:
        monkeypatch.setenv(how, str(CERTIFICATE))
    with LoopbackServer(tls=True) as server:
        assert send(request_to(server.url), verify=verify).ok


def test_a_certificate_for_another_host_is_refused() -> None:
    with LoopbackServer(tls=True) as server, pytest.raises(ConnectError, match="certificate"):
        send(request_to(f"https://localhost:{server.port}"), verify=str(CERTIFICATE))
    assert server.received == []


def test_the_certificates_to_believe_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import ssl

    read: list[object] = []
    make = ssl.create_default_context
    monkeypatch.setattr(ssl, "create_default_context", lambda **given: read.append(given) or make(**given))  # type: ignore[func-returns-value]

    async def go(*urls: str) -> None:
        for url in urls:
            await asyncio.gather(*(transport.send(request_to(url), PATIENT) for _ in range(4)))

    transport = AiohttpTransport(settings=TransportSettings(verify=str(CERTIFICATE)))
    with LoopbackServer(tls=True) as server, LoopbackServer(tls=True) as other:
        for _ in range(2):
            asyncio.run(go(server.url, other.url))
        asyncio.run(transport.close())
    assert read == [{"cafile": str(CERTIFICATE), "capath": None}]


def test_tls_to_a_server_without_tls_sends_nothing() -> None:
    def serve(connection: Connection) -> None:
        connection.send(b"HTTP/1.1 400 no\r\n\r\n")

    with LoopbackServer(serve) as server, pytest.raises(ConnectError) as caught:
        send(request_to(f"https://127.0.0.1:{server.port}"))
    assert not caught.value.sent
    assert server.received == []


def test_tls_that_breaks_after_the_request_does_not_pass_for_a_request_that_was_never_sent() -> None:
    def serve(connection: Connection) -> None:
        connection.read_request()
        with socket.socket(fileno=os.dup(connection.socket.fileno())) as plain:
            plain.sendall(b"HTTP/1.1 500 in clear text, where a TLS record should be\r\n\r\n" * 4)
        connection.wait_for_the_client_to_close()

    with LoopbackServer(serve, tls=True) as server, pytest.raises(TransportError) as caught:
        send(request_to(server.url), verify=str(CERTIFICATE))
    assert len(server.received) == 1
    assert caught.value.sent


@pytest.mark.parametrize("contents", [None, "", "no certificate"])
def test_a_ca_bundle_that_is_none_is_an_error_of_ours(tmp_path: Path, contents: str | None) -> None:
    bundle = tmp_path / "absent.pem"
    if contents is not None:
        bundle.write_text(contents)
    with LoopbackServer(tls=True) as server, pytest.raises(ConfigError, match=r"absent\.pem"):
        send(request_to(server.url), verify=str(bundle))


def test_https_breaks_like_http() -> None:
    with LoopbackServer(hangs_up, tls=True) as server, pytest.raises(ConnectionLost):
        send(request_to(server.url), verify=str(CERTIFICATE))
    with pytest.raises(ConnectError):
        send(request_to(f"https://127.0.0.1:{free_port()}"), verify=str(CERTIFICATE))
