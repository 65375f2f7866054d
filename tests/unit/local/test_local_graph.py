"""A graph's own distances are rough. Of what it finds, no row is dropped that may be among the nearest."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from vikingdb_local.engine.graph import SEARCH_BREADTH, Graph, GraphBuilder
from vikingdb_local.engine.schema import Field, Schema
from vikingdb_local.engine.scoring import nearest
from vikingdb_local.engine.segment import Row, Segment, Snapshot
from vikingdb_vector import FieldType
from vikingdb_vector.models import Distance

ROWS, DIM, MOST = 2_000, 24, 10
RNG = np.random.default_rng(17)

KINDS = {
    "of length 1": lambda made: made / np.linalg.norm(made, axis=1, keepdims=True),
    "of all lengths": lambda made: made * np.exp(RNG.normal(size=(len(made), 1)) * 3),
    "nearly alike": lambda made: 1 + 1e-3 * made,
    "alike": lambda made: np.ones_like(made),
    "nearly without length": lambda made: (1 + 4e-3 * made) * (2.5 * 2**-24 / DIM) ** 0.5,
    "without length": lambda made: made * (RNG.random((len(made), 1)) > 0.4),
}


def filled(vectors: NDArray[np.float32]) -> Snapshot:
    key = Field("id", FieldType.INT64, is_primary_key=True)
    segment = Segment(Schema({"id": key}, key, Field("vec", FieldType.VECTOR, dim=DIM), None, {}))
    for number, vector in enumerate(vectors, 1):
        segment.append(Row(number, number, {"id": number}, vector, None), seq=1)
    return segment.snapshot(1)


def built(snapshot: Snapshot, distance: Distance) -> Graph:
    builder = GraphBuilder(snapshot, distance, 0)
    while builder.step():
        pass
    return builder.finish()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("distance", Distance)
def test_what_a_graph_drops_is_not_among_the_nearest(distance: Distance, kind: str) -> None:
    snapshot = filled(KINDS[kind](RNG.normal(size=(ROWS, DIM))).astype(np.float32))
    graph = built(snapshot, distance)
    kept: list[int] = []
    for query in KINDS[kind](RNG.normal(size=(30, DIM))).astype(np.float32):
        numbers = graph._index.search(query, SEARCH_BREADTH, threads=1).keys.astype(np.intp)
        rows, scores = nearest(snapshot.vectors, np.sort(numbers) - 1, query, distance, len(numbers))
        best = np.sort(scores)[-MOST:]
        candidates = graph.candidates(snapshot, snapshot.everything, query, MOST, SEARCH_BREADTH)
        assert candidates is not None
        assert set(candidates.tolist()) <= set(rows.tolist())
        _, of_candidates = nearest(snapshot.vectors, candidates, query, distance, len(candidates))
        assert np.sort(of_candidates)[-MOST:].tolist() == best.tolist()
        kept.append(len(candidates))
    if kind == "of length 1":
        assert np.mean(kept) < SEARCH_BREADTH / 2  # or nothing was gained
