"""Derived: what a collection's searches are served from beside its rows, kept in step with them.

The arrays of a segment come from a cache file and the rows written since, or from all rows; graphs come from their
files, or are built in the background. All of it can be lost without losing anything.
"""

from __future__ import annotations

import logging
import sqlite3
import zlib
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from vikingdb_vector.models import Distance

from . import rows
from .cachefile import DamagedCache
from .caches import ROWS, Caches
from .columns import Numbers, Texts
from .faults import StorageFault
from .graph import MIN_ROWS, Graph, GraphBuilder, is_available, open_graph
from .indexing import Index
from .schema import Schema
from .segment import Segment, Snapshot
from .upkeep import Upkeep

log = logging.getLogger("vikingdb.local")

FORMAT = 2
"""Of cached segments; another one makes them anew."""

MIN_CACHED_ROWS = 2_000
MIN_STALE_ROWS, STALE_SHARE = 1_000, 0.03
"""A cache is written anew when it lacks so many rows, and this share of all."""

MIN_TAIL_ROWS, TAIL_SHARE = 4_096, 0.05
"""A graph is, likewise."""

DEAD_SHARE = 0.25
"""A graph of which so much is gone is built from the beginning."""

Current = Callable[[], Snapshot | None]
ShouldStop = Callable[[], bool]


