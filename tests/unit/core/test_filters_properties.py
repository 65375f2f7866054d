"""Laws of filters, on random filters and random rows.

The judge below reads wire JSON and knows nothing of the builder, so that an error of one is not repeated by the other.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from vikingdb_core.filters import F, Filter, all_of, any_of, parse_filter

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
COMPARE = {
    "gt": lambda value, limit: value > limit,
    "gte": lambda value, limit: value >= limit,
    "lt": lambda value, limit: value < limit,
    "lte": lambda value, limit: value <= limit,
}


def matches(wire: dict[str, Any], row: dict[str, Any]) -> bool:
    match wire:
        case {"op": "and", "conds": conds}:
            return all(matches(cond, row) for cond in conds)
        case {"op": "or", "conds": conds}:
            return any(matches(cond, row) for cond in conds)
        case {"op": "must", "field": field, "conds": conds}:
            held = row[field] if isinstance(row[field], list) else [row[field]]
            return any(value in conds for value in held)
        case {"op": "must_not", "field": field, "conds": conds}:
            held = row[field] if isinstance(row[field], list) else [row[field]]
            return not any(value in conds for value in held)
        case {"op": "range", "field": field}:
            return all(COMPARE[name](row[field], wire[name]) for name in COMPARE if name in wire)
        case {"op": "time_range", "field": field}:
            at = datetime.fromisoformat(row[field])
            return all(COMPARE[name](at, datetime.fromisoformat(wire[name])) for name in COMPARE if name in wire)
        case {}:
            assert wire == {}
            return True
    raise AssertionError(wire)


whole = st.integers(-3, 3)
real = st.sampled_from([-2.5, -1.0, -0.0, 0.0, 0.1, 1.0, 2.5])
genre = st.sampled_from(["sf", "noir", "art", "", "é"])
stored_time = st.integers(-2, 2).map(lambda ms: EPOCH + timedelta(milliseconds=ms))
# Finer than what rows hold, so that rounding is exercised.
bound_time = st.integers(-8, 8).map(lambda quarter: EPOCH + timedelta(microseconds=250 * quarter))
bound_time |= bound_time.map(datetime.isoformat)  # type: ignore[arg-type]

rows = st.fixed_dictionaries(
    {
        "n": whole,
        "price": real,
        "genre": genre,
        "ok": st.booleans(),
        "tags": st.lists(genre, max_size=3),
        "codes": st.lists(whole, max_size=3),
        "at": stored_time.map(lambda at: at.isoformat(timespec="milliseconds")),
    }
)


def bounds(limit: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    lower = st.none() | st.tuples(st.sampled_from(["gt", "gte"]), limit)
    upper = st.none() | st.tuples(st.sampled_from(["lt", "lte"]), limit)
    return st.tuples(lower, upper).map(lambda ends: dict(end for end in ends if end)).filter(bool)


def sets(field: str, value: st.SearchStrategy[Any]) -> st.SearchStrategy[Filter]:
    chosen = st.lists(value, max_size=3)
    return chosen.map(lambda values: F(field).any_of(values)) | chosen.map(lambda values: F(field).none_of(values))


leaves = st.one_of(
    sets("n", whole),
    sets("genre", genre),
    sets("ok", st.booleans()),
    sets("tags", genre),
    sets("codes", whole),
    bounds(whole).map(lambda limits: F("n").range(**limits)),
    bounds(real | whole).map(lambda limits: F("price").range(**limits)),
    bounds(bound_time).map(lambda limits: F("at").range(**limits)),
)


def grown(leaf: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    return st.recursive(
        leaf,
        lambda inner: (
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: all_of(*parts))
            | st.lists(inner, min_size=1, max_size=3).map(lambda parts: any_of(*parts))
        ),
        max_leaves=8,
    )


filters = grown(leaves)
places = st.builds(
    lambda lon, lat, radius: F("where").within(radius, of=(lon, lat)),
    st.floats(-180, 180, exclude_min=True, exclude_max=True),
    st.floats(-90, 90, exclude_min=True, exclude_max=True),
    st.floats(0, 1e8, exclude_min=True) | st.integers(1, 10**8),
)
anything = st.one_of(
    places,
    st.builds(lambda name, values: F(name).any_of(values), st.text(min_size=1).filter(str.strip), st.lists(st.text())),
    st.builds(lambda low: F("x") >= low, st.floats(allow_nan=False, allow_infinity=False)),
    st.builds(lambda n: F("x") != n, st.integers(-(2**63), 2**63 - 1)),
    st.builds(lambda at: F("x").before(at), st.datetimes(min_value=datetime(2, 1, 1), timezones=st.timezones())),
    leaves,
)


@given(filters, rows)
def test_a_row_matches_either_a_filter_or_its_negation_and_never_both(built: Filter, row: dict[str, Any]) -> None:
    assert matches(built.to_wire(), row) != matches((~built).to_wire(), row)


@given(filters, rows)
def test_negating_twice_changes_no_answer(built: Filter, row: dict[str, Any]) -> None:
    assert matches((~~built).to_wire(), row) == matches(built.to_wire(), row)


@given(filters, filters, rows)
def test_operators_mean_what_they_say(one: Filter, other: Filter, row: dict[str, Any]) -> None:
    first, second = matches(one.to_wire(), row), matches(other.to_wire(), row)
    assert matches((one & other).to_wire(), row) == (first and second)
    assert matches((one | other).to_wire(), row) == (first or second)
    assert matches((one & other.to_wire()).to_wire(), row) == (first and second)
    assert matches((one & all_of()).to_wire(), row) == first


@given(bounds(bound_time), rows)
def test_a_time_bound_rounded_to_a_millisecond_matches_the_same_rows(
    limits: dict[str, datetime | str], row: dict[str, Any]
) -> None:
    exact = {name: at if isinstance(at, datetime) else datetime.fromisoformat(at) for name, at in limits.items()}
    at = datetime.fromisoformat(row["at"])
    wanted = all(COMPARE[name](at, limit) for name, limit in exact.items())
    assert matches(F("at").range(**limits).to_wire(), row) == wanted


@given(grown(anything))
def test_every_filter_is_read_back_from_its_json_text_and_from_its_repr(built: Filter) -> None:
    again = parse_filter(json.loads(json.dumps(built.to_wire())))
    rebuilt = eval(repr(built), {"F": F, "all_of": all_of, "parse_filter": parse_filter})
    assert again == built == rebuilt
    assert hash(again) == hash(built) == hash(rebuilt)
    assert again.to_wire() == built.to_wire() == rebuilt.to_wire()


@given(grown(anything))
def test_every_filter_is_sent_in_normal_form(built: Filter) -> None:
    def check(wire: dict[str, Any], outer: str | None) -> None:
        if wire["op"] in ("and", "or"):
            assert wire["op"] != outer
            assert len(wire["conds"]) > 1
            for cond in wire["conds"]:
                check(cond, wire["op"])

    check(built.to_wire(), None)
