"""Providers that look at several places: the environment's pairs, and a chain of providers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.platform import ROLE, FakeSts
from tests.support.server import LoopbackServer, free_port
from tests.unit.vector.fakes import READ, FakeTransport, Toy, reply
from vikingdb_core.credentials import IAM, Chain, CredentialProvider, Credentials, EnvProvider, StaticProvider
from vikingdb_core.exceptions import ConfigError, MissingCredentials

ONE, TWO = Credentials("AKONE", "SKONE"), Credentials("AKTWO", "SKTWO", "STSTWO")


class Fickle:
    """Has credentials when it is told to, or raises."""

    reread_seconds = 7.0

    def __init__(self, keys: Credentials | None = None, failure: Exception | None = None) -> None:
        self.keys, self.failure, self.loads = keys, failure, 0

    def load(self) -> Credentials:
        self.loads += 1
        if self.failure is not None:
            raise self.failure
        if self.keys is None:
            raise MissingCredentials("has none today", status_code=404)
        return self.keys


@pytest.mark.parametrize(
    ("environ", "keys"),
    [
        ({"VIKINGDB_AK": "AKONE", "VIKINGDB_SK": "SKONE"}, ONE),
        ({"VOLCENGINE_ACCESS_KEY": "AKONE", "VOLCENGINE_SECRET_KEY": "SKONE"}, ONE),
        ({"VOLC_ACCESSKEY": "AKTWO", "VOLC_SECRETKEY": "SKTWO", "VOLC_SESSIONTOKEN": "STSTWO"}, TWO),
        (
            {
                "VIKINGDB_AK": "AKTHREE",
                "VIKINGDB_SESSION_TOKEN": "STSTHREE",
                "VOLC_ACCESSKEY": "AKONE",
                "VOLC_SECRETKEY": "SKONE",
                "VOLCENGINE_SECRET_KEY": "SKTHREE",
            },
            ONE,
        ),
    ],
)
def test_the_first_complete_pair_of_the_environment_is_taken(environ: dict[str, str], keys: Credentials) -> None:
    assert EnvProvider(environ).load() == keys


def test_an_environment_without_a_pair_is_an_error_that_says_what_each_lacks() -> None:
    with pytest.raises(MissingCredentials) as caught:
        EnvProvider({"VIKINGDB_AK": "AKONE", "VOLC_SECRETKEY": "PLANTED"}).load()
    assert str(caught.value) == (
        "the environment holds no pair of keys (VIKINGDB_AK + VIKINGDB_SK: lacks VIKINGDB_SK; "
        "VOLCENGINE_ACCESS_KEY + VOLCENGINE_SECRET_KEY: not set; "
        "VOLC_ACCESSKEY + VOLC_SECRETKEY: lacks VOLC_ACCESSKEY)"
    )


def test_the_environment_is_looked_at_when_keys_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = EnvProvider()
    monkeypatch.setenv("VIKINGDB_AK", "AKONE")
    monkeypatch.setenv("VIKINGDB_SK", "SKONE")
    assert provider.load() == ONE
    assert repr(provider) == "EnvProvider()"


def test_a_chain_takes_the_first_that_has_credentials() -> None:
    none, one, two = Fickle(), Fickle(ONE), Fickle(TWO)
    assert Chain(none, one, two).load() is ONE
    assert (none.loads, one.loads, two.loads) == (1, 1, 0)


def test_a_chain_stays_with_the_one_that_had_some() -> None:
    first, second = Fickle(), Fickle(ONE)
    chain = Chain(first, second)
    chain.load()
    first.keys, second.keys = TWO, None
    with pytest.raises(MissingCredentials, match="has none today"):
        chain.load()
    assert first.loads == 1


def test_a_chain_without_credentials_says_what_each_of_them_said() -> None:
    with pytest.raises(MissingCredentials) as caught:
        Chain(Fickle(), EnvProvider({})).load()
    assert str(caught.value).startswith(
        "none of the providers has credentials:\n"
        "  Fickle: has none today (http_status=404)\n"
        "  EnvProvider: the environment holds no pair of keys"
    )


def test_what_is_no_lack_of_credentials_ends_the_search() -> None:
    last = Fickle(ONE)
    with pytest.raises(OSError, match="down"):
        Chain(Fickle(failure=OSError("down")), last).load()
    assert last.loads == 0


def test_credentials_of_a_chain_are_read_anew_as_often_as_those_of_the_one_that_has_them() -> None:
    now, last = [0.0], Fickle(ONE)
    auth = IAM(provider=Chain(Fickle(), last), clock=lambda: now[0])
    auth.refresh()
    now[0] = 31  # not within half a minute, however often it would like to be asked
    assert auth.is_stale()
    auth.refresh()
    assert last.loads == 2
    auth = IAM(provider=Chain(StaticProvider(ONE)), clock=lambda: now[0])
    auth.refresh()
    now[0] += 10**9
    assert not auth.is_stale()


@pytest.mark.parametrize("wrong", [(), (5,), (Fickle(ONE), "vault"), (EnvProvider,)])
def test_what_is_no_chain_is_refused(wrong: tuple[Any, ...]) -> None:
    with pytest.raises(ConfigError, match=r"needs at least one provider|objects with a load\(\) method; \w+ is none"):
        Chain(*wrong)


def test_they_are_providers() -> None:
    assert isinstance(EnvProvider(), CredentialProvider)
    chain = Chain(EnvProvider(), Fickle())
    assert isinstance(chain, CredentialProvider)
    assert repr(chain) == "Chain(EnvProvider, Fickle)"


def test_keys_that_are_short_lived_are_not_asked_for_with_every_call() -> None:
    now = [1000.0]
    provider = Fickle(Credentials("AKONE", "SKONE", "STS", expires_at=1100.0))
    auth = IAM(provider=provider, clock=lambda: now[0])
    client = Toy(endpoint="https://h.example", auth=auth, transport=FakeTransport())
    client.call(READ)
    client.call(READ)
    assert provider.loads == 1
    now[0] += 30
    client.call(READ)
    assert provider.loads == 2


def test_the_token_service_is_reached_through_the_proxy_of_the_client(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "token").write_text("IDENTITY")
    closed = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("VOLCENGINE_OIDC_ROLE_TRN", ROLE)
    monkeypatch.setenv("VOLCENGINE_OIDC_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("VOLCENGINE_OIDC_STS_ENDPOINT", closed)
    with FakeSts(identity_token="IDENTITY") as proxy:
        wire = FakeTransport()
        Toy(endpoint="https://h.example", proxies=proxy.url, transport=wire).call(READ)
        assert proxy.received[0].target.startswith(f"{closed}/?Action=AssumeRoleWithOIDC")
    assert wire.requests[0].headers["X-Security-Token"] == "STSROLE1"


def test_a_connection_for_one_request_is_closed_after_it() -> None:
    from tests.support.http import PATIENT, request_to
    from vikingdb_core.transport.once import send_once

    with LoopbackServer() as server:
        for _ in range(2):
            assert send_once(request_to(server.url), PATIENT).status == 200
        assert server.connections == 2


def test_a_call_that_was_refused_tries_once_more_with_keys_of_the_chain() -> None:
    wire = FakeTransport(reply(401, {"code": "Unauthorized"}), reply())
    provider = Fickle(ONE)
    Toy(endpoint="https://h.example", auth=IAM(provider=Chain(provider)), transport=wire).call(READ)
    assert provider.loads == 2
    assert len(wire.requests) == 2
