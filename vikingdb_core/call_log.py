"""Call log: a built-in plugin that writes one line per call, and below it, at DEBUG, what became of each attempt.

::

    logging.basicConfig(level=logging.INFO)
    client = VikingDB(..., plugins=["logging"])

::

    INFO:vikingdb.calls:vector.search.vector books/by_mood ok 12.4 ms, 1 attempt, request r-1
    INFO:vikingdb.calls:vector.data.upsert books RateLimited TooManyRequests 429 1530.0 ms, 3 attempts, request r-2

The same is in the record's attributes, ``vikingdb_operation`` and so on, for formatters that write fields: see
:data:`FIELDS`. No handler is added and no level set; that is the program's to do. Bodies are never written, and of the
headers only those that were asked for. Neither is what the service says in words, since it may quote the request.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from .exceptions import ConfigError, TransportError, VikingDBError
from .hooks import Call, hookimpl
from .messages import Draft, Headers, Response, redact
from .version import HOOK_API

FIELDS = (
    "vikingdb_domain",
    "vikingdb_operation",
    "vikingdb_project",
    "vikingdb_collection",
    "vikingdb_index",
    "vikingdb_rows",
    "vikingdb_outcome",
    "vikingdb_error",
    "vikingdb_code",
    "vikingdb_status",
    "vikingdb_milliseconds",
    "vikingdb_attempts",
    "vikingdb_request_id",
)
"""Attributes of the record of a call. All are always there; ``None`` stands for what is not known or does not apply."""

_PLACES = {
    "vikingdb_project": ("project_name", "ProjectName"),
    "vikingdb_collection": ("collection_name", "CollectionName"),
    "vikingdb_index": ("index_name", "IndexName"),
}


@dataclass
class _Seen:
    """What one call has shown so far."""

    began_at: float
    sent_at: float = 0.0
    ended_at: float | None = None
    status: int | None = None
    is_over: bool = False


class LoggingPlugin:
    """Logs calls: ``plugins=["logging"]``, or ``plugins=[LoggingPlugin(level="DEBUG")]``.

    Args:
        level: level of the line of a call, by name or number.
        logger: the logger, or its name.
        headers: names of request and response headers to show with attempts. Secrets among them stay masked.
        clock: tells seconds; for tests.

    Raises:
        ConfigError: a setting that is none.
    """

    name = "logging"
    hook_api = HOOK_API

    def __init__(
        self,
        *,
        level: int | str = logging.INFO,
        logger: logging.Logger | str = "vikingdb.calls",
        headers: Iterable[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._level = _level(level)
        self._log = _logger(logger)
        self._shown = _header_names(headers)
        self._clock = clock

    @hookimpl
    def before_call(self, call: Call) -> None:
        self._seen(call)

    @hookimpl
    def before_request(self, call: Call, request: Draft) -> None:
        seen = self._seen(call)
        seen.sent_at = self._clock()
        if not self._log.isEnabledFor(logging.DEBUG):
            return
        pause = "" if seen.ended_at is None else f" {seen.sent_at - seen.ended_at:.3f} s after the last"
        self._attempt(call, f"sends {len(request.body)} bytes{pause}{self._headers(request.headers)}")

    @hookimpl
    def after_response(self, call: Call, response: Response) -> None:
        took = self._ended(call, response.status)
        shown = self._headers(response.headers)
        self._attempt(call, f"received {response.status}, {len(response.body)} bytes, {took:.1f} ms{shown}")

    @hookimpl
    def after_error(self, call: Call, error: TransportError) -> None:
        took = self._ended(call, None)
        self._attempt(call, f"ended with {type(error).__name__}, {took:.1f} ms")

    @hookimpl
    def after_call(self, call: Call, result: Any, error: BaseException | None) -> None:
        seen = self._seen(call)
        if seen.is_over or not self._log.isEnabledFor(self._level):
            return
        seen.is_over = True
        fields = _fields(call, seen, result, error)
        fields["vikingdb_milliseconds"] = round((self._clock() - seen.began_at) * 1000, 3)
        self._log.log(self._level, "%s", _line(fields), extra=fields)

    def _seen(self, call: Call) -> _Seen:
        seen: _Seen | None = call.state.get(self.name)
        if seen is None:  # the first hook of the call: its last one, when another plugin refused it
            seen = call.state[self.name] = _Seen(self._clock())
        return seen

    def _ended(self, call: Call, status: int | None) -> float:
        """Note how the attempt ended. Returns the milliseconds it took."""
        seen = self._seen(call)
        seen.status, seen.ended_at = status, self._clock()
        return (seen.ended_at - seen.sent_at) * 1000

    def _attempt(self, call: Call, said: str) -> None:
        if self._log.isEnabledFor(logging.DEBUG):
            self._log.debug(
                "%s attempt %d of %d %s",
                call.operation.name,
                call.attempt,
                call.max_attempts,
                said,
                extra={"vikingdb_operation": call.operation.name, "vikingdb_attempt": call.attempt},
            )

    def _headers(self, headers: Headers) -> str:
        if not self._shown:
            return ""
        shown = {name: value for name, value in redact(headers).items() if name.lower() in self._shown}
        return "".join(f", {name}: {_plain(value)}" for name, value in shown.items())


def _fields(call: Call, seen: _Seen, result: Any, error: BaseException | None) -> dict[str, Any]:
    said_no = error if isinstance(error, VikingDBError) else None
    request_id = getattr(result if error is None else error, "request_id", None) or call.request_id
    fields: dict[str, Any] = {
        "vikingdb_domain": call.client.domain,
        "vikingdb_operation": call.operation.name,
        "vikingdb_rows": call.rows,
        "vikingdb_outcome": "ok" if error is None else "error",
        "vikingdb_error": None if error is None else type(error).__name__,
        "vikingdb_code": None if said_no is None else said_no.code,
        "vikingdb_status": seen.status,
        "vikingdb_attempts": call.attempt,
        "vikingdb_request_id": None if request_id == "unknown" else request_id,
    }
    for field, names in _PLACES.items():
        fields[field] = next((call.locator[name] for name in names if name in call.locator), None)
    return fields


def _line(fields: dict[str, Any]) -> str:
    place = "/".join(fields[name] for name in ("vikingdb_collection", "vikingdb_index") if fields[name])
    outcome = [fields["vikingdb_error"], fields["vikingdb_code"], fields["vikingdb_status"]]
    words = [
        fields["vikingdb_operation"],
        place,
        *(["ok"] if fields["vikingdb_error"] is None else outcome),
        f"{fields['vikingdb_milliseconds']:.1f} ms,",
        f"{fields['vikingdb_attempts']} attempt{'' if fields['vikingdb_attempts'] == 1 else 's'}",
    ]
    if fields["vikingdb_request_id"]:
        words[-1] += f", request {fields['vikingdb_request_id']}"
    return " ".join(_plain(str(word)) for word in words if word not in (None, ""))


def _plain(text: str) -> str:
    """Text on one line: what a caller or a service put into a name or an id begins no line of its own."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _level(value: int | str) -> int:
    level = logging.getLevelNamesMapping().get(value.upper()) if isinstance(value, str) else value
    if isinstance(level, bool) or not isinstance(level, int) or level < 1:
        raise ConfigError(f"level must be the name or the number of a logging level, such as 'INFO', not {value!r}")
    return level


def _logger(value: logging.Logger | str) -> logging.Logger:
    if isinstance(value, str) and value:
        return logging.getLogger(value)
    if isinstance(value, logging.Logger):
        return value
    raise ConfigError(f"logger must be a logger or the name of one, not {value!r}")


def _header_names(names: Iterable[str]) -> frozenset[str]:
    listed = list(names) if isinstance(names, Iterable) and not isinstance(names, str) else [None]
    if not all(isinstance(name, str) for name in listed):
        raise ConfigError(f"headers must be a list of names, not {names!r}")
    return frozenset(str(name).lower() for name in listed)
