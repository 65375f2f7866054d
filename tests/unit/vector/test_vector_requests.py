"""Requests of the vector domain: what they take, what of it is sent, and what is refused before anything is."""

from __future__ import annotations

import array
import json
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.vector.fakes import FakeTransport
from vikingdb_core.exceptions import InvalidRequest, UnknownOption
from vikingdb_core.filters import F
from vikingdb_core.models import RequestModel, UnknownFieldWarning
from vikingdb_vector import models as m
from vikingdb_vector.client import VikingDB
from vikingdb_vector.collection import CollectionClient
from vikingdb_vector.index import IndexClient

MOOD = [0.5, -0.25, 1.0, 0.0]
VECTORS: dict[str, Callable[[], Any]] = {
    "list": lambda: list(MOOD),
    "tuple": lambda: tuple(MOOD),
    "float64": lambda: np.array(MOOD),
    "float32": lambda: np.array(MOOD, dtype=np.float32),
    "float16": lambda: np.array(MOOD, dtype=np.float16),
    "strided": lambda: np.array([MOOD, MOOD]).T[:, 0],
    "a row of a matrix": lambda: np.array([MOOD, [1, 2, 3, 4]])[0],
    "read-only": lambda: np.frombuffer(np.array(MOOD).tobytes()),
    "numpy numbers in a list": lambda: [np.float32(number) for number in MOOD],
    "array.array": lambda: array.array("d", MOOD),
    "whole numbers among floats": lambda: [0.5, -0.25, 1, 0],
}
WRONG_VECTORS: list[tuple[Any, str]] = [
    ("0.5, 0.25", "a sequence of numbers or an array, not str"),
    (b"\x00\x00", "a sequence of numbers or an array, not bytes"),
    (5, "a sequence of numbers or an array, not int"),
    (None, "a sequence of numbers or an array, not NoneType"),
    ({0: 0.5}, "a sequence of numbers or an array, not dict"),
    ({0.5, 0.25}, "a sequence of numbers or an array, not set"),
    ((number for number in MOOD), "a sequence of numbers or an array, not generator"),
    ([0.5, "0.25"], "position 1 is str, not a number"),
    ([0.5, 0.25, None], "position 2 is NoneType, not a number"),
    ([True, 0.5], "position 0 is bool, not a number"),
    ([0.5, [0.25]], "position 1 is list, not a number"),
    ([[0.5, 0.25]], "position 0 is list, not a number"),
    (np.array([MOOD]), "one dimension, this array has 2"),
    (np.array(0.5), "one dimension, this array has 0"),
]
NOT_FINITE = [float("nan"), float("inf"), float("-inf")]


@pytest.mark.parametrize("make", VECTORS.values(), ids=VECTORS)
def test_a_vector_may_be_any_sequence_of_numbers(
    make: Callable[[], Any], wire: FakeTransport, collection: CollectionClient, index: IndexClient
) -> None:
    collection.upsert({"data": [{"id": 1, "mood": make()}]})
    index.search_by_vector({"dense_vector": make()})
    index.search_by_vector(m.SearchByVectorRequest(dense_vector=make()))
    index.sort({"ids": [1], "query_vector": make()})
    written, *searched, sorted_ = wire.bodies
    assert written["data"] == [{"id": 1, "mood": MOOD}]
    assert [body["dense_vector"] for body in searched] == [MOOD, MOOD]
    assert sorted_["query_vector"] == MOOD


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=40))
def test_numbers_arrive_as_they_were(numbers: list[float]) -> None:
    wire = FakeTransport()
    handle = VikingDB(endpoint="http://127.0.0.1", transport=wire).index(collection_name="c", index_name="i")
    handle.search_by_vector({"dense_vector": numbers})
    handle.search_by_vector({"dense_vector": np.array(numbers, dtype=np.float64)})
    assert [body["dense_vector"] for body in wire.bodies] == [numbers, numbers]


