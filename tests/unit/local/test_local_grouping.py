"""Writes that wait for each other share a commit, and none suffers from another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from vikingdb_local import databases
from vikingdb_local.engine.catalog import Catalog
from vikingdb_vector import VikingDB
from vikingdb_vector.exceptions import DataNotFound

FIELDS = [
    {"field_name": "id", "field_type": "int64", "is_primary_key": True},
    {"field_name": "n", "field_type": "int64"},
]


@pytest.fixture
def db(tmp_path: Path) -> Iterator[VikingDB]:
    with VikingDB(endpoint=f"local://{tmp_path.as_posix()}/db?embedder=hash-v1") as client:
        for name in ("a", "b"):
            client.admin.create_collection(collection_name=name, fields=FIELDS)
            client.admin.create_index(collection_name=name, index_name="i", scalar_index=["n"])
        yield client


def catalog_of(db: VikingDB) -> Catalog:
    db.ping()
    (opened,) = databases._folders.values()
    return opened.catalog


class Group:
    """Calls that wait until all of them do, while ``together`` holds the database."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.commits: list[str] = []

    def run(self, calls: list[Callable[[], Any]]) -> list[Future[Any]]:
        queue = self.catalog._writes._queue
        with ThreadPoolExecutor(len(calls)) as pool, self.catalog.database.lock:
            futures = [pool.submit(call) for call in calls]
            waiting = threading.Event()
            for _ in range(2000):
                if len(queue) == len(calls):
                    break
                waiting.wait(0.005)
            assert len(queue) == len(calls)
            connection = self.catalog.database._connection
            connection.set_trace_callback(self._trace)
        connection.set_trace_callback(None)
        return futures

    def _trace(self, statement: str) -> None:
        if statement in ("COMMIT", "ROLLBACK"):
            self.commits.append(statement)


def upsert(db: VikingDB, collection: str, key: int) -> Callable[[], Any]:
    return lambda: db.collection(collection_name=collection).upsert({"data": [{"id": key, "n": key}]})


def found(db: VikingDB, collection: str) -> list[int]:
    hits = db.index(collection_name=collection, index_name="i").search_by_scalar(
        {"field": "n", "order": "asc", "limit": 100}
    )
    return [int(hit.id) for hit in hits.result.data]


def test_writes_that_wait_are_committed_once(db: VikingDB) -> None:
    group = Group(catalog_of(db))
    futures = group.run([upsert(db, "ab"[key % 2], key) for key in range(1, 13)])
    assert [future.exception() for future in futures] == [None] * 12
    assert group.commits == ["COMMIT"]
    assert (found(db, "a"), found(db, "b")) == ([2, 4, 6, 8, 10, 12], [1, 3, 5, 7, 9, 11])


def test_one_that_is_refused_takes_nobody_with_it(db: VikingDB) -> None:
    group = Group(catalog_of(db))

    def update_nothing() -> None:
        db.collection(collection_name="a").update({"data": [{"id": 99, "n": 1}]})

    first, refused, last = group.run([upsert(db, "a", 1), update_nothing, upsert(db, "a", 2)])
    assert first.exception() is None
    assert last.exception() is None
    assert isinstance(refused.exception(), DataNotFound)
    assert group.commits == ["ROLLBACK", *group.commits[1:]]
    assert sorted(group.commits[1:]) == ["COMMIT", "COMMIT", "ROLLBACK"]
    assert found(db, "a") == [1, 2]


def test_what_was_committed_together_is_there_after_reopening(tmp_path: Path, db: VikingDB) -> None:
    Group(catalog_of(db)).run([upsert(db, "a", key) for key in range(1, 9)])
    db.close()
    with VikingDB(endpoint=f"local://{tmp_path.as_posix()}/db?embedder=hash-v1") as again:
        assert found(again, "a") == list(range(1, 9))


def test_an_interrupt_loses_nobody_s_answer(db: VikingDB) -> None:
    """Who is interrupted raises; who waited with it hears that its fate is not known, and reads what the disk has."""
    catalog = catalog_of(db)
    grouping = catalog._writes
    collection = catalog.collections()[0]
    published = collection._publish

    def interrupted(change: Any) -> None:
        collection._publish = published  # type: ignore[method-assign]
        raise KeyboardInterrupt

    collection._publish = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        upsert(db, "a", 5)()
    assert not grouping._queue
    assert found(db, "a") == [5]
    upsert(db, "a", 6)()
    assert found(db, "a") == [5, 6]


def test_who_was_taken_along_by_somebody_interrupted_does_it_alone(db: VikingDB) -> None:
    grouping = catalog_of(db)._writes
    settle = grouping._settle

    def interrupted(group: Any) -> None:
        grouping._settle = settle  # type: ignore[method-assign]
        raise KeyboardInterrupt

    grouping._settle = interrupted  # type: ignore[method-assign]
    futures = Group(catalog_of(db)).run([upsert(db, "a", 1), upsert(db, "a", 2)])
    errors = [future.exception() for future in futures]
    assert [type(error) for error in errors if error is not None] == [KeyboardInterrupt]
    assert found(db, "a") == [key for key, error in enumerate(errors, 1) if error is None]


@pytest.mark.parametrize("number", [1, 3])
def test_what_was_committed_is_no_failure_when_readers_cannot_follow(db: VikingDB, number: int) -> None:
    collection = catalog_of(db).by_name("a", None)
    assert found(db, "a") == []

    def fails(change: Any) -> None:
        raise MemoryError

    collection._publish = fails  # type: ignore[method-assign]
    futures = Group(catalog_of(db)).run([upsert(db, "a", key) for key in range(1, number + 1)])
    assert [future.exception() for future in futures] == [None] * number
    assert found(db, "a") == list(range(1, number + 1))
