"""The rate limit: what counts in which group, who waits how long, and what is shared."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_vikingdb import VirtualClock, Wire
from vikingdb_core import Operation
from vikingdb_core.exceptions import ConfigError, DeadlineExceeded, PluginLoadError
from vikingdb_core.hooks import Call
from vikingdb_core.retry import Retry
from vikingdb_resilience import Limit, RateLimit
from vikingdb_resilience.ratelimit import group_of
from vikingdb_vector import AsyncVikingDB, VikingDB
from vikingdb_vector.domain import DOMAIN

Build = Callable[..., Any]
OFF: dict[str, Any] = {"write": None, "fetch": None, "search": None, "control": None, "other": None}


@pytest.fixture
def limit(viking_clock: VirtualClock) -> Callable[..., RateLimit]:
    """Limits on the clients' clock; groups that are not named have none."""
    return lambda **limits: RateLimit(**{**OFF, "clock": viking_clock.monotonic, **limits})


@pytest.fixture
def answering(viking_wire: Wire) -> Wire:
    return viking_wire.then(*[(200, None)] * 500)


def rows(count: int) -> dict[str, Any]:
    return {"data": [{"id": number} for number in range(count)]}


# What counts in which group


@pytest.mark.parametrize("operation", DOMAIN.operations, ids=lambda operation: operation.name)
def test_every_operation_is_in_the_group_of_the_services_limit(operation: Operation[Any, Any], calls: Build) -> None:
    group = group_of(calls(operation))
    if operation.plane == "control":
        assert group == "control"
    elif "/search/" in operation.path or operation.path.endswith(("/agg", "/sort", "/fetch_in_index")):
        assert group == "search"
    elif operation.path.endswith(("/upsert", "/update", "/delete")):
        assert group == "write"
    elif operation.path.endswith("/fetch_in_collection"):
        assert group == "fetch"
    else:
        assert operation.name in {"vector.embedding", "vector.rerank", "vector.ping"}
        assert group == "other"


def test_writes_are_counted_in_rows(
    viking_client: Build, answering: Wire, viking_clock: VirtualClock, limit: Build
) -> None:
    books = viking_client(VikingDB, plugins=[limit(write=100)]).collection(collection_name="books")
    books.upsert(rows(80))
    books.update(rows(40))
    books.delete({"ids": [1, 2, 3, 4, 5]})
    books.delete({"del_all": True})
    assert viking_clock.sleeps == pytest.approx([0.2, 0.05, 0.01])


def test_fetches_are_counted_in_keys_and_searches_in_requests(
    viking_client: Build, answering: Wire, viking_clock: VirtualClock, limit: Build
) -> None:
    client = viking_client(VikingDB, plugins=[limit(fetch=10, search=2)])
    books = client.collection(collection_name="books")
    index = client.index(collection_name="books", index_name="by_mood")
    books.fetch({"ids": list(range(15))})
    index.fetch({"ids": list(range(15))})
    index.search_by_random()
    index.aggregate({"op": "count"})
    assert viking_clock.sleeps == pytest.approx([0.5, 0.5])


def test_the_control_plane_and_the_rest_have_limits_of_their_own(
    viking_client: Build, answering: Wire, viking_clock: VirtualClock, limit: Build
) -> None:
    client = viking_client(VikingDB, plugins=[limit(control=1, other=4)])
    for _ in range(2):
        client.admin.delete_collection(collection_name="books")
    for _ in range(5):
        client.ping()
    assert viking_clock.sleeps == pytest.approx([1.0, 0.25])


def test_each_collection_and_each_index_has_its_own_bucket(
    viking_client: Build, answering: Wire, viking_clock: VirtualClock, limit: Build
) -> None:
    client = viking_client(VikingDB, plugins=[limit(write=1, search=1)])
    client.collection(collection_name="books").upsert(rows(1))
    client.collection(collection_name="films").upsert(rows(1))
    client.collection(resource_id="vdb-1").upsert(rows(1))
    for name in ("by_mood", "by_plot"):
        client.index(collection_name="books", index_name=name).search_by_random()
    assert viking_clock.sleeps == []
    client.index(collection_name="books", index_name="by_plot").search_by_random()
    assert viking_clock.sleeps == [1.0]


def test_a_group_without_a_limit_never_waits(
    viking_client: Build, answering: Wire, viking_clock: VirtualClock, limit: Build
) -> None:
    client = viking_client(VikingDB, plugins=[limit(write=1, fetch=False)])
    for _ in range(20):
        client.collection(collection_name="books").fetch({"ids": list(range(100))})
        client.index(collection_name="books", index_name="i").search_by_random()
    assert viking_clock.sleeps == []