@pytest.mark.parametrize(("wrong", "says"), WRONG_VECTORS, ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_no_vector_is_refused_with_its_place(
    wrong: Any, says: str, wire: FakeTransport, index: IndexClient
) -> None:
    with pytest.raises(InvalidRequest, match=rf"dense_vector.*{says}"):
        index.search_by_vector({"dense_vector": wrong})
    with pytest.raises(InvalidRequest, match=rf"query_vector.*{says}"):
        m.SortRequest(ids=[1], query_vector=wrong)
    assert wire.requests == []


@pytest.mark.parametrize("wrong", NOT_FINITE)
def test_a_number_that_is_not_finite_is_refused_with_its_place(
    wrong: float, wire: FakeTransport, collection: CollectionClient, index: IndexClient
) -> None:
    row: Any = {"id": 1, "mood": [0.5, wrong, 0, 0]}
    with pytest.raises(InvalidRequest, match=r"data\[1\]\.mood\[1\] is (nan|-?inf)"):
        collection.upsert({"data": [{"id": 2, "mood": MOOD}, row]})
    with pytest.raises(InvalidRequest, match=r"data\[0\]\.mood.* position 1"):
        collection.update({"data": [{"id": 1, "mood": np.array(row["mood"])}]})
    with pytest.raises(InvalidRequest, match=r"dense_vector\[1\]"):
        index.search_by_vector({"dense_vector": row["mood"]})
    with pytest.raises(InvalidRequest, match=r"dense_vector.* position 1"):
        index.search_by_vector({"dense_vector": np.array(row["mood"], dtype=np.float32)})
    with pytest.raises(InvalidRequest, match=r"sparse_vector\.a"):
        index.search_by_vector({"dense_vector": MOOD, "sparse_vector": {"a": wrong}})
    with pytest.raises(InvalidRequest, match=r"tensor"):
        index.search_by_vector({"dense_vector": MOOD, "tensor_rerank": {"tensor": [[0.5], [wrong]]}})
    with pytest.raises(InvalidRequest, match=r"price"):
        collection.upsert({"data": [{"id": 1, "price": wrong}]})
    assert wire.requests == []


def test_a_sparse_vector_may_be_keyed_by_number(wire: FakeTransport, index: IndexClient) -> None:
    index.search_by_vector({"dense_vector": MOOD, "sparse_vector": {"宇宙": 1.25, 7: 0.5}})
    assert wire.body["sparse_vector"] == {"宇宙": 1.25, "7": 0.5}


def test_a_tensor_is_rows_of_numbers(wire: FakeTransport, index: IndexClient) -> None:
    for tensor in ([MOOD, MOOD], (tuple(MOOD), np.array(MOOD, dtype=np.float32))):
        index.search_by_vector({"dense_vector": MOOD, "tensor_rerank": {"tensor": tensor, "input_limit": 5}})
    assert [body["tensor_rerank"]["tensor"] for body in wire.bodies] == [[MOOD, MOOD]] * 2


EMPTY: list[tuple[str, dict[str, Any]]] = [
    ("search_by_vector", {"dense_vector": MOOD, "output_fields": []}),
    ("search_by_vector", {"dense_vector": MOOD, "advance": {"ids_in": []}}),
    ("search_by_vector", {"dense_vector": MOOD, "advance": {"ids_not_in": [], "post_process_ops": []}}),
    ("search_by_vector", {"dense_vector": [], "sparse_vector": {}, "filter": {}}),
    ("search_by_random", {"output_fields": [], "offset": 0, "return_schema": False, "limit": 0}),
    ("search_by_keywords", {"keywords": [], "query": "", "fields": [], "fields_weights": {}, "bm25_b": 0.0}),
    ("search_by_id", {"id": 0}),
    ("search_by_id", {"id": ""}),
    ("fetch", {"ids": [], "output_fields": []}),
    ("aggregate", {"op": "count", "ids": [], "weights": [], "cond": {}}),
]


@pytest.mark.parametrize(("method", "request_"), EMPTY)
@pytest.mark.parametrize("empty", [list, tuple], ids=["list", "tuple"])
def test_what_is_empty_zero_or_false_is_sent(
    method: str, request_: dict[str, Any], empty: type, wire: FakeTransport, index: IndexClient
) -> None:
    getattr(index, method)({name: empty() if value == [] else value for name, value in request_.items()})
    assert wire.body == {"collection_name": "books", "index_name": "by_mood", **request_}


def test_an_empty_write_is_sent(wire: FakeTransport, collection: CollectionClient) -> None:
    collection.upsert({"data": [], "ttl": 0, "async_write": False})
    collection.delete({"ids": []})
    assert wire.bodies == [
        {"collection_name": "books", "data": [], "ttl": 0, "async": False},
        {"collection_name": "books", "ids": []},
    ]


NONES: list[tuple[str, dict[str, Any]]] = [
    ("search_by_vector", {"dense_vector": MOOD}),
    ("search_by_multi_modal", {}),
    ("search_by_id", {"id": 1}),
    ("search_by_scalar", {}),
    ("search_by_keywords", {}),
    ("search_by_random", {}),
    ("aggregate", {"op": "count"}),
    ("fetch", {"ids": [1]}),
]
REQUEST_OF = {
    "search_by_vector": m.SearchByVectorRequest,
    "search_by_multi_modal": m.SearchByMultiModalRequest,
    "search_by_id": m.SearchByIDRequest,
    "search_by_scalar": m.SearchByScalarRequest,
    "search_by_keywords": m.SearchByKeywordsRequest,
    "search_by_random": m.SearchByRandomRequest,
    "aggregate": m.AggRequest,
    "fetch": m.FetchDataInIndexRequest,
}


@pytest.mark.parametrize(("method", "needed"), NONES)
def test_none_is_absent(method: str, needed: dict[str, Any], wire: FakeTransport, index: IndexClient) -> None:
    model = REQUEST_OF[method]
    everything = {**dict.fromkeys(model.model_fields), **needed}
    getattr(index, method)(everything)
    getattr(index, method)(model(**everything))
    assert wire.bodies == [{"collection_name": "books", "index_name": "by_mood", **needed}] * 2


def test_none_inside_a_row_is_the_rows_own(wire: FakeTransport, collection: CollectionClient) -> None:
    collection.upsert({"data": [{"id": 1, "subtitle": None}]})
    assert wire.body["data"] == [{"id": 1, "subtitle": None}]


def test_none_inside_an_inner_model_is_absent(wire: FakeTransport, index: IndexClient) -> None:
    index.search_by_vector({"dense_vector": MOOD, "advance": {"scale_k": 2.0, "ids_in": None}})
    assert wire.body["advance"] == {"scale_k": 2.0}


def test_rows_go_out_as_they_are(wire: FakeTransport, collection: CollectionClient) -> None:
    row = {
        "id": 2**53 + 1,
        "title": "三体",
        "in_print": True,
        "price": 9.0,
        "tags": ("a", "b"),
        "counts": np.array([1, 2], dtype=np.int64),
        "published": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "rating": np.float64(0.5),
        "async_write": "a field of the row, not of the request",
    }
    collection.upsert(m.UpsertDataRequest(data=(row,)))
    (sent,) = wire.body["data"]
    assert sent == {
        **row,
        "tags": ["a", "b"],
        "counts": [1, 2],
        "published": "2026-01-02T03:04:05+00:00",
        "rating": 0.5,
    }
    assert json.dumps(sent["price"]) == "9.0"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (5, r"data"),
        ("rows", r"data"),
        ({"id": 1}, r"data"),
        ([["id", 1]], r"data\[0\]"),
        ([{"id": 1}, None], r"data\[1\]"),
        ([{"id": 1}, "row"], r"data\[1\]"),
        (None, r"data"),
    ],
)
def test_what_are_no_rows_is_refused_with_its_place(
    data: Any, says: str, wire: FakeTransport, collection: CollectionClient
) -> None:
    with pytest.raises(InvalidRequest, match=rf"UpsertDataRequest: {says}:"):
        collection.upsert({"data": data})
    with pytest.raises(InvalidRequest, match=rf"UpdateDataRequest: {says}:"):
        m.UpdateDataRequest(data=data)
    assert wire.requests == []


