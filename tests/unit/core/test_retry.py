"""Retry, its parts: what a failure tells, whether sending again is harmless, when, and at what price."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.notes import READ
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.exceptions import (
    APIError,
    AuthModeError,
    BadRequest,
    ConfigError,
    Conflict,
    ConnectError,
    ConnectionLost,
    DeadlineExceeded,
    DecodeError,
    InvalidRequest,
    NotFound,
    OperationNotSupported,
    PermissionDenied,
    RateLimited,
    RequestTimeout,
    ServerError,
    Unauthorized,
    VikingDBError,
    branch_for_status,
)
from vikingdb_core.hooks.call import Call, ClientInfo
from vikingdb_core.retry import (
    STOP,
    Outcome,
    Retry,
    RetryBudget,
    RetryPolicy,
    classify,
    may_resend,
    retry_strategy,
)
from vikingdb_core.traits import Safety


def answered(status: int, code: str | int | None = None, **details: Any) -> APIError:
    return branch_for_status(status)("said no", status_code=status, code=code, **details)


def call(attempt: int = 1) -> Call:
    info = ClientInfo("notes", Endpoint.parse("https://far.example"), "r1", "tests")
    return Call(READ, info, Safety.READ, {}, max_attempts=10, attempt=attempt)


# What a failure tells


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ConnectError("refused"), Outcome.NOT_SENT),
        (RequestTimeout("before it was sent", sent=False), Outcome.NOT_SENT),
        (RequestTimeout("silent"), Outcome.UNKNOWN),
        (ConnectionLost("broke"), Outcome.UNKNOWN),
        (answered(429), Outcome.THROTTLED),
        (answered(400, "SlowDown"), Outcome.THROTTLED),
        (answered(200, "SlowDown"), Outcome.THROTTLED),
        (answered(503, "SlowDown"), Outcome.THROTTLED),
        (answered(400, 1000029), Outcome.THROTTLED),
        (RateLimited("by its class", status_code=200), Outcome.THROTTLED),
        (answered(500), Outcome.UNKNOWN),
        (answered(502), Outcome.UNKNOWN),
        (answered(503), Outcome.UNKNOWN),
        (answered(504), Outcome.UNKNOWN),
        (answered(401), Outcome.EXPIRED),
        (answered(403), Outcome.EXPIRED),
        (answered(400), Outcome.FINAL),
        (answered(404), Outcome.FINAL),
        (answered(409), Outcome.FINAL),
        (answered(413), Outcome.FINAL),
        (answered(501), Outcome.FINAL),
        (answered(505), Outcome.FINAL),
        (answered(302), Outcome.FINAL),
        (answered(200, "InternalError"), Outcome.FINAL),
        (DecodeError("not what was promised", status_code=200), Outcome.FINAL),
        (InvalidRequest("NaN"), Outcome.FINAL),
        (AuthModeError("API key"), Outcome.FINAL),
        (DeadlineExceeded("passed"), Outcome.FINAL),
        (VikingDBError("anything else"), Outcome.FINAL),
    ],
    ids=lambda value: value.name if isinstance(value, Outcome) else f"{type(value).__name__}-{value}",
)
def test_a_failure_is_one_of_five_outcomes(error: VikingDBError, outcome: Outcome) -> None:
    assert classify(error, {"SlowDown", "1000029"}) is outcome


@pytest.mark.parametrize(
    ("outcome", "read", "idempotent", "unsafe"),
    [
        (Outcome.NOT_SENT, True, True, True),
        (Outcome.THROTTLED, True, True, True),
        (Outcome.EXPIRED, True, True, True),
        (Outcome.UNKNOWN, True, True, False),
        (Outcome.FINAL, False, False, False),
    ],
)
def test_sending_again_is_a_matter_of_outcome_and_safety(
    outcome: Outcome, read: bool, idempotent: bool, unsafe: bool
) -> None:
    assert may_resend(Safety.READ, outcome) is read
    assert may_resend(Safety.IDEMPOTENT, outcome) is idempotent
    assert may_resend(Safety.UNSAFE, outcome) is unsafe


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, BadRequest),
        (401, Unauthorized),
        (403, PermissionDenied),
        (404, NotFound),
        (409, Conflict),
        (418, BadRequest),
        (429, RateLimited),
        (500, ServerError),
        (501, OperationNotSupported),
        (599, ServerError),
        (302, APIError),
        (101, APIError),
    ],
)
def test_every_status_has_a_branch(status: int, expected: type[APIError]) -> None:
    assert branch_for_status(status) is expected


# When


waits = st.floats(0, 100, allow_nan=False)


@given(
    attempt=st.integers(1, 10_000),
    base=waits,
    cap=waits,
    draw=st.floats(0, 1, exclude_max=True),
)
def test_a_wait_is_drawn_between_nothing_and_the_cap(attempt: int, base: float, cap: float, draw: float) -> None:
    policy = RetryPolicy(base_seconds=base, cap_seconds=cap)
    verdict = policy.decide(call(attempt), ConnectError("refused"), lambda: draw)
    assert isinstance(verdict, Retry)
    assert 0 <= verdict.after <= cap
    assert verdict.after <= base * 2.0 ** min(attempt - 1, 60)


def test_waits_double_until_the_cap() -> None:
    ceilings = [RetryPolicy().decide(call(attempt), ConnectError("refused"), lambda: 1.0) for attempt in range(1, 8)]
    assert ceilings == [Retry(seconds) for seconds in (0.5, 1, 2, 4, 8, 8, 8)]


@given(asked=st.floats(0, 1e6), cap=waits, draw=st.floats(0, 1))
def test_what_the_service_asks_for_is_honoured_up_to_its_cap(asked: float, cap: float, draw: float) -> None:
    policy = RetryPolicy(retry_after_cap_seconds=cap)
    verdict = policy.decide(call(), answered(429, retry_after=asked), lambda: draw)
    assert isinstance(verdict, Retry)
    assert verdict.after == max(min(asked, cap), draw * 0.5)


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_a_verdict_waits_a_possible_time(seconds: float) -> None:
    with pytest.raises(ConfigError, match="number of seconds"):
        Retry(seconds)


# What retry= takes


class Twice:
    max_attempts = 2

    def decide(self, call: Call, error: VikingDBError, random: Any) -> Any:
        return STOP


def test_a_strategy_is_a_policy_a_number_or_an_object_of_ones_own() -> None:
    own = Twice()
    assert retry_strategy(None) == RetryPolicy(max_attempts=3)
    assert retry_strategy(1) == RetryPolicy(max_attempts=1)
    assert retry_strategy(RetryPolicy(cap_seconds=1)) == RetryPolicy(cap_seconds=1)
    assert retry_strategy(own) is own


@pytest.mark.parametrize("wrong", [0, -1, True, False, "3", 2.5, object(), [3]])
def test_what_is_no_strategy_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigError):
        retry_strategy(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_attempts": 0},
        {"max_attempts": 1.5},
        {"max_attempts": True},
        {"base_seconds": -1},
        {"cap_seconds": float("nan")},
        {"retry_after_cap_seconds": float("inf")},
    ],
)
def test_a_policy_refuses_impossible_numbers(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        RetryPolicy(**wrong)


# The budget


def test_a_timeout_costs_more_than_another_failure() -> None:
    budget = RetryBudget()
    full = budget.tokens
    assert budget.take(answered(503)) == full - budget.tokens == RetryBudget.RETRY_COST
    assert budget.take(RequestTimeout("silent")) == RetryBudget.TIMEOUT_COST > RetryBudget.RETRY_COST


@given(
    capacity=st.integers(0, 40),
    events=st.lists(st.one_of(st.just("slow"), st.just("failed"), st.integers(0, 30)), max_size=60),
)
def test_the_budget_is_never_negative_and_never_overfull(capacity: int, events: list[str | int]) -> None:
    budget = RetryBudget(capacity)
    for event in events:
        before = budget.tokens
        if isinstance(event, int):
            budget.refund(event)
        else:
            price = RetryBudget.TIMEOUT_COST if event == "slow" else RetryBudget.RETRY_COST
            taken = budget.take(RequestTimeout("silent") if event == "slow" else answered(500))
            assert taken == (price if before >= price else 0)
            assert budget.tokens == before - taken
        assert 0 <= budget.tokens <= capacity


def test_threads_that_share_a_budget_spend_each_token_once() -> None:
    budget = RetryBudget(500)
    taken: list[int] = []

    def spend() -> None:
        taken.extend(budget.take(answered(500)) for _ in range(40))

    threads = [threading.Thread(target=spend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 500
    assert budget.tokens == 0
