"""Faults on demand of an endpoint local://…: what the client sees of each, and that a seed repeats them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pytest_vikingdb.clock import VirtualClock
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.exceptions import (
    APIError,
    ConfigError,
    ConnectionLost,
    DecodeError,
    PermissionDenied,
    RateLimited,
    RequestTimeout,
    ServerError,
    VikingDBError,
)
from vikingdb_core.filters import F
from vikingdb_local import databases
from vikingdb_local.fault_injection.plan import Kind, read_plan
from vikingdb_vector import VikingDB
from vikingdb_vector.exceptions import CollectionNotFound

FIELDS = [{"field_name": "id", "field_type": "int64", "is_primary_key": True}]
NAME = "faults"


def faulty(options: str, **more: Any) -> VikingDB:
    """A client of the shared database whose endpoint has faults; it tries once."""
    return VikingDB(endpoint=f"local://{NAME}?embedder=hash-v1&{options}", **{"retry": 1, **more})


@pytest.fixture(autouse=True)
def database() -> Iterator[VikingDB]:
    """The same database without faults."""
    with VikingDB(endpoint=f"local://{NAME}?embedder=hash-v1") as db:
        db.admin.create_collection(collection_name="c", fields=FIELDS)
        db.admin.create_index(collection_name="c", index_name="i", scalar_index=["id"])
        yield db
    databases.drop_database(NAME)


def count(db: VikingDB) -> int:
    answer = db.index(collection_name="c", index_name="i").aggregate({"op": "count", "filter": F("id") > 0})
    return int(answer.result.total or 0)


def upsert(db: VikingDB, key: int = 1) -> None:
    db.collection(collection_name="c").upsert({"data": [{"id": key}]})


@pytest.mark.parametrize(
    ("fault", "raised", "is_kept"),
    [
        ("429", RateLimited, False),
        ("500", ServerError, False),
        ("503", ServerError, False),
        ("400", APIError, False),
        ("404", CollectionNotFound, False),
        ("html", ServerError, False),
        ("expired", PermissionDenied, False),
        ("drop_before", ConnectionLost, False),
        ("hang", RequestTimeout, False),
        ("drop_after", ConnectionLost, True),
        ("truncate", ConnectionLost, True),
        ("broken_json", DecodeError, True),
    ],
)
def test_the_client_sees_a_fault_as_it_would_see_the_service_s(
    database: VikingDB, fault: str, raised: type[VikingDBError], is_kept: bool
) -> None:
    with faulty(f"fault={fault}:1") as db, pytest.raises(raised) as caught:
        upsert(db)
    assert type(caught.value) is raised or raised is APIError
    assert count(database) == int(is_kept)


def test_a_status_says_that_it_was_asked_for_and_when_to_come_back() -> None:
    with faulty("fault=429:1&retry_after=7") as db, pytest.raises(RateLimited) as caught:
        upsert(db)
    assert (caught.value.status_code, caught.value.code, caught.value.retry_after) == (429, "TooManyRequests", 7)
    assert "injected fault" in caught.value.message


def test_latency_beyond_the_time_of_an_attempt_is_a_timeout(database: VikingDB) -> None:
    with faulty("latency_ms=5000", timeout=0.01) as db, pytest.raises(RequestTimeout):
        upsert(db)
    assert count(database) == 0


def test_a_slow_answer_is_a_timeout_when_nobody_waits_for_it(database: VikingDB) -> None:
    with faulty("fault=slow_body&slow_ms=5000", timeout=0.01) as db, pytest.raises(RequestTimeout):
        upsert(db)
    assert count(database) == 1
    with faulty("fault=slow_body&slow_ms=1&latency_ms=0-1") as db:
        upsert(db, 2)
    assert count(database) == 2


def test_the_retry_gets_through_when_faults_end() -> None:
    clock = VirtualClock()
    with faulty("fault=503:1&fault_times=2", retry=3, clock=clock) as db:
        db.collection(collection_name="c").fetch({"ids": [1]})
    assert len(clock.sleeps) == 2


def test_faults_can_be_kept_to_some_operations() -> None:
    with faulty("fault=500&fault_on=vector.data.*") as db:
        db.ping()
        assert db.admin.get_collection(collection_name="c").result.collection_name == "c"
        with pytest.raises(ServerError):
            upsert(db)


def drawn(options: str, number: int = 200) -> list[Kind | int | None]:
    plan = read_plan(Endpoint.parse(f"local://?{options}").options, "here")
    assert plan is not None
    return [plan.draw("vector.ping").kind for _ in range(number)]


def test_a_seed_repeats_the_faults_and_another_makes_others() -> None:
    options = "fault=429:0.2,drop_after:0.2"
    first = drawn(f"{options}&seed_faults=7")
    assert first == drawn(f"{options}&seed_faults=7")
    assert first != drawn(f"{options}&seed_faults=8")


def test_a_plan_without_a_seed_says_the_one_it_took() -> None:
    plan = read_plan([("fault", "500:0.5")], "here")
    assert plan is not None
    again = read_plan([pair.partition("=")[::2] for pair in plan.text.split("&")], "here")
    assert again is not None
    drawn = [plan.draw("vector.ping").kind for _ in range(50)]
    assert drawn == [again.draw("vector.ping").kind for _ in range(50)]
    assert set(drawn) == {None, 500}


def test_what_is_no_operation_uses_no_fault_up() -> None:
    plan = read_plan([("fault", "500"), ("fault_times", "1")], "here")
    assert plan is not None
    assert [plan.draw(name).kind for name in ("", "vector.ping", "vector.ping")] == [None, 500, None]


def test_chances_are_kept() -> None:
    kinds = drawn("fault=429:0.1,500:0.3&seed_faults=1", 5000)
    assert 400 < kinds.count(429) < 600
    assert 1350 < kinds.count(500) < 1650


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ("fault=drop_befor:1", "Did you mean 'drop_before'"),
        ("fault=200:1", "from 400 to 599"),
        ("fault=500:2", "from 0 to 1"),
        ("fault=500:x", "from 0 to 1"),
        ("fault=500:nan", "from 0 to 1"),
        ("fault=500:0.6,503:0.6", "add up to 1.2"),
        ("fault=500:0.1,500:0.2", "twice"),
        ("fault=", "fault is empty"),
        ("fault=500&fault_on=", "fault_on is empty"),
        ("fault=500&fault_on=vector.ping,", "no operation ''"),
        ("fault=500&fault_on=vector.data.upsrt", "Did you mean 'vector.data.upsert'"),
        ("fault=500&fault_on=vector.dat.*", "no operation 'vector.dat"),
        ("fault=slow_body&slow_ms=1-500", "one number of milliseconds"),
        ("fault_times=2", "no effect without fault"),
        ("seed_faults=2", "no effect without fault"),
        ("fault=500:0.1&slow_ms=5", "slow_ms is of no effect"),
        ("fault=html:0.1&retry_after=5", "retry_after is of no effect"),
        ("fault=500:0.1&fault_times=x", "whole number"),
        ("latency_ms=fast", "milliseconds"),
        ("latency_ms=50-5", "milliseconds"),
        ("faults=500", "Did you mean 'fault'"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_when_it_is_made(options: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        VikingDB(endpoint=f"local://?{options}").ping()
