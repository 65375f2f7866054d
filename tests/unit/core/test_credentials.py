"""Credentials: what ``auth=`` takes, what the environment offers, and what each scheme writes on a request."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.vector.fakes import MANAGE, READ, FakeTransport, Toy
from vikingdb_core import discovery
from vikingdb_core.credentials import IAM, APIKey, Auth, Credentials, HeaderAuth, NoAuth, Scope
from vikingdb_core.credentials.ambient import resolve_credentials
from vikingdb_core.credentials.surroundings import Surroundings
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.exceptions import (
    AuthModeError,
    ConfigError,
    InvalidRequest,
    MissingCredentials,
)
from vikingdb_core.messages import Headers, Request
from vikingdb_vector.client import VikingDB

REMOTE = {"data": Endpoint("https", "h.example")}
SCOPE = Scope("toy", "here")


class Badge(Auth):
    """A stranger's scheme."""

    def sign(self, request: Request, scope: Scope) -> Request:
        return request.with_headers({"X-Badge": f"{scope.service}/{scope.region}"})


def unsigned(**headers: str) -> Request:
    return Request("POST", REMOTE["data"], "/read", (), Headers({"Host": "h.example", **headers}), b"{}")


def ambient(**environ: str) -> Auth:
    return resolve_credentials(None, REMOTE, Surroundings(environ)).auth


def keys(auth: Auth) -> Credentials:
    assert isinstance(auth, IAM)
    assert auth._credentials is not None
    return auth._credentials


@pytest.mark.parametrize(
    ("auth", "sent"),
    [
        (APIKey("KEYDEMO"), {"Authorization": "Bearer KEYDEMO"}),
        (APIKey(api_key="  KEYDEMO\n"), {"Authorization": "Bearer KEYDEMO"}),
        (
            HeaderAuth({"x-top-account-id": "1", "X-Top-Role-Id": "data"}),
            {"X-Top-Account-Id": "1", "X-Top-Role-Id": "data"},
        ),
        (NoAuth(), {}),
        (Badge(), {"X-Badge": "toy/here"}),
    ],
)
def test_a_scheme_adds_its_headers_to_a_copy(auth: Auth, sent: dict[str, str]) -> None:
    request = unsigned(Accept="application/json")
    before = dict(request.headers)
    signed = auth.sign(request, SCOPE)
    assert dict(signed.headers) == {**before, **sent}
    assert dict(request.headers) == before
    assert signed.body is request.body
    assert auth.sign(request, SCOPE) == signed


@pytest.mark.parametrize(
    "make",
    [
        lambda: IAM(),
        lambda: IAM("AKDEMO"),
        lambda: IAM(sk="SKDEMO"),
        lambda: IAM("", "SKDEMO"),
        lambda: IAM("AKDEMO", "  "),
        lambda: IAM("AKDEMO", "\n"),
        lambda: APIKey(""),
        lambda: APIKey(" \t\n"),
        lambda: APIKey(None),  # type: ignore[arg-type]
        lambda: HeaderAuth({}),
    ],
)
def test_credentials_that_are_empty_are_missing(make: Callable[[], Auth]) -> None:
    with pytest.raises(MissingCredentials, match=r"empty|at least one header"):
        make()


@pytest.mark.parametrize(
    "pasted", ["DEMO\n", "\nDEMO", "DE\nMO", "DE\r\nMO", "DE MO", "DE\tMO", " DEMO", "DEMÖ", "DE\x00MO", "钥匙"]
)
@pytest.mark.parametrize(
    "make",
    [
        lambda pasted: IAM(pasted, "SKDEMO"),
        lambda pasted: IAM("AKDEMO", pasted),
        lambda pasted: IAM("AKDEMO", "SKDEMO", pasted),
        lambda pasted: APIKey(f"A{pasted}Z"),
    ],
)
def test_keys_that_were_not_pasted_cleanly_are_refused_and_not_repeated(
    make: Callable[[str], Auth], pasted: str
) -> None:
    with pytest.raises(MissingCredentials, match="pasted whole") as caught:
        make(pasted)
    assert "MO" not in str(caught.value)


