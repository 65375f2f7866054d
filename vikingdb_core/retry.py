"""Retry: decide whether a failed attempt may be sent again, and when.

Pure functions and values. Nothing here sleeps, sends or reads a clock; the flow does, through effects.

Two questions are kept apart. *May* it be sent again is a matter of safety and is never overridden by a strategy or a
plugin: see :func:`may_resend`. *Should* it, and after how long, is the strategy's to say.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from .exceptions import (
    APIError,
    ConfigError,
    ConnectError,
    PermissionDenied,
    RateLimited,
    RequestTimeout,
    TransportError,
    Unauthorized,
    VikingDBError,
)
from .traits import Safety

if TYPE_CHECKING:
    from .hooks.call import Call

TRANSIENT_STATUSES = frozenset({500, 502, 503, 504})


class Outcome(Enum):
    """What is known about a failed attempt."""

    NOT_SENT = "not sent"
    THROTTLED = "throttled"
    UNKNOWN = "perhaps processed"
    EXPIRED = "credentials refused"
    FINAL = "final"


def classify(error: VikingDBError, throttle_codes: Collection[str] = ()) -> Outcome:
    """What a failed attempt tells us."""
    if isinstance(error, TransportError):
        return Outcome.UNKNOWN if error.sent else Outcome.NOT_SENT
    if isinstance(error, APIError):
        if isinstance(error, RateLimited) or error.status_code == 429 or str(error.code) in throttle_codes:
            return Outcome.THROTTLED
        # The service reports expired keys as 403. Fresh ones are worth one try; keys that cannot be refreshed are not.
        if isinstance(error, Unauthorized | PermissionDenied):
            return Outcome.EXPIRED
        if error.status_code in TRANSIENT_STATUSES:
            return Outcome.UNKNOWN
    return Outcome.FINAL


def may_resend(safety: Safety, outcome: Outcome) -> bool:
    """Whether sending again is harmless, whatever anyone would like."""
    match outcome:
        case Outcome.NOT_SENT | Outcome.THROTTLED | Outcome.EXPIRED:
            return True
        case Outcome.UNKNOWN:
            return safety is not Safety.UNSAFE
        case Outcome.FINAL:
            return False


def _is_seconds(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and value >= 0


@dataclass(frozen=True)
class Retry:
    """Verdict: try again after so many seconds."""

    after: float

    def __post_init__(self) -> None:
        if not _is_seconds(self.after):
            raise ConfigError(f"Retry(after=…) must be a number of seconds from 0 on, not {self.after!r}")


@dataclass(frozen=True)
class Stop:
    """Verdict: give up."""


STOP = Stop()
Verdict = Retry | Stop


class RetryStrategy(Protocol):
    """Anything with these two members may be given as ``retry=``.

    ``decide`` is asked only when resending is harmless and attempts are left; it says whether and when.
    """

    @property
    def max_attempts(self) -> int: ...

    def decide(self, call: Call, error: VikingDBError, random: Callable[[], float]) -> Verdict: ...


@dataclass(frozen=True)
class RetryPolicy:
    """Exponential backoff with full jitter: before attempt ``n + 1``, wait ``uniform(0, min(cap, base · 2ⁿ⁻¹))``.

    Attributes:
        max_attempts: attempts in all; 1 switches retries off.
        base_seconds: upper bound of the first wait.
        cap_seconds: upper bound of every wait.
        retry_after_cap_seconds: how much of a ``Retry-After`` is honoured.
    """

    max_attempts: int = 3
    base_seconds: float = 0.5
    cap_seconds: float = 8.0
    retry_after_cap_seconds: float = 60.0

    def __post_init__(self) -> None:
        if isinstance(self.max_attempts, bool) or not isinstance(self.max_attempts, int) or self.max_attempts < 1:
            raise ConfigError(f"max_attempts must be an int from 1 on (1 means no retry), not {self.max_attempts!r}")
        for name in ("base_seconds", "cap_seconds", "retry_after_cap_seconds"):
            value = getattr(self, name)
            if not _is_seconds(value):
                raise ConfigError(f"{name} must be a number of seconds from 0 on, not {value!r}")

    def decide(self, call: Call, error: VikingDBError, random: Callable[[], float]) -> Verdict:
        ceiling = min(self.cap_seconds, self.base_seconds * 2.0 ** min(call.attempt - 1, 60))
        wait = random() * ceiling
        asked = error.retry_after if isinstance(error, APIError) else None
        return Retry(wait if asked is None else max(wait, min(asked, self.retry_after_cap_seconds)))


class RetryBudget:
    """A token bucket for retries, shared by all calls of a client, so that an outage is not amplified.

    A retry takes ``RETRY_COST`` tokens (``TIMEOUT_COST`` after a timeout), and an empty bucket means no retry. A
    retry that succeeds gives back what it took, any other success one token.
    """

    CAPACITY = 500
    RETRY_COST = 5
    TIMEOUT_COST = 10

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._tokens = capacity
        self._lock = threading.Lock()

    @property
    def tokens(self) -> int:
        return self._tokens

    def take(self, error: VikingDBError) -> int:
        """Take the price of a retry; 0 when the bucket cannot pay it."""
        is_timeout = isinstance(error, RequestTimeout | ConnectError)
        price = self.TIMEOUT_COST if is_timeout else self.RETRY_COST
        with self._lock:
            if self._tokens < price:
                return 0
            self._tokens -= price
            return price

    def refund(self, taken: int) -> None:
        """A call succeeded, after a retry that had taken ``taken`` tokens (0: after none)."""
        with self._lock:
            self._tokens = min(self._capacity, self._tokens + (taken or 1))


def retry_strategy(value: RetryStrategy | int | None) -> RetryStrategy:
    """Read ``retry=``: a strategy, a number of attempts, or ``None`` for the default."""
    if value is None:
        return RetryPolicy()
    if isinstance(value, int):
        return RetryPolicy(max_attempts=value)
    attempts = getattr(value, "max_attempts", None)
    if callable(getattr(value, "decide", None)) and type(attempts) is int and attempts >= 1:
        return value
    raise ConfigError(
        "retry= takes a RetryPolicy, a number of attempts, or an object with max_attempts (from 1 on) and decide(); "
        f"not {type(value).__name__}"
    )
