"""Segment: the rows of one collection as arrays, derived from the database and only ever appended to.

A changed row is a dead row and a new one. Death has a sequence number, so a snapshot taken before it still sees the
row: readers need no lock and never meet half a write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .columns import Numbers, Parts, Texts, View, column_for
from .growing import Growing, GrowingMatrix
from .postings import Postings, PostingsView
from .schema import Schema
from .scoring import Vectors
from .sparse import SparseVectors, SparseView
from .values import Vector
from .which import Mask, Positions, Which, both, positions

NEVER = np.iinfo(np.int64).max

Array = TypeVar("Array", bound=NDArray[Any])

_NO_VECTOR = np.empty(0, np.float32)


@dataclass(frozen=True)
class Row:
    """A row as the database has it. ``n`` is its number, never used twice; ``expire_at`` is in milliseconds."""

    n: int
    key: int | str
    fields: Mapping[str, Any]
    vector: Vector | None
    expire_at: int | None


@dataclass(frozen=True)
class Snapshot:
    """The rows of a collection at one moment. Positions in it mean the same row for as long as it is held.

    Attributes:
        schema: what its arrays are laid out by.
        seq: the write it was taken after.
        numbers: each row's number in the database, ascending.
        dead: how many rows died before it was taken.
        first_expiry: when the first of the rows expires, in milliseconds.
    """

    schema: Schema
    seq: int
    numbers: NDArray[np.int64]
    vectors: Vectors
    columns: Mapping[str, View]
    postings: Mapping[str, PostingsView]
    sparse: SparseView | None
    died: NDArray[np.int64]
    expires: NDArray[np.int64]
    dead: int
    first_expiry: int

    def __len__(self) -> int:
        return len(self.numbers)

    def alive(self, now_ms: int) -> Mask:
        """Which rows exist, neither deleted nor replaced nor expired. Shared by all readers, who cannot change it."""
        if now_ms < self.first_expiry:
            return self._undead
        return self._undead & (self.expires > now_ms)

    def admits_all(self, now_ms: int) -> bool:
        """Whether every row is alive."""
        return not self.dead and now_ms < self.first_expiry

    @cached_property
    def everything(self) -> NDArray[np.intp]:
        """Positions of all rows."""
        return _fixed(np.arange(len(self.numbers)))

    @cached_property
    def _undead(self) -> Mask:
        return _fixed(self.died > self.seq if self.dead else np.ones(len(self.numbers), np.bool_))

    def keys(self, rows: NDArray[np.intp]) -> list[Any]:
        """Primary keys of rows."""
        column = self.columns[self.schema.primary_key.name]
        assert isinstance(column, Numbers | Texts)
        return column.take(rows)

    def with_keys(self, keys: Sequence[Any]) -> Which:
        """Which rows, dead ones too, have one of the keys."""
        column = self.columns[self.schema.primary_key.name]
        assert isinstance(column, Numbers | Texts)
        return column.is_any_of(keys)

    def living(self, keys: Sequence[Any], now_ms: int) -> Positions:
        """Where the rows that exist and have one of the keys are."""
        return positions(both(self.with_keys(keys), self.alive(now_ms)))

    def parts(self) -> dict[str, Any]:
        """What a segment can be made of again, by name: arrays, a matrix and lists of texts."""
        parts = {
            "numbers": self.numbers,
            "expires": self.expires,
            "dead": ~self._undead,
            "vectors": self.vectors.matrix,
            "lengths": self.vectors.lengths,
        }
        views = [(f"column:{name}", view.parts()) for name, view in self.columns.items()]
        views += [(f"postings:{name}", view.parts()) for name, view in self.postings.items()]
        views += [("sparse", self.sparse.parts())] if self.sparse is not None else []
        for prefix, of_view in views:
            parts.update({f"{prefix}:{part}": value for part, value in of_view.items()})
        return parts


class Segment:
    """The arrays. Used by one writer at a time; readers get a ``snapshot``.

    Args:
        schema: of the collection.
        parts: those of an earlier snapshot, to begin with; the matrix as one array.
    """

    def __init__(self, schema: Schema, parts: Parts | None = None) -> None:
        parts = parts or {}
        dead: Mask = parts.get("dead", np.empty(0, np.bool_))
        self._schema = schema
        self._numbers = Growing(np.int64, parts.get("numbers"))
        self._expires = Growing(np.int64, parts.get("expires"))
        self._died = Growing(np.int64, np.where(dead, 0, NEVER))
        self._matrix, self._lengths = (
            GrowingMatrix(schema.dim, parts.get("vectors")),
            Growing(np.float32, parts.get("lengths")),
        )
        indexed = {**schema.indexable_fields, schema.primary_key.name: schema.primary_key}
        self._columns = {
            name: column_for(field.type, _within(parts, f"column:{name}:")) for name, field in indexed.items()
        }
        self._postings = {
            name: Postings(analyzer, _within(parts, f"postings:{name}:")) for name, analyzer in schema.full_text.items()
        }
        self._sparse = SparseVectors(len(self._numbers), _within(parts, "sparse:")) if schema.sparse else None
        self._first_expiry = int(self._expires.view().min(initial=NEVER))
        self._dead = int(np.count_nonzero(dead))
        self._known_places: dict[int | str, int] | None = None if parts else {}

    def append(self, row: Row, seq: int) -> None:
        """Add a row, in place of the one with its key."""
        self.kill(row.key, seq)
        self._places[row.key] = len(self._numbers)
        self._numbers.append(row.n)
        self._died.append(NEVER)
        self._expires.append(NEVER if row.expire_at is None else row.expire_at)
        if row.expire_at is not None:
            self._first_expiry = min(self._first_expiry, row.expire_at)
        vector = _NO_VECTOR if row.vector is None else row.vector
        self._matrix.append(vector)
        self._lengths.append(np.sqrt(vector @ vector))
        for name, column in self._columns.items():
            column.append(row.fields.get(name))
        for name, postings in self._postings.items():
            postings.append(row.fields.get(name) or "")
        if self._sparse is not None and self._schema.sparse is not None:
            self._sparse.append(row.fields.get(self._schema.sparse.name) or {})

    def kill(self, key: int | str, seq: int) -> None:
        """Let the row with a key be gone from ``seq`` on, if there is one."""
        place = self._places.pop(key, None)
        if place is not None:
            self._died.put(place, seq)
            self._dead += 1

    def keep_only(self, numbers: NDArray[np.int64]) -> None:
        """Let the rows whose number is none of these be gone since ever. Before anything was appended."""
        gone = ~np.isin(self._numbers.view(), numbers)
        for place in np.flatnonzero(gone).tolist():
            self._died.put(place, 0)
        self._dead = int(gone.sum())

    @property
    def last_number(self) -> int:
        """The number of its latest row; 0 when it has none."""
        return int(self._numbers.at(len(self._numbers) - 1)) if len(self._numbers) else 0

    @property
    def is_mostly_dead(self) -> bool:
        """Whether building it anew from the database would pay."""
        return self._dead > max(1024, len(self._numbers) - self._dead)

    @property
    def _places(self) -> dict[int | str, int]:
        """Where the row with a key is. Made when the first row is written: readers do without."""
        if self._known_places is None:
            column = self._columns[self._schema.primary_key.name].view()
            assert isinstance(column, Numbers | Texts)
            alive = np.flatnonzero(self._died.view() == NEVER)
            self._known_places = dict(zip(column.take(alive), alive.tolist(), strict=True))
        return self._known_places

    def snapshot(self, seq: int) -> Snapshot:
        """The rows as of ``seq``, the number of the write that was added last."""
        return Snapshot(
            schema=self._schema,
            seq=seq,
            numbers=self._numbers.view(),
            vectors=Vectors(self._matrix.view(), self._lengths.view()),
            columns={name: column.view() for name, column in self._columns.items()},
            postings={name: postings.view() for name, postings in self._postings.items()},
            sparse=None if self._sparse is None else self._sparse.view(),
            died=self._died.view(),
            expires=self._expires.view(),
            dead=self._dead,
            first_expiry=self._first_expiry,
        )


def _fixed(array: Array) -> Array:
    """The same array, which nobody can change any more."""
    array.setflags(write=False)
    return array


def _within(parts: Parts, prefix: str) -> Parts:
    return {name.removeprefix(prefix): value for name, value in parts.items() if name.startswith(prefix)}
