"""Defects of the official package 0.1.35 that show at the wire, each by its number in the study: ours has none of them.

What is asserted is what a server sees, or what a caller sees of an answer, sent byte by byte.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest

from pytest_vikingdb.clock import VirtualClock
from tests.support.reference_signer import canonical_request
from tests.support.server import Connection, LoopbackServer
from vikingdb import IAM, APIKey
from vikingdb.exceptions import VikingException
from vikingdb_core.exceptions import (
    APIError,
    AuthModeError,
    ConfigError,
    ConnectError,
    DecodeError,
    InvalidRequest,
    RateLimited,
    RequestTimeout,
    VikingDBError,
)
from vikingdb_core.request_options import RequestOptions
from vikingdb_vector import VikingDB
from vikingdb_vector.exceptions import CollectionNotFound

SUCCESS = b'{"code":"Success","message":"ok","request_id":"r","result":{}}'
ROW = {"data": [{"title": "a"}]}


def answering(status: int = 200, body: bytes = SUCCESS, *headers: bytes) -> LoopbackServer:
    """A server that says the same to everything."""

    def serve(connection: Connection) -> None:
        while connection.read_request():
            connection.reply(status, body, *headers)

    return LoopbackServer(serve)


def client(server: LoopbackServer, **options: Any) -> VikingDB:
    return VikingDB(endpoint=server.url, **{"auth": IAM(ak="AK", sk="SK"), "clock": VirtualClock(), **options})


def fetch(db: VikingDB, **options: Any) -> Any:
    chosen = RequestOptions(**options) if options else None
    return db.collection(collection_name="c").fetch({"ids": [1]}, request_options=chosen)


def test_p1_p2_nothing_is_sent_before_the_first_call() -> None:
    with answering(204, b"") as server:
        client(server).close()
        assert server.connections == 0
        with client(server) as db:
            db.ping()  # and 204 is as good as 200
        assert len(server.received) == 1


def test_p3_one_root_catches_all_there_is() -> None:
    with LoopbackServer(lambda connection: None) as server, client(server, retry=1) as db:
        with pytest.raises(VikingException) as caught:
            fetch(db)
        assert isinstance(caught.value, VikingDBError)


@pytest.mark.parametrize("status", [400, 403, 404, 409, 501])
def test_p4_what_is_refused_for_good_is_asked_once(status: int) -> None:
    with answering(status, b'{"code":"X","message":"m","request_id":"r"}') as server, client(server) as db:
        with pytest.raises(APIError):
            fetch(db)
        assert len(server.received) == 1


def test_p4_an_answer_that_is_no_json_is_asked_for_once() -> None:
    with answering(200, b"<html>") as server, client(server) as db:
        with pytest.raises(DecodeError):
            fetch(db)
        assert len(server.received) == 1


def test_p5_a_write_that_may_have_happened_is_not_sent_again() -> None:
    def silent(connection: Connection) -> None:
        connection.read_request()
        connection.wait_for_the_client_to_close()

    with LoopbackServer(silent) as server, client(server, timeout=0.1) as db:
        with pytest.raises(RequestTimeout):
            db.collection(collection_name="c").upsert(ROW)
        assert len(server.received) == 1


def test_p6_retry_after_is_heard_and_waits_differ() -> None:
    body = b'{"code":"TooManyRequests","message":"m","request_id":"r"}'
    clock = VirtualClock()
    server = answering(429, body, b"Retry-After: 7")
    with server, client(server, clock=clock) as db, pytest.raises(RateLimited):
        fetch(db)
    assert all(wait >= 7 for wait in clock.sleeps)
    waits = set()
    for _ in range(3):
        clock = VirtualClock()
        with answering(503, body) as server, client(server, clock=clock) as db, pytest.raises(APIError):
            fetch(db)
        waits.update(clock.sleeps)
    assert len(waits) == 6


@pytest.mark.parametrize("attempts", [0, -1])
def test_p7_attempts_that_make_no_sense_are_refused(attempts: int) -> None:
    with pytest.raises(ConfigError):
        VikingDB(endpoint="http://127.0.0.1:1", retry=attempts)
    with pytest.raises(InvalidRequest):
        RequestOptions(max_attempts=attempts)


def test_p8_connecting_has_a_limit_of_its_own() -> None:
    with LoopbackServer() as server, client(server, timeout=30, connect_timeout=5) as db:
        fetch(db)
        assert (db.config.timeout, db.config.connect_timeout) == (30, 5)


def test_p9_p10_the_id_of_an_error_is_the_service_s_also_from_the_header() -> None:
    server = answering(404, b"", b"X-Tt-Logid: from-header")
    with server, client(server) as db, pytest.raises(APIError) as caught:
        fetch(db, request_id="of-the-caller")
    assert caught.value.request_id == "from-header"
    with answering(404, b"") as server, client(server) as db, pytest.raises(APIError) as caught:
        fetch(db, request_id="of-the-caller")
    assert caught.value.request_id == "of-the-caller"


@pytest.mark.parametrize("code", [1000011, 1000028, "1000004"])
def test_p11_p12_a_code_is_kept_as_it_came(code: int | str) -> None:
    body = json.dumps({"code": code, "message": "m", "request_id": "r"}).encode()
    with answering(400, body) as server, client(server) as db, pytest.raises(APIError) as caught:
        fetch(db)
    assert caught.value.code == code


def test_p13_what_came_is_kept_with_the_error() -> None:
    server = answering(502, b"<html>bad gateway</html>", b"X-From: proxy")
    with server, client(server, retry=1) as db, pytest.raises(APIError) as caught:
        fetch(db)
    assert (caught.value.status_code, caught.value.body) == (502, b"<html>bad gateway</html>")
    assert caught.value.headers["x-from"] == "proxy"


def test_p14_errors_have_classes() -> None:
    body = b'{"code":"NotFound.VikingdbCollection","message":"m","request_id":"r"}'
    with answering(404, body) as server, client(server) as db, pytest.raises(CollectionNotFound):
        fetch(db)


def test_p15_a_refusal_with_status_200_is_a_refusal() -> None:
    body = b'{"code":"InvalidParameter","message":"m","request_id":"r","result":null}'
    with answering(200, body) as server, client(server) as db, pytest.raises(APIError, match="InvalidParameter"):
        fetch(db)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"0"])
def test_p16_an_answer_that_says_nothing_is_no_success(body: bytes) -> None:
    with answering(200, body) as server, client(server) as db, pytest.raises(VikingDBError):
        fetch(db)


def test_p17_p18_null_in_place_of_a_list_is_an_empty_one() -> None:
    body = b'{"code":"Success","request_id":"r","result":{"fetch":null,"ids_not_exist":null},"new":1}'
    with answering(200, body) as server, client(server) as db:
        assert fetch(db).result.items == []
    body = b'{"code":"Success","request_id":"r","result":{"data":null,"token_usage":null}}'
    with answering(200, body) as server, client(server) as db:
        assert db.index(collection_name="c", index_name="i").search_by_random().result.data == []


def test_p17_an_answer_of_another_type_is_an_error_of_ours() -> None:
    server = answering(200, b'{"code":"Success","result":{"fetch":7}}')
    with server, client(server) as db, pytest.raises(DecodeError):
        fetch(db)


def test_p19_tensors_of_an_embedding_can_be_read() -> None:
    body = b'{"code":"Success","result":{"data":[{"tensor":[[0.5,1.0]]}],"token_usage":{}}}'
    with answering(200, body) as server, client(server) as db:
        answer = db.embedding().embedding({"data": [{"text": "a"}], "tensor_model": {"name": "m"}})
    assert answer.result.data[0].tensor == [[0.5, 1.0]]


def test_p22_a_request_cannot_lead_a_write_elsewhere() -> None:
    with LoopbackServer() as server, client(server) as db:
        with pytest.raises(InvalidRequest):
            db.collection(collection_name="mine").upsert({**ROW, "collection_name": "other"})
        assert server.received == []


def test_p23_a_null_within_a_row_is_sent_and_one_beside_it_is_none() -> None:
    with LoopbackServer() as server, client(server) as db:
        db.collection(collection_name="c").upsert({"data": [{"title": None}], "ttl": None})
    assert json.loads(server.received[0].body) == {"collection_name": "c", "data": [{"title": None}]}


def test_p24_p25_a_token_belongs_to_its_keys() -> None:
    shared = IAM(ak="AK", sk="SK")
    with (
        LoopbackServer() as server,
        client(server, auth=shared, sts_token="t1") as one,
        client(server, auth=shared) as two,
    ):
        fetch(one)
        fetch(two)
        with client(server, auth=shared, region="cn-shanghai") as elsewhere:
            fetch(elsewhere)
    first, second, third = (request.headers for request in server.received)
    assert (first["X-Security-Token"], "X-Security-Token" in second) == ("t1", False)
    assert "/cn-shanghai/vikingdb/" in third["Authorization"]
    with pytest.raises(VikingDBError):
        VikingDB(endpoint="http://127.0.0.1:1", auth=APIKey("k"), sts_token="t")


def test_p24_an_api_key_is_refused_before_anything_is_sent_where_it_is_no_use() -> None:
    with LoopbackServer() as server, client(server, auth=APIKey("k")) as db:
        with pytest.raises(AuthModeError):
            db.admin.list_collections()
        assert server.received == []


def test_p28_the_host_is_signed() -> None:
    with LoopbackServer() as server, client(server) as db:
        fetch(db)
    (request,) = server.received
    names = request.headers["Authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert "host" in names
    signed = canonical_request("POST", request.target, [], request.headers, names)
    assert f"host:127.0.0.1:{server.port}" in signed


def test_p29_an_address_does_not_end_in_a_question_mark() -> None:
    with LoopbackServer() as server, client(server) as db:
        fetch(db)
        db.ping()
    assert [request.target for request in server.received] == [
        "/api/vikingdb/data/fetch_in_collection",
        "/api/vikingdb/Ping",
    ]


def test_p34_sockets_are_closed_with_the_client() -> None:
    ended: list[bool] = []

    def serve(connection: Connection) -> None:
        while connection.read_request():
            connection.reply()
        ended.append(True)
        connection.server.notes.append("closed")

    with LoopbackServer(serve) as server:
        with client(server) as db:
            fetch(db)
            fetch(db)
        server.wait_for_notes(1)
        assert (server.connections, ended) == (1, [True])


def test_p35_a_proxy_of_the_client_s_own_is_used() -> None:
    with LoopbackServer() as proxy, client(proxy, proxies=proxy.url) as db:
        fetch(db)
        assert proxy.received[0].target.startswith(f"{proxy.url}/api/vikingdb/")


def test_p39_text_that_is_no_ascii_arrives_and_is_what_was_hashed() -> None:
    with LoopbackServer() as server, client(server) as db:
        db.collection(collection_name="c").upsert({"data": [{"title": "三体 – 老人与海"}]})
    (request,) = server.received
    assert json.loads(request.body)["data"] == [{"title": "三体 – 老人与海"}]
    assert request.headers["X-Content-Sha256"] == sha256(request.body).hexdigest()


@pytest.mark.parametrize("name", ["Content-Type", "X-Date", "Authorization", "Host", "content-length"])
def test_p41_a_header_that_the_signature_needs_cannot_be_replaced(name: str) -> None:
    with LoopbackServer() as server, client(server) as db:
        with pytest.raises(InvalidRequest):
            fetch(db, headers={name: "x"})
        assert server.received == []


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_p42_a_number_that_json_has_not_is_not_sent(number: float) -> None:
    with LoopbackServer() as server, client(server) as db:
        with pytest.raises(InvalidRequest):
            db.index(collection_name="c", index_name="i").search_by_vector({"dense_vector": [1.0, number]})
        assert server.received == []


def test_nobody_there_is_said_as_that() -> None:
    with LoopbackServer() as server:
        url = server.url
    with VikingDB(endpoint=url, retry=1) as db, pytest.raises(ConnectError):
        fetch(db)
