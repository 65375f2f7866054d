"""Segment: the rows of one collection as arrays, derived from the database and only ever appended to.

A changed row is a dead row and a new one. Death has a sequence number, so a snapshot taken before it still sees the
row: readers need no lock and never meet half a write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .columns import Mask, Numbers, Texts, View, column_for
from .growing import Growing
from .postings import Postings, PostingsView
from .schema import Schema
from .scoring import Vectors
from .values import Vector

NEVER = np.iinfo(np.int64).max

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
    """The rows of a collection at one moment. Positions in it mean the same row for as long as it is held."""

    seq: int
    numbers: NDArray[np.int64]
    vectors: Vectors
    columns: Mapping[str, View]
    postings: Mapping[str, PostingsView]
    key_name: str
    died: NDArray[np.int64]
    expires: NDArray[np.int64]

    def alive(self, now_ms: int) -> Mask:
        """Which rows exist, neither deleted nor replaced nor expired."""
        return (self.died > self.seq) & (self.expires > now_ms)

    def keys(self, rows: NDArray[np.intp]) -> list[Any]:
        """Primary keys of rows."""
        column = self.columns[self.key_name]
        assert isinstance(column, Numbers | Texts)
        return [column.at(row) for row in rows]

    def with_keys(self, keys: Sequence[Any]) -> Mask:
        """Which rows, dead ones too, have one of the keys."""
        column = self.columns[self.key_name]
        assert isinstance(column, Numbers | Texts)
        return column.is_any_of(keys)


class Segment:
    """The arrays. Used by one writer at a time; readers get a ``snapshot``."""

    def __init__(self, schema: Schema) -> None:
        self._key_name = schema.primary_key.name
        self._numbers, self._died, self._expires = Growing(np.int64), Growing(np.int64), Growing(np.int64)
        self._matrix, self._lengths = Growing(np.float32, schema.dim), Growing(np.float32)
        indexed = {**schema.indexable_fields, self._key_name: schema.primary_key}
        self._columns = {name: column_for(field.type) for name, field in indexed.items()}
        self._postings = {name: Postings(analyzer) for name, analyzer in schema.full_text.items()}
        self._place: dict[int | str, int] = {}

    def append(self, row: Row, seq: int) -> None:
        """Add a row, in place of the one with its key."""
        self.kill(row.key, seq)
        self._place[row.key] = len(self._numbers)
        self._numbers.append(row.n)
        self._died.append(NEVER)
        self._expires.append(NEVER if row.expire_at is None else row.expire_at)
        vector = _NO_VECTOR if row.vector is None else row.vector
        self._matrix.append(vector)
        self._lengths.append(np.linalg.norm(vector))
        for name, column in self._columns.items():
            column.append(row.fields.get(name))
        for name, postings in self._postings.items():
            postings.append(row.fields.get(name) or "")

    def kill(self, key: int | str, seq: int) -> None:
        """Let the row with a key be gone from ``seq`` on, if there is one."""
        place = self._place.pop(key, None)
        if place is not None:
            self._died.put(place, seq)

    @property
    def is_mostly_dead(self) -> bool:
        """Whether building it anew from the database would pay."""
        return len(self._numbers) - len(self._place) > max(1024, len(self._place))

    def snapshot(self, seq: int) -> Snapshot:
        """The rows as of ``seq``, the number of the write that was added last."""
        return Snapshot(
            seq=seq,
            numbers=self._numbers.view(),
            vectors=Vectors(self._matrix.view(), self._lengths.view()),
            columns={name: column.view() for name, column in self._columns.items()},
            postings={name: postings.view() for name, postings in self._postings.items()},
            key_name=self._key_name,
            died=self._died.view(),
            expires=self._expires.view(),
        )
