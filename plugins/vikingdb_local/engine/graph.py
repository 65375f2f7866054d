"""Graph: approximate nearest neighbours through usearch (HNSW), for collections beyond what a scan does in no time.

A graph never changes once it can be searched. Rows written since are scanned exactly beside it, until enough have come
together for a larger graph. What it finds are candidates: rows that are gone or not admitted are left out, the others
are scored exactly like all rows are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vikingdb_vector.models import Distance

from .cachefile import DamagedCache
from .scoring import Rows
from .segment import Snapshot
from .values import Vector

MIN_ROWS = 20_000
"""Fewer rows are scanned."""

MIN_SHARE = 0.1
"""Where the admitted rows are a smaller share of all, they are scanned."""

_METRICS = {Distance.IP: "ip", Distance.COSINE: "cos", Distance.L2: "l2sq"}
_CONNECTIVITY, _BUILD_BREADTH, SEARCH_BREADTH = 24, 160, 96
_OVERSAMPLE = 4
_CHUNK = 512
_LOST = 2**-8
"""The share of a number that bfloat16 may lose."""
_SINGLE = 2**-22
"""Likewise single precision, in a few steps."""


def is_available() -> bool:
    """Whether usearch is installed (extra ``ann``)."""
    try:
        import usearch.index  # noqa: F401
    except ImportError:
        return False
    return True


@dataclass(frozen=True)
class Graph:
    """A graph over the rows up to one number.

    Attributes:
        distance: what its neighbours are near by.
        last_number: the number of the latest row in it.
        size: how many rows are in it, dead ones too.
    """

    distance: Distance
    last_number: int
    size: int
    _index: Any = field(repr=False)

    def candidates(self, snapshot: Snapshot, rows: Rows, query: Vector, most: int, breadth: int) -> Rows | None:
        """Positions among which the best of ``rows`` are, or ``None`` when too few were found and a scan is due.

        Args:
            snapshot: where positions point to.
            rows: the admitted ones, ascending.
            query: what to be near to.
            most: how many are wanted.
            breadth: how many candidates to keep on the way, at least: the more, the fewer near rows are missed.
        """
        covered = int(snapshot.numbers.searchsorted(self.last_number, side="right"))
        inside = int(rows.searchsorted(covered))
        tail = rows[inside:]
        if inside == 0:
            return tail
        share = inside / self.size
        if share < MIN_SHARE:
            return None
        count = max(breadth, int(_OVERSAMPLE * most / share))
        while 4 * count <= self.size:
            found = self._index.search(query, count, threads=1)
            numbers, distances = found.keys.astype(np.int64), found.distances
            places = snapshot.numbers.searchsorted(numbers)
            known = snapshot.numbers[np.minimum(places, covered - 1)] == numbers
            if inside < covered:
                known &= rows[np.minimum(rows.searchsorted(places), inside - 1)] == places
            places, distances = places[known], distances[known]
            if len(places) >= min(most, inside):
                beyond = distances > self._farthest(distances, most, query, snapshot.vectors.lengths[places])
                places = places[~beyond]  # where the distance is NaN, it stays
                places.sort()
                return np.concatenate((places, tail))
            count *= 4
        return None

    def _farthest(self, distances: Any, most: int, query: Vector, lengths: Any) -> float:
        """Rows beyond this distance are not among the ``most`` nearest, however much was lost to bfloat16.

        A vector loses ``_LOST`` of its length at most, and the query as much. So a distance is wrong by a certain
        amount, and two distances that are compared by twice as much.
        """
        nth = float(np.partition(distances, most - 1)[most - 1]) if most < len(distances) else np.inf
        own, longest = math.sqrt(float(query.dot(query))), float(lengths.max())
        match self.distance:
            case Distance.COSINE:
                return nth + 8 * _LOST  # made of length 1, a vector may be off by twice what it lost
            case Distance.L2:
                lost = _LOST * (own + longest)
                return (math.sqrt(max(0.0, nth)) + 2 * lost) ** 2
        return nth + 4 * _LOST * own * longest + _SINGLE * (1 + abs(nth))  # usearch takes the product from 1

    def share_dead(self, snapshot: Snapshot, now_ms: int) -> float:
        """Which share of its rows is gone."""
        covered = int(snapshot.numbers.searchsorted(self.last_number, side="right"))
        return 1 - int(np.count_nonzero(snapshot.alive(now_ms)[:covered])) / max(1, self.size)

    def save(self, path: Path) -> None:
        """Write it to a file.

        Raises:
            OSError: there is no room, or the disk fails.
        """
        try:
            self._index.save(str(path))
        except RuntimeError as error:  # usearch does not say which
            raise OSError(f"{path} cannot be written: {error}") from error


class GraphBuilder:
    """Makes a graph of a snapshot, a chunk at a time, so that whoever lets it work can stop it.

    Args:
        snapshot: the rows.
        distance: what neighbours are to be near by.
        now_ms: rows gone by then are left out.
        start: a graph to add to, rather than begin anew.
    """

    def __init__(self, snapshot: Snapshot, distance: Distance, now_ms: int, start: Graph | None = None) -> None:
        self._snapshot, self._distance = snapshot, distance
        rows = np.flatnonzero(snapshot.alive(now_ms))
        if start is None:
            self._index = _new_index(snapshot.vectors.matrix.width, distance)
        else:
            self._index = start._index.copy()
            rows = rows[np.searchsorted(snapshot.numbers[rows], start.last_number, side="right") :]
        self._rows, self._done = rows, 0

    def step(self) -> bool:
        """Add a chunk of rows; whether there are more."""
        rows = self._rows[self._done : self._done + _CHUNK]
        if len(rows):
            vectors = self._snapshot.vectors.matrix.rows(rows)
            self._index.add(self._snapshot.numbers[rows].astype(np.uint64), vectors, threads=1)
        self._done += len(rows)
        return self._done < len(self._rows)

    def finish(self) -> Graph:
        """The graph."""
        return Graph(self._distance, int(self._snapshot.numbers[-1]), len(self._index), self._index)


def open_graph(path: Path, distance: Distance, last_number: int, size: int) -> Graph:
    """A graph as it was saved, mapped into memory.

    Raises:
        DamagedCache: it cannot be read, or is another one.
    """
    from usearch.index import Index

    try:
        index = Index.restore(str(path), view=True)
    except Exception as error:  # usearch raises what its C++ part throws
        raise DamagedCache(f"{type(error).__name__}: {error}") from error
    if index is None or len(index) != size:
        raise DamagedCache(f"it holds {0 if index is None else len(index)} rows, not {size}")
    return Graph(distance, last_number, size, index)


def _new_index(width: int, distance: Distance) -> Any:
    from usearch.index import Index

    return Index(
        ndim=width,
        metric=_METRICS[distance],
        dtype="bf16",  # as wide as f32, half its size; what it finds is scored exactly
        connectivity=_CONNECTIVITY,
        expansion_add=_BUILD_BREADTH,
        expansion_search=SEARCH_BREADTH,
    )
