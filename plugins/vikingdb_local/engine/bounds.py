"""Bounds: numbers between limits named ``gt``, ``gte``, ``lt`` and ``lte``, among values as they come or in order."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

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
    """The same bounds in the terms of the values, without those that every value is within; ``None`` if none can be.

    Integers get inclusive bounds of 64 bits: comparing them with a fraction would round those beyond 2**53.
    """
    if values.dtype != np.int64:
        return bounds
    whole: dict[str, int] = {}
    for bound, limit in bounds.items():
        bound, limit = _whole(bound, limit)
        if limit > _INT64.max if bound == "gte" else limit < _INT64.min:
            return None
        if _INT64.min <= limit <= _INT64.max:
            whole[bound] = limit
    return whole


def within(values: NDArray[Any], bounds: Bounds) -> Mask:
    """Which values are within settled bounds."""
    mask = np.ones(len(values), np.bool_)
    for bound, limit in bounds.items():
        mask &= _COMPARE[bound](values, limit)
    return mask


def run_within(ordered: NDArray[Any], bounds: Bounds) -> tuple[int, int]:
    """Where those of ascending values that are within settled bounds begin and end."""
    start, end = 0, len(ordered)
    for bound, limit in bounds.items():
        place = int(ordered.searchsorted(limit, side=_SIDES[bound]))
        if bound in ("gt", "gte"):
            start = place
        else:
            end = place
    return start, max(start, end)


def _whole(bound: str, limit: int | float) -> tuple[str, int]:
    match bound:
        case "gt":
            return "gte", math.floor(limit) + 1
        case "gte":
            return "gte", math.ceil(limit)
        case "lt":
            return "lte", math.ceil(limit) - 1
    return "lte", math.floor(limit)
