"""A full disk: the write fails and says why, what was acknowledged stays, and with room again writing goes on."""

from __future__ import annotations

import errno
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vikingdb_core.exceptions import ConfigError, ServerError
from vikingdb_local import databases
from vikingdb_local.engine import derived, graph, opening
from vikingdb_local.engine.catalog import Catalog
from vikingdb_vector import VikingDB

DIM = 64


class Shelf:
    """A collection of rows that take much room, and a limit to it."""

    def __init__(self, db: VikingDB) -> None:
        self.db = db
        fields: list[dict[str, Any]] = [
            {"field_name": "id", "field_type": "int64", "is_primary_key": True},
            {"field_name": "note", "field_type": "string"},
            {"field_name": "vec", "field_type": "vector", "dim": DIM},
        ]
        db.admin.create_collection(collection_name="c", fields=fields)
        kind = {"index_type": "hnsw", "distance": "ip"}
        db.admin.create_index(collection_name="c", index_name="i", vector_index=kind)
        self.rows = db.collection(collection_name="c")
        self.index = db.index(collection_name="c", index_name="i")

    def write(self, first: int, count: int = 20, size: int = 4000) -> None:
        rows = [{"id": first + n, "note": "x" * size, "vec": [first + n] * DIM} for n in range(count)]
        self.rows.upsert({"data": rows})

    @property
    def keys(self) -> list[int]:
        """As searches see them, and as fetches do."""
        hits = self.index.search_by_vector({"dense_vector": [-1.0] * DIM, "limit": 1000}).result.data
        found = [int(hit.id) for hit in hits]
        for start in range(0, len(found), 100):
            assert self.rows.fetch({"ids": found[start : start + 100]}).result.ids_not_exist == []
        return found

    def limit(self, more_pages: int) -> None:
        with opened().database.reading() as sql:
            (pages,) = sql.execute("PRAGMA page_count").fetchone()
            sql.execute(f"PRAGMA max_page_count = {pages + more_pages}")


def opened() -> Catalog:
    """The database of the test that runs."""
    folders = [each.catalog for path, each in databases._folders.items() if path.name == "shelf"]
    return folders[0] if folders else databases._shared["shelf"]


