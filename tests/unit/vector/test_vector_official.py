"""What programs written for the official package rely on, and waiting for an index."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

import pytest

from pytest_vikingdb import ClientFactory, VirtualClock, Wire
from vikingdb.exceptions import VikingAPIException, VikingConnectionException, VikingException
from vikingdb_core.exceptions import APIError, ConnectError, InvalidRequest, NotFound, TransportError, WaitTimeout
from vikingdb_vector import AsyncVikingDB, VikingDB, VikingVector, VikingVectorException
from vikingdb_vector.legacy import API_VECTOR_SEARCH_BY_RANDOM


def status(name: str) -> dict[str, Any]:
    return {"ResponseMetadata": {"RequestId": "r"}, "Result": {"IndexName": "i", "Status": name}}


def test_waiting_looks_until_the_index_is_ready(
    viking_client: ClientFactory, viking_wire: Wire, viking_clock: VirtualClock
) -> None:
    viking_wire.reply(200, status("INIT")).reply(200, status("INIT")).reply(200, status("READY"))
    index = viking_client(VikingDB).admin.wait_until_ready(collection_name="c", index_name="i", poll_seconds=3)
    assert index.status == "READY"
    assert viking_clock.sleeps == [3, 3]


def test_waiting_ends_with_what_was_seen_last(
    viking_client: ClientFactory, viking_wire: Wire, viking_clock: VirtualClock
) -> None:
    for _ in range(4):
        viking_wire.reply(200, status("INIT"))
    with pytest.raises(WaitTimeout, match="index 'i' was not ready after 5 seconds: status INIT"):
        viking_client(VikingDB).admin.wait_until_ready(collection_name="c", index_name="i", timeout=5, poll_seconds=2)
    assert viking_clock.sleeps == [2, 2, 1]


def test_waiting_for_an_index_that_is_not_there_fails_at_once(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.reply(404, {"code": "NotFound.VikingdbIndex"})
    with pytest.raises(NotFound):
        asyncio.run(viking_client(AsyncVikingDB).admin.wait_until_ready(collection_name="c", index_name="i"))


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), "5"])
def test_waiting_takes_positive_seconds(seconds: Any, viking_client: ClientFactory, viking_wire: Wire) -> None:
    with pytest.raises(InvalidRequest, match="timeout must be a positive number"):
        viking_client(VikingDB).admin.wait_until_ready(collection_name="c", index_name="i", timeout=seconds)
    assert viking_wire.sent == []


def test_an_api_is_called_by_its_official_name(viking_client: ClientFactory, viking_wire: Wire) -> None:
    body = {"code": "Success", "request_id": "r", "result": {"data": [{"id": 1}]}}
    viking_wire.reply(200, body).reply(200, body)
    payload = {"collection_name": "c", "index_name": "i", "limit": 1}
    assert viking_client(VikingDB).request(API_VECTOR_SEARCH_BY_RANDOM, payload) == body
    assert asyncio.run(viking_client(AsyncVikingDB).request(API_VECTOR_SEARCH_BY_RANDOM, payload)) == body
    assert viking_wire.bodies == [payload, payload]
    with pytest.raises(InvalidRequest, match="Did you mean 'VectorSearchByRandom'"):
        viking_client(VikingDB).request("VectorSearchByRandum", payload)


def test_the_official_exceptions_are_built_as_there_and_catch_ours() -> None:
    built = VikingException("Teapot", "r-1", "short and stout", status_code=418)
    assert (built.code, built.request_id, built.message, built.status_code) == ("Teapot", "r-1", "short and stout", 418)
    promoted = built.promote(VikingAPIException)
    assert type(promoted) is VikingAPIException
    assert promoted.promote(VikingException) is promoted
    assert VikingVectorException("x").request_id == "unknown"
    assert "refused" in str(VikingConnectionException("failed to ping", "refused"))
    assert pickle.loads(pickle.dumps(built)).message == "short and stout"
    assert issubclass(APIError, VikingAPIException)
    assert issubclass(TransportError, VikingConnectionException)
    with pytest.raises(VikingVectorException):
        raise ConnectError("nobody there")


def test_the_older_name_of_the_client_warns_and_works() -> None:
    with pytest.warns(FutureWarning, match="VikingDB"):
        client = VikingVector(endpoint="http://127.0.0.1:9")
    assert isinstance(client, VikingDB)
