"""The typed filter builder: what it compiles to, what it refuses, and that its text and JSON read back."""

from __future__ import annotations

import copy
import enum
import pickle
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

from vikingdb_core.exceptions import InvalidRequest
from vikingdb_core.filters import F, Filter, all_of, any_of, parse_filter

NEW_YEAR = "2026-01-01T00:00:00Z"
NEW_YEAR_UTC = datetime(2026, 1, 1, tzinfo=UTC)
LATER = "2026-06-01T00:00:00Z"
NAMES = {"F": F, "all_of": all_of, "parse_filter": parse_filter}


class ZeroDimensional:
    """Stands for a scalar of any array library."""

    def __init__(self, value: object) -> None:
        self.value = value

    def item(self) -> object:
        return self.value


class Colour(enum.StrEnum):
    RED = "red"


class Mixed(str, enum.Enum):  # noqa: UP042 - whose str() is not its text
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


def must(field: str, *conds: object) -> dict[str, Any]:
    return {"op": "must", "field": field, "conds": list(conds)}


def must_not(field: str, *conds: object) -> dict[str, Any]:
    return {"op": "must_not", "field": field, "conds": list(conds)}


def interval(op: str, field: str, **bounds: object) -> dict[str, Any]:
    return {"op": op, "field": field, **bounds}


def same_json(left: object, right: object) -> bool:
    """Equality that tells True from 1 and 1 from 1.0, as JSON text does."""
    return repr(left) == repr(right)


BUILT: list[tuple[Filter, dict[str, Any]]] = [
    (F("genre") == "noir", must("genre", "noir")),
    (F("genre") != "noir", must_not("genre", "noir")),
    (F("id") == 2**62 + 1, must("id", 2**62 + 1)),
    (F("stock") == True, must("stock", True)),  # noqa: E712
    (F("stock") != False, must_not("stock", False)),  # noqa: E712
    (F("stock").is_true(), must("stock", True)),
    (F("stock").is_false(), must("stock", False)),
    (F("tags").any_of("sf", "noir"), must("tags", "sf", "noir")),
    (F("tags").any_of(["sf", "noir"]), must("tags", "sf", "noir")),
    (F("tags").any_of(("sf",)), must("tags", "sf")),
    (F("tags").any_of({"sf", "noir", "art"}), must("tags", "art", "noir", "sf")),
    (F("tags").any_of(word for word in ("sf", "noir")), must("tags", "sf", "noir")),
    (F("tags").any_of("sf", "noir", "sf"), must("tags", "sf", "noir")),
    (F("tags").none_of("sf", "noir"), must_not("tags", "sf", "noir")),
    (F("ids").none_of({-1, 1000, 7, 64, 2**40}), must_not("ids", -1, 7, 64, 1000, 2**40)),
    (F("price") < 20, interval("range", "price", lt=20)),
    (F("price") <= 19.5, interval("range", "price", lte=19.5)),
    (F("price") > -1, interval("range", "price", gt=-1)),
    (F("price") >= 0.0, interval("range", "price", gte=0.0)),
    (20 > F("price"), interval("range", "price", lt=20)),  # noqa: SIM300
    (20 <= F("price"), interval("range", "price", gte=20)),  # noqa: SIM300
    (F("year").between(1990, 2000), interval("range", "year", gte=1990, lte=2000)),
    (F("year").between(1990, 1990), interval("range", "year", gte=1990, lte=1990)),
    (F("year").range(lt=2000, gte=1990), interval("range", "year", gte=1990, lt=2000)),
    (F("year").range(gt=5, lt=3), interval("range", "year", gt=5, lt=3)),
    (F("at").since(NEW_YEAR), interval("time_range", "at", gte=NEW_YEAR)),
    (F("at").after(NEW_YEAR), interval("time_range", "at", gt=NEW_YEAR)),
    (F("at").until(NEW_YEAR), interval("time_range", "at", lte=NEW_YEAR)),
    (F("at").before(NEW_YEAR), interval("time_range", "at", lt=NEW_YEAR)),
    (F("at").since(NEW_YEAR_UTC), interval("time_range", "at", gte=NEW_YEAR)),
    (F("at") >= NEW_YEAR, interval("time_range", "at", gte=NEW_YEAR)),
    (F("at") < NEW_YEAR_UTC, interval("time_range", "at", lt=NEW_YEAR)),
    (F("at").between(NEW_YEAR_UTC, LATER), interval("time_range", "at", gte=NEW_YEAR, lte=LATER)),
    (F("at").range(gte=NEW_YEAR, lt=LATER), interval("time_range", "at", gte=NEW_YEAR, lt=LATER)),
    (
        F("where").within(500, of=(116.4, 39.9)),
        {"op": "geo_range", "field": "where", "center": "116.4,39.9", "radius": "500m"},
    ),
    (
        F("year").outside(1990, 2000),
        {"op": "or", "conds": [interval("range", "year", lt=1990), interval("range", "year", gt=2000)]},
    ),
]


