"""Scoring: leaving out rows by a rough score never leaves out one of the best, and a score is always a number."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.local.wire import Wire
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


LARGEST = float(np.finfo(np.float32).max)
HUGE = 3e38
FIELDS = [
    {"FieldName": "id", "FieldType": "int64", "IsPrimaryKey": True},
    {"FieldName": "n", "FieldType": "float32"},
    {"FieldName": "text", "FieldType": "text"},
    {"FieldName": "vec", "FieldType": "vector", "Dim": 4},
    {"FieldName": "w", "FieldType": "sparse_vector"},
    {"FieldName": "t", "FieldType": "tensor", "Shape": [4, 4]},
]
PLAIN = {"enable": False}
FUSED = {
    "op": "score_fusion",
    "fusion_by": "multiply",
    "addition_score": [{"base_value_from": "scalar_field", "field": "n", "factor": 1e6}],
    "normalize_for_origin_score": PLAIN,
    "normalize_for_addition_score": PLAIN,
}
BEYOND: dict[str, tuple[str, dict[str, Any]]] = {
    "a hybrid score": ("vector", {"sparse_vector": {"sea": HUGE}}),
    "a fused score": ("vector", {"advance": {"post_process_ops": [FUSED]}, "return_detail_info": True}),
    "a tensor's score": ("vector", {"tensor_rerank": {"tensor": [[HUGE] * 4], "input_limit": 5}}),
    "a word's score": ("keywords", {"query": "sea", "fields_weights": {"text": 1e300}}),
}


@pytest.mark.parametrize("what", BEYOND)
def test_a_score_beyond_single_precision_is_the_largest_there_is(wire: Wire, what: str) -> None:
    wire.make(
        {"Fields": FIELDS, "FullText": [{"Field": "text"}]},
        {"VectorIndex": {"IndexType": "hnsw_hybrid", "Distance": "ip", "Quant": "float"}},
    )
    row = {"id": 1, "n": HUGE, "text": "the sea", "vec": [1, 0, 0, 0], "w": {"sea": HUGE}, "t": [[HUGE] * 4]}
    wire.result("data/upsert", data=[row])
    kind, body = BEYOND[what]
    if kind == "vector":
        body = {"dense_vector": [1, 0, 0, 0], **body}
    (hit,) = wire.result(f"data/search/{kind}", **body)["data"]
    assert np.float32(hit["score"]) == LARGEST
    assert all(isinstance(value, float) for name, value in hit.items() if name.endswith("score"))
