"""Caches and graphs: what searches are served from beside the rows, found again, mended, and never trusted blindly."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.local.wire import Clock, Wire
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.transport import TransportSettings
from vikingdb_local import databases
from vikingdb_local.engine import cachefile, collection, derived, graph
from vikingdb_local.engine.growing import Matrix
from vikingdb_local.engine.upkeep import Upkeep
from vikingdb_local.transport import LocalTransport

DIM = 16
FIELDS = [
    {"FieldName": "id", "FieldType": "int64", "IsPrimaryKey": True},
    {"FieldName": "tag", "FieldType": "string"},
    {"FieldName": "tags", "FieldType": "list<string>"},
    {"FieldName": "pages", "FieldType": "list<int64>"},
    {"FieldName": "at", "FieldType": "date_time"},
    {"FieldName": "where", "FieldType": "geo_point"},
    {"FieldName": "price", "FieldType": "float32"},
    {"FieldName": "sold", "FieldType": "bool"},
    {"FieldName": "text", "FieldType": "text"},
    {"FieldName": "vec", "FieldType": "vector", "Dim": DIM},
]
WORDS = ["storm", "sea", "ship", "bread", "数据库", "night"]
NOISE = np.random.default_rng(11)
CENTERS = NOISE.normal(size=(12, DIM))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few hundred rows count as many."""
    monkeypatch.setattr(derived, "MIN_CACHED_ROWS", 100)
    monkeypatch.setattr(derived, "MIN_STALE_ROWS", 10)
    monkeypatch.setattr(derived, "MIN_ROWS", 200)
    monkeypatch.setattr(derived, "MIN_TAIL_ROWS", 50)


def row(number: int) -> dict[str, Any]:
    rng = np.random.default_rng(number)
    return {
        "id": number,
        "tag": f"t{number % 7}",
        "tags": [f"a{number % 3}", f"b{number % 5}"],
        "pages": [number % 4, 100 + number % 6],
        "at": f"2026-01-{1 + number % 28:02}T00:00:00Z",
        "where": f"10.{number % 100:02},50.0",
        "price": number % 50 / 4,
        "sold": number % 2 == 0,
        "text": " ".join(WORDS[(number * k) % len(WORDS)] for k in (1, 2, 3)),
        "vec": (CENTERS[number % 12] + 0.3 * rng.normal(size=DIM)).tolist(),
    }