@pytest.mark.parametrize("value", [object(), {1, 2}.__iter__(), 2**70, Decimal("1.5"), Fraction(1, 2), 1j, b"bytes"])
def test_a_value_json_has_no_word_for_is_refused(value: Any, wire: FakeTransport, collection: CollectionClient) -> None:
    with pytest.raises(InvalidRequest, match="cannot be written as JSON"):
        collection.upsert({"data": [{"id": 1, "x": value}]})
    assert wire.requests == []


def test_every_mistake_is_named_and_no_value_repeated() -> None:
    with pytest.raises(InvalidRequest) as caught:
        m.SearchByVectorRequest(dense_vector="PLANTED", limit="PLANTED", offset=[], output_fields=5)
    shown = str(caught.value)
    assert shown.startswith("SearchByVectorRequest: ")
    assert "and 1 more" in shown
    assert "PLANTED" not in shown


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("upsert", None),
        ("upsert", 5),
        ("upsert", [{"id": 1}]),
        ("upsert", m.DeleteDataRequest(ids=[1])),
        ("delete", m.UpsertDataRequest(data=[])),
        ("fetch", {}),
        ("upsert", {1: "data"}),
    ],
)
def test_what_is_no_request_of_the_method_is_refused(
    method: str, request_: Any, wire: FakeTransport, collection: CollectionClient
) -> None:
    with pytest.raises(InvalidRequest):
        getattr(collection, method)(request_)
    assert wire.requests == []


