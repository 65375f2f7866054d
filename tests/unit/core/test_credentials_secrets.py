"""Secrets stay inside: not in what is shown of an object, an error, a pickle or the local values of a traceback."""

from __future__ import annotations

import copy
import pickle
import socket
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.vector.fakes import READ, FakeClock, FakeTransport, Toy, reply
from vikingdb_core.config import resolve
from vikingdb_core.credentials import IAM, APIKey, Auth, Credentials, HeaderAuth, Scope, StaticProvider
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.exceptions import ConnectError, ConnectionLost, VikingDBError
from vikingdb_core.hooks import hookimpl
from vikingdb_core.messages import Draft, Headers, Request, redact

PLANTED = "PLANTEDSECRET"


class Provider:
    def load(self) -> Credentials:
        return Credentials("AKDEMO", PLANTED, PLANTED)


class Strict:
    """Stops every call."""

    @hookimpl
    def before_request(self, call: Any, request: Any) -> None:
        raise LookupError("no")


AUTHS: dict[str, Callable[[], Auth]] = {
    "keys": lambda: IAM("AKDEMO", PLANTED, PLANTED),
    "provider": lambda: IAM(provider=Provider()),
    "api key": lambda: APIKey(PLANTED),
    "header": lambda: HeaderAuth({"X-Gateway-Token": PLANTED}),
    "header whose name does not tell": lambda: HeaderAuth({"X-Top-User-Id": PLANTED}),
    "several headers": lambda: HeaderAuth({"X-Api-Key": PLANTED, "Cookie": PLANTED, "X-Access-Key": PLANTED}),
}
FAILURES: dict[str, Callable[[Auth], Toy]] = {
    "the service refuses": lambda auth: remote(auth, *[reply(403, {"code": "AccessDenied"})] * 2),
    "the service fails": lambda auth: remote(auth, *[reply(503, b"<html>")] * 3),
    "a redirect": lambda auth: remote(auth, reply(302, b"", Location="https://login.example")),
    "the connection breaks": lambda auth: remote(auth, *[ConnectionLost("reset")] * 3),
    "the answer is no json": lambda auth: remote(auth, reply(200, b"hello")),
    "the transport has a bug": lambda auth: remote(auth, ZeroDivisionError("bug")),
    "a plugin stops the call": lambda auth: Toy(endpoint="https://h.example", auth=auth, plugins=[Strict()]),
    "nobody listens": lambda auth: Toy(endpoint=closed_port(), auth=auth, retry=1),
}
each_auth = pytest.mark.parametrize("make", AUTHS.values(), ids=AUTHS)


def remote(auth: Auth, *answers: Any) -> Toy:
    return Toy(endpoint="https://h.example", auth=auth, transport=FakeTransport(*answers), clock=FakeClock())


def closed_port() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def everything_shown(error: BaseException) -> str:
    """What a log, a crash reporter and another process may see of an error."""
    shown = [str(error), repr(error), repr(vars(error)), *getattr(error, "__notes__", ())]
    shown += traceback.TracebackException.from_exception(error, capture_locals=True).format()
    shown.append(pickle.dumps(error).decode("latin-1"))
    return "\n".join(shown)


def shown_when_failing(client: Toy) -> str:
    try:
        client.call(READ)
    except Exception as error:
        return everything_shown(error)
    raise AssertionError("nothing failed")


@each_auth
@pytest.mark.parametrize("fail", FAILURES.values(), ids=FAILURES)
def test_a_failed_call_shows_no_secret(make: Callable[[], Auth], fail: Callable[[Auth], Toy]) -> None:
    shown = shown_when_failing(fail(make()))
    assert "in execute" in shown, "the traceback goes through the flow"
    assert PLANTED not in shown


def test_the_check_above_would_see_a_secret() -> None:
    def leak(key: str) -> None:
        raise VikingDBError("no")

    with pytest.raises(VikingDBError) as caught:
        leak(PLANTED)
    assert PLANTED in everything_shown(caught.value)


def test_a_connection_error_keeps_its_cause_but_not_the_frames_that_hold_headers() -> None:
    client = Toy(endpoint=closed_port(), auth=APIKey(PLANTED), retry=1)
    with pytest.raises(ConnectError) as caught:
        client.call(READ)
    cause = caught.value.__cause__
    assert cause is not None
    assert "refused" in str(cause)
    assert cause.__traceback__ is None


