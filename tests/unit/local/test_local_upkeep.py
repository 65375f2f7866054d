"""What is made in the background: never of rows that are gone, never in the way of a write, and made in the end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.local.wire import Clock, Wire
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.transport import TransportSettings
from vikingdb_local import databases
from vikingdb_local.engine import derived, graph
from vikingdb_local.engine.catalog import Catalog
from vikingdb_local.engine.upkeep import Upkeep
from vikingdb_local.transport import LocalTransport

PATIENCE_SECONDS = 60


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few rows count as many."""
    for name, few in (("MIN_CACHED_ROWS", 10), ("MIN_STALE_ROWS", 1), ("MIN_ROWS", 10)):
        monkeypatch.setattr(derived, name, few)


class Store:
    """Rows of numbers in a folder, which can be opened again."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder, self.clock = folder, clock
        self.endpoint = Endpoint.parse(f"local://{folder.as_posix()}?embedder=hash-v1")
        self.open()
        fields = [
            {"FieldName": "id", "FieldType": "int64", "IsPrimaryKey": True},
            {"FieldName": "n", "FieldType": "int64"},
            {"FieldName": "vec", "FieldType": "vector", "Dim": 4},
        ]
        self.wire.make({"Fields": fields}, {"VectorIndex": {"IndexType": "hnsw", "Distance": "ip"}})

    def open(self) -> None:
        self.wire = Wire(LocalTransport(self.endpoint, TransportSettings(), clock=self.clock), self.endpoint)

    def reopen(self) -> None:
        self.wire.transport.close()
        self.open()

    def write(self, *keys: int, **more: Any) -> None:
        rows = [{"id": key, "n": key, "vec": [key, 1, 0, 0]} for key in keys]
        self.wire.result("data/upsert", data=rows, **more)

    @property
    def numbers(self) -> dict[int, int]:
        hits = self.wire.result("data/search/vector", dense_vector=[1, 0, 0, 0], limit=1000)["data"]
        return {hit["id"]: hit["fields"]["n"] for hit in hits}

    @property
    def catalog(self) -> Catalog:
        return databases._folders[self.folder.resolve()].catalog

    @property
    def kinds(self) -> set[str]:
        """What kinds of files there are below ``cache/``."""
        return {path.name.split("-")[1] for path in (self.folder / "cache").glob("*")}


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    made = Store(tmp_path / "store", clock)
    yield made
    made.wire.transport.close()


@pytest.mark.parametrize("writes_on", [False, True])
def test_rows_that_were_gone_when_the_cache_was_written_stay_gone(store: Store, clock: Clock, writes_on: bool) -> None:
    store.write(*range(1, 31))
    store.write(*range(31, 41), ttl=60)
    assert len(store.numbers) == 40
    store.wire.result("data/delete", ids=[1, 2, 3])
    store.wire.result("data/update", data=[{"id": 4, "n": -4}, {"id": 35, "n": -35}])
    clock.seconds += 60
    store.wire.result("data/update", data=[{"id": 5, "n": -5}])  # those whose time was over are removed by this
    before = store.numbers
    assert before == {**{key: key for key in range(6, 31)}, 4: -4, 5: -5}
    store.catalog.upkeep.settle()
    for _ in range(3):
        store.reopen()
        assert "rows" in store.kinds
        assert store.numbers == before
        if writes_on:
            store.write(6)
        assert store.wire.result("data/agg", op="count")["agg"] == {"__TOTAL__": 27}


def test_a_collection_that_was_emptied_before_its_caches_were_made_gets_them_later(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    may_go_on = threading.Event()

    def wait(_: Any) -> None:
        assert may_go_on.wait(PATIENCE_SECONDS)

    store.catalog.upkeep.ask("what comes first", wait)
    store.write(*range(1, 31))
    assert len(store.numbers) == 30
    store.wire.result("data/delete", del_all=True)
    may_go_on.set()
    store.catalog.upkeep.settle()
    assert caplog.text == ""
    store.write(*range(1, 31))
    assert len(store.numbers) == 30
    store.catalog.upkeep.settle()
    assert store.kinds == ({"rows", "graph"} if graph.is_available() else {"rows"})


def test_a_write_does_not_fail_because_no_thread_can_be_had(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        store.write(*range(1, 31))
        assert len(store.numbers) == 30
        store.write(31)
        store.catalog.upkeep.settle()
    assert "graph" not in store.kinds
    assert len(store.numbers) == 31
    store.catalog.upkeep.settle()
    assert store.kinds == ({"rows", "graph"} if graph.is_available() else {"rows"})
    store.reopen()
    assert len(store.numbers) == 31


def test_the_thread_is_there_while_there_is_something_to_do() -> None:
    upkeep, done = Upkeep(), []
    for number in range(3):
        upkeep.ask(f"work {number}", lambda _, number=number: done.append(number))  # type: ignore[misc]
        upkeep.settle()
        if (thread := upkeep._thread) is not None:
            thread.join(PATIENCE_SECONDS)
        assert upkeep._thread is None
    assert done == [0, 1, 2]


def test_a_search_that_is_overtaken_by_the_end_of_its_collection_finds_nothing(store: Store) -> None:
    store.write(1, 2)
    collection = store.catalog.by_name("c", None)

    def look(snapshot: Any) -> list[int]:
        if store.catalog.collections():
            store.wire.act("DeleteVikingdbIndex", {"CollectionName": "c", "IndexName": "i"})
            store.wire.act("DeleteVikingdbCollection", {"CollectionName": "c"})
        return [int(number) for number in snapshot.numbers]

    assert collection.read(look, lambda found: found) == ([], {})
