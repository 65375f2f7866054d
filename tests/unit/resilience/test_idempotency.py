"""Idempotency keys: who gets one, that repetitions have the same, and that safety stays as it was."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from pytest_vikingdb import Wire
from vikingdb_core import RequestOptions
from vikingdb_core.exceptions import ConfigError, ConnectError, ConnectionLost, PluginLoadError
from vikingdb_resilience import IdempotencyKeys
from vikingdb_vector import VikingDB

Build = Callable[..., Any]
HEADER = "X-Idempotency-Key"
ROW = {"data": [{"title": "Dune"}]}


@pytest.fixture
def client(viking_client: Build) -> VikingDB:
    numbers = count(1)
    keys = IdempotencyKeys(HEADER, make_key=lambda: f"key-{next(numbers)}")
    made: VikingDB = viking_client(VikingDB, plugins=[keys])
    return made


def keys_of(wire: Wire) -> list[str | None]:
    return [request.headers.get(HEADER) for request in wire.requests]


def test_each_call_has_a_key_and_all_its_attempts_the_same(client: VikingDB, viking_wire: Wire) -> None:
    viking_wire.then(ConnectError("refused"), (429, {"code": "TooManyRequests"}), (200, None), (200, None))
    books = client.collection(collection_name="books")
    books.upsert(ROW)
    books.upsert(ROW)
    assert keys_of(viking_wire) == ["key-1", "key-1", "key-1", "key-2"]


def test_only_operations_that_may_not_be_repeated_blindly_have_one(client: VikingDB, viking_wire: Wire) -> None:
    viking_wire.then(*[(200, None)] * 6)
    books = client.collection(collection_name="books")
    books.fetch({"ids": [1]})
    books.update({"data": [{"id": 1}]})
    books.delete({"ids": [1]})
    client.index(collection_name="books", index_name="i").search_by_random()
    client.ping()
    client.admin.delete_collection(collection_name="books")
    assert keys_of(viking_wire) == [None] * 5 + ["key-1"]


def test_it_makes_no_call_safer_to_repeat(client: VikingDB, viking_wire: Wire) -> None:
    viking_wire.then(ConnectionLost("broke"))
    with pytest.raises(ConnectionLost):
        client.collection(collection_name="books").upsert(ROW)
    assert keys_of(viking_wire) == ["key-1"]


def test_a_caller_who_trusts_the_gateway_says_so_and_the_repetition_has_the_same_key(
    client: VikingDB, viking_wire: Wire
) -> None:
    viking_wire.then(ConnectionLost("broke"), (200, None))
    client.collection(collection_name="books").upsert(ROW, request_options=RequestOptions(idempotent=True))
    assert keys_of(viking_wire) == ["key-1", "key-1"]


def test_a_key_of_the_callers_own_is_left_alone(client: VikingDB, viking_wire: Wire) -> None:
    viking_wire.then(ConnectError("refused"), (200, None))
    mine = RequestOptions(headers={HEADER.lower(): "mine"})
    client.collection(collection_name="books").upsert(ROW, request_options=mine)
    assert keys_of(viking_wire) == ["mine", "mine"]


def test_keys_are_random_unless_made_otherwise(viking_client: Build, viking_wire: Wire) -> None:
    viking_wire.then(*[(200, None)] * 20)
    books = viking_client(VikingDB, plugins=[IdempotencyKeys(HEADER)]).collection(collection_name="books")
    for _ in range(20):
        books.upsert(ROW)
    assert len(set(keys_of(viking_wire))) == 20


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("", "^header: header '' has a character"),
        ("X Key", "^header: header 'X Key' has a character that no header may have"),
        ("Authorization", "^header: header 'Authorization' is written by the SDK"),
        ("X-Tt-Logid", "^header: header 'X-Tt-Logid' is written by the SDK"),
        (5, "^header must be the name of a header, not 5"),
        (None, "^header must be the name of a header, not None"),
    ],
)
def test_a_header_that_cannot_be_set_is_refused(header: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        IdempotencyKeys(header)


def test_a_maker_of_keys_that_is_no_function_is_refused() -> None:
    with pytest.raises(ConfigError, match="make_key must be a function, not str"):
        IdempotencyKeys(HEADER, make_key="key")  # type: ignore[arg-type]


def test_it_runs_by_its_name_and_needs_to_be_told_the_header(
    viking_client: Build, viking_wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PluginLoadError, match=r"'idempotency' cannot be built from no settings: .*'header'"):
        viking_client(VikingDB, plugins=["idempotency"])
    profile = tmp_path / "config.toml"
    profile.write_text('[default.plugin.idempotency]\nheader = "X-Once"\n')
    monkeypatch.setenv("VIKINGDB_CONFIG_FILE", str(profile))
    viking_wire.reply()
    viking_client(VikingDB, plugins=["idempotency"]).collection(collection_name="books").upsert(ROW)
    assert len(viking_wire.requests[0].headers["X-Once"]) == 32
