"""Order: the rows of a column by value, so that few with certain values are found without a look at the others.

It is made in the background, of the rows there are then. Rows written since are looked through one by one, until
enough have come together to make it anew. Values of a row never change, so what it says stays true.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .which import Mask, Positions, Which

MIN_ROWS = 10_000
"""Fewer rows are looked through."""

MIN_TAIL_ROWS, TAIL_SHARE = 4_096, 0.25
"""An order is made anew when it lacks so many rows, and this share of those it has."""

FEW = 1 / 16
"""Rows beyond this share of all are not worth being found by the order: a mask is as fast."""

Runs = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Where runs of the ordered values begin, and where they end. None ends before it begins, and no two overlap."""


@dataclass(frozen=True)
class _Made:
    """All rows up to the ``covered``-th that have a value: their values, ascending, and where they are."""

    values: NDArray[Any]
    rows: NDArray[np.int32]
    covered: int

    @property
    def few(self) -> float:
        """How many rows it answers with at most."""
        return FEW * self.covered


class Order:
    """The order of one column; there may be none yet. Safe for many threads."""

    def __init__(self) -> None:
        self._made: _Made | None = None

    def is_due(self, size: int) -> bool:
        """Whether it should be made, or made anew, of a column of so many rows."""
        covered = 0 if self._made is None else self._made.covered
        return size >= MIN_ROWS and size - covered > (max(MIN_TAIL_ROWS, TAIL_SHARE * covered) if covered else 0)

    def make(self, values: NDArray[Any], has_value: Mask) -> None:
        """Make it of a column as it is now."""
        rows = np.flatnonzero(has_value).astype(np.int32)
        kept = values[rows]
        by_value = np.argsort(kept)
        self._made = _Made(kept[by_value], rows[by_value], len(values))

    def select(self, find: Callable[[NDArray[Any]], Runs], look: Callable[[slice], Mask], size: int) -> Which:
        """Some of the first ``size`` rows.

        Args:
            find: where those that are wanted are among ascending values.
            look: for the rows of a slice of the column, whether they are wanted.
            size: how many rows there are, or were.
        """
        made = self._made
        if made is None:
            return look(slice(None))
        starts, ends = find(made.values)
        if (ends - starts).sum() > made.few:
            return look(slice(None))
        found = _gathered(made.rows, starts, ends)
        if made.covered == size:
            return found
        if made.covered > size:  # it is younger than what is asked about
            return found[: found.searchsorted(size)]
        return np.concatenate((found, np.flatnonzero(look(slice(made.covered, None))) + made.covered))

    def extremes(self, most: int, size: int, *, smallest: bool) -> Positions | None:
        """Rows of the first ``size`` among which the ``most`` with the smallest or largest values are, as far as they
        have any; ``None`` where that takes a look at all rows."""
        made = self._made
        if made is None or made.covered > size or not 0 < most <= made.few:
            return None
        start, end = 0, len(made.rows)
        if most < end:
            if smallest:
                end = int(made.values.searchsorted(made.values[most - 1], side="right"))
            else:
                start = int(made.values.searchsorted(made.values[-most], side="left"))
        if end - start > made.few:  # too many are alike
            return None
        return np.concatenate((np.sort(made.rows[start:end]), np.arange(made.covered, size)))


def _gathered(rows: NDArray[np.int32], starts: NDArray[np.intp], ends: NDArray[np.intp]) -> Positions:
    """What is in some runs of ``rows``, ascending."""
    if len(starts) == 1:
        found = rows[starts[0] : ends[0]].astype(np.intp)
    else:
        lengths = ends - starts
        before = np.cumsum(lengths) - lengths
        found = rows[np.repeat(starts - before, lengths) + np.arange(lengths.sum())].astype(np.intp)
    found.sort()
    return found
