"""Reading requests: what is missing, mistyped or unknown is refused by name; null and empty locators are absent."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.unit.local.wire import Wire, book

REFUSED = [
    ("data/upsert", {}, "MissingParameter", "data"),
    ("data/upsert", {"data": None}, "InvalidParameter", "data"),
    ("data/upsert", {"data": {"id": 1}}, "InvalidParameter", "data"),
    ("data/upsert", {"data": ["x"]}, "InvalidParameter", "data[0]"),
    ("data/upsert", {"data": [], "ttll": 3}, "InvalidParameter", "'ttll'"),
    ("data/upsert", {"data": [book("a")], "ttl": "3"}, "InvalidParameter", "ttl must be an integer, not a string"),
    ("data/upsert", {"data": [book("a")], "ttl": True}, "InvalidParameter", "ttl must be an integer, not a boolean"),
    ("data/upsert", {"data": [book("a")], "ttl": 1.0}, "InvalidParameter", "ttl"),
    ("data/upsert", {"data": [book("a")], "async_write": True}, "InvalidParameter", "Did you mean 'async'"),
    ("data/delete", {"delete_all": True}, "InvalidParameter", "Did you mean 'del_all'"),
    ("data/fetch_in_collection", {"ids": "a"}, "InvalidParameter", "ids"),
    ("data/fetch_in_collection", {"ids": [True]}, "InvalidParameter", "ids[0]"),
    ("data/fetch_in_collection", {"ids": [1.0]}, "InvalidParameter", "ids[0]"),
    ("data/fetch_in_collection", {"ids": [None]}, "InvalidParameter", "ids[0]"),
    ("data/fetch_in_collection", {"ids": [7]}, "InvalidParameter", "ids of this collection are strings"),
    ("data/search/random", {"limit": "5"}, "InvalidParameter", "limit"),
    ("data/search/random", {"limt": 5}, "InvalidParameter", "Did you mean 'limit'"),
    ("data/search/random", {"advance": {"id_in": ["a"]}}, "InvalidParameter", "'advance.id_in'"),
    ("data/search/random", {"advance": []}, "InvalidParameter", "advance"),
    ("data/search/random", {"filter": []}, "InvalidParameter", "filter"),
    ("data/search/random", {"output_fields": "id"}, "InvalidParameter", "output_fields"),
    ("data/search/vector", {}, "MissingParameter", "dense_vector"),
    ("data/search/vector", {"dense_vector": [1, 0, True, 0]}, "InvalidParameter", "position 2"),
    ("data/search/vector", {"dense_vector": None}, "InvalidParameter", "dense_vector"),
    ("data/search/id", {}, "MissingParameter", "id"),
    ("data/search/scalar", {}, "MissingParameter", "field"),
    ("data/search/keywords", {}, "MissingParameter", "keywords"),
    ("data/agg", {}, "MissingParameter", "op"),
    ("data/upsert", {"collection_name": 5, "data": []}, "InvalidParameter", "collection_name must be a string"),
    ("data/upsert", {"collection_name": "", "data": [{}]}, "MissingParameter", "collection_name"),
    ("data/search/random", {"index_name": ""}, "MissingParameter", "index_name"),
    ("data/search/random", {"index_name": "j"}, "NotFound.VikingdbIndex", "'j'"),
    ("data/search/random", {"collection_name": "d"}, "NotFound.VikingdbCollection", "'d'"),
    ("data/search/random", {"project_name": "elsewhere"}, "NotFound.VikingdbCollection", "'elsewhere'"),
    ("data/search/random", {"resource_id": "vdb-0"}, "InvalidParameter", "resource_id"),
]


@pytest.mark.parametrize(("path", "body", "code", "says"), REFUSED)
def test_a_wrong_request_is_refused_by_name(books: Wire, path: str, body: dict[str, Any], code: str, says: str) -> None:
    status, found, message = books.refusal(path, **body)
    assert (status, found) == (404 if code.startswith("NotFound") else 400, code), message
    assert says in message


def test_null_is_not_given_wherever_a_parameter_is_optional(books: Wire) -> None:
    books.result("data/upsert", data=[book("a")], ttl=None, ignore_unknown_fields=None, unheard_of=None)
    empty = {"filter": None, "limit": None, "advance": {"ids_in": None}, "output_fields": None, "offset": None}
    assert len(books.result("data/search/random", **empty)["data"]) == 1
    books.result("data/delete", ids=None, del_all=True)


def test_empty_locators_are_absent_as_some_clients_send_them(books: Wire) -> None:
    books.result("data/upsert", data=[book("a")], resource_id="", project_name="")


def test_a_collection_is_found_by_its_resource_id_and_project(books: Wire) -> None:
    resource_id = books.act("GetVikingdbCollection", {"CollectionName": "c"})[1]["Result"]["ResourceId"]
    assert resource_id.startswith("vdb-")
    for locator in (
        {"resource_id": resource_id},
        {"resource_id": resource_id, "project_name": "default"},
        {"resource_id": resource_id, "collection_name": "c"},
    ):
        status, answer = books.data("data/search/random", {**locator, "index_name": "i"})
        assert status == 200, answer
    status, answer = books.data("data/search/random", {"resource_id": "vdb-0", "index_name": "i"})
    assert (status, answer["code"]) == (404, "NotFound.VikingdbCollection")
    status, answer = books.data(
        "data/search/random", {"resource_id": resource_id, "project_name": "x", "index_name": "i"}
    )
    assert status == 404


def test_long_values_are_not_echoed(books: Wire) -> None:
    long = "x" * 5000
    for path, body in (
        ("data/upsert", {"data": [{**book("a"), long: 1}]}),
        ("data/upsert", {"data": [book("a", year=long)]}),
        ("data/upsert", {"data": [book(long)]}),
        ("data/search/random", {"output_fields": [long]}),
        ("data/search/random", {long: 1}),
        ("data/search/random", {"collection_name": long}),
        ("data/search/random", {"index_name": long}),
        ("data/search/random", {"filter": {"op": long}}),
        ("data/search/random", {"filter": {"op": "must", "field": long, "conds": []}}),
        ("data/search/keywords", {"query": "x", "mode": long}),
        ("data/agg", {"op": long}),
        ("embedding", {"dense_model": {"name": long}, "data": [{"text": "x"}]}),
        (long, {}),
    ):
        status, answer = books.data(path, {"collection_name": "c", "index_name": "i", **body})
        assert 400 <= status < 500
        assert len(answer["message"]) < 600, (path, list(body))


def test_numbers_beyond_json_are_refused(books: Wire) -> None:
    assert books.send("/api/vikingdb/data/search/vector", b'{"dense_vector": [1e999, 0, 0, 0]}').status == 400
    assert math.isinf(float("1e999"))
