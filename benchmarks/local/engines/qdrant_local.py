"""qdrant-client in local mode: Qdrant's interface over numpy and SQLite, within the process."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray
from qdrant_client import QdrantClient
from qdrant_client.models import (
    Direction,
    Distance,
    FieldCondition,
    Filter,
    MatchValue,
    OrderBy,
    OrderByQuery,
    PointStruct,
    Range,
    VectorParams,
)

from ..data import TAGS, Batch, Where
from .base import CannotDo, Engine

_FIELDS = ("tag", "score", "ts", "text")


class QdrantLocal(Engine):
    """A collection; this mode has no indexes and says itself that it is meant for 20,000 points at most."""

    distributions = ("qdrant-client",)
    forces_by_itself = True
    remarks = ("has no indexes: every question looks at every row", "warns above 20,000 points")

    def create(self) -> None:
        self._connect()
        self._client.create_collection("rows", VectorParams(size=self.dim, distance=Distance.DOT))

    def open(self) -> None:
        self._connect()

    def close(self) -> None:
        self._client.close()

    def write(self, batch: Batch) -> None:
        scalars = zip(batch.tags, batch.scores, batch.times, batch.texts, strict=True)
        payloads = [dict(zip(_FIELDS, values, strict=True)) for values in scalars]
        points = zip(batch.ids, batch.vectors.tolist(), payloads, strict=True)
        self._client.upsert(
            "rows", [PointStruct(id=key, vector=vector, payload=payload) for key, vector, payload in points]
        )

    def search(self, vector: NDArray[Any], limit: int, where: Where | None = None, *, exact: bool = False) -> list[int]:
        if where is None and not exact:
            raise CannotDo("has no graph in this mode")
        condition = None if where is None else _filter(where)
        return self._ids(query=vector, limit=limit, query_filter=condition, with_payload=False)

    def search_with_fields(self, vector: NDArray[Any], limit: int) -> list[int]:
        raise CannotDo("has no graph in this mode")

    def keywords(self, words: list[str], limit: int) -> list[int]:
        raise CannotDo("finds texts that contain words, but does not rank them")

    def sort(self, field: str, limit: int, *, descending: bool) -> list[int]:
        order = OrderBy(key=field, direction=Direction.DESC if descending else Direction.ASC)
        return self._ids(query=OrderByQuery(order_by=order), limit=limit, with_payload=False)

    def count(self, where: Where) -> int:
        return int(self._client.count("rows", _filter(where), exact=True).count)

    def count_by_tag(self) -> Mapping[str, int]:
        return {str(hit.value): hit.count for hit in self._client.facet("rows", "tag", limit=2 * TAGS).hits}

    def _connect(self) -> None:
        warnings.filterwarnings("ignore", message="Local mode is not recommended")
        self._client = QdrantClient(path=str(self.folder))

    def _ids(self, **wanted: Any) -> list[int]:
        return [int(hit.id) for hit in self._client.query_points("rows", **wanted).points]


def _filter(where: Where) -> Filter:
    if where.equals is not None:
        return Filter(must=[FieldCondition(key=where.field, match=MatchValue(value=where.equals))])
    return Filter(must=[FieldCondition(key=where.field, range=Range(gte=where.least, lt=where.below))])
