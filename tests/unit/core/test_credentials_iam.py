"""IAM with a provider: credentials are loaded late, once, before they expire, and kept while they still work."""

from __future__ import annotations

import builtins
import sys
import threading
from typing import Any

import pytest

from tests.unit.vector.fakes import READ, WRITE, FakeClock, FakeTransport, Toy, reply
from vikingdb_core.credentials import IAM, CredentialProvider, Credentials, Scope, StaticProvider
from vikingdb_core.credentials.iam import REFRESH_BEFORE_SECONDS, RETRY_LOAD_SECONDS
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.exceptions import ConfigError, MissingCredentials, Unauthorized
from vikingdb_core.messages import Headers, Request

NOW = 1_000_000.0
SCOPE = Scope("toy", "here")
REQUEST = Request("POST", Endpoint("https", "h"), "/", (), Headers({"Host": "h", "Content-Type": "a/b"}), b"{}")


class Rotating:
    """Gives a new key each time it is asked, good for so many seconds; or raises what it is told to."""

    def __init__(self, lifetime: float | None = 3600.0) -> None:
        self.lifetime = lifetime
        self.now = NOW
        self.loads = 0
        self.failure: Exception | None = None

    def clock(self) -> float:
        return self.now

    def load(self) -> Credentials:
        self.loads += 1
        if self.failure is not None:
            raise self.failure
        expires_at = None if self.lifetime is None else self.now + self.lifetime
        return Credentials(f"AKDEMO{self.loads}", "SKDEMO", f"STSDEMO{self.loads}", expires_at)


@pytest.fixture
def provider() -> Rotating:
    return Rotating()


@pytest.fixture
def auth(provider: Rotating) -> IAM:
    return IAM(provider=provider, clock=provider.clock)


def key_of(auth: IAM) -> str:
    """The access key a request is signed with."""
    return auth.sign(REQUEST, SCOPE).headers["Authorization"].partition("Credential=")[2].partition("/")[0]


def test_a_provider_is_not_asked_before_the_first_call(provider: Rotating, auth: IAM) -> None:
    wire = FakeTransport()
    client = Toy(endpoint="https://h.example", auth=auth, transport=wire)
    repr(client)
    assert provider.loads == 0
    client.call(READ)
    client.call(READ)
    assert provider.loads == 1
    assert {request.headers["X-Security-Token"] for request in wire.requests} == {"STSDEMO1"}


def test_signing_before_anything_was_loaded_is_an_error_and_does_no_io(provider: Rotating, auth: IAM) -> None:
    with pytest.raises(MissingCredentials, match="no credentials have been loaded yet"):
        auth.sign(REQUEST, SCOPE)
    assert provider.loads == 0


@pytest.mark.parametrize(
    ("left", "stale"),
    [(REFRESH_BEFORE_SECONDS + 1, False), (REFRESH_BEFORE_SECONDS, True), (1.0, True), (0.0, True), (-60.0, True)],
)
def test_keys_are_renewed_before_they_expire(provider: Rotating, auth: IAM, left: float, stale: bool) -> None:
    auth.refresh()
    provider.now = NOW + 3600 - left
    assert auth.is_stale() is stale
    auth.refresh()
    assert key_of(auth) == ("AKDEMO2" if stale else "AKDEMO1")


def test_keys_that_do_not_expire_are_loaded_once() -> None:
    provider = Rotating(lifetime=None)
    auth = IAM(provider=provider, clock=provider.clock)
    auth.refresh()
    provider.now += 10**9
    assert not auth.is_stale()


def test_keys_given_are_never_stale_and_cannot_be_renewed() -> None:
    auth = IAM("AKDEMO", "SKDEMO")
    assert not auth.is_stale()
    assert auth.invalidate() is False
    auth.refresh()
    assert key_of(auth) == "AKDEMO"


def test_a_renewal_that_fails_keeps_keys_that_still_work(provider: Rotating, auth: IAM) -> None:
    auth.refresh()
    provider.now, provider.failure = NOW + 3599, OSError("down")
    auth.refresh()
    assert key_of(auth) == "AKDEMO1"
    assert not auth.is_stale(), "a provider that failed is left alone for a while"
    provider.now, provider.failure = NOW + 3599 + RETRY_LOAD_SECONDS, None
    assert auth.is_stale()
    auth.refresh()
    assert key_of(auth) == "AKDEMO3"


