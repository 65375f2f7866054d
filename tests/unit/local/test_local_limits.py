"""Limits: the most the specification allows (§12, of two values the larger) is taken, one more is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.local.wire import Wire, book

Answer = tuple[int, Any]
Try = Callable[[Wire, int], Answer]
"""Asks for so much of something."""

KEY = {"FieldName": "id", "FieldType": "string", "IsPrimaryKey": True}
VECTOR = {"FieldName": "vec", "FieldType": "vector", "Dim": 4}
TEXT = {"FieldName": "text", "FieldType": "text"}
TENSOR = {"FieldName": "t", "FieldType": "tensor", "Shape": [2, 4]}
FLAT = {"IndexType": "flat", "Distance": "ip", "Quant": "float"}
MODEL = {"ModelName": "bge-m3", "TextField": "text"}
QUERY = [1, 0, 0, 0]


def of_bytes(size: int) -> str:
    """A text that has fewer characters than bytes."""
    return "é" * (size // 2) + "x" * (size % 2)


def data(path: str, **body: Any) -> Callable[[Wire], Answer]:
    return lambda wire: wire.data(path, {"collection_name": "c", "index_name": "i", **body})


def act(action: str, **body: Any) -> Callable[[Wire], Answer]:
    return lambda wire: wire.act(action, body)


def on_books(call: Callable[[int], Callable[[Wire], Answer]]) -> Try:
    """On a collection of all kinds of fields that brings its own vectors."""

    def ask(wire: Wire, size: int) -> Answer:
        fields = [
            KEY,
            VECTOR,
            TENSOR,
            {"FieldName": "title", "FieldType": "text"},
            *({"FieldName": name, "FieldType": kind} for name, kind in FIELDS.items()),
        ]
        wire.make({"Fields": fields, "FullText": [{"Field": "title"}]}, {"VectorIndex": FLAT})
        return call(size)(wire)

    return ask


def on_passages(call: Callable[[int], Callable[[Wire], Answer]]) -> Try:
    """On a collection that embeds its text."""

    def ask(wire: Wire, size: int) -> Answer:
        wire.make({"Fields": [KEY, TEXT], "Vectorize": {"Dense": MODEL}}, {"VectorIndex": FLAT})
        return call(size)(wire)

    return ask


FIELDS = {"s": "string", "ls": "list<string>", "li": "list<int64>"}


def value(field: str, make: Callable[[int], Any]) -> Try:
    return on_books(lambda size: data("data/upsert", data=[book("k", **{field: make(size)})]))


def searching(path: str, make: Callable[[int], dict[str, Any]]) -> Try:
    return on_books(lambda size: data(f"data/search/{path}", **make(size)))


def many_collections(wire: Wire, count: int) -> Answer:
    for number in range(1, count):
        wire.act("CreateVikingdbCollection", {"CollectionName": f"c{number}", "Fields": [KEY]})
    return wire.act("CreateVikingdbCollection", {"CollectionName": "last", "Fields": [KEY]})


def many_indexes(wire: Wire, count: int) -> Answer:
    """Two thirds of them on one collection: the limit is of all together."""
    for name in ("a", "b"):
        wire.act("CreateVikingdbCollection", {"CollectionName": name, "Fields": [KEY]})
    for number in range(1, count):
        name = "b" if number % 3 else "a"
        wire.act("CreateVikingdbIndex", {"CollectionName": name, "IndexName": f"i{number}"})
    return wire.act("CreateVikingdbIndex", {"CollectionName": "a", "IndexName": "last"})


def created(make: Callable[[int], dict[str, Any]]) -> Try:
    return lambda wire, size: act("CreateVikingdbCollection", **{"CollectionName": "x", "Fields": [KEY], **make(size)})(
        wire
    )


def indexed(make: Callable[[int], dict[str, Any]]) -> Try:
    return on_books(
        lambda size: act(
            "CreateVikingdbIndex", **{"CollectionName": "c", "IndexName": "x", "VectorIndex": FLAT, **make(size)}
        )
    )


def nested(depth: int) -> dict[str, Any]:
    node: dict[str, Any] = {"op": "must", "field": "s", "conds": ["x"]}
    for _ in range(depth - 1):
        node = {"op": "and", "conds": [node]}
    return node


def embedded(wire: Wire, size: int) -> Answer:
    """A body of so many bytes."""
    empty = len(b'{"dense_model": {"name": "bge-m3"}, "data": [{"text": ""}]}')
    return wire.data("embedding", {"dense_model": {"name": "bge-m3"}, "data": [{"text": "x" * (size - empty)}]})


def embedding(count: int) -> Callable[[Wire], Answer]:
    return data_alone("embedding", dense_model={"name": "bge-m3"}, data=[{"text": "x"}] * count)


def data_alone(path: str, **body: Any) -> Callable[[Wire], Answer]:
    return lambda wire: wire.data(path, body)


def reranked(count: int) -> Callable[[Wire], Answer]:
    parts = [{"text": "x"}]
    return data_alone("rerank", model_name="doubao-seed-rerank", data=[parts] * count, query=parts)


def rerank_of(size: int) -> dict[str, Any]:
    return {"model_name": "doubao-seed-rerank", "model_version": "251028", "input_limit": size}


INVALID = "InvalidParameter"
LIMITS: dict[str, tuple[int, str, Try]] = {
    # of a call
    "rows of an upsert": (
        100,
        INVALID,
        on_books(lambda n: data("data/upsert", data=[book(f"k{k}") for k in range(n)])),
    ),
    "rows of an update": (100, INVALID, on_books(lambda n: data("data/update", data=[{"id": "k"}] * n))),
    "rows to be embedded": (
        1,
        INVALID,
        on_passages(lambda n: data("data/upsert", data=[{"id": "k", "text": "x"}] * n)),
    ),
    "ids to delete": (100, INVALID, on_books(lambda n: data("data/delete", ids=["k"] * n))),
    "ids to fetch": (100, INVALID, on_books(lambda n: data("data/fetch_in_collection", ids=["k"] * n))),
    "ids to fetch in an index": (100, INVALID, on_books(lambda n: data("data/fetch_in_index", ids=["k"] * n))),
    "ids to sort": (100, INVALID, on_books(lambda n: data("data/sort", ids=["k"] * n, query_vector=QUERY))),
    "ttl": (2**31 - 1, INVALID, on_books(lambda n: data("data/upsert", data=[book("k")], ttl=n))),
    # of a search
    "limit": (100_000, INVALID, searching("vector", lambda n: {"dense_vector": QUERY, "limit": n})),
    "post_process_input_limit": (
        100_000,
        INVALID,
        searching("random", lambda n: {"advance": {"post_process_input_limit": n}}),
    ),
    "keywords": (10, INVALID, searching("keywords", lambda n: {"keywords": ["x"] * n})),
    "bytes of keywords": (512, INVALID, searching("keywords", lambda n: {"keywords": ["ab", of_bytes(n - 2)]})),
    "bytes of a query": (512, INVALID, searching("keywords", lambda n: {"query": of_bytes(n)})),
    "depth of a filter": (64, INVALID, searching("random", lambda n: {"filter": nested(n)})),
    "reranked hits": (
        100,
        INVALID,
        on_passages(lambda n: data("data/search/multi_modal", text="x", rerank=rerank_of(n))),
    ),
    "hits reranked by tensors": (
        1000,
        INVALID,
        searching("vector", lambda n: {"dense_vector": QUERY, "tensor_rerank": {"tensor": [QUERY], "input_limit": n}}),
    ),
    "rows of a tensor": (2, INVALID, value("t", lambda n: [QUERY] * n)),
    # of models
    "inputs to embed": (10, INVALID, lambda wire, n: embedding(n)(wire)),
    "bytes of a body to embed": (4 * 1024 * 1024, INVALID, embedded),
    "documents to rerank": (200, INVALID, lambda wire, n: reranked(n)(wire)),
    # of values
    "bytes of a string": (65535, INVALID, value("s", of_bytes)),
    "bytes of a text": (65535, INVALID, value("title", of_bytes)),
    "bytes of a key": (256, INVALID, on_books(lambda n: data("data/upsert", data=[book(of_bytes(n))]))),
    "strings of a list": (20_000, INVALID, value("ls", lambda n: ["x"] * n)),
    "bytes of a string of a list": (1024, INVALID, value("ls", lambda n: ["x", of_bytes(n)])),
    "bytes of a list": (
        1024 * 1024,
        INVALID,
        value("ls", lambda n: [of_bytes(1024)] * (n // 1024) + ["x"] * (n % 1024)),
    ),
    "integers of a list": (1024, INVALID, value("li", lambda n: [2**62] * n)),
    # of definitions
    "fields": (
        200,
        INVALID,
        created(lambda n: {"Fields": [{"FieldName": f"f{k}", "FieldType": "int64"} for k in range(n)]}),
    ),
    "full-text fields": (
        2,
        INVALID,
        created(
            lambda n: {
                "Fields": [{"FieldName": f"f{k}", "FieldType": "text"} for k in range(n)],
                "FullText": [{"Field": f"f{k}"} for k in range(n)],
            }
        ),
    ),
    "bytes of a collection's name": (128, INVALID, created(lambda n: {"CollectionName": "x" * n})),
    "bytes of a field's name": (128, INVALID, created(lambda n: {"Fields": [{**KEY, "FieldName": "x" * n}]})),
    "bytes of a collection's description": (65535, INVALID, created(lambda n: {"Description": of_bytes(n)})),
    "bytes of an index's name": (128, INVALID, indexed(lambda n: {"IndexName": "x" * n})),
    "bytes of an index's description": (65535, INVALID, indexed(lambda n: {"Description": of_bytes(n)})),
    "units of an index": (10240, INVALID, indexed(lambda n: {"CpuQuota": n})),
    "shards": (256, INVALID, indexed(lambda n: {"ShardPolicy": "custom", "ShardCount": n})),
    "items of a page": (100, INVALID, lambda wire, n: wire.act("ListVikingdbCollection", {"PageSize": n})),
    # of an account
    "collections": (200, "OperationDenied.VikingdbCollection", many_collections),
    "indexes": (200, "OperationDenied.VikingdbIndex", many_indexes),
}


def code_of(answer: Any) -> str | None:
    if "ResponseMetadata" in answer:
        return (answer["ResponseMetadata"].get("Error") or {}).get("Code")
    return None if answer["code"] == "Success" else str(answer["code"])


@pytest.mark.parametrize("what", LIMITS)
def test_the_most_there_may_be_is_taken(wire: Wire, what: str) -> None:
    most, _, ask = LIMITS[what]
    status, answer = ask(wire, most)
    # There may be no such row; that is found out after the request has been read.
    assert code_of(answer) in (None, "NotFound.VikingdbData"), answer
    assert status in (200, 404)


@pytest.mark.parametrize("what", LIMITS)
def test_one_more_is_refused(wire: Wire, what: str) -> None:
    most, code, ask = LIMITS[what]
    status, answer = ask(wire, most + 1)
    assert (status, code_of(answer)) == (400, code), answer


@pytest.mark.parametrize(("dim", "is_fine"), [(0, False), (4, True), (6, False), (4096, True), (4100, False)])
def test_a_dimension_is_a_multiple_of_four_up_to_4096(wire: Wire, dim: int, is_fine: bool) -> None:
    body = {"CollectionName": "x", "Fields": [KEY, {**VECTOR, "Dim": dim}]}
    assert (wire.act("CreateVikingdbCollection", body)[0] == 200) is is_fine


@pytest.mark.parametrize(("key", "says"), [(2**63, "64 bits"), (2**64 - 1, "64 bits"), ("1", "integers")])
def test_an_impossible_id_is_refused_for_what_it_is(wire: Wire, key: Any, says: str) -> None:
    wire.make({"Fields": [{**KEY, "FieldType": "int64"}]}, {})
    for path, body in (
        ("data/fetch_in_collection", {"ids": [1, key]}),
        ("data/search/random", {"advance": {"ids_in": [key]}}),
    ):
        status, code, message = wire.refusal(path, **body)
        assert (status, code) == (400, INVALID)
        assert says in message
