"""Proxies: those of the settings, else those of the environment, and never one for a host that is excepted."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from urllib3.exceptions import InsecureRequestWarning

from tests.support.http import PATIENT, request_to
from tests.support.notes import Notes
from tests.support.server import CERTIFICATE, Connection, LoopbackServer, free_port
from vikingdb_core.credentials import NoAuth
from vikingdb_core.exceptions import ConfigError, ConnectError, ConnectionLost, TransportError
from vikingdb_core.transport.base import TransportSettings
from vikingdb_core.transport.https import RequestsTransport

FAR = "http://vikingdb.example"


def refuses_tunnels(connection: Connection) -> None:
    connection.read_request()
    connection.send(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")


def hangs_up(connection: Connection) -> None:
    connection.read_request()


def test_a_proxy_of_the_settings_is_used() -> None:
    with LoopbackServer() as proxy:
        transport = RequestsTransport(TransportSettings(proxies={"http": proxy.url}))
        assert transport.send(request_to(FAR), PATIENT).ok
        transport.close()
    assert proxy.received[0].target == "http://vikingdb.example/api/notes/read"
    assert proxy.received[0].headers["Host"] == "vikingdb.example"


@pytest.mark.parametrize("proxies", ["string", "mapping"])
def test_a_client_takes_a_proxy_as_a_url_or_by_scheme(proxies: str) -> None:
    with LoopbackServer() as proxy:
        given = proxy.url if proxies == "string" else {"http": proxy.url}
        with Notes(endpoint=FAR, auth=NoAuth(), proxies=given) as notes:
            assert notes.shelf().read().code == "Success"
    assert proxy.received[0].target == "http://vikingdb.example/api/notes/read"


def test_a_proxy_gets_the_user_name_and_password_of_its_url_and_the_service_does_not() -> None:
    with LoopbackServer() as proxy:
        address = proxy.url.replace("//", "//user:pass@")
        transport = RequestsTransport(TransportSettings(proxies={"http": address}))
        transport.send(request_to(FAR, headers={"Authorization": "Bearer mine"}), PATIENT)
        transport.close()
    assert proxy.received[0].headers["Proxy-Authorization"] == "Basic dXNlcjpwYXNz"
    assert proxy.received[0].headers["Authorization"] == "Bearer mine"


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_used(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopbackServer() as proxy:
        monkeypatch.setenv(name, proxy.url)
        transport = RequestsTransport()
        assert transport.send(request_to(FAR), PATIENT).ok
        transport.close()
    assert proxy.received[0].target.startswith(FAR)


@pytest.mark.parametrize("excepted", ["127.0.0.1", "*", "example.com,127.0.0.0/8"])
def test_a_host_the_environment_excepts_is_reached_directly(excepted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("NO_PROXY", excepted)
    with LoopbackServer() as server:
        transport = RequestsTransport()
        assert transport.send(request_to(server.url), PATIENT).ok
        transport.close()
    assert server.received[0].target == "/api/notes/read"


def test_the_settings_prevail_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    with LoopbackServer() as server:
        transport = RequestsTransport(TransportSettings(proxies={}))
        assert transport.send(request_to(server.url), PATIENT).ok
        transport.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_cannot_be_reached_means_never_sent(scheme: str) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    transport = RequestsTransport(TransportSettings(proxies={"http": address, "https": address}))
    with pytest.raises(ConnectError, match="proxy") as caught:
        transport.send(request_to(f"{scheme}://vikingdb.example"), PATIENT)
    assert not caught.value.sent


def test_a_proxy_that_refuses_a_tunnel_means_never_sent() -> None:
    with LoopbackServer(refuses_tunnels) as proxy:
        transport = RequestsTransport(TransportSettings(proxies={"https": proxy.url}))
        with pytest.raises(ConnectError, match="407") as caught:
            transport.send(request_to("https://vikingdb.example"), PATIENT)
    assert not caught.value.sent
    assert proxy.received[0].method == "CONNECT"
    assert proxy.received[0].target == "vikingdb.example:443"


def test_a_proxy_that_hangs_up_after_the_request_may_have_passed_it_on() -> None:
    with LoopbackServer(hangs_up) as proxy:
        transport = RequestsTransport(TransportSettings(proxies={"http": proxy.url}))
        with pytest.raises(ConnectionLost) as caught:
            transport.send(request_to(FAR), PATIENT)
    assert caught.value.sent


def test_a_password_in_a_proxy_url_is_in_no_error() -> None:
    transport = RequestsTransport(
        TransportSettings(proxies={"http": f"http://user:hidden-word@127.0.0.1:{free_port()}"})
    )
    with pytest.raises(TransportError) as caught:
        transport.send(request_to(FAR), PATIENT)
    assert "hidden-word" not in str(caught.value)


@pytest.mark.parametrize("address", ["socks5://127.0.0.1:1", "nonsense://127.0.0.1:1", "http://"])
def test_a_proxy_that_cannot_be_used_means_never_sent(address: str) -> None:
    transport = RequestsTransport(TransportSettings(proxies={"http": address}))
    with pytest.raises(ConnectError) as caught:
        transport.send(request_to(FAR), PATIENT)
    assert not caught.value.sent


def test_the_certificate_of_a_proxy_is_verified_also_for_requests_without_tls() -> None:
    """A proxy is told its password before anything else."""
    with LoopbackServer(tls=True) as proxy:
        transport = RequestsTransport(TransportSettings(proxies={"http": proxy.url.replace("//", "//user:pass@")}))
        with pytest.raises(ConnectError, match="certificate verify failed"):
            transport.send(request_to(FAR), PATIENT)
        transport.close()
    assert proxy.received == []


@pytest.mark.parametrize("verify", [str(CERTIFICATE), False])
def test_a_proxy_with_tls_is_used_when_it_is_trusted(verify: bool | str) -> None:
    with LoopbackServer(tls=True) as proxy:
        transport = RequestsTransport(TransportSettings(proxies={"http": proxy.url}, verify=verify))
        with nullcontext() if verify else pytest.warns(InsecureRequestWarning):
            assert transport.send(request_to(FAR), PATIENT).ok
        transport.close()
    assert proxy.received[0].target == "http://vikingdb.example/api/notes/read"


def test_a_password_that_no_header_can_hold_is_an_error_of_ours() -> None:
    transport = RequestsTransport(TransportSettings(proxies={"http": "http://user:密码@127.0.0.1:1"}))
    with pytest.raises(ConfigError, match="user name or password of the proxy") as raised:
        transport.send(request_to(FAR), PATIENT)
    assert "密" not in str(raised.value)
    assert raised.value.__suppress_context__
    transport.close()
