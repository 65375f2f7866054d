"""Rate limit: let a client ask no faster than the service allows, instead of being refused.

Operations fall into groups, as the service's limits do, and each thing that has a limit of its own has a bucket of
its own: a collection for ``write`` and ``fetch``, an index for ``search``, an endpoint for the rest.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from vikingdb_core.exceptions import ConfigError
from vikingdb_core.hints import suggest
from vikingdb_core.hooks import Call, hookimpl
from vikingdb_core.messages import Draft, Response

from .bucket import Bucket, Limit, Taken
from .settings import function, positive

AnyLimit: TypeAlias = Limit | float | Mapping[str, float] | None
"""``False`` is no limit either: a profile has no word for ``None``."""

_COLLECTION = ("collection_name", "resource_id")
_INDEX = (*_COLLECTION, "index_name")
_SCOPES: Mapping[str, tuple[str, ...]] = {
    "write": _COLLECTION,
    "fetch": _COLLECTION,
    "search": _INDEX,
    "control": (),
    "other": (),
}
_IN_ROWS = frozenset({"write", "fetch"})
_GROUPS = {
    "vector.data.upsert": "write",
    "vector.data.update": "write",
    "vector.data.delete": "write",
    "vector.data.fetch_in_collection": "fetch",
    "vector.data.fetch_in_index": "search",
    "vector.data.aggregate": "search",
    "vector.data.sort": "search",
}


@dataclass(frozen=True)
class _Reserved:
    """What an attempt has taken and not yet used."""

    bucket: Bucket
    taken: Taken


class RateLimit:
    """Waits before attempts that would go beyond a rate: ``plugins=["ratelimit"]``, or one object for many clients.

    Rates are those the service documents, unless given. A rate is a number, ``Limit(rate, burst)``, or
    ``{"rate": …, "burst": …}``; ``None`` is no limit. Every attempt counts, repeated ones too. A status 429 empties the
    bucket. A call that would wait beyond its deadline raises ``DeadlineExceeded`` and takes nothing.

    Args:
        write: rows a second that are upserted, updated or deleted, for each collection.
        fetch: rows a second that are fetched from a collection, for each collection.
        search: searches, aggregates, sorts and fetches a second, for each index. The service allows about 100 for each
            unit of the index's ``CpuQuota``.
        control: requests a second to the control plane.
        other: requests a second of every operation that is in none of these groups, other domains' among them.
        clock: tells seconds; the client's own, when that was given one.

    Raises:
        ConfigError: a rate that is none.
    """

    name = "ratelimit"
    hook_api = 1

    def __init__(
        self,
        *,
        write: AnyLimit = 1500,
        fetch: AnyLimit = 1000,
        search: AnyLimit = None,
        control: AnyLimit = 50,
        other: AnyLimit = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        given = {"write": write, "fetch": fetch, "search": search, "control": control, "other": other}
        self._limits = {group: limit for group, value in given.items() if (limit := _limit(group, value)) is not None}
        self._clock = function("clock", clock)
        self._buckets: dict[tuple[str, ...], Bucket] = {}
        self._lock = threading.Lock()

    @hookimpl
    def throttle(self, call: Call) -> float | None:
        group = group_of(call)
        if group not in self._limits:
            return None
        tokens = (call.rows or 1) if group in _IN_ROWS else 1
        with self._lock:
            now = self._clock()
            bucket = self._bucket(group, call, now)
            wait = bucket.wait(tokens, now)
            if wait and call.deadline is not None and now + wait >= call.deadline:
                return wait  # the flow will not wait so long, so this attempt uses nothing
            call.state[self.name] = _Reserved(bucket, bucket.take(tokens, now))
            return wait

    @hookimpl
    def before_request(self, call: Call, request: Draft) -> None:
        call.state.pop(self.name, None)  # used

    @hookimpl
    def after_response(self, call: Call, response: Response) -> None:
        group = group_of(call)
        if response.status == 429 and group in self._limits:
            with self._lock:
                now = self._clock()
                self._bucket(group, call, now).drain(now)

    @hookimpl
    def after_call(self, call: Call) -> None:
        unused: _Reserved | None = call.state.pop(self.name, None)
        if unused is not None:  # it was given up while it waited
            with self._lock:
                unused.bucket.give_back(unused.taken, self._clock())

    def _bucket(self, group: str, call: Call, now: float) -> Bucket:
        key = (group, call.endpoint.origin, *(call.locator.get(name, "") for name in _SCOPES[group]))
        if key not in self._buckets:
            self._buckets[key] = Bucket(self._limits[group], now)
        return self._buckets[key]

    def __repr__(self) -> str:
        shown = (f"{group}={limit.rate:g}" for group, limit in self._limits.items())
        return f"RateLimit({', '.join(shown)})"


def group_of(call: Call) -> str:
    """Which of the limits an operation falls under."""
    if call.operation.plane == "control":
        return "control"
    if call.operation.name.startswith("vector.search."):
        return "search"
    return _GROUPS.get(call.operation.name, "other")


def _limit(group: str, value: Any) -> Limit | None:
    if value is None or value is False:
        return None
    if isinstance(value, Limit):
        return value
    if not isinstance(value, Mapping):
        return Limit(positive(group, value))
    for name in value:
        if name not in ("rate", "burst"):
            raise ConfigError(f"{group} has no {name!r}.{suggest(str(name), ('rate', 'burst'))} It has rate and burst")
    if "rate" not in value:
        raise ConfigError(f"{group} needs a rate: {{'rate': 100, 'burst': 10}}")
    return Limit(**{name: positive(f"{group}: {name}", number) for name, number in value.items()})
