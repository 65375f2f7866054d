"""The scheme keeps the contract of all, and its token is fetched, renewed and guarded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from vikingdb_token_auth import PAUSE_SECONDS, RotatingToken

from pytest_vikingdb import AuthContract, ClientFactory, Connection, LoopbackServer, VirtualClock, Wire
from vikingdb_core import Auth, BaseClient, Domain, Operation
from vikingdb_core.exceptions import ConfigError, MissingCredentials

READ = Operation.raw("POST", "/read")


class Client(BaseClient):
    """A client of no domain in particular."""

    domain = Domain("any", "Any", __name__, (), {"data": "any"})


class TokenEndpoint:
    """Hands out tokens, each for as long as the test says.

    Attributes:
        asked: how often it was asked.
        answer: status and body of the next answers.
    """

    def __init__(self, *, seconds: float = 3600, numbered: bool = False) -> None:
        self.asked = 0
        self.seconds = seconds
        self.numbered = numbered
        self.answer: tuple[int, Any] | None = None
        self.headers: tuple[bytes, ...] = ()
        self.server = LoopbackServer(self._serve)

    def _serve(self, connection: Connection) -> None:
        while connection.read_request():
            self.asked += 1
            token = f"very-secret-token-{self.asked}" if self.numbered else "very-secret-token"
            status, body = self.answer or (200, {"token": token, "expires_in": self.seconds})
            connection.reply(status, json.dumps(body).encode(), b"Connection: close", *self.headers)


@pytest.fixture
def endpoint() -> Iterator[TokenEndpoint]:
    made = TokenEndpoint(numbered=True)
    with made.server:
        yield made


@pytest.fixture
def token(endpoint: TokenEndpoint, viking_clock: VirtualClock) -> RotatingToken:
    return RotatingToken(endpoint.server.url, clock=viking_clock.monotonic)


def sent(wire: Wire) -> list[str]:
    return [request.headers["Authorization"].removeprefix("Bearer very-secret-") for request in wire.requests]


class TestRotatingToken(AuthContract):
    secrets = ("very-secret-token",)

    @pytest.fixture(autouse=True)
    def _endpoint(self) -> Iterator[None]:
        self.endpoint = TokenEndpoint()
        with self.endpoint.server:
            yield

    def make_auth(self) -> Auth:
        auth = RotatingToken(self.endpoint.server.url)
        auth.refresh()
        return auth

    def make_stale_auth(self) -> tuple[Auth, Callable[[], int]]:
        return RotatingToken(self.endpoint.server.url), lambda: self.endpoint.asked


def test_a_token_is_fetched_at_the_first_call_and_used_until_shortly_before_its_end(
    token: RotatingToken, viking_client: ClientFactory, viking_wire: Wire, viking_clock: VirtualClock
) -> None:
    viking_wire.reply().reply().reply()
    client = viking_client(Client, auth=token)
    client.call(READ)
    viking_clock.advance(3600 - 61)
    client.call(READ)
    viking_clock.advance(1)
    client.call(READ)
    assert sent(viking_wire) == ["token-1", "token-1", "token-2"]


def test_a_token_of_a_short_life_is_used_for_half_of_it(
    token: RotatingToken, endpoint: TokenEndpoint, viking_clock: VirtualClock
) -> None:
    endpoint.seconds = 10
    token.refresh()
    viking_clock.advance(4)
    assert not token.is_stale()
    viking_clock.advance(1)
    assert token.is_stale()


def test_a_refused_token_is_replaced_and_the_call_goes_on(
    token: RotatingToken, viking_client: ClientFactory, viking_wire: Wire
) -> None:
    viking_wire.reply(401).reply()
    viking_client(Client, auth=token).call(READ)
    assert sent(viking_wire) == ["token-1", "token-2"]


def test_calls_refused_together_fetch_one_token(
    token: RotatingToken, endpoint: TokenEndpoint, viking_clock: VirtualClock
) -> None:
    token.refresh()
    assert token.invalidate()
    token.refresh()
    assert token.invalidate()
    assert not token.is_stale(), "another call has just replaced it"
    assert endpoint.asked == 2
    viking_clock.advance(PAUSE_SECONDS)
    assert token.invalidate()
    assert token.is_stale()


def test_a_token_that_still_works_outlasts_a_failing_endpoint(
    token: RotatingToken,
    endpoint: TokenEndpoint,
    viking_client: ClientFactory,
    viking_wire: Wire,
    viking_clock: VirtualClock,
) -> None:
    viking_wire.reply().reply().reply()
    client = viking_client(Client, auth=token)
    client.call(READ)
    endpoint.answer = (503, None)
    viking_clock.advance(3600 - 30)
    client.call(READ)
    client.call(READ)
    assert endpoint.asked == 2, "it is left alone for a while"
    viking_clock.advance(30)
    with pytest.raises(MissingCredentials, match="answered 503 without"):
        client.call(READ)
    assert sent(viking_wire) == ["token-1"] * 3


@pytest.mark.parametrize(
    "said",
    [
        {"token": "very-secret-token"},
        {"token": "very-secret-token", "expires_in": "soon"},
        {"token": "very-secret-token", "expires_in": -1},
        {"token": "very-secret\ntoken", "expires_in": 60},
        {"token": 7, "expires_in": 60},
        {"token": "", "expires_in": 60},
        ["very-secret-token"],
        None,
    ],
)
def test_an_answer_without_a_usable_token_is_not_repeated_in_the_error(
    token: RotatingToken, endpoint: TokenEndpoint, said: Any
) -> None:
    endpoint.answer = (200, said)
    with pytest.raises(MissingCredentials, match='answered 200 without "token"') as caught:
        token.refresh()
    assert caught.value.__context__ is None
    assert "very-secret" not in str(caught.value)


def test_a_redirect_is_not_followed(token: RotatingToken, endpoint: TokenEndpoint) -> None:
    endpoint.answer, endpoint.headers = (302, None), (b"Location: /elsewhere",)
    with pytest.raises(MissingCredentials, match="answered 302"):
        token.refresh()
    assert endpoint.asked == 1


def test_an_endpoint_on_this_machine_is_not_asked_through_a_proxy(
    endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    RotatingToken(endpoint.server.url).refresh()
    assert endpoint.asked == 1


@pytest.mark.parametrize("url", ["http://tokens.example", "ftp://tokens.example", "file:///etc/token"])
def test_a_token_never_travels_unencrypted(url: str) -> None:
    with pytest.raises(ConfigError, match="unencrypted"):
        RotatingToken(url)


def test_no_more_than_the_call_has_left_is_spent_on_the_endpoint(
    token: RotatingToken, viking_client: ClientFactory, viking_wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    opened = token._open

    def spy(url: str, *, timeout: float) -> Any:
        waited.append(timeout)
        return opened(url, timeout=timeout)

    monkeypatch.setattr(token, "_open", spy)
    viking_wire.reply()
    viking_client(Client, auth=token, deadline=3).call(READ)
    assert waited == [3.0]


def test_it_is_found_by_its_name_with_its_settings(
    viking_client: ClientFactory,
    viking_wire: Wire,
    endpoint: TokenEndpoint,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    profile = tmp_path_factory.mktemp("profile") / "config.toml"
    profile.write_text(f'[default.auth.rotating_token]\nurl = "{endpoint.server.url}"\n')
    monkeypatch.setenv("VIKINGDB_CONFIG_FILE", str(profile))
    viking_wire.reply()
    client = viking_client(Client, auth="rotating_token")
    client.call(READ)
    assert sent(viking_wire) == ["token-1"]
    assert "very-secret" not in repr(client)