def test_wire_names_and_python_names_are_the_same(wire: FakeTransport, collection: CollectionClient) -> None:
    collection.delete({"del_all": True, "async": True})
    collection.delete({"delete_all": True, "async_write": True})
    collection.delete(m.DeleteDataRequest(delete_all=True, async_write=True))
    assert wire.bodies == [{"collection_name": "books", "del_all": True, "async": True}] * 3


def test_a_field_the_sdk_does_not_know_is_sent_and_warned_of_once(wire: FakeTransport, index: IndexClient) -> None:
    with pytest.warns(UnknownFieldWarning, match=r"no field 'limt'; it is sent .* Did you mean 'limit'\?") as warned:
        index.search_by_id(m.SearchByIDRequest(id=1, limt=5))
    assert [Path(each.filename) for each in warned] == [Path(__file__)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        index.search_by_id({"id": 1, "limt": 5})
    assert [body["limt"] for body in wire.bodies] == [5, 5]


def test_any_field_name_can_be_sent(wire: FakeTransport, collection: CollectionClient) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnknownFieldWarning)
        collection.upsert({"data": [], "self": 1, "model_config": 2, "cls": 3})
    assert {"self": 1, "cls": 3}.items() <= wire.body.items()


@pytest.mark.parametrize(
    ("handle", "request_", "says"),
    [
        ({"collection_name": "books"}, {"collection_name": "other"}, "collection_name='other', but .* 'books'"),
        ({"resource_id": "vdb-1"}, {"resource_id": "vdb-2"}, "resource_id='vdb-2', but .* 'vdb-1'"),
        ({"collection_name": "books", "project_name": "p"}, {"project_name": "q"}, "project_name='q'"),
    ],
)
def test_a_request_for_another_thing_than_the_handles_is_refused(
    handle: dict[str, str], request_: dict[str, str], says: str, wire: FakeTransport, client: VikingDB
) -> None:
    says = says.replace("but .* ", "but this handle is bound to .*=")
    with pytest.raises(InvalidRequest, match=says):
        client.collection(**handle).delete({"ids": [1], **request_})
    assert wire.requests == []


def test_a_request_may_repeat_the_handles_locator_or_add_to_it(wire: FakeTransport, client: VikingDB) -> None:
    handle = client.collection(collection_name="books")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        handle.delete({"ids": [1], "collection_name": "books", "project_name": "shop"})
        handle.delete({"ids": [1], "collection_name": "", "resource_id": None})
    assert wire.bodies == [
        {"collection_name": "books", "ids": [1], "project_name": "shop"},
        {"collection_name": "books", "ids": [1]},
    ]


def test_an_empty_locator_is_none(wire: FakeTransport, client: VikingDB) -> None:
    client.collection(collection_name="books", resource_id="", project_name="").delete({"ids": [1]})
    assert wire.body == {"collection_name": "books", "ids": [1]}


@pytest.mark.parametrize(
    ("handle", "says"),
    [
        (lambda client: client.collection(), "collection_name or resource_id"),
        (lambda client: client.collection(project_name="shop"), "collection_name or resource_id"),
        (lambda client: client.index(collection_name="books"), "index_name"),
        (lambda client: client.index(index_name="by_mood"), "collection_name or resource_id"),
    ],
)
def test_a_handle_on_nothing_in_particular_sends_nothing(
    handle: Callable[[VikingDB], Any], says: str, wire: FakeTransport, client: VikingDB
) -> None:
    with pytest.raises(InvalidRequest, match=rf"does not say which: name {says} on the handle"):
        handle(client).fetch({"ids": [1]})
    assert wire.requests == []


