"""qdrant-edge: Qdrant's shard within the process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray
from qdrant_edge import (
    CountRequest,
    Direction,
    Distance,
    EdgeConfig,
    EdgeShard,
    EdgeVectorParams,
    FacetRequest,
    FieldCondition,
    Filter,
    FloatIndexParams,
    HnswIndexConfig,
    IntegerIndexParams,
    KeywordIndexParams,
    MatchValue,
    OrderBy,
    Point,
    Query,
    QueryRequest,
    RangeFloat,
    SearchParams,
    TextIndexParams,
    TextQuery,
    TokenizerType,
    UpdateOperation,
)

from ..data import TAGS, Batch, Where
from .base import BUILD_BREADTH, CONNECTIVITY, SEARCH_BREADTH, Engine

FULL_SCAN_KILOBYTES = 10_000  # the engine's own default: filters that admit less are answered without the graph


class QdrantEdge(Engine):
    """A shard with an index on every field."""

    distributions = ("qdrant-edge-py",)
    remarks = (
        "an update does not force the disk; flush() does",
        "score and ts have no graphs of their own (enable_hnsw=False), with which 20,000 rows took 30 s to build "
        "instead of 6",
    )

    def create(self) -> None:
        graph = HnswIndexConfig(CONNECTIVITY, BUILD_BREADTH, FULL_SCAN_KILOBYTES)
        vectors = EdgeVectorParams(self.dim, Distance.Dot, hnsw_config=graph)
        self._shard = EdgeShard.create(str(self.folder), EdgeConfig(vectors=vectors))
        for field, index in {
            "tag": KeywordIndexParams(),
            "score": FloatIndexParams(enable_hnsw=False),
            "ts": IntegerIndexParams(range=True, enable_hnsw=False),
            "text": TextIndexParams(tokenizer=TokenizerType.Word, scoring=True, enable_hnsw=False),
        }.items():
            self._shard.update(UpdateOperation.create_field_index(field, index))

    def open(self) -> None:
        self._shard = EdgeShard.load(str(self.folder))

    def close(self) -> None:
        self._shard.flush()
        self._shard.close()

    def write(self, batch: Batch) -> None:
        scalars = zip(batch.tags, batch.scores, batch.times, batch.texts, strict=True)
        payloads = [{"tag": tag, "score": score, "ts": ts, "text": text} for tag, score, ts, text in scalars]
        points = zip(batch.ids, batch.vectors.tolist(), payloads, strict=True)
        self._shard.update(UpdateOperation.upsert_points([Point(*point) for point in points]))

    def force(self) -> None:
        self._shard.flush()

    def finish(self) -> None:
        self._shard.optimize()

    def search(self, vector: NDArray[Any], limit: int, where: Where | None = None, *, exact: bool = False) -> list[int]:
        return self._query(vector, limit, where, SearchParams(hnsw_ef=SEARCH_BREADTH, exact=exact))

    def search_with_fields(self, vector: NDArray[Any], limit: int) -> list[int]:
        return self._query(vector, limit, None, SearchParams(hnsw_ef=SEARCH_BREADTH), with_payload=True)

    def keywords(self, words: list[str], limit: int) -> list[int]:
        query = TextQuery("text", " ".join(words))
        return [hit.id for hit in self._shard.query(QueryRequest(limit, query=query))]

    def sort(self, field: str, limit: int, *, descending: bool) -> list[int]:
        order = OrderBy(field, Direction.Desc if descending else Direction.Asc)
        return [hit.id for hit in self._shard.query(QueryRequest(limit, query=order))]

    def count(self, where: Where) -> int:
        return int(self._shard.count(CountRequest(filter=_filter(where))))

    def count_by_tag(self) -> Mapping[str, int]:
        found = self._shard.facet(FacetRequest("tag", limit=2 * TAGS, exact=True))
        return {str(hit.value): hit.count for hit in found.hits}

    def _query(
        self,
        vector: NDArray[Any],
        limit: int,
        where: Where | None,
        params: SearchParams,
        *,
        with_payload: bool = False,
    ) -> list[int]:
        query = Query.Nearest(vector.tolist())
        condition = None if where is None else _filter(where)
        wanted = QueryRequest(limit, query=query, filter=condition, params=params, with_payload=with_payload)
        return [hit.id for hit in self._shard.query(wanted)]


def _filter(where: Where) -> Filter:
    if where.equals is not None:
        return Filter(must=[FieldCondition(where.field, match=MatchValue(where.equals))])
    return Filter(must=[FieldCondition(where.field, range=RangeFloat(gte=where.least, lt=where.below))])
