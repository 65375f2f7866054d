"""Columns: one field of all rows as arrays, so that a condition on it is one comparison.

A column is appended to by one writer. Readers work on its ``view``, which never changes; the order of its values, which
is made in the background, is shared by all views.
A row may lack a value; then no condition on the field holds for it except a negated one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from vikingdb_vector.models import FieldType

from .bounds import Bounds, run_within, settled, within
from .geo import distance_m, parse_point
from .growing import Growing
from .instants import parse_instant
from .order import Order, Runs
from .which import Mask, Which

Parts = Mapping[str, Any]
"""What a column can be made of again: arrays and lists of texts, by name."""

_FEW = 8


@dataclass(frozen=True)
class Numbers:
    """int64, float32, bool, or date_time as microseconds."""

    values: NDArray[Any]
    present: Mask
    order: Order = field(default_factory=Order, compare=False)

    def is_any_of(self, wanted: Collection[Any]) -> Which:
        targets = _distinct(np.array(list(wanted), self.values.dtype))
        return self.order.select(
            lambda values: _runs_of(values, targets),
            lambda part: _any_of(self.values[part], targets) & self.present[part],
            len(self.values),
        )

    def between(self, bounds: Bounds) -> Which:
        """Rows whose value is within bounds."""
        limits = settled(bounds, self.values)
        if limits is None:
            return np.zeros(len(self.values), np.bool_)
        return self.order.select(
            lambda values: run_within(values, limits),
            lambda part: within(self.values[part], limits) & self.present[part],
            len(self.values),
        )

    @property
    def is_order_due(self) -> bool:
        return self.values.dtype != np.bool_ and self.order.is_due(len(self.values))

    def put_in_order(self) -> None:
        self.order.make(self.values, self.present)

    def take(self, rows: NDArray[np.intp]) -> list[Any]:
        taken: list[Any] = self.values[rows].tolist()
        return taken

    def parts(self) -> Parts:
        return {"values": self.values, "present": self.present}


@dataclass(frozen=True)
class Texts:
    """string: a code for each distinct text, -1 where there is none."""

    codes: NDArray[np.int32]
    words: Words
    order: Order = field(default_factory=Order, compare=False)

    def is_any_of(self, wanted: Collection[str]) -> Which:
        targets = _distinct(self.words.find(wanted))
        return self.order.select(
            lambda codes: _runs_of(codes, targets), lambda part: _any_of(self.codes[part], targets), len(self.codes)
        )

    @property
    def is_order_due(self) -> bool:
        return self.order.is_due(len(self.codes))

    def put_in_order(self) -> None:
        self.order.make(self.codes, self.codes >= 0)

    def take(self, rows: NDArray[np.intp]) -> list[Any]:
        return [self.words.text(code) for code in self.codes[rows].tolist()]

    def parts(self) -> Parts:
        return {"codes": self.codes, "words": self.words.texts()}


@dataclass(frozen=True)
class Lists:
    """list<string> and list<int64>: every element, and the row that owns it."""

    size: int
    owners: NDArray[np.int32]
    elements: NDArray[Any]
    words: Words | None

    def is_any_of(self, wanted: Collection[Any]) -> Mask:
        targets = self.words.find(wanted) if self.words else np.array(list(wanted), np.int64)
        mask = np.zeros(self.size, np.bool_)
        mask[self.owners[_any_of(self.elements, targets)]] = True
        return mask

    def parts(self) -> Parts:
        kept = {"size": np.array([self.size]), "owners": self.owners, "elements": self.elements}
        return kept if self.words is None else {**kept, "words": self.words.texts()}


@dataclass(frozen=True)
class Points:
    """geo_point; NaN where there is none."""

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]

    def is_within(self, center: tuple[float, float], radius_m: float) -> Mask:
        inside: Mask = distance_m(self.lon, self.lat, center) <= radius_m  # never true of NaN
        return inside

    def parts(self) -> Parts:
        return {"lon": self.lon, "lat": self.lat}


View = Numbers | Texts | Lists | Points


class Words:
    """The distinct texts of a column, numbered in the order they came. Numbers are never reused."""

    def __init__(self, texts: Sequence[str] = ()) -> None:
        self._texts = list(texts)
        self._codes = {text: code for code, text in enumerate(self._texts)}

    def code(self, text: str) -> int:
        """The number of a text, a new one if need be."""
        code = self._codes.get(text)
        if code is None:
            code = len(self._texts)
            self._texts.append(text)
            self._codes[text] = code
        return code

    def find(self, texts: Collection[str]) -> NDArray[np.int32]:
        """Numbers of those texts there are."""
        return np.array([self._codes[text] for text in texts if text in self._codes], np.int32)

    def text(self, code: int) -> str:
        return self._texts[code]

    def texts(self) -> list[str]:
        """All of them, by number."""
        return list(self._texts)


class Column(Protocol):
    def append(self, value: Any) -> None:
        """Add a row's value, ``None`` if it has none."""

    def view(self) -> View: ...


