"""lancedb: a table of Lance files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lancedb
import pyarrow as pa
from lancedb.index import FTS, Bitmap, BTree, HnswFlat
from lancedb.query import ColumnOrdering
from numpy.typing import NDArray

from ..data import Batch, Where
from .base import BUILD_BREADTH, CONNECTIVITY, SEARCH_BREADTH, Engine

_FIELDS = ["tag", "score", "ts", "text"]


class Lance(Engine):
    """A table with an index on every column, made when all rows are in and the many small files are one."""

    distributions = ("lancedb",)
    remarks = (
        "nothing forces the disk; the benchmark itself forces the files of every batch",
        "one partition (num_partitions=1), so that the graph is searched whole as in the other engines",
        "counts by tag through pyarrow, over the whole column",
    )

    def __init__(self, folder: Path, dim: int) -> None:
        super().__init__(folder, dim)
        self._forced: dict[str, tuple[int, int]] = {}

    def create(self) -> None:
        schema = pa.schema(
            [
                ("id", pa.int64()),
                ("tag", pa.string()),
                ("score", pa.float32()),
                ("ts", pa.int64()),
                ("text", pa.string()),
                ("vector", pa.list_(pa.float32(), self.dim)),
            ]
        )
        self._table = lancedb.connect(self.folder).create_table("rows", schema=schema)

    def open(self) -> None:
        self._table = lancedb.connect(self.folder).open_table("rows")

    def close(self) -> None:
        del self._table

    def write(self, batch: Batch) -> None:
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(batch.vectors.reshape(-1)), self.dim)
        columns = [
            pa.array(batch.ids, pa.int64()),
            pa.array(batch.tags),
            pa.array(batch.scores, pa.float32()),
            pa.array(batch.times, pa.int64()),
            pa.array(batch.texts),
            vectors,
        ]
        self._table.add(pa.table(columns, schema=self._table.schema))

    def force(self) -> None:
        _force_changed(self.folder, self._forced)

    def finish(self) -> None:
        self._table.optimize()
        graph = HnswFlat(distance_type="dot", num_partitions=1, m=CONNECTIVITY, ef_construction=BUILD_BREADTH)
        self._table.create_index("vector", config=graph)
        self._table.create_index("tag", config=Bitmap())
        self._table.create_index("score", config=BTree())
        self._table.create_index("ts", config=BTree())
        self._table.create_index("text", config=FTS(with_position=False, stem=False, remove_stop_words=False))

    def search(self, vector: NDArray[Any], limit: int, where: Where | None = None, *, exact: bool = False) -> list[int]:
        return self._nearest(vector, limit, where, ["id"], exact=exact)

    def search_with_fields(self, vector: NDArray[Any], limit: int) -> list[int]:
        return self._nearest(vector, limit, None, ["id", *_FIELDS])

    def keywords(self, words: list[str], limit: int) -> list[int]:
        found = self._table.search(" ".join(words), query_type="fts").limit(limit).select(["id", "_score"])
        return _ids(found)

    def sort(self, field: str, limit: int, *, descending: bool) -> list[int]:
        order = ColumnOrdering(column_name=field, ascending=not descending, nulls_first=False)
        return _ids(self._table.search().order_by([order]).limit(limit).select(["id", field]))

    def count(self, where: Where) -> int:
        return int(self._table.count_rows(_filter(where)))

    def count_by_tag(self) -> Mapping[str, int]:
        column = self._table.search().select(["tag"]).limit(self._table.count_rows()).to_arrow()
        counts = column.group_by("tag").aggregate([("tag", "count")]).to_pydict()
        return dict(zip(counts["tag"], counts["tag_count"], strict=True))

    def _nearest(
        self, vector: NDArray[Any], limit: int, where: Where | None, columns: list[str], *, exact: bool = False
    ) -> list[int]:
        query = self._table.search(vector, vector_column_name="vector").distance_type("dot").limit(limit)
        query = query.bypass_vector_index() if exact else query.ef(SEARCH_BREADTH)
        if where is not None:
            query = query.where(_filter(where), prefilter=True)
        return _ids(query.select([*columns, "_distance"]))


def _filter(where: Where) -> str:
    if where.equals is not None:
        return f"{where.field} = '{where.equals}'"
    return f"{where.field} >= {where.least!r} AND {where.field} < {where.below!r}"


def _ids(query: Any) -> list[int]:
    ids: list[int] = query.to_arrow()["id"].to_pylist()
    return ids


def _force_changed(folder: Path, forced: dict[str, tuple[int, int]]) -> None:
    """Put on the disk every file below a folder that changed since, and the folders that hold them.

    Args:
        folder: where to look.
        forced: sizes and times of the files as they were forced last; brought up to date.
    """
    changed_folders = set()
    pending = [str(folder)]
    while pending:
        here = pending.pop()
        for entry in os.scandir(here):
            if entry.is_dir(follow_symlinks=False):
                pending.append(entry.path)
                continue
            status = entry.stat(follow_symlinks=False)
            state = (status.st_size, status.st_mtime_ns)
            if forced.get(entry.path) != state:
                forced[entry.path] = state
                changed_folders.add(here)
                _force(entry.path)
    for changed in changed_folders:
        _force(changed)


def _force(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
