"""vikingdb-response-cache: answers reads from memory for a while, as a plugin.

``plugins=["response_cache"]``, or ``plugins=[ResponseCache(ttl_seconds=5)]``.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vikingdb_core import Call, Draft, Headers, Response, Safety, hookimpl
from vikingdb_core.exceptions import ConfigError
from vikingdb_core.hooks import ClientInfo

__all__ = ["ResponseCache"]

IGNORED = frozenset({"X-Tt-Logid", "Traceparent", "Tracestate"})
"""Headers that differ from call to call and do not change an answer."""


@dataclass
class _Read:
    """A read that was sent, with what is needed to find its answer and to drop it."""

    key: tuple[Any, ...]
    client: ClientInfo  # held, so that its id is nobody else's
    locator: Mapping[str, str]
    sent_at: float
    writes_before: int
    response: Response | None = None


class ResponseCache:
    """Keeps the answers to successful READ operations of the data plane, and answers the same read with them.

    The same is: by the same client, to the same address, with the same body and headers. Hooks do not see who is
    calling, so no client is answered from what another was told, even if one object serves both. An answer from
    memory has the header ``X-Cache: hit`` and its ``Age``, which plugins see; ``hits`` and ``misses`` count.

    A write drops what was read from the same thing, or from what cannot be told apart from it. Writes of other clients
    and other processes are not seen: until ``ttl_seconds`` have passed, a read may miss them.

    Args:
        ttl_seconds: how long an answer is used.
        max_entries: how many are kept; the one longest unused goes first.
        skip: names of operations that are always sent, such as ``vector.search.random``.
        clock: tells seconds.
    """

    name = "response_cache"
    hook_api = 1

    def __init__(
        self,
        *,
        ttl_seconds: float = 5.0,
        max_entries: int = 256,
        skip: Iterable[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not 0 < ttl_seconds < math.inf or max_entries < 1:
            raise ConfigError("ttl_seconds and max_entries must be above 0")
        self._ttl, self._most, self._skip, self._clock = ttl_seconds, max_entries, frozenset(skip), clock
        self._kept: OrderedDict[tuple[Any, ...], _Read] = OrderedDict()
        self._writes, self._lock = 0, threading.Lock()
        self.hits = self.misses = 0

    @hookimpl
    def respond(self, call: Call, request: Draft) -> Response | None:
        operation = call.operation
        if operation.safety is not Safety.READ or operation.plane != "data" or operation.name in self._skip:
            return None
        if operation.streaming or operation.opaque:  # a ping asks whether the service is there now
            return None
        headers = tuple(sorted((name, value) for name, value in request.headers.items() if name not in IGNORED))
        key = id(call.client), request.method, request.path, request.query, headers, request.body
        with self._lock:
            now, kept = self._clock(), self._kept.get(key)
            if kept is None or kept.response is None or now - kept.sent_at >= self._ttl:
                self.misses += 1
                call.state[self.name] = _Read(key, call.client, call.locator, now, self._writes)
                return None
            self.hits += 1
            self._kept.move_to_end(key)
        marked = {**kept.response.headers, "X-Cache": "hit", "Age": f"{now - kept.sent_at:.0f}"}
        return Response(kept.response.status, Headers(marked), kept.response.body)

    @hookimpl
    def after_response(self, call: Call, response: Response) -> None:
        if self.name in call.state:
            call.state[self.name].response = Response(response.status, response.headers.copy(), response.body)

    @hookimpl
    def after_call(self, call: Call, error: BaseException | None) -> None:
        sent: _Read | None = call.state.pop(self.name, None)
        with self._lock:
            if call.operation.safety is not Safety.READ:  # failed or not: it may have been processed
                self._writes += 1
                for key in [key for key, kept in self._kept.items() if not _apart(kept.locator, call.locator)]:
                    del self._kept[key]
                return
            if sent is None or sent.response is None or error is not None:  # a status of 200 may carry an error
                return
            if sent.writes_before == self._writes:  # else the answer may lack what was written meanwhile
                self._kept[sent.key] = sent
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)


def _apart(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    return any(one[name] != other[name] for name in one.keys() & other.keys())