class NumberColumn:
    def __init__(self, dtype: DTypeLike, parts: Parts, *, of_instants: bool = False) -> None:
        self._values, self._present = Growing(dtype, parts.get("values")), Growing(np.bool_, parts.get("present"))
        self._of_instants = of_instants
        self._order = Order()

    def append(self, value: Any) -> None:
        self._present.append(value is not None)
        self._values.append(0 if value is None else parse_instant(value) if self._of_instants else value)

    def view(self) -> View:
        return Numbers(self._values.view(), self._present.view(), self._order)


class TextColumn:
    def __init__(self, parts: Parts) -> None:
        self._codes, self._words = Growing(np.int32, parts.get("codes")), Words(parts.get("words", ()))
        self._order = Order()

    def append(self, value: Any) -> None:
        self._codes.append(-1 if value is None else self._words.code(value))

    def view(self) -> View:
        return Texts(self._codes.view(), self._words, self._order)


class ListColumn:
    def __init__(self, parts: Parts, *, of_texts: bool) -> None:
        self._size = int(parts["size"][0]) if parts else 0
        self._owners = Growing(np.int32, parts.get("owners"))
        self._elements = Growing(np.int32 if of_texts else np.int64, parts.get("elements"))
        self._words = Words(parts.get("words", ())) if of_texts else None

    def append(self, value: Any) -> None:
        elements = value or []
        self._elements.extend([self._words.code(element) for element in elements] if self._words else elements)
        self._owners.extend([self._size] * len(elements))
        self._size += 1

    def view(self) -> View:
        return Lists(self._size, self._owners.view(), self._elements.view(), self._words)


class PointColumn:
    def __init__(self, parts: Parts) -> None:
        self._lon, self._lat = Growing(np.float64, parts.get("lon")), Growing(np.float64, parts.get("lat"))

    def append(self, value: Any) -> None:
        lon, lat = (np.nan, np.nan) if value is None else parse_point(value)
        self._lon.append(lon)
        self._lat.append(lat)

    def view(self) -> View:
        return Points(self._lon.view(), self._lat.view())


def column_for(kind: FieldType, parts: Parts | None = None) -> Column:
    """A column of an indexable type: empty, or made of the ``parts`` of a view."""
    parts = parts or {}
    match kind:
        case FieldType.INT64:
            return NumberColumn(np.int64, parts)
        case FieldType.FLOAT32:
            return NumberColumn(np.float32, parts)
        case FieldType.BOOL:
            return NumberColumn(np.bool_, parts)
        case FieldType.DATE_TIME:
            return NumberColumn(np.int64, parts, of_instants=True)
        case FieldType.STRING:
            return TextColumn(parts)
        case FieldType.LIST_STRING | FieldType.LIST_INT64:
            return ListColumn(parts, of_texts=kind is FieldType.LIST_STRING)
        case FieldType.GEO_POINT:
            return PointColumn(parts)
    raise AssertionError(f"{kind} is not indexable")


def _any_of(values: NDArray[Any], wanted: NDArray[Any]) -> Mask:
    """Which values are among the wanted. A few comparisons are faster than sorting."""
    if len(wanted) > _FEW:
        return np.isin(values, wanted)
    mask: Mask = values == wanted[0] if len(wanted) else np.zeros(len(values), np.bool_)
    for each in wanted[1:]:
        mask |= values == each
    return mask


def _runs_of(ordered: NDArray[Any], wanted: NDArray[Any]) -> Runs:
    """Where distinct values are among ascending ones."""
    return ordered.searchsorted(wanted, side="left"), ordered.searchsorted(wanted, side="right")


def _distinct(values: NDArray[Any]) -> NDArray[Any]:
    return np.unique(values) if len(values) > 1 else values
