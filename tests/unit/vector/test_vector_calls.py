"""Calls of the vector domain: which may be resent, which class an error has, and that async is the same."""

from __future__ import annotations

import asyncio
import inspect
import json
from typing import Any, get_type_hints

import pytest

from tests.unit.vector.fakes import AsyncFakeTransport, FakeTransport, hits, reply
from vikingdb_core import exceptions as core
from vikingdb_core.exceptions import (
    APIError,
    ConnectError,
    ConnectionLost,
    NotFound,
    OperationNotSupported,
    PermissionDenied,
    RateLimited,
    RequestTimeout,
    ServerError,
)
from vikingdb_core.hooks import Call, hookimpl
from vikingdb_core.operation import Operation
from vikingdb_core.request_options import RequestOptions
from vikingdb_core.traits import Safety
from vikingdb_vector import admin, collection, embedding, exceptions, index, rerank
from vikingdb_vector.client import AsyncVikingDB, VikingDB
from vikingdb_vector.domain import DOMAIN
from vikingdb_vector.operations import PING, UPSERT

KEYED = [{"id": 1, "title": "a"}, {"id": 2}]


@pytest.mark.parametrize(
    ("primary_key", "rows", "idempotent", "resent"),
    [
        (None, KEYED, None, False),
        ("id", KEYED, None, True),
        ("id", ({"id": "x"},), None, True),
        ("isbn", KEYED, None, False),
        ("id", [{"id": 1}, {"title": "no key"}], None, False),
        ("id", [{"id": 1}, {"id": None}], None, False),
        ("id", [{"id": 0}], None, False),
        ("id", [{"id": ""}], None, False),
        ("id", [], None, True),
        (None, KEYED, True, True),
        ("id", KEYED, False, False),
    ],
)
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_an_upsert_is_resent_only_when_every_row_carries_the_key_the_handle_knows(
    primary_key: str | None,
    rows: Any,
    idempotent: bool | None,
    resent: bool,
    asynchronous: bool,
    client: VikingDB,
    wire: FakeTransport,
    async_client: AsyncVikingDB,
    async_wire: AsyncFakeTransport,
) -> None:
    options = RequestOptions(idempotent=idempotent)
    fake = async_wire.wire if asynchronous else wire
    fake.answers.append(ConnectionLost("reset"))

    def upsert() -> None:
        named = {"collection_name": "books", "primary_key": primary_key}
        if asynchronous:
            asyncio.run(async_client.collection(**named).upsert({"data": rows}, request_options=options))
        else:
            client.collection(**named).upsert({"data": rows}, request_options=options)

    if resent:
        upsert()
    else:
        with pytest.raises(ConnectionLost):
            upsert()
    assert len(fake.requests) == (2 if resent else 1)
    assert len(set(map(str, fake.bodies))) == 1, "the same bytes each time"


@pytest.mark.parametrize("failure", [RequestTimeout("slow"), ConnectionLost("reset"), reply(503, b""), reply(500, b"")])
def test_no_uncertain_end_makes_an_upsert_without_keys_go_out_again(
    failure: Any, wire: FakeTransport, client: VikingDB
) -> None:
    wire.answers.append(failure)
    with pytest.raises((core.TransportError, ServerError)):
        client.collection(collection_name="books").upsert({"data": KEYED})
    assert len(wire.requests) == 1


@pytest.mark.parametrize("failure", [ConnectError("refused"), reply(429, b""), reply(200, {"code": "TooManyRequests"})])
def test_an_upsert_that_was_certainly_not_processed_goes_out_again(
    failure: Any, wire: FakeTransport, client: VikingDB
) -> None:
    wire.answers.append(failure)
    client.collection(collection_name="books").upsert({"data": KEYED})
    assert len(wire.requests) == 2


@pytest.mark.parametrize(("request_", "sent"), [({"ids": [1]}, 2), ({"delete_all": True}, 1), ({"del_all": True}, 1)])
def test_deleting_keys_may_be_resent_and_deleting_all_may_not(
    request_: dict[str, Any], sent: int, wire: FakeTransport, client: VikingDB
) -> None:
    wire.answers.append(ConnectionLost("reset"))
    handle = client.collection(collection_name="books")
    if sent == 2:
        handle.delete(request_)
    else:
        with pytest.raises(ConnectionLost):
            handle.delete(request_)
    assert len(wire.requests) == sent


def test_a_get_carries_no_body(wire: FakeTransport, client: VikingDB) -> None:
    with pytest.raises(core.InvalidRequest, match=r"vector\.ping is a GET, which carries no body"):
        client.call(PING, {"verbose": True})
    assert wire.requests == []


def test_a_key_does_not_make_other_operations_safer_or_less_safe() -> None:
    handle = VikingDB(endpoint="http://127.0.0.1").collection(collection_name="books", primary_key="id")
    for operation in DOMAIN.operations:
        if operation is not UPSERT:
            assert handle._safety(operation, {}) is operation.safety


READS = {"fetch", "search", "aggregate", "sort", "embedding", "rerank", "ping", "get", "list"}


