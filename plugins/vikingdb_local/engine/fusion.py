"""Fusion: scores made anew from what a search scored and what a row says (specification §7.1). Arithmetic on arrays.

Where the service's documents are silent: ``min_max`` of values that are all equal gives 1; a row without a value adds
nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Normaliser:
    """Brings values to the interval from 0 to 1.

    Attributes:
        func: ``arctan``, ``min_max``, or ``None`` to leave values as they are.
        factor: of ``arctan``: how steep.
        offset: of ``arctan``: which value becomes a half.
    """

    func: str | None = "arctan"
    factor: float = 1.0
    offset: float = 0.0

    def apply(self, values: Numbers) -> Numbers:
        if self.func is None or not values.size:
            return values
        if self.func == "arctan":
            return np.arctan(self.factor * (values - self.offset)) / math.pi + 0.5
        spread = values.max() - values.min()
        return (values - values.min()) / spread if spread else np.ones_like(values)


@dataclass(frozen=True)
class Decay:
    """How much is left of 1 at a distance; ``decay`` is what is left at ``offset + scale``."""

    func: str
    scale: float
    offset: float = 0.0
    decay: float = 0.5

    def at(self, distances: Numbers) -> Numbers:
        beyond = np.maximum(0.0, distances - self.offset)
        match self.func:
            case "gauss":
                return np.exp(beyond**2 * (math.log(self.decay) / self.scale**2))
            case "exp":
                return np.exp(beyond * (math.log(self.decay) / self.scale))
        return np.maximum(0.0, 1 - (1 - self.decay) / self.scale * beyond)


@dataclass(frozen=True)
class Fusion:
    """How an origin score and an addition become one.

    Attributes:
        by: ``add`` or ``multiply``.
        weight: of the addition, when they are added.
        origin: how origin scores are normalised.
        addition: how additions are.
    """

    by: str
    weight: float
    origin: Normaliser
    addition: Normaliser

    def fuse(self, origins: Numbers, additions: Numbers) -> Numbers:
        first, second = self.origin.apply(origins), self.addition.apply(additions)
        return first * second if self.by == "multiply" else (1 - self.weight) * first + self.weight * second


def total(parts: Sequence[tuple[float, Numbers]], size: int) -> Numbers:
    """The addition: bases times their factors, summed; a base that is NaN counts as nothing."""
    summed = np.zeros(size)
    for factor, base in parts:
        summed += factor * np.nan_to_num(base)
    return summed
