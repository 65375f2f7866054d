"""Growing: a numpy array that only ever gets longer.

One writer appends. Readers hold a view of the elements there were; an append never moves or changes those.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_FIRST_CAPACITY = 64


class Growing:
    """An array of scalars, or with ``width`` of rows. Its capacity doubles as it fills."""

    def __init__(self, dtype: DTypeLike, width: int | None = None) -> None:
        self._tail = () if width is None else (width,)
        self._data: NDArray[Any] = np.empty((_FIRST_CAPACITY, *self._tail), dtype)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def append(self, value: Any) -> None:
        self._reserve(1)
        self._data[self._size] = value
        self._size += 1

    def extend(self, values: Sequence[Any]) -> None:
        self._reserve(len(values))
        self._data[self._size : self._size + len(values)] = values
        self._size += len(values)

    def put(self, position: int, value: Any) -> None:
        """Overwrite an element. Readers may see the old value or the new."""
        self._data[position] = value

    def view(self) -> NDArray[Any]:
        """The elements there are now."""
        return self._data[: self._size]

    def _reserve(self, more: int) -> None:
        needed = self._size + more
        if needed > len(self._data):
            larger = np.empty((max(needed, 2 * len(self._data)), *self._tail), self._data.dtype)
            larger[: self._size] = self._data[: self._size]
            self._data = larger
