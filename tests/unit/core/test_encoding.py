"""Encoding: what Python has is written as JSON exactly, or refused with the place where it cannot be."""

from __future__ import annotations

import array
import dataclasses
import enum
import json
import math
from collections import OrderedDict, UserDict, deque
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vikingdb_core.encoding import decode, encode
from vikingdb_core.exceptions import InvalidRequest
from vikingdb_core.filters import F

NAN, INF = float("nan"), float("inf")

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=6
)
bodies = st.dictionaries(st.text(), values, max_size=3)
broken = st.sampled_from(
    [NAN, INF, -INF, np.float32(NAN), np.float64(INF), np.array([1.0, NAN]), np.array([INF], "f2")]
)


@given(bodies)
def test_a_body_of_plain_values_comes_back_as_it_was(body: dict[str, Any]) -> None:
    assert json.loads(encode(body)) == body
    assert decode(encode(body)) == body


@given(st.data(), bodies, broken)
def test_nan_and_infinity_are_refused_wherever_they_hide(
    data: st.DataObject, body: dict[str, Any], hidden: Any
) -> None:
    wrap = data.draw(st.sampled_from([lambda v: v, lambda v: [v], lambda v: (1.0, v), lambda v: {"k": [0, {"d": v}]}]))
    with pytest.raises(InvalidRequest, match="finite"):
        encode({**body, "hidden": wrap(hidden)})


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"limit": NAN}, "limit"),
        ({"data": [{"v": [0.1, 0.2, INF]}]}, r"data\[0\]\.v\[2\]"),
        ({"data": [{"v": [1, -INF, INF]}]}, r"data\[0\]\.v\[1\]"),
        ({"data": [{"v": ([0.1], [0.2, NAN])}]}, r"data\[0\]\.v\[1\]\[1\]"),
        ({"v": {7: NAN}}, r"v\.7"),
        ({"data": [{"v": np.array([0.1, NAN], "f4")}]}, r"data\[0\]\.v .* position 1"),
        ({"data": [{"v": np.array([0.1, NAN], "f2")}]}, r"data\[0\]\.v .* position 1"),
        ({"v": np.array([[1.0, 2.0], [3.0, INF]])}, "v .* position 3"),
        ({"v": np.float32(NAN)}, "v "),
        ({"v": [np.float64(NAN), np.float64(1)]}, r"v\[0\]"),
        ({"v": [1, 2, "three", NAN]}, r"v\[3\]"),
    ],
)
def test_the_place_of_what_is_not_finite_is_named(body: dict[str, Any], place: str) -> None:
    with pytest.raises(InvalidRequest, match=place):
        encode(body)


class Weight(enum.Enum):
    NONE = NAN


@dataclasses.dataclass
class Point:
    x: float


class Pair(NamedTuple):
    x: float


class Wired:
    def to_wire(self) -> Any:
        return {"op": "range", "gt": NAN}


class Tensor:
    """What a tensor of another library looks like from here."""

    def __init__(self, *items: Any) -> None:
        self.items = list(items)

    def tolist(self) -> list[Any]:
        return self.items


@pytest.mark.parametrize(
    "hidden",
    [
        {1.0, NAN},
        frozenset([NAN]),
        Point(NAN),
        [Point(1.0), Point(NAN)],
        Pair(NAN),
        Weight.NONE,
        Wired(),
        Tensor(1.0, NAN),
        array.array("d", [NAN]),
        UserDict({"x": NAN}),
        MappingProxyType({"x": NAN}),
        np.array([1.0, NAN], dtype=object),
        np.array([1.0, 2.0, NAN])[::2],
        Point(Tensor(NAN)),  # type: ignore[arg-type]
        Tensor(Tensor(NAN)),
        {"x": {Point(1.0).x, NAN}},
    ],
    ids=lambda hidden: type(hidden).__name__,
)
def test_no_container_smuggles_a_nan_past_the_check(hidden: Any) -> None:
    with pytest.raises(InvalidRequest):
        encode({"hidden": hidden})


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_finite_numbers_are_never_refused_however_large(numbers: list[float]) -> None:
    assert json.loads(encode({"v": numbers, "w": tuple(numbers)}))["v"] == numbers


