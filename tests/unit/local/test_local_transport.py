"""The edge of the engine: which database an endpoint means, envelopes, request ids, and bad bytes."""

from __future__ import annotations

import gc
import json
import logging
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.unit.local.wire import HASHED, Wire
from vikingdb_core.effects import Timeouts
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.exceptions import ConfigError, RequestError
from vikingdb_core.messages import Headers, Request, Response
from vikingdb_core.transport import TransportSettings
from vikingdb_local import databases
from vikingdb_local.router import respond
from vikingdb_local.transport import LocalTransport
from vikingdb_vector import VikingDB
from vikingdb_vector.domain import DOMAIN

FIELDS = [{"FieldName": "id", "FieldType": "int64", "IsPrimaryKey": True}]


def names(client: VikingDB) -> list[str | None]:
    return [collection.collection_name for collection in client.admin.list_collections().result.collections]


def test_an_unnamed_database_is_private_to_its_client() -> None:
    with VikingDB(endpoint="local://") as one, VikingDB(endpoint="local://") as other:
        one.admin.create_collection(collection_name="mine", fields=FIELDS)
        assert names(one) == ["mine"]
        assert names(other) == []


def test_a_named_database_is_shared_in_the_process_and_outlives_its_clients() -> None:
    try:
        with VikingDB(endpoint="local://shared-one") as one:
            one.admin.create_collection(collection_name="ours", fields=FIELDS)
        with VikingDB(endpoint="local://shared-one") as two, VikingDB(endpoint="local://Shared-One") as another:
            assert names(two) == ["ours"]
            assert names(another) == []
    finally:
        databases.drop_database("shared-one")
        databases.drop_database("Shared-One")


@pytest.mark.parametrize(
    ("endpoint", "says"),
    [
        ("local://name/folder", "a folder has three slashes, as in local:///name/folder"),
        ("local://x?sed=1", "Did you mean 'seed'"),
        ("local://?seed=walkthru", "Did you mean 'walkthrough'"),
        ("local://?seed=", "no sample data ''"),
        ("local://?embedder=hash-v2", "Did you mean 'hash-v1'"),
        ("local://?embedder=", "no embedder ''"),
        ("local://?embedder=hash-v1&embedder=hash-v1", "twice"),
    ],
)
def test_what_cannot_be_opened_is_a_configuration_error(endpoint: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        LocalTransport(Endpoint.parse(endpoint), TransportSettings())


def test_a_closed_transport_says_so() -> None:
    endpoint = Endpoint.parse("local://")
    transport = LocalTransport(endpoint, TransportSettings())
    transport.close()
    transport.close()
    with pytest.raises(RequestError, match="closed"):
        transport.send(Request("GET", endpoint, "/api/vikingdb/Ping", (), Headers(), b""), Timeouts(1, 1))


def test_a_database_nobody_holds_is_closed_silently() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        LocalTransport(Endpoint.parse("local://"), TransportSettings())
        gc.collect()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_ping_answers_both_methods_without_a_body(wire: Wire, method: str) -> None:
    assert wire.send("/api/vikingdb/Ping", b"", method=method).status == 200


def test_the_data_plane_answers_flat(books: Wire) -> None:
    response = books.send("/api/vikingdb/data/search/random", {"collection_name": "c", "index_name": "i"})
    answer = json.loads(response.body)
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    assert set(answer) == {"code", "message", "request_id", "result"}
    assert answer["code"] == "Success"
    assert answer["result"] == {"data": [], "total_return_count": 0}
    assert answer["request_id"] == response.headers["X-Tt-Logid"]


def test_the_control_plane_answers_with_response_metadata(wire: Wire) -> None:
    assert wire.act("CreateVikingdbCollection", {"CollectionName": "c", "Fields": FIELDS})[0] == 200
    status, answer = wire.act("GetVikingdbCollection", {"CollectionName": "c"})
    metadata = answer["ResponseMetadata"]
    assert status == 200
    assert metadata["Action"] == "GetVikingdbCollection"
    assert metadata["Version"] == "2025-06-09"
    assert metadata["Service"] == "vikingdb"
    assert "Error" not in metadata
    assert answer["Result"]["CollectionName"] == "c"


def test_a_control_plane_failure_names_code_and_message_and_has_no_result(wire: Wire) -> None:
    status, answer = wire.act("GetVikingdbCollection", {"CollectionName": "absent"})
    assert status == 404
    assert answer["ResponseMetadata"]["Error"]["Code"] == "NotFound.VikingdbCollection"
    assert "absent" in answer["ResponseMetadata"]["Error"]["Message"]
    assert "Result" not in answer


def test_the_callers_request_id_comes_back_in_header_and_body(wire: Wire) -> None:
    for path, query in (("/api/vikingdb/data/upsert", {}), ("/", {"Action": "Nothing", "Version": "2025-06-09"})):
        response = wire.send(path, {}, query=query, headers={"x-tt-logid": "my-id"})
        answer = json.loads(response.body)
        assert response.headers["X-Tt-Logid"] == "my-id"
        assert (answer.get("request_id") or answer["ResponseMetadata"]["RequestId"]) == "my-id"


def test_every_request_without_an_id_gets_one_of_its_own(wire: Wire) -> None:
    ids = {wire.send("/api/vikingdb/Ping", b"").headers["X-Tt-Logid"] for _ in range(3)}
    assert len(ids) == 3
    assert all(len(made) == 34 for made in ids)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b"[]", b'"text"', b"null", b"{'a': 1}", b'{"ttl": NaN}', b"1"]
)
def test_a_body_that_is_no_json_object_is_an_invalid_parameter(wire: Wire, body: bytes) -> None:
    response = wire.send("/api/vikingdb/data/upsert", body)
    assert response.status == 400
    assert json.loads(response.body)["code"] == "InvalidParameter"


