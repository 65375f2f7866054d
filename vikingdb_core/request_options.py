"""RequestOptions: what one call may do differently from its client."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from .exceptions import InvalidRequest, UnknownOption
from .hints import suggest
from .masked import names_a_secret

RESERVED_HEADERS = frozenset(
    {
        "authorization",
        "content-length",
        "content-type",
        "host",
        "transfer-encoding",
        "x-content-sha256",
        "x-date",
        "x-security-token",
        "x-tt-logid",
    }
)
"""Headers the SDK writes itself; a caller's own value would break the signature or the body's framing."""


@dataclass(init=False, repr=False)
class RequestOptions:
    """Overrides for one call.

    They may be filled in after they were made, as programs for the official package do; every assignment is checked.
    A call goes by what they said when it began.

    Attributes:
        headers: extra HTTP headers. Those the SDK writes itself are refused.
        query: extra query parameters.
        request_id: your id for the request, sent (and signed) as ``X-Tt-Logid``.
        max_attempts: how often to try at most; 1 switches retries off.
        timeout: seconds one attempt may take from sending to the last byte. A server that sends its headers byte by
            byte can stretch it: every byte of them starts the wait anew.
        connect_timeout: seconds to wait for a connection.
        deadline: seconds the whole call may take, retries and waits included.
        idempotent: ``True`` says that sending this request twice does no harm, so that it may be resent when its
            fate is unknown; ``False`` forbids it; ``None`` leaves it to the operation.
    """

    headers: MutableMapping[str, str] = field(default_factory=dict)
    query: MutableMapping[str, str] = field(default_factory=dict)
    request_id: str | None = None
    max_attempts: int | None = None
    timeout: float | None = None
    connect_timeout: float | None = None
    deadline: float | None = None
    idempotent: bool | None = None

    def __init__(
        self,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        request_id: str | None = None,
        max_attempts: int | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        deadline: float | None = None,
        idempotent: bool | None = None,
        **unknown: NoReturn,
    ) -> None:
        if unknown:
            refuse_unknown("RequestOptions", next(iter(unknown)), list(_READ))
        self.headers = headers  # type: ignore[assignment]  # read into a dict of its own
        self.query = query  # type: ignore[assignment]
        self.request_id = request_id
        self.max_attempts = max_attempts
        self.timeout = timeout
        self.connect_timeout = connect_timeout
        self.deadline = deadline
        self.idempotent = idempotent

    def __repr__(self) -> str:
        given = {name: getattr(self, name) for name in _READ}
        for name in ("headers", "query"):
            pairs = given[name].items()
            given[name] = {key: "***" if names_a_secret(key) else value for key, value in pairs}
        shown = (f"{name}={value!r}" for name, value in given.items() if value not in (None, {}))
        return f"RequestOptions({', '.join(shown)})"

    if not TYPE_CHECKING:  # type checkers would take it for leave to assign anything

        def __setattr__(self, name: str, value: Any) -> None:
            if name not in _READ:
                refuse_unknown("RequestOptions", name, list(_READ))
            super().__setattr__(name, _READ[name](name, value))


def ensure_request_options(options: RequestOptions | None) -> RequestOptions:
    """A checked copy of the options given, which whoever filled them in cannot change any more; or empty ones."""
    if options is None:
        return RequestOptions()
    if not isinstance(options, RequestOptions):
        raise InvalidRequest(f"request_options must be a RequestOptions, not {type(options).__name__}")
    return RequestOptions(**{name: getattr(options, name) for name in _READ})


def _read_headers(name: str, value: Any) -> dict[str, str]:
    headers = _read_mapping(name, value)
    check_headers(headers)
    return headers


def _read_query(name: str, value: Any) -> dict[str, str]:
    return {str(key): str(item) for key, item in _read_mapping(name, value).items()}


def _read_mapping(name: str, value: Any) -> dict[str, Any]:
    if value is not None and not isinstance(value, Mapping):
        raise InvalidRequest(f"{name} must be a mapping, not {type(value).__name__}")
    return dict(value or {})


def _read_request_id(name: str, value: Any) -> Any:
    if value is not None and not (isinstance(value, str) and value.strip()):
        raise InvalidRequest(f"{name} must be a non-empty string")
    return value


def _read_attempts(name: str, value: Any) -> Any:
    if value is not None and (type(value) is not int or value < 1):
        raise InvalidRequest(f"{name} must be an int from 1 on (1 means no retry), not {value!r}")
    return value


def _read_seconds(name: str, value: Any) -> Any:
    check_seconds(name, value)
    return value


def _read_flag(name: str, value: Any) -> Any:
    if value is not None and not isinstance(value, bool):
        raise InvalidRequest(f"{name} must be True, False or None, not {value!r}")
    return value


_READ: Mapping[str, Callable[[str, Any], Any]] = {
    "headers": _read_headers,
    "query": _read_query,
    "request_id": _read_request_id,
    "max_attempts": _read_attempts,
    "timeout": _read_seconds,
    "connect_timeout": _read_seconds,
    "deadline": _read_seconds,
    "idempotent": _read_flag,
}
"""How each option is read: checked, and the mappings copied."""


def check_headers(headers: Mapping[str, str]) -> None:
    """Refuse headers that belong to the SDK, and text that signers and servers would read differently."""
    for name, value in headers.items():
        if isinstance(value, str) and not value.isascii():
            raise InvalidRequest(f"header {name!r} has a character outside ASCII; percent-encode it")
        if str(name).lower() in RESERVED_HEADERS:
            hint = "; use request_id= instead" if str(name).lower() == "x-tt-logid" else ""
            raise InvalidRequest(f"header {name!r} is written by the SDK and cannot be set by hand{hint}")


def check_seconds(name: str, value: float | None) -> None:
    """Refuse what is not a positive, finite number of seconds."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
        raise InvalidRequest(f"{name} must be a positive number of seconds, not {value!r}")


def refuse_unknown(owner: str, name: str, known: list[str]) -> NoReturn:
    """Raise for an option that does not exist, naming the nearest one that does."""
    hint = suggest(name, known) or f" It has: {', '.join(sorted(known))}."
    raise UnknownOption(f"{owner} has no option {name!r}.{hint}")
