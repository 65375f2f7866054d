"""The circuit breaker as a machine: whatever calls begin and end in whatever order, its three states hold."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from pytest_vikingdb import VirtualClock
from vikingdb_core import Endpoint
from vikingdb_core.exceptions import CircuitOpenError, ConnectError, ServerError
from vikingdb_core.hooks import Call, ClientInfo
from vikingdb_core.messages import Headers, Response
from vikingdb_core.retry import STOP
from vikingdb_resilience import CircuitBreaker
from vikingdb_vector.operations import PING

COOLDOWN = 10.0
INFO = ClientInfo("vector", Endpoint.parse("https://far.example"), "cn-beijing", "tests")


class Breaker(RuleBasedStateMachine):
    """The model: how many failures in a row, since when it is open, and which call is the probe."""

    running = Bundle("running")

    @initialize(failures=st.integers(1, 4))
    def build(self, failures: int) -> None:
        self.clock = VirtualClock()
        self.breaker = CircuitBreaker(failures=failures, cooldown_seconds=COOLDOWN, clock=self.clock.monotonic)
        self.limit = failures
        self.in_a_row = 0
        self.opened_at: float | None = None
        self.probe: Call | None = None

    @rule(target=running)
    def begin(self) -> Any:
        call = Call(PING, INFO, PING.safety, {}, max_attempts=3, attempt=1)
        if self.opened_at is None:
            self.breaker.before_call(call)
            return call
        left = self.opened_at + COOLDOWN - self.clock.monotonic()
        if left <= 0 and self.probe is None:
            self.breaker.before_call(call)
            self.probe = call
            return call
        with pytest.raises(CircuitOpenError) as caught:
            self.breaker.before_call(call)
        assert caught.value.retry_after == (left if left > 0 else None)
        self.breaker.after_call(call, None, caught.value)
        return multiple()

    @rule(call=running, status=st.sampled_from([200, 404, 429, 501]))
    def is_answered(self, call: Call, status: int) -> None:
        self.breaker.after_response(call, Response(status, Headers(), b""))
        if self.opened_at is None:
            self.in_a_row = 0
        elif call is self.probe:
            self.in_a_row, self.opened_at, self.probe = 0, None, None

    @rule(call=running, status=st.sampled_from([None, 500, 503]))
    def fails(self, call: Call, status: int | None) -> None:
        if status is None:
            self.breaker.after_error(call, ConnectError("refused"))
        else:
            self.breaker.after_response(call, Response(status, Headers(), b""))
        if self.opened_at is None:
            self.in_a_row += 1
            if self.in_a_row >= self.limit:
                self.opened_at = self.clock.monotonic()
        elif call is self.probe:
            self.opened_at, self.probe = self.clock.monotonic(), None

    @rule(call=consumes(running))
    def is_given_up(self, call: Call) -> None:
        self.breaker.after_call(call, None, KeyboardInterrupt())
        if call is self.probe:
            self.probe = None

    @rule(seconds=st.sampled_from([0.0, 1.0, COOLDOWN / 2, COOLDOWN, 25.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @invariant()
    def retries_stop_while_it_is_open(self) -> None:
        if hasattr(self, "breaker"):
            call = Call(PING, INFO, PING.safety, {}, max_attempts=3, attempt=1)
            verdict = self.breaker.should_retry(call, ServerError("no"))
            assert verdict is (None if self.opened_at is None else STOP)
            assert repr(self.breaker).endswith("(closed)") is (self.opened_at is None)


TestBreaker = Breaker.TestCase
TestBreaker.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
