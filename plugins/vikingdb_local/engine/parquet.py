"""Parquet: files of columns, by pyarrow, which the extra ``parquet`` installs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from vikingdb_vector.models import FieldType

from ..errors import invalid, not_implemented
from .schema import Field


class Parquet:
    """Parquet files. A row without a field has a null there, so ``null`` is read as none."""

    suffixes = (".parquet",)

    def require(self) -> None:
        require_pyarrow()

    def count(self, path: Path) -> int:
        with _open(path) as file:
            return int(file.metadata.num_rows)

    def read(self, path: Path, most: int) -> Iterator[list[tuple[str, Any]]]:
        number = 0
        with _open(path) as file:
            batches = file.iter_batches(batch_size=most)
            while (batch := _next(batches, path)) is not None:
                names = batch.schema.names
                columns = [_values(column) for column in batch.columns]
                some = []
                for values in zip(*columns, strict=True):
                    number += 1
                    row = {name: value for name, value in zip(names, values, strict=True) if value is not None}
                    some.append((f"{path.name} row {number}", row))
                yield some

    def writer(self, file: BinaryIO, fields: Sequence[Field]) -> ColumnWriter:
        return ColumnWriter(file, fields)


class ColumnWriter:
    """Writes a row group for every batch of rows."""

    def __init__(self, file: BinaryIO, fields: Sequence[Field]) -> None:
        pa = require_pyarrow()
        from pyarrow import parquet

        self._fields = fields
        self._schema = pa.schema([pa.field(field.name, _kind(pa, field)) for field in fields])
        self._writer = parquet.ParquetWriter(file, self._schema)

    def write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        pa = require_pyarrow()
        columns = []
        for field, kind in zip(self._fields, self._schema.types, strict=True):
            values = [row.get(field.name) for row in rows]
            if field.type is FieldType.VECTOR:
                flat = np.concatenate([np.empty(0, np.float32), *values])
                columns.append(pa.FixedSizeListArray.from_arrays(pa.array(flat), field.dim))
            else:
                columns.append(pa.array(values, kind))
        self._writer.write_batch(pa.record_batch(columns, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


def require_pyarrow() -> Any:
    """The library, where it is installed.

    Raises:
        ServiceError: it is not.
    """
    try:
        import pyarrow
    except ImportError as error:
        raise not_implemented(
            "Parquet files without pyarrow",
            "install it with pip install 'vikingdb-local[parquet]', or use FileType json",
        ) from error
    return pyarrow


def _kind(pa: Any, field: Field) -> Any:
    if field.type is FieldType.VECTOR:
        return pa.list_(pa.float32(), field.dim)
    kinds = {
        FieldType.INT64: pa.int64(),
        FieldType.FLOAT32: pa.float32(),
        FieldType.BOOL: pa.bool_(),
        FieldType.LIST_INT64: pa.list_(pa.int64()),
        FieldType.LIST_STRING: pa.list_(pa.string()),
        FieldType.LIST_GEO_POINT: pa.list_(pa.string()),
        FieldType.SPARSE_VECTOR: pa.map_(pa.string(), pa.float32()),
        FieldType.TENSOR: pa.list_(pa.list_(pa.float32())),
        FieldType.VIDEO: pa.struct([("value", pa.string()), ("fps", pa.float64())]),
    }
    return kinds.get(field.type, pa.string())


def _open(path: Path) -> Any:
    pa = require_pyarrow()
    from pyarrow import parquet

    try:
        return parquet.ParquetFile(path)
    except pa.ArrowException as error:
        raise invalid(f"{path.name} is no Parquet file: {error}") from error


def _next(batches: Iterator[Any], path: Path) -> Any:
    try:
        return next(batches, None)
    except (require_pyarrow().ArrowException, OSError) as error:
        raise invalid(f"{path.name} cannot be read as a Parquet file: {error}") from error


def _values(column: Any) -> Sequence[Any]:
    """A value for every row, ``None`` where there is none; lists of floats as arrays."""
    kinds, kind = require_pyarrow().types, column.type
    if kinds.is_map(kind):
        return [None if pairs is None else dict(pairs) for pairs in column.to_pylist()]
    is_list = kinds.is_list(kind) or kinds.is_large_list(kind) or kinds.is_fixed_size_list(kind)
    if not is_list or not kinds.is_floating(kind.value_type):
        values: list[Any] = column.to_pylist()
        return values
    from pyarrow import compute

    numbers = column.flatten().to_numpy(zero_copy_only=False)  # without those of rows that have none
    arrays, start = [], 0
    for length in compute.list_value_length(column).to_pylist():
        arrays.append(None if length is None else numbers[start : start + length])
        start += length or 0
    return arrays
