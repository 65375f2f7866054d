"""One writer and many readers, each a client of its own: every answer is of one moment, and no later one is older."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from vikingdb_core.exceptions import RequestError
from vikingdb_local import databases
from vikingdb_local.engine import derived
from vikingdb_vector import VikingDB

PATIENCE_SECONDS = 60
BATCH, BATCHES, DIM = 10, 60, 8
FIELDS: list[dict[str, Any]] = [
    {"field_name": "id", "field_type": "int64", "is_primary_key": True},
    {"field_name": "batch", "field_type": "int64"},
    {"field_name": "round", "field_type": "int64"},
    {"field_name": "mark", "field_type": "string"},
    {"field_name": "tags", "field_type": "list<int64>"},
    {"field_name": "text", "field_type": "text"},
    {"field_name": "vec", "field_type": "vector", "dim": DIM},
]

Look = Callable[[VikingDB], Any]


@pytest.fixture(params=["folder", "memory"])
def endpoint(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    place = (tmp_path / "readers").as_posix() if request.param == "folder" else "readers"
    yield f"local://{place}?embedder=hash-v1"
    databases.drop_database("readers")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Caches and graphs are made all the while."""
    for name, few in (("MIN_CACHED_ROWS", 50), ("MIN_STALE_ROWS", 20), ("MIN_ROWS", 100), ("MIN_TAIL_ROWS", 50)):
        monkeypatch.setattr(derived, name, few)


def make(db: VikingDB) -> None:
    db.admin.create_collection(collection_name="c", fields=FIELDS, full_text=[{"field": "text"}])
    for name, kind in (("flat", "flat"), ("hnsw", "hnsw")):
        db.admin.create_index(collection_name="c", index_name=name, vector_index={"index_type": kind, "distance": "ip"})


def keys_of(batch: int) -> list[int]:
    return [BATCH * batch + n + 1 for n in range(BATCH)]


def rows_of(batch: int, round_: int) -> list[dict[str, Any]]:
    """What a batch says in a round, in every kind of field."""
    said = {"batch": batch, "round": round_, "mark": f"m{round_}", "tags": [batch, 10_000 + round_]}
    return [{"id": key, **said, "text": f"round{round_} sea", "vec": [round_ + 1] * DIM} for key in keys_of(batch)]


def whole(hits: Any) -> dict[int, int]:
    """The round of every batch among the hits, none of which is torn."""
    found: dict[int, list[int]] = {}
    for hit in hits:
        assert hit.fields["mark"] == f"m{hit.fields['round']}"
        found.setdefault(hit.fields["batch"], []).append(hit.fields["round"])
    assert all(len(rounds) == BATCH and len(set(rounds)) == 1 for rounds in found.values()), found
    return {batch: rounds[0] for batch, rounds in found.items()}


def everything(db: VikingDB, name: str = "flat") -> dict[int, int]:
    return whole(db.index(collection_name="c", index_name=name).search_by_random({"limit": 10_000}).result.data)


def by_vector(db: VikingDB) -> dict[int, int]:
    """A few through the graph, and all: their scores say the same as their fields."""
    index = db.index(collection_name="c", index_name="hnsw")
    few, hits = (
        index.search_by_vector({"dense_vector": [1.0] * DIM, "limit": limit}).result.data for limit in (5, 10_000)
    )
    assert all(hit.score == DIM * (hit.fields["round"] + 1) for hit in (*few, *hits))
    assert len(few) in (0, 5)
    return whole(hits)


def by_words(db: VikingDB) -> dict[int, int]:
    hits = db.index(collection_name="c", index_name="flat").search_by_keywords({"query": "sea", "limit": 10_000})
    return whole(hits.result.data)


def by_filter(db: VikingDB) -> dict[int, int]:
    """Two conditions that hold together or not at all."""
    found: dict[int, int] = {}
    for batch in range(0, BATCHES, 13):
        tagged = {"op": "must", "field": "tags", "conds": [batch]}
        torn = {"op": "and", "conds": [tagged, {"op": "must_not", "field": "batch", "conds": [batch]}]}
        index = db.index(collection_name="c", index_name="flat")
        assert index.search_by_random({"filter": torn}).result.data == []
        found |= whole(index.search_by_random({"filter": tagged, "limit": 100}).result.data)
    return found


