"""Bucket: a token bucket that lends. Arithmetic on the times it is given; no clock and no lock.

Whoever takes more than there is gets a wait after which the debt is paid. Takers that come later wait longer, so they
are served in the order they came.
"""

from __future__ import annotations

from dataclasses import dataclass

from .settings import positive


@dataclass(frozen=True)
class Limit:
    """How much is allowed.

    Attributes:
        rate: tokens a second.
        burst: tokens that may be taken at once after a pause; one second's worth unless given. What asks for more
            than that waits until all of it is paid.
    """

    rate: float
    burst: float | None = None

    def __post_init__(self) -> None:
        positive("rate", self.rate)
        if self.burst is not None:
            positive("burst", self.burst)

    @property
    def capacity(self) -> float:
        return self.rate if self.burst is None else self.burst


@dataclass(frozen=True, eq=False)
class Taken:
    """Tokens that were taken, and the seconds to wait before they are used."""

    tokens: float
    wait: float


class Bucket:
    """Starts full. Of any span of time, no more is granted than ``rate · seconds + burst``."""

    def __init__(self, limit: Limit, now: float) -> None:
        self._limit = limit
        self._tokens = limit.capacity
        self._filled_at = now
        self._last: Taken | None = None

    def wait(self, tokens: float, now: float) -> float:
        """The seconds :meth:`take` would ask to wait."""
        return max(0.0, tokens - self._level(now)) / self._limit.rate

    def take(self, tokens: float, now: float) -> Taken:
        """Take tokens, lent ones if need be."""
        self._last = Taken(tokens, self.wait(tokens, now))
        self._tokens -= tokens
        return self._last

    def give_back(self, taken: Taken, now: float) -> None:
        """Put back tokens that were not used. Only those taken last: others have been told their waits since, and a
        gap before them would be filled on top of them."""
        if taken is self._last:
            self._tokens = min(self._level(now) + taken.tokens, self._limit.capacity)
            self._last = None

    def drain(self, now: float) -> None:
        """Leave nothing to take without waiting."""
        self._tokens = min(self._level(now), 0.0)

    def _level(self, now: float) -> float:
        gained = max(now - self._filled_at, 0.0) * self._limit.rate
        self._tokens = min(self._tokens + gained, self._limit.capacity)
        self._filled_at = max(now, self._filled_at)
        return self._tokens
