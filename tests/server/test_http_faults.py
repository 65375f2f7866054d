"""Faults on demand over HTTP: what is seen at the socket, by our client, and what was kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.server.raw import ask
from tests.support.served import HASHED, Served
from vikingdb_core.exceptions import (
    ConnectionLost,
    DecodeError,
    PermissionDenied,
    RateLimited,
    RequestTimeout,
    ServerError,
    VikingDBError,
)
from vikingdb_vector import VikingDB

Make = Callable[[VikingDB], str]

PATH = "/api/vikingdb/data/fetch_in_collection"
KINDS: dict[str, tuple[type[VikingDBError], bool]] = {
    "429": (RateLimited, False),
    "500": (ServerError, False),
    "html": (ServerError, False),
    "expired": (PermissionDenied, False),
    "drop_before": (ConnectionLost, False),
    "hang": (RequestTimeout, False),
    "drop_after": (ConnectionLost, True),
    "truncate": (ConnectionLost, True),
    "broken_json": (DecodeError, True),
}
"""What our client says of a fault, and whether the write was carried out."""


@pytest.fixture(scope="module", params=list(KINDS))
def faulty(request: pytest.FixtureRequest) -> Iterator[tuple[str, Served]]:
    """A server that fails every upsert and every fetch in one way."""
    with Served(*HASHED, "--fault", f"{request.param}&fault_on=vector.data.upsert,*fetch_in_c*") as server:
        yield request.param, server


def test_our_client_sees_what_happened(faulty: tuple[str, Served], collection: Make) -> None:
    kind, server = faulty
    raised, is_kept = KINDS[kind]
    with VikingDB(endpoint=server.url, retry=1, timeout=0.5 if kind == "hang" else 30) as db:
        name = collection(db)
        with pytest.raises(VikingDBError) as caught:
            db.collection(collection_name=name).upsert({"data": [{"id": 1, "title": "a", "vec": [1, 0, 0, 0]}]})
        assert type(caught.value) is raised
        found = db.index(collection_name=name, index_name="i").search_by_random().result.data
        assert [hit.id for hit in found] == [1] * is_kept


def test_the_server_lives_on(faulty: tuple[str, Served]) -> None:
    assert ask(faulty[1].port, "/api/vikingdb/Ping", None, method="GET").status == 200


@pytest.mark.parametrize("faulty", ["truncate"], indirect=True)
def test_a_truncated_answer_promises_more_than_it_sends(faulty: tuple[str, Served]) -> None:
    answer = ask(faulty[1].port, PATH, b'{"collection_name": "c", "ids": [1]}')
    assert not answer.is_whole
    assert 0 < len(answer.body) < int(answer.headers["content-length"])


@pytest.mark.parametrize("faulty", ["broken_json"], indirect=True)
def test_broken_json_is_whole_for_http(faulty: tuple[str, Served]) -> None:
    answer = ask(faulty[1].port, PATH, b'{"collection_name": "c", "ids": [1]}')
    assert answer.is_whole
    with pytest.raises(json.JSONDecodeError):
        answer.document  # noqa: B018


@pytest.mark.parametrize("faulty", ["html"], indirect=True)
def test_an_error_page_is_no_json(faulty: tuple[str, Served]) -> None:
    answer = ask(faulty[1].port, PATH)
    assert (answer.status, answer.headers["content-type"]) == (502, "text/html")
    assert b"<h1>502 Bad Gateway</h1>" in answer.body


@pytest.mark.parametrize("faulty", ["drop_before", "drop_after"], indirect=True)
def test_a_dropped_connection_says_nothing(faulty: tuple[str, Served]) -> None:
    answer = ask(faulty[1].port, PATH)
    assert (answer.status, answer.body) == (0, b"")


def test_a_slow_answer_comes_in_pieces_and_whole(collection: Make) -> None:
    with Served(*HASHED, "--fault", "slow_body&slow_ms=50&latency_ms=1-2") as server:
        with VikingDB(endpoint=server.url) as db:
            name = collection(db)
            assert db.collection(collection_name=name).fetch({"ids": [1]}).result.ids_not_exist == [1]
        with VikingDB(endpoint=server.url, retry=1, timeout=0.001) as db, pytest.raises(RequestTimeout):
            db.ping()


def statuses(options: str, number: int) -> list[int]:
    with Served(*HASHED, "--fault", options) as server:
        return [ask(server.port, "/api/vikingdb/Ping", None, method="GET").status for _ in range(number)]


def test_a_seed_repeats_the_faults_of_a_server() -> None:
    first = statuses("429:0.3,drop_before:0.2&seed_faults=7", 30)
    assert first == statuses("429:0.3,drop_before:0.2&seed_faults=7", 30)
    assert {200, 429, 0} <= set(first)


def test_the_greeting_and_the_page_say_what_repeats_the_faults() -> None:
    with Served(*HASHED, "--fault", "500:0.5&fault_on=vector.rerank") as server:
        assert "fault=500:0.5&fault_on=vector.rerank&seed_faults=" in server.greeting
        assert b"seed_faults=" in ask(server.port, "/", None, method="GET").body


def test_the_log_says_which_answers_are_faults_on_demand() -> None:
    with Served(*HASHED, "--fault", "drop_after&fault_on=vector.ping") as server:
        ask(server.port, "/api/vikingdb/Ping", None, method="GET")
        assert "fault on demand: vector.ping meets drop_after" in server.stop()


def test_what_the_greeting_says_of_faults_can_be_given_back() -> None:
    with Served(*HASHED, "--fault", "503:0.5&seed_faults=7") as server:
        said = server.greeting.partition("faults on demand: ")[2].splitlines()[0]
    with Served(*HASHED, "--fault", said) as server:
        assert f"faults on demand: {said}\n" in server.greeting


def test_what_goes_wrong_may_be_left_out() -> None:
    with Served(*HASHED, "--fault", "latency_ms=1-2") as server:
        assert "faults on demand: latency_ms=1-2&seed_faults=" in server.greeting
        assert ask(server.port, "/api/vikingdb/Ping", None, method="GET").status == 200


def test_what_is_no_operation_uses_no_fault_of_the_server_up() -> None:
    with Served(*HASHED, "--fault", "503&fault_times=1") as server:
        asked = [ask(server.port, path, None, method="GET") for path in ("/favicon.ico", *["/api/vikingdb/Ping"] * 2)]
        assert [answer.status for answer in asked] == [404, 503, 200]


def test_faults_of_the_server_end_when_their_number_is_used_up(collection: Make) -> None:
    with (
        Served(*HASHED, "--fault", "503&fault_times=2&fault_on=*fetch*") as server,
        VikingDB(endpoint=server.url) as db,
    ):
        name = collection(db)
        answer: Any = db.collection(collection_name=name).fetch({"ids": [1]})  # the third attempt
        assert answer.result.ids_not_exist == [1]