class Derived:
    """What is derived from one collection.

    Args:
        collection_id: its number in the database.
        caches: the files of its database.
        upkeep: who builds.

    Attributes:
        graphs: by the distance their neighbours are near by. Replaced, never changed.
    """

    def __init__(self, collection_id: int, caches: Caches, upkeep: Upkeep) -> None:
        self._id, self._caches, self._upkeep = collection_id, caches, upkeep
        self._cached_number = 0
        self._cached_shape = ""
        self.graphs: Mapping[Distance, Graph] = {}

    def restore(self, sql: sqlite3.Connection, schema: Schema, seq: int) -> Segment:
        """The arrays of all rows as of now: from the cache as far as it goes, else from the database."""
        segment = self._from_cache(sql, schema, seq) or Segment(schema)
        for row in rows.scan(sql, self._id, after=segment.last_number):
            segment.append(row, seq)
        if not self.graphs:
            self._open_graphs(sql)
        return segment

    def follow(self, current: Current, indexes: Collection[Index], now_ms: int) -> bool:
        """Ask for what has fallen behind: a cache, and the orders and graphs that these indexes use. Other graphs are
        let go of.

        Returns:
            Whether nothing has.
        """
        snapshot = current()
        if snapshot is None:
            return True
        distances = {index.distance for index in indexes if index.distance and index.is_approximate}
        fields = {name for index in indexes for name in index.scalar_fields}
        is_in_step = self.graphs.keys() <= distances
        for distance in self.graphs.keys() - distances:
            self._upkeep.ask(f"the end of the {distance} graph of collection {self._id}", partial(self._drop, distance))
        if self._is_cache_stale(snapshot):
            is_in_step = False
            self._upkeep.ask(f"the cache of collection {self._id}", lambda _: self._keep(current()))
        if _out_of_order(snapshot, fields):
            is_in_step = False
            self._upkeep.ask(f"the order of collection {self._id}", partial(_put_in_order, current, fields))
        for distance in distances:
            if self._is_graph_due(snapshot, distance) and is_available():
                is_in_step = False
                build = partial(self._build, current, distance, now_ms)
                self._upkeep.ask(f"the {distance} graph of collection {self._id}", build)
        return is_in_step

    def keep(self, snapshot: Snapshot | None) -> None:
        """Write the cache now, if it is worth it: the database is about to be closed."""
        if snapshot is not None and self._is_cache_stale(snapshot):
            try:
                self._keep(snapshot)
            except (OSError, StorageFault) as error:
                log.warning("the cache of collection %s cannot be kept and will be made again: %s", self._id, error)

    def _from_cache(self, sql: sqlite3.Connection, schema: Schema, seq: int) -> Segment | None:
        cached = self._caches.find(sql, self._id, ROWS)
        if cached is None or cached.about["format"] != FORMAT or cached.about["shape"] != schema.fingerprint:
            return None
        parts = self._caches.read_rows(cached)
        if parts is None:
            return None
        segment = Segment(schema, parts)
        if cached.about["seq"] != seq:
            segment.keep_only(rows.numbers(sql, self._id))
        if segment.is_mostly_dead:  # or the first write would have it built again, from the same cache
            self._cached_number = 0
            return None
        self._cached_number, self._cached_shape = segment.last_number, schema.fingerprint
        return segment

    def _is_cache_stale(self, snapshot: Snapshot) -> bool:
        if not self._caches.are_kept or len(snapshot) < MIN_CACHED_ROWS:
            return False
        if snapshot.schema.fingerprint != self._cached_shape:
            return True
        uncached = len(snapshot) - int(snapshot.numbers.searchsorted(self._cached_number, side="right"))
        return uncached > max(MIN_STALE_ROWS, STALE_SHARE * len(snapshot))

    def _keep(self, snapshot: Snapshot | None) -> None:
        if snapshot is None or not self._is_cache_stale(snapshot):
            return  # it was emptied meanwhile
        about = {"format": FORMAT, "shape": snapshot.schema.fingerprint, "seq": snapshot.seq}
        with suppress(sqlite3.IntegrityError):  # the collection was deleted meanwhile
            self._caches.write_rows(self._id, about, snapshot.parts())
        self._cached_number, self._cached_shape = int(snapshot.numbers[-1]), snapshot.schema.fingerprint

    def _is_graph_due(self, snapshot: Snapshot, distance: Distance) -> bool:
        if len(snapshot) - snapshot.dead < MIN_ROWS:
            return False
        graph = self.graphs.get(distance)
        if graph is None:
            return True
        covered = int(snapshot.numbers.searchsorted(graph.last_number, side="right"))
        tail = len(snapshot) - covered
        # Dead rows of the tail are counted too; whoever builds looks closer.
        gone = graph.size - (covered - snapshot.dead)
        return tail > max(MIN_TAIL_ROWS, TAIL_SHARE * graph.size) or gone > 2 * DEAD_SHARE * graph.size

    def _build(self, current: Current, distance: Distance, now_ms: int, should_stop: ShouldStop) -> None:
        snapshot = current()
        if snapshot is None or not self._is_graph_due(snapshot, distance):
            return  # it was emptied meanwhile
        before = self.graphs.get(distance)
        grows = before is not None and before.share_dead(snapshot, now_ms) < DEAD_SHARE
        builder = GraphBuilder(snapshot, distance, now_ms, before if grows else None)
        while builder.step():
            if should_stop():
                return
        graph = builder.finish()
        if self._caches.are_kept:
            try:
                graph = self._kept(graph)
            except sqlite3.IntegrityError:
                return  # the collection was deleted meanwhile
            except (OSError, StorageFault, DamagedCache) as error:
                log.warning(
                    "the %s graph of collection %s cannot be kept and is served from memory: %s",
                    distance,
                    self._id,
                    error,
                )
        self.graphs = {**self.graphs, distance: graph}

    def _drop(self, distance: Distance, _: ShouldStop) -> None:
        self.graphs = {other: graph for other, graph in self.graphs.items() if other is not distance}
        self._caches.drop(self._id, f"graph-{distance}")

    def _kept(self, graph: Graph) -> Graph:
        """The same graph, mapped from its file."""
        about: dict[str, Any] = {"last": graph.last_number, "size": graph.size}

        def save(path: Path) -> None:
            graph.save(path)
            about["crc"] = _checksum(path)

        path = self._caches.write(self._id, f"graph-{graph.distance}", about, save)
        return open_graph(path, graph.distance, graph.last_number, graph.size)

    def _open_graphs(self, sql: sqlite3.Connection) -> None:
        found: dict[Distance, Graph] = {}
        for distance in Distance:
            cached = self._caches.find(sql, self._id, f"graph-{distance}")
            if cached is None or not is_available():
                continue
            try:
                if _checksum(cached.path) != cached.about["crc"]:
                    raise DamagedCache("it is not as it was written")
                found[distance] = open_graph(cached.path, distance, cached.about["last"], cached.about["size"])
            except (DamagedCache, OSError) as error:
                log.warning("the graph %s cannot be used and will be built again: %s", cached.path, error)
        self.graphs = found


def _out_of_order(snapshot: Snapshot, fields: Collection[str]) -> list[Numbers | Texts]:
    columns = [snapshot.columns.get(name) for name in {*fields, snapshot.schema.primary_key.name}]
    return [column for column in columns if isinstance(column, Numbers | Texts) and column.is_order_due]


def _put_in_order(current: Current, fields: Collection[str], should_stop: ShouldStop) -> None:
    snapshot = current()
    for column in _out_of_order(snapshot, fields) if snapshot is not None else ():
        if should_stop():
            return
        column.put_in_order()


def _checksum(path: Path) -> int:
    checksum = 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 22):
            checksum = zlib.crc32(chunk, checksum)
    return checksum