def test_a_handle_on_nothing_in_particular_takes_the_name_from_each_request(
    wire: FakeTransport, client: VikingDB
) -> None:
    client.collection().fetch({"ids": [1], "collection_name": "books"})
    assert wire.body == {"collection_name": "books", "ids": [1]}


def test_a_request_cannot_send_a_bound_handle_elsewhere(wire: FakeTransport, client: VikingDB) -> None:
    with pytest.raises(InvalidRequest, match=r"adds resource_id='vdb-1' to a bound handle"):
        client.collection(collection_name="books").delete({"ids": [1], "resource_id": "vdb-1"})
    assert wire.requests == []


@pytest.mark.parametrize("wrong", [5, ["books"], object()])
def test_a_locator_that_is_no_text_is_refused(wrong: Any, client: VikingDB) -> None:
    with pytest.raises(InvalidRequest, match="collection_name"):
        client.collection(collection_name=wrong)
    with pytest.raises(InvalidRequest, match="index_name"):
        client.index(collection_name="books", index_name=wrong)


@pytest.mark.parametrize(
    "filter_", [F("price") < 20, {"op": "range", "field": "price", "lt": 20}], ids=["typed", "json"]
)
def test_a_filter_may_be_typed_or_json(filter_: Any, wire: FakeTransport, index: IndexClient) -> None:
    index.search_by_random({"filter": filter_})
    index.search_by_random(m.SearchByRandomRequest(filter=filter_))
    index.aggregate({"op": "count", "filter": filter_})
    assert [body["filter"] for body in wire.bodies] == [{"op": "range", "field": "price", "lt": 20}] * 3


def test_a_filter_that_is_neither_is_refused(index: IndexClient) -> None:
    with pytest.raises(InvalidRequest, match=r"filter: .* not str; the wire has no filter text, build one with F$"):
        index.search_by_random({"filter": "price < 20"})
    with pytest.raises(InvalidRequest, match=r"filter: .* not int$"):
        index.search_by_random({"filter": 5})


def test_ids_keep_their_type(wire: FakeTransport, collection: CollectionClient) -> None:
    collection.fetch({"ids": [1, "1", 2**63 - 1, -(2**63), np.int64(7)]})
    assert wire.body["ids"] == [1, "1", 2**63 - 1, -(2**63), 7]


@pytest.mark.parametrize("wrong", [1.5, True, None, [1], b"1"])
def test_what_is_no_id_is_refused(wrong: Any, wire: FakeTransport, collection: CollectionClient) -> None:
    with pytest.raises(InvalidRequest, match=r"ids\[0\]"):
        collection.fetch({"ids": [wrong]})
    assert wire.requests == []


def test_models_do_not_take_positional_arguments() -> None:
    with pytest.raises(TypeError):
        m.DeleteDataRequest([1])  # type: ignore[call-arg]


def test_a_misspelt_argument_of_a_handle_is_an_error(client: VikingDB) -> None:
    with pytest.raises((TypeError, UnknownOption)):
        client.collection(colection_name="books")  # type: ignore[call-arg]


@pytest.mark.parametrize("request_type", [m.SearchByVectorRequest, m.UpsertDataRequest])
def test_a_notebook_shows_the_fields_of_a_request_before_its_first_use(request_type: type[RequestModel]) -> None:
    program = (
        "import inspect; from vikingdb_vector import models; "
        f"print(*inspect.signature(models.{request_type.__name__}).parameters)"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert shown == [*request_type.model_fields, "fields"]


FRESH = """
import pickle, sys
from vikingdb_vector import models as m
way = sys.argv[1]
if way == "unpickled":
    first = pickle.loads(bytes.fromhex(sys.argv[2]))
else:
    first = m.CreateIndexRequest.model_construct(collection_name="c", index_name="i")
built = m.CreateIndexRequest(collection_name="c", index_name="i")
wires = first.to_wire(), built.to_wire()
assert wires == ({"CollectionName": "c", "IndexName": "i"},) * 2, wires
"""


@pytest.mark.parametrize("way", ["unpickled", "constructed"])
def test_wire_names_are_known_before_a_request_was_built(way: str) -> None:
    """In a worker process, say, whose first request comes from another one."""
    packed = pickle.dumps(m.CreateIndexRequest(collection_name="c", index_name="i")).hex()
    done = subprocess.run([sys.executable, "-c", FRESH, way, packed], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
