"""Resources: handles that address one thing and let no request address another."""

from __future__ import annotations

import asyncio
import warnings
from collections import OrderedDict, UserDict
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel

from pytest_vikingdb import ClientFactory, Wire
from tests.support.notes import AsyncNotes, NoteRequest, Notes, OtherRequest, Shelf
from vikingdb_core.exceptions import ConnectionLost, InvalidRequest
from vikingdb_core.models import UnknownFieldWarning
from vikingdb_core.request_options import RequestOptions
from vikingdb_vector import AsyncVikingDB, VikingDB
from vikingdb_vector.models import SearchByVectorRequest, UpsertDataRequest


@pytest.fixture
def shelf(viking_client: ClientFactory, viking_wire: Wire) -> Shelf:
    for _ in range(5):
        viking_wire.reply()
    return viking_client(Notes).shelf("poems")


# What a request may be


class OwnModel(BaseModel):
    text: str
    page: int | None = None


@pytest.mark.parametrize(
    "request_like",
    [
        {"text": "a"},
        {"text": "a", "page": None},
        OrderedDict(text="a"),
        UserDict({"text": "a"}),
        MappingProxyType({"text": "a"}),
        NoteRequest(text="a"),
        OwnModel(text="a"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_request_is_a_model_or_any_mapping(shelf: Shelf, viking_wire: Wire, request_like: Any) -> None:
    shelf.read(request_like)
    assert viking_wire.bodies == [{"shelf": "poems", "text": "a"}]


def test_no_request_is_an_empty_one(shelf: Shelf, viking_wire: Wire) -> None:
    shelf.read(None)
    shelf.read({})
    assert viking_wire.bodies == [{"shelf": "poems"}] * 2


@pytest.mark.parametrize("wrong", ["text", b"text", 3, ["text"], [("text", "a")], object(), NoteRequest])
def test_anything_else_is_no_request(shelf: Shelf, viking_wire: Wire, wrong: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"notes\.read takes NoteRequest or a mapping"):
        shelf.read(wrong)
    assert viking_wire.sent == []


def test_a_model_of_another_operation_is_refused(shelf: Shelf, viking_wire: Wire) -> None:
    with pytest.raises(InvalidRequest, match="NoteRequest or a mapping, not OtherRequest"):
        shelf.read(OtherRequest())  # type: ignore[arg-type]
    assert viking_wire.sent == []


def test_a_wrong_field_is_named_without_its_value(shelf: Shelf) -> None:
    with pytest.raises(InvalidRequest, match="page") as caught:
        shelf.read({"text": "private", "page": "private"})
    assert "private" not in str(caught.value)
    with pytest.raises(InvalidRequest, match="field names must be str"):
        shelf.read({1: "a"})  # type: ignore[dict-item]


def test_a_request_is_not_changed_by_being_sent(shelf: Shelf) -> None:
    model, mapping = NoteRequest(text="a"), {"text": "a"}
    shelf.read(model)
    shelf.read(mapping)
    assert model == NoteRequest(text="a")
    assert mapping == {"text": "a"}


@pytest.mark.parametrize("row", ["title", 3, None, ["title"], ("title", "Dune")])
def test_a_row_that_is_no_mapping_is_refused_and_placed(
    viking_client: ClientFactory, viking_wire: Wire, row: Any
) -> None:
    books = viking_client(VikingDB).collection(collection_name="books")
    with pytest.raises(InvalidRequest, match=r"data\[1\]"):
        books.upsert({"data": [{"title": "Dune"}, row]})
    with pytest.raises(InvalidRequest, match="data"):
        books.upsert({"data": row})
    assert viking_wire.sent == []


# Unknown and absent


def test_an_unknown_field_is_sent_and_warned_of_once(shelf: Shelf, viking_wire: Wire) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        shelf.read({"txet": "a"})
        shelf.read({"txet": "b"})
    assert [str(warning.message) for warning in caught] == [
        "NoteRequest has no field 'txet'; it is sent to the service as it is. Did you mean 'text'?"
    ]
    assert caught[0].category is UnknownFieldWarning
    assert [body["txet"] for body in viking_wire.bodies] == ["a", "b"]


def test_the_warning_points_at_the_line_that_sent_the_request(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.reply()
    books = viking_client(VikingDB).collection(collection_name="books")
    with pytest.warns(UnknownFieldWarning, match="no field 'colour'") as caught:
        books.fetch({"ids": ["Dune"], "colour": "red"})
    assert caught[0].filename == __file__


def test_a_locator_is_no_unknown_field(shelf: Shelf, viking_wire: Wire) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shelf.read({"room": "east"})
    assert viking_wire.bodies == [{"shelf": "poems", "room": "east"}]


def test_none_is_left_out_but_not_from_the_users_own_data(shelf: Shelf, viking_wire: Wire) -> None:
    shelf.read({"text": None, "notes": [{"a": None, "b": {"c": None}}], "page": None})
    assert viking_wire.bodies == [{"shelf": "poems", "notes": [{"a": None, "b": {"c": None}}]}]


def test_an_empty_list_and_a_zero_are_not_absent(shelf: Shelf, viking_wire: Wire) -> None:
    shelf.read({"text": "", "notes": [], "page": 0})
    assert viking_wire.bodies == [{"shelf": "poems", "text": "", "notes": [], "page": 0}]


def test_arrays_travel_through_models_untouched(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.reply().reply()
    vector = np.array([0.1, 0.2], "f4")
    db = viking_client(VikingDB)
    db.collection(collection_name="books").upsert(UpsertDataRequest(data=[{"id": 1, "v": vector}]))
    db.index(collection_name="books", index_name="all").search_by_vector(SearchByVectorRequest(dense_vector=vector))
    assert viking_wire.bodies[0]["data"] == [{"id": 1, "v": [0.1, 0.2]}]
    assert viking_wire.bodies[1]["dense_vector"] == [0.1, 0.2]


# Locators


def test_a_handle_adds_what_it_is_bound_to(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.reply().reply().reply()
    notes = viking_client(Notes)
    notes.shelf("poems", room="east").read({"text": "a"})
    notes.shelf("poems", room=None).read()
    notes.shelf("poems", room="").read()
    assert viking_wire.bodies == [
        {"shelf": "poems", "room": "east", "text": "a"},
        {"shelf": "poems"},
        {"shelf": "poems"},
    ]


@pytest.mark.parametrize("named", ["novels", "Poems", " poems", 3])
def test_a_request_that_addresses_something_else_is_refused(shelf: Shelf, viking_wire: Wire, named: Any) -> None:
    for request in ({"shelf": named}, NoteRequest(shelf=named)):
        with pytest.raises(InvalidRequest, match="bound to shelf='poems'"):
            shelf.add(request)
    assert viking_wire.sent == []


@pytest.mark.parametrize("named", ["poems", "", None])
def test_a_request_that_agrees_or_says_nothing_is_fine(shelf: Shelf, viking_wire: Wire, named: Any) -> None:
    shelf.add({"shelf": named})
    assert viking_wire.bodies == [{"shelf": "poems"}]


@pytest.mark.parametrize("name", [3, b"poems", ["poems"], True])
def test_a_locator_is_text(viking_client: ClientFactory, name: Any) -> None:
    with pytest.raises(InvalidRequest, match="shelf must be a string"):
        viking_client(Notes).shelf(name)


def test_a_collection_handle_refuses_another_collection(viking_client: ClientFactory, viking_wire: Wire) -> None:
    books = viking_client(VikingDB).collection(collection_name="books", project_name="shop")
    for locator in ({"collection_name": "films"}, {"project_name": "other"}):
        with pytest.raises(InvalidRequest, match="bound to"):
            books.upsert({"data": [], **locator})
    assert viking_wire.sent == []


def test_a_handle_shows_what_it_is_bound_to(viking_client: ClientFactory) -> None:
    assert repr(viking_client(Notes).shelf("poems", room="east")) == "Shelf(shelf='poems', room='east')"
    assert repr(viking_client(AsyncNotes).shelf("poems")) == "AsyncShelf(shelf='poems')"


# What a handle knows of safety


@pytest.mark.parametrize(
    ("rows", "attempts"),
    [
        ([{"id": "a"}, {"id": "b"}], 3),
        ([{"id": "a"}, {"title": "no key"}], 1),
        ([{"id": "a"}, {"id": None}], 1),
        ([{"id": "a"}, {"id": ""}], 1),
    ],
)
def test_an_upsert_is_repeated_only_when_every_row_has_the_primary_key(
    viking_client: ClientFactory, viking_wire: Wire, rows: list[dict[str, Any]], attempts: int
) -> None:
    viking_wire.then(*(ConnectionLost("broke") for _ in range(3)))
    books = viking_client(VikingDB).collection(collection_name="books", primary_key="id")
    with pytest.raises(ConnectionLost):
        books.upsert({"data": rows})
    assert len(viking_wire.requests) == attempts


def test_a_handle_without_a_primary_key_takes_upsert_to_be_unsafe_unless_told(
    viking_client: ClientFactory, viking_wire: Wire
) -> None:
    books = viking_client(VikingDB).collection(collection_name="books")
    viking_wire.then(ConnectionLost("broke"))
    with pytest.raises(ConnectionLost):
        books.upsert({"data": [{"id": "a"}]})
    viking_wire.then(ConnectionLost("broke")).reply()
    assert books.upsert({"data": [{"id": "a"}]}, request_options=RequestOptions(idempotent=True)).code == "Success"


def test_an_async_handle_knows_the_same(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.then(ConnectionLost("broke")).reply()
    books = viking_client(AsyncVikingDB).collection(collection_name="books", primary_key="id")
    assert asyncio.run(books.upsert({"data": [{"id": "a"}]})).code == "Success"