def test_a_provider_that_fails_shows_no_secret_of_the_keys_it_gave_before() -> None:
    class Flaky(Provider):
        calls = 0

        def load(self) -> Credentials:
            self.calls += 1
            if self.calls > 1:
                raise OSError("the vault is closed")
            return super().load()

    client = remote(IAM(provider=Flaky()), reply(401, {"code": "Unauthorized"}))
    shown = shown_when_failing(client)
    assert "the vault is closed" in shown
    assert PLANTED not in shown


@each_auth
def test_what_is_shown_of_an_auth_has_no_secret(make: Callable[[], Auth]) -> None:
    auth = make()
    auth.refresh()
    client = remote(auth)
    for shown in (repr(auth), str(auth), f"{auth}", repr(client), repr([auth]), repr(client._runtime)):
        assert PLANTED not in shown


@each_auth
def test_what_is_shown_of_a_signed_request_has_no_secret(make: Callable[[], Auth]) -> None:
    auth = make()
    auth.refresh()
    signed = auth.sign(
        Request("POST", Endpoint("https", "h"), "/", (), Headers({"Host": "h", "Content-Type": "a/b"}), b"{}"),
        Scope("toy", "here"),
    )
    assert PLANTED in str(dict(signed.headers)) or "Signature=" in signed.headers["Authorization"]
    for shown in (repr(signed), str(signed), repr(signed.headers), str(signed.headers)):
        assert PLANTED not in shown
        assert "Signature=" not in shown


@pytest.mark.parametrize(
    "secret",
    [
        Credentials("AKDEMO", PLANTED, PLANTED),
        StaticProvider(Credentials("AKDEMO", PLANTED)),
        *(make() for make in AUTHS.values()),
    ],
    ids=lambda secret: type(secret).__name__,
)
def test_a_secret_is_not_pickled(secret: object) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        copy.deepcopy(secret)


@each_auth
def test_a_client_is_not_pickled_with_its_secret(make: Callable[[], Auth]) -> None:
    with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
        pickle.dumps(remote(make()))


def test_credentials_show_the_public_half_alone() -> None:
    shown = repr(Credentials("AKDEMO0000", PLANTED, PLANTED, 5.0))
    assert "AKDEMO0000" in shown
    assert PLANTED not in shown
    assert repr(IAM("AKDEMO0000", PLANTED)) == "IAM(ak=AKDE***)"


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("Authorization", True),
        ("proxy-authorization", True),
        ("Cookie", True),
        ("Set-Cookie", True),
        ("X-Security-Token", True),
        ("X-Api-Key", True),
        ("apikey", True),
        ("X-Gateway-Token", True),
        ("X-Client-Secret", True),
        ("X-Date", False),
        ("X-Tt-Logid", False),
        ("X-Content-Sha256", False),
        ("Content-Type", False),
        ("User-Agent", False),
        ("Idempotency-Key", False),
    ],
)
def test_which_headers_are_masked(name: str, hidden: bool) -> None:
    assert redact({name: "value"}) == {name: "***" if hidden else "value"}


def test_plugins_see_no_secret() -> None:
    seen: list[str] = []

    class Spy:
        @hookimpl
        def before_request(self, call: Any, request: Draft) -> None:
            seen.append(repr(call) + repr(request) + str(dict(request.headers)))

        @hookimpl
        def after_response(self, call: Any, request: Draft, response: Any) -> None:
            seen.append(repr(call) + repr(request) + str(dict(request.headers)) + repr(response))

    for make in AUTHS.values():
        Toy(endpoint="https://h.example", auth=make(), plugins=[Spy()], transport=FakeTransport()).call(READ)
    assert len(seen) == 2 * len(AUTHS)
    assert PLANTED not in "".join(seen)


def test_a_secret_in_a_wrong_setting_is_not_repeated() -> None:
    for given in ({"proxies": [f"http://u:{PLANTED}@p"]}, {"headers": {"X-Api-Key": f"{PLANTED}\n"}}):
        with pytest.raises(VikingDBError) as caught:
            resolve(given, environ={})
        assert PLANTED not in str(caught.value)
