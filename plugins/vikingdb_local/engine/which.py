"""Which: which rows of a snapshot, said by a mask over all of them or, where they are few, by their positions."""

from __future__ import annotations

from typing import Any, TypeGuard, cast

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
"""For every row, whether it is one of them."""

Positions = NDArray[np.intp]
"""Where they are, ascending."""

Which = Mask | Positions


def both(one: Which, other: Which) -> Which:
    """The rows that are among both."""
    if is_mask(one):
        return one & other if is_mask(other) else _of(other, one)
    return _of(one, other) if is_mask(other) else np.intersect1d(one, other, assume_unique=True)


def either(one: Which, other: Which, size: int) -> Which:
    """The rows that are among one of two, or among both."""
    if is_mask(one) or is_mask(other):
        return as_mask(one, size) | as_mask(other, size)
    return np.union1d(one, other)


def all_but(which: Which, size: int) -> Mask:
    """The other rows."""
    return ~as_mask(which, size)


def as_mask(which: Which, size: int) -> Mask:
    """The same rows, as a mask over so many."""
    if is_mask(which):
        return which
    mask = np.zeros(size, np.bool_)
    mask[which] = True
    return mask


def positions(which: Which) -> Positions:
    """The same rows, as positions."""
    return np.flatnonzero(which) if is_mask(which) else cast(Positions, which)


def how_many(which: Which) -> int:
    """How many they are."""
    return int(np.count_nonzero(which)) if is_mask(which) else len(which)  # counting is ten times as fast as a sum


def is_mask(which: NDArray[Any]) -> TypeGuard[Mask]:
    """Whether they are said by a mask."""
    return which.dtype == np.bool_


def _of(some: Any, mask: Any) -> Positions:
    found: Positions = some[mask[some]]
    return found