@pytest.fixture(params=["folder", "memory"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    place = (tmp_path / "shelf").as_posix() if request.param == "folder" else "shelf"
    with VikingDB(endpoint=f"local://{place}?embedder=hash-v1", retry=1) as db:
        yield Shelf(db)
    databases.drop_database("shelf")


def test_a_write_without_room_fails_and_nothing_else_is_lost(shelf: Shelf) -> None:
    shelf.write(1)
    shelf.limit(more_pages=3)
    for call in (
        lambda: shelf.write(100),
        lambda: shelf.write(1, size=9000),
        lambda: shelf.rows.update({"data": [{"id": 1, "note": "y" * 60_000}]}),
    ):
        with pytest.raises(ServerError, match="there is no room for") as caught:
            call()
        assert (caught.value.code, caught.value.status_code) == ("InternalError", 500)
        assert "what was acknowledged before is" in caught.value.message
        assert shelf.keys == list(range(1, 21))
    shelf.rows.delete({"ids": [20]})
    shelf.limit(more_pages=10_000)
    shelf.write(100)
    assert shelf.keys == [*range(1, 20), *range(100, 120)]


def test_a_collection_that_there_is_no_room_for_is_not_there(shelf: Shelf) -> None:
    shelf.limit(more_pages=1)
    with pytest.raises(ServerError, match="there is no room for"):
        shelf.db.admin.create_collection(
            collection_name="more",
            fields=[{"field_name": "id", "field_type": "int64", "is_primary_key": True}],
            description="x" * 30_000,
        )
    assert [found.collection_name for found in shelf.db.admin.iter_collections()] == ["c"]
    shelf.write(1, count=1, size=10)
    assert shelf.keys == [1]


# Files that may not grow beyond a size fail as a disk does, in the middle of a write.
LIMITED = """
import resource, signal, sys
from vikingdb_vector import VikingDB
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
db = VikingDB(endpoint=sys.argv[1], retry=1)
fields = [{"field_name": "id", "field_type": "int64", "is_primary_key": True},
          {"field_name": "note", "field_type": "string"}]
db.admin.create_collection(collection_name="c", fields=fields)
db.admin.create_index(collection_name="c", index_name="i")
rows, index = db.collection(collection_name="c"), db.index(collection_name="c", index_name="i")
acknowledged, refused = [], []

def write(key):
    try:
        rows.upsert({"data": [{"id": key + n, "note": "x" * 3000} for n in range(10)]})
        acknowledged.append(key)
    except Exception as error:
        refused.append(f"{error.code} {error.message}")

resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, most))
for key in range(1, 301, 10):
    write(key)
seen = index.aggregate({"op": "count"}).result.total
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
write(1001)
import json
print(json.dumps([acknowledged, sorted(set(refused)), seen]))
import os
os._exit(0)
"""


def test_a_disk_that_fails_within_a_write_tears_no_batch(tmp_path: Path) -> None:
    pytest.importorskip("resource", reason="this system has no limits to a file")
    endpoint = f"local://{(tmp_path / 'shelf').as_posix()}?embedder=hash-v1"
    ended = subprocess.run([sys.executable, "-c", LIMITED, endpoint], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    acknowledged, refused, seen = json.loads(ended.stdout)
    (said,) = refused
    assert said.startswith("InternalError ")
    assert "cannot be read or written (disk I/O error)" in said
    assert str(tmp_path / "shelf" / "data.sqlite") in said
    assert 3 < len(acknowledged) < 31
    assert acknowledged[-1] == 1001
    assert seen == 10 * (len(acknowledged) - 1)
    with VikingDB(endpoint=endpoint) as db:
        hits = db.index(collection_name="c", index_name="i").search_by_random({"limit": 1000}).result.data
    assert {hit.id for hit in hits} == {key + n for key in acknowledged for n in range(10)}


SAVE = "vikingdb_local.engine.graph.Graph.save"


def no_space(*_: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("fails", ["rows", "graph"])
def test_a_full_disk_costs_no_more_than_the_cache_that_was_to_be_written(
    tmp_path: Path, fails: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if fails == "graph" and not graph.is_available():
        pytest.skip("without usearch there are no graphs")
    for name, few in (("MIN_CACHED_ROWS", 50), ("MIN_STALE_ROWS", 10), ("MIN_ROWS", 50), ("MIN_TAIL_ROWS", 10)):
        monkeypatch.setattr(derived, name, few)
    endpoint, cache = f"local://{(tmp_path / 'shelf').as_posix()}?embedder=hash-v1", tmp_path / "shelf" / "cache"
    with monkeypatch.context() as full, VikingDB(endpoint=endpoint) as db:
        shelf = Shelf(db)
        full.setattr("vikingdb_local.engine.cachefile.os.fsync" if fails == "rows" else SAVE, no_space)
        for first in (1, 101, 201):
            shelf.write(first, count=100, size=10)
            assert len(shelf.keys) == first + 99
            opened().upkeep.settle()
        assert len(shelf.keys) == 300
        if fails == "graph":
            assert opened().collections()[0]._derived.graphs, "it is served from memory"
    assert "No space left on device" in caplog.text
    assert "Traceback" not in caplog.text
    assert [path.name for path in cache.iterdir() if f"-{fails}-" in path.name] == []
    with VikingDB(endpoint=endpoint) as db:
        found = db.index(collection_name="c", index_name="i").search_by_vector(
            {"dense_vector": [1.0] * DIM, "limit": 1000}
        )
        assert len(found.result.data) == 300
        opened().upkeep.settle()
    assert {path.name.split("-")[1] for path in cache.iterdir()} >= {fails}


def test_a_database_that_there_is_no_room_for_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_DURABLY", f"PRAGMA max_page_count = 3; {opening._DURABLY}")
    endpoint = f"local://{(tmp_path / 'shelf').as_posix()}?embedder=hash-v1"
    with pytest.raises(ConfigError, match="cannot hold a database: database or disk is full"):
        VikingDB(endpoint=endpoint).ping()
    assert list((tmp_path / "shelf").iterdir()) == []
    monkeypatch.undo()
    VikingDB(endpoint=endpoint).close()


def test_the_log_says_it_too(shelf: Shelf, caplog: pytest.LogCaptureFixture) -> None:
    shelf.limit(more_pages=2)
    with caplog.at_level(logging.ERROR, "vikingdb.local"), pytest.raises(ServerError):
        shelf.write(1)
    assert "there is no room for" in caplog.text
