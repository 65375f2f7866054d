"""RequestOptions: what one call may do differently from its client."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import NoReturn

from .exceptions import InvalidRequest, UnknownOption
from .hints import suggest

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


@dataclass(frozen=True, init=False)
class RequestOptions:
    """Overrides for one call.

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

    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
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
            refuse_unknown("RequestOptions", next(iter(unknown)), [item.name for item in fields(type(self))])
        for name, given in (("headers", headers), ("query", query)):
            if given is not None and not isinstance(given, Mapping):
                raise InvalidRequest(f"{name} must be a mapping, not {type(given).__name__}")
        check_headers(headers or {})
        if max_attempts is not None and (type(max_attempts) is not int or max_attempts < 1):
            raise InvalidRequest(f"max_attempts must be an int from 1 on (1 means no retry), not {max_attempts!r}")
        for name, value in (("timeout", timeout), ("connect_timeout", connect_timeout), ("deadline", deadline)):
            check_seconds(name, value)
        if idempotent is not None and not isinstance(idempotent, bool):
            raise InvalidRequest(f"idempotent must be True, False or None, not {idempotent!r}")
        if request_id is not None and not (isinstance(request_id, str) and request_id.strip()):
            raise InvalidRequest("request_id must be a non-empty string")
        assign = object.__setattr__
        assign(self, "headers", dict(headers or {}))
        assign(self, "query", {str(name): str(value) for name, value in (query or {}).items()})
        assign(self, "request_id", request_id)
        assign(self, "max_attempts", max_attempts)
        assign(self, "timeout", timeout)
        assign(self, "connect_timeout", connect_timeout)
        assign(self, "deadline", deadline)
        assign(self, "idempotent", idempotent)


def ensure_request_options(options: RequestOptions | None) -> RequestOptions:
    """The options given, or the empty ones."""
    if options is None:
        return _NONE
    if not isinstance(options, RequestOptions):
        raise InvalidRequest(f"request_options must be a RequestOptions, not {type(options).__name__}")
    return options


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


_NONE = RequestOptions()
