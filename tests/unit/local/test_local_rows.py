"""Rows: upsert, update, delete, fetch, generated ids, and how long rows live."""

from __future__ import annotations

import base64
import struct
from typing import Any

import pytest

from tests.unit.local.wire import BOOK_FIELDS, Clock, Wire, book
from vikingdb_vector import DataNotFound, VikingDB


def fetched(wire: Wire, *keys: Any) -> dict[Any, dict[str, Any]]:
    return {item["id"]: item["fields"] for item in wire.result("data/fetch_in_collection", ids=list(keys))["fetch"]}


def found(wire: Wire) -> set[Any]:
    return {hit["id"] for hit in wire.result("data/search/random", limit=100)["data"]}


def test_what_was_written_is_fetched_with_the_key_and_the_vector(books: Wire) -> None:
    row = book("a", [0.1, 0.2, 0.3, 0.4], year=1965, price=9.99, genre="sf", sold=True, tags=["x", "y"], pages=[1, 2])
    assert books.result("data/upsert", data=[row]) is None
    assert fetched(books, "a") == {"a": row}


def test_missing_fields_get_their_default_and_else_their_types(books: Wire) -> None:
    books.result("data/upsert", data=[book("a")])
    fields = fetched(books, "a")["a"]
    assert {name: fields[name] for name in ("year", "price", "genre", "sold", "tags", "pages")} == {
        "year": 0,
        "price": 1.5,
        "genre": "default",
        "sold": False,
        "tags": ["default"],
        "pages": [0],
    }


def test_an_upsert_replaces_the_whole_row(books: Wire) -> None:
    books.result("data/upsert", data=[book("a", year=1965, genre="sf")])
    books.result("data/upsert", data=[book("a", year=1966)])
    assert fetched(books, "a")["a"]["genre"] == "default"
    assert found(books) == {"a"}


def test_of_two_rows_with_one_key_in_a_batch_the_last_is_kept(books: Wire) -> None:
    books.result("data/upsert", data=[book("a", year=1), book("b"), book("a", year=2)])
    assert fetched(books, "a")["a"]["year"] == 2
    assert found(books) == {"a", "b"}


def test_the_fetch_follows_the_order_asked_for_and_names_what_is_not_there(books: Wire) -> None:
    books.result("data/upsert", data=[book("a"), book("b"), book("c")])
    result = books.result("data/fetch_in_collection", ids=["c", "x", "a", "c", "y"])
    assert [item["id"] for item in result["fetch"]] == ["c", "a"]
    assert result["ids_not_exist"] == ["x", "y"]


@pytest.mark.parametrize(
    ("distance", "expected"), [("ip", [3, 4, 0, 0]), ("l2", [3, 4, 0, 0]), ("cosine", [0.6, 0.8, 0, 0])]
)
def test_an_index_shows_its_vectors_as_it_holds_them(books: Wire, distance: str, expected: list[float]) -> None:
    vector_index = {"IndexType": "flat", "Distance": distance, "Quant": "float"}
    books.act("CreateVikingdbIndex", {"CollectionName": "c", "IndexName": "j", "VectorIndex": vector_index})
    books.result("data/upsert", data=[book("a", [3, 4, 0, 0])])
    (item,) = books.result("data/fetch_in_index", index_name="j", ids=["a"], output_fields=["year"])["fetch"]
    assert item == {"id": "a", "fields": {"year": 0}, "dense_dim": 4, "dense_vector": pytest.approx(expected)}


@pytest.mark.parametrize("letter", ["f", "d"])
def test_a_vector_may_come_as_base64(books: Wire, letter: str) -> None:
    packed = base64.b64encode(struct.pack(f"<4{letter}", 0.5, -1, 2, 0.25)).decode()
    books.result("data/upsert", data=[{**book("a"), "vec": packed}])
    assert fetched(books, "a")["a"]["vec"] == [0.5, -1, 2, 0.25]


def test_unknown_fields_are_refused_unless_they_are_to_be_ignored(books: Wire) -> None:
    row = book("a", colour="red", generes="x")
    assert "no field 'colour'" in books.refusal("data/upsert", data=[row])[2]
    assert "Did you mean 'genre'" in books.refusal("data/upsert", data=[book("a", generes="x")])[2]
    books.result("data/upsert", data=[row], ignore_unknown_fields=True)
    assert "colour" not in fetched(books, "a")["a"]