@pytest.mark.parametrize(
    "path", ["/api/vikingdb/data/nothing", "/api/vikingdb/data/upsert/", "/api/vikingdb/ping", "/x"]
)
def test_an_unknown_path_is_not_found(wire: Wire, path: str) -> None:
    response = wire.send(path, {})
    assert response.status == 404
    assert json.loads(response.body)["code"] == "NotFound.Path"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_another_method_than_the_operations_is_refused(wire: Wire, method: str) -> None:
    response = wire.send("/api/vikingdb/data/upsert", {}, method=method)
    assert (response.status, json.loads(response.body)["code"]) == (400, "InvalidParameter")


@pytest.mark.parametrize("path", ["/api/vikingdb/data/serach/vector", "/api/vikingdb/data/search/vector/"])
def test_a_misspelt_path_is_suggested(wire: Wire, path: str) -> None:
    response = wire.send(path, {})
    assert response.status == 404
    assert "Did you mean '/api/vikingdb/data/search/vector'?" in json.loads(response.body)["message"]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({}, "no Action"),
        ({"Version": "2025-06-09"}, "no Action"),
        ({"Action": "ListVikingdbCollection"}, "no Version"),
        ({"Action": "ListVikingdbCollection", "Version": "2020-01-01"}, "2025-06-09"),
        ({"Action": "Nothing", "Version": "2025-06-09"}, "'Nothing' is not known"),
        ({"Action": "ListVikingdbColection", "Version": "2025-06-09"}, "Did you mean 'ListVikingdbCollection'?"),
    ],
)
def test_an_unknown_action_or_version_is_refused(wire: Wire, query: dict[str, str], says: str) -> None:
    response = wire.send("/", {}, query=query)
    error = json.loads(response.body)["ResponseMetadata"]["Error"]
    assert (response.status, error["Code"]) == (400, "InvalidActionOrVersion")
    assert says in error["Message"]


def test_a_fault_of_the_engine_is_an_internal_error_without_its_traceback(
    books: Wire, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a secret detail")

    monkeypatch.setattr("vikingdb_local.engine.collection.Collection.fetch", fail)
    with caplog.at_level(logging.ERROR, logger="vikingdb.local"):
        status, code, message = books.refusal("data/fetch_in_collection", ids=["a"])
    assert (status, code) == (500, "InternalError")
    assert "secret" not in message
    assert "a secret detail" in caplog.text


def test_every_operation_of_the_domain_answers_something_documented(wire: Wire) -> None:
    for operation in DOMAIN.operations:
        response = wire.send(operation.path, {}, method=operation.method, query=dict(operation.query))
        answer = json.loads(response.body)
        code = answer.get("code") or answer["ResponseMetadata"].get("Error", {}).get("Code", "Success")
        documented = {
            "Success",
            "MissingParameter",
            "InvalidParameter",
            "NotImplemented",
            "NotFound.VikingdbCollection",
        }
        assert code in documented, operation.name


def test_closing_waits_for_calls_of_other_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    transport = LocalTransport(Endpoint.parse(HASHED), TransportSettings())
    begun, go_on = threading.Event(), threading.Event()
    answered: list[int] = []

    def slow(session: Any, request: Request) -> Response:
        begun.set()
        assert go_on.wait(10)
        return respond(session, request)

    monkeypatch.setattr("vikingdb_local.transport.respond", slow)
    ping = Request("GET", Endpoint.parse(HASHED), "/api/vikingdb/Ping", (), Headers(), b"")
    caller = threading.Thread(target=lambda: answered.append(transport.send(ping, Timeouts(1, 1)).status))
    caller.start()
    assert begun.wait(10)
    closer = threading.Thread(target=transport.close)
    closer.start()
    go_on.set()
    caller.join(10)
    closer.join(10)
    assert answered == [200]
    with pytest.raises(RequestError, match="closed"):
        transport.send(ping, Timeouts(1, 1))


def test_a_folder_is_let_go_of_although_closing_was_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = f"local://{(tmp_path / 'kept').as_posix()}?embedder=hash-v1"

    def interrupted(self: Any) -> None:
        raise KeyboardInterrupt

    client = VikingDB(endpoint=endpoint)
    client.ping()
    with monkeypatch.context() as patch:
        patch.setattr("vikingdb_local.engine.upkeep.Upkeep.stop", interrupted)
        with pytest.raises(KeyboardInterrupt):
            client.close()
    with VikingDB(endpoint=endpoint) as again:
        again.ping()
