"""Auth schemes that break the contract are refused when the client is built, with a sentence on how to fix them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.vector.fakes import READ, FakeTransport, Toy
from vikingdb_core import discovery
from vikingdb_core.credentials import IAM, Auth, Credentials, Scope
from vikingdb_core.exceptions import ConfigError, ExtensionError, MissingCredentials
from vikingdb_core.messages import Request


class Badge(Auth):
    """Fits; the others differ from it by a method."""

    def __init__(self) -> None:
        self.signed: list[Request] = []

    def sign(self, request: Request, scope: Scope) -> Request:
        self.signed.append(request)
        return request.with_headers({"X-Badge": f"{scope.service}/{scope.region}"})


class Mutating(Badge):
    def sign(self, request: Request, scope: Scope) -> Request:
        request.headers["X-Badge"] = "mine"
        return request


class Updating(Badge):
    def sign(self, request: Request, scope: Scope) -> Request:
        request.headers.update({"X-Badge": "mine"})
        return request


class Dropping(Badge):
    def sign(self, request: Request, scope: Scope) -> Request:
        del request.headers["Accept"]
        return request


class Replacing(Badge):
    def sign(self, request: Request, scope: Scope) -> Request:
        request.body = b""  # type: ignore[misc]
        return request


class Forgetful(Badge):
    def sign(self, request: Request, scope: Scope) -> Request:
        request.with_headers({"X-Badge": "mine"})
        return None  # type: ignore[return-value]


class HeadersOnly(Badge):
    def sign(self, request: Request, scope: Scope) -> Request:
        return {"X-Badge": "mine"}  # type: ignore[return-value]


class Waiting(Badge):
    async def sign(self, request: Request, scope: Scope) -> Request:  # type: ignore[override]
        return request


class WaitingForKeys(Badge):
    async def refresh(self) -> None:  # type: ignore[override]
        """Would never be awaited."""


class OfItsOwnMode(Badge):
    mode = "badge"  # type: ignore[assignment]


class Vague(Badge):
    def is_stale(self) -> bool:
        return 0  # type: ignore[return-value]


class NotReady(Badge):
    def sign(self, request: Request, scope: Scope) -> Request:
        raise KeyError("PLANTED")


REFUSED = [
    (Mutating, r"auth Mutating: header 'X-Badge' cannot be set.*: return request\.with_headers\(\{'X-Badge': …\}\)"),
    (Updating, r"auth Updating: header 'X-Badge' cannot be set.*: return request\.with_headers\("),
    (
        Dropping,
        r"auth Dropping: header 'Accept' cannot be removed.*: return dataclasses\.replace\(request, headers=…\)",
    ),
    (
        Replacing,
        r"auth Replacing: sign\(\) must not change the request .*'body'\)\. Return a new one: return request\.",
    ),
    (Forgetful, r"auth Forgetful: sign\(\) returned None, not the signed Request: return request\.with_headers\("),
    (HeadersOnly, r"auth HeadersOnly: sign\(\) returned dict, not the signed Request: return request\.with_headers\("),
    (Waiting, r"auth Waiting: sign\(\) is a coroutine function; write it as a plain one.* fetched in refresh\(\)"),
    (WaitingForKeys, r"auth WaitingForKeys: refresh\(\) is a coroutine function; write it as a plain one"),
    (OfItsOwnMode, r"auth OfItsOwnMode: mode is 'badge', not an AuthMode; .* mode = AuthMode\.CUSTOM"),
    (Vague, r"auth Vague: is_stale\(\) returned int; answer True or False"),
    (NotReady, r"auth NotReady raised KeyError .* is got in refresh\(\)"),
]


def client(auth: Auth | str, **options: Any) -> Toy:
    return Toy(endpoint="https://h.example", auth=auth, **options)


@pytest.mark.parametrize(("kind", "says"), REFUSED, ids=[kind.__name__ for kind, _ in REFUSED])
def test_an_auth_that_does_not_keep_the_contract_is_refused_when_a_client_is_built(kind: type[Auth], says: str) -> None:
    with pytest.raises(ExtensionError, match=says) as caught:
        client(kind())
    assert "PLANTED" not in str(caught.value)
    discovery.add(discovery.AUTH, "badge", kind)
    try:
        with pytest.raises(ExtensionError, match=says):
            client("badge")
    finally:
        discovery.remove(discovery.AUTH, "badge")


def test_an_auth_is_tried_on_one_request_that_is_not_sent() -> None:
    auth, wire = Badge(), FakeTransport()
    made = client(auth, transport=wire, region="here")
    (tried,) = auth.signed
    assert (tried.url, tried.headers["Host"], tried.body) == ("https://h.example/", "h.example", b"{}")
    assert wire.requests == []
    made.call(READ)
    assert wire.requests[0].headers["X-Badge"] == "toy/here"
    assert len(auth.signed) == 2


def test_what_an_auth_says_itself_about_its_keys_passes_through() -> None:
    class Empty(Badge):
        def sign(self, request: Request, scope: Scope) -> Request:
            raise MissingCredentials("the badge has no number; run badge login")

    with pytest.raises(MissingCredentials, match="badge login"):
        client(Empty())


def test_an_auth_that_must_first_fetch_its_keys_is_not_tried_and_answers_for_it_at_its_first_call() -> None:
    class Late(Forgetful):
        stale = True

        def is_stale(self) -> bool:
            return self.stale

        def refresh(self) -> None:
            self.stale = False

    made = client(Late(), transport=FakeTransport())
    with pytest.raises(ExtensionError, match=r"auth Late: sign\(\) returned None") as caught:
        made.call(READ)
    assert caught.value.operation == "toy.read"


def test_the_schemes_of_the_sdk_are_not_tried_so_that_no_package_is_loaded_for_them() -> None:
    class Provider:
        def load(self) -> Credentials:
            raise AssertionError("asked")

    class Renamed(IAM):
        """Inherits how it signs."""

    client(IAM(provider=Provider()))
    client(Renamed("AKDEMO", "SKDEMO"))


def test_what_is_no_auth_is_still_another_mistake() -> None:
    with pytest.raises(ConfigError, match="needs an Auth"):
        client(Badge)  # type: ignore[arg-type]
