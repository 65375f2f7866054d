"""Scoring: exact nearest neighbours, and the order of hits.

A matrix product in single precision finds the candidates; those that could be among the best are scored again in
double precision, row by row. So a score does not depend on what else is in the matrix, equal vectors score the same,
and no rounding of the machine's linear algebra changes an order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vikingdb_vector.models import Distance

from .growing import Matrix
from .inner import inner_products
from .values import Vector

Rows = NDArray[np.intp]

_CHUNK_NUMBERS = 1 << 20
_SAMPLE = 1024
_FEW = 128
"""So few rows are scored once, exactly: to gather them twice takes longer."""

_EPSILON = float(np.finfo(np.float32).eps)

LARGEST = float(np.finfo(np.float32).max)
"""The largest score there is; a sum beyond it is taken for it, since JSON has no infinity."""


class Hit(NamedTuple):
    """A row of a snapshot, and what it is ordered by.

    Attributes:
        row: its position.
        key: its primary key.
        score: larger is better, unless the search orders otherwise.
        origin: the first score, when it was fused with an addition since.
        addition: what it was last fused with.
    """

    row: int
    key: Any
    score: float
    origin: float | None = None
    addition: float | None = None


@dataclass(frozen=True)
class Vectors:
    """The vectors of all rows, and the length of each."""

    matrix: Matrix
    lengths: NDArray[np.float32]


def nearest(
    vectors: Vectors, rows: Rows, query: Vector, distance: Distance, most: int
) -> tuple[Rows, NDArray[np.float32]]:
    """The rows that may be among the ``most`` best, with their scores; larger is better.

    ip: the inner product. cosine: that of the normalised vectors (0 if one has no direction). l2: 1 minus the squared
    distance.
    """
    if len(rows) > max(most, _FEW):
        rough, error = _rough_scores(vectors, rows, query, distance)
        rows = rows[rough >= _nth_best(rough, most) - 2 * error]
    return rows, _exact_scores(vectors.matrix, rows, query, distance)


def nearest_with(
    vectors: Vectors, rows: Rows, query: Vector, distance: Distance, most: int, weight: float, others: NDArray[Any]
) -> tuple[Rows, NDArray[np.float32]]:
    """Likewise, where a score is ``weight`` times that of the vectors and the rest of it what ``others`` says."""
    if len(rows) > most:
        rough, error = _rough_scores(vectors, rows, query, distance)
        mixed = weight * rough + (1 - weight) * others[rows]
        rows = rows[mixed >= _nth_best(mixed, most) - 2 * error - _EPSILON * np.abs(mixed).max()]
    exact = _exact_scores(vectors.matrix, rows, query, distance).astype(np.float64)
    return rows, single(weight * exact + (1 - weight) * others[rows])


def single(scores: Any) -> Any:
    """Scores in single precision, as they go out."""
    return np.clip(scores, -LARGEST, LARGEST).astype(np.float32)


def late_interaction(query: NDArray[np.float32], tensor: Sequence[Sequence[float]] | None) -> float:
    """For every row of the query its best inner product with a row of the tensor, summed; without a tensor nothing
    is worse."""
    if not tensor:
        return -math.inf
    products = query.astype(np.float64) @ np.array(tensor, np.float64).T
    return float(products.max(axis=1).sum())


def best(
    rows: Rows, scores: NDArray[Any], keys: Callable[[Rows], Sequence[Any]], most: int, *, ascending: bool = False
) -> list[Hit]:
    """The ``most`` best rows, best first, equal ones by key."""
    if len(rows) > most:
        nth = _nth_least(scores, most) if ascending else _nth_best(scores, most)
        chosen = np.flatnonzero(scores <= nth if ascending else scores >= nth)
        rows, scores = rows[chosen], scores[chosen]
    found = sorted(zip(keys(rows), scores.tolist(), rows.tolist(), strict=True))
    found.sort(key=itemgetter(1), reverse=not ascending)  # stable, reversed too: equal scores stay by key
    return [Hit(row, key, score) for key, score, row in found[:most]]


def _nth_best(scores: NDArray[Any], most: int) -> Any:
    """The ``most``-th best score. Of many, those above what a sample suggests are ordered, not all."""
    step = len(scores) // _SAMPLE
    if step > 1 and most * 4 < len(scores):
        sample = scores[::step]
        rank = len(sample) - min(len(sample), 2 * most // step + 16)
        above = scores[scores >= np.partition(sample, rank)[rank]]
        if len(above) >= most:
            scores = above
    return np.partition(scores, len(scores) - most)[len(scores) - most]


def _nth_least(scores: NDArray[Any], most: int) -> Any:
    step = len(scores) // _SAMPLE
    if step > 1 and most * 4 < len(scores):
        sample = scores[::step]
        rank = min(len(sample), 2 * most // step + 16) - 1
        below = scores[scores <= np.partition(sample, rank)[rank]]
        if len(below) >= most:
            scores = below
    return np.partition(scores, most - 1)[most - 1]


def _rough_scores(vectors: Vectors, rows: Rows, query: Vector, distance: Distance) -> tuple[NDArray[np.float32], float]:
    """Nearly the scores, and how far they may be off."""
    if 4 * len(rows) < len(vectors.lengths):  # gathering a quarter of the rows costs what multiplying all of them does
        products, lengths = vectors.matrix.product(query, rows), vectors.lengths[rows]
    else:
        products, lengths = vectors.matrix.product(query), vectors.lengths
        if len(rows) < len(lengths):
            products, lengths = products[rows], lengths[rows]
    longest, query_length = float(lengths.max()), math.sqrt(float(query @ query))
    relative = 4 * _EPSILON * len(query)
    match distance:
        case Distance.COSINE:
            scale = query_length or 1.0
            return np.divide(products, lengths * scale, out=np.zeros_like(products), where=lengths > 0), relative
        case Distance.L2:
            return 1 - query_length**2 + 2 * products - lengths * lengths, relative * (1 + longest + query_length) ** 2
    return products, relative * longest * query_length


def _exact_scores(matrix: Matrix, rows: Rows, query: Vector, distance: Distance) -> NDArray[np.float32]:
    target = query.astype(np.float64)
    scores = np.empty(len(rows), np.float32)
    for start, vectors in _chunks(matrix, rows):
        if distance is Distance.L2:
            gaps = vectors - target
            exact = 1 - inner_products(gaps, gaps)
        else:
            exact = inner_products(vectors, target)
            if distance is Distance.COSINE:
                lengths = np.sqrt(inner_products(vectors, vectors) * (target @ target))
                exact = np.divide(exact, lengths, out=np.zeros_like(exact), where=lengths > 0)
        scores[start : start + len(vectors)] = exact
    return scores


def _chunks(matrix: Matrix, rows: Rows) -> Iterator[tuple[int, NDArray[np.float64]]]:
    step = max(1, _CHUNK_NUMBERS // max(1, matrix.width))
    for start in range(0, len(rows), step):
        yield start, matrix.rows(rows[start : start + step]).astype(np.float64)