def by_counting(db: VikingDB) -> dict[int, int]:
    index = db.index(collection_name="c", index_name="flat")
    groups = index.aggregate({"op": "count", "field": "batch"}).result.groups
    assert set(groups.values()) <= {BATCH}
    assert index.aggregate({"op": "count"}).result.total >= BATCH * len(groups)
    return dict.fromkeys(map(int, groups), 0)


def by_fetching(db: VikingDB) -> dict[int, int]:
    keys = [key for batch in range(0, BATCHES, 7) for key in keys_of(batch)]
    return whole(db.collection(collection_name="c").fetch({"ids": keys}).result.items)


LOOKS: list[Look] = [everything, by_vector, by_words, by_filter, by_counting, by_fetching]


def test_every_answer_is_of_one_moment_and_no_later_one_is_older(endpoint: str) -> None:
    done, start = threading.Event(), threading.Barrier(len(LOOKS) + 1)
    with VikingDB(endpoint=endpoint) as writer:
        make(writer)

        def write() -> None:
            start.wait(PATIENCE_SECONDS)
            try:
                rows = writer.collection(collection_name="c")
                for round_ in range(3):
                    for batch in range(BATCHES):
                        if round_ == 1:  # in another way
                            changed = [
                                {name: row[name] for name in row if name != "batch"} for row in rows_of(batch, 1)
                            ]
                            rows.update({"data": changed})
                        else:
                            rows.upsert({"data": rows_of(batch, round_)})
            finally:
                done.set()

        def read(look: Look) -> int:
            times, before = 0, dict[int, int]()
            with VikingDB(endpoint=endpoint) as reader:
                start.wait(PATIENCE_SECONDS)
                while not done.wait(0.001):  # lets the writer have the interpreter
                    now = look(reader)
                    assert now.keys() >= before.keys()
                    assert all(now[batch] >= round_ for batch, round_ in before.items())
                    times, before = times + 1, now
                assert set(look(reader).values()) == ({0} if look is by_counting else {2})
            return times

        with ThreadPoolExecutor(len(LOOKS) + 1) as pool:
            writing = pool.submit(write)
            readers = [pool.submit(read, look) for look in LOOKS]
            writing.result(PATIENCE_SECONDS)
            assert all(reader.result(PATIENCE_SECONDS) > 0 for reader in readers)
        assert everything(writer, "hnsw") == dict.fromkeys(range(BATCHES), 2)


def test_what_one_client_does_the_other_sees_at_once(endpoint: str, tmp_path: Path) -> None:
    same = endpoint.replace(tmp_path.as_posix(), f"{tmp_path.as_posix()}/../{tmp_path.name}")
    one, other = VikingDB(endpoint=endpoint), VikingDB(endpoint=same)
    make(one)
    for batch in range(3):
        (one if batch % 2 else other).collection(collection_name="c").upsert({"data": rows_of(batch, 0)})
        assert everything(one) == everything(other) == dict.fromkeys(range(batch + 1), 0)
    other.admin.update_collection(collection_name="c", fields=[{"field_name": "more", "field_type": "int64"}])
    one.collection(collection_name="c").update({"data": [{"id": 1, "more": 7}]})
    (row,) = other.collection(collection_name="c").fetch({"ids": [1]}).result.items
    assert row.fields["more"] == 7
    other.admin.delete_index(collection_name="c", index_name="hnsw")
    assert one.admin.get_collection(collection_name="c").result.index_names == ["flat"]
    one.close()
    with pytest.raises(RequestError, match="closed"):
        one.ping()
    other.collection(collection_name="c").delete({"ids": keys_of(1)})
    assert everything(other) == {0: 0, 2: 0}
    other.close()


def test_another_name_of_a_folder_is_the_same_folder(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    try:
        (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    except OSError:  # not everybody may make links on Windows
        pytest.skip("no links can be made here")
    with (
        VikingDB(endpoint=f"local://{(tmp_path / 'real' / 'db').as_posix()}") as one,
        VikingDB(endpoint=f"local://{(tmp_path / 'link' / 'db').as_posix()}") as other,
    ):
        make(one)
        other.collection(collection_name="c").upsert({"data": rows_of(0, 0)})
        assert everything(one) == {0: 0}
