"""IAM: signature version 4 with an access key, through volcengine's own signer.

The signer is imported at the first signature, not before: it brings a large package, and clients with an API key
never need it.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn

from ..exceptions import ConfigError, DeadlineExceeded, MissingCredentials
from ..masked import discreet
from ..messages import Request
from ..traits import AuthMode
from .base import Auth, CredentialProvider, Credentials, Scope, StaticProvider, seconds_left

REFRESH_BEFORE_SECONDS = 300.0
"""Temporary keys are replaced this long before they expire."""

RETRY_LOAD_SECONDS = 30.0
"""A provider that failed, or has just been asked, is not asked again before this."""


class IAM(Auth):
    """Access key and secret key, with an STS session token when the keys are temporary.

    Stateless about service and region, so one object serves every domain, client and thread.

    Args:
        ak: access key.
        sk: secret key.
        session_token: STS token; it is signed with the request.
        provider: where to get credentials instead, when they rotate. Asked at the first call and before they expire.
    """

    mode = AuthMode.IAM

    @discreet
    def __init__(
        self,
        ak: str | None = None,
        sk: str | None = None,
        session_token: str | None = None,
        *,
        provider: CredentialProvider | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._credentials: Credentials | None = None
        self._refused: Credentials | None = None
        self._loaded_at = -math.inf
        self._renewed_at = -math.inf
        self._next_load = -math.inf
        if provider is not None:
            if ak or sk or session_token:
                raise ConfigError("give IAM either ak= and sk=, or provider=, not both")
            if not isinstance(provider, CredentialProvider):
                raise ConfigError(
                    f"provider= needs a load() method that returns Credentials; {type(provider).__name__} has none"
                )
            self._provider = provider
        else:
            self._credentials = Credentials(ak or "", sk or "", session_token or None)
            self._provider = StaticProvider(self._credentials)

    @property
    def sends_secret(self) -> bool:  # type: ignore[override]  # a session token is a secret; a signature is not
        return not isinstance(self._provider, StaticProvider) or self._provider.credentials.session_token is not None

    def with_session_token(self, token: str) -> IAM:
        """The same keys with an STS token, as a new object."""
        if not isinstance(self._provider, StaticProvider):
            raise ConfigError("these keys come from a provider, which must bring the session token itself")
        keys = self._provider.credentials
        return IAM(keys.access_key, keys.secret_key, token, clock=self._clock)

    def is_stale(self) -> bool:
        if self._still_works(self._credentials) and self._clock() < self._next_load:
            return False
        return not self._is_fresh(self._credentials)

    def _is_fresh(self, held: Credentials | None) -> bool:
        if held is None or held is self._refused:
            return False
        if held.expires_at is None:
            reread = getattr(self._provider, "reread_seconds", None)
            return reread is None or self._clock() - self._loaded_at < reread
        return held.expires_at - self._clock() > REFRESH_BEFORE_SECONDS

    @discreet
    def refresh(self) -> None:
        # One thread refreshes for all. While the old keys still work the others sign with them; else they wait.
        if self._still_works(self._credentials):
            held = self._lock.acquire(blocking=False)
        else:
            left = seconds_left.get()
            held = self._lock.acquire(timeout=-1 if left is None else min(max(left(), 0.0), threading.TIMEOUT_MAX))
            if not held:
                raise DeadlineExceeded("the call's deadline passed while another thread was loading credentials")
        if held:
            try:
                self._refresh()
            finally:
                self._lock.release()

    def _refresh(self) -> None:
        if not self.is_stale():  # another thread has been here
            return
        try:
            loaded = self._provider.load()
        except Exception:
            # Keys that are due for renewal but have not expired still work; try again a little later.
            if self._still_works(self._credentials):
                self._next_load = self._clock() + RETRY_LOAD_SECONDS
                return
            raise
        if not isinstance(loaded, Credentials):
            raise ConfigError(
                f"{type(self._provider).__name__}.load() must return Credentials, not {type(loaded).__name__}"
            )
        self._loaded_at = self._clock()
        self._next_load = self._loaded_at + RETRY_LOAD_SECONDS
        if self._refused is not None:
            self._renewed_at = self._loaded_at
        self._credentials, self._refused = loaded, None

    def _still_works(self, held: Credentials | None) -> bool:
        if held is None or held is self._refused:
            return False
        return held.expires_at is None or held.expires_at > self._clock()

    def invalidate(self) -> bool:
        if isinstance(self._provider, StaticProvider):
            return False
        # Without the lock, which is held while keys are loaded: this runs where an event loop does. Keys that are
        # replaced meanwhile are others than those marked here.
        held = self._credentials
        if self._clock() - self._renewed_at >= RETRY_LOAD_SECONDS:
            # Kept, not dropped: another thread may be about to sign with them.
            self._refused = held
        return True  # else another call has just renewed them: try those, and do not ask the provider again

    def sign(self, request: Request, scope: Scope) -> Request:
        credentials = self._credentials
        if credentials is None:
            raise MissingCredentials("no credentials have been loaded yet; call refresh() first")
        shim = _SignerRequest(request)
        _signer()(shim, credentials, scope)
        return request.with_headers(shim.headers)

    @property
    def provider_name(self) -> str:
        """What kind of provider the keys come from."""
        return type(self._provider).__name__

    @property
    def shown_key(self) -> str | None:
        """The access key as it may be shown, or ``None`` when none has been loaded yet."""
        return f"{self._credentials.access_key[:4]}***" if self._credentials is not None else None

    def __repr__(self) -> str:
        if isinstance(self._provider, StaticProvider):
            return f"IAM(ak={self.shown_key})"
        return f"IAM(provider={self.provider_name})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are not pickled; build IAM again in the other process")


class _SignerRequest:
    """What SignerV4 expects of a request. It writes its headers into ``headers``."""

    def __init__(self, request: Request) -> None:
        self.method = request.method
        self.path = request.path
        self.headers = dict(request.headers)  # spelled canonically: SignerV4 skips a lower-case x-name
        self.body = request.body
        self.query: dict[str, Any] = {}
        for name, value in sorted(request.query):
            self.query.setdefault(name, []).append(value)


def _signer() -> Callable[[_SignerRequest, Credentials, Scope], None]:
    try:
        from volcengine.auth.SignerV4 import SignerV4
        from volcengine.Credentials import Credentials as SignerCredentials
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"IAM signatures need the volcengine package ({error.name} is missing): pip install 'vikingdb-core[iam]'"
        ) from error

    def sign(request: _SignerRequest, credentials: Credentials, scope: Scope) -> None:
        SignerV4.sign(
            request,
            SignerCredentials(
                credentials.access_key,
                credentials.secret_key,
                scope.service,
                scope.region,
                credentials.session_token or "",
            ),
        )

    return sign
