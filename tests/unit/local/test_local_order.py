"""Which rows a condition admits is the same by a look at every row and by the order of a column, which comes later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.local.wire import HASHED, Wire
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.transport import TransportSettings
from vikingdb_local.engine import order
from vikingdb_local.engine.columns import Numbers, Texts, column_for
from vikingdb_local.engine.order import Order
from vikingdb_local.engine.which import all_but, as_mask, both, either, how_many, is_mask, positions
from vikingdb_local.transport import LocalTransport
from vikingdb_vector import FieldType

MOST = 2**63 - 1
integers = st.sampled_from([-MOST - 1, -3, 0, 1, 2, 2**53, 2**53 + 1, MOST])
limits = st.sampled_from([-1e300, -MOST - 2, -MOST - 1, -3, -0.5, 0, 1, 1.5, 2**53, 2**53 + 1, MOST, MOST + 1, 1e300])
within: dict[str, Callable[[Any, Any], bool]] = {
    "gt": lambda value, limit: value > limit,
    "gte": lambda value, limit: value >= limit,
    "lt": lambda value, limit: value < limit,
    "lte": lambda value, limit: value <= limit,
}
bounds = st.tuples(
    st.dictionaries(st.sampled_from(["gt", "gte"]), limits, max_size=1),
    st.dictionaries(st.sampled_from(["lt", "lte"]), limits, max_size=1),
).map(lambda sides: sides[0] | sides[1])
few = st.sampled_from([0.0, 0.3, 1.0])
"""The share of rows beyond which an order does not answer."""


def filled(kind: FieldType, values: Sequence[Any], ordered: int, seen: int) -> Any:
    """The first ``seen`` of the values as a view; the order is made when there are ``ordered`` of them."""
    column, view = column_for(kind), None
    for count in range(len(values) + 1):
        if count == ordered:
            now = column.view()
            assert isinstance(now, Numbers | Texts)
            now.put_in_order()
        if count == seen:
            view = column.view()
        if count < len(values):
            column.append(values[count])
    assert view is not None
    return view


@given(
    values=st.lists(st.none() | integers, max_size=30),
    places=st.tuples(st.integers(0, 30), st.integers(0, 30)),
    wanted=st.lists(integers, max_size=4),
    limits=bounds,
    few=few,
)
@example(values=[1, None, 1], places=(2, 3), wanted=[1, 1], limits={"gte": 0}, few=1.0)
def test_numbers_are_found_by_an_order_as_by_looking(
    values: list[int | None], places: tuple[int, int], wanted: list[int], limits: dict[str, Any], few: float
) -> None:
    ordered, seen = (min(place, len(values)) for place in places)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "FEW", few)
        view = filled(FieldType.INT64, values, ordered, seen)
        assert positions(view.is_any_of(wanted)).tolist() == [n for n, v in enumerate(values[:seen]) if v in wanted]
        assert positions(view.between(limits)).tolist() == [
            place
            for place, value in enumerate(values[:seen])
            if value is not None and all(within[bound](value, limit) for bound, limit in limits.items())
        ]


@given(
    values=st.lists(st.sampled_from([None, "", "a", "b", "\u6570"]), max_size=30),
    places=st.tuples(st.integers(0, 30), st.integers(0, 30)),
    wanted=st.lists(st.sampled_from(["", "a", "b", "\u6570", "never"]), max_size=3),
    few=few,
)
def test_texts_are_found_by_an_order_as_by_looking(
    values: list[str | None], places: tuple[int, int], wanted: list[str], few: float
) -> None:
    ordered, seen = (min(place, len(values)) for place in places)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "FEW", few)
        view = filled(FieldType.STRING, values, ordered, seen)
        assert positions(view.is_any_of(wanted)).tolist() == [n for n, v in enumerate(values[:seen]) if v in wanted]


@given(
    values=st.lists(st.none() | integers, max_size=30),
    places=st.tuples(st.integers(0, 30), st.integers(0, 30)),
    most=st.integers(1, 8),
    few=few,
    smallest=st.booleans(),
)
def test_the_first_by_value_are_among_those_an_order_offers(
    values: list[int | None], places: tuple[int, int], most: int, few: float, smallest: bool
) -> None:
    ordered, seen = (min(place, len(values)) for place in places)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "FEW", few)
        view = filled(FieldType.INT64, values, ordered, seen)
        offered = view.order.extremes(most, seen, smallest=smallest)
    if offered is None:
        return
    there = [(value, place) for place, value in enumerate(values[:seen]) if value is not None]
    there.sort(reverse=not smallest)
    last = there[most - 1][0] if len(there) >= most else None
    wanted = {place for value, place in there if last is None or (value <= last if smallest else value >= last)}
    assert wanted <= set(offered.tolist())
    assert offered.tolist() == sorted(set(offered.tolist()))


def test_the_first_by_value_are_offered_without_the_others() -> None:
    view = filled(FieldType.INT64, [n * 7919 % 1000 for n in range(1000)], 900, 1000)
    for smallest in (True, False):
        offered = view.order.extremes(10, 1000, smallest=smallest)
        assert offered is not None
        assert len(offered) == 110
    alike = filled(FieldType.INT64, [1] * 1000, 1000, 1000)
    assert alike.order.extremes(10, 1000, smallest=True) is None


def test_few_rows_are_said_by_their_positions_and_many_by_a_mask() -> None:
    view = filled(FieldType.INT64, [n % 100 for n in range(1000)], 1000, 1000)
    assert not is_mask(view.is_any_of([7]))
    assert not is_mask(view.between({"gte": 90, "lt": 95}))
    assert is_mask(view.is_any_of(range(10)))
    assert is_mask(view.between({"gte": 50}))


sets = st.frozensets(st.integers(0, 19))


@given(one=sets, other=sets, forms=st.tuples(st.booleans(), st.booleans()))
def test_masks_and_positions_say_the_same(one: frozenset[int], other: frozenset[int], forms: tuple[bool, bool]) -> None:
    here, there = (
        as_mask(np.array(sorted(some), np.intp), 20) if is_a_mask else np.array(sorted(some), np.intp)
        for some, is_a_mask in zip((one, other), forms, strict=True)
    )
    before = here.tolist(), there.tolist()
    assert positions(both(here, there)).tolist() == sorted(one & other)
    assert positions(either(here, there, 20)).tolist() == sorted(one | other)
    assert positions(all_but(here, 20)).tolist() == sorted(set(range(20)) - one)
    assert how_many(here) == len(one)
    assert (here.tolist(), there.tolist()) == before


def test_an_order_is_made_anew_when_it_lacks_many_rows() -> None:
    made = Order()
    assert not made.is_due(order.MIN_ROWS - 1)
    assert made.is_due(order.MIN_ROWS)
    values = np.arange(100_000)
    made.make(values, np.ones(len(values), np.bool_))
    assert not made.is_due(125_000)
    assert made.is_due(125_001)


FIELDS = [
    {"FieldName": "id", "FieldType": "int64", "IsPrimaryKey": True},
    {"FieldName": "n", "FieldType": "int64"},
    {"FieldName": "at", "FieldType": "date_time"},
    {"FieldName": "tag", "FieldType": "string"},
    {"FieldName": "sold", "FieldType": "bool"},
]
N_FEW = {"op": "range", "field": "n", "gte": 300, "lt": 306}
TAGGED = {"op": "must", "field": "tag", "conds": ["t7"]}
LATE = {"op": "time_range", "field": "at", "gt": "2026-01-01T22:30:00Z"}
FILTERS: list[tuple[dict[str, Any], Callable[[int], bool]]] = [
    (N_FEW, lambda n: n in (100, 101)),
    (TAGGED, lambda n: n % 50 == 7),
    ({"op": "and", "conds": [TAGGED, LATE]}, lambda n: n % 50 == 7 and n % 24 == 23),
    ({"op": "or", "conds": [N_FEW, TAGGED]}, lambda n: n in (100, 101) or n % 50 == 7),
    ({"op": "and", "conds": [TAGGED, {"op": "must", "field": "sold", "conds": [False]}]}, lambda n: n % 50 == 7),
    ({"op": "and", "conds": [N_FEW, {"op": "must_not", "field": "n", "conds": [303]}]}, lambda n: n == 100),
    ({"op": "range_out", "field": "n", "gt": 6, "lt": 29_000}, lambda n: n * 3 <= 6 or n * 3 >= 29_000),
]


def row(n: int) -> dict[str, Any]:
    return {"id": n, "n": n * 3, "at": f"2026-01-01T{n % 24:02}:00:00Z", "tag": f"t{n % 50}", "sold": n % 2 == 0}


def test_a_collection_comes_to_be_searched_by_order() -> None:
    """The same rows are found before and after, those written since too, and none that are gone."""
    endpoint = Endpoint.parse(HASHED)
    transport = LocalTransport(endpoint, TransportSettings())
    wire, there = Wire(transport, endpoint), set[int]()
    wire.make({"Fields": FIELDS}, {"ScalarIndex": ["n", "at", "tag", "sold"]})
    session = transport._session
    assert session is not None

    def write(numbers: range) -> None:
        for start in range(0, len(numbers), 100):
            wire.result("data/upsert", data=[row(n) for n in numbers[start : start + 100]])
        there.update(numbers)
        session.catalog.upkeep.settle()

    def check() -> None:
        for condition, admits in FILTERS:
            expected = sorted(filter(admits, there))
            asked = {"field": "n", "order": "asc", "limit": 1000, "filter": condition, "output_fields": []}
            answer = wire.result("data/search/scalar", **asked)
            assert [hit["id"] for hit in answer["data"]] == expected[:1000]
            assert answer["filter_matched_count"] == len(expected)

    write(range(1, order.MIN_ROWS))
    (collection,) = session.catalog.collections()
    columns = collection.snapshot().columns
    check()
    assert is_mask(columns["n"].is_any_of([3]))  # type: ignore[union-attr]  # it is one of numbers
    write(range(order.MIN_ROWS, order.MIN_ROWS + 1))
    check()
    wire.result("data/delete", ids=[57, 101])
    there.difference_update({57, 101})
    write(range(order.MIN_ROWS + 1, order.MIN_ROWS + 60))
    check()
    columns = collection.snapshot().columns
    for name, wanted in (("id", 5), ("n", 15), ("at", 0), ("tag", "t7")):
        column = columns[name]
        assert isinstance(column, Numbers | Texts)
        assert not is_mask(column.is_any_of([wanted])), name
    assert is_mask(columns["sold"].is_any_of([True]))  # type: ignore[union-attr]  # it is one of numbers
    transport.close()
