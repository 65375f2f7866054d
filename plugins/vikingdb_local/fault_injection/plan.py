"""Plan: which request meets which fault. The same seed and the same order of requests give the same faults.

Written as options of an endpoint: ``fault=429:0.1,500:0.05&latency_ms=20&seed_faults=7``.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from random import Random

from vikingdb_core.exceptions import ConfigError
from vikingdb_core.hints import suggest
from vikingdb_vector.domain import DOMAIN

OPTIONS = ("fault", "fault_on", "fault_times", "latency_ms", "retry_after", "seed_faults", "slow_ms")
"""What may be said about faults."""

DEFAULT_SLOW_MS = 1000.0
_LONGEST_MS = 600_000
_RANGE = re.compile(r"^(?P<low>\d+(?:\.\d+)?)(?:-(?P<high>\d+(?:\.\d+)?))?$")
_HTTP_ERRORS = range(400, 600)


class Kind(StrEnum):
    """What can go wrong besides a status. The request is carried out first where it says so."""

    DROP_BEFORE = "drop_before"
    """The connection breaks; the request was not carried out."""
    DROP_AFTER = "drop_after"
    """The request is carried out, and the connection breaks before the answer."""
    HANG = "hang"
    """Nothing is carried out and nothing is answered."""
    SLOW_BODY = "slow_body"
    """Carried out; the answer arrives in pieces over ``slow_ms``."""
    TRUNCATE = "truncate"
    """Carried out; the connection breaks in the middle of the answer."""
    BROKEN_JSON = "broken_json"
    """Carried out; the answer is whole for HTTP, but half a JSON document."""
    HTML = "html"
    """A gateway's error page: status 502, no JSON, not carried out."""
    EXPIRED = "expired"
    """The credentials are refused as expired; not carried out."""


@dataclass(frozen=True)
class Fault:
    """What becomes of one request.

    Attributes:
        kind: what goes wrong, or a status that is answered in place of the engine; ``None`` when nothing does.
        latency_seconds: how long it takes before anything happens.
        slow_seconds: how long a slow answer takes.
        retry_after: what a refusal says in ``Retry-After``; ``None`` when it says nothing.
    """

    kind: Kind | int | None = None
    latency_seconds: float = 0.0
    slow_seconds: float = 0.0
    retry_after: str | None = None


class FaultPlan:
    """Draws a fault for one request after another. Safe for many threads.

    Attributes:
        text: the options it was read from, its seed among them: what repeats it.
    """

    def __init__(
        self,
        chances: Mapping[Kind | int, float],
        *,
        on: Iterable[str] = (),
        times: int | None = None,
        latency_ms: tuple[float, float] = (0.0, 0.0),
        slow_ms: float = DEFAULT_SLOW_MS,
        retry_after: str | None = None,
        seed: str = "",
        text: str = "",
    ) -> None:
        self.text = text
        self._chances = dict(chances)
        self._on = tuple(on)
        self._left = times
        self._latency_ms, self._slow_ms, self._retry_after = latency_ms, slow_ms, retry_after
        self._seed = seed
        self._number = 0
        self._lock = threading.Lock()

    def draw(self, operation: str) -> Fault:
        """The fault of the next request. What is no operation has none, and uses none up.

        Args:
            operation: name of its operation, such as ``vector.data.upsert``; empty when it is none.
        """
        if not operation:
            return Fault()
        if self._on and not any(fnmatchcase(operation, pattern) for pattern in self._on):
            return Fault()
        with self._lock:
            number, self._number = self._number, self._number + 1
            random = Random(f"{self._seed}/{number}")
            kind = self._pick(random.random())
            if kind is not None and self._left is not None:
                self._left -= 1
        return Fault(kind, random.uniform(*self._latency_ms) / 1000, self._slow_ms / 1000, self._retry_after)

    def _pick(self, drawn: float) -> Kind | int | None:
        if self._left == 0:
            return None
        for kind, chance in self._chances.items():
            if drawn < chance:
                return kind
            drawn -= chance
        return None