@pytest.mark.parametrize(("built", "wire"), BUILT, ids=[str(built) for built, _ in BUILT])
def test_a_filter_compiles_to_the_documented_json(built: Filter, wire: dict[str, Any]) -> None:
    assert same_json(built.to_wire(), wire)


def test_the_filter_of_the_readme_compiles_whole() -> None:
    wanted = (
        (F("price") < 20)
        & F("tags").any_of("sf", "noir")
        & ~F("year").between(1990, 2000)
        & F("where").within("2km", of=(116.4, 39.9))
        & F("at").since(NEW_YEAR)
    )
    assert wanted.to_wire() == {
        "op": "and",
        "conds": [
            {"op": "range", "field": "price", "lt": 20},
            {"op": "must", "field": "tags", "conds": ["sf", "noir"]},
            {
                "op": "or",
                "conds": [
                    {"op": "range", "field": "year", "lt": 1990},
                    {"op": "range", "field": "year", "gt": 2000},
                ],
            },
            {"op": "geo_range", "field": "where", "center": "116.4,39.9", "radius": "2000m"},
            {"op": "time_range", "field": "at", "gte": "2026-01-01T00:00:00Z"},
        ],
    }
    assert str(wanted) == (
        "price < 20 and tags in ('sf', 'noir') and (year < 1990 or year > 2000) "
        "and where within 2000m of (116.4,39.9) and at >= 2026-01-01T00:00:00Z"
    )


@pytest.mark.parametrize(
    ("empty", "wire"),
    [
        (F("tenant").any_of(), must("tenant")),
        (F("tenant").any_of([]), must("tenant")),
        (F("t").none_of(()), must_not("t")),
    ],
)
def test_an_empty_allow_list_is_sent_and_never_becomes_no_filter(empty: Filter, wire: dict[str, Any]) -> None:
    assert empty.to_wire() == wire
    assert (empty & {}).to_wire() == wire


@pytest.mark.parametrize(
    ("built", "wire"),
    [
        (F("x") == Colour.RED, must("x", "red")),
        (F("x") == Mixed.RED, must("x", "red")),
        (F("x") == Level.HIGH, must("x", 3)),
        (F("x") == ZeroDimensional(7), must("x", 7)),
        (F("x") < ZeroDimensional(1.5), interval("range", "x", lt=1.5)),
        (F("x").any_of([ZeroDimensional(True)]), must("x", True)),
    ],
)
def test_enum_members_and_array_scalars_become_the_plain_value_they_hold(built: Filter, wire: dict[str, Any]) -> None:
    assert same_json(built.to_wire(), wire)


def test_numpy_scalars_and_arrays_are_taken_as_plain_values() -> None:
    np = pytest.importorskip("numpy")
    cases: list[tuple[Filter, dict[str, Any]]] = [
        (F("x") == np.int64(5), must("x", 5)),
        (F("x") == np.bool_(True), must("x", True)),
        (F("x") == np.str_("a"), must("x", "a")),
        (F("x") < np.float64(1.5), interval("range", "x", lt=1.5)),
        (F("x") >= np.float32(0.5), interval("range", "x", gte=0.5)),
        (np.int64(3) > F("x"), interval("range", "x", lt=3)),
        (F("x").any_of(np.array([3, 1])), must("x", 3, 1)),
        (F("x").any_of(np.array(3)), must("x", 3)),
        (F("x").within(np.float32(500), of=(np.float64(1.5), np.int64(2))), F("x").within(500, of=(1.5, 2)).to_wire()),
    ]
    for built, wire in cases:
        assert same_json(built.to_wire(), wire)
    for refused in (np.float64("nan"), np.array([1, 2]), np.datetime64("2026-01-01", "ns")):
        with pytest.raises(InvalidRequest):
            F("x") < refused  # noqa: B015