def test_numbers_whose_sum_overflows_are_finite_all_the_same() -> None:
    assert json.loads(encode({"v": [1.7e308, 1.7e308, -1.7e308]}))["v"] == [1.7e308, 1.7e308, -1.7e308]
    assert json.loads(encode({"v": [2**63, 1.7e308] * 2}))["v"][0] == 2**63


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "u1", "i4", "i8", "u8", "?"])
def test_arrays_of_every_kind_are_written_as_lists(dtype: str) -> None:
    flat = np.array([0, 1, 2, 3], dtype)
    for made in (flat, flat.reshape(2, 2), flat[::2], flat.reshape(2, 2).T, flat[:0], np.array(flat)[::-1]):
        assert json.loads(encode({"v": made}))["v"] == made.tolist()
    assert json.loads(encode({"v": list(flat)}))["v"] == flat.tolist()


def test_a_float32_is_written_with_the_digits_of_a_float32() -> None:
    assert encode({"v": np.array([0.1], "f4")}) == b'{"v":[0.1]}'


def test_integers_of_64_bits_are_exact_and_larger_ones_refused() -> None:
    assert encode({"v": [2**64 - 1, -(2**63)]}) == b'{"v":[18446744073709551615,-9223372036854775808]}'
    for wrong in (2**64, -(2**63) - 1, 10**30):
        for body in ({"v": wrong}, {"v": [wrong]}, {"v": [0.5, wrong]}, {"v": {"k": wrong}}):
            with pytest.raises(InvalidRequest, match="64"):
                encode(body)


@given(st.dictionaries(st.integers(-(2**63), 2**64 - 1), st.floats(0, 1), min_size=1))
def test_numbers_as_keys_become_strings(sparse: dict[int, float]) -> None:
    assert json.loads(encode({"sparse": sparse}))["sparse"] == {str(key): value for key, value in sparse.items()}


@pytest.mark.parametrize("key", [b"bytes", (1, 2), object(), frozenset()])
def test_what_cannot_be_a_key_is_refused(key: Any) -> None:
    with pytest.raises(InvalidRequest):
        encode({"sparse": {key: 1}})


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("三体 – café 🚀\n\"'\\\u2028", "三体 – café 🚀\n\"'\\\u2028"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05+00:00"),
        (date(2026, 1, 2), "2026-01-02"),
        (UUID("12345678-1234-5678-1234-567812345678"), "12345678-1234-5678-1234-567812345678"),
        (OrderedDict(a=1), {"a": 1}),
        (UserDict({"a": UserDict({"b": 1})}), {"a": {"b": 1}}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (frozenset({1}), [1]),
        (range(3), [0, 1, 2]),
        ((1, (2,)), [1, [2]]),
        (Tensor(1, 2), [1, 2]),
        (F("year") >= 1965, {"op": "range", "field": "year", "gte": 1965}),
        ([], []),
        ("", ""),
        (False, False),
        (None, None),
        (0, 0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_have_one_written_form(value: Any, written: Any) -> None:
    assert json.loads(encode({"v": value})) == {"v": written}


def endless() -> dict[str, Any]:
    body: dict[str, Any] = {}
    body["self"] = [body]
    return body


@pytest.mark.parametrize(
    "value",
    [
        object(),
        b"bytes",
        1j,
        Decimal("1.5"),
        {1, "a", object()},
        lambda: 1,
        deque([1]),
        "\ud800",
        {"\ud800": 1},
        endless(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_json_has_no_word_for_is_refused(value: Any) -> None:
    with pytest.raises(InvalidRequest):
        encode({"v": value})


def test_text_is_written_as_utf_8_and_without_blanks() -> None:
    assert encode({"标题": "三体", "a": [1, 2]}) == '{"标题":"三体","a":[1,2]}'.encode()


def test_encoding_changes_nothing_of_what_it_was_given() -> None:
    vector = np.array([1.0, 2.0], "f4")
    body: Mapping[str, Any] = MappingProxyType({"v": vector, "d": {1: [1, 2]}})
    encode(body)
    assert dict(body) == {"v": vector, "d": {1: [1, 2]}}
    assert vector.dtype == np.float32


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"NaN", b"[1,]", b"{} {}"])
def test_what_is_no_json_is_a_value_error(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # orjson's own words
        decode(text)


def test_a_large_number_is_read_exactly() -> None:
    assert decode(b"[18446744073709551615, -9223372036854775808]") == [2**64 - 1, -(2**63)]
    assert math.isfinite(decode(b"1e308"))