def test_who_signs_with_keys_that_still_work_does_not_wait_for_their_renewal(provider: Rotating, auth: IAM) -> None:
    auth.refresh()
    provider.now = NOW + 3599
    with auth._lock:  # as another thread holds it while it loads
        auth.refresh()
    assert key_of(auth) == "AKDEMO1"


def test_keys_refused_although_just_renewed_are_not_renewed_again(provider: Rotating, auth: IAM) -> None:
    auth.refresh()
    assert auth.invalidate()
    auth.refresh()
    assert auth.invalidate(), "a call that was refused with the old keys may try the new ones"
    assert not auth.is_stale(), "but the provider is not asked again"
    provider.now += RETRY_LOAD_SECONDS
    assert auth.invalidate()
    assert auth.is_stale()


@pytest.mark.parametrize("how", ["expired", "refused", "never loaded"])
def test_a_renewal_that_fails_is_an_error_when_there_are_no_keys_that_work(
    provider: Rotating, auth: IAM, how: str
) -> None:
    if how != "never loaded":
        auth.refresh()
    if how == "expired":
        provider.now = NOW + 3600
    if how == "refused":
        auth.invalidate()
    provider.failure = OSError("down")
    with pytest.raises(OSError, match="down"):
        auth.refresh()


def test_refused_keys_are_stale_at_once(provider: Rotating, auth: IAM) -> None:
    auth.refresh()
    assert auth.invalidate() is True
    assert auth.is_stale()
    auth.refresh()
    assert not auth.is_stale()
    assert key_of(auth) == "AKDEMO2"


def test_a_provider_that_gives_the_refused_keys_again_is_asked_once() -> None:
    same = StaticLike()
    auth = IAM(provider=same)
    auth.refresh()
    auth.invalidate()
    auth.refresh()
    assert not auth.is_stale()
    assert same.loads == 2


class StaticLike:
    """The very same object each time."""

    loads = 0
    credentials = Credentials("AKDEMO", "SKDEMO")

    def load(self) -> Credentials:
        self.loads += 1
        return self.credentials


def test_a_call_about_to_sign_is_not_disturbed_by_another_thread_that_refuses_the_keys(auth: IAM) -> None:
    auth.refresh()
    assert not auth.is_stale()
    auth.invalidate()
    assert key_of(auth) == "AKDEMO1"


def test_a_refusal_is_noted_without_waiting_for_keys_that_are_being_loaded(provider: Rotating, auth: IAM) -> None:
    auth.refresh()
    provider.now = NOW + 3600 - REFRESH_BEFORE_SECONDS
    loading, go_on = threading.Event(), threading.Event()

    def slow() -> Credentials:
        loading.set()
        assert go_on.wait(10)
        return Credentials("AKDEMO9", "SKDEMO")

    provider.load = slow  # type: ignore[method-assign]
    renewal = threading.Thread(target=auth.refresh)
    renewal.start()
    assert loading.wait(10)
    assert auth.invalidate() is True  # an event loop would stand still until the keys are there
    go_on.set()
    renewal.join(10)
    assert key_of(auth) == "AKDEMO9"
    assert auth.is_stale() is False


def test_keys_the_service_refuses_are_renewed_once_and_the_call_goes_through(provider: Rotating, auth: IAM) -> None:
    wire = FakeTransport(reply(401, {"code": "Unauthorized"}), reply())
    Toy(endpoint="https://h.example", auth=auth, transport=wire, clock=FakeClock()).call(WRITE)
    assert [request.headers["X-Security-Token"] for request in wire.requests] == ["STSDEMO1", "STSDEMO2"]


def test_keys_the_service_refuses_twice_are_given_up(provider: Rotating, auth: IAM) -> None:
    wire = FakeTransport(*[reply(401, {"code": "Unauthorized"})] * 3)
    with pytest.raises(Unauthorized):
        Toy(endpoint="https://h.example", auth=auth, transport=wire, clock=FakeClock()).call(READ)
    assert len(wire.requests) == 2
    assert provider.loads == 2


