"""Auth and credentials: the contracts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import NoReturn, Protocol, runtime_checkable

from ..exceptions import MissingCredentials
from ..masked import discreet
from ..messages import Request
from ..traits import AuthMode


@dataclass(frozen=True)
class Scope:
    """What a signature is for: the service's signing name and the region. Given anew for every request, so that one
    auth object serves every domain."""

    service: str
    region: str


@dataclass(frozen=True)
class Credentials:
    """An access key with its secret, perhaps temporary.

    Attributes:
        access_key: the public half.
        secret_key: never shown.
        session_token: the STS token that goes with temporary keys; never shown.
        expires_at: Unix seconds, or ``None`` when they do not expire or that is not known.
    """

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    expires_at: float | None = None

    def __post_init__(self) -> None:
        for name, value in (
            ("access key", self.access_key),
            ("secret key", self.secret_key),
            ("session token", "none" if self.session_token is None else self.session_token),
        ):
            if not isinstance(value, str) or not value.strip():
                raise MissingCredentials(f"the {name} is empty; pass both keys, as in IAM(ak=…, sk=…)")
            if not value.isascii() or not value.isprintable() or " " in value:
                raise MissingCredentials(f"the {name} has blanks or characters no key has; was it pasted whole?")

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are not pickled; build them again in the other process")


# dataclass writes __init__, so it is wrapped here: its parameters are the secrets.
Credentials.__init__ = discreet(Credentials.__init__)  # type: ignore[method-assign]


@runtime_checkable
class CredentialProvider(Protocol):
    """Where credentials come from. ``load`` may do I/O; it runs only when credentials are missing or stale.

    A provider whose credentials change without saying when they expire has an attribute ``reread_seconds``: it is asked
    again after so long. One that takes a while may ask :data:`seconds_left` how long the waiting call has.
    """

    def load(self) -> Credentials: ...


@dataclass(frozen=True)
class StaticProvider:
    """Always the same credentials."""

    credentials: Credentials

    def load(self) -> Credentials:
        return self.credentials


seconds_left: ContextVar[Callable[[], float] | None] = ContextVar("seconds_left", default=None)
"""Tells how long the call that waits for credentials still has; ``None`` when it has no deadline."""


def within(left: Callable[[], float], action: Callable[[], object]) -> None:
    """Run what gets credentials for a call with a deadline."""
    token = seconds_left.set(left)
    try:
        action()
    finally:
        seconds_left.reset(token)


def with_deadline(
    action: Callable[[], object], deadline: float | None, monotonic: Callable[[], float]
) -> Callable[[], object]:
    """The same for a moment on a clock, to be run later."""
    return action if deadline is None else partial(within, lambda: deadline - monotonic(), action)


class Auth(ABC):
    """Authorises requests. Safe to share between clients, domains and threads.

    Signing is pure: ``sign`` returns a new request, does no I/O and may be called again for every attempt. So a client
    tries a strange scheme out when it is built, on a request that goes nowhere, unless it is stale. A scheme
    whose credentials age overrides ``is_stale``, ``refresh`` and ``invalidate``; the flow calls ``refresh`` where
    blocking is allowed.
    """

    mode: AuthMode = AuthMode.CUSTOM
    """Which operations accept it."""

    sends_secret: bool = True
    """Whether the secret itself travels with the request, so that only an encrypted or local connection will do."""

    @abstractmethod
    def sign(self, request: Request, scope: Scope) -> Request:
        """Return the authorised request. Must not change the one given."""

    def is_stale(self) -> bool:
        """Whether ``refresh`` should run before the next ``sign``."""
        return False

    def refresh(self) -> None:  # noqa: B027  # a scheme whose credentials do not age has nothing to do
        """Get fresh credentials. May block; may run in another thread."""

    def invalidate(self) -> bool:
        """The service refused the credentials. Return ``True`` when a refresh may bring better ones."""
        return False
