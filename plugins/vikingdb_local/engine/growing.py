"""Growing: numpy arrays that only ever get longer.

One writer appends. Readers hold a view of the elements there were; an append never moves or changes those.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .inner import inner_products
from .sharing import HELPERS

_FIRST_CAPACITY = 64
_BLOCK_BYTES = 16 << 20
_PART_BYTES = 4 << 20
"""What a thread multiplies at a time, of a whole matrix."""
_NEAR_BYTES = 256 << 10
"""What is copied at a time to be multiplied: little enough to be in the processor's cache still."""


class Growing:
    """An array of scalars. Its capacity doubles as it fills; ``start`` has the elements it begins with."""

    def __init__(self, dtype: DTypeLike, start: NDArray[Any] | None = None) -> None:
        self._size = 0 if start is None else len(start)
        self._data: NDArray[Any] = np.empty(max(_FIRST_CAPACITY, self._size), dtype)
        if start is not None:
            self._data[: self._size] = start

    def __len__(self) -> int:
        return self._size

    def append(self, value: Any) -> None:
        self._reserve(1)
        self._data[self._size] = value
        self._size += 1

    def extend(self, values: Sequence[Any] | NDArray[Any]) -> None:
        self._reserve(len(values))
        self._data[self._size : self._size + len(values)] = values
        self._size += len(values)

    def put(self, position: int, value: Any) -> None:
        """Overwrite an element. Readers may see the old value or the new."""
        self._data[position] = value

    def at(self, position: int) -> Any:
        return self._data[position]

    def view(self) -> NDArray[Any]:
        """The elements there are now."""
        return self._data[: self._size]

    def _reserve(self, more: int) -> None:
        needed = self._size + more
        if needed > len(self._data):
            larger = np.empty(max(needed, 2 * len(self._data)), self._data.dtype)
            larger[: self._size] = self._data[: self._size]
            self._data = larger


@dataclass(frozen=True)
class Matrix:
    """The rows of a growing matrix at one moment, in blocks one behind the other."""

    blocks: tuple[NDArray[np.float32], ...]
    width: int

    def __len__(self) -> int:
        return sum(map(len, self.blocks))

    def product(self, vector: NDArray[np.float32], positions: NDArray[np.intp] | None = None) -> NDArray[np.float32]:
        """The inner product with a vector of every row, or of those at positions that ascend."""
        if positions is not None:
            return self._product_of(positions, vector)
        products = np.empty(len(self), np.float32)
        HELPERS.share(lambda part: inner_products(part[0], vector, part[1]), self._parts(products))
        return products

    def rows(self, positions: NDArray[np.intp]) -> NDArray[np.float32]:
        """Copies of rows; their positions ascend."""
        found = np.empty((len(positions), self.width), np.float32)
        for block, places, part in self._within_blocks(positions):
            block.take(places, axis=0, out=found[part], mode="clip")
        return found

    def _parts(self, products: NDArray[np.float32]) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """The rows, so many at a time that it is worth having a thread of its own, each part with its products."""
        step = max(16, _PART_BYTES // max(4, 4 * self.width))
        done = 0
        for block in self.blocks:
            for start in range(0, len(block), step):
                part = block[start : start + step]
                yield part, products[done : done + len(part)]
                done += len(part)

    def _product_of(self, positions: NDArray[np.intp], vector: NDArray[np.float32]) -> NDArray[np.float32]:
        products = np.empty(len(positions), np.float32)
        step = max(16, _NEAR_BYTES // max(4, 4 * self.width))
        near = np.empty((min(step, len(positions)), self.width), np.float32)
        for block, places, part in self._within_blocks(positions):
            for start in range(0, len(places), step):
                some = places[start : start + step]
                rows = block.take(some, axis=0, out=near[: len(some)], mode="clip")
                inner_products(rows, vector, products[part][start : start + len(some)])
        return products

    def _within_blocks(
        self, positions: NDArray[np.intp]
    ) -> Iterator[tuple[NDArray[np.float32], NDArray[np.intp], slice]]:
        """Every block that has some of the positions, where they are in it, and which of them these are."""
        start = first = 0
        for block in self.blocks:
            last = int(positions.searchsorted(start + len(block)))
            if last > first:
                yield block, positions[first:last] - start, slice(first, last)
            start, first = start + len(block), last

    def row(self, position: int) -> NDArray[np.float32]:
        """A copy of one row."""
        found: NDArray[np.float32] = self.rows(np.array([position]))[0]
        return found


class GrowingMatrix:
    """A float32 matrix that gets longer by blocks, so that growing never copies what is there.

    Args:
        width: numbers in a row; 0 for a matrix of rows without any.
        start: the rows it begins with, perhaps mapped from a file.
    """

    def __init__(self, width: int, start: NDArray[np.float32] | None = None) -> None:
        self._width = width
        self._full: list[NDArray[np.float32]] = [] if start is None or not len(start) else [start]
        self._capacity = max(64, _BLOCK_BYTES // max(4, 4 * width))
        self._last: NDArray[np.float32] = np.empty((0, width), np.float32)
        self._used = 0

    def append(self, row: NDArray[np.float32]) -> None:
        if self._used == len(self._last):
            if self._used:
                self._full.append(self._last)
            self._last, self._used = np.empty((self._capacity, self._width), np.float32), 0
        self._last[self._used] = row
        self._used += 1

    def view(self) -> Matrix:
        """The rows there are now."""
        return Matrix((*self._full, self._last[: self._used]), self._width)
