"""Bounds: numbers between limits named ``gt``, ``gte``, ``lt`` and ``lte``, among values as they come or in order."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .order import Runs
from .which import Mask

Bounds = Mapping[str, Any]

_INT64 = np.iinfo(np.int64)
_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "gt": np.greater,
    "gte": np.greater_equal,
    "lt": np.less,
    "lte": np.less_equal,
}
_SIDES: Mapping[str, Literal["left", "right"]] = {"gt": "right", "gte": "left", "lt": "left", "lte": "right"}


def settled(bounds: Bounds, values: NDArray[Any]) -> Bounds | None:
    """The same bounds, as they can be compared with such values; ``None`` when no value can be within them.

    Integers are compared with inclusive bounds of 64 bits: fractions would have those beyond 2**53 rounded. A bound
    that every integer is within is left out.
    """
    if values.dtype != np.int64:
        return bounds
    whole: dict[str, int] = {}
    for bound, limit in bounds.items():
        bound, limit = _whole(bound, limit)
        if _INT64.min <= limit <= _INT64.max:
            whole[bound] = limit
        elif limit > 0 if bound == "gte" else limit < 0:
            return None  # it is beyond the far end
    return whole


def within(values: NDArray[Any], bounds: Bounds) -> Mask:
    """Which values are within settled bounds."""
    mask = np.ones(len(values), np.bool_)
    for bound, limit in bounds.items():
        mask &= _COMPARE[bound](values, limit)
    return mask


def run_within(ordered: NDArray[Any], bounds: Bounds) -> Runs:
    """Where the values within settled bounds are among ascending ones."""
    start, end = np.array([0]), np.array([len(ordered)])
    for bound, limit in bounds.items():
        place = ordered.searchsorted([limit], side=_SIDES[bound])
        if bound in ("gt", "gte"):
            start = place
        else:
            end = place
    return start, np.maximum(start, end)


def _whole(bound: str, limit: int | float) -> tuple[str, int]:
    """The same bound on integers, inclusive."""
    match bound:
        case "gt":
            return "gte", math.floor(limit) + 1
        case "gte":
            return "gte", math.ceil(limit)
        case "lt":
            return "lte", math.ceil(limit) - 1
    return "lte", math.floor(limit)
