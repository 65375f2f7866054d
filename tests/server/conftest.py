"""Servers shared by the tests over HTTP. Whoever writes to a shared one uses a collection of its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.served import HASHED, Served
from vikingdb_vector import VikingDB

AK, SK, API_KEY = "AKSERVED", "SKSERVED", "key-served"
FIELDS: list[dict[str, Any]] = [
    {"field_name": "id", "field_type": "int64", "is_primary_key": True},
    {"field_name": "title", "field_type": "string"},
    {"field_name": "vec", "field_type": "vector", "dim": 4},
]

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    """A server without keys, in memory."""
    with Served(*HASHED) as server:
        yield server


@pytest.fixture(scope="session")
def keyed() -> Iterator[Served]:
    """A server with all kinds of keys, in memory."""
    keys = {"VIKINGDB_LOCAL_ACCESS_KEY": AK, "VIKINGDB_LOCAL_SECRET_KEY": SK, "VIKINGDB_LOCAL_API_KEY": API_KEY}
    with Served(*HASHED, environment=keys) as server:
        yield server


@pytest.fixture
def collection() -> Callable[[VikingDB], str]:
    """Makes a collection that nobody else has, with an index ``i``; its name."""

    def make(db: VikingDB) -> str:
        name = f"c{next(_numbers)}"
        db.admin.create_collection(collection_name=name, fields=FIELDS)
        db.admin.create_index(
            collection_name=name,
            index_name="i",
            vector_index={"index_type": "flat", "distance": "ip"},
            scalar_index=["id", "title"],
        )
        return name

    return make
