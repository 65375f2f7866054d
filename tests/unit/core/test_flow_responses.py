"""What a call makes of the answer: both envelopes, errors by code and status, and bodies that are no such thing."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from pytest_vikingdb import ClientFactory, VirtualClock, Wire
from tests.support.notes import FOUND, PING, READ, NoteNotFound, Notes
from vikingdb_core.exceptions import (
    APIError,
    BadRequest,
    Conflict,
    ConnectError,
    DecodeError,
    NotFound,
    OperationNotSupported,
    PermissionDenied,
    RateLimited,
    ServerError,
    TransportError,
    Unauthorized,
    VikingDBError,
)
from vikingdb_core.messages import Headers, Response
from vikingdb_core.operation import Operation
from vikingdb_core.request_options import RequestOptions

MINE = RequestOptions(request_id="mine")


@pytest.fixture
def notes(viking_client: ClientFactory) -> Notes:
    return viking_client(Notes, retry=1)


# Success


def test_a_flat_envelope_is_read(notes: Notes, viking_wire: Wire) -> None:
    body = {
        "code": "Success",
        "message": "ok",
        "request_id": "r1",
        "api": "read",
        "result": {"items": ["a"], "count": 1},
    }
    viking_wire.reply(200, body)
    answer = notes.shelf().read()
    assert (answer.code, answer.message, answer.request_id, answer.api) == ("Success", "ok", "r1", "read")
    assert (answer.result.items, answer.result.count) == (["a"], 1)


def test_the_envelope_of_the_control_plane_is_read_into_the_same_shape(notes: Notes, viking_wire: Wire) -> None:
    metadata = {"RequestId": "r1", "Action": "FoundLibrary", "Version": "1", "Service": "notes", "Region": "cn-beijing"}
    viking_wire.reply(200, {"ResponseMetadata": metadata, "Result": {"items": ["a"]}})
    answer: Any = notes.call(FOUND)
    assert (answer.code, answer.request_id, answer.api) == ("Success", "r1", "FoundLibrary")
    assert answer.result.items == ["a"]


@pytest.mark.parametrize("code", ["Success", "success", "SUCCESS", " Success ", "", "0", 0, None])
def test_success_has_many_spellings(notes: Notes, viking_wire: Wire, code: Any) -> None:
    viking_wire.reply(200, {"code": code, "result": {"count": 1}})
    assert notes.shelf().read().result.count == 1


@pytest.mark.parametrize("status", [200, 201, 202])
def test_any_status_from_200_on_is_a_success(notes: Notes, viking_wire: Wire, status: int) -> None:
    viking_wire.reply(status, {"code": "Success"})
    assert notes.shelf().read().code == "Success"


def test_null_reads_as_absent(notes: Notes, viking_wire: Wire) -> None:
    viking_wire.reply(200, {"code": "Success", "result": {"items": None, "count": None}, "api": None})
    viking_wire.reply(200, {"code": "Success", "result": None})
    for _ in range(2):
        answer = notes.shelf().read()
        assert (answer.result.items, answer.result.count) == ([], 0)


def test_what_this_sdk_does_not_know_is_kept(notes: Notes, viking_wire: Wire) -> None:
    viking_wire.reply(200, {"code": "Success", "novel": {"a": [1]}, "result": {"count": 1, "more": True}})
    answer: Any = notes.shelf().read()
    assert answer.novel == {"a": [1]}
    assert answer.result.more is True


def test_integers_of_64_bits_survive(notes: Notes, viking_wire: Wire) -> None:
    viking_wire.reply_bytes(200, b'{"code":"Success","result":{"count":9223372036854775807}}')
    assert notes.shelf().read().result.count == 9223372036854775807


@pytest.mark.parametrize("body", [b"", b"pong", b"<html>fine</html>", b"{}", b"[1]", b'{"anything":1}', b"\xff\xfe"])
def test_of_a_ping_only_the_status_counts(notes: Notes, viking_wire: Wire, body: bytes) -> None:
    viking_wire.reply_bytes(200, body)
    assert notes.call(PING).code is None
    viking_wire.reply_bytes(503, body)
    with pytest.raises(ServerError):
        notes.call(PING)


# Errors


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "InvalidParameter", BadRequest),
        (401, "Unauthorized", Unauthorized),
        (403, "AccessDenied", PermissionDenied),
        (404, "NotFound.Other", NotFound),
        (409, "AlreadyExists", Conflict),
        (422, "Whatever", BadRequest),
        (429, "SlowDown", RateLimited),
        (500, "InternalError", ServerError),
        (501, "NotImplemented", OperationNotSupported),
        (503, None, ServerError),
        (404, "NotFound.Note", NoteNotFound),
        (400, "NotFound.Note", NoteNotFound),
        (200, "NotFound.Note", NoteNotFound),
        (302, None, APIError),
    ],
)
def test_the_code_picks_the_class_and_else_the_status_does(
    notes: Notes, viking_wire: Wire, status: int, code: str | None, expected: type[APIError]
) -> None:
    viking_wire.reply(status, {"code": code, "message": "no", "request_id": "r1"})
    with pytest.raises(APIError) as caught:
        notes.shelf().read()
    error = caught.value
    assert type(error) is expected
    assert (error.code, error.status_code, error.status, error.message, error.request_id) == (
        code, status, status, "no", "r1",
    )  # fmt: skip
    assert error.operation == "notes.read"


@pytest.mark.parametrize("code", ["InternalError", "Fail", 1000028, "1000001", -1, "1"])
def test_a_code_other_than_success_is_an_error_under_any_status(notes: Notes, viking_wire: Wire, code: Any) -> None:
    viking_wire.reply(200, {"code": code, "message": "no", "result": {"count": 1}})
    with pytest.raises(APIError) as caught:
        notes.shelf().read()
    assert caught.value.code == code
    assert caught.value.status_code == 200


def test_an_integer_code_stays_an_integer(notes: Notes, viking_wire: Wire) -> None:
    viking_wire.reply(400, {"code": 1000003, "message": "no", "request_id": "r1"})
    with pytest.raises(BadRequest, match="code=1000003") as caught:
        notes.shelf().read()
    assert caught.value.code == 1000003


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        ({"Code": "SignatureDoesNotMatch", "Message": "no"}, "SignatureDoesNotMatch"),
        ({"CodeN": 100010, "Message": "no"}, 100010),
        ({"Code": "SignatureDoesNotMatch", "CodeN": 100010, "Message": "no"}, "SignatureDoesNotMatch"),
        ({"Message": "no"}, "Unknown"),
    ],
)
@pytest.mark.parametrize("operation", [READ, FOUND], ids=["data", "control"])
@pytest.mark.parametrize("status", [403, 200])
def test_an_error_of_the_gateway_is_read_on_both_planes_under_any_status(
    notes: Notes,
    viking_wire: Wire,
    problem: dict[str, Any],
    code: Any,
    operation: Operation[Any, Any],
    status: int,
) -> None:
    viking_wire.reply(status, {"ResponseMetadata": {"RequestId": "r1", "Error": problem}})
    with pytest.raises(APIError) as caught:
        notes.call(operation)
    assert (caught.value.code, caught.value.message, caught.value.request_id) == (code, "no", "r1")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>\n <h1>502 Bad Gateway</h1>\n</html>", "<html> <h1>502 Bad Gateway</h1> </html>"),
        (b"upstream connect error", "upstream connect error"),
        (b"", "the service answered 502 without a message"),
        (b"{}", "{}"),
        (b"[]", "[]"),
        (b'"text"', '"text"'),
        (b"null", "null"),
        (b'{"code": "Inte', '{"code": "Inte'),
        (b"x" * 5000, "x" * 200),
    ],
)
def test_an_error_without_an_envelope_says_what_arrived(
    notes: Notes, viking_wire: Wire, body: bytes, message: str
) -> None:
    viking_wire.reply_bytes(502, body, headers={"X-Tt-Logid": "from-header"})
    with pytest.raises(ServerError) as caught:
        notes.shelf().read()
    assert caught.value.message == message
    assert (caught.value.code, caught.value.status_code) == (None, 502)
    assert caught.value.request_id == "from-header"
    assert caught.value.body == body[:2048]


@pytest.mark.parametrize("code", [["a"], {"a": 1}, 1.5, True])
def test_a_code_of_an_impossible_type_breaks_nothing(notes: Notes, viking_wire: Wire, code: Any) -> None:
    viking_wire.reply(500, {"code": code, "message": ["odd"], "request_id": 12})
    with pytest.raises(ServerError) as caught:
        notes.shelf().read()
    assert caught.value.request_id == "12"


def test_an_error_keeps_the_answers_headers_without_its_cookies(notes: Notes, viking_wire: Wire) -> None:
    viking_wire.reply(500, {"code": "InternalError"}, headers={"X-Region": "r1", "Set-Cookie": "session=secret"})
    with pytest.raises(ServerError) as caught:
        notes.shelf().read()
    assert caught.value.headers["x-region"] == "r1"
    assert "secret" not in repr(caught.value.headers)


def test_a_refused_signature_comes_with_what_to_check(
    notes: Notes, viking_wire: Wire, viking_clock: VirtualClock
) -> None:
    viking_wire.reply(403, {"code": "AccessDenied"})
    with pytest.raises(PermissionDenied) as caught:
        notes.shelf().read()
    assert "region='cn-beijing'" in caught.value.__notes__[0]
    viking_clock.advance(3600)
    viking_wire.reply(403, {"code": "AccessDenied"}, headers={"Date": "Fri, 02 Jan 2026 03:04:05 GMT"})
    with pytest.raises(PermissionDenied) as caught:
        notes.shelf().read()
    assert "60 minutes ahead of" in caught.value.__notes__[0]


def test_a_refusal_of_a_call_without_credentials_says_that_none_were_sent(viking_wire: Wire) -> None:
    with Notes(endpoint="http://127.0.0.1:1", transport=viking_wire) as notes:
        viking_wire.reply(403, {"code": "AccessDenied"})
        with pytest.raises(PermissionDenied) as caught:
            notes.shelf().read()
    assert "no credentials were sent" in caught.value.__notes__[0]
    assert "auth=" in caught.value.__notes__[0]


# Successes that are none


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b"null", b'"Success"', b"<html>login</html>", b'{"code":"Success"', b"\xff\xfe\x00", b"NaN"],
)
def test_a_success_without_an_envelope_is_a_decode_error(notes: Notes, viking_wire: Wire, body: bytes) -> None:
    viking_wire.reply_bytes(200, body, headers={"X-Tt-Logid": "from-header"})
    with pytest.raises(DecodeError, match="no JSON object") as caught:
        notes.shelf().read()
    assert (caught.value.status_code, caught.value.body, caught.value.request_id) == (200, body, "from-header")
    assert caught.value.operation == "notes.read"


def test_a_success_with_a_result_of_another_shape_is_a_decode_error_that_names_the_place(
    notes: Notes, viking_wire: Wire
) -> None:
    viking_wire.reply(200, {"code": "Success", "request_id": "r1", "result": {"items": "a", "count": "many"}})
    with pytest.raises(DecodeError, match=r"result\.items.*result\.count") as caught:
        notes.shelf().read()
    assert caught.value.request_id == "r1"
    assert caught.value.__cause__ is not None


def test_a_decode_error_does_not_repeat_what_arrived(notes: Notes, viking_wire: Wire) -> None:
    viking_wire.reply(200, {"code": "Success", "result": {"count": "private text"}})
    with pytest.raises(DecodeError) as caught:
        notes.shelf().read()
    assert "private" not in str(caught.value)


# Request ids


@pytest.mark.parametrize(
    ("body", "header", "options", "expected"),
    [
        ({"code": "E", "request_id": "body"}, "header", MINE, "body"),
        ({"code": "E", "request_id": ""}, "header", MINE, "header"),
        ({"code": "E"}, "header", MINE, "header"),
        ({"code": "E"}, None, MINE, "mine"),
        ({"code": "E"}, None, None, "unknown"),
        ({"ResponseMetadata": {"RequestId": "body", "Error": {"Code": "E"}}}, "header", MINE, "body"),
        ({"ResponseMetadata": {"Error": {"Code": "E"}}}, "header", MINE, "header"),
        ({"ResponseMetadata": {"Error": {"Code": "E", "RequestId": "inner"}}}, None, MINE, "inner"),
    ],
)
def test_the_request_id_is_the_bodys_else_the_response_headers_else_the_callers(
    notes: Notes, viking_wire: Wire, body: Any, header: str | None, options: RequestOptions | None, expected: str
) -> None:
    viking_wire.reply(400, body, headers={"x-tt-logid": header} if header else None)
    with pytest.raises(BadRequest) as caught:
        notes.shelf().read(request_options=options)
    assert caught.value.request_id == expected


def test_a_success_has_its_request_id_from_the_header_when_the_body_has_none(notes: Notes, viking_wire: Wire) -> None:
    viking_wire.reply(200, {"code": "Success"}, headers={"x-tt-logid": "from-header"})
    assert notes.shelf().read().request_id == "from-header"


def test_an_attempt_without_an_answer_has_the_callers_request_id(notes: Notes, viking_wire: Wire) -> None:
    viking_wire.then(ConnectError("refused"), ConnectError("refused"))
    with pytest.raises(ConnectError) as caught:
        notes.shelf().read(request_options=MINE)
    assert caught.value.request_id == "mine"
    with pytest.raises(ConnectError) as caught:
        notes.shelf().read()
    assert caught.value.request_id == "unknown"


# Errors as objects


@pytest.mark.parametrize(
    "answer",
    [
        Response(404, Headers({"Retry-After": "3"}), b'{"code":"NotFound.Note","message":"no"}'),
        Response(200, Headers(), b"<html>"),
        ConnectError("refused"),
    ],
)
def test_an_error_survives_pickling_whole(viking_client: ClientFactory, viking_wire: Wire, answer: Any) -> None:
    viking_wire.reply(503).then(answer, answer)
    with pytest.raises(VikingDBError) as caught:
        viking_client(Notes).shelf().read()
    twin = pickle.loads(pickle.dumps(caught.value))
    assert type(twin) is type(caught.value)
    assert str(twin) == str(caught.value)
    assert twin.__dict__ == caught.value.__dict__
    assert len(twin.attempts) >= 1


def test_one_except_clause_catches_everything(notes: Notes, viking_wire: Wire) -> None:
    viking_wire.reply(500).then(ConnectError("refused")).reply_bytes(200, b"")
    kinds = []
    for _ in range(3):
        with pytest.raises(VikingDBError) as caught:
            notes.shelf().read()
        kinds.append(type(caught.value))
    assert kinds == [ServerError, ConnectError, DecodeError]
    assert issubclass(TransportError, VikingDBError)