@pytest.mark.parametrize("headers", [{"X A": "1"}, {"X-A": "1\nX-B: 2"}, {"X-A": 1}, {"": "1"}])
def test_header_auth_refuses_what_no_header_may_be(headers: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        HeaderAuth(headers)


@pytest.mark.parametrize("auth", [IAM, APIKey, HeaderAuth, NoAuth, Badge])
def test_a_class_in_place_of_an_object_is_refused_with_the_call_it_lacks(auth: type) -> None:
    with pytest.raises(
        ConfigError, match=rf"auth= needs an Auth .*, not {auth.__name__}; did you mean {auth.__name__}\("
    ):
        Toy(endpoint="https://h.example", auth=auth)  # type: ignore[arg-type]


@pytest.mark.parametrize("auth", [5, ("AKDEMO", "SKDEMO"), {"ak": "AKDEMO"}, object(), b"key", False])
def test_what_is_no_credential_is_refused(auth: Any) -> None:
    with pytest.raises(ConfigError, match=rf"auth= needs an Auth .*, not {type(auth).__name__}$"):
        Toy(endpoint="https://h.example", auth=auth)


@pytest.mark.parametrize("offered", [Badge, Badge(), lambda: Badge()])
def test_a_scheme_may_be_named(offered: object) -> None:
    discovery.add(discovery.AUTH, "badge", offered)
    try:
        wire = FakeTransport()
        Toy(endpoint="https://h.example", auth="badge", transport=wire).call(READ)
    finally:
        discovery.remove(discovery.AUTH, "badge")
    assert wire.requests[0].headers["X-Badge"] == "toy/cn-beijing"


def test_a_named_scheme_that_is_no_scheme_is_refused() -> None:
    discovery.add(discovery.AUTH, "badge", lambda: 5)
    try:
        with pytest.raises(ConfigError, match=r"auth='badge' needs an Auth .*, not int"):
            Toy(endpoint="https://h.example", auth="badge")
    finally:
        discovery.remove(discovery.AUTH, "badge")
    with pytest.raises(ConfigError, match=r"names no installed auth scheme .* auth=APIKey") as caught:
        Toy(endpoint="https://h.example", auth="sk-live-PLANTED")
    assert "PLANTED" not in str(caught.value), "whoever passes a key for a name must not find it in a log"


PAIRS = [
    ("VIKINGDB_AK", "VIKINGDB_SK", "VIKINGDB_SESSION_TOKEN"),
    ("VOLCENGINE_ACCESS_KEY", "VOLCENGINE_SECRET_KEY", "VOLCENGINE_SESSION_TOKEN"),
    ("VOLC_ACCESSKEY", "VOLC_SECRETKEY", "VOLC_SESSIONTOKEN"),
]


@pytest.mark.parametrize(("access", "secret", "token"), PAIRS)
def test_a_pair_of_keys_is_found_in_the_environment(access: str, secret: str, token: str) -> None:
    assert keys(ambient(**{access: "AKDEMO", secret: "SKDEMO"})) == Credentials("AKDEMO", "SKDEMO")
    temporary = ambient(**{access: "AKDEMO", secret: "SKDEMO", token: "STSDEMO"})
    assert keys(temporary) == Credentials("AKDEMO", "SKDEMO", "STSDEMO")
    assert keys(ambient(**{access: "AKDEMO", secret: "SKDEMO", token: ""})).session_token is None


@pytest.mark.parametrize("better", [0, 1])
def test_the_first_complete_pair_wins(better: int) -> None:
    first, second = PAIRS[better], PAIRS[better + 1]
    environ = {second[0]: "AKTWO", second[1]: "SKTWO", second[2]: "STSTWO", "VIKINGDB_API_KEY": "KEYDEMO"}
    assert keys(ambient(**environ, **{first[0]: "AKONE", first[1]: "SKONE"})) == Credentials("AKONE", "SKONE")
    assert keys(ambient(**environ, **{first[0]: "AKONE"})) == Credentials("AKTWO", "SKTWO", "STSTWO")


def test_keys_of_two_sources_are_never_joined() -> None:
    with pytest.raises(MissingCredentials) as caught:
        ambient(VIKINGDB_AK="AKDEMO", VOLC_SECRETKEY="SKDEMO")
    assert "\n  VIKINGDB_AK + VIKINGDB_SK: lacks VIKINGDB_SK\n" in str(caught.value)
    assert "\n  VOLC_ACCESSKEY + VOLC_SECRETKEY: lacks VOLC_ACCESSKEY\n" in str(caught.value)
    assert "DEMO" not in str(caught.value)


def test_an_api_key_is_found_in_the_environment_after_the_pairs() -> None:
    signed = ambient(VIKINGDB_API_KEY="KEYDEMO").sign(unsigned(), SCOPE)
    assert signed.headers["Authorization"] == "Bearer KEYDEMO"


def test_without_credentials_the_error_names_every_place_that_was_looked_at() -> None:
    with pytest.raises(MissingCredentials, match=r"^https://h\.example needs credentials: pass auth=IAM") as caught:
        ambient()
    for name in ("VIKINGDB_AK + VIKINGDB_SK", "VOLCENGINE_ACCESS_KEY", "VOLC_ACCESSKEY", "VIKINGDB_API_KEY"):
        assert name in str(caught.value)
    assert "lacks" not in str(caught.value)


def test_credentials_passed_in_beat_those_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIKINGDB_API_KEY", "KEYAMBIENT")
    wire = FakeTransport()
    Toy(endpoint="https://h.example", auth=APIKey("KEYDEMO"), transport=wire).call(READ)
    assert wire.requests[0].headers["Authorization"] == "Bearer KEYDEMO"


def test_a_client_uses_what_the_environment_offers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIKINGDB_API_KEY", "KEYAMBIENT")
    wire = FakeTransport()
    Toy(endpoint="https://h.example", transport=wire).call(READ)
    assert wire.requests[0].headers["Authorization"] == "Bearer KEYAMBIENT"


def test_an_api_key_is_refused_by_the_control_plane_before_anything_is_sent() -> None:
    wire = FakeTransport()
    client = VikingDB(endpoint="https://h.example", auth=APIKey("KEYDEMO"), transport=wire)
    with pytest.raises(
        AuthModeError, match=r"vector\.collection\.list does not accept api_key credentials; it takes: .*iam"
    ):
        client.admin.list_collections()
    assert wire.requests == []


@pytest.mark.parametrize("auth", [HeaderAuth({"X-Top-User-Id": "1"}), NoAuth(), Badge(), IAM("AKDEMO", "SKDEMO")])
def test_every_other_scheme_is_accepted_by_the_control_plane(auth: Auth) -> None:
    wire = FakeTransport()
    VikingDB(endpoint="https://h.example", auth=auth, transport=wire).admin.list_collections()
    assert len(wire.requests) == 1


def test_a_session_token_of_the_client_is_signed_with_the_request_and_leaves_the_auth_as_it_was() -> None:
    auth, wire = IAM("AKDEMO", "SKDEMO"), FakeTransport()
    Toy(endpoint="https://h.example", auth=auth, sts_token="STSDEMO", transport=wire).call(READ)
    Toy(endpoint="https://h.example", auth=auth, sts_token="", transport=wire).call(MANAGE)
    first, second = (request.headers for request in wire.requests)
    assert first["X-Security-Token"] == "STSDEMO"
    assert "x-security-token" in first["Authorization"]
    assert "X-Security-Token" not in second


@pytest.mark.parametrize("auth", [APIKey("KEYDEMO"), HeaderAuth({"X-A": "1"}), NoAuth()])
def test_a_session_token_goes_with_iam_keys_alone(auth: Auth) -> None:
    with pytest.raises(
        ConfigError, match=rf"sts_token goes with IAM keys; this client's auth is {type(auth).__name__}"
    ):
        Toy(endpoint="https://h.example", auth=auth, sts_token="STSDEMO")


def test_a_session_token_does_not_go_with_a_provider() -> None:
    provider = types.SimpleNamespace(load=lambda: Credentials("AKDEMO", "SKDEMO"))
    with pytest.raises(ConfigError, match="provider, which must bring the session token itself"):
        Toy(endpoint="https://h.example", auth=IAM(provider=provider), sts_token="STSDEMO")


def test_the_order_of_a_request_is_hooks_then_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    from vikingdb_core.hooks import hookimpl

    seen: list[set[str]] = []

    class Spy:
        @hookimpl
        def before_request(self, request: Any) -> None:
            seen.append(set(request.headers))
            request.headers["X-Trace"] = "1"

    wire = FakeTransport()
    Toy(endpoint="https://h.example", auth=IAM("AKDEMO", "SKDEMO"), plugins=[Spy()], transport=wire).call(READ)
    assert not seen[0] & {"Authorization", "X-Date", "X-Content-Sha256"}
    assert "x-trace" in wire.requests[0].headers["Authorization"]
