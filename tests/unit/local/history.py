"""A history of a collection: an engine and an oracle are told the same, and every answer is compared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import note
from hypothesis import strategies as st

from tests.unit.local.oracle import (
    AUTO_ID,
    Key,
    Oracle,
    Refused,
    Row,
    Shape,
    dense_score,
    ranked,
    single,
    sparse_score,
)
from tests.unit.local.oracle_ranking import bm25, counts, post_processed
from tests.unit.local.searches import searches
from tests.unit.local.wire import HASHED, Clock, Wire
from tests.unit.local.worlds import (
    ADDABLE,
    INDEXABLE,
    analyzed,
    batches,
    described,
    filters,
    keys,
    kinds,
    known_keys,
    patches,
    vectors,
)
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.transport import TransportSettings
from vikingdb_local.transport import LocalTransport

EVERYTHING = 100_000
OVERSAMPLE, PAGE = 3, 10
TOLERANCE = 2e-6
LOOKS = 3
CHANGES = [*["upsert", "update", "open_again"] * 3, *["delete", "wait", "add_field"] * 2, "delete_all"]

Draw = Callable[[st.SearchStrategy[Any]], Any]


class History:
    """An engine and an oracle that are told the same."""

    def __init__(self, shape: Shape, folder: Path | None, draw: Draw) -> None:
        self.clock, self.draw = Clock(), draw
        self.is_kept = folder is not None
        self.endpoint = Endpoint.parse(f"local://{folder.as_posix()}?embedder=hash-v1" if folder else HASHED)
        self.open()
        self.shape, self.oracle = shape, Oracle(shape)
        self.wait(0)
        fields = [described(name, kind) for name, kind in shape.fields.items()]
        kind = "hnsw_hybrid" if shape.is_hybrid else "hnsw"
        vector_index = {"VectorIndex": {"IndexType": kind, "Distance": shape.distance, "Quant": "float"}}
        self.wire.make(
            {"Fields": fields, "FullText": [analyzed(*item) for item in shape.words.items()]},
            {"ScalarIndex": shape.covered, **(vector_index if shape.distance else {})},
        )

    def open(self) -> None:
        self.wire = Wire(LocalTransport(self.endpoint, TransportSettings(), clock=self.clock), self.endpoint)

    def close(self) -> None:
        self.wire.transport.close()

    def settle(self) -> None:
        """Let what is made in the background be there, most of the time."""
        session = self.wire.transport._session
        assert session is not None
        if self.draw(st.integers(0, 3)):
            session.catalog.upkeep.settle()

    @property
    def there(self) -> list[Key]:
        return list(self.oracle.rows)

    def call(self, path: str, **body: Any) -> Any:
        note(f"{path} {body}")
        return self.wire.result(path, **body)

    def refuse(self, path: str, code: str, **body: Any) -> None:
        note(f"{path} {body}")
        assert self.wire.refusal(path, **body)[1] == code

    def change(self) -> None:
        getattr(self, self.draw(st.sampled_from(CHANGES)))()

    def upsert(self) -> None:
        given = self.draw(batches(self.shape))
        ttl = self.draw(st.sampled_from([None, 0, 1, 30, 30]))
        try:
            whole = [self.oracle.whole(row) for row in given]
        except Refused as refused:
            self.refuse("data/upsert", str(refused), data=given, ttl=ttl)
            return
        self.call("data/upsert", data=given, ttl=ttl)
        new = [row["id"] for row in whole] if self.shape.key == "id" else self.generated(whole)
        self.oracle.upsert(zip(new, whole, strict=True), ttl)

    def generated(self, whole: list[Row]) -> list[Key]:
        """The ids that rows were given, told by what they hold."""
        known = set(self.there)
        found = self.wire.result("data/search/random", limit=EVERYTHING, output_fields=[])["data"]
        fetched = self.fetch([hit["id"] for hit in found if hit["id"] not in known])
        keys: list[Key] = []
        for row in whole:
            key = next(key for key, fields in fetched.items() if fields == {AUTO_ID: key, **row})
            keys.append(key)
            del fetched[key]
        assert fetched == {}
        return keys

    def update(self) -> None:
        given = self.draw(st.lists(patches(self.shape, self.there), min_size=1, max_size=4))
        ttl = self.draw(st.sampled_from([None, None, None, 0, 30]))
        try:
            self.oracle.update(given, ttl)
        except Refused as refused:
            self.refuse("data/update", str(refused), data=given, ttl=ttl)
        else:
            self.call("data/update", data=given, ttl=ttl)

    def delete(self) -> None:
        gone = self.draw(st.lists(known_keys(self.shape, self.there), min_size=1, max_size=4))
        self.call("data/delete", ids=gone)
        self.oracle.delete(gone)

    def delete_all(self) -> None:
        self.call("data/delete", del_all=True)
        self.oracle.delete(list(self.oracle._rows))
        self.upsert()

    def wait(self, seconds: float | None = None) -> None:
        self.clock.seconds += self.draw(st.sampled_from([0.001, 0.999, 1, 29, 30])) if seconds is None else seconds
        self.oracle.now_ms = int(self.clock.seconds * 1000)

    def add_field(self) -> None:
        type = self.draw(st.sampled_from([*ADDABLE, "date_time", "geo_point"]))  # these rows may lack
        name, kind = f"more{len(self.shape.fields)}", self.draw(kinds(type))
        body: Row = {"CollectionName": "c", "Fields": [described(name, kind)]}
        plain = [text for text in self.shape.of_type("text") if text not in self.shape.words]
        if plain and self.draw(st.booleans()):
            body["FullText"] = [analyzed(plain[0], ("standard", False))]
            self.shape.words[plain[0]] = ("standard", False)
        self.act("UpdateVikingdbCollection", body)
        self.oracle.add_field(name, kind)
        if type in INDEXABLE and self.draw(st.integers(0, 3)):
            self.act("UpdateVikingdbIndex", {"CollectionName": "c", "IndexName": "i", "ScalarIndex": [name]})
            self.shape.covered.append(name)

    def act(self, action: str, body: Row) -> Any:
        note(f"{action} {body}")
        status, answer = self.wire.act(action, body)
        assert status == 200, answer
        return answer["Result"]

    def open_again(self) -> None:
        if self.is_kept:
            note("open again")
            self.close()
            self.open()

    def look(self) -> None:
        for _ in range(LOOKS):
            self.compare(*self.draw(searches(self.shape, self.there)))
        self.count()

    def look_up(self) -> None:
        asked = [*self.there, *self.draw(st.lists(keys(self.shape), max_size=3))][:100]
        if asked:
            found = self.fetch(asked)
            kept = self.oracle.rows
            assert found == {key: kept[key] | self.own_key(key) for key in dict.fromkeys(asked) if key in kept}
            self.look_into_the_index(asked)
        stats = self.act("GetVikingdbCollection", {"CollectionName": "c"})["CollectionStats"]
        assert stats["DataCount"] == len(self.oracle.rows)

    def own_key(self, key: Key) -> Row:
        return {AUTO_ID: key} if self.shape.key == AUTO_ID else {}

    def fetch(self, asked: list[Key]) -> dict[Key, Row]:
        if not asked:
            return {}
        result = self.call("data/fetch_in_collection", ids=asked)
        found = {item["id"]: item["fields"] for item in result["fetch"]}
        assert [*found, *result["ids_not_exist"]] == sorted(dict.fromkeys(asked), key=lambda key: key not in found)
        return found

    def look_into_the_index(self, asked: list[Key]) -> None:
        items = self.call("data/fetch_in_index", ids=asked)["fetch"]
        assert [item["fields"] for item in items] == [self.oracle.document(item["id"], None) for item in items]
        if self.shape.is_hybrid:
            kept = self.oracle.rows
            assert [item["sparse_vector"] for item in items] == [kept[item["id"]].get("w", {}) for item in items]
        if self.shape.distance:
            query = self.draw(vectors)
            result = self.call("data/sort", ids=asked, query_vector=query)
            scores = {item["id"]: self.nearness(self.oracle.rows[item["id"]], query) for item in items}
            self.same([(item["id"], item["score"]) for item in result["sort"]], ranked(scores))

    def nearness(self, row: Row, query: list[float], sparse: Row | None = None, weight: float | None = None) -> float:
        dense = dense_score(self.shape.distance, row["vec"], query)
        if not sparse:
            return dense
        weight = 0.5 if weight is None else weight
        return weight * single(dense) + (1 - weight) * sparse_score(row.get("w"), sparse)

    def compare(self, kind: str, body: Row) -> None:
        kept, advance = self.oracle.rows, body.get("advance", {})
        if kind == "id" and body["id"] not in kept:
            self.refuse("data/search/id", "NotFound.VikingdbData", **body)
            return
        matching = self.oracle.matching(body["filter"])
        admitted = {
            key: row
            for key, row in matching.items()
            if key in advance.get("ids_in", [key]) and key not in advance.get("ids_not_in", [])
        }
        result = self.call(f"data/search/{kind}", **body)
        hits = [(hit["id"], hit["score"]) for hit in result["data"]]
        assert result.get("filter_matched_count") == (len(matching) if body["filter"] else None)
        assert result["total_return_count"] == len(hits)
        for hit in result["data"]:
            assert hit["fields"] == self.oracle.document(hit["id"], body["output_fields"])
        first = body["offset"] or 0
        last = first + (body["limit"] or PAGE)
        if kind == "random":
            assert len(hits) == len({key for key, _ in hits} & set(admitted)) == len(list(admitted)[first:last])
            return
        expected = self.rank(kind, body, admitted, result)
        operators = advance.get("post_process_ops") or []
        if operators:
            most = max(last, advance.get("post_process_input_limit") or OVERSAMPLE * last)
            expected = post_processed(self.oracle, expected[:most], operators)
        self.same(
            hits, [(key, score if isinstance(score, int) else single(score)) for key, score in expected][first:last]
        )

    def rank(self, kind: str, body: Row, admitted: dict[Key, Row], result: Row) -> list[tuple[Key, float]]:
        if kind == "scalar":
            name = body["field"]
            return ranked(
                {key: row[name] for key, row in admitted.items() if name in row}, ascending=body["order"] == "asc"
            )
        if kind == "keywords":
            scores, effective = bm25(self.oracle, body)
            assert result["effective_keywords"] == effective
            return ranked({key: score for key, score in scores.items() if key in admitted})
        query = body["dense_vector"] if kind == "vector" else self.oracle.rows[body["id"]]["vec"]
        sparse, weight = body.get("sparse_vector"), body.get("advance", {}).get("dense_weight")
        return ranked({key: self.nearness(row, query, sparse, weight) for key, row in admitted.items()})

    def same(self, hits: list[tuple[Key, float]], expected: list[tuple[Key, float]]) -> None:
        """The same rows in the same order; where scores differ by less than rounding, in some order."""
        assert [score for _, score in hits] == pytest.approx(
            [score for _, score in expected], rel=TOLERANCE, abs=TOLERANCE
        )
        differ = [pair for pair in zip(hits, expected, strict=True) if pair[0][0] != pair[1][0]]
        known = dict(expected)
        for (key, score), (_, wanted) in differ:
            assert known.get(key, wanted) == pytest.approx(score, rel=TOLERANCE, abs=TOLERANCE)
            assert known.get(key) != wanted, "equal scores come by key"

    def count(self) -> None:
        groupable = self.shape.filterable("string", "int64", "bool")
        if not groupable:
            return
        condition = self.draw(filters(self.shape))
        matching = self.oracle.matching(condition)
        total = self.call("data/agg", op="count", filter=condition)
        assert total == {"op": "count", "field": "__NONE__", "agg": {"__TOTAL__": len(matching)}}
        request: Row = {
            "field": self.draw(st.sampled_from(groupable)),
            "cond": self.draw(st.sampled_from([None, {"gt": 1}, {"gte": 2}])),
            "order": self.draw(st.sampled_from([None, "asc", "desc"])),
        }
        found = self.call("data/agg", op="count", filter=condition, **request)["agg"]
        assert list(found.items()) == counts(matching, request)
