"""AuthContract: what every auth scheme promises."""

from __future__ import annotations

import copy
import logging
import pickle
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import ClassVar

import pytest

from vikingdb_core.credentials import Auth, Scope
from vikingdb_core.effects import Block, Send
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.exceptions import Unauthorized, VikingDBError
from vikingdb_core.messages import Headers, Request
from vikingdb_core.traits import AuthMode

from ..clients import ClientFactory
from ..network import NetworkGuard
from ..stepped import FlowStepper
from ..wire import Wire
from .base import Contract
from .probe import READ, ProbeClient
from .together import together

SCOPE = Scope("probe", "cn-beijing")
ENDPOINT = Endpoint.parse("https://vikingdb.example")


class AuthContract(Contract, contract=True):
    """What every auth scheme promises: signing is pure, secrets stay inside, and credentials that age are renewed once.

    A subclass gives :meth:`make_auth`, and says what must not be seen in ``secrets``. The rest only where it applies:
    :meth:`make_stale_auth` for credentials that age, :meth:`stop_time` for signatures that carry the time, ``owns``,
    ``varies``.
    """

    secrets: ClassVar[Sequence[str]] = ()
    """Every secret that :meth:`make_auth` was given, as it is written."""

    no_secrets: ClassVar[str] = ""
    """Why there are none, for a scheme without."""

    owns: ClassVar[frozenset[str]] = frozenset({"Authorization"})
    """Headers it may replace when a request has them already."""

    varies: ClassVar[str] = ""
    """Why the same request is signed differently each time even when time stands still: a nonce, a counter."""

    def make_auth(self) -> Auth:
        """A new auth object, ready to sign."""
        raise NotImplementedError(f"{type(self).__name__}.make_auth() is to return the auth under test")

    def make_stale_auth(self) -> tuple[Auth, Callable[[], int]] | None:
        """A new auth object that needs a refresh before it can sign, and a function that says how often its source
        was asked for credentials; ``None`` when its credentials do not age."""
        return None

    def stop_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Stop the clock that signatures read, if they read one."""

    # What it is

    def test_it_is_an_auth_with_a_mode(self) -> None:
        """It is an ``Auth``, and its ``mode`` an ``AuthMode``: operations say by mode which credentials they accept."""
        auth = self.make_auth()
        assert isinstance(auth, Auth), f"{type(auth).__name__} is to subclass vikingdb_core.credentials.Auth"
        assert isinstance(auth.mode, AuthMode), f"mode is {auth.mode!r}; leave it out, or say AuthMode.CUSTOM"
        assert isinstance(auth.sends_secret, bool), f"sends_secret is {auth.sends_secret!r}; say True or False"

    def test_it_answers_true_or_false(self) -> None:
        """``is_stale`` and ``invalidate`` answer ``True`` or ``False``."""
        auth = self.make_auth()
        assert type(auth.is_stale()) is bool
        assert type(auth.invalidate()) is bool

    def test_a_new_one_is_ready_to_sign(self) -> None:
        """What ``make_auth`` returns is not stale, so that a client can be given it and sign."""
        assert self.make_auth().is_stale() is False

    # Signing

    @pytest.mark.parametrize("body", [b'{"a":1}', b"", b"\x00\xff"], ids=["json", "empty", "binary"])
    def test_signing_leaves_the_request_as_it_was(self, body: bytes) -> None:
        """``sign`` returns a new request: method, path, query, headers and body of the one given stay as they were."""
        given, before = _request(body=body), _request(body=body)
        self.make_auth().sign(given, SCOPE)
        assert given == before

    def test_signing_adds_headers_and_changes_nothing_else(self) -> None:
        """The signed request is a ``Request`` to the same address with the same body. Headers it was given are kept,
        byte for byte, but for those the scheme ``owns``."""
        given = _request()
        signed = self.make_auth().sign(given, SCOPE)
        assert isinstance(signed, Request), (
            f"sign() returned {type(signed).__name__}; return request.with_headers({{…}})"
        )
        assert (signed.method, signed.url, signed.body) == (given.method, given.url, given.body)
        owned = Headers(dict.fromkeys(self.owns, ""))
        lost = {
            name for name, value in given.headers.items() if name not in owned and signed.headers.get(name) != value
        }
        assert not lost, f"sign() changed or dropped {sorted(lost)}; if it may, name them in owns"

    def test_the_same_request_is_signed_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """At a fixed time the same request gets the same signature, from this object and from another made alike.
        A scheme that ``varies`` still writes the same headers."""
        self.stop_time(monkeypatch)
        auth = self.make_auth()
        first, again, other = (each.sign(_request(), SCOPE) for each in (auth, auth, self.make_auth()))
        assert list(first.headers) == list(again.headers) == list(other.headers)
        if not self.varies:
            assert dict(first.headers) == dict(again.headers), (
                "stop_time() stops a clock, varies says why there is none"
            )
            assert dict(first.headers) == dict(other.headers)

    def test_it_serves_every_service_and_region(self) -> None:
        """One object signs for any scope, in any order: what a scope asks for is remembered by nobody."""
        auth = self.make_auth()
        for scope in (SCOPE, Scope("other", "ap-southeast-1"), SCOPE):
            assert isinstance(auth.sign(_request(), scope), Request)

    def test_signing_needs_no_network(self) -> None:
        """``sign`` does no I/O: it opens no connection, not even on this machine. ``refresh`` may."""
        auth = self.make_auth()
        with NetworkGuard(loopback=False):
            auth.sign(_request(), SCOPE)

    def test_threads_may_sign_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Many threads sign with one object, each its own request."""
        self.stop_time(monkeypatch)
        auth, alone = self.make_auth(), self.make_auth()
        requests = [_request(number=str(number)) for number in range(8)]
        signed = together([partial(auth.sign, request, SCOPE) for request in requests])
        for request, answer in zip(requests, signed, strict=True):
            expected = alone.sign(request, SCOPE)
            assert answer.headers["X-Number"] == request.headers["X-Number"]
            assert list(answer.headers) == list(expected.headers)
            assert self.varies or dict(answer.headers) == dict(expected.headers)

    # Through a client

    def test_a_client_takes_it_and_signs_every_attempt(self, viking_client: ClientFactory, viking_wire: Wire) -> None:
        """A client is built with it, and each attempt of a call has the headers that it writes."""
        written = {*self.make_auth().sign(_request(), SCOPE).headers} - {*_request().headers}
        viking_wire.reply(503).reply()
        assert viking_client(ProbeClient, auth=self.make_auth(), retry=2).call(READ).code == "Success"
        assert len(viking_wire.requests) == 2
        for request in viking_wire.requests:
            assert written <= {*request.headers}

    def test_refused_credentials_are_renewed_once(self, viking_client: ClientFactory, viking_flow: FlowStepper) -> None:
        """When the service refuses the credentials, ``invalidate`` says whether better ones may be had: if so they are
        fetched once and the request is signed and sent again; if not, the refusal is what the caller sees. A second
        refusal is final."""
        renewable = self.make_auth().invalidate()
        flow = viking_flow(viking_client(ProbeClient, auth=self.make_auth()).call, READ)
        assert isinstance(flow.effect, Send), f"a new one has to wait for {flow.effect!r}; make_auth() is to be ready"
        refreshes, refusal = 0, None
        while not flow.done:
            try:
                if isinstance(flow.effect, Block):
                    refreshes += 1
                    flow.answer(flow.effect.action())
                else:
                    flow.reply(401, {"code": "Unauthorized", "message": "no"})
            except VikingDBError as error:
                refusal = error
        assert isinstance(refusal, Unauthorized)
        assert sum(isinstance(effect, Send) for effect in flow.effects) == (2 if renewable else 1)
        assert refreshes <= (1 if renewable else 0)

    # Renewal

    def test_what_ages_can_be_renewed(self) -> None:
        """A scheme whose credentials age is given to the contract in that state too, see ``make_stale_auth``: it says
        so, ``refresh`` makes it ready, and it signs. One that never ages has nothing to renew, and ``refresh`` changes
        nothing."""
        stale = self.make_stale_auth()
        if stale is None:
            auth = self.make_auth()
            assert not auth.invalidate(), "invalidate() promises better credentials; give make_stale_auth()"
            auth.refresh()
            assert auth.is_stale() is False
            return
        auth, asked = stale
        assert auth.is_stale() is True
        auth.refresh()
        assert asked() == 1
        assert auth.is_stale() is False
        assert isinstance(auth.sign(_request(), SCOPE), Request)

    def test_threads_that_find_it_stale_renew_it_once(self) -> None:
        """When several threads find the credentials stale, one asks their source and the others take what it got."""
        auth, asked = self.make_stale_auth() or (self.make_auth(), lambda: 0)
        before = asked()
        found = threading.Barrier(8)

        def renew() -> None:
            stale = auth.is_stale()
            found.wait(10)  # until all have seen the same
            if stale:
                auth.refresh()

        needed = auth.is_stale()
        together([renew] * 8)
        assert asked() - before == (1 if needed else 0), "refresh() is to look again, under a lock, before it asks"
        assert auth.is_stale() is False

    # Secrets

    def test_its_secrets_are_declared(self) -> None:
        """``secrets`` has what must not be seen, or ``no_secrets`` says why there is nothing. What a scheme that
        ``sends_secret`` sends is among them."""
        auth = self.make_auth()
        assert bool(self.secrets) is not bool(self.no_secrets), "give secrets = […], or say no_secrets = 'why'"
        assert all(len(secret) >= 8 for secret in self.secrets), (
            "a short secret is found anywhere; make it 8 characters"
        )
        if auth.sends_secret:
            sent = "\n".join(auth.sign(_request(), SCOPE).headers.values())
            assert any(secret in sent for secret in self.secrets), "it sends a secret that is not in secrets"

    def test_nothing_it_shows_has_a_secret(self) -> None:
        """Neither ``repr`` nor ``str`` of the object and of a request it signed shows a secret. A header whose name
        does not tell that it is one is added by ``request.with_headers({…}, secret=True)``."""
        auth = self.make_auth()
        signed = auth.sign(_request(), SCOPE)
        self._assert_unseen(repr(auth), str(auth), f"{auth}", repr(signed), str(signed), repr(signed.headers))

    def test_it_is_not_pickled_with_its_secrets(self) -> None:
        """Pickling it fails, or leaves the secrets out."""
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with suppress(TypeError, AttributeError, pickle.PicklingError):
                self._assert_unseen(pickle.dumps(self.make_auth(), protocol).decode("latin-1"))
        with suppress(TypeError, AttributeError, pickle.PicklingError):
            self._assert_unseen(repr(copy.copy(self.make_auth())))

    def test_calls_that_fail_show_no_secret(
        self, viking_client: ClientFactory, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Whatever becomes of a call, no secret is logged, at any level, nor found in the error or the local values of
        its traceback."""
        answers = ((401, None), (403, {"code": "AccessDenied"}), (500, None), ZeroDivisionError("a bug"))
        with caplog.at_level(logging.DEBUG):
            for answer in answers:
                wire = Wire().then(answer, answer)
                client = viking_client(ProbeClient, auth=self.make_auth(), transport=wire, retry=2)
                with pytest.raises((VikingDBError, ZeroDivisionError)) as caught:
                    client.call(READ, {"text": "a"})
                trace = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
                self._assert_unseen(str(caught.value), repr(caught.value), repr(vars(caught.value)), *trace.format())
        self._assert_unseen(caplog.text, *(repr(vars(record)) for record in caplog.records))

    def _assert_unseen(self, *texts: str) -> None:
        for secret in self.secrets:
            for text in texts:
                assert secret not in text, f"a secret is shown: {text.replace(secret, '<<the secret>>')[:400]}"


def _request(*, number: str = "1", body: bytes = b'{"a":1}') -> Request:
    headers = {
        "Host": ENDPOINT.netloc,
        "Accept": "application/json",
        "Content-Type": "application/json",
        "User-Agent": "probe/1",
        "X-Tt-Logid": "my-id",
        "X-Number": number,
    }
    query = (("Action", "Read"), ("Version", "1"))
    return Request("POST", ENDPOINT, "/api/probe/read", query, Headers(headers), body)
