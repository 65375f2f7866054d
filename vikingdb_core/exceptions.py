"""Exceptions: one root, a branch for each kind of trouble, a leaf for each cause.

::

    VikingDBError                   (also VikingException) the root; the other name is the official package's
    ├── ConfigError                 (also ValueError) the client was built wrongly; nothing was sent
    │   ├── MissingCredentials
    │   └── UnknownOption           (also TypeError)
    ├── ExtensionError              something installed beside core does not fit
    │   ├── DomainNotInstalled      (also ModuleNotFoundError)
    │   ├── PluginLoadError
    │   ├── PluginConflict
    │   └── PluginError             a plugin stopped the call
    ├── RequestError                refused before any byte was sent
    │   ├── InvalidRequest          (also ValueError)
    │   ├── AuthModeError
    │   ├── CircuitOpenError
    │   └── DeadlineExceeded        (also TimeoutError)
    ├── TransportError              (also VikingConnectionException) no complete response; ``sent`` says what is known
    │   ├── ConnectError            (also ConnectionError) never sent
    │   ├── RequestTimeout          (also TimeoutError) perhaps processed
    │   └── ConnectionLost          (also ConnectionError) perhaps processed
    ├── WaitTimeout                 (also TimeoutError) what was waited for did not come about
    ├── DecodeError                 a success that is not what the operation promises
    └── APIError                    (also VikingAPIException) the service said no
        ├── BadRequest              400 and other 4xx
        ├── Unauthorized            401
        ├── PermissionDenied        403
        ├── NotFound                404
        ├── Conflict                409
        ├── RateLimited             429
        └── ServerError             5xx
            └── OperationNotSupported   501

Domains add leaves below the branches of ``APIError``, chosen by the service's code.
Every exception pickles, and none carries a secret or a request body.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

__all__ = [
    "APIError",
    "Attempt",
    "AuthModeError",
    "BadRequest",
    "CircuitOpenError",
    "ConfigError",
    "Conflict",
    "ConnectError",
    "ConnectionLost",
    "DeadlineExceeded",
    "DecodeError",
    "DomainNotInstalled",
    "ExtensionError",
    "InvalidRequest",
    "MissingCredentials",
    "NotFound",
    "OperationNotSupported",
    "PermissionDenied",
    "PluginConflict",
    "PluginError",
    "PluginLoadError",
    "RateLimited",
    "RequestError",
    "RequestTimeout",
    "ServerError",
    "TransportError",
    "Unauthorized",
    "UnknownOption",
    "VikingAPIException",
    "VikingConnectionException",
    "VikingDBError",
    "VikingException",
    "WaitTimeout",
]


@dataclass(frozen=True)
class Attempt:
    """One earlier try of a call: what came of it, and how long the client waited before the next."""

    number: int
    outcome: str
    waited_seconds: float


class VikingException(Exception):
    """The official package's root, called as there; every exception of this SDK is one."""

    def __init__(
        self,
        code: str | int | None = None,
        request_id: str = "unknown",
        message: str | None = None,
        status_code: int | None = None,
    ) -> None:
        self.code = code
        self.request_id = request_id or "unknown"
        self.status_code = status_code
        self.message = message or f"request failed (code={code})"
        super().__init__(self.message)

    def promote(self, target_cls: type[AnyVikingException]) -> AnyVikingException:
        """The same trouble as another of the official classes."""
        if isinstance(self, target_cls):
            return self
        return target_cls(self.code, self.request_id, self.message, status_code=self.status_code)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.message), self.__dict__


AnyVikingException = TypeVar("AnyVikingException", bound=VikingException)


class VikingAPIException(VikingException):
    """The official package's class for errors the service answers with; every ``APIError`` is one."""


class VikingConnectionException(VikingException):
    """The official package's class for a service that cannot be reached; every ``TransportError`` is one."""

    def __init__(self, msg: str = "", cause: str = "") -> None:
        super().__init__(None, message=f"{msg}: {cause}" if cause else msg)


class VikingDBError(VikingException):
    """Root of everything this SDK raises on purpose.

    Attributes:
        message: what happened and, where it helps, what to do.
        code: the service's code, or ``None`` when the service never answered.
        status_code: HTTP status, or ``None``.
        request_id: the service's id for the request, or the caller's own, or ``"unknown"``.
        operation: stable name of the operation, such as ``vector.data.upsert``.
        attempts: earlier attempts of the same call, oldest first.
    """

    def __init__(
        self,
        message: str = "",
        *,
        code: str | int | None = None,
        status_code: int | None = None,
        request_id: str | None = None,
        operation: str | None = None,
    ) -> None:
        Exception.__init__(self, message)  # the official root takes the code first
        self.message = message
        self.code = code
        self.status_code = status_code
        self.request_id = request_id or "unknown"
        self.operation = operation
        self.attempts: tuple[Attempt, ...] = ()

    def __str__(self) -> str:
        details: dict[str, object] = {
            "code": self.code,
            "http_status": self.status_code,
            "request_id": None if self.request_id == "unknown" else self.request_id,
            "operation": self.operation,
            "attempts": len(self.attempts) + 1 if self.attempts else None,
        }
        shown = ", ".join(f"{name}={value}" for name, value in details.items() if value is not None)
        return f"{self.message} ({shown})" if shown else self.message


def _restore(cls: type[VikingException], message: str) -> VikingException:
    error = cls.__new__(cls, message)
    Exception.__init__(error, message)
    return error


