"""Sparse vectors, hybrid indexes, tensors, and media that are kept and not understood."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.local.wire import HASHED, Clock, Wire
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.transport import TransportSettings
from vikingdb_local.transport import LocalTransport

KEY = {"FieldName": "id", "FieldType": "int64", "IsPrimaryKey": True}
VECTOR = {"FieldName": "vec", "FieldType": "vector", "Dim": 4}
SPARSE = {"FieldName": "words", "FieldType": "sparse_vector"}
TENSOR = {"FieldName": "tokens", "FieldType": "tensor", "NDim": 2, "Shape": [4, 4]}
KIND = {"FieldName": "kind", "FieldType": "string"}
TEXT = {"FieldName": "text", "FieldType": "text"}
HYBRID = {"IndexType": "hnsw_hybrid", "Distance": "ip", "Quant": "float"}
TOKENS = ["storm", "sea", "ship", "bread", "7"]

weights = st.dictionaries(st.sampled_from(TOKENS), st.integers(-4, 4).map(float), max_size=4)
vectors = st.lists(st.integers(-4, 4).map(float), min_size=4, max_size=4)


@pytest.fixture
def hybrid(wire: Wire) -> Wire:
    wire.make({"Fields": [KEY, VECTOR, SPARSE, KIND]}, {"VectorIndex": HYBRID})
    wire.result(
        "data/upsert",
        data=[
            {"id": 1, "vec": [1, 0, 0, 0], "words": {"storm": 2.0, "sea": 1.0}, "kind": "a"},
            {"id": 2, "vec": [3, 0, 0, 0], "words": {"bread": 1.5}, "kind": "b"},
            {"id": 3, "vec": [0, 1, 0, 0], "words": {"sea": 4.0}, "kind": "a"},
            {"id": 4, "vec": [2, 0, 0, 0], "kind": "b"},
        ],
    )
    return wire


def scores(found: Any) -> dict[int, float]:
    return {hit["id"]: hit["score"] for hit in found["data"]}


def test_a_hybrid_search_adds_both_kinds_of_score_with_a_weight(hybrid: Wire) -> None:
    query = {"dense_vector": [1, 0, 0, 0], "sparse_vector": {"sea": 2.0, "storm": 0.5}}
    found = hybrid.result("data/search/vector", **query)
    assert scores(found) == {3: 4, 1: 2, 2: 1.5, 4: 1}
    assert [hit["id"] for hit in found["data"]] == [3, 1, 2, 4]
    assert "words" not in found["data"][0]["fields"]
    found = hybrid.result("data/search/vector", **query, advance={"dense_weight": 0.8})
    assert scores(found) == pytest.approx({2: 2.4, 4: 1.6, 3: 1.6, 1: 1.4})
    found = hybrid.result(
        "data/search/vector", **query, filter={"op": "must", "field": "kind", "conds": ["a"]}, limit=1
    )
    assert scores(found) == {3: 4}


def test_without_a_sparse_query_a_hybrid_index_compares_vectors_alone(hybrid: Wire) -> None:
    for sparse in ({}, {"sparse_vector": {}}, {"sparse_vector": None}):
        found = hybrid.result("data/search/vector", dense_vector=[1, 0, 0, 0], **sparse)
        assert scores(found) == {2: 3, 4: 2, 1: 1, 3: 0}


@given(
    rows=st.lists(st.tuples(vectors, weights), min_size=1, max_size=12),
    dense=vectors,
    sparse=weights.filter(bool),
    weight=st.sampled_from([0.2, 0.5, 0.75, 1.0]),
    distance=st.sampled_from(["ip", "l2", "cosine"]),
    limit=st.integers(1, 12),
)
def test_hybrid_scores_are_those_of_plain_arithmetic(
    rows: list[tuple[list[float], dict[str, float]]],
    dense: list[float],
    sparse: dict[str, float],
    weight: float,
    distance: str,
    limit: int,
) -> None:
    endpoint = Endpoint.parse(HASHED)
    wire = Wire(LocalTransport(endpoint, TransportSettings(), clock=Clock()), endpoint)
    wire.make({"Fields": [KEY, VECTOR, SPARSE]}, {"VectorIndex": {**HYBRID, "Distance": distance}})
    wire.result("data/upsert", data=[{"id": n, "vec": v, "words": w} for n, (v, w) in enumerate(rows, 1)])

    def near(vector: list[float]) -> float:
        product = math.fsum(a * b for a, b in zip(vector, dense, strict=True))
        if distance == "l2":
            return 1 - math.fsum((a - b) ** 2 for a, b in zip(vector, dense, strict=True))
        lengths = math.hypot(*vector) * math.hypot(*dense)
        return product if distance == "ip" else (product / lengths if lengths else 0.0)

    expected = {
        n: weight * near(v) + (1 - weight) * math.fsum(w.get(token, 0) * each for token, each in sparse.items())
        for n, (v, w) in enumerate(rows, 1)
    }
    found = wire.result(
        "data/search/vector",
        dense_vector=dense,
        sparse_vector=sparse,
        limit=limit,
        advance={"dense_weight": weight},
    )
    best = sorted(expected, key=lambda key: (-round(expected[key], 5), key))[:limit]
    assert [hit["score"] for hit in found["data"]] == pytest.approx([expected[key] for key in best], abs=1e-5)
    assert scores(found) == pytest.approx({key: expected[key] for key in scores(found)}, abs=1e-5)


def test_a_sparse_vector_follows_its_row(hybrid: Wire) -> None:
    query = {"dense_vector": [0, 0, 0, 0], "sparse_vector": {"bread": 2.0}, "limit": 4}
    hybrid.result("data/update", data=[{"id": 1, "words": {"bread": 9.0}}])
    hybrid.result("data/upsert", data=[{"id": 2, "vec": [0, 0, 0, 1]}])
    hybrid.result("data/delete", ids=[3])
    assert scores(hybrid.result("data/search/vector", **query)) == {1: 9, 2: 0, 4: 0}
    fetched = hybrid.result("data/fetch_in_collection", ids=[1])["fetch"][0]["fields"]
    assert fetched == {"id": 1, "kind": "a", "vec": [1, 0, 0, 0], "words": {"bread": 9}}
    (item,) = hybrid.result("data/fetch_in_index", ids=[1])["fetch"]
    assert (item["sparse_vector"], item["dense_dim"], item["fields"]) == ({"bread": 9}, 4, {"id": 1, "kind": "a"})


def test_other_indexes_of_the_collection_know_nothing_of_sparse_vectors(hybrid: Wire) -> None:
    plain = {"IndexType": "flat", "Distance": "cosine", "Quant": "float"}
    hybrid.act("CreateVikingdbIndex", {"CollectionName": "c", "IndexName": "i2", "VectorIndex": plain})
    body = {"index_name": "i2", "dense_vector": [1, 0, 0, 0]}
    assert "not hybrid" in hybrid.refusal("data/search/vector", **body, sparse_vector={"sea": 1.0})[2]
    assert scores(hybrid.result("data/search/vector", **body)) == {1: 1, 2: 1, 4: 1, 3: 0}
    (item,) = hybrid.result("data/fetch_in_index", index_name="i2", ids=[1])["fetch"]
    assert "sparse_vector" not in item


def test_a_model_makes_sparse_vectors_too(wire: Wire) -> None:
    model = {"ModelName": "bge-m3", "TextField": "text"}
    wire.make({"Fields": [KEY, TEXT], "Vectorize": {"Dense": model, "Sparse": model}}, {"VectorIndex": HYBRID})
    for key, text in enumerate(["a storm over the sea", "bread and butter", "butter in a storm"], 1):
        result = wire.result("data/upsert", data=[{"id": key, "text": text}])
        assert list(result["token_usage"]) == ["bge-m3__default"]
    found = wire.result("data/search/multi_modal", text="butter bread", advance={"dense_weight": 0.2})
    assert [hit["id"] for hit in found["data"]] == [2, 3, 1]
    wire.result("data/update", data=[{"id": 1, "text": "bread bread butter"}])
    found = wire.result("data/search/multi_modal", text="bread", advance={"dense_weight": 0.2}, output_fields=[])
    assert {hit["id"] for hit in found["data"][:2]} == {1, 2}
    fetched = wire.result("data/fetch_in_collection", ids=[1])["fetch"][0]["fields"]
    assert fetched == {"id": 1, "text": "bread bread butter"}
    (item,) = wire.result("data/fetch_in_index", ids=[1])["fetch"]
    assert set(item["sparse_vector"]) == {"bread", "butter"}


def test_hits_are_ordered_by_late_interaction(wire: Wire) -> None:
    wire.make({"Fields": [KEY, VECTOR, TENSOR]}, {"VectorIndex": {"IndexType": "flat", "Distance": "ip"}})
    wire.result(
        "data/upsert",
        data=[
            {"id": 1, "vec": [3, 0, 0, 0], "tokens": [[1, 0, 0, 0], [0, 1, 0, 0]]},
            {"id": 2, "vec": [2, 0, 0, 0], "tokens": [[5, 0, 0, 0]]},
            {"id": 3, "vec": [1, 0, 0, 0]},
            {"id": 4, "vec": [0, 0, 0, 0], "tokens": [[9, 9, 9, 9]]},
        ],
    )
    rerank = {"tensor": [[1, 0, 0, 0], [0, 2, 0, 0]], "input_limit": 3}
    found = wire.result("data/search/vector", dense_vector=[1, 0, 0, 0], tensor_rerank=rerank)
    assert scores(found) == {2: 5, 1: 3}
    assert [(hit["id"], hit["ann_score"]) for hit in found["data"]] == [(2, 2), (1, 3)]
    assert "tokens" not in found["data"][0]["fields"]
    everything = {**rerank, "input_limit": 10}
    found = wire.result("data/search/vector", dense_vector=[1, 0, 0, 0], tensor_rerank=everything, limit=1)
    assert scores(found) == {4: 27}
    fetched = wire.result("data/fetch_in_collection", ids=[2])["fetch"][0]["fields"]
    assert fetched["tokens"] == [[5, 0, 0, 0]]


def test_a_tensor_rerank_takes_as_many_rows_as_are_asked_for(wire: Wire) -> None:
    wire.make({"Fields": [KEY, VECTOR, TENSOR]}, {"VectorIndex": {"IndexType": "flat", "Distance": "ip"}})
    rows = [{"id": n, "vec": [n, 0, 0, 0], "tokens": [[n, 0, 0, 0]]} for n in range(1, 151)]
    for start in (0, 100):
        wire.result("data/upsert", data=rows[start : start + 100])
    query = {"dense_vector": [1, 0, 0, 0], "tensor_rerank": {"tensor": [[1, 0, 0, 0]]}}
    assert len(wire.result("data/search/vector", **query, limit=140)["data"]) == 140
    assert [hit["id"] for hit in wire.result("data/search/vector", **query, limit=2, offset=120)["data"]] == [30, 29]


def test_media_are_kept_as_they_were_given(wire: Wire) -> None:
    media = [{"FieldName": "pic", "FieldType": "image"}, {"FieldName": "film", "FieldType": "video"}]
    wire.make({"Fields": [KEY, *media]}, {})
    film = {"value": "https://example.com/a.mp4", "fps": 0.5}
    wire.result("data/upsert", data=[{"id": 1, "pic": "tos://bucket/key.png", "film": film}, {"id": 2}])
    found = {hit["id"]: hit["fields"] for hit in wire.result("data/search/random")["data"]}
    assert found == {1: {"id": 1, "pic": "tos://bucket/key.png", "film": film}, 2: {"id": 2}}


ROWS: list[tuple[dict[str, Any], str]] = [
    ({"words": ["storm"]}, "an object of weights by token"),
    ({"words": {"": 1.0}}, "tokens of 1 to 256 bytes"),
    ({"words": {"storm": "1"}}, "token 'storm' takes a number"),
    ({"words": {"storm": 1e39}}, "single precision"),
    ({"words": None}, "not null"),
    ({"tokens": []}, "1 to 4 rows of 4 numbers"),
    ({"tokens": [[1, 0, 0, 0]] * 5}, "1 to 4 rows of 4 numbers"),
    ({"tokens": [[1, 0, 0]]}, "row 0 takes 4 numbers"),
    ({"tokens": [[1, 0, 0, True]]}, "element 3 takes a number"),
    ({"pic": "ftp://x"}, "begins with tos://"),
    ({"film": "tos://b/k"}, "takes an object such as"),
    ({"film": {"value": "tos://b/k", "fps": 9}}, "0.2 to 5"),
    ({"film": {"value": "tos://b/k", "sound": True}}, "takes an object such as"),
]


@pytest.mark.parametrize(("row", "says"), ROWS)
def test_impossible_values_are_refused(wire: Wire, row: dict[str, Any], says: str) -> None:
    media = [{"FieldName": "pic", "FieldType": "image"}, {"FieldName": "film", "FieldType": "video"}]
    wire.make({"Fields": [KEY, VECTOR, SPARSE, TENSOR, *media]}, {"VectorIndex": HYBRID})
    status, code, message = wire.refusal("data/upsert", data=[{"id": 1, "vec": [1, 0, 0, 0], **row}])
    assert (status, code) == (400, "InvalidParameter")
    assert says in message
    assert wire.result("data/agg", op="count")["agg"] == {"__TOTAL__": 0}


COLLECTIONS: list[tuple[dict[str, Any], str, str]] = [
    ({"Fields": [KEY, SPARSE]}, "InvalidParameter", "goes with a vector field"),
    ({"Fields": [KEY, VECTOR, SPARSE, {**SPARSE, "FieldName": "w2"}]}, "InvalidParameter", "one at most"),
    ({"Fields": [KEY, VECTOR, {"FieldName": "t", "FieldType": "tensor"}]}, "MissingParameter", "Shape"),
    ({"Fields": [KEY, VECTOR, {**TENSOR, "Shape": [1, 4]}]}, "InvalidParameter", "2 to 64"),
    ({"Fields": [KEY, VECTOR, {**TENSOR, "Shape": [4, 12]}]}, "InvalidParameter", "multiple of 8"),
    (
        {"Fields": [KEY, TEXT], "Vectorize": {"Sparse": {"ModelName": "bge-m3", "TextField": "text"}}},
        "MissingParameter",
        "Dense",
    ),
    (
        {
            "Fields": [KEY, TEXT],
            "Vectorize": {
                "Dense": {"ModelName": "bge-m3", "TextField": "text"},
                "Sparse": {"ModelName": "bge-large-zh"},
            },
        },
        "InvalidParameter",
        "makes no sparse vectors",
    ),
]


@pytest.mark.parametrize(("body", "code", "says"), COLLECTIONS)
def test_impossible_collections_are_refused(wire: Wire, body: dict[str, Any], code: str, says: str) -> None:
    status, answer = wire.act("CreateVikingdbCollection", {"CollectionName": "x", **body})
    error = answer["ResponseMetadata"]["Error"]
    assert (status, error["Code"]) == (400, code), error
    assert says in error["Message"]


def test_a_hybrid_index_needs_sparse_vectors(books: Wire) -> None:
    body = {"CollectionName": "c", "IndexName": "j", "VectorIndex": HYBRID}
    status, answer = books.act("CreateVikingdbIndex", body)
    assert (status, answer["ResponseMetadata"]["Error"]["Code"]) == (400, "InvalidParameter")
    assert "needs sparse vectors" in answer["ResponseMetadata"]["Error"]["Message"]


def test_an_index_cannot_become_hybrid_nor_cease_to_be(hybrid: Wire) -> None:
    plain = {"IndexType": "flat", "Distance": "ip", "Quant": "float"}
    hybrid.act("CreateVikingdbIndex", {"CollectionName": "c", "IndexName": "flat", "VectorIndex": plain})
    for name, kind in (("i", "hnsw"), ("flat", "hnsw_hybrid")):
        body = {"CollectionName": "c", "IndexName": name, "VectorIndex": {"IndexType": kind}}
        status, answer = hybrid.act("UpdateVikingdbIndex", body)
        assert (status, answer["ResponseMetadata"]["Error"]["Code"]) == (400, "InvalidParameter")


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        ({"sparse_vector": {"storm": "x"}}, "InvalidParameter", "sparse_vector"),
        ({"advance": {"dense_weight": 0.1}}, "InvalidParameter", "0.2 to 1"),
        ({"tensor_rerank": {"tensor": [[1, 0, 0, 0]], "input_limit": 5}}, "InvalidParameter", "tensor field"),
    ],
)
def test_impossible_searches_are_refused(hybrid: Wire, body: dict[str, Any], code: str, says: str) -> None:
    status, given_code, message = hybrid.refusal("data/search/vector", dense_vector=[1, 0, 0, 0], **body)
    assert (status, given_code) == (400, code), message
    assert says in message
