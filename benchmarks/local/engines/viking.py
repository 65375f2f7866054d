"""Ours, as programs use it: the client, the wire's bytes, and the embedded engine behind them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from vikingdb_core.filters import F
from vikingdb_vector import VikingDB

from ..data import Batch, Where
from .base import Engine

COLLECTION = "rows"


class Viking(Engine):
    """One collection with two indexes over the same rows, ``hnsw`` and ``flat``."""

    distributions = ("vikingdb-local", "usearch")
    forces_by_itself = True

    def create(self) -> None:
        self.open()
        self._client.admin.create_collection(
            collection_name=COLLECTION,
            fields=[
                {"field_name": "id", "field_type": "int64", "is_primary_key": True},
                {"field_name": "tag", "field_type": "string"},
                {"field_name": "score", "field_type": "float32"},
                {"field_name": "ts", "field_type": "int64"},
                {"field_name": "text", "field_type": "text"},
                {"field_name": "vector", "field_type": "vector", "dim": self.dim},
            ],
            full_text=[{"field": "text", "analyzer": {"tokenizer": "standard"}}],
        )
        for kind in ("hnsw", "flat"):
            self._client.admin.create_index(
                collection_name=COLLECTION,
                index_name=kind,
                vector_index={"index_type": kind, "distance": "ip"},
                scalar_index=["tag", "score", "ts"],
            )

    def open(self) -> None:
        # The embedder is not asked for anything. This one has no model to load.
        self._client = VikingDB(endpoint=f"local://{self.folder.as_posix()}?embedder=hash-v1")
        self._rows = self._client.collection(collection_name=COLLECTION, primary_key="id")
        self._hnsw = self._client.index(collection_name=COLLECTION, index_name="hnsw")
        self._flat = self._client.index(collection_name=COLLECTION, index_name="flat")

    def close(self) -> None:
        self._client.close()

    def write(self, batch: Batch) -> None:
        rows = zip(batch.ids, batch.tags, batch.scores, batch.times, batch.texts, batch.vectors, strict=True)
        names = ("id", "tag", "score", "ts", "text", "vector")
        self._rows.upsert({"data": [dict(zip(names, row, strict=True)) for row in rows]})

    def finish(self) -> None:
        """Ask for something: what is missing is built in the background, for which the worker waits."""
        self._hnsw.search_by_vector({"dense_vector": [1.0] + [0.0] * (self.dim - 1), "limit": 1})

    def search(self, vector: NDArray[Any], limit: int, where: Where | None = None, *, exact: bool = False) -> list[int]:
        index = self._flat if exact else self._hnsw
        return _ids(index.search_by_vector(_request(limit, where, dense_vector=vector)))

    def search_with_fields(self, vector: NDArray[Any], limit: int) -> list[int]:
        wanted = {"dense_vector": vector, "limit": limit, "output_fields": ["tag", "score", "ts", "text"]}
        return _ids(self._hnsw.search_by_vector(wanted))

    def keywords(self, words: list[str], limit: int) -> list[int]:
        return _ids(self._hnsw.search_by_keywords(_request(limit, None, keywords=words)))

    def sort(self, field: str, limit: int, *, descending: bool) -> list[int]:
        order = "desc" if descending else "asc"
        return _ids(self._hnsw.search_by_scalar(_request(limit, None, field=field, order=order)))

    def count(self, where: Where) -> int:
        return int(self._hnsw.aggregate({"op": "count", "filter": _filter(where)}).result.total or 0)

    def count_by_tag(self) -> Mapping[str, int]:
        return self._hnsw.aggregate({"op": "count", "field": "tag"}).result.groups


def _request(limit: int, where: Where | None, **more: Any) -> dict[str, Any]:
    filtered = {} if where is None else {"filter": _filter(where)}
    return {"limit": limit, "output_fields": [], **filtered, **more}


def _filter(where: Where) -> Any:
    field = F(where.field)
    if where.equals is not None:
        return field == where.equals
    return field.range(gte=where.least, lt=where.below)


def _ids(response: Any) -> list[int]:
    return [hit.id for hit in response.result.data]
