"""Auth schemes that break one promise each."""

from __future__ import annotations

import logging
import random
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from pytest_vikingdb import AuthContract
from vikingdb_core.credentials import Auth, Scope
from vikingdb_core.messages import Headers, Request

SECRET = "PLANTEDSECRET"


class Honest(Auth):
    """Breaks nothing; the others differ from it by a line."""

    def __init__(self) -> None:
        self.key = SECRET

    def sign(self, request: Request, scope: Scope) -> Request:
        return request.with_headers({"X-Badge": self.key}, secret=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(***)"

    def __reduce__(self) -> Any:
        raise TypeError("not pickled")


class HonestContract(AuthContract):
    secrets = (SECRET,)
    auth: type[Auth] = Honest

    def make_auth(self) -> Auth:
        return self.auth()


class TestHonest(HonestContract):
    pass


class TestMutates(HonestContract):
    class auth(Honest):
        def sign(self, request: Request, scope: Scope) -> Request:
            request.headers["X-Badge"] = self.key
            return request


class TestModeOfItsOwn(HonestContract):
    class auth(Honest):
        mode = "badge"  # type: ignore[assignment]


class TestWriter(HonestContract):
    class auth(Honest):
        def sign(self, request: Request, scope: Scope) -> Request:
            with suppress(Exception):
                request.headers["X-Badge"] = self.key
            object.__setattr__(request, "path", "/elsewhere")
            return super().sign(replace(request, path="/api/probe/read"), scope)


class TestDropsHeaders(HonestContract):
    class auth(Honest):
        def sign(self, request: Request, scope: Scope) -> Request:
            kept = Headers({name: value for name, value in request.headers.items() if name != "X-Tt-Logid"})
            return super().sign(replace(request, headers=kept), scope)


class TestChangesBody(HonestContract):
    class auth(Honest):
        def sign(self, request: Request, scope: Scope) -> Request:
            return super().sign(replace(request, body=request.body + b" "), scope)


class TestUndeclaredNonce(HonestContract):
    class auth(Honest):
        def sign(self, request: Request, scope: Scope) -> Request:
            return super().sign(request.with_headers({"X-Nonce": str(random.random())}), scope)


class TestRemembersScope(HonestContract):
    class auth(Honest):
        service: str | None = None

        def sign(self, request: Request, scope: Scope) -> Request:
            if self.service not in (None, scope.service):
                raise ValueError("made for another service")
            self.service = scope.service
            return super().sign(request, scope)


class TestAsksNetwork(HonestContract):
    class auth(Honest):
        def sign(self, request: Request, scope: Scope) -> Request:
            with socket.socket() as asking, suppress(OSError):
                asking.connect(("127.0.0.1", 9))
            return super().sign(request, scope)


class TestSharesBetweenThreads(HonestContract):
    class auth(Honest):
        all_here = threading.Barrier(8)

        def sign(self, request: Request, scope: Scope) -> Request:
            self.request = request
            if threading.current_thread() is not threading.main_thread():
                self.all_here.wait(10)
            return super().sign(self.request, scope)


class TestPromisesBetterKeys(HonestContract):
    class auth(Honest):
        def invalidate(self) -> bool:
            return True


class Ageing(Honest):
    def __init__(self, fresh: bool) -> None:
        super().__init__()
        self.asked, self.fresh, self.lock = 0, fresh, threading.Lock()

    def is_stale(self) -> bool:
        return not self.fresh

    def refresh(self) -> None:
        with self.lock:
            if not self.fresh:
                self.asked, self.fresh = self.asked + 1, True

    def invalidate(self) -> bool:
        self.fresh = False
        return True


class AgeingContract(AuthContract):
    secrets = (SECRET,)
    auth: type[Ageing] = Ageing

    def make_auth(self) -> Auth:
        return self.auth(fresh=True)

    def make_stale_auth(self) -> tuple[Auth, Callable[[], int]]:
        stale = self.auth(fresh=False)
        return stale, lambda: stale.asked


class TestHonestAgeing(AgeingContract):
    pass


class TestStampede(AgeingContract):
    class auth(Ageing):
        def refresh(self) -> None:
            with self.lock:
                self.asked, self.fresh = self.asked + 1, True


class TestNeverReady(AgeingContract):
    class auth(Ageing):
        def refresh(self) -> None:
            self.asked += 1


class TestStaleFromTheStart(HonestContract):
    class auth(Honest):
        def is_stale(self) -> bool:
            return True


class TestVague(HonestContract):
    class auth(Honest):
        def invalidate(self) -> bool:
            return None  # type: ignore[return-value]


class TestShowsItself(HonestContract):
    class auth(Honest):
        def __repr__(self) -> str:
            return f"Badge({self.key})"


class TestShowsHeader(HonestContract):
    class auth(Honest):
        def sign(self, request: Request, scope: Scope) -> Request:
            return request.with_headers({"X-Badge": self.key})


class TestPickles(HonestContract):
    class auth(Honest):
        def __reduce__(self) -> Any:
            return object.__new__, (type(self),), vars(self)


class TestLogs(HonestContract):
    class auth(Honest):
        def sign(self, request: Request, scope: Scope) -> Request:
            logging.getLogger("badge").debug("signing with %s", self.key)
            return super().sign(request, scope)


class TestUndeclaredSecret(HonestContract):
    secrets = ("SOMETHINGELSE",)


class TestUndeclared(HonestContract):
    secrets = ()


BY_A_CLIENT = {  # a client refuses it
    "test_a_client_takes_it_and_signs_every_attempt",
    "test_refused_credentials_are_renewed_once",
    "test_calls_that_fail_show_no_secret",
}
SIGNING = {  # it is refused wherever it signs
    "test_signing_adds_headers_and_changes_nothing_else",
    "test_the_same_request_is_signed_the_same",
    "test_it_serves_every_service_and_region",
    "test_signing_needs_no_network",
    "test_threads_may_sign_at_once",
    "test_its_secrets_are_declared",
    "test_nothing_it_shows_has_a_secret",
}
BREAKS = {
    "TestModeOfItsOwn": {"test_it_is_an_auth_with_a_mode", *BY_A_CLIENT},
    "TestMutates": {"test_signing_leaves_the_request_as_it_was", *BY_A_CLIENT, *SIGNING},
    "TestWriter": {"test_signing_leaves_the_request_as_it_was", "test_signing_adds_headers_and_changes_nothing_else"},
    "TestDropsHeaders": {"test_signing_adds_headers_and_changes_nothing_else"},
    "TestChangesBody": {"test_signing_adds_headers_and_changes_nothing_else"},
    "TestUndeclaredNonce": {"test_the_same_request_is_signed_the_same", "test_threads_may_sign_at_once"},
    "TestRemembersScope": {"test_it_serves_every_service_and_region"},
    "TestAsksNetwork": {"test_signing_needs_no_network"},
    "TestSharesBetweenThreads": {"test_threads_may_sign_at_once"},
    "TestPromisesBetterKeys": {"test_what_ages_can_be_renewed"},
    "TestStampede": {"test_threads_that_find_it_stale_renew_it_once"},
    "TestNeverReady": {"test_what_ages_can_be_renewed", "test_threads_that_find_it_stale_renew_it_once"},
    "TestStaleFromTheStart": {
        "test_a_new_one_is_ready_to_sign",
        "test_refused_credentials_are_renewed_once",
        "test_what_ages_can_be_renewed",
        "test_threads_that_find_it_stale_renew_it_once",
    },
    "TestVague": {"test_it_answers_true_or_false"},
    "TestShowsItself": {"test_nothing_it_shows_has_a_secret", "test_calls_that_fail_show_no_secret"},
    "TestShowsHeader": {"test_nothing_it_shows_has_a_secret", "test_calls_that_fail_show_no_secret"},
    "TestPickles": {"test_it_is_not_pickled_with_its_secrets"},
    "TestLogs": {"test_calls_that_fail_show_no_secret"},
    "TestUndeclaredSecret": {"test_its_secrets_are_declared"},
    "TestUndeclared": {"test_its_secrets_are_declared"},
}
