"""Clients of the vector domain on a fake transport."""

from __future__ import annotations

import pytest

from tests.unit.vector.fakes import AsyncFakeTransport, FakeClock, FakeTransport
from vikingdb_core.credentials import NoAuth
from vikingdb_vector.client import AsyncVikingDB, VikingDB
from vikingdb_vector.collection import CollectionClient
from vikingdb_vector.index import IndexClient


@pytest.fixture
def wire() -> FakeTransport:
    return FakeTransport()


@pytest.fixture
def client(wire: FakeTransport) -> VikingDB:
    return VikingDB(endpoint="https://h.example", auth=NoAuth(), transport=wire, clock=FakeClock())


@pytest.fixture
def collection(client: VikingDB) -> CollectionClient:
    return client.collection(collection_name="books")


@pytest.fixture
def index(client: VikingDB) -> IndexClient:
    return client.index(collection_name="books", index_name="by_mood")


@pytest.fixture
def async_wire() -> AsyncFakeTransport:
    return AsyncFakeTransport()


@pytest.fixture
def async_client(async_wire: AsyncFakeTransport) -> AsyncVikingDB:
    return AsyncVikingDB(endpoint="https://h.example", auth=NoAuth(), transport=async_wire, clock=FakeClock())