def test_a_provider_that_fails_before_there_are_keys_stops_the_call_before_anything_is_sent(
    provider: Rotating, auth: IAM
) -> None:
    provider.failure, wire = OSError("PLANTED"), FakeTransport()
    with pytest.raises(MissingCredentials, match=r"could not load credentials: OSError") as caught:
        Toy(endpoint="https://h.example", auth=auth, transport=wire).call(READ)
    assert caught.value.__cause__ is provider.failure
    assert "PLANTED" not in str(caught.value)
    assert wire.requests == []


def test_a_refusal_stays_the_answer_when_no_fresh_keys_can_be_had(provider: Rotating, auth: IAM) -> None:
    auth.refresh()
    provider.failure = OSError("down")
    wire = FakeTransport(reply(401, {"code": "Unauthorized", "message": "expired"}))
    with pytest.raises(Unauthorized, match="expired") as caught:
        Toy(endpoint="https://h.example", auth=auth, transport=wire, clock=FakeClock()).call(READ)
    assert any("no fresh credentials could be had" in note for note in caught.value.__notes__)
    assert len(wire.requests) == 1


def test_keys_that_cannot_be_renewed_are_not_tried_again() -> None:
    wire = FakeTransport(reply(401, {"code": "Unauthorized"}))
    with pytest.raises(Unauthorized):
        Toy(endpoint="https://h.example", auth=IAM("AKDEMO", "SKDEMO"), transport=wire).call(READ)
    assert len(wire.requests) == 1


def test_many_threads_load_once() -> None:
    inside, second_inside = threading.Event(), threading.Event()

    class Slow:
        loads = 0

        def load(self) -> Credentials:
            self.loads += 1
            if inside.is_set():
                second_inside.set()
            inside.set()
            second_inside.wait(0.1)  # were another thread let in meanwhile, it would come now
            return Credentials("AKDEMO", "SKDEMO")

    provider = Slow()
    auth = IAM(provider=provider)
    threads = [threading.Thread(target=auth.refresh) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert provider.loads == 1
    assert key_of(auth) == "AKDEMO"


def test_keys_and_a_provider_do_not_go_together(provider: Rotating) -> None:
    for given in ({"ak": "AKDEMO"}, {"sk": "SKDEMO"}, {"session_token": "STSDEMO"}):
        with pytest.raises(ConfigError, match="either ak= and sk=, or provider="):
            IAM(provider=provider, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("provider", [5, lambda: None, {"load": 1}, Credentials("AKDEMO", "SKDEMO")])
def test_what_is_no_provider_is_refused(provider: Any) -> None:
    with pytest.raises(
        ConfigError, match=rf"needs a load\(\) method that returns Credentials; {type(provider).__name__} has"
    ):
        IAM(provider=provider)


def test_a_provider_that_returns_something_else_is_named() -> None:
    class Wrong:
        def load(self) -> Any:
            return ("AKDEMO", "PLANTED")

    auth = IAM(provider=Wrong())
    with pytest.raises(ConfigError, match=r"Wrong\.load\(\) must return Credentials, not tuple") as caught:
        auth.refresh()
    assert "PLANTED" not in str(caught.value)


def test_what_core_brings_are_providers() -> None:
    fixed = StaticProvider(Credentials("AKDEMO", "SKDEMO"))
    assert isinstance(fixed, CredentialProvider)
    assert fixed.load() is fixed.credentials
    assert isinstance(Rotating(), CredentialProvider)


def test_without_the_signers_package_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "volcengine"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "volcengine", None)  # type: ignore[arg-type]  # as if it were not installed
    auth = IAM("AKDEMO", "SKDEMO")
    client = Toy(endpoint="https://h.example", auth=auth, transport=FakeTransport())
    with pytest.raises(ConfigError, match=r"need the volcengine package .* pip install 'vikingdb-core\[iam\]'"):
        client.call(READ)


def test_the_signers_package_is_not_imported_before_the_first_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    def watch(name: str, *args: Any, **kwargs: Any) -> Any:
        assert name.partition(".")[0] != "volcengine"
        return load(name, *args, **kwargs)

    load = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", watch)
    auth = IAM("AKDEMO", "SKDEMO")
    Toy(endpoint="https://h.example", auth=auth)
    with pytest.raises(AssertionError):
        auth.sign(REQUEST, SCOPE)