CHINA = timezone(timedelta(hours=8))


@pytest.mark.parametrize(
    ("time", "sent"),
    [
        (datetime(2026, 1, 1, 8, tzinfo=CHINA), "2026-01-01T00:00:00Z"),
        (datetime(2026, 1, 1, 0, 0, 0, 250_000, tzinfo=UTC), "2026-01-01T00:00:00.250Z"),
        (datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=8, seconds=43))), "2025-12-31T15:59:17Z"),
        ("2026-01-01T00:00Z", "2026-01-01T00:00Z"),
        ("2026-01-01T08:00:00+08:00", "2026-01-01T08:00:00+08:00"),
        ("2026-01-01T00:00:00.250Z", "2026-01-01T00:00:00.250Z"),
    ],
)
def test_datetimes_become_utc_text_and_texts_stay_as_written(time: datetime | str, sent: str) -> None:
    assert F("at").since(time).to_wire()["gte"] == sent


@pytest.mark.parametrize("time", [NEW_YEAR_UTC + timedelta(microseconds=250_001), "2026-01-01T08:00:00.250001+08:00"])
@pytest.mark.parametrize(("bound", "sent"), [("gte", 251), ("lt", 251), ("gt", 250), ("lte", 250)])
def test_a_bound_finer_than_a_millisecond_moves_so_that_the_same_rows_match(
    time: datetime | str, bound: str, sent: int
) -> None:
    built = F("at").range(**{bound: time})
    assert built.to_wire()[bound] == f"2026-01-01T00:00:00.{sent}Z"


@pytest.mark.parametrize(
    ("radius", "sent"),
    [
        (500, "500m"),
        (0.5, "0.5m"),
        (2500.0, "2500m"),
        (1e7, "10000000m"),
        ("500m", "500m"),
        ("500 m", "500m"),
        ("2km", "2000m"),
        ("1.1km", "1100m"),
        ("0.0005km", "0.5m"),
        ("100.50m", "100.5m"),
    ],
)
def test_a_radius_is_sent_in_metres(radius: float | str, sent: str) -> None:
    assert F("where").within(radius, of=(0, 0)).to_wire()["radius"] == sent


@pytest.mark.parametrize(
    ("centre", "sent"),
    [
        ((116.4, 39.9), "116.4,39.9"),
        ([116, -39], "116,-39"),
        ((-0.0, 0.0), "0,0"),
        ((1e-7, 0), "0.0000001,0"),
        ("116.4,39.9", "116.4,39.9"),
        ("-116.40, 39.9", "-116.4,39.9"),
        ((179.999, -89.999), "179.999,-89.999"),
    ],
)
def test_a_centre_is_sent_as_lon_lat_text(centre: Any, sent: str) -> None:
    assert F("where").within(1, of=centre).to_wire()["center"] == sent