def test_one_bad_row_rejects_the_batch(books: Wire) -> None:
    books.result("data/upsert", data=[book("a", year=1)])
    for bad in (book("z", year="x"), book("z", [1, 2]), {"title": "t", "vec": [1, 0, 0, 0]}, book("z", colour=1)):
        status, code, message = books.refusal("data/upsert", data=[book("b"), book("a", year=2), bad])
        assert (status, code) == (400, "InvalidParameter")
        assert "data[2]" in message
    assert found(books) == {"a"}
    assert fetched(books, "a")["a"]["year"] == 1


def test_a_failure_while_writing_leaves_nothing_of_the_batch(books: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    from vikingdb_local.engine import rows

    books.result("data/upsert", data=[book("a", year=1)])
    put, calls = rows.put, []

    def break_at_the_third(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 3:
            raise OSError("disk full")
        return put(*arguments)

    monkeypatch.setattr(rows, "put", break_at_the_third)
    assert books.refusal("data/upsert", data=[book("a", year=2), book("b"), book("c")])[0] == 500
    monkeypatch.undo()
    assert found(books) == {"a"}
    assert fetched(books, "a")["a"]["year"] == 1
    books.result("data/upsert", data=[book("d")])
    assert found(books) == {"a", "d"}


def test_a_committed_write_is_seen_even_if_the_arrays_could_not_follow(
    books: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    books.result("data/upsert", data=[book("a")])
    assert found(books) == {"a"}

    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("vikingdb_local.engine.segment.Segment.append", fail)
    books.result("data/upsert", data=[book("b")])
    monkeypatch.undo()
    assert found(books) == {"a", "b"}


@pytest.mark.parametrize("where", ["rows.put", "collection.Collection._publish", "segment.Segment.append"])
def test_an_interrupted_write_is_seen_whole_or_not_at_all(
    books: Wire, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    books.result("data/upsert", data=[book("a")])
    assert found(books) == {"a"}

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"vikingdb_local.engine.{where}", interrupt)
    with pytest.raises(KeyboardInterrupt):
        books.result("data/upsert", data=[book("b"), book("c")])
    monkeypatch.undo()
    assert found(books) == ({"a"} if where == "rows.put" else {"a", "b", "c"})
    assert set(fetched(books, "a", "b", "c")) == found(books)
    books.result("data/upsert", data=[book("d")])
    assert "d" in found(books)


@pytest.mark.parametrize("rows", [0, 101])
def test_a_batch_has_1_to_100_rows(books: Wire, rows: int) -> None:
    status, code, message = books.refusal("data/upsert", data=[book(f"r{n}") for n in range(rows)])
    assert (status, code) == (400, "InvalidParameter")
    assert "1 to 100" in message


def test_a_full_batch_is_taken(books: Wire) -> None:
    books.result("data/upsert", data=[book(f"r{n}") for n in range(100)])
    assert len(found(books)) == 100


@pytest.mark.parametrize(("ids", "says"), [([], "1 to 100"), ([f"{n}" for n in range(101)], "1 to 100")])
def test_a_fetch_takes_1_to_100_keys(books: Wire, ids: list[str], says: str) -> None:
    for path in ("data/fetch_in_collection", "data/fetch_in_index"):
        assert says in books.refusal(path, ids=ids)[2]


def test_an_update_changes_what_it_names_and_nothing_else(books: Wire) -> None:
    before = book("a", [0, 1, 0, 0], year=1965, genre="sf", tags=["x"])
    books.result("data/upsert", data=[before, book("b")])
    assert books.result("data/update", data=[{"id": "a", "year": 2000}, {"id": "b", "vec": [0, 0, 1, 0]}]) is None
    after = fetched(books, "a", "b")
    assert after["a"] == {**fetched(books, "a")["a"], **before, "year": 2000}
    assert after["b"]["vec"] == [0, 0, 1, 0]
    near = books.result("data/search/vector", dense_vector=[0, 0, 1, 0], limit=1)["data"]
    assert near[0]["id"] == "b"


def test_an_update_applies_rows_of_one_key_in_order(books: Wire) -> None:
    books.result("data/upsert", data=[book("a", year=1, genre="x")])
    books.result("data/update", data=[{"id": "a", "year": 2}, {"id": "a", "genre": "y"}, {"id": "a", "year": 3}])
    assert {name: fetched(books, "a")["a"][name] for name in ("year", "genre")} == {"year": 3, "genre": "y"}
    assert found(books) == {"a"}


def test_an_update_of_a_row_that_is_not_there_changes_nothing(client: VikingDB, books: Wire) -> None:
    books.result("data/upsert", data=[book("a", year=1)])
    collection = client.collection(collection_name="c")
    with pytest.raises(DataNotFound, match="'z'") as caught:
        collection.update({"data": [{"id": "a", "year": 2}, {"id": "z", "year": 2}]})
    assert (caught.value.code, caught.value.status_code) == ("NotFound.VikingdbData", 404)
    assert fetched(books, "a")["a"]["year"] == 1


@pytest.mark.parametrize("row", [{"year": 2}, {"id": "a", "year": None}, {"id": "a", "yaer": 2}, {"id": "", "year": 2}])
def test_a_wrong_update_is_refused(books: Wire, row: dict[str, Any]) -> None:
    books.result("data/upsert", data=[book("a")])
    assert books.refusal("data/update", data=[row])[:2] == (400, "InvalidParameter")


def test_deleting_is_idempotent(books: Wire) -> None:
    books.result("data/upsert", data=[book("a"), book("b")])
    for _ in range(2):
        assert books.result("data/delete", ids=["a", "never"]) is None
    assert found(books) == {"b"}
    assert fetched(books, "a") == {}


def test_everything_can_be_deleted_and_written_again(books: Wire) -> None:
    books.result("data/upsert", data=[book("a"), book("b")])
    assert books.result("data/delete", del_all=True, ids=None) is None
    assert found(books) == set()
    books.result("data/upsert", data=[book("a")])
    assert found(books) == {"a"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "MissingParameter"),
        ({"ids": []}, "MissingParameter"),
        ({"del_all": False}, "MissingParameter"),
        ({"ids": ["a"], "del_all": True}, "InvalidParameter"),
        ({"ids": [1]}, "InvalidParameter"),
        ({"ids": ["a"] * 101}, "InvalidParameter"),
    ],
)
def test_a_delete_has_to_say_what(books: Wire, body: dict[str, Any], code: str) -> None:
    assert books.refusal("data/delete", **body)[:2] == (400, code)


@pytest.mark.parametrize("path", ["data/upsert", "data/delete"])
def test_queued_writes_are_done_at_once(books: Wire, path: str) -> None:
    books.result("data/upsert", data=[book("a")])
    body: dict[str, Any] = {"data": [book("b")]} if path == "data/upsert" else {"ids": ["a"]}
    books.result(path, **body, **{"async": True})
    assert found(books) == ({"a", "b"} if path == "data/upsert" else set())


@pytest.mark.parametrize(
    ("kind", "key"), [("int64", 0), ("string", ""), ("string", "k" * 257), ("int64", "1"), ("string", 1)]
)
def test_an_impossible_key_is_refused(wire: Wire, kind: str, key: Any) -> None:
    wire.make({"Fields": [{"FieldName": "id", "FieldType": kind, "IsPrimaryKey": True}]}, {})
    assert wire.refusal("data/upsert", data=[{"id": key}])[:2] == (400, "InvalidParameter")


@pytest.mark.parametrize("key", [-1, 1, 2**53 + 1, 2**63 - 1, -(2**63)])
def test_integer_keys_have_64_bits(wire: Wire, key: int) -> None:
    wire.make({"Fields": [{"FieldName": "id", "FieldType": "int64", "IsPrimaryKey": True}]}, {})
    wire.result("data/upsert", data=[{"id": key}])
    assert wire.result("data/fetch_in_collection", ids=[key])["fetch"] == [{"id": key, "fields": {"id": key}}]
    assert wire.result("data/search/random", advance={"ids_in": [key]})["data"][0]["id"] == key


class TestGeneratedIds:
    @pytest.fixture
    def notes(self, wire: Wire) -> Wire:
        wire.make(
            {"Fields": [field for field in BOOK_FIELDS if field["FieldName"] in ("year", "vec")]}, {"VectorIndex": {}}
        )
        return wire

    def test_rows_without_a_key_get_distinct_ids_beyond_what_a_float_holds(self, notes: Wire) -> None:
        for year in (1, 2):
            assert notes.result("data/upsert", data=[{"year": year, "vec": [1, 0, 0, 0]}] * 2) is None
        hits = notes.result("data/search/random")["data"]
        assert len({hit["id"] for hit in hits}) == 4
        assert all(isinstance(hit["id"], int) and hit["id"] > 2**53 for hit in hits)
        assert all(hit["fields"]["__AUTO_ID__"] == hit["id"] for hit in hits)

    def test_a_row_is_addressed_by_its_generated_id(self, notes: Wire) -> None:
        notes.result("data/upsert", data=[{"year": 1, "vec": [1, 0, 0, 0]}])
        (hit,) = notes.result("data/search/random")["data"]
        notes.result("data/update", data=[{"__AUTO_ID__": hit["id"], "year": 7}])
        assert fetched(notes, hit["id"])[hit["id"]] == {"__AUTO_ID__": hit["id"], "year": 7, "vec": [1, 0, 0, 0]}
        assert notes.result("data/search/id", id=hit["id"])["data"][0]["id"] == hit["id"]
        notes.result("data/delete", ids=[hit["id"]])
        assert found(notes) == set()

    def test_a_generated_id_is_never_given_twice(self, notes: Wire) -> None:
        seen: set[int] = set()
        for _ in range(3):
            notes.result("data/upsert", data=[{"vec": [1, 0, 0, 0]}])
            (made,) = found(notes)
            assert made not in seen
            seen.add(made)
            notes.result("data/delete", del_all=True)

    def test_ids_cannot_be_brought(self, notes: Wire) -> None:
        for ignore in (False, True):
            row = {"__AUTO_ID__": 5, "vec": [1, 0, 0, 0]}
            status, code, message = notes.refusal("data/upsert", data=[row], ignore_unknown_fields=ignore)
            assert (status, code) == (400, "InvalidParameter")
            assert "__AUTO_ID__" in message


class TestLifetime:
    def test_a_row_is_gone_everywhere_when_its_time_is_over(self, books: Wire, clock: Clock) -> None:
        books.result("data/upsert", data=[book("a", title="short lived")], ttl=60)
        books.result("data/upsert", data=[book("b")])
        clock.seconds += 59
        assert found(books) == {"a", "b"}
        clock.seconds += 1
        assert found(books) == {"b"}
        assert fetched(books, "a") == {}
        assert books.result("data/fetch_in_index", ids=["a"])["ids_not_exist"] == ["a"]
        assert books.result("data/agg", op="count")["agg"] == {"__TOTAL__": 1}
        assert books.result("data/search/keywords", query="lived")["data"] == []
        assert books.refusal("data/search/id", id="a")[:2] == (404, "NotFound.VikingdbData")
        assert books.refusal("data/update", data=[{"id": "a", "year": 1}])[:2] == (404, "NotFound.VikingdbData")

    def test_an_expired_key_can_be_written_again(self, books: Wire, clock: Clock) -> None:
        books.result("data/upsert", data=[book("a", year=1)], ttl=1)
        clock.seconds += 2
        books.result("data/upsert", data=[book("a", year=2)])
        assert fetched(books, "a")["a"]["year"] == 2
        assert found(books) == {"a"}

    def test_an_upsert_without_ttl_lets_the_row_live(self, books: Wire, clock: Clock) -> None:
        books.result("data/upsert", data=[book("a")], ttl=10)
        books.result("data/upsert", data=[book("a")])
        clock.seconds += 11
        assert found(books) == {"a"}

    @pytest.mark.parametrize(("ttl", "lives"), [(None, False), (0, True), (100, True), (5, False)])
    def test_an_update_keeps_the_expiry_unless_it_names_one(
        self, books: Wire, clock: Clock, ttl: int | None, lives: bool
    ) -> None:
        books.result("data/upsert", data=[book("a")], ttl=10)
        books.result("data/update", data=[{"id": "a", "year": 1}], ttl=ttl)
        clock.seconds += 11
        assert (found(books) == {"a"}) is lives

    @pytest.mark.parametrize("ttl", [-1, 2**31, "60", 1.5])
    def test_an_impossible_ttl_is_refused(self, books: Wire, ttl: Any) -> None:
        assert books.refusal("data/upsert", data=[book("a")], ttl=ttl)[:2] == (400, "InvalidParameter")


def test_many_changes_to_few_rows_leave_the_right_ones(books: Wire) -> None:
    for year in range(30):
        books.result("data/upsert", data=[book(f"r{n}", year=year) for n in range(100)])
        books.result("data/delete", ids=[f"r{n}" for n in range(0, 100, 3)])
    hits = books.result("data/search/random", limit=1000)["data"]
    assert {hit["id"] for hit in hits} == {f"r{n}" for n in range(100) if n % 3}
    assert {hit["fields"]["year"] for hit in hits} == {29}
