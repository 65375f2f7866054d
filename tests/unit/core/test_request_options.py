"""RequestOptions: what one call may do differently, and that a mistake in it sends nothing."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

import pytest

from tests.unit.vector.fakes import MANAGE, READ, WRITE, FakeClock, FakeTransport, Toy, reply
from vikingdb_core.credentials import NoAuth
from vikingdb_core.exceptions import (
    ConfigError,
    ConnectionLost,
    DeadlineExceeded,
    InvalidRequest,
    ServerError,
    UnknownOption,
)
from vikingdb_core.request_options import RESERVED_HEADERS, RequestOptions, ensure_request_options


def client(*answers: Any, **options: Any) -> tuple[Toy, FakeTransport]:
    wire = FakeTransport(*answers)
    given = {"endpoint": "https://h.example", "auth": NoAuth(), "clock": FakeClock(), **options}
    return Toy(transport=wire, **given), wire


def test_headers_query_and_request_id_are_sent_with_this_call_alone() -> None:
    toy, wire = client(headers={"X-Team": "search", "X-Env": "prod"})
    options = RequestOptions(headers={"x-team": "shop"}, query={"dry_run": 1, "b": "三 &"}, request_id="my-id")
    toy.call(MANAGE, request_options=options)
    toy.call(READ)
    first, second = wire.requests
    assert (first.headers["X-Team"], first.headers["X-Env"], first.headers["X-Tt-Logid"]) == ("shop", "prod", "my-id")
    assert first.url == "https://h.example/?Action=Manage&b=%E4%B8%89%20%26&dry_run=1"
    assert (second.headers["X-Team"], second.url) == ("search", "https://h.example/read")
    assert "X-Tt-Logid" not in second.headers


def test_timeouts_of_a_call_replace_those_of_the_client() -> None:
    toy, wire = client(timeout=20, connect_timeout=5)
    toy.call(READ)
    toy.call(READ, request_options=RequestOptions(timeout=2))
    toy.call(READ, request_options=RequestOptions(timeout=8, connect_timeout=1))
    toy.call(READ, request_options=RequestOptions(deadline=3))
    assert [(each.connect, each.total) for each in wire.timeouts] == [(5, 20), (2, 2), (1, 8), (3, 3)]


@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_attempts_of_a_call_replace_those_of_the_client(attempts: int) -> None:
    toy, wire = client(*[reply(503, b"")] * 9, retry=3)
    with pytest.raises(ServerError):
        toy.call(READ, request_options=RequestOptions(max_attempts=attempts))
    assert len(wire.requests) == attempts


def test_a_deadline_of_a_call_bounds_its_retries() -> None:
    clock = FakeClock()
    toy, wire = client(*[reply(503, b"", Retry_After="5")] * 9, clock=clock, retry=9)
    with pytest.raises((ServerError, DeadlineExceeded)):
        toy.call(READ, request_options=RequestOptions(deadline=12))
    assert clock.slept == [5, 5]
    assert len(wire.requests) == 3


@pytest.mark.parametrize(
    ("operation", "idempotent", "sent"), [(WRITE, None, 1), (WRITE, True, 2), (READ, None, 2), (READ, False, 1)]
)
def test_the_caller_may_say_whether_resending_does_harm(operation: Any, idempotent: bool | None, sent: int) -> None:
    toy, wire = client(ConnectionLost("reset"))
    options = RequestOptions(idempotent=idempotent)
    if sent == 1:
        with pytest.raises(ConnectionLost):
            toy.call(operation, request_options=options)
    else:
        toy.call(operation, request_options=options)
    assert len(wire.requests) == sent


@pytest.mark.parametrize("name", sorted(RESERVED_HEADERS))
def test_headers_the_sdk_writes_cannot_be_set_by_hand(name: str) -> None:
    for spelled in (name, name.upper(), name.title()):
        with pytest.raises(InvalidRequest, match=rf"(?i)header '{name}' is written by the SDK"):
            RequestOptions(headers={spelled: "mine"})
        with pytest.raises(ConfigError, match=rf"(?i)headers \(from argument\): header '{name}' is written by the SDK"):
            client(headers={spelled: "mine"})


def test_the_header_of_the_request_id_points_to_the_option() -> None:
    with pytest.raises(InvalidRequest, match="use request_id= instead"):
        RequestOptions(headers={"x-tt-logid": "mine"})


WRONG: list[dict[str, Any]] = [
    {"max_attempts": 0},
    {"max_attempts": -1},
    {"max_attempts": True},
    {"max_attempts": "3"},
    {"max_attempts": 1.5},
    {"headers": "X-A: 1"},
    {"query": [("a", "1")]},
    {"idempotent": "yes"},
    {"idempotent": 1},
    {"request_id": ""},
    {"request_id": " "},
    {"request_id": 5},
    {"timeout": 0},
    {"timeout": -1},
    {"timeout": True},
    {"timeout": "5"},
    {"timeout": float("nan")},
    {"connect_timeout": float("inf")},
    {"deadline": 0},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_value_is_refused_when_the_options_are_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match=next(iter(wrong))):
        RequestOptions(**wrong)


@pytest.mark.parametrize(
    ("option", "suggestion"), [("timout", "timeout"), ("max_attempt", "max_attempts"), ("idempotence", "idempotent")]
)
def test_a_misspelt_option_suggests_the_right_one(option: str, suggestion: str) -> None:
    says = rf"RequestOptions has no option '{option}'\. Did you mean '{suggestion}'\?$"
    with pytest.raises(UnknownOption, match=says):
        RequestOptions(**{option: 1})  # type: ignore[arg-type]


def test_an_option_like_none_there_is_lists_those_there_are() -> None:
    with pytest.raises(UnknownOption, match=r"no option 'xyzzy'\. It has: connect_timeout, deadline, .*, timeout\.$"):
        RequestOptions(xyzzy=1)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"timeout": 5}, 5, "options", RequestOptions])
def test_what_is_no_request_options_sends_nothing(wrong: Any) -> None:
    toy, wire = client()
    with pytest.raises(InvalidRequest, match="request_options must be a RequestOptions, not"):
        toy.call(READ, request_options=wrong)
    assert wire.requests == []


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({"X A": "1"}, "X A"),
        ({"X-A": "1\r\nX-B: 2"}, "X-A"),
        ({"X-A": "三"}, "outside ASCII"),
        ({"X-A": 1}, "map a str"),
    ],
)
def test_a_header_that_is_none_sends_nothing(headers: dict[str, Any], says: str) -> None:
    toy, wire = client()
    with pytest.raises(InvalidRequest, match=says):
        toy.call(READ, request_options=RequestOptions(headers=headers))
    assert wire.requests == []


def test_the_address_of_an_operation_cannot_be_changed_by_a_query() -> None:
    toy, wire = client()
    with pytest.raises(InvalidRequest, match=r"query 'Action' is part of the address of toy\.manage"):
        toy.call(MANAGE, request_options=RequestOptions(query={"Action": "Delete"}))
    assert wire.requests == []


def test_options_are_values() -> None:
    headers = {"X-A": "1"}
    options = RequestOptions(headers=headers, timeout=5)
    headers["X-A"] = "2"
    assert options.headers == {"X-A": "1"}
    assert options == RequestOptions(headers={"X-A": "1"}, timeout=5)
    assert RequestOptions(None, None, None) == RequestOptions()


def test_options_may_be_filled_in_after_they_were_made() -> None:
    toy, wire = client()
    options = RequestOptions()
    options.request_id = "my-id"
    options.timeout = 2
    options.query["dry_run"] = "1"
    options.headers["X-Team"] = "shop"
    toy.call(READ, request_options=options)
    (request,) = wire.requests
    assert request.url == "https://h.example/read?dry_run=1"
    assert (request.headers["X-Tt-Logid"], request.headers["X-Team"]) == ("my-id", "shop")
    assert wire.timeouts[0].total == 2
    assert ensure_request_options(None) == RequestOptions()


def test_empty_options_belong_to_who_asked_for_them() -> None:
    toy, wire = client()
    mine = ensure_request_options(None)
    mine.headers["X-Team"] = "shop"
    mine.timeout = 2
    toy.call(READ)
    assert "X-Team" not in wire.requests[0].headers
    assert wire.timeouts[0].total != 2
    assert ensure_request_options(None) == RequestOptions()


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_value_is_refused_when_it_is_filled_in(wrong: dict[str, Any]) -> None:
    options = RequestOptions(timeout=5, max_attempts=2)
    ((name, value),) = wrong.items()
    with pytest.raises(InvalidRequest, match=name):
        setattr(options, name, value)
    assert options == RequestOptions(timeout=5, max_attempts=2)


def test_a_misspelt_option_cannot_be_filled_in() -> None:
    with pytest.raises(UnknownOption, match="Did you mean 'timeout'"):
        RequestOptions().timout = 5  # type: ignore[attr-defined]


def test_a_header_put_in_later_is_checked_by_the_call() -> None:
    toy, wire = client()
    options = RequestOptions()
    options.headers["Authorization"] = "mine"
    with pytest.raises(InvalidRequest, match="'Authorization' is written by the SDK"):
        toy.call(READ, request_options=options)
    assert wire.requests == []


def test_a_call_goes_by_what_its_options_said_when_it_began() -> None:
    options = RequestOptions(request_id="first", max_attempts=3, headers={"X-A": "1"})

    class Meddler(FakeClock):
        def sleep(self, seconds: float) -> None:
            options.request_id, options.max_attempts, options.headers["X-A"] = "second", 1, "2"

    toy, wire = client(reply(503, b""), reply(503, b""), clock=Meddler())
    toy.call(READ, request_options=options)
    assert [(each.headers["X-Tt-Logid"], each.headers["X-A"]) for each in wire.requests] == [("first", "1")] * 3


def test_the_signature_lists_every_field() -> None:
    names = [name for name in inspect.signature(RequestOptions).parameters if name != "unknown"]
    assert names == [field.name for field in dataclasses.fields(RequestOptions)]


def test_values_whose_names_tell_are_shown_to_nobody() -> None:
    options = RequestOptions(headers={"X-Api-Key": "KEY", "X-Team": "search"}, query={"token": "KEY"}, timeout=5)
    assert repr(options) == (
        "RequestOptions(headers={'X-Api-Key': '***', 'X-Team': 'search'}, query={'token': '***'}, timeout=5)"
    )
    assert repr(RequestOptions()) == "RequestOptions()"
