"""Leaves: the conditions on one field, as the wire knows them.

Leaves hold operands that ``builder`` and ``wire`` have checked and brought into wire form; they check nothing again.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from ..exceptions import InvalidRequest
from .nodes import Filter, any_of
from .times import instant

SYMBOLS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_OPPOSITE = {"gt": "lte", "gte": "lt", "lt": "gte", "lte": "gt"}
_MIRRORED = {"gt": "<", "gte": "<="}
_SHOWN_VALUES = 8


@dataclass(frozen=True, repr=False, eq=False)
class _Membership(Filter):
    field: str
    values: tuple[bool | int | str, ...]

    op: ClassVar[str]
    symbol: ClassVar[str]
    word: ClassVar[str]
    method: ClassVar[str]

    def to_wire(self) -> dict[str, Any]:
        return {"op": self.op, "field": self.field, "conds": list(self.values)}

    def __eq__(self, other: object) -> bool:
        return self._identity() == other._identity() if isinstance(other, _Membership) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[object, ...]:
        # Python takes True for 1; JSON does not.
        return self.op, self.field, self.values, tuple(map(type, self.values))

    def __repr__(self) -> str:
        if len(self.values) == 1:
            return f"F({self.field!r}) {self.symbol} {self.values[0]!r}"
        return f"F({self.field!r}).{self.method}({', '.join(map(repr, self.values))})"

    def __str__(self) -> str:
        if len(self.values) == 1:
            return f"{self.field} {self.symbol} {self.values[0]!r}"
        shown = [repr(value) for value in self.values[:_SHOWN_VALUES]]
        if len(self.values) > _SHOWN_VALUES:
            shown.append(f"… {len(self.values) - _SHOWN_VALUES} more")
        return f"{self.field} {self.word} ({', '.join(shown)})"


@dataclass(frozen=True, repr=False, eq=False)
class Must(_Membership):
    """The value, or an element of a list field, is one of ``values``; with no values, no row."""

    op = "must"
    symbol = "=="
    word = "in"
    method = "any_of"

    def __invert__(self) -> Filter:
        return MustNot(self.field, self.values)


@dataclass(frozen=True, repr=False, eq=False)
class MustNot(_Membership):
    """Neither the value nor any element of a list field is one of ``values``; with no values, every row."""

    op = "must_not"
    symbol = "!="
    word = "not in"
    method = "none_of"

    def __invert__(self) -> Filter:
        return Must(self.field, self.values)


@dataclass(frozen=True, repr=False)
class _Interval(Filter):
    """``bounds`` holds at most one of gt and gte, then at most one of lt and lte, and never nothing."""

    field: str
    bounds: tuple[tuple[str, Any], ...]

    op: ClassVar[str]

    def to_wire(self) -> dict[str, Any]:
        return {"op": self.op, "field": self.field, **dict(self.bounds)}

    def __invert__(self) -> Filter:
        # Not range_out: the service's two readings of it disagree, and a pair of ranges has one reading only.
        return any_of(*(type(self)(self.field, ((_OPPOSITE[bound], limit),)) for bound, limit in self.bounds))

    @abstractmethod
    def _in_order(self, low: Any, high: Any) -> bool: ...

    def __repr__(self) -> str:
        start = f"F({self.field!r})"
        if len(self.bounds) == 1:
            [(bound, limit)] = self.bounds
            return f"{start} {SYMBOLS[bound]} {limit!r}"
        (lower, low), (upper, high) = self.bounds
        if (lower, upper) == ("gte", "lte") and self._in_order(low, high):
            return f"{start}.between({low!r}, {high!r})"
        return f"{start}.range({lower}={low!r}, {upper}={high!r})"

    def __str__(self) -> str:
        if len(self.bounds) == 1:
            [(bound, limit)] = self.bounds
            return f"{self.field} {SYMBOLS[bound]} {limit}"
        (lower, low), (upper, high) = self.bounds
        return f"{low} {_MIRRORED[lower]} {self.field} {SYMBOLS[upper]} {high}"


@dataclass(frozen=True, repr=False)
class Range(_Interval):
    """A number within bounds."""

    op = "range"

    def _in_order(self, low: Any, high: Any) -> bool:
        return bool(low <= high)


@dataclass(frozen=True, repr=False)
class TimeRange(_Interval):
    """An instant within bounds; the bounds are RFC 3339 texts."""

    op = "time_range"

    def _in_order(self, low: Any, high: Any) -> bool:
        return instant(self.field, low) <= instant(self.field, high)


@dataclass(frozen=True, repr=False)
class _WireOnly(Filter):
    """A leaf only the wire form can spell, so its ``repr`` is a call of ``parse_filter``."""

    def __repr__(self) -> str:
        return f"parse_filter({self.to_wire()!r})"


@dataclass(frozen=True, repr=False)
class RangeOut(_WireOnly):
    """A number outside bounds, kept as it was read: where the bounds meet the service's own texts disagree."""

    field: str
    bounds: tuple[tuple[str, Any], ...]

    def to_wire(self) -> dict[str, Any]:
        return {"op": "range_out", "field": self.field, **dict(self.bounds)}

    def __invert__(self) -> Filter:
        raise InvalidRequest(
            f"F({self.field!r}): range_out is read in two ways, so its negation is not certain; "
            "write it with between(low, high) or outside(low, high), which negate exactly."
        )

    def __str__(self) -> str:
        return f"{self.field} range_out ({', '.join(f'{bound} {limit}' for bound, limit in self.bounds)})"


@dataclass(frozen=True, repr=False)
class GeoRange(Filter):
    """A point on Earth within ``radius`` (``"<number>m"``) of ``center`` (``"lon,lat"``)."""

    field: str
    center: str
    radius: str

    def to_wire(self) -> dict[str, Any]:
        return {"op": "geo_range", "field": self.field, "center": self.center, "radius": self.radius}

    def __invert__(self) -> Filter:
        raise InvalidRequest(
            f"F({self.field!r}): geo_range has no complement in the filter language; "
            "search without this condition and drop the rows within the radius yourself."
        )

    def __repr__(self) -> str:
        return f"F({self.field!r}).within({self.radius!r}, of={self.center!r})"

    def __str__(self) -> str:
        return f"{self.field} within {self.radius} of ({self.center})"


@dataclass(frozen=True, repr=False)
class PlaneRange(_WireOnly):
    """Two number fields within ``radius`` of ``center`` in the plane: an older ``range``, read and sent, not built."""

    fields: tuple[str, str]
    center: tuple[float, float]
    radius: float

    def to_wire(self) -> dict[str, Any]:
        return {"op": "range", "field": list(self.fields), "center": list(self.center), "radius": self.radius}

    def __invert__(self) -> Filter:
        raise InvalidRequest(
            f"range over the two fields {', '.join(self.fields)} has no complement in the filter language; "
            "search without this condition and drop the rows within the radius yourself."
        )

    def __str__(self) -> str:
        return f"({', '.join(self.fields)}) within {self.radius} of {self.center}"