def read_plan(options: Iterable[tuple[str, str]], where: str) -> FaultPlan | None:
    """The plan that the options of an endpoint ask for; ``None`` when they ask for none.

    Args:
        options: pairs of name and text; those about other things are left out.
        where: what to call the place in messages.

    Raises:
        ConfigError: an unknown fault, a chance that is none, or options that have no effect.
    """
    given: dict[str, str] = {}
    for name, text in options:
        if name not in OPTIONS:
            continue
        if name in given:
            raise ConfigError(f"{where}: {name} is given twice")
        if not text.strip():
            raise ConfigError(f"{where}: {name} is empty; give it a value, or leave it out")
        given[name] = text
    if not given:
        return None
    chances = _chances(given.get("fault", ""), where)
    for name in ("fault_times",) if "latency_ms" in given else ("fault_on", "fault_times", "seed_faults"):
        if name in given and not chances:
            raise ConfigError(f"{where}: {name} is of no effect without fault=…, as in fault=500:0.1")
    if "slow_ms" in given and Kind.SLOW_BODY not in chances:
        raise ConfigError(f"{where}: slow_ms is of no effect without fault=slow_body:<chance>")
    if "retry_after" in given and not any(isinstance(kind, int) for kind in chances):
        raise ConfigError(f"{where}: retry_after is of no effect without a status, as in fault=429:0.1&retry_after=1")
    seed = given.get("seed_faults") or secrets.token_hex(4)
    return FaultPlan(
        chances,
        on=_patterns(given["fault_on"], where) if "fault_on" in given else (),
        times=_whole(given["fault_times"], "fault_times", where) if "fault_times" in given else None,
        latency_ms=_milliseconds(given.get("latency_ms", "0"), "latency_ms", where),
        slow_ms=_slow_ms(given["slow_ms"], where) if "slow_ms" in given else DEFAULT_SLOW_MS,
        retry_after=str(_whole(given["retry_after"], "retry_after", where)) if "retry_after" in given else None,
        seed=seed,
        text="&".join(f"{name}={text}" for name, text in {**given, "seed_faults": seed}.items()),
    )


def _chances(text: str, where: str) -> dict[Kind | int, float]:
    chances: dict[Kind | int, float] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, colon, chance = item.partition(":")
        kind = _kind(name.strip(), where)
        if kind in chances:
            raise ConfigError(f"{where}: fault {name} is given twice")
        chances[kind] = _chance(chance.strip(), item, where) if colon else 1.0
    if sum(chances.values()) > 1 + 1e-9:
        raise ConfigError(
            f"{where}: the chances of fault={text} add up to {sum(chances.values()):g}, which is more than 1"
        )
    return chances


def _patterns(text: str, where: str) -> list[str]:
    """Names of operations, of which some may be left open. One that fits none is a mistake: nothing would ever fail."""
    names = [operation.name for operation in DOMAIN.operations]
    patterns = [pattern.strip() for pattern in text.split(",")]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise ConfigError(
                f"{where}: there is no operation {pattern!r} (fault_on).{suggest(pattern, names)} Operations: "
                f"{', '.join(names)}"
            )
    return patterns


def _kind(name: str, where: str) -> Kind | int:
    if name.isascii() and name.isdecimal():
        if int(name) in _HTTP_ERRORS:
            return int(name)
        raise ConfigError(f"{where}: fault {name} is no error status; use one from 400 to 599")
    try:
        return Kind(name)
    except ValueError:
        kinds = [str(kind) for kind in Kind]
        raise ConfigError(
            f"{where}: there is no fault {name!r}.{suggest(name, kinds)} Faults: a status from 400 to 599, "
            f"{', '.join(kinds)}"
        ) from None


def _chance(text: str, item: str, where: str) -> float:
    try:
        chance = float(text)
    except ValueError:
        chance = -1.0
    if not 0 <= chance <= 1:
        raise ConfigError(f"{where}: the chance in fault={item} must be a number from 0 to 1, as in 500:0.05")
    return chance


def _whole(text: str, name: str, where: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:
        raise ConfigError(f"{where}: {name}={text} must be a whole number")
    return int(text)


def _milliseconds(text: str, name: str, where: str) -> tuple[float, float]:
    found = _RANGE.match(text)
    low = float(found["low"]) if found else -1.0
    high = float(found["high"]) if found and found["high"] else low
    if not 0 <= low <= high <= _LONGEST_MS:
        raise ConfigError(f"{where}: {name}={text} must be milliseconds, as in 20 or 5-50, up to {_LONGEST_MS}")
    return low, high


def _slow_ms(text: str, where: str) -> float:
    low, high = _milliseconds(text, "slow_ms", where)
    if low != high:
        raise ConfigError(f"{where}: slow_ms={text} must be one number of milliseconds, as in 500")
    return low
