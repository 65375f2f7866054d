"""Circuit breaker: stop calling a service that is in trouble, and find out with one call when it is better.

Closed, calls go through, and failures in a row are counted. Open, they are refused. After a pause one call goes
through as a probe: if it is answered, the circuit closes, otherwise it stays open for another pause.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vikingdb_core.exceptions import CircuitOpenError, TransportError, VikingDBError
from vikingdb_core.hooks import Call, hookimpl
from vikingdb_core.messages import Response
from vikingdb_core.retry import STOP, Stop

from .settings import count, function, positive


@dataclass
class _Circuit:
    """One plane of one endpoint."""

    failures: int = 0
    opened_at: float | None = None
    probe: Call | None = None


class CircuitBreaker:
    """Refuses calls with ``CircuitOpenError`` while the service fails: ``plugins=["breaker"]``.

    What counts as a failure is an attempt without an answer (no connection, a timeout, a lost one) or with a status
    from 500 on, but for 501. Any other answer, 429 and other 4xx too, shows that the service is there. Data and
    control plane of each endpoint have a circuit each, which all clients share that are given the same object.

    Args:
        failures: how many attempts in a row have to fail.
        cooldown_seconds: how long it stays open before a call may try.
        clock: tells seconds; for tests.

    Raises:
        ConfigError: a setting that is none.
    """

    name = "breaker"
    hook_api = 1

    def __init__(
        self,
        *,
        failures: int = 5,
        cooldown_seconds: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._failures = count("failures", failures)
        self._cooldown_seconds = positive("cooldown_seconds", cooldown_seconds)
        self._clock = function("clock", clock)
        self._circuits: dict[tuple[str, str], _Circuit] = {}
        self._lock = threading.Lock()

    @hookimpl
    def before_call(self, call: Call) -> None:
        with self._lock:
            circuit = self._circuit(call)
            if circuit.opened_at is None:
                return
            left = circuit.opened_at + self._cooldown_seconds - self._clock()
            if left <= 0 and circuit.probe is None:
                circuit.probe = call
                return
        place, failed = call.endpoint.origin, f"{self._failures} attempts in a row failed"
        if left > 0:
            raise CircuitOpenError(f"{place}: {failed}; call again in {left:.1f} s", retry_after=left)
        raise CircuitOpenError(f"{place}: {failed}; another call is finding out whether it is better, call again later")

    @hookimpl
    def after_response(self, call: Call, response: Response) -> None:
        self._learn(call, failed=response.status >= 500 and response.status != 501)

    @hookimpl
    def after_error(self, call: Call, error: TransportError) -> None:
        self._learn(call, failed=True)

    @hookimpl
    def should_retry(self, call: Call, outcome: VikingDBError) -> Stop | None:
        with self._lock:
            if self._circuit(call).opened_at is None:
                return None
        outcome.add_note("not tried again: the circuit breaker is open")
        return STOP

    @hookimpl
    def after_call(self, call: Call, result: Any, error: BaseException | None) -> None:
        with self._lock:
            circuit = self._circuit(call)
            if circuit.probe is call:
                circuit.probe = None  # nothing was sent, or it was given up: the next call may try
                if error is None:  # a stream, which begins without after_response
                    circuit.opened_at, circuit.failures = None, 0

    def _learn(self, call: Call, *, failed: bool) -> None:
        with self._lock:
            circuit = self._circuit(call)
            if circuit.opened_at is None:
                circuit.failures = circuit.failures + 1 if failed else 0
                if circuit.failures >= self._failures:
                    circuit.opened_at = self._clock()
            elif circuit.probe is call:
                circuit.probe = None
                circuit.failures = self._failures if failed else 0
                circuit.opened_at = self._clock() if failed else None
            # Otherwise a call from before it opened has ended, and that says nothing new.

    def _circuit(self, call: Call) -> _Circuit:
        return self._circuits.setdefault((call.endpoint.origin, call.operation.plane), _Circuit())

    def __repr__(self) -> str:
        with self._lock:
            broken = [place for place, circuit in self._circuits.items() if circuit.opened_at is not None]
        shown = ", ".join(f"{origin} ({plane})" for origin, plane in broken)
        return f"CircuitBreaker({f'open: {shown}' if shown else 'closed'})"