REFUSED: list[tuple[str, Callable[[], object], str]] = [
    ("empty name", lambda: F(""), "field"),
    ("blank name", lambda: F("  "), "field"),
    ("name of another type", lambda: F(3), "field"),  # type: ignore[arg-type]
    ("null", lambda: F("x") == None, "null"),  # noqa: E711
    ("null among values", lambda: F("x").any_of("a", None), "null"),  # type: ignore[arg-type]
    ("null bound", lambda: F("x") < None, "bound"),  # type: ignore[operator]
    ("null as half a range", lambda: F("x").range(gte=None, lt=5), "None"),  # type: ignore[arg-type]
    ("null time", lambda: F("x").since(None), "time"),  # type: ignore[arg-type]
    ("float equality", lambda: F("x") == 1.5, "between"),
    ("float inequality", lambda: F("x") != 1.0, "between"),
    ("float member", lambda: F("x").any_of(1.0), "between"),  # type: ignore[arg-type]
    ("nan", lambda: F("x") < float("nan"), "NaN"),
    ("infinity", lambda: F("x") > float("-inf"), "infinity"),
    ("boolean bound", lambda: F("x") < True, "is_true"),
    ("decimal bound", lambda: F("x") < Decimal(1), "Decimal"),  # type: ignore[operator]
    ("beyond int64", lambda: F("x") == 2**63, "64 bits"),
    ("beyond int64 as bound", lambda: F("x") > -(2**63) - 1, "64 bits"),
    ("lone surrogate", lambda: F("x") == "\ud800", "surrogate"),
    ("lone surrogate in a name", lambda: F("\ud800"), "surrogate"),
    ("mixed kinds", lambda: F("x").any_of(1, "a"), "one type"),
    ("bool and int", lambda: F("x").any_of(True, 1), "one type"),
    ("mixed set", lambda: F("x").any_of({1, "a"}), "one type"),
    ("nested list", lambda: F("x").any_of(["a"], ["b"]), "list"),
    ("bytes", lambda: F("x") == b"a", "bytes"),
    ("mapping", lambda: F("x").any_of({"a": 1}), "dict"),
    ("another field", lambda: F("x") == F("y"), "F cannot"),
    ("another field as bound", lambda: F("x") < F("y"), "F cannot"),  # type: ignore[operator]
    ("time equality", lambda: F("at") == NEW_YEAR_UTC, "between"),
    ("date", lambda: F("at") < date(2026, 1, 1), "aware datetime"),  # type: ignore[operator]
    ("naive datetime", lambda: F("at") < datetime(2026, 1, 1), "UTC"),
    ("text without order", lambda: F("name") < "smith", "RFC 3339"),
    ("time without offset", lambda: F("at").since("2026-01-01T00:00:00"), "RFC 3339"),
    ("date only", lambda: F("at").since("2026-01-01"), "RFC 3339"),
    ("impossible date", lambda: F("at").since("2026-02-30T00:00:00Z"), "RFC 3339"),
    ("hour 24", lambda: F("at").since("2026-01-01T24:00:00Z"), "RFC 3339"),
    ("impossible offset", lambda: F("at").since("2026-01-01T00:00:00+25:00"), "RFC 3339"),
    ("foreign digits", lambda: F("at").since("٢٠٢٦-01-01T00:00:00Z"), "RFC 3339"),
    ("number as time", lambda: F("at").since(1767225600), "time"),  # type: ignore[arg-type]
    ("last microsecond of all", lambda: F("at") >= datetime.max.replace(tzinfo=UTC), "years"),
    ("half number half time", lambda: F("x").between(1, NEW_YEAR), "two of a kind"),
    ("ends swapped", lambda: F("x").between(20, 10), "smaller"),
    ("times swapped", lambda: F("x").between(LATER, NEW_YEAR_UTC), "smaller"),
    ("outside swapped", lambda: F("x").outside(20, 10), "smaller"),
    ("no bound", lambda: F("x").range(), "at least one"),
    ("two lower bounds", lambda: F("x").range(gt=1, gte=2), "one lower bound"),
    ("two upper bounds", lambda: F("x").range(lt=1, lte=2), "one upper bound"),
    ("unknown bound", lambda: F("x").range(ge=1), "'ge'"),  # type: ignore[call-arg]
    ("radius without unit", lambda: F("x").within("500", of=(0, 0)), "metres"),
    ("radius in miles", lambda: F("x").within("2mi", of=(0, 0)), "metres"),
    ("radius zero", lambda: F("x").within(0, of=(0, 0)), "above zero"),
    ("radius negative", lambda: F("x").within(-1, of=(0, 0)), "above zero"),
    ("radius nan", lambda: F("x").within(float("nan"), of=(0, 0)), "NaN"),
    ("latitude first", lambda: F("x").within(1, of=(39.9, 116.4)), "longitude first"),
    ("on the date line", lambda: F("x").within(1, of=(180, 0)), "180"),
    ("on the pole", lambda: F("x").within(1, of="0,90"), "90"),
    ("centre of one", lambda: F("x").within(1, of=(1,)), "lon, lat"),  # type: ignore[arg-type]
    ("centre of words", lambda: F("x").within(1, of="here"), "lon, lat"),
    ("centre of texts", lambda: F("x").within(1, of=("1", "2")), "str"),  # type: ignore[arg-type]
    ("nothing to choose from", lambda: any_of(), "at least one"),
    ("none in a combination", lambda: all_of(F("x") == 1, None), "all_of"),  # type: ignore[arg-type]
    ("list in a combination", lambda: all_of([F("x") == 1]), "list"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("attempt", "hint"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_the_service_could_not_take_is_refused_with_advice(attempt: Callable[[], object], hint: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        attempt()
    assert hint in str(caught.value)


TRAPS: list[tuple[str, Callable[[], object], str]] = [
    ("chained comparison", lambda: 10 < F("x") < 20, "between"),
    ("and", lambda: (F("x") == 1) and (F("y") == 2), "&"),
    ("or", lambda: (F("x") == 1) or (F("y") == 2), "&"),
    ("not", lambda: not (F("x") == 1), "~"),  # noqa: SIM201
    ("bool", lambda: bool(F("x") == 1), "is not None"),
    ("if on a field", lambda: 1 if F("x") else 2, "is_true"),
    ("in a list", lambda: F("x") in [1, 2], "any_of"),
    ("in a field", lambda: 3 in F("x"), "any_of"),
    ("in a filter", lambda: 3 in (F("x") == 1), "any_of"),
    ("no parentheses", lambda: F("x") == 1 & F("y") == 2, "(F('a') == 1)"),
    ("no parentheses, or", lambda: F("x") == 1 | F("y") == 2, "(F('a') == 1)"),
    ("parentheses on the left only", lambda: (F("x") == 1) & F("y") == 2, "parentheses"),
    ("parentheses on the right only", lambda: F("x") == 1 & (F("y") == 2), "parentheses"),  # type: ignore[operator]
    ("negation of the field", lambda: ~F("x") == 1, "~(F('a') == 1)"),
    ("bare field", lambda: F("x") & (F("y") == 2), "is_true"),
    ("none", lambda: (F("x") == 1) & None, "None is not a filter"),  # type: ignore[operator]
]


@pytest.mark.parametrize(("attempt", "hint"), [case[1:] for case in TRAPS], ids=[case[0] for case in TRAPS])
def test_a_trap_of_python_operators_raises_and_says_what_to_write(attempt: Callable[[], object], hint: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        attempt()
    assert hint in str(caught.value)


def test_messages_name_the_field_and_keep_the_value_to_themselves() -> None:
    attempts: list[Callable[[], object]] = [
        lambda: F("mail") < "ann@example.org",
        lambda: F("mail").any_of("ann@example.org", 1),
        lambda: parse_filter({"op": "range", "field": "mail", "lt": "ann@example.org"}),
    ]
    for attempt in attempts:
        with pytest.raises(InvalidRequest) as caught:
            attempt()
        assert "F('mail')" in str(caught.value)
        assert "ann@example.org" not in str(caught.value)


def test_a_field_is_no_dictionary_key_because_it_does_not_compare() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        {F("x"): 1}


A, B, C, D = (F(name) == 1 for name in "abcd")


@pytest.mark.parametrize(
    ("nested", "flat"),
    [
        ((A & B) & (C & D), all_of(A, B, C, D)),
        (A & (B & (C & D)), all_of(A, B, C, D)),
        ((A | B) | (C | D), any_of(A, B, C, D)),
        (all_of(all_of(A)), A),
        (any_of(any_of(A)), A),
        (all_of(A, all_of(), B), A & B),
        (A & {}, A),
        ({} & A, A),
        (A | {}, all_of()),
        (all_of() & all_of(), all_of()),
    ],
)
def test_combinations_are_kept_flat(nested: Filter, flat: Filter) -> None:
    assert nested == flat
    assert nested.to_wire() == flat.to_wire()


def test_and_inside_or_keeps_its_brackets() -> None:
    both = (A & B) | C
    assert both.to_wire()["conds"][0] == (A & B).to_wire()
    assert str(both) == "(a == 1 and b == 1) or c == 1"
    assert both != A & (B | C)


def test_a_filter_combines_with_a_plain_dict_on_either_side() -> None:
    plain = must("a", 1)
    assert plain & B == A & B
    assert B & plain == B & A
    assert plain | B == A | B
    assert B | plain == B | A
    assert MappingProxyType(plain) & B == A & B
    assert all_of(plain, must("b", 1)) == A & B
    with pytest.raises(InvalidRequest, match="is 'must' meant"):
        B & {"op": "musst", "field": "a", "conds": [1]}


def test_the_empty_filter_matches_every_row_and_has_no_opposite() -> None:
    assert all_of().to_wire() == {}
    assert parse_filter({}) == all_of()
    with pytest.raises(InvalidRequest, match="every row"):
        ~all_of()


@pytest.mark.parametrize(
    ("negated", "wire"),
    [
        (~(F("x") == 1), must_not("x", 1)),
        (~F("x").none_of("a", "b"), must("x", "a", "b")),
        (~F("x").any_of(), must_not("x")),
        (~(F("x") < 1), interval("range", "x", gte=1)),
        (~(F("x") <= 1), interval("range", "x", gt=1)),
        (~(F("x") > 1), interval("range", "x", lte=1)),
        (~F("x").since(NEW_YEAR), interval("time_range", "x", lt=NEW_YEAR)),
        (
            ~F("x").range(gt=1, lte=2),
            {"op": "or", "conds": [interval("range", "x", lte=1), interval("range", "x", gt=2)]},
        ),
        (
            ~F("x").between(NEW_YEAR, LATER),
            {"op": "or", "conds": [interval("time_range", "x", lt=NEW_YEAR), interval("time_range", "x", gt=LATER)]},
        ),
        (~(A & B), {"op": "or", "conds": [must_not("a", 1), must_not("b", 1)]}),
        (~(A | ~B), {"op": "and", "conds": [must_not("a", 1), must("b", 1)]}),
        (~(A & F("x").between(1, 2)), (~A | (F("x") < 1) | (F("x") > 2)).to_wire()),
    ],
)
def test_negation_is_pushed_down_to_operators_the_wire_has(negated: Filter, wire: dict[str, Any]) -> None:
    assert negated.to_wire() == wire


@pytest.mark.parametrize(
    ("stubborn", "hint"),
    [
        (F("x").within(1, of=(0, 0)), "geo_range has no complement"),
        (A & F("x").within(1, of=(0, 0)), "geo_range has no complement"),
        (parse_filter(interval("range_out", "x", gt=500, lt=100)), "outside"),
        (parse_filter({"op": "range", "field": ["x", "y"], "center": [0, 0], "radius": 1}), "no complement"),
    ],
)
def test_what_has_no_complement_on_the_wire_cannot_be_negated(stubborn: Filter, hint: str) -> None:
    with pytest.raises(InvalidRequest, match=hint):
        ~stubborn  # noqa: B018


def test_filters_built_alike_are_equal_and_hash_alike() -> None:
    first, second = ((F("a") < 1) & F("b").any_of("x", "y") & F("c").within(1, of=(2, 3)) for _ in range(2))
    assert first == second
    assert len({first, second}) == 1
    assert first != (F("a") < 2)
    assert (F("a") == 1) != (F("a") != 1)
    assert F("a").since(datetime(2026, 1, 1, 8, tzinfo=CHINA)) == F("a").since(NEW_YEAR_UTC)


def test_true_is_not_one() -> None:
    assert (F("a") == True) != (F("a") == 1)  # noqa: E712
    assert hash(F("a") == True) != hash(F("a") == 1)  # noqa: E712


def test_a_filter_cannot_be_changed() -> None:
    built = F("tags").any_of("sf")
    with pytest.raises(AttributeError):
        built.field = "other"  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        F("a").name = "b"  # type: ignore[misc]
    built.to_wire()["conds"].append("noir")
    assert built.to_wire() == must("tags", "sf")


def test_a_filter_does_not_keep_the_list_it_was_given() -> None:
    tags = ["sf"]
    built = F("tags").any_of(tags)
    tags.append("noir")
    assert built.to_wire() == must("tags", "sf")


READ_ONLY = [
    interval("range_out", "x", gte=3000, lte=8000),
    interval("range_out", "x", gt=500, lt=100),
    {"op": "range", "field": ["x", "y"], "center": [1, -2.5], "radius": 3},
]
ALL_KINDS = [built for built, _ in BUILT] + [parse_filter(wire) for wire in READ_ONLY]
ALL_KINDS += [all_of(), F("q'\"\n").any_of(), ALL_KINDS[0] & (ALL_KINDS[1] | ALL_KINDS[-1])]


@pytest.mark.parametrize("built", ALL_KINDS, ids=str)
def test_every_filter_survives_repr_wire_pickle_and_copy(built: Filter) -> None:
    rebuilt = eval(repr(built), dict(NAMES))
    for again in (rebuilt, parse_filter(built.to_wire()), pickle.loads(pickle.dumps(built)), copy.deepcopy(built)):
        assert again == built
        assert hash(again) == hash(built)
        assert same_json(again.to_wire(), built.to_wire())


@pytest.mark.parametrize(
    ("built", "shown"),
    [
        (F("price") < 20, "F('price') < 20"),
        (F("tags").any_of("sf", "noir"), "F('tags').any_of('sf', 'noir')"),
        (~F("tags").any_of("sf"), "F('tags') != 'sf'"),
        (F("year").between(1990, 2000), "F('year').between(1990, 2000)"),
        (F("year").range(gte=1990, lt=2000), "F('year').range(gte=1990, lt=2000)"),
        (F("year").range(gte=5, lte=3), "F('year').range(gte=5, lte=3)"),
        (F("at").since(NEW_YEAR), f"F('at') >= '{NEW_YEAR}'"),
        (F("at").between(NEW_YEAR, LATER), f"F('at').between('{NEW_YEAR}', '{LATER}')"),
        (F("where").within("2km", of=(1, 2)), "F('where').within('2000m', of='1,2')"),
        ((A & B) | C, "((F('a') == 1) & (F('b') == 1)) | (F('c') == 1)"),
        (all_of(), "all_of()"),
        (parse_filter(READ_ONLY[0]), "parse_filter({'op': 'range_out', 'field': 'x', 'gte': 3000, 'lte': 8000})"),
    ],
)
def test_the_repr_is_python_that_reads_like_what_was_written(built: Filter, shown: str) -> None:
    assert repr(built) == shown


@pytest.mark.parametrize(
    ("built", "shown"),
    [
        (F("genre") == "noir", "genre == 'noir'"),
        (F("tags").none_of(1, 2), "tags not in (1, 2)"),
        (F("ids").any_of(range(1000)), "ids in (0, 1, 2, 3, 4, 5, 6, 7, … 992 more)"),
        (F("year").range(gte=1990, lt=2000), "1990 <= year < 2000"),
        (F("at").between(NEW_YEAR, LATER), f"{NEW_YEAR} <= at <= {LATER}"),
        (all_of(), "every row"),
        (parse_filter(READ_ONLY[1]), "x range_out (gt 500, lt 100)"),
        (parse_filter(READ_ONLY[2]), "(x, y) within 3 of (1, -2.5)"),
    ],
)
def test_the_str_is_an_expression_for_people(built: Filter, shown: str) -> None:
    assert str(built) == shown


@pytest.mark.parametrize(
    ("wire", "read"),
    [
        (must("x", 1, 2), F("x").any_of(1, 2)),
        (must_not("x", "a"), F("x") != "a"),
        (must("x"), F("x").any_of()),
        (interval("range", "x", lt=5, gt=1), F("x").range(gt=1, lt=5)),
        (interval("time_range", "x", gte=NEW_YEAR), F("x").since(NEW_YEAR)),
        ({"op": "geo_range", "field": "x", "center": "1, 2.0", "radius": "1km"}, F("x").within(1000, of=(1, 2))),
        ({"op": "georange", "field": "x", "center": "1,2", "radius": "5m"}, F("x").within(5, of=(1, 2))),
        ({"op": "and", "conds": [must("a", 1)]}, A),
        ({"op": "and", "conds": [must("a", 1), {"op": "and", "conds": (must("b", 1), must("c", 1))}]}, A & B & C),
        ({"op": "or", "conds": [must("a", 1), {"op": "and", "conds": [B, must("c", 1)]}]}, A | (B & C)),
        (MappingProxyType(must("a", 1)), A),
        (A, A),
    ],
)
def test_every_documented_operator_is_read_into_normal_form(wire: Any, read: Filter) -> None:
    assert parse_filter(wire) == read


@pytest.mark.parametrize("wire", READ_ONLY, ids=str)
def test_operators_the_builder_never_writes_are_kept_word_for_word(wire: dict[str, Any]) -> None:
    assert same_json(parse_filter(wire).to_wire(), wire)


UNREADABLE: list[tuple[Any, str]] = [
    (None, "NoneType"),
    ([], "list"),
    ("price < 3", "str"),
    ({"field": "x", "conds": [1]}, "'op' is one of"),
    ({"op": ["and"], "conds": []}, "'op' is one of"),
    ({"op": "musnt", "field": "x", "conds": [1]}, "is 'must"),
    ({"op": "not", "conds": []}, "~"),
    ({"op": "prefix", "field": "x", "prefix": "a"}, "'op' is one of"),
    ({"op": "and", "conds": []}, "at least one"),
    ({"op": "or"}, "without 'conds'"),
    ({"op": "and", "conds": {"op": "must"}}, "list"),
    ({"op": "and", "conds": [must("a", 1), {}]}, "filter.conds[1]"),
    ({"op": "or", "conds": [must("a", 1), {"op": "and", "conds": [3]}]}, "filter.conds[1].conds[0]"),
    ({"op": "must", "conds": [1]}, "without 'field'"),
    ({"op": "must", "field": "x"}, "without 'conds'"),
    ({"op": "must", "field": "x", "conds": "abc"}, "str"),
    ({"op": "must", "field": "", "conds": [1]}, "not empty"),
    ({"op": "must", "field": ["x", "y"], "conds": [1]}, "not empty"),
    (must("x", 1, "a"), "one type"),
    (must("x", None), "null"),
    (must("x", 1.5), "float"),
    (must("x", ["a"]), "list"),
    ({**must("x", "/a"), "para": "-d=1"}, "'para'"),
    (interval("range", "x"), "at least one"),
    (interval("range", "x", gt=1, gte=1), "one lower bound"),
    (interval("range", "x", gt=None), "None"),
    (interval("range", "x", gt=True), "order"),
    (interval("range", "x", gt=1, gtt=1), "'gtt'"),
    (interval("range", "x", gt=NEW_YEAR), "time_range"),
    (interval("range_out", "x", gt=NEW_YEAR), "time_range"),
    (interval("time_range", "x", gt=5), "'range'"),
    ({"op": "geo_range", "field": "x", "center": "1,2"}, "without 'radius'"),
    ({"op": "range", "field": ["x"], "center": [0, 0], "radius": 1}, "two fields"),
    ({"op": "range", "field": ["x", "y"], "center": [0, "1"], "radius": 1}, "str"),
]


@pytest.mark.parametrize(("wire", "hint"), UNREADABLE, ids=[str(wire) for wire, _ in UNREADABLE])
def test_json_that_is_no_documented_filter_is_refused_with_its_place(wire: Any, hint: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_filter(wire)
    assert hint in str(caught.value)


def test_absurd_nesting_is_refused_rather_than_exhausting_the_stack() -> None:
    wire: dict[str, Any] = must("a", 1)
    for _ in range(5000):
        wire = {"op": "or", "conds": [wire, must("b", 1)]}
    with pytest.raises(InvalidRequest, match="levels"):
        parse_filter(wire)


def test_ten_thousand_conditions_combine_and_read_back() -> None:
    many = any_of(*(F("x") == number for number in range(10_000)))
    assert parse_filter(many.to_wire()) == many
