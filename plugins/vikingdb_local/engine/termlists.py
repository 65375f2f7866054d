"""Term lists: for every term the rows it occurs in, with a number for each. What keywords and sparse vectors share.

Terms of the rows a collection was opened with lie one behind the other in two arrays; those of rows added since have
small arrays of their own.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .columns import Parts

Occurrences = tuple[NDArray[np.int32], NDArray[Any]]
"""Rows, ascending, and the number of each."""


class _List:
    __slots__ = ("numbers", "rows")

    def __init__(self, typecode: str) -> None:
        self.rows, self.numbers = array("i"), array(typecode)


class _Packed:
    """Lists that do not change: that of term number ``t`` lies from ``ends[t - 1]`` to ``ends[t]``."""

    def __init__(self, parts: Parts, dtype: DTypeLike) -> None:
        self.terms: list[str] = list(parts.get("terms", ()))
        self._numbers = {term: number for number, term in enumerate(self.terms)}
        self.ends: NDArray[np.int64] = parts.get("ends", np.empty(0, np.int64))
        self.rows: NDArray[np.int32] = parts.get("rows", np.empty(0, np.int32))
        self.values: NDArray[Any] = parts.get("values", np.empty(0, dtype))

    def of(self, term: str) -> Occurrences | None:
        number = self._numbers.get(term)
        if number is None:
            return None
        start, end = int(self.ends[number - 1]) if number else 0, int(self.ends[number])
        return self.rows[start:end], self.values[start:end]


class TermLists:
    """The lists of all rows. One writer adds; readers look through a view.

    Args:
        dtype: int32 for counts, float32 for weights.
        parts: those of an earlier view, to begin with.
    """

    def __init__(self, dtype: type[np.int32 | np.float32], parts: Parts) -> None:
        self._dtype = dtype
        self._packed = _Packed(parts, dtype)
        self._by_term: dict[str, _List] = {}

    def add(self, row: int, numbers: Mapping[str, float]) -> None:
        """Add a row beyond all others."""
        for term, number in numbers.items():
            found = self._by_term.get(term)
            if found is None:
                found = self._by_term[term] = _List("i" if self._dtype is np.int32 else "f")
            found.numbers.append(number)  # type: ignore[arg-type]  # before rows, by which readers go
            found.rows.append(row)

    def view(self, size: int) -> TermListsView:
        """The lists of the first ``size`` rows."""
        return TermListsView(self._packed, self._by_term, size, self._dtype)


@dataclass(frozen=True)
class TermListsView:
    """The lists of the rows there were."""

    packed: _Packed
    by_term: Mapping[str, _List]
    size: int
    dtype: type[np.int32 | np.float32]

    def of(self, term: str) -> Occurrences:
        """Rows with a term, dead ones too."""
        packed, tail = self.packed.of(term), self._tail(term)
        if packed is None or tail is None:
            return packed or tail or (np.empty(0, np.int32), np.empty(0, self.dtype))
        return np.concatenate((packed[0], tail[0])), np.concatenate((packed[1], tail[1]))

    def parts(self) -> Parts:
        """What these lists can be made of again, all packed."""
        more = (term for term in list(self.by_term) if self.packed.of(term) is None)  # a list: a writer adds to it
        terms = [*self.packed.terms, *more]
        found = [self.of(term) for term in terms]
        return {
            "terms": terms,
            "ends": np.cumsum([len(rows) for rows, _ in found], dtype=np.int64),
            "rows": _joined([rows for rows, _ in found], np.int32),
            "values": _joined([values for _, values in found], self.dtype),
        }

    def _tail(self, term: str) -> Occurrences | None:
        found = self.by_term.get(term)
        if found is None:
            return None
        # Slices copy: an array that numpy looks into could not grow, and the writer is not to wait.
        end = bisect_left(found.rows, self.size)
        return np.array(found.rows[:end], np.int32), np.array(found.numbers[:end], self.dtype)


def _joined(arrays: Sequence[NDArray[Any]], dtype: DTypeLike) -> NDArray[Any]:
    return np.concatenate(arrays) if arrays else np.empty(0, dtype)
