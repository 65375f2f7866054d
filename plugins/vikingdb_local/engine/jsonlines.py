"""JSON lines: an object in every line. A file that is one array of objects is read too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from ..errors import invalid
from .schema import Field


class JsonLines:
    """Files of JSON lines."""

    suffixes = (".jsonl", ".json")

    def require(self) -> None:
        """Nothing is needed."""

    def count(self, path: Path) -> int:
        if _is_array(path):
            return len(_read_array(path))
        with path.open("rb") as file:
            return sum(not line.isspace() for line in file)

    def read(self, path: Path, most: int) -> Iterator[list[tuple[str, Any]]]:
        rows = _array_rows(path) if _is_array(path) else _line_rows(path)
        while some := list(islice(rows, most)):
            yield some

    def writer(self, file: BinaryIO, fields: Sequence[Field]) -> LineWriter:
        return LineWriter(file)


class LineWriter:
    """Writes a row into every line."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        # Of a float32 array the fewest digits are written that read back as the same float32.
        option = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE
        for row in rows:
            self._file.write(orjson.dumps(row, option=option))

    def close(self) -> None:
        pass


def _line_rows(path: Path) -> Iterator[tuple[str, Any]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.isspace():
                yield f"{path.name} line {number}", _parsed(line)


def _parsed(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except ValueError as error:
        return ValueError(f"is not JSON: {error}")


def _array_rows(path: Path) -> Iterator[tuple[str, Any]]:
    for number, row in enumerate(_read_array(path), 1):
        yield f"{path.name} item {number}", row


def _is_array(path: Path) -> bool:
    """A line that is an object does not begin with a bracket."""
    with path.open("rb") as file:
        return next((line for line in file if not line.isspace()), b"").lstrip().startswith(b"[")


def _read_array(path: Path) -> list[Any]:
    try:
        rows: list[Any] = orjson.loads(path.read_bytes())
    except ValueError as error:
        raise invalid(f"{path.name} begins like an array, but is not JSON: {error}") from error
    return rows
