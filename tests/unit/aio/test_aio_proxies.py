"""Proxies: those of the settings, else those of the environment, and never one for a host that is excepted."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress

import pytest

from tests.support.http import PATIENT, request_to
from tests.support.notes import AsyncNotes
from tests.support.server import CERTIFICATE, Connection, LoopbackServer, free_port
from vikingdb_aio import AiohttpTransport
from vikingdb_core.credentials import NoAuth
from vikingdb_core.exceptions import ConnectError, ConnectionLost, TransportError
from vikingdb_core.messages import Request, Response
from vikingdb_core.transport import TransportSettings

FAR = "http://vikingdb.example"


def send(request: Request, *, times: int = 1, **settings: object) -> Response:
    """Send by a transport of its own, as often as asked; the last answer."""
    transport = AiohttpTransport(settings=TransportSettings(**settings))  # type: ignore[arg-type]

    async def go() -> Response:
        try:
            return [await transport.send(request, PATIENT) for _ in range(times)][-1]
        finally:
            await transport.close()

    return asyncio.run(go())


def tunnels(connection: Connection) -> None:
    """Connect to where it is asked, and carry bytes both ways."""
    asked = connection.read_request()
    assert asked is not None
    host, _, port = asked.target.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=5) as there:
        connection.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        back = threading.Thread(target=_carry, args=(there, connection.socket), daemon=True)
        back.start()
        _carry(connection.socket, there)
        back.join(5)


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def refuses_tunnels(connection: Connection) -> None:
    connection.read_request()
    connection.send(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")


def hangs_up(connection: Connection) -> None:
    connection.read_request()


def test_a_proxy_of_the_settings_is_used_and_its_connection_kept() -> None:
    with LoopbackServer() as proxy:
        assert send(request_to(FAR), times=2, proxies={"http": proxy.url}).ok
    assert [each.target for each in proxy.received] == ["http://vikingdb.example/api/notes/read"] * 2
    assert proxy.received[0].headers["Host"] == "vikingdb.example"
    assert proxy.connections == 1


def test_the_address_reaches_a_proxy_as_it_was_signed() -> None:
    with LoopbackServer() as proxy:
        send(request_to(FAR, path="/a%2Fb~c", query=(("q", "a b/é"),)), proxies={"http": proxy.url})
    assert proxy.received[0].target == "http://vikingdb.example/a%252Fb~c?q=a%20b%2F%C3%A9"


@pytest.mark.parametrize("credentials", ["", "user:pass@"])
def test_https_goes_through_a_tunnel_that_is_kept(credentials: str) -> None:
    with LoopbackServer(tls=True) as server, LoopbackServer(tunnels) as proxy:
        proxies = {"https": proxy.url.replace("//", f"//{credentials}")}
        secret = {"Authorization": "Bearer mine"}
        assert send(request_to(server.url, headers=secret), times=2, proxies=proxies, verify=str(CERTIFICATE)).ok
    (asked,) = proxy.received
    assert (asked.method, asked.target) == ("CONNECT", f"127.0.0.1:{server.port}")
    assert asked.headers.get("Proxy-Authorization") == ("Basic dXNlcjpwYXNz" if credentials else None)
    assert "Authorization" not in asked.headers
    assert len(server.received) == 2
    for received in server.received:
        assert "Proxy-Authorization" not in received.headers
        assert received.target == "/api/notes/read"


@pytest.mark.parametrize("proxies", ["string", "mapping"])
def test_a_client_takes_a_proxy_as_a_url_or_by_scheme(proxies: str) -> None:
    async def read(proxy: LoopbackServer) -> str | None:
        given = proxy.url if proxies == "string" else {"http": proxy.url}
        async with AsyncNotes(endpoint=FAR, auth=NoAuth(), proxies=given) as notes:
            return (await notes.shelf().read()).code

    with LoopbackServer() as proxy:
        assert asyncio.run(read(proxy)) == "Success"
    assert proxy.received[0].target == "http://vikingdb.example/api/notes/read"


def test_a_proxy_may_be_written_without_its_scheme() -> None:
    with LoopbackServer() as proxy:
        assert send(request_to(FAR), proxies={"all": f"127.0.0.1:{proxy.port}"}).ok
    assert proxy.received[0].target.startswith(FAR)


def test_a_proxy_is_spoken_to_by_tls_when_its_address_says_so() -> None:
    with LoopbackServer(tls=True) as proxy:
        assert send(request_to(FAR), proxies={"http": proxy.url}, verify=str(CERTIFICATE)).ok
    assert proxy.received[0].target.startswith(FAR)


def test_a_proxy_gets_the_user_name_and_password_of_its_url_and_the_service_does_not() -> None:
    with LoopbackServer() as proxy:
        address = proxy.url.replace("//", "//user:pass@")
        send(request_to(FAR, headers={"Authorization": "Bearer mine"}), times=2, proxies={"http": address})
    for received in proxy.received:
        assert received.headers["Proxy-Authorization"] == "Basic dXNlcjpwYXNz"
        assert received.headers["Authorization"] == "Bearer mine"


@pytest.mark.parametrize("half", ["user", ":pass"])
def test_a_user_name_or_a_password_alone_is_not_sent_to_a_proxy(half: str) -> None:
    with LoopbackServer() as proxy:
        send(request_to(FAR), proxies={"http": proxy.url.replace("//", f"//{half}@")})
    assert "Proxy-Authorization" not in proxy.received[0].headers


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_used(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopbackServer() as proxy:
        monkeypatch.setenv(name, proxy.url)
        assert send(request_to(FAR)).ok
    assert proxy.received[0].target.startswith(FAR)


@pytest.mark.parametrize("excepted", ["127.0.0.1", "*", "example.com,127.0.0.0/8"])
def test_a_host_the_environment_excepts_is_reached_directly(excepted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("NO_PROXY", excepted)
    with LoopbackServer() as server:
        assert send(request_to(server.url)).ok
    assert server.received[0].target == "/api/notes/read"


def test_the_settings_prevail_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    with LoopbackServer() as server:
        assert send(request_to(server.url), proxies={}).ok


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_cannot_be_reached_means_never_sent(scheme: str) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(ConnectError, match="proxy") as caught:
        send(request_to(f"{scheme}://vikingdb.example"), proxies={"http": address, "https": address})
    assert not caught.value.sent


def test_a_proxy_that_refuses_a_tunnel_means_never_sent() -> None:
    with LoopbackServer(refuses_tunnels) as proxy, pytest.raises(ConnectError, match="407") as caught:
        send(request_to("https://vikingdb.example"), proxies={"https": proxy.url})
    assert not caught.value.sent
    assert proxy.received[0].method == "CONNECT"
    assert proxy.received[0].target == "vikingdb.example:443"


def test_a_proxy_that_hangs_up_before_there_is_a_tunnel_means_never_sent() -> None:
    with LoopbackServer(hangs_up) as proxy, pytest.raises(ConnectError, match="proxy") as caught:
        send(request_to("https://vikingdb.example"), proxies={"https": proxy.url})
    assert not caught.value.sent


def test_a_proxy_that_hangs_up_after_the_request_may_have_passed_it_on() -> None:
    with LoopbackServer(hangs_up) as proxy, pytest.raises(ConnectionLost) as caught:
        send(request_to(FAR), proxies={"http": proxy.url})
    assert caught.value.sent


@pytest.mark.parametrize("serve", [refuses_tunnels, hangs_up])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_password_in_a_proxy_url_is_in_no_error(scheme: str, serve: object) -> None:
    for listens in (True, False):
        with LoopbackServer(serve) as proxy:  # type: ignore[arg-type]
            port = proxy.port if listens else free_port()
            address = f"http://user:hidden-word@127.0.0.1:{port}"
            try:
                assert send(request_to(f"{scheme}://vikingdb.example"), proxies={scheme: address}).status == 407
            except TransportError as caught:
                error: BaseException | None = caught
                while error is not None:
                    assert "hidden-word" not in str(error) + repr(error) + repr(vars(error))
                    error = error.__cause__


@pytest.mark.parametrize("address", ["socks5://127.0.0.1:1", "nonsense://127.0.0.1:1", "http://", "http://[::1"])
def test_a_proxy_that_cannot_be_used_means_never_sent(address: str) -> None:
    with pytest.raises(ConnectError) as caught:
        send(request_to(FAR), proxies={"http": address})
    assert not caught.value.sent
