"""Formats: how rows stand in files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from .jsonlines import JsonLines
from .parquet import Parquet
from .schema import Field

Given = tuple[str, Any]
"""A row of a file: where it stands, and what it says; a ``ValueError`` where it cannot be read."""


class Writer(Protocol):
    """Adds rows to a file."""

    def write(self, rows: Sequence[Mapping[str, Any]]) -> None: ...

    def close(self) -> None:
        """Write what stands at the end. The file stays open."""


class Format(Protocol):
    """A format of files of rows. A row may lack a field.

    Attributes:
        suffixes: of the names of its files, the usual one first.
    """

    @property
    def suffixes(self) -> tuple[str, ...]: ...

    def require(self) -> None:
        """Make sure that files can be read and written.

        Raises:
            ServiceError: what that needs is not installed.
        """

    def count(self, path: Path) -> int:
        """How many rows a file has."""

    def read(self, path: Path, most: int) -> Iterator[list[Given]]:
        """The rows of a file in order, so many at a time. Vectors may be arrays.

        Raises:
            ServiceError: the file is none of the format.
        """

    def writer(self, file: BinaryIO, fields: Sequence[Field]) -> Writer:
        """To write rows with these fields."""


FORMATS: Mapping[str, Format] = {"json": JsonLines(), "parquet": Parquet()}
"""By ``FileType``."""
