"""What the engine's tests share: a fresh database, seen through a client or through bytes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.local.wire import BOOK_FIELDS, HASHED, Clock, Wire
from vikingdb_core import discovery
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.transport import TransportSettings
from vikingdb_local.transport import LocalTransport
from vikingdb_vector import VikingDB

pytest.register_assert_rewrite("tests.unit.local.history")


@pytest.fixture(scope="session", autouse=True)
def local_scheme() -> Iterator[None]:
    """The transport, also where the distribution is not installed."""
    if "local" in discovery.names(discovery.TRANSPORTS):
        yield
        return
    discovery.add(discovery.TRANSPORTS, "local", LocalTransport)
    yield
    discovery.remove(discovery.TRANSPORTS, "local")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def transport(clock: Clock) -> Iterator[LocalTransport]:
    made = LocalTransport(Endpoint.parse(HASHED), TransportSettings(), clock=clock)
    yield made
    made.close()


@pytest.fixture
def wire(transport: LocalTransport) -> Wire:
    return Wire(transport, Endpoint.parse(HASHED))


@pytest.fixture
def client(transport: LocalTransport) -> VikingDB:
    return VikingDB(endpoint=HASHED, transport=transport)


@pytest.fixture
def books(wire: Wire) -> Wire:
    """An empty collection ``c`` that takes its rows' own vectors, with index ``i`` over every field."""
    wire.make(
        {"Fields": BOOK_FIELDS, "FullText": [{"Field": "title"}]},
        {"VectorIndex": {"IndexType": "flat", "Distance": "ip", "Quant": "float"}},
    )
    return wire


@pytest.fixture
def passages(wire: Wire) -> Wire:
    """An empty collection ``c`` that embeds its field ``text``, with index ``i``."""
    wire.make(
        {
            "Fields": [
                {"FieldName": "id", "FieldType": "int64", "IsPrimaryKey": True},
                {"FieldName": "text", "FieldType": "text"},
                {"FieldName": "topic", "FieldType": "string"},
            ],
            "Vectorize": {"Dense": {"ModelName": "bge-m3", "TextField": "text"}},
        },
        {"VectorIndex": {"IndexType": "hnsw", "Distance": "cosine", "Quant": "float"}},
    )
    return wire
