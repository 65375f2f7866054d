"""Messages: headers have one spelling, secrets are masked, addresses are written as they are signed."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vikingdb_core.endpoint import Endpoint
from vikingdb_core.exceptions import ExtensionError, InvalidRequest
from vikingdb_core.messages import Draft, Headers, Request, Response, encode_query, redact

FAR = Endpoint.parse("https://far.example/prefix")
names = st.from_regex(r"[A-Za-z0-9_.-]{1,20}", fullmatch=True)


def request(**changes: Any) -> Request:
    parts: dict[str, Any] = {
        "method": "POST",
        "endpoint": FAR,
        "path": "/prefix/api",
        "query": (),
        "headers": Headers({"X-A": "1"}),
        "body": b"{}",
    }
    return Request(**{**parts, **changes})


# Headers


@given(names, st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_a_header_is_found_by_any_spelling_and_has_one(name: str, value: str) -> None:
    headers = Headers({name: value})
    assert headers[name.upper()] == headers[name.lower()] == value
    assert name.swapcase() in headers
    headers[name.swapcase()] = "other"
    assert len(headers) == 1
    assert [part[:1] for part in next(iter(headers)).split("-")] == [part[:1].upper() for part in name.split("-")]


def test_a_name_that_is_to_be_signed_begins_with_a_capital() -> None:
    assert list(Headers({"x-tt-logid": "1", "CONTENT-TYPE": "2", "hOST": "3"})) == [
        "X-Tt-Logid",
        "Content-Type",
        "Host",
    ]


def test_blanks_around_a_value_are_no_part_of_it() -> None:
    assert Headers({"X-A": " \t a b \t"})["X-A"] == "a b"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-A", "a\r\nX-B: b"),
        ("X-A", "a\nb"),
        ("X-A\r\nX-B", "a"),
        ("X-A:", "a"),
        ("X A", "a"),
        ("", "a"),
        ("X-A", "三"),
        ("X-三", "a"),
        ("X-A", 1),
        ("X-A", None),
        (b"X-A", "a"),
        ("X-A", b"a"),
    ],
)
def test_a_header_that_could_not_travel_is_refused(name: Any, value: Any) -> None:
    with pytest.raises(InvalidRequest, match="header"):
        Headers({name: value})


def test_a_refused_header_does_not_show_its_value() -> None:
    with pytest.raises(InvalidRequest) as caught:
        Headers({"Authorization": "very-secret\n"})
    assert "very-secret" not in str(caught.value)


def test_headers_are_a_mapping_with_copies_of_their_own() -> None:
    headers = Headers([("X-A", "1"), ("X-B", "2")])
    twin = headers.copy()
    del twin["x-a"]
    twin["X-C"] = "3"
    assert dict(headers) == {"X-A": "1", "X-B": "2"}
    assert headers == Headers({"x-b": "2", "x-a": "1"}) != twin
    with pytest.raises(KeyError):
        del twin["x-a"]
    assert headers.get("X-Z") is None


@pytest.mark.parametrize(
    "name", ["Authorization", "proxy-authorization", "Cookie", "Set-Cookie", "X-Security-Token", "x-api-key"]
)
def test_secrets_are_masked_wherever_headers_are_shown(name: str) -> None:
    headers = Headers({name: "very-secret", "X-Team": "search"})
    shown = [repr(headers), repr(request(headers=headers)), repr(Response(200, headers, b"")), str(redact(headers))]
    assert all("very-secret" not in text and "search" in text for text in shown)
    assert redact({name.lower(): "very-secret"}) == {name.lower(): "***"}


def test_bodies_are_not_shown() -> None:
    draft = Draft("POST", FAR, "/", (), Headers(), b"private")
    for message in (request(body=b"private"), draft, Response(200, Headers(), b"private")):
        assert "private" not in repr(message)


# Requests


def test_a_request_is_immutable_and_its_changes_are_copies() -> None:
    first = request()
    second = first.with_headers({"x-a": "2", "X-B": "3"})
    assert dict(first.headers) == {"X-A": "1"}
    assert dict(second.headers) == {"X-A": "2", "X-B": "3"}
    assert (second.url, second.body) == (first.url, first.body)
    with pytest.raises(FrozenInstanceError):
        first.body = b""  # type: ignore[misc]


def test_a_draft_freezes_into_a_request_that_it_no_longer_touches() -> None:
    draft = Draft("POST", FAR, "/prefix/api", (("a", "1"),), Headers({"X-A": "1"}), b"{}")
    frozen = draft.freeze()
    draft.headers["X-A"] = "2"
    assert frozen == request(query=(("a", "1"),))
    assert frozen.headers["X-A"] == "1"
    with pytest.raises(FrozenInstanceError):
        draft.body = b""  # type: ignore[misc]
    assert copy.copy(draft).headers is draft.headers


@pytest.mark.parametrize(
    "change",
    [
        lambda headers: headers.__setitem__("x-a", "2"),
        lambda headers: headers.update({"X-B": "2"}),
        lambda headers: headers.setdefault("X-B", "2"),
        lambda headers: headers.pop("X-A"),
        lambda headers: headers.clear(),
        lambda headers: headers.__delitem__("X-A"),
    ],
    ids=["set", "update", "setdefault", "pop", "clear", "delete"],
)
@pytest.mark.parametrize("made", [request, lambda: request().with_headers({}), lambda: copy.copy(request())])
def test_the_headers_of_a_request_refuse_changes_and_say_what_to_do(
    made: Callable[[], Request], change: Callable[[Headers], object]
) -> None:
    given = made()
    with pytest.raises(ExtensionError, match=r"the request is complete; .*(with_headers|dataclasses\.replace)"):
        change(given.headers)
    assert dict(given.headers) == {"X-A": "1"}


def test_a_copy_of_the_headers_of_a_request_can_be_changed() -> None:
    given = request()
    twin = given.headers.copy()
    twin["X-A"] = "2"
    assert (given.headers["X-A"], twin["X-A"]) == ("1", "2")
    assert request(headers=twin).headers["X-A"] == "2"


def test_a_request_does_not_follow_the_headers_it_was_made_of() -> None:
    headers = Headers({"X-A": "1"})
    given = request(headers=headers)
    headers["X-A"] = "2"
    assert given.headers["X-A"] == "1"
    assert given.headers == Headers({"x-a": "1"})


def test_a_request_survives_a_pickle() -> None:
    given = request(query=(("a", "1"),))
    twin = pickle.loads(pickle.dumps(given))
    assert twin == given
    with pytest.raises(ExtensionError):
        twin.headers["X-B"] = "2"


def test_headers_that_are_said_to_be_secret_are_shown_to_nobody() -> None:
    signed = request().with_headers({"X-Badge": "very-secret"}, secret=True)
    again = signed.with_headers({"X-Team": "search"})
    for each in (signed, again):
        assert each.headers["X-Badge"] == "very-secret"
        assert "very-secret" not in repr(each)
    assert "search" in repr(again)


pairs = st.lists(st.tuples(st.text(min_size=1), st.text()), max_size=5)


@given(pairs)
def test_a_query_is_sorted_and_reads_back_as_it_was(query: list[tuple[str, str]]) -> None:
    written = encode_query(query)
    assert written.isascii()
    assert not set(written) & set(" +'()*!")
    assert parse_qsl(written, keep_blank_values=True, max_num_fields=10) == sorted(query)


@given(st.text(st.characters(exclude_categories=["Cs"])), pairs)
def test_an_address_reads_back_as_it_was(path: str, query: list[tuple[str, str]]) -> None:
    url = request(path="/prefix/" + path, query=tuple(query)).url
    parts = urlsplit(url)
    assert url.isascii()
    assert f"{parts.scheme}://{parts.netloc}" == FAR.origin
    assert unquote(parts.path) == "/prefix/" + path
    assert ("?" in url) is bool(query)


@pytest.mark.parametrize(
    ("status", "ok"), [(199, False), (200, True), (204, True), (299, True), (300, False), (404, False)]
)
def test_a_response_is_fine_from_200_to_299(status: int, ok: bool) -> None:
    assert Response(status, Headers(), b"").ok is ok
