"""Laws of retry, over whole calls whose every attempt ends in some way."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pytest_vikingdb import ClientFactory, VirtualClock, Wire
from tests.support.notes import BY_SAFETY, Notes
from vikingdb_core.effects import Block, Flow, Send, Sleep, Timeouts
from vikingdb_core.exceptions import (
    ConnectError,
    ConnectionLost,
    RequestTimeout,
    TransportError,
    VikingDBError,
)
from vikingdb_core.hooks import hookimpl
from vikingdb_core.hooks.call import Call
from vikingdb_core.messages import Headers, Response
from vikingdb_core.request_options import RequestOptions
from vikingdb_core.retry import STOP, Retry, RetryBudget, RetryPolicy
from vikingdb_core.traits import Safety

SUCCESS = Response(200, Headers(), b'{"code":"Success"}')


def said(status: int, code: str = "", retry_after: str | None = None) -> Response:
    headers = Headers({} if retry_after is None else {"Retry-After": retry_after})
    return Response(status, headers, f'{{"code":"{code or status}"}}'.encode())


NEVER_PROCESSED = [ConnectError("refused"), RequestTimeout("queued", sent=False), said(429), said(400, "SlowDown")]
PERHAPS_PROCESSED = [ConnectionLost("broke"), RequestTimeout("silent"), *map(said, (500, 502, 503, 504))]
FINAL = [said(400), said(403), said(404), said(409), said(501), Response(200, Headers(), b"<html>")]

busy = st.builds(said, st.sampled_from([429, 503]), st.just(""), st.integers(0, 500).map(str))
passing = st.sampled_from(NEVER_PROCESSED) | st.sampled_from(PERHAPS_PROCESSED) | busy
settled = st.sampled_from([SUCCESS, *FINAL])
scripts = st.lists(passing, max_size=8).flatmap(lambda first: settled.map(lambda last: [*first, last]))
"""How the attempts of a call end: some that may pass, then one that is final. Beyond it, all would succeed."""


@dataclass
class Course:
    """A call, its script, and how it went."""

    flow: Flow[Any]
    clock: VirtualClock
    endings: list[Any]
    seconds: list[float]

    def __post_init__(self) -> None:
        self.met: list[Any] = []
        self.timeouts: list[Timeouts] = []
        self.sleeps: list[float] = []
        self.result: Any = None
        self.error: VikingDBError | None = None
        try:
            self._drive()
        except VikingDBError as error:
            self.error = error

    def _drive(self) -> None:
        try:
            effect = next(self.flow)
            while True:
                effect = self._perform(effect)
        except StopIteration as end:
            self.result = end.value

    def _perform(self, effect: Any) -> Any:
        if isinstance(effect, Sleep):
            self.clock.sleep(effect.seconds)
            self.sleeps.append(effect.seconds)
            return self.flow.send(None)
        if isinstance(effect, Block):
            return self.flow.send(effect.action())
        assert isinstance(effect, Send)
        ending = self.endings[len(self.met)] if len(self.met) < len(self.endings) else SUCCESS
        self.clock.advance(min(self.seconds[len(self.met) % len(self.seconds)], effect.timeouts.total))
        self.met.append(ending)
        self.timeouts.append(effect.timeouts)
        # A copy: the flow writes on the errors it meets.
        return self.flow.throw(copy(ending)) if isinstance(ending, TransportError) else self.flow.send(ending)

    @property
    def attempts(self) -> int:
        return len(self.met)


def course(
    safety: Safety,
    endings: list[Any],
    *,
    seconds: list[float] | None = None,
    options: RequestOptions | None = None,
    **settings: Any,
) -> Course:
    clock = VirtualClock()
    notes = ClientFactory(Wire(clock), clock)(Notes, **settings)
    flow = notes._flow(BY_SAFETY[safety], {"text": "a"}, options)
    return Course(flow, clock, endings, seconds or [0.0])


class Urges:
    """A plugin that wants to try again whatever happened, at once or after a while."""

    def __init__(self, after: float = 0.0) -> None:
        self.after = after

    @hookimpl
    def should_retry(self, outcome: VikingDBError) -> Retry:
        return Retry(self.after)


class Insists:
    """A strategy that wants to try again whatever happened."""

    def __init__(self, max_attempts: int, after: float = 0.0) -> None:
        self.max_attempts = max_attempts
        self.after = after

    def decide(self, call: Call, error: VikingDBError, random: Any) -> Retry:
        return Retry(self.after)


safeties = st.sampled_from(list(Safety))
attempts = st.integers(1, 6)
durations = st.lists(st.floats(0, 40), min_size=1, max_size=4)
eager = st.sampled_from(["policy", "strategy", "plugin"])


def settings_of(kind: str, most: int, after: float = 0.0) -> dict[str, Any]:
    if kind == "strategy":
        return {"retry": Insists(most, after)}
    return {"retry": most, "plugins": [Urges(after)] if kind == "plugin" else []}


@given(scripts, attempts, eager)
def test_an_unsafe_call_is_never_resent_after_it_may_have_been_processed(
    endings: list[Any], most: int, kind: str
) -> None:
    went = course(Safety.UNSAFE, endings, **settings_of(kind, most))
    assert not any(ending in PERHAPS_PROCESSED for ending in went.met[:-1])


@given(scripts, attempts, eager, safeties)
def test_what_is_settled_is_never_sent_again(endings: list[Any], most: int, kind: str, safety: Safety) -> None:
    went = course(safety, endings, **settings_of(kind, most))
    assert not any(ending in FINAL or ending is SUCCESS for ending in went.met[:-1])


@given(scripts, attempts, eager, safeties, st.none() | st.integers(1, 6))
def test_attempts_never_exceed_the_most_allowed(
    endings: list[Any], most: int, kind: str, safety: Safety, for_this_call: int | None
) -> None:
    went = course(safety, endings, options=RequestOptions(max_attempts=for_this_call), **settings_of(kind, most))
    assert 1 <= went.attempts <= (for_this_call or most)


@given(scripts, attempts, safeties)
def test_without_a_plugin_a_call_ends_as_its_last_attempt_did(endings: list[Any], most: int, safety: Safety) -> None:
    went = course(safety, endings, retry=most)
    last = went.met[-1]
    if last is SUCCESS:
        assert went.error is None
        assert went.result.code == "Success"
    elif isinstance(last, TransportError):
        assert (type(went.error), str(went.error.message)) == (type(last), last.message)  # type: ignore[union-attr]
    else:
        assert went.error is not None
        assert went.error.status_code == last.status


@given(scripts, st.integers(1, 12), safeties, durations, st.floats(0, 2), st.floats(0, 10), st.floats(0, 20))
def test_waits_stay_within_their_caps(
    endings: list[Any], most: int, safety: Safety, seconds: list[float], base: float, cap: float, asked_cap: float
) -> None:
    policy = RetryPolicy(most, base, cap, asked_cap)
    went = course(safety, endings, seconds=seconds, retry=policy)
    assert len(went.sleeps) <= went.attempts - 1
    assert all(0 < slept <= max(cap, asked_cap) for slept in went.sleeps)


@given(scripts, safeties, durations, st.floats(0.1, 60), eager, st.floats(0, 30))
def test_neither_waits_nor_attempts_outlast_the_deadline(
    endings: list[Any], safety: Safety, seconds: list[float], deadline: float, kind: str, after: float
) -> None:
    went = course(safety, endings, seconds=seconds, deadline=deadline, timeout=20.0, **settings_of(kind, 6, after))
    assert went.clock.monotonic() <= deadline + 1e-6
    assert all(0 < timeouts.connect <= timeouts.total <= deadline for timeouts in went.timeouts)


@given(st.floats(0, 1e4, allow_nan=False), st.sampled_from([429, 503]), st.floats(0, 100))
def test_what_the_service_asks_for_is_waited_up_to_its_cap(asked: float, status: int, cap: float) -> None:
    policy = RetryPolicy(2, base_seconds=0, retry_after_cap_seconds=cap)
    went = course(Safety.READ, [said(status, retry_after=str(asked))], retry=policy)
    assert sum(went.sleeps) == min(asked, cap)
    assert went.attempts == 2


@given(scripts, safeties, eager, st.integers(0, 40))
def test_the_budget_is_never_overdrawn_whoever_asks(endings: list[Any], safety: Safety, kind: str, tokens: int) -> None:
    clock = VirtualClock()
    notes = ClientFactory(Wire(clock), clock)(Notes, **settings_of(kind, 12))
    notes._runtime = replace(notes._runtime, budget=RetryBudget(tokens))
    went = Course(notes._flow(BY_SAFETY[safety], {}, None), clock, endings, [0.0])
    assert 0 <= notes._runtime.budget.tokens <= tokens
    paid_at_least = RetryBudget.RETRY_COST * (went.attempts - 1)
    assert paid_at_least <= tokens


@given(scripts, attempts, safeties)
def test_an_error_keeps_every_earlier_attempt(endings: list[Any], most: int, safety: Safety) -> None:
    went = course(safety, endings, retry=most)
    if went.error is None:
        return
    assert [attempt.number for attempt in went.error.attempts] == list(range(1, went.attempts))
    assert [attempt.waited_seconds for attempt in went.error.attempts if attempt.waited_seconds] == went.sleeps
    assert went.error.operation == BY_SAFETY[safety].name


@given(scripts, attempts, safeties)
def test_a_plugin_that_says_stop_is_obeyed(endings: list[Any], most: int, safety: Safety) -> None:
    class Stops:
        @hookimpl
        def should_retry(self, outcome: VikingDBError) -> Any:
            return STOP

    assert course(safety, endings, retry=most, plugins=[Stops()]).attempts == 1
