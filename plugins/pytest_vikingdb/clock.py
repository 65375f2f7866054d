"""VirtualClock: time that passes only when it is told to."""

from __future__ import annotations

import threading


class VirtualClock:
    """A clock for clients (``clock=``) that never waits: a sleep is written down and its time has passed.

    Args:
        started_at: Unix seconds at the start; by default 2026-01-02 03:04:05 UTC.

    Attributes:
        sleeps: every wait asked for, in order, in seconds.
    """

    def __init__(self, started_at: float = 1_767_323_045.0) -> None:
        self.sleeps: list[float] = []
        self._started_at = started_at
        self._passed = 0.0
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        """Seconds since the start."""
        return self._passed

    def time(self) -> float:
        """Unix seconds."""
        return self._started_at + self._passed

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        self.sleeps.append(seconds)

    async def asleep(self, seconds: float) -> None:
        import asyncio

        self.sleep(seconds)
        await asyncio.sleep(0)  # other tasks get their turn, and cancellation its place

    def advance(self, seconds: float) -> None:
        """Let time pass without anyone having slept."""
        if not seconds >= 0:
            raise ValueError(f"time does not run backwards: {seconds!r}")
        with self._lock:
            self._passed += seconds

    def __repr__(self) -> str:
        return f"VirtualClock({self._passed:g} s passed, {len(self.sleeps)} sleeps)"