class ConfigError(VikingDBError, ValueError):
    """The client or its configuration was built wrongly. Nothing was sent."""


class MissingCredentials(ConfigError):
    """No credentials were given and none were found: ``looked_at`` has the places, and what each lacks."""

    looked_at: tuple[tuple[str, str], ...] = ()


class UnknownOption(ConfigError, TypeError):
    """An option this client or call does not have; the message suggests the nearest one."""


class ExtensionError(VikingDBError):
    """A domain or plugin does not fit."""


class DomainNotInstalled(ExtensionError, ModuleNotFoundError):
    """The domain's distribution is not installed; the message says what to install."""

    def __reduce__(self) -> tuple[Any, ...]:
        restore, arguments, state = super().__reduce__()
        return restore, arguments, {**state, "name": self.name}  # Python keeps it outside the instance's dictionary


class PluginLoadError(ExtensionError):
    """A named plugin was found but could not be loaded or does not fit this core."""


class PluginConflict(ExtensionError):
    """Two distributions claim one name."""


class PluginError(ExtensionError):
    """A plugin raised inside a gate and so stopped the call."""

    def __init__(self, message: str = "", *, plugin: str = "", hook: str = "", **details: Any) -> None:
        super().__init__(message, **details)
        self.plugin = plugin
        self.hook = hook


class RequestError(VikingDBError):
    """Refused by the client. Nothing was sent."""


class InvalidRequest(RequestError, ValueError):
    """The request is not one the service could accept: wrong type, NaN, conflicting locators, …"""


class AuthModeError(RequestError):
    """The operation does not accept this kind of credentials."""


class CircuitOpenError(RequestError):
    """A circuit breaker refused the call, since the service has failed too often just now.

    Attributes:
        retry_after: seconds until a call may go through again; ``None`` while one is finding out whether others may.
    """

    def __init__(self, message: str = "", *, retry_after: float | None = None, **details: Any) -> None:
        super().__init__(message, **details)
        self.retry_after = retry_after


class DeadlineExceeded(RequestError, TimeoutError):
    """The call's deadline passed, or would pass, before another attempt."""


class TransportError(VikingDBError, VikingConnectionException):
    """No complete response arrived.

    Attributes:
        sent: ``False`` when the service cannot have seen the request; ``True`` when it may have processed it.
    """

    def __init__(self, message: str = "", *, sent: bool, **details: Any) -> None:
        super().__init__(message, **details)
        self.sent = sent


class ConnectError(TransportError, ConnectionError):
    """No connection could be made. The request was never sent."""

    def __init__(self, message: str = "", **details: Any) -> None:
        super().__init__(message, sent=False, **details)


class RequestTimeout(TransportError, TimeoutError):
    """The service did not answer in time. It may have processed the request."""

    def __init__(self, message: str = "", *, sent: bool = True, **details: Any) -> None:
        super().__init__(message, sent=sent, **details)


class ConnectionLost(TransportError, ConnectionError):
    """The connection broke before the response was complete. The service may have processed the request."""

    def __init__(self, message: str = "", *, sent: bool = True, **details: Any) -> None:
        super().__init__(message, sent=sent, **details)


class WaitTimeout(VikingDBError, TimeoutError):
    """What a helper waited for did not come about in time. Every call it made succeeded."""


class DecodeError(VikingDBError):
    """The service reported success with a body that is not what the operation promises.

    Attributes:
        body: the first bytes of what arrived.
    """

    def __init__(self, message: str = "", *, body: bytes = b"", **details: Any) -> None:
        super().__init__(message, **details)
        self.body = body[:2048]


class APIError(VikingDBError, VikingAPIException):
    """The service answered with an error.

    Attributes:
        status: HTTP status (same as ``status_code``).
        retry_after: seconds the service asked to wait, when it said so.
        headers: response headers, lower-case names.
        body: the first bytes of the response.
    """

    def __init__(
        self,
        message: str = "",
        *,
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        **details: Any,
    ) -> None:
        super().__init__(message, **details)
        self.retry_after = retry_after
        self.headers = dict(headers or {})
        self.body = body[:2048]

    @property
    def status(self) -> int | None:
        return self.status_code


class BadRequest(APIError):
    """The service refused the request's content (400, or a 4xx without a branch of its own)."""


class Unauthorized(APIError):
    """The service does not know these credentials (401)."""


class PermissionDenied(APIError):
    """Wrong key, wrong signature, or no right on the resource (403)."""


class NotFound(APIError):
    """The named thing does not exist (404)."""


class Conflict(APIError):
    """The named thing exists already, or its state forbids the operation (409)."""


class RateLimited(APIError):
    """Too many requests (429); ``retry_after`` says when to come back, if the service did."""


class ServerError(APIError):
    """The service failed (5xx)."""


class OperationNotSupported(ServerError):
    """The endpoint does not implement the operation (501)."""


_BRANCHES: dict[int, type[APIError]] = {
    401: Unauthorized,
    403: PermissionDenied,
    404: NotFound,
    409: Conflict,
    429: RateLimited,
    501: OperationNotSupported,
}


def branch_for_status(status: int) -> type[APIError]:
    """The class of ``APIError`` an HTTP status belongs to."""
    if status >= 500:
        return _BRANCHES.get(status, ServerError)
    return _BRANCHES.get(status, BadRequest if 400 <= status < 500 else APIError)