def test_unless_given_the_documented_limits_hold() -> None:
    assert repr(RateLimit()) == "RateLimit(write=1500, fetch=1000, control=50)"


# Waiting


def test_waits_grow_in_the_order_calls_come(
    viking_client: Build, answering: Wire, viking_flow: Build, limit: Build
) -> None:
    books = viking_client(VikingDB, plugins=[limit(write=Limit(rate=10, burst=10))]).collection(collection_name="books")
    waiting = [viking_flow(books.upsert, rows(count)) for count in (10, 5, 30, 1)]
    assert [getattr(flow.effect, "seconds", 0.0) for flow in waiting] == pytest.approx([0.0, 0.5, 3.5, 3.6])


def test_a_request_beyond_the_burst_waits_until_all_of_it_is_paid(
    viking_client: Build, answering: Wire, viking_clock: VirtualClock, limit: Build
) -> None:
    limits = limit(write={"rate": 10, "burst": 2})
    viking_client(VikingDB, plugins=[limits]).collection(collection_name="books").upsert(rows(12))
    assert viking_clock.sleeps == [1.0]


def test_a_pause_earns_a_burst_again(
    viking_client: Build, answering: Wire, viking_clock: VirtualClock, limit: Build
) -> None:
    books = viking_client(VikingDB, plugins=[limit(write=10)]).collection(collection_name="books")
    books.upsert(rows(10))
    viking_clock.advance(0.5)
    books.upsert(rows(10))
    assert viking_clock.sleeps == [0.5]


def test_every_attempt_counts(
    viking_client: Build, viking_wire: Wire, viking_clock: VirtualClock, limit: Build
) -> None:
    viking_wire.reply(503).reply(503).reply()
    client = viking_client(VikingDB, plugins=[limit(other=1)], retry=_AtOnce())
    client.ping()
    assert viking_clock.sleeps == [1.0, 1.0]


def test_a_refusal_for_load_empties_the_bucket(
    viking_client: Build, viking_wire: Wire, viking_clock: VirtualClock, limit: Build
) -> None:
    viking_wire.reply(429, {"code": "TooManyRequests"}).then(*[(200, None)] * 3)
    limits = limit(write=Limit(rate=10, burst=100))
    client = viking_client(VikingDB, plugins=[limits], retry=_AtOnce())
    client.collection(collection_name="books").upsert(rows(1))
    client.collection(collection_name="films").upsert(rows(50))
    assert viking_clock.sleeps == [0.1]
    client.collection(collection_name="books").upsert(rows(5))
    assert viking_clock.sleeps == pytest.approx([0.1, 0.5])


# Deadlines, and calls that are given up


def test_a_call_that_would_wait_beyond_its_deadline_is_refused_and_uses_nothing(
    viking_client: Build, answering: Wire, viking_clock: VirtualClock, limit: Build
) -> None:
    books = viking_client(VikingDB, plugins=[limit(write=10)], deadline=2.0).collection(collection_name="books")
    books.upsert(rows(10))
    for _ in range(50):
        with pytest.raises(DeadlineExceeded, match="rate limit"):
            books.upsert(rows(20))
    books.upsert(rows(10))
    assert viking_clock.sleeps == [1.0]
    assert len(answering.requests) == 2


def test_calls_that_are_refused_at_the_same_time_use_nothing_either(calls: Build, ping: Any) -> None:
    limits = RateLimit(other=Limit(rate=1, burst=1), clock=lambda: 0.0)
    assert limits.throttle(calls(ping)) == 0.0
    refused = [calls(ping, deadline=1.0) for _ in range(5)]
    assert [limits.throttle(call) for call in refused] == [1.0] * 5
    for call in refused:
        limits.after_call(call)
    assert limits.throttle(calls(ping, deadline=1.5)) == 1.0


def test_a_call_that_is_cancelled_while_it_waits_gives_back_what_it_took(
    viking_client: Build, answering: Wire, viking_clock: VirtualClock, viking_flow: Build, limit: Build
) -> None:
    books = viking_client(VikingDB, plugins=[limit(write=10)]).collection(collection_name="books")
    books.upsert(rows(10))
    given_up = viking_flow(books.upsert, rows(100))
    assert given_up.effect.seconds == pytest.approx(10.0)
    given_up.close()
    books.upsert(rows(10))
    assert viking_clock.sleeps == [1.0]


