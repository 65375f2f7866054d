"""What a call sends: the same bytes at every attempt, a new signature for each, and the headers that were asked for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from pytest_vikingdb import ClientFactory, Wire
from tests.support.notes import FOUND, PING, AsyncNotes, Notes
from tests.support.reference_signer import DATE_FORMAT, verify
from vikingdb_core.credentials import IAM, APIKey, HeaderAuth, NoAuth
from vikingdb_core.exceptions import ConfigError, ConnectError, ConnectionLost, InvalidRequest, UnknownOption
from vikingdb_core.messages import Request
from vikingdb_core.operation import Operation
from vikingdb_core.request_options import RequestOptions
from vikingdb_core.version import __version__

SIGNATURE = {"Authorization", "X-Date", "X-Content-Sha256", "X-Security-Token"}


def refusal(request: Request, *, service: str = "notes", region: str = "cn-beijing") -> object:
    """What a server that checks signatures has against a request, at the time it was signed."""
    url = urlsplit(request.url)
    return verify(
        request.method,
        f"{url.path}?{url.query}" if url.query else url.path,
        request.headers,
        request.body,
        secrets={"AKDEMO": "SKDEMO"},
        now=datetime.strptime(request.headers["X-Date"], DATE_FORMAT).replace(tzinfo=UTC),
        region=region,
        service=service,
    )


def unsigned(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in SIGNATURE}


# Attempts


def test_attempts_differ_in_their_signature_alone(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.then(ConnectError("refused")).reply(503).reply()
    options = RequestOptions(headers={"X-Team": "search"}, query={"trace": "1"}, request_id="mine")
    viking_client(Notes).shelf().read({"text": "三体", "notes": [{"v": [0.1, 0.2]}]}, request_options=options)
    first, second, third = viking_wire.requests
    assert (
        first.body == second.body == third.body == '{"shelf":"poems","text":"三体","notes":[{"v":[0.1,0.2]}]}'.encode()
    )
    assert first.url == second.url == third.url
    assert unsigned(first.headers) == unsigned(second.headers) == unsigned(third.headers)
    assert len({request.headers["Authorization"] for request in viking_wire.requests}) == 3


def test_a_request_that_changes_after_the_call_began_changes_no_attempt(
    viking_client: ClientFactory, viking_wire: Wire
) -> None:
    row = {"title": "Dune"}

    def meddle(_: Request) -> Any:
        row["title"] = "other"
        return 503, None

    viking_wire.then(meddle).reply()
    viking_client(Notes).shelf().read({"notes": [row]})
    assert [body["notes"] for body in viking_wire.bodies] == [[{"title": "Dune"}]] * 2


def test_every_attempt_is_signed_anew_and_every_signature_holds(
    viking_client: ClientFactory, viking_wire: Wire
) -> None:
    notes = viking_client(Notes, auth=IAM("AKDEMO", "SKDEMO"))
    viking_wire.then(ConnectError("refused"), ConnectionLost("broke")).reply()
    options = RequestOptions(query={"q": "a b&c=d/é~"}, headers={"x-lower": "value"}, request_id="mine")
    notes.shelf().read({"text": "三体"}, request_options=options)
    assert [refusal(request) for request in viking_wire.requests] == [None] * 3
    signed = (
        viking_wire.requests[0].headers["Authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    )
    assert {"host", "content-type", "x-content-sha256", "x-date", "x-lower", "x-tt-logid"} <= set(signed)


@pytest.mark.parametrize(
    "endpoint",
    ["https://far.example", "https://far.example:8443", "http://127.0.0.1:8080/gateway/v1", "https://far.example:443"],
)
def test_the_host_and_its_prefix_are_signed(viking_client: ClientFactory, viking_wire: Wire, endpoint: str) -> None:
    viking_wire.reply()
    viking_client(Notes, auth=IAM("AKDEMO", "SKDEMO"), endpoint=endpoint).shelf().read()
    request = viking_wire.requests[0]
    assert refusal(request) is None
    host = request.headers["Host"]
    assert request.url.startswith(f"{request.endpoint.scheme}://{host}/")
    for name, tampered in (("Host", "evil.example"), ("Content-Type", "text/plain")):
        forged = request.with_headers({name: tampered})
        assert refusal(forged) is not None


def test_the_control_plane_is_signed_with_its_own_service_and_address(
    viking_client: ClientFactory, viking_wire: Wire
) -> None:
    viking_wire.reply()
    notes = viking_client(Notes, auth=IAM("AKDEMO", "SKDEMO"), region="r2", control_endpoint="https://control.example")
    notes.call(FOUND, {"text": "a"})
    request = viking_wire.requests[0]
    assert request.url == "https://control.example/?Action=FoundLibrary&Version=1"
    assert refusal(request, service="notes_admin", region="r2") is None
    assert refusal(request, service="notes", region="r2") is not None


def test_a_session_token_is_sent_and_signed(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.reply()
    viking_client(Notes, auth=IAM("AKDEMO", "SKDEMO", session_token="STS")).shelf().read()
    request = viking_wire.requests[0]
    assert request.headers["X-Security-Token"] == "STS"
    assert refusal(request) is None
    assert refusal(request.with_headers({"X-Security-Token": "other"})) is not None


def test_one_set_of_keys_serves_clients_of_several_regions(viking_client: ClientFactory, viking_wire: Wire) -> None:
    keys = IAM("AKDEMO", "SKDEMO")
    for region in ("r1", "r2", "r1"):
        viking_wire.reply()
        viking_client(Notes, auth=keys, region=region).shelf().read()
        assert refusal(viking_wire.requests[-1], region=region) is None


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        (APIKey("key"), {"Authorization": "Bearer key"}),
        (HeaderAuth({"x-user": "u1"}), {"X-User": "u1"}),
        (NoAuth(), {}),
    ],
)
def test_other_schemes_write_their_headers_and_no_more(
    viking_client: ClientFactory, viking_wire: Wire, auth: Any, expected: dict[str, str]
) -> None:
    viking_wire.reply()
    viking_client(Notes, auth=auth).shelf().read()
    headers = dict(viking_wire.requests[0].headers)
    for name in ("Host", "Accept", "Content-Type", "User-Agent"):
        assert headers.pop(name)
    assert headers == expected


# Headers and addresses


def test_a_request_says_who_sends_what_and_what_it_takes(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.reply().reply()
    viking_client(Notes).shelf().read()
    viking_client(Notes, user_agent="shop/7").shelf().read()
    first, second = (request.headers for request in viking_wire.requests)
    assert first["User-Agent"] == f"vikingdb-python/{__version__}"
    assert second["User-Agent"] == "shop/7"
    assert first["Content-Type"] == first["Accept"] == "application/json"
    assert first["Host"] == "vikingdb.example"


def test_a_get_has_neither_body_nor_content_type(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.reply()
    viking_client(Notes, auth=IAM("AKDEMO", "SKDEMO")).call(PING)
    request = viking_wire.requests[0]
    assert (request.method, request.body) == ("GET", b"")
    assert "Content-Type" not in request.headers
    assert refusal(request) is None


def test_headers_of_the_call_go_before_those_of_the_client(viking_client: ClientFactory, viking_wire: Wire) -> None:
    notes = viking_client(Notes, headers={"X-Team": "client", "X-Other": "kept"})
    viking_wire.reply().reply()
    notes.shelf().read(request_options=RequestOptions(headers={"x-team": "call"}))
    notes.shelf().read()
    assert [(r.headers["X-Team"], r.headers["X-Other"]) for r in viking_wire.requests] == [
        ("call", "kept"),
        ("client", "kept"),
    ]


def test_a_callers_request_id_is_sent(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.reply().reply()
    notes = viking_client(Notes)
    notes.shelf().read(request_options=RequestOptions(request_id="mine"))
    notes.shelf().read()
    assert viking_wire.requests[0].headers["X-Tt-Logid"] == "mine"
    assert "X-Tt-Logid" not in viking_wire.requests[1].headers


def test_query_parameters_are_added_to_those_of_the_operation(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.reply()
    viking_client(Notes).call(FOUND, request_options=RequestOptions(query={"b": "1", "a": "三"}))
    assert viking_wire.requests[0].url == "https://vikingdb.example/?Action=FoundLibrary&Version=1&a=%E4%B8%89&b=1"


def test_an_operation_this_sdk_does_not_know_can_be_called(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.reply(200, {"code": "Success", "result": [1, 2], "novel": True})
    answer = viking_client(Notes).call(
        Operation.raw("post", "/api/notes/novel", query={"v": "2"}), {"anything": [None]}
    )
    request = viking_wire.requests[0]
    assert (request.method, request.url) == ("POST", "https://vikingdb.example/api/notes/novel?v=2")
    assert json.loads(request.body) == {"anything": [None]}
    assert answer.result == [1, 2]


def test_an_unknown_operation_is_taken_to_be_unsafe(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.then(ConnectionLost("broke"))
    with pytest.raises(ConnectionLost):
        viking_client(Notes).call(Operation.raw("POST", "/api/notes/novel"))


# Options that cannot be


@pytest.mark.parametrize(
    "name", ["Authorization", "host", "Content-TYPE", "x-date", "X-Security-Token", "X-Content-Sha256"]
)
def test_headers_of_the_signature_and_the_framing_cannot_be_set_by_hand(
    viking_client: ClientFactory, name: str
) -> None:
    with pytest.raises(InvalidRequest, match=name):
        RequestOptions(headers={name: "x"})
    with pytest.raises((InvalidRequest, ConfigError), match=f"(?i){name}"):
        viking_client(Notes, headers={name: "x"})


def test_a_request_id_given_as_a_header_is_shown_the_way() -> None:
    with pytest.raises(InvalidRequest, match="request_id="):
        RequestOptions(headers={"x-tt-logid": "mine"})


@pytest.mark.parametrize("name", ["timeout", "connect_timeout", "deadline"])
@pytest.mark.parametrize("wrong", [0, -1, float("nan"), float("inf"), True, "5", (1, 2)])
def test_a_time_is_a_positive_number_of_seconds(name: str, wrong: Any) -> None:
    with pytest.raises(InvalidRequest, match=name):
        RequestOptions(**{name: wrong})


@pytest.mark.parametrize("wrong", [0, -1, True, 2.5, "3"])
def test_attempts_are_counted_from_one(wrong: Any) -> None:
    with pytest.raises(InvalidRequest, match="max_attempts"):
        RequestOptions(max_attempts=wrong)


@pytest.mark.parametrize(
    ("misspelt", "meant"), [("timeuot", "timeout"), ("max_attempt", "max_attempts"), ("header", "headers")]
)
def test_a_misspelt_option_is_an_error_that_names_the_right_one(misspelt: str, meant: str) -> None:
    with pytest.raises(UnknownOption, match=f"Did you mean '{meant}'"):
        RequestOptions(**{misspelt: 1})  # type: ignore[arg-type]


def test_an_option_unlike_any_other_is_an_error_that_lists_them_all() -> None:
    with pytest.raises(UnknownOption, match="connect_timeout, deadline, headers"):
        RequestOptions(zzz=1)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"timeout": 3}, 3, "options"])
def test_options_are_request_options(viking_client: ClientFactory, viking_wire: Wire, wrong: Any) -> None:
    with pytest.raises(InvalidRequest, match="must be a RequestOptions"):
        viking_client(Notes).shelf().read(request_options=wrong)
    assert viking_wire.sent == []


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Bad": "a\r\nX-Injected: yes"},
        {"X-Bad\r\n": "a"},
        {"X Bad": "a"},
        {"": "a"},
        {"X-Bad": "三"},
        {"X-三": "a"},
        {"X-Bad": 3},
    ],
)
def test_a_header_that_no_request_may_have_is_refused_before_anything_is_sent(
    viking_client: ClientFactory, viking_wire: Wire, headers: Any
) -> None:
    with pytest.raises(InvalidRequest):
        viking_client(Notes).shelf().read(request_options=RequestOptions(headers=headers))
    assert viking_wire.sent == []


def test_options_are_not_changed_by_what_happens_to_their_source() -> None:
    headers = {"X-Team": "search"}
    options = RequestOptions(headers=headers)
    headers["X-Team"] = "other"
    assert options.headers == {"X-Team": "search"}


def test_sync_and_async_clients_send_the_same_requests(viking_client: ClientFactory, viking_wire: Wire) -> None:
    options = RequestOptions(headers={"X-Team": "search"}, query={"a": "1"}, request_id="mine", timeout=3)
    viking_wire.reply(503).reply().reply(503).reply()
    viking_client(Notes).shelf().read({"text": "a"}, request_options=options)
    asyncio.run(viking_client(AsyncNotes).shelf().read({"text": "a"}, request_options=options))
    sync, again = viking_wire.sent[:2], viking_wire.sent[2:]
    for one, other in zip(sync, again, strict=True):
        assert one.request == other.request
        assert one.timeouts == other.timeouts


def test_a_call_by_method_and_path_says_how_it_is_made(viking_client: ClientFactory) -> None:
    with pytest.raises(
        InvalidRequest, match=r"takes an Operation, such as Operation\.raw\('POST', '/api/…'\), not str"
    ):
        viking_client(Notes).call("POST", {"a": 1})  # type: ignore[arg-type]
