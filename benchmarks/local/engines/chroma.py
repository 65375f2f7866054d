"""chromadb: the persistent client, within the process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import chromadb
from chromadb.config import Settings
from numpy.typing import NDArray

from ..data import Batch, Where
from .base import BUILD_BREADTH, CONNECTIVITY, SEARCH_BREADTH, CannotDo, Engine


class Chroma(Engine):
    """A collection that is given its vectors: no embedding function, so no model."""

    distributions = ("chromadb",)
    forces_by_itself = True
    remarks = (
        "has no count with a filter; counted are the ids that get() returns",
        "keys are strings",
    )

    def create(self) -> None:
        graph = {
            "space": "ip",
            "max_neighbors": CONNECTIVITY,
            "ef_construction": BUILD_BREADTH,
            "ef_search": SEARCH_BREADTH,
        }
        client = self._client()
        self._rows = client.create_collection("rows", embedding_function=None, configuration={"hnsw": graph})

    def open(self) -> None:
        self._rows = self._client().get_collection("rows", embedding_function=None)

    def close(self) -> None:
        del self._rows

    def write(self, batch: Batch) -> None:
        scalars = zip(batch.tags, batch.scores, batch.times, strict=True)
        self._rows.add(
            ids=[str(key) for key in batch.ids],
            embeddings=batch.vectors,
            metadatas=[{"tag": tag, "score": score, "ts": ts} for tag, score, ts in scalars],
            documents=batch.texts,
        )

    def search(self, vector: NDArray[Any], limit: int, where: Where | None = None, *, exact: bool = False) -> list[int]:
        if exact:
            raise CannotDo("searches through its graph only")
        return self._nearest(vector, limit, where, [])

    def search_with_fields(self, vector: NDArray[Any], limit: int) -> list[int]:
        return self._nearest(vector, limit, None, ["metadatas", "documents"])

    def keywords(self, words: list[str], limit: int) -> list[int]:
        raise CannotDo("finds texts that contain words, but does not rank them")

    def sort(self, field: str, limit: int, *, descending: bool) -> list[int]:
        raise CannotDo("has no order by a field")

    def count(self, where: Where) -> int:
        return len(self._rows.get(where=_filter(where), include=[])["ids"])

    def count_by_tag(self) -> Mapping[str, int]:
        raise CannotDo("has no count by group")

    def _client(self) -> Any:
        return chromadb.PersistentClient(self.folder, Settings(anonymized_telemetry=False))

    def _nearest(self, vector: NDArray[Any], limit: int, where: Where | None, include: list[Any]) -> list[int]:
        condition = None if where is None else _filter(where)
        found = self._rows.query(query_embeddings=vector, n_results=limit, where=condition, include=include)
        return [int(key) for key in found["ids"][0]]


def _filter(where: Where) -> Any:
    if where.equals is not None:
        return {where.field: where.equals}
    return {"$and": [{where.field: {"$gte": where.least}}, {where.field: {"$lt": where.below}}]}
