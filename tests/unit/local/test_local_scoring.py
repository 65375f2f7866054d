"""Scoring: leaving out rows by a rough score never leaves out one of the best."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vikingdb_local.engine.growing import Matrix
from vikingdb_local.engine.scoring import Vectors, nearest
from vikingdb_vector import Distance


@given(
    seed=st.integers(0, 10_000),
    rows=st.integers(1, 400),
    most=st.integers(1, 30),
    spread=st.sampled_from([1e-6, 1e-3, 1.0, 1e8]),
    distance=st.sampled_from(list(Distance)),
)
def test_the_best_rows_survive_the_rough_pass(
    seed: int, rows: int, most: int, spread: float, distance: Distance
) -> None:
    rng = np.random.default_rng(seed)
    center = rng.normal(size=64)
    matrix = (center + spread * rng.normal(size=(rows, 64))).astype(np.float32)
    query = (center + spread * rng.normal(size=64)).astype(np.float32)
    lengths = np.linalg.norm(matrix, axis=1).astype(np.float32)
    chosen = np.flatnonzero(rng.random(rows) < rng.choice([0.1, 0.9]))
    found, scores = nearest(
        Vectors(Matrix((matrix[: rows // 3], matrix[rows // 3 :]), 64), lengths), chosen, query, distance, most
    )

    def exact(row: int) -> float:
        pairs = [(float(a), float(b)) for a, b in zip(matrix[row], query, strict=True)]
        if distance is Distance.L2:
            return 1 - math.fsum((a - b) ** 2 for a, b in pairs)
        product = math.fsum(a * b for a, b in pairs)
        if distance is Distance.IP:
            return product
        return product / math.sqrt(math.fsum(a * a for a, _ in pairs) * math.fsum(b * b for _, b in pairs))

    expected = sorted((np.float32(exact(row)) for row in chosen), reverse=True)[:most]
    assert sorted(scores.tolist(), reverse=True)[:most] == pytest.approx(expected, rel=1e-6)
    assert set(found) <= set(chosen)