@pytest.mark.parametrize("operation", DOMAIN.operations, ids=lambda operation: operation.name)
def test_reads_are_safe_and_only_writes_with_keys_are_idempotent(operation: Operation[Any, Any]) -> None:
    reads = any(word in operation.name.replace(".", "_").split("_") for word in READS)
    idempotent = operation.name in {
        "vector.data.update",
        "vector.data.delete",
        "vector.index.enable",
        "vector.index.disable",
    }
    expected = Safety.READ if reads else Safety.IDEMPOTENT if idempotent else Safety.UNSAFE
    assert operation.safety is expected


ERRORS: list[tuple[int, Any, type[APIError]]] = [
    (400, "MissingParameter", exceptions.MissingParameter),
    (400, "InvalidParameter", exceptions.InvalidParameter),
    (400, "InvalidParameter.Dim", exceptions.InvalidParameter),
    (400, "OperationDenied.VikingdbCollection", exceptions.OperationDenied),
    (409, "OperationDenied.VikingdbIndex", exceptions.OperationDenied),
    (403, "AccessDenied", PermissionDenied),
    (404, "NotFound.VikingdbCollection", exceptions.CollectionNotFound),
    (404, "NotFound.VikingdbIndex", exceptions.IndexNotFound),
    (404, "NotFound.VikingdbData", exceptions.DataNotFound),
    (404, "NotFound.VikingdbTask", exceptions.TaskNotFound),
    (404, "NotFound.SomethingNew", NotFound),
    (409, "AlreadyExists.VikingdbCollection", exceptions.CollectionAlreadyExists),
    (400, "AlreadyExists.VikingdbIndex", exceptions.IndexAlreadyExists),
    (409, "AlreadyExists.SomethingNew", core.Conflict),
    (429, "TooManyRequests", RateLimited),
    (500, "InternalError", ServerError),
    (501, "NotImplemented", OperationNotSupported),
    (400, "NeverHeardOf", core.BadRequest),
    (401, "NeverHeardOf", core.Unauthorized),
    (404, 1000005, NotFound),
    (403, 1000002, PermissionDenied),
    (500, 1000028, ServerError),
    (502, None, ServerError),
    (200, "NotFound.VikingdbCollection", exceptions.CollectionNotFound),
    (200, "NeverHeardOf", APIError),
    (200, 1000028, APIError),
]
each_error = pytest.mark.parametrize(("status", "code", "expected"), ERRORS)


@each_error
@pytest.mark.parametrize("shape", ["flat", "gateway"])
def test_a_code_has_a_class_in_either_envelope(
    status: int, code: Any, expected: type[APIError], shape: str, wire: FakeTransport, client: VikingDB
) -> None:
    flat = {"code": code, "message": "so it is", "request_id": "r-1", "result": None}
    error = {"Code": code, "Message": "so it is"} if code is not None else {"Message": "so it is"}
    gateway = {"ResponseMetadata": {"RequestId": "r-1", "Error": error}}
    wire.answers += [reply(status, flat if shape == "flat" else gateway)] * 3
    with pytest.raises(APIError) as caught:
        client.index(collection_name="books", index_name="i").search_by_random()
    assert type(caught.value) is expected
    assert (caught.value.message, caught.value.request_id, caught.value.status_code) == ("so it is", "r-1", status)
    assert caught.value.code == (code if code is not None or shape == "flat" else "Unknown")
    assert caught.value.operation == "vector.search.random"


def test_an_answer_that_is_no_envelope_is_classed_by_its_status(wire: FakeTransport, client: VikingDB) -> None:
    wire.answers += [reply(502, b"<html>bad gateway</html>", X_Tt_Logid="log-1")] * 3
    with pytest.raises(ServerError, match="bad gateway") as caught:
        client.index(collection_name="books", index_name="i").search_by_random()
    assert (caught.value.code, caught.value.request_id) == (None, "log-1")


def test_the_table_of_errors_has_every_class_and_only_strings() -> None:
    leaves = {
        cls
        for cls in vars(exceptions).values()
        if inspect.isclass(cls) and issubclass(cls, APIError) and cls.__module__ == exceptions.__name__
    }
    assert leaves <= set(exceptions.ERRORS.values())
    assert {type(code) for code in exceptions.ERRORS} == {str}
    for code, cls in exceptions.ERRORS.items():
        assert issubclass(cls, exceptions.ERRORS.get(code.partition(".")[0], cls)), code


SYNC_AND_ASYNC = [
    (VikingDB, AsyncVikingDB),
    (collection.CollectionClient, collection.AsyncCollectionClient),
    (index.IndexClient, index.AsyncIndexClient),
    (embedding.EmbeddingClient, embedding.AsyncEmbeddingClient),
    (rerank.RerankClient, rerank.AsyncRerankClient),
    (admin.AdminClient, admin.AsyncAdminClient),
]
each_pair = pytest.mark.parametrize(("sync", "asynchronous"), SYNC_AND_ASYNC, ids=lambda cls: cls.__name__)


def public(cls: type) -> dict[str, Any]:
    return {name: getattr(cls, name) for name in dir(cls) if not name.startswith("_")}


