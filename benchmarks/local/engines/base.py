"""Engine: what a benchmark asks of an engine. One subclass for each, in a module of its own, imported in the
environment where that engine is installed.

An engine takes rows as they are in :class:`~benchmarks.local.data.Batch` and turns them into what its own interface
wants; the time that takes is its own. It answers with ids, in order.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from numpy.typing import NDArray

from ..data import Batch, Where

# Every graph is built and searched with the same breadth, where an engine lets one choose.
CONNECTIVITY = 16
BUILD_BREADTH = 128
SEARCH_BREADTH = 96


class CannotDo(Exception):
    """The engine has no way to do it. The message says why, for a footnote."""


class Engine:
    """An engine with its database in a folder.

    Attributes:
        distributions: whose versions are told.
        forces_by_itself: whether a batch is on the disk when :meth:`write` returns. If not, :meth:`force` puts it
            there, and the engine is also measured without.
        remarks: what a reader has to know to judge the numbers.
    """

    distributions: ClassVar[tuple[str, ...]]
    forces_by_itself: ClassVar[bool] = False
    remarks: ClassVar[tuple[str, ...]] = ()

    def __init__(self, folder: Path, dim: int) -> None:
        self.folder, self.dim = folder, dim

    def create(self) -> None:
        """Make the database and what it needs to answer every kind of question, and leave it open."""
        raise NotImplementedError

    def open(self) -> None:
        """Open the database again, in another process."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the database, as a process would that ends in order."""
        raise NotImplementedError

    def write(self, batch: Batch) -> None:
        """Insert rows. When it returns they are acknowledged."""
        raise NotImplementedError

    def force(self) -> None:
        """Put on the disk what was acknowledged, unless :attr:`forces_by_itself`."""

    def finish(self) -> None:
        """Build what searches need, and return when it is there."""

    def search(self, vector: NDArray[Any], limit: int, where: Where | None = None, *, exact: bool = False) -> list[int]:
        """The nearest rows by inner product, through a graph unless ``exact``."""
        raise NotImplementedError

    def search_with_fields(self, vector: NDArray[Any], limit: int) -> list[int]:
        """The same, and every hit with its tag, score, time and text."""
        raise NotImplementedError

    def keywords(self, words: list[str], limit: int) -> list[int]:
        """The rows whose texts any of the words fit best."""
        raise NotImplementedError

    def sort(self, field: str, limit: int, *, descending: bool) -> list[int]:
        """The rows with the largest or smallest values."""
        raise NotImplementedError

    def count(self, where: Where) -> int:
        """How many rows a filter admits."""
        raise NotImplementedError

    def count_by_tag(self) -> Mapping[str, int]:
        """How many rows each tag has."""
        raise NotImplementedError
