"""Recall: which rows a search may return, before anything is scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vikingdb_core.filters import Filter
from vikingdb_vector import models as m
from vikingdb_vector.models import Distance

from ..engine.collection import Collection
from ..engine.filters import matching
from ..engine.indexing import Index
from ..engine.scoring import Rows
from ..engine.segment import Snapshot
from ..engine.values import read_id
from ..engine.which import Which, all_but, both, how_many, positions
from ..errors import invalid
from ..session import Call, Session
from .locate import find_collection, find_index
from .output import refuse_partition

MAX_CANDIDATES = 100_000


@dataclass(frozen=True)
class Recall:
    """The rows of an index that a request admits.

    Attributes:
        filter: the wire's filter; empty admits every row.
        ids_in: only these keys; ``None`` is no restriction, and an empty list admits none.
        ids_not_in: not these keys.
        now_ms: rows that expired before are gone.
        scale_k: how many times as many candidates to keep as the index would, where it has a graph.
    """

    collection: Collection
    index: Index
    filter: Mapping[str, Any]
    ids_in: list[Any] | None
    ids_not_in: list[Any] | None
    now_ms: int
    scale_k: float = 1.0

    def rows(self, snapshot: Snapshot) -> tuple[Rows, int | None]:
        """Positions in the snapshot, and how many rows the filter alone matches, if there is one."""
        self.collection.follow(self.now_ms)
        if not self.filter and self.ids_in is None and not self.ids_not_in and snapshot.admits_all(self.now_ms):
            return snapshot.everything, None
        which: Which = snapshot.alive(self.now_ms)
        matched = None
        if self.filter:
            which = both(which, matching(self.filter, self.index, snapshot))
            matched = how_many(which)
        if self.ids_in is not None:
            which = both(which, snapshot.with_keys(self.ids_in))
        if self.ids_not_in:
            which = both(which, all_but(snapshot.with_keys(self.ids_not_in), len(snapshot)))
        return positions(which), matched

    @property
    def distance(self) -> Distance:
        """How the index compares vectors; an index without vectors cannot be asked."""
        if self.index.distance is None:
            raise invalid(
                f"collection {self.collection.name!r} has no vectors to search; search by scalar, keywords or random"
            )
        return self.index.distance


def open_recall(session: Session, call: Call[Any]) -> Recall:
    """The recall of a search or an aggregate."""
    request: m.RecallBase = call.request
    refuse_partition(request.partition)
    collection = find_collection(session, call.locator)
    index = find_index(collection, call.locator.index_name)
    advance: m.SearchAdvance | None = getattr(request, "advance", None)
    if advance is not None:
        _check_advance(advance)
    ids_in, ids_not_in = (
        (_keys(collection, advance.ids_in, "ids_in"), _keys(collection, advance.ids_not_in, "ids_not_in"))
        if advance is not None
        else (None, None)
    )
    scale_k = 1.0 if advance is None or advance.scale_k is None else advance.scale_k
    return Recall(collection, index, _filter(request), ids_in, ids_not_in, session.now_ms, scale_k)


def _filter(request: m.RecallBase) -> Mapping[str, Any]:
    given = request.filter
    return given.to_wire() if isinstance(given, Filter) else given or {}


def _keys(collection: Collection, ids: Any, name: str) -> list[Any] | None:
    if ids is None:
        return None
    key = collection.schema.primary_key
    return [read_id(key, value, f"advance.{name}[{position}]") for position, value in enumerate(ids)]


def _check_advance(advance: m.SearchAdvance) -> None:
    """Check the knobs."""
    for name, low, high in (
        ("dense_weight", 0.2, 1),
        ("scale_k", 0.1, 100),
        ("post_process_input_limit", 1, MAX_CANDIDATES),
    ):
        value = getattr(advance, name)
        if value is not None and not low <= value <= high:
            raise invalid(f"advance.{name} is {value}; it must be from {low} to {high}")