class Shop:
    """A database in a folder, opened and closed as often as a test likes."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder = folder
        self._endpoint = Endpoint.parse(f"local://{folder.as_posix()}?embedder=hash-v1")
        self._clock = clock
        self.open()

    def open(self) -> None:
        self.wire = Wire(LocalTransport(self._endpoint, TransportSettings(), clock=self._clock), self._endpoint)

    def close(self) -> None:
        self.wire.transport.close()

    def reopen(self) -> None:
        self.close()
        self.open()

    def settle(self) -> None:
        """Let what works in the background come to its end."""
        databases._folders[self.folder.resolve()].catalog.upkeep.settle()

    @property
    def files(self) -> list[Path]:
        return sorted((self.folder / "cache").glob("*"))

    def file(self, kind: str) -> Path:
        (found,) = (path for path in self.files if f"-{kind}-" in path.name)
        return found

    def write(self, numbers: range, **body: Any) -> None:
        for start in range(numbers.start, numbers.stop, 100):
            rows = [row(number) for number in range(start, min(start + 100, numbers.stop))]
            self.wire.result("data/upsert", data=rows, **body)

    def picture(self) -> Any:
        """What searches of every kind say."""
        ask = self.wire.result
        everything = {"limit": 1000, "output_fields": ["id", "tag", "price"]}
        filters = [
            {"op": "must", "field": "tag", "conds": ["t1", "t4"]},
            {"op": "must_not", "field": "tags", "conds": ["a1"]},
            {"op": "must", "field": "pages", "conds": [101, 2]},
            {"op": "time_range", "field": "at", "gte": "2026-01-10T00:00:00Z"},
            {"op": "geo_range", "field": "where", "center": "10.5,50.0", "radius": "20km"},
            {"op": "must", "field": "sold", "conds": [True]},
            {"op": "range", "field": "price", "gt": 3, "lte": 9},
        ]
        return (
            [ask("data/search/scalar", field="price", filter=each, **everything) for each in filters],
            [ask("data/search/keywords", keywords=[word], **everything)["data"] for word in WORDS],
            ask("data/agg", op="count", field="tag"),
            [ask("data/search/vector", dense_vector=row(n)["vec"], limit=5, filter=filters[0]) for n in (3, 500)],
            ask("data/fetch_in_index", ids=[1, 50, 400]),
        )


@pytest.fixture
def shop(tmp_path: Path, clock: Clock) -> Iterator[Shop]:
    made = Shop(tmp_path / "shop", clock)
    made.wire.make(
        {"Fields": FIELDS, "FullText": [{"Field": "text"}]},
        {"VectorIndex": {"IndexType": "hnsw", "Distance": "l2", "Quant": "float"}},
    )
    yield made
    made.close()


def without_caches(shop: Shop) -> Any:
    """The picture of a database that has nothing but its rows."""
    shop.close()
    shutil.rmtree(shop.folder / "cache", ignore_errors=True)
    shop.open()
    return shop.picture()


def test_a_reopened_collection_is_served_from_its_cache(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.write(range(1, 401))
    before = shop.picture()
    shop.reopen()
    assert [path.name.split("-")[1] for path in shop.files] == ["graph", "rows"]
    monkeypatch.setattr("vikingdb_local.engine.rows._read", None)  # no row is read from the database to be searched
    assert shop.wire.result("data/agg", op="count")["agg"] == {"__TOTAL__": 400}
    assert len(shop.wire.result("data/search/keywords", keywords=["sea"], limit=1000)["data"]) == 67
    monkeypatch.undo()
    assert shop.picture() == before


def test_what_was_written_after_the_cache_is_found_too(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.write(range(1, 301))
    shop.picture()
    shop.reopen()
    monkeypatch.setattr(derived, "MIN_STALE_ROWS", 10_000)
    shop.write(range(301, 331))
    shop.wire.result("data/delete", ids=list(range(1, 40)))
    shop.wire.result("data/update", data=[{"id": 100, "tag": "t9", "price": 99.5}])
    shop.write(range(200, 203), ttl=60)
    cached = shop.file("rows")
    before = shop.picture()
    shop.reopen()
    assert shop.file("rows") == cached
    assert shop.picture() == before == without_caches(shop)


def test_rows_that_expire_are_gone_from_a_cached_collection(shop: Shop, clock: Clock) -> None:
    shop.write(range(1, 201))
    shop.write(range(201, 251), ttl=60)
    assert shop.wire.result("data/agg", op="count")["agg"] == {"__TOTAL__": 250}
    shop.reopen()
    assert shop.wire.result("data/agg", op="count")["agg"] == {"__TOTAL__": 250}
    clock.seconds += 61
    assert shop.wire.result("data/agg", op="count")["agg"] == {"__TOTAL__": 200}


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def cut_within_the_head(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:30])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip(share: float) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[int(share * (len(data) - 1))] ^= 0x40
        path.write_bytes(data)

    return damage


DAMAGES = [cut, cut_within_the_head, empty, Path.unlink, *map(flip, (0, 0.001, 0.01, 0.3, 0.6, 0.97))]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", ["rows", "graph"])
def test_a_damaged_cache_is_made_again(
    shop: Shop, kind: str, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    shop.write(range(1, 401))
    before = shop.picture()
    shop.settle()
    shop.close()
    damaged = shop.file(kind)
    damage(damaged)
    with caplog.at_level(logging.WARNING, "vikingdb.local"):
        shop.open()
        assert shop.picture() == before
    assert str(damaged) in caplog.text
    shop.settle()
    shop.reopen()
    assert shop.file(kind) != damaged
    caplog.clear()
    assert shop.picture() == before
    assert caplog.text == ""


def test_an_older_database_put_in_the_place_of_a_newer_one_is_not_served_the_newer_ones_cache(shop: Shop) -> None:
    shop.write(range(1, 201))
    shop.close()
    kept = shop.folder.parent / "kept.sqlite"
    shutil.copy(shop.folder / "data.sqlite", kept)
    shop.open()
    old = shop.picture()
    shop.write(range(150, 401))
    shop.picture()
    shop.close()
    shutil.copy(kept, shop.folder / "data.sqlite")
    shop.open()
    assert shop.picture() == old


def test_a_collection_with_another_schema_does_not_use_the_cache_of_the_old_one(shop: Shop) -> None:
    shop.write(range(1, 201))
    shop.picture()
    shop.reopen()
    body = {"CollectionName": "c", "Fields": [{"FieldName": "more", "FieldType": "int64", "DefaultValue": 7}]}
    assert shop.wire.act("UpdateVikingdbCollection", body)[0] == 200
    body = {"CollectionName": "c", "IndexName": "i", "ScalarIndex": ["more"]}
    assert shop.wire.act("UpdateVikingdbIndex", body)[0] == 200
    for _ in range(2):
        found = shop.wire.result("data/search/random", filter={"op": "must", "field": "more", "conds": [7]}, limit=500)
        assert found["filter_matched_count"] == 200
        shop.reopen()


def test_what_is_said_about_a_collection_costs_no_arrays(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.write(range(1, 201))
    before = shop.picture()
    monkeypatch.setattr("vikingdb_local.engine.rows._read", None)  # no row is read to be searched
    monkeypatch.setattr("vikingdb_local.engine.caches.read_cache", None)  # and no cache
    assert shop.wire.act("UpdateVikingdbCollection", {"CollectionName": "c", "Description": "better"})[0] == 200
    assert shop.wire.result("data/agg", op="count", field="tag") == before[2]


def test_the_arrays_of_a_changed_schema_are_kept_for_the_next_process(shop: Shop) -> None:
    shop.write(range(1, 201))
    shop.picture()
    shop.reopen()
    old = shop.file("rows")
    body = {"CollectionName": "c", "Fields": [{"FieldName": "more", "FieldType": "int64"}]}
    assert shop.wire.act("UpdateVikingdbCollection", body)[0] == 200
    shop.picture()
    shop.reopen()
    assert shop.file("rows") != old


def test_a_graph_that_no_index_needs_is_let_go_of(graphed: Shop) -> None:
    assert "graph" in [path.name.split("-")[1] for path in graphed.files]
    assert graphed.wire.act("DeleteVikingdbIndex", {"CollectionName": "c", "IndexName": "i"})[0] == 200
    exact(graphed, row(1)["vec"], 1)
    graphed.settle()
    assert "graph" not in [path.name.split("-")[1] for path in graphed.files]


def test_files_that_nobody_names_are_swept_away(shop: Shop) -> None:
    shop.write(range(1, 201))
    shop.picture()
    shop.close()
    stray = shop.folder / "cache" / "1-rows-interrupted.writing"
    stray.write_bytes(b"half")
    shop.open()
    assert not stray.exists()
    assert shop.file("rows").exists()


def test_a_deleted_collection_leaves_no_file(shop: Shop) -> None:
    shop.write(range(1, 301))
    shop.picture()
    shop.settle()
    assert shop.wire.act("DeleteVikingdbIndex", {"CollectionName": "c", "IndexName": "i"})[0] == 200
    assert shop.wire.act("DeleteVikingdbCollection", {"CollectionName": "c"})[0] == 200
    assert shop.files == []


def exact(shop: Shop, vector: list[float], limit: int, filter: dict[str, Any] | None = None) -> list[Any]:
    """The answer of an index that has no graph."""
    body = {"dense_vector": vector, "limit": limit, "filter": filter or {}, "index_name": "flat"}
    hits: list[Any] = shop.wire.result("data/search/vector", **body)["data"]
    return hits


@pytest.fixture
def graphed(shop: Shop) -> Shop:
    """1200 rows with a graph, and an index without one beside it."""
    shop.write(range(1, 1201))
    flat = {"IndexType": "flat", "Distance": "l2", "Quant": "float"}
    shop.wire.act("CreateVikingdbIndex", {"CollectionName": "c", "IndexName": "flat", "VectorIndex": flat})
    shop.wire.result("data/search/vector", dense_vector=row(1)["vec"])
    shop.settle()
    return shop


@pytest.mark.parametrize("filter", [{}, {"op": "must", "field": "tag", "conds": ["t0", "t2", "t3", "t5"]}])
def test_a_graph_finds_nearly_what_a_scan_finds_with_the_same_scores(
    graphed: Shop, filter: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    found = graph.Graph.candidates

    def seen(*arguments: Any) -> Any:
        places = found(*arguments)
        asked.append(-1 if places is None else len(places))
        return places

    monkeypatch.setattr(collection, "SEARCH_BREADTH", 64)
    monkeypatch.setattr(graph.Graph, "candidates", seen)
    same = 0
    for number in range(2000, 2050):
        vector = row(number)["vec"]
        hits = graphed.wire.result("data/search/vector", dense_vector=vector, limit=10, filter=filter)["data"]
        scores = {hit["id"]: hit["score"] for hit in exact(graphed, vector, 10, filter)}
        assert len(hits) == 10
        assert all(hit["score"] == scores.get(hit["id"], hit["score"]) for hit in hits)
        same += len(scores.keys() & {hit["id"] for hit in hits})
    assert same >= 0.98 * 500
    assert all(0 < count < 600 for count in asked)  # a graph was asked, and it did not answer with all rows


def test_an_index_and_a_search_say_how_far_a_graph_is_searched(graphed: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    found = graph.Graph.candidates

    def seen(*arguments: Any) -> Any:
        asked.append(arguments[-1])
        return found(*arguments)

    monkeypatch.setattr(graph.Graph, "candidates", seen)
    wide = {"IndexType": "hnsw", "Distance": "l2", "Quant": "float", "HnswSef": 200}
    graphed.wire.act("CreateVikingdbIndex", {"CollectionName": "c", "IndexName": "wide", "VectorIndex": wide})
    for body in ({}, {"index_name": "wide"}, {"index_name": "wide", "advance": {"scale_k": 1.5}}):
        graphed.wire.result("data/search/vector", dense_vector=row(7)["vec"], limit=5, **body)
    assert asked == [96, 200, 300]


@given(data=st.data())
def test_there_are_always_as_many_hits_as_match(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    shop = SHARED.get(tmp_path_factory)
    tags = data.draw(st.lists(st.sampled_from([f"t{n}" for n in range(8)]), max_size=7))
    limit = data.draw(st.integers(1, 40))
    offset = data.draw(st.integers(0, 1300))
    filter = {"op": "must", "field": "tag", "conds": tags} if tags else {}
    body = {"dense_vector": row(data.draw(st.integers(1, 3000)))["vec"], "limit": limit, "offset": offset}
    found = shop.wire.result("data/search/vector", filter=filter, **body)
    matching = found["filter_matched_count"] if filter else 1200
    assert len(found["data"]) == max(0, min(limit, matching - offset))
    assert len({hit["id"] for hit in found["data"]}) == len(found["data"])


class _Shared:
    """One database for all examples of a property."""

    def __init__(self) -> None:
        self._shop: Shop | None = None

    def get(self, factory: pytest.TempPathFactory) -> Shop:
        if self._shop is None:
            self._shop = Shop(factory.mktemp("shared"), Clock())
            self._shop.wire.make(
                {"Fields": FIELDS, "FullText": [{"Field": "text"}]},
                {"VectorIndex": {"IndexType": "hnsw", "Distance": "cosine", "Quant": "float"}},
            )
            self._shop.write(range(1, 1201))
            self._shop.wire.result("data/search/random")
            self._shop.settle()
        return self._shop

    def close(self) -> None:
        if self._shop is not None:
            self._shop.close()


SHARED = _Shared()


@pytest.fixture(scope="module", autouse=True)
def shared() -> Iterator[None]:
    yield
    SHARED.close()


def test_rows_written_and_deleted_since_are_found_and_gone(graphed: Shop) -> None:
    near = row(60)["vec"]
    graphed.wire.result("data/delete", ids=[60])
    graphed.wire.result("data/update", data=[{"id": 72, "vec": near}])
    graphed.wire.result("data/upsert", data=[{**row(5000), "vec": near}])
    hits = graphed.wire.result("data/search/vector", dense_vector=near, limit=2)["data"]
    assert {hit["id"] for hit in hits} == {72, 5000}
    assert 60 not in {
        hit["id"] for hit in graphed.wire.result("data/search/vector", dense_vector=near, limit=500)["data"]
    }


@pytest.mark.parametrize("reopens", [False, True])
def test_a_graph_grows_with_its_collection(graphed: Shop, reopens: bool) -> None:
    before = graphed.file("graph")
    if reopens:
        graphed.reopen()
    graphed.write(range(1201, 1401))
    graphed.wire.result("data/search/vector", dense_vector=row(1)["vec"])
    graphed.settle()
    assert graphed.file("graph") != before
    for number in (1250, 1399):
        assert graphed.wire.result("data/search/vector", dense_vector=row(number)["vec"], limit=1)["data"] == exact(
            graphed, row(number)["vec"], 1
        )


def test_a_graph_of_mostly_dead_rows_is_built_anew(graphed: Shop) -> None:
    for start in range(1, 801, 100):
        graphed.wire.result("data/delete", ids=list(range(start, start + 100)))
    graphed.wire.result("data/search/vector", dense_vector=row(1)["vec"])
    graphed.settle()
    catalog = databases._folders[graphed.folder.resolve()].catalog
    (built,) = catalog.collections()[0]._derived.graphs.values()
    assert 400 <= built.size < 800


def test_a_collection_in_memory_has_graphs_and_no_files(clock: Clock) -> None:
    endpoint = Endpoint.parse("local://in_memory?embedder=hash-v1")
    wire = Wire(LocalTransport(endpoint, TransportSettings(), clock=clock), endpoint)
    try:
        wire.make({"Fields": FIELDS}, {"VectorIndex": {"IndexType": "hnsw", "Distance": "ip", "Quant": "float"}})
        for start in range(1, 301, 100):
            wire.result("data/upsert", data=[row(number) for number in range(start, start + 100)])
        wire.result("data/search/random")
        catalog = databases._shared["in_memory"]
        catalog.upkeep.settle()
        assert catalog.collections()[0]._derived.graphs
        assert len(wire.result("data/search/vector", dense_vector=row(1)["vec"], limit=300)["data"]) == 300
    finally:
        databases.drop_database("in_memory")


def test_without_usearch_everything_is_scanned(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "usearch.index", None)
    shop.write(range(1, 301))
    before = shop.picture()
    shop.settle()
    shop.reopen()
    assert [path.name.split("-")[1] for path in shop.files] == ["rows"]
    assert shop.picture() == before


@given(
    arrays=st.dictionaries(
        st.text(max_size=8),
        st.one_of(
            st.lists(st.integers(-(2**63), 2**63 - 1), max_size=50).map(lambda values: np.array(values, np.int64)),
            st.lists(st.floats(width=32), max_size=50).map(lambda values: np.array(values, np.float32)),
            st.lists(st.booleans(), max_size=50).map(lambda values: np.array(values, np.bool_)),
            st.lists(st.text(), max_size=20),
        ),
        max_size=6,
    )
)
def test_a_cache_file_gives_back_what_was_put_in(
    arrays: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("file") / "x.cache"
    matrix = Matrix((np.ones((3, 4), np.float32), np.zeros((2, 4), np.float32)), 4)
    cachefile.write_cache(path, {"seq": 1}, {**arrays, " matrix": matrix})
    read = cachefile.read_cache(path, {"seq": 1})
    assert read.pop(" matrix").tolist() == [[1.0] * 4] * 3 + [[0.0] * 4] * 2
    assert read.keys() == arrays.keys()
    for name, value in arrays.items():
        assert np.array_equal(read[name], value, equal_nan=isinstance(value, np.ndarray) and value.dtype.kind == "f")
    with pytest.raises(cachefile.DamagedCache, match="another state"):
        cachefile.read_cache(path, {"seq": 2})


def test_work_in_the_background_ends_when_the_database_is_closed() -> None:
    upkeep, begun = Upkeep(), threading.Event()

    def work(should_stop: Callable[[], bool]) -> None:
        begun.set()
        while not should_stop():
            begun.wait(0.001)

    upkeep.ask("work", work)
    upkeep.ask("more work", lambda _: pytest.fail("it was to be dropped"))
    assert begun.wait(10)
    upkeep.stop()
    upkeep.settle()
    upkeep.ask("late work", lambda _: pytest.fail("it was to be refused"))
    upkeep.settle()


def test_work_that_fails_is_logged_and_not_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    upkeep, tries = Upkeep(), []

    def work(should_stop: Callable[[], bool]) -> None:
        tries.append(1)
        raise OSError("no space left")

    for _ in range(3):
        upkeep.ask("the cache", work)
        upkeep.settle()
    upkeep.stop()
    assert tries == [1]
    assert "the cache cannot be made" in caplog.text
