"""Order: the rows of a column by value, so that few with certain values are found without a look at the others.

It is made in the background, of the rows there are then. Rows written since are looked through one by one, until
enough have come together to make it anew. Values of a row never change, so what it says stays true.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

Runs = Sequence[tuple[int, int]]
"""Where runs of the ordered values begin and end. None ends before it begins, and no two overlap."""


@dataclass(frozen=True)
class _Made:
    """All rows up to the ``covered``-th that have a value: their values, ascending, and where they are."""

    values: NDArray[Any]
    rows: NDArray[np.int32]
    covered: int


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
        by_value = np.argsort(kept, kind="stable")  # so rows of one value ascend
        self._made = _Made(kept[by_value], rows[by_value], len(values))

    def select(self, find: Callable[[NDArray[Any]], Runs], look: Callable[[slice], Mask], size: int) -> Which:
        """Some of the first ``size`` rows.

        Args:
            find: from ordered values to the runs that are wanted.
            look: which rows of a part of the column are wanted.
            size: how many rows there are, or were.
        """
        made = self._made
        if made is None:
            return look(slice(None))
        runs = find(made.values)
        if sum(end - start for start, end in runs) > FEW * len(made.rows):
            return look(slice(None))
        found = _joined([made.rows[start:end] for start, end in runs])
        if made.covered == size:
            return found
        if made.covered > size:  # it is younger than what is asked about
            return found[: found.searchsorted(size)]
        return np.concatenate((found, np.flatnonzero(look(slice(made.covered, None))) + made.covered))

    def extremes(self, most: int, size: int, *, smallest: bool) -> Positions | None:
        """Rows of the first ``size`` among which the ``most`` with the smallest or largest values are, as far as they
        have any; ``None`` where that takes a look at all rows."""
        made = self._made
        if made is None or made.covered > size or not 0 < most <= FEW * len(made.rows):
            return None
        if smallest:
            start, end = 0, int(made.values.searchsorted(made.values[most - 1], side="right"))
        else:
            start, end = int(made.values.searchsorted(made.values[-most], side="left")), len(made.rows)
        if end - start > FEW * len(made.rows):  # too many are alike
            return None
        return np.concatenate((_joined([made.rows[start:end]]), np.arange(made.covered, size)))


def _joined(runs: Sequence[NDArray[np.int32]]) -> Positions:
    if not runs:
        return np.empty(0, np.intp)
    found: Positions = (runs[0] if len(runs) == 1 else np.concatenate(runs)).astype(np.intp)
    found.sort()
    return found
