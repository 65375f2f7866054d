"""Columns: one field of all rows as arrays, so that a condition on it is one comparison.

A column is appended to by one writer. Readers work on its ``view``, which never changes.
A row may lack a value; then no condition on the field holds for it except a negated one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from vikingdb_vector.models import FieldType

from .geo import distance_m, parse_point
from .growing import Growing
from .instants import parse_instant

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Numbers:
    """int64, float32, bool, or date_time as microseconds."""

    values: NDArray[Any]
    present: Mask

    def is_any_of(self, wanted: Collection[Any]) -> Mask:
        return np.isin(self.values, np.array(list(wanted), self.values.dtype)) & self.present

    def at(self, row: int) -> Any:
        return self.values[row].item()


@dataclass(frozen=True)
class Texts:
    """string: a code for each distinct text, -1 where there is none."""

    codes: NDArray[np.int32]
    words: Words

    def is_any_of(self, wanted: Collection[str]) -> Mask:
        return np.isin(self.codes, self.words.find(wanted))

    def at(self, row: int) -> str:
        return self.words.text(int(self.codes[row]))


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
        mask[self.owners[np.isin(self.elements, targets)]] = True
        return mask


@dataclass(frozen=True)
class Points:
    """geo_point; NaN where there is none."""

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]

    def is_within(self, center: tuple[float, float], radius_m: float) -> Mask:
        inside: Mask = distance_m(self.lon, self.lat, center) <= radius_m  # never true of NaN
        return inside


View = Numbers | Texts | Lists | Points


class Words:
    """The distinct texts of a column, numbered in the order they came. Numbers are never reused."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._texts: list[str] = []

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


class Column(Protocol):
    def append(self, value: Any) -> None:
        """Add a row's value, ``None`` if it has none."""

    def view(self) -> View: ...


class NumberColumn:
    def __init__(self, dtype: DTypeLike, *, of_instants: bool = False) -> None:
        self._values, self._present = Growing(dtype), Growing(np.bool_)
        self._of_instants = of_instants

    def append(self, value: Any) -> None:
        self._present.append(value is not None)
        self._values.append(0 if value is None else parse_instant(value) if self._of_instants else value)

    def view(self) -> View:
        return Numbers(self._values.view(), self._present.view())


class TextColumn:
    def __init__(self) -> None:
        self._codes, self._words = Growing(np.int32), Words()

    def append(self, value: Any) -> None:
        self._codes.append(-1 if value is None else self._words.code(value))

    def view(self) -> View:
        return Texts(self._codes.view(), self._words)


class ListColumn:
    def __init__(self, *, of_texts: bool) -> None:
        self._size = 0
        self._owners = Growing(np.int32)
        self._elements = Growing(np.int32 if of_texts else np.int64)
        self._words = Words() if of_texts else None

    def append(self, value: Any) -> None:
        elements = value or []
        self._elements.extend([self._words.code(element) for element in elements] if self._words else elements)
        self._owners.extend([self._size] * len(elements))
        self._size += 1

    def view(self) -> View:
        return Lists(self._size, self._owners.view(), self._elements.view(), self._words)


class PointColumn:
    def __init__(self) -> None:
        self._lon, self._lat = Growing(np.float64), Growing(np.float64)

    def append(self, value: Any) -> None:
        lon, lat = (np.nan, np.nan) if value is None else parse_point(value)
        self._lon.append(lon)
        self._lat.append(lat)

    def view(self) -> View:
        return Points(self._lon.view(), self._lat.view())


def column_for(kind: FieldType) -> Column:
    """An empty column of an indexable type."""
    match kind:
        case FieldType.INT64:
            return NumberColumn(np.int64)
        case FieldType.FLOAT32:
            return NumberColumn(np.float32)
        case FieldType.BOOL:
            return NumberColumn(np.bool_)
        case FieldType.DATE_TIME:
            return NumberColumn(np.int64, of_instants=True)
        case FieldType.STRING:
            return TextColumn()
        case FieldType.LIST_STRING | FieldType.LIST_INT64:
            return ListColumn(of_texts=kind is FieldType.LIST_STRING)
        case FieldType.GEO_POINT:
            return PointColumn()
    raise AssertionError(f"{kind} is not indexable")
