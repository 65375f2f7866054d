"""zvec: Alibaba's collection within the process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import zvec
from numpy.typing import NDArray

from ..data import Batch, Where
from .base import BUILD_BREADTH, CONNECTIVITY, SEARCH_BREADTH, CannotDo, Engine

_FIELDS = ("tag", "score", "ts", "text")


class Zvec(Engine):
    """A collection with an inverted index on every scalar and full text on the text."""

    distributions = ("zvec",)
    remarks = ("an insert does not force the disk; flush() does", "keys are strings")

    def create(self) -> None:
        scalar = zvec.InvertIndexParam(enable_range_optimization=True)
        graph = zvec.HnswIndexParam(zvec.MetricType.IP, m=CONNECTIVITY, ef_construction=BUILD_BREADTH)
        schema = zvec.CollectionSchema(
            name="rows",
            fields=[
                zvec.FieldSchema("tag", zvec.DataType.STRING, index_param=scalar),
                zvec.FieldSchema("score", zvec.DataType.FLOAT, index_param=scalar),
                zvec.FieldSchema("ts", zvec.DataType.INT64, index_param=scalar),
                zvec.FieldSchema("text", zvec.DataType.STRING, index_param=zvec.FtsIndexParam()),
            ],
            vectors=[zvec.VectorSchema("vector", zvec.DataType.VECTOR_FP32, self.dim, index_param=graph)],
        )
        self._rows = zvec.create_and_open(self._path, schema)

    def open(self) -> None:
        self._rows = zvec.open(self._path)

    def close(self) -> None:
        self._rows.close()

    def write(self, batch: Batch) -> None:
        rows = zip(batch.ids, batch.tags, batch.scores, batch.times, batch.texts, batch.vectors, strict=True)
        done = self._rows.insert(
            [
                zvec.Doc(str(key), vectors={"vector": vector}, fields=dict(zip(_FIELDS, fields, strict=True)))
                for key, *fields, vector in rows
            ]
        )
        refused = [status for status in done if not status.ok()]
        if refused:
            raise RuntimeError(f"rows were refused: {refused[0]}")

    def force(self) -> None:
        self._rows.flush()

    def finish(self) -> None:
        self._rows.optimize()

    def search(self, vector: NDArray[Any], limit: int, where: Where | None = None, *, exact: bool = False) -> list[int]:
        return self._nearest(vector, limit, where, exact=exact, fields=[])

    def search_with_fields(self, vector: NDArray[Any], limit: int) -> list[int]:
        return self._nearest(vector, limit, None, exact=False, fields=list(_FIELDS))

    def keywords(self, words: list[str], limit: int) -> list[int]:
        query = zvec.Query("text", fts=zvec.Fts(match_string=" ".join(words)))
        return [int(hit.id) for hit in self._rows.query(query, topk=limit, output_fields=[])]

    def sort(self, field: str, limit: int, *, descending: bool) -> list[int]:
        raise CannotDo("has no order by a field")

    def count(self, where: Where) -> int:
        raise CannotDo("has no count")

    def count_by_tag(self) -> Mapping[str, int]:
        raise CannotDo("has no count by group")

    @property
    def _path(self) -> str:
        return str(self.folder / "rows")

    def _nearest(
        self, vector: NDArray[Any], limit: int, where: Where | None, *, exact: bool, fields: list[str]
    ) -> list[int]:
        query = zvec.Query("vector", vector=vector, param=zvec.HnswQueryParam(ef=SEARCH_BREADTH, is_linear=exact))
        condition = None if where is None else _filter(where)
        found = self._rows.query(query, topk=limit, filter=condition, output_fields=fields)
        return [int(hit.id) for hit in found]


def _filter(where: Where) -> str:
    if where.equals is not None:
        return f"{where.field} = '{where.equals}'"
    return f"{where.field} >= {where.least!r} and {where.field} < {where.below!r}"
