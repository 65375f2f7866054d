"""Envelope: reading one never fails, whatever arrived, and both shapes become one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vikingdb_core.envelope import read_envelope, retry_after
from vikingdb_core.messages import Headers, Response

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
metadata = st.fixed_dictionaries(
    {},
    optional={
        "RequestId": anything,
        "Action": anything,
        "Error": anything
        | st.fixed_dictionaries({}, optional={"Code": anything, "CodeN": anything, "Message": anything}),
    },
)
documents = anything | st.fixed_dictionaries(
    {},
    optional={
        "code": anything,
        "message": anything,
        "request_id": anything,
        "result": anything,
        "ResponseMetadata": metadata | anything,
        "Result": anything,
    },
)


def respond(body: bytes, **headers: str) -> Response:
    return Response(200, Headers({name.replace("_", "-"): value for name, value in headers.items()}), body)


@given(documents, st.booleans())
def test_every_json_document_can_be_read(document: Any, with_header: bool) -> None:
    headers = {"x_tt_logid": "from-header"} if with_header else {}
    read = read_envelope(respond(json.dumps(document).encode(), **headers))
    assert read.code is None or isinstance(read.code, str | int)
    assert read.message is None or isinstance(read.message, str)
    assert read.request_id is None or isinstance(read.request_id, str)
    assert isinstance(read.is_success, bool)
    if isinstance(document, dict) and document:
        assert read.body is not None
        assert read.body["request_id"] == read.request_id
    else:
        assert read.body is None


@given(st.binary(max_size=300))
def test_every_sequence_of_bytes_can_be_read(body: bytes) -> None:
    read = read_envelope(respond(body))
    assert read.message is None or len(read.message) <= 200 or read.body is not None


@given(st.dictionaries(st.text(max_size=5), anything, max_size=3), st.text(min_size=1, max_size=8))
def test_both_shapes_of_a_success_read_alike(result: dict[str, Any], request_id: str) -> None:
    flat = read_envelope(respond(json.dumps({"code": "Success", "request_id": request_id, "result": result}).encode()))
    nested = read_envelope(
        respond(json.dumps({"ResponseMetadata": {"RequestId": request_id}, "Result": result}).encode())
    )
    assert flat.is_success
    assert nested.is_success
    assert (flat.code, flat.request_id) == (nested.code, nested.request_id)
    assert flat.body is not None
    assert nested.body is not None
    assert flat.body["result"] == nested.body["result"]


@pytest.mark.parametrize("error", [{"Code": "A.B", "Message": "no"}, {"code": "A.B", "message": "no"}])
def test_both_shapes_of_an_error_read_alike(error: dict[str, str]) -> None:
    flat = read_envelope(respond(b'{"code":"A.B","message":"no","request_id":"r1"}'))
    nested = read_envelope(respond(json.dumps({"ResponseMetadata": {"RequestId": "r1", "Error": error}}).encode()))
    for read in (flat, nested):
        assert (read.code, read.message, read.request_id, read.is_success) == ("A.B", "no", "r1", False)


def test_an_empty_error_of_the_gateway_is_an_error_all_the_same() -> None:
    assert not read_envelope(respond(b'{"ResponseMetadata":{"Error":{}}}')).is_success


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("5", 5.0),
        (" 2.5 ", 2.5),
        ("0", 0.0),
        ("-1", 0.0),
        ("Thu, 01 Jan 1970 00:16:50 GMT", 10.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Thu, 01 Jan 1970 00:16:50 -0000", 10.0),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        ("Thu, 99 Jan 1970", None),
        ("Thu, 01 Jan 99999 00:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_or_nothing(header: str, expected: float | None) -> None:
    assert retry_after(Headers({"Retry-After": header}), now=1000.0) == expected


def test_without_a_header_there_is_nothing_to_wait_for() -> None:
    assert retry_after(Headers(), now=0.0) is None


@given(st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=40), st.floats(0, 4e9))
def test_no_retry_after_header_is_an_error(header: str, now: float) -> None:
    seconds = retry_after(Headers({"Retry-After": header}), now)
    assert seconds is None or 0 <= seconds < float("inf")
