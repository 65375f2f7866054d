"""Auth and credentials: the contracts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import NoReturn, Protocol, runtime_checkable

from ..exceptions import MissingCredentials
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


@runtime_checkable
class CredentialProvider(Protocol):
    """Where credentials come from. ``load`` may do I/O; it runs only when credentials are missing or stale."""

    def load(self) -> Credentials: ...


@dataclass(frozen=True)
class StaticProvider:
    """Always the same credentials."""

    credentials: Credentials

    def load(self) -> Credentials:
        return self.credentials


class Auth(ABC):
    """Authorises requests. Safe to share between clients, domains and threads.

    Signing is pure: ``sign`` returns a new request, does no I/O and may be called again for every attempt. A scheme
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
