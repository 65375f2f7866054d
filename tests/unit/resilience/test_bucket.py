"""The bucket: what it grants in any span of time is bounded, and who comes first is served first."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vikingdb_core.exceptions import ConfigError
from vikingdb_resilience import Limit
from vikingdb_resilience.bucket import Bucket, Taken

limits = st.builds(Limit, rate=st.floats(0.1, 1000), burst=st.none() | st.floats(0.5, 500))
pauses = st.floats(0, 20) | st.just(0.0)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.integers(1, 200), pauses),
        st.tuples(st.just("give back"), st.integers(0, 5), pauses),
        st.tuples(st.just("drain"), st.just(0), pauses),
    ),
    max_size=40,
)


def granted(limit: Limit, script: list[tuple[str, int, float]]) -> list[tuple[float, float]]:
    """When and how much, of everything that was taken and not given back, in the order it was taken."""
    now = 0.0
    bucket = Bucket(limit, now)
    grants: dict[Taken, float] = {}
    for what, number, pause in script:
        now += pause
        if what == "take":
            taken = bucket.take(number, now)
            grants[taken] = now + taken.wait
        elif what == "drain":
            bucket.drain(now)
        elif number < len(grants):
            unused = list(grants)[-1 - number]
            if grants[unused] >= now:  # it has not been used yet
                del grants[unused]
                bucket.give_back(unused, now)
    return [(at, taken.tokens) for taken, at in grants.items()]


@given(limits, steps)
def test_no_span_of_time_sees_more_than_the_rate_allows_and_one_burst(
    limit: Limit, script: list[tuple[str, int, float]]
) -> None:
    grants = sorted(granted(limit, script))
    largest = max((tokens for _, tokens in grants), default=0.0)
    for first in range(len(grants)):
        total = 0.0
        for at, tokens in grants[first:]:
            total += tokens
            allowed = limit.rate * (at - grants[first][0]) + max(limit.capacity, largest)
            assert total <= allowed * (1 + 1e-9) + 1e-6


@given(limits, steps)
def test_who_comes_first_goes_first(limit: Limit, script: list[tuple[str, int, float]]) -> None:
    assert all(later >= earlier - 1e-6 for (earlier, _), (later, _) in pairwise(granted(limit, script)))


@given(limits, st.integers(1, 50), st.integers(1, 100))
def test_nobody_waits_longer_than_the_rate_asks(limit: Limit, takers: int, tokens: int) -> None:
    bucket = Bucket(limit, 0.0)
    waits = [bucket.take(tokens, 0.0).wait for _ in range(takers)]
    for number, wait in enumerate(waits, 1):
        owed = number * tokens - limit.capacity
        assert wait == pytest.approx(max(owed, 0.0) / limit.rate)


@given(limits, steps)
def test_asking_for_a_wait_takes_nothing(limit: Limit, script: list[tuple[str, int, float]]) -> None:
    now = 0.0
    asked, left_alone = Bucket(limit, now), Bucket(limit, now)
    for _, number, pause in script:
        now += pause
        asked.wait(number, now)
        assert asked.wait(number + 1, now) == pytest.approx(left_alone.wait(number + 1, now))
        assert asked.take(number + 1, now).wait == pytest.approx(left_alone.take(number + 1, now).wait)


def test_a_pause_fills_no_more_than_one_burst() -> None:
    bucket = Bucket(Limit(rate=10, burst=5), 0.0)
    assert [bucket.take(1, 1000.0).wait for _ in range(7)] == pytest.approx([0, 0, 0, 0, 0, 0.1, 0.2])


def test_what_is_given_back_last_is_there_for_the_next() -> None:
    bucket = Bucket(Limit(rate=10, burst=10), 0.0)
    bucket.take(10, 0.0)
    bucket.give_back(bucket.take(10, 0.0), 0.0)
    assert bucket.take(10, 0.0).wait == pytest.approx(1.0)


def test_what_others_have_been_lined_up_behind_is_not_given_out_twice() -> None:
    bucket = Bucket(Limit(rate=1, burst=1), 0.0)
    bucket.take(1, 0.0)
    unused, behind = bucket.take(1, 0.0), bucket.take(1, 0.0)
    bucket.give_back(unused, 0.0)
    assert (behind.wait, bucket.take(1, 0.0).wait) == (2.0, 3.0)


def test_a_clock_that_stands_still_or_runs_back_fills_nothing() -> None:
    bucket = Bucket(Limit(rate=10, burst=1), 5.0)
    bucket.take(1, 5.0)
    assert [bucket.wait(1, now) for now in (5.0, 4.0, 0.0, 5.0, 5.1)] == pytest.approx([0.1, 0.1, 0.1, 0.1, 0.0])


@pytest.mark.parametrize("wrong", [0, -1, float("nan"), float("inf"), True, "10", None])
@pytest.mark.parametrize("name", ["rate", "burst"])
def test_a_limit_that_is_no_number_above_0_is_refused(name: str, wrong: Any) -> None:
    if name == "burst" and wrong is None:
        assert Limit(rate=5).capacity == 5
        return
    with pytest.raises(ConfigError, match=f"^{name} must be a number above 0, not"):
        Limit(**{"rate": 1, name: wrong})