@each_pair
def test_sync_and_async_have_the_same_names(sync: type, asynchronous: type) -> None:
    assert public(sync).keys() == public(asynchronous).keys()


@each_pair
def test_sync_and_async_take_the_same_arguments(sync: type, asynchronous: type) -> None:
    for name, method in public(sync).items():
        if callable(method):
            twin = getattr(asynchronous, name)
            assert list(inspect.signature(method).parameters.values()) == list(
                inspect.signature(twin).parameters.values()
            ), name
    assert list(inspect.signature(sync).parameters) == list(inspect.signature(asynchronous).parameters)


@each_pair
def test_what_calls_the_service_is_awaited_or_iterated(sync: type, asynchronous: type) -> None:
    for name, method in public(sync).items():
        if callable(method) and "Wire: ``" in (method.__doc__ or ""):
            twin = getattr(asynchronous, name)
            assert inspect.iscoroutinefunction(twin) is not name.startswith("iter_"), name
            assert twin.__doc__ == method.__doc__ or sync is VikingDB
            assert twin.__name__ == name


@each_pair
def test_annotations_of_methods_can_be_read(sync: type, asynchronous: type) -> None:
    for cls in (sync, asynchronous):
        for name, method in public(cls).items():
            if inspect.isfunction(method) and cls not in (VikingDB, AsyncVikingDB):
                assert "return" in get_type_hints(method), name


def test_an_async_call_gives_what_the_sync_one_does(
    client: VikingDB, wire: FakeTransport, async_client: AsyncVikingDB, async_wire: AsyncFakeTransport
) -> None:
    wire.answers.append(hits(1, "x"))
    async_wire.wire.answers.append(hits(1, "x"))
    handle = {"collection_name": "books", "index_name": "i"}
    synchronous = client.index(**handle).search_by_vector({"dense_vector": [0.5]})
    asynchronous = asyncio.run(async_client.index(**handle).search_by_vector({"dense_vector": [0.5]}))
    assert synchronous == asynchronous
    assert wire.requests == async_wire.wire.requests


def test_async_calls_run_side_by_side(async_client: AsyncVikingDB, async_wire: AsyncFakeTransport) -> None:
    handle = async_client.collection(collection_name="books")

    async def many() -> list[Any]:
        return await asyncio.gather(*(handle.fetch({"ids": [number]}) for number in range(5)), async_client.ping())

    assert len(asyncio.run(many())) == 6
    fetched = [json.loads(request.body)["ids"] for request in async_wire.wire.requests if request.body]
    assert sorted(fetched) == [[number] for number in range(5)]


def test_an_async_client_fails_as_a_sync_one(async_client: AsyncVikingDB, async_wire: AsyncFakeTransport) -> None:
    async_wire.wire.answers.append(reply(404, {"code": "NotFound.VikingdbCollection", "message": "no books"}))
    with pytest.raises(exceptions.CollectionNotFound, match="no books"):
        asyncio.run(async_client.collection(collection_name="books").fetch({"ids": [1]}))


def test_plugins_know_what_a_call_is_about(wire: FakeTransport) -> None:
    seen: list[Call] = []

    class Spy:
        @hookimpl
        def before_call(self, call: Call) -> None:
            seen.append(call)

    client = VikingDB(endpoint="http://127.0.0.1", transport=wire, plugins=[Spy()])
    client.index(collection_name="books", project_name="shop", index_name="i").search_by_random()
    client.collection(resource_id="vdb-1", primary_key="id").upsert({"data": KEYED})
    client.admin.get_index(collection_name="books", index_name="i")
    assert [call.operation.name for call in seen] == ["vector.search.random", "vector.data.upsert", "vector.index.get"]
    assert [call.locator for call in seen] == [
        {"collection_name": "books", "project_name": "shop", "index_name": "i"},
        {"resource_id": "vdb-1"},
        {"CollectionName": "books", "IndexName": "i"},
    ]
    assert seen[1].safety is Safety.IDEMPOTENT


def test_an_operation_the_sdk_does_not_know_can_be_called(wire: FakeTransport, client: VikingDB) -> None:
    wire.answers.append(reply(body={"code": "Success", "result": [1, {"a": None}]}))
    made = Operation.raw("post", "/api/vikingdb/data/brand_new", query={"dry": "1"})
    assert client.call(made, {"anything": None, "x": [1]}).result == [1, {"a": None}]
    assert wire.requests[0].url == "https://h.example/api/vikingdb/data/brand_new?dry=1"
    assert wire.body == {"x": [1]}
    assert made.name == "raw.api.vikingdb.data.brand_new"


def test_a_handle_shows_what_it_is_bound_to(client: VikingDB) -> None:
    handle = client.index(collection_name="books", index_name="i")
    assert repr(handle) == "IndexClient(collection_name='books', index_name='i')"
    assert repr(client) == "VikingDB(endpoint='https://h.example', region='cn-beijing', auth=NoAuth())"


def test_making_handles_sends_nothing(wire: FakeTransport, client: VikingDB) -> None:
    client.collection(collection_name="books")
    client.index(collection_name="books", index_name="i")
    client.embedding()
    client.rerank()
    assert client.admin
    assert wire.requests == []