def test_a_call_that_was_sent_gives_nothing_back(
    viking_client: Build, viking_wire: Wire, viking_clock: VirtualClock, limit: Build
) -> None:
    viking_wire.reply(400).reply()
    books = viking_client(VikingDB, plugins=[limit(write=10)]).collection(collection_name="books")
    with pytest.raises(Exception, match="400"):
        books.upsert(rows(10))
    books.upsert(rows(10))
    assert viking_clock.sleeps == [1.0]


# Sharing


def test_clients_that_are_given_one_object_share_its_buckets(
    viking_client: Build, answering: Wire, viking_clock: VirtualClock, limit: Build
) -> None:
    shared = limit(write=10)
    for _ in range(3):
        viking_client(VikingDB, plugins=[shared]).collection(collection_name="books").upsert(rows(10))
    assert viking_clock.sleeps == [1.0, 1.0]


def test_endpoints_share_nothing(
    viking_client: Build, answering: Wire, viking_clock: VirtualClock, limit: Build
) -> None:
    shared = limit(write=10)
    for host in ("a.example", "b.example"):
        viking_client(VikingDB, endpoint=host, plugins=[shared]).collection(collection_name="books").upsert(rows(10))
    assert viking_clock.sleeps == []


def test_threads_share_a_bucket_and_no_token_is_given_twice(calls: Build, ping: Any) -> None:
    shared = RateLimit(other=Limit(rate=10, burst=20), clock=lambda: 0.0)
    waits: list[float] = []
    start = threading.Barrier(8)

    def ask() -> None:
        start.wait()
        for _ in range(50):
            call = calls(ping)
            waits.append(shared.throttle(call) or 0.0)
            shared.before_request(call, None)  # type: ignore[arg-type]  # it looks at the call alone

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == pytest.approx([max(number - 20, 0) / 10 for number in range(1, 401)])


def test_two_event_loops_share_a_bucket(viking_client: Build, answering: Wire, viking_clock: VirtualClock) -> None:
    shared = RateLimit(write=Limit(rate=10, burst=10), clock=lambda: 0.0)

    async def write() -> None:
        books = viking_client(AsyncVikingDB, plugins=[shared]).collection(collection_name="books")
        await asyncio.gather(*[books.upsert(rows(1)) for _ in range(20)])

    threads = [threading.Thread(target=asyncio.run, args=(write(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answering.requests) == 40
    assert sorted(viking_clock.sleeps) == pytest.approx([number / 10 for number in range(1, 31)])


def test_two_of_them_take_turns_when_they_have_names(
    viking_client: Build, answering: Wire, viking_clock: VirtualClock, limit: Build
) -> None:
    first, second = limit(write=10), limit(write=5)
    second.name = "nightly"
    books = viking_client(VikingDB, plugins=[first, second]).collection(collection_name="books")
    books.upsert(rows(10))
    assert viking_clock.sleeps == [1.0]


# Settings


@pytest.mark.parametrize("group", OFF)
@pytest.mark.parametrize("wrong", [0, -5, float("nan"), float("inf"), "100", True, [1]])
def test_a_rate_that_is_none_is_refused_by_name(group: str, wrong: Any) -> None:
    with pytest.raises(ConfigError, match=f"^{group} must be a number above 0, not"):
        RateLimit(**{group: wrong})


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"rate": 0}, "^search: rate must be a number above 0, not 0"),
        ({"rate": 5, "burst": float("nan")}, "^search: burst must be a number above 0, not nan"),
        ({"rate": 5, "brust": 3}, "^search has no 'brust'. Did you mean 'burst'"),
        ({"burst": 3}, "^search needs a rate"),
    ],
)
def test_a_table_that_is_no_limit_is_refused(wrong: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        RateLimit(search=wrong)


def test_a_clock_that_is_no_function_is_refused() -> None:
    with pytest.raises(ConfigError, match="clock must be a function, not float"):
        RateLimit(clock=5.0)  # type: ignore[arg-type]


def test_it_runs_by_its_name_with_settings_of_the_profile(
    viking_client: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = tmp_path / "config.toml"
    monkeypatch.setenv("VIKINGDB_CONFIG_FILE", str(profile))
    profile.write_text("[default.plugin.ratelimit]\nsearch = 200\nwrite = {rate = 10, burst = 1}\ncontrol = false\n")
    viking_client(VikingDB, plugins=["ratelimit"])
    profile.write_text("[default.plugin.ratelimit]\nsearch = 0\n")
    with pytest.raises(PluginLoadError, match="'ratelimit' cannot be built from search: search must be a number above"):
        viking_client(VikingDB, plugins=["ratelimit"])


class _AtOnce:
    """Retries without a wait of its own."""

    max_attempts = 5

    def decide(self, call: Call, error: Any, random: Any) -> Any:
        return Retry(after=0)
