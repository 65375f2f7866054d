"""Sparse vectors of all rows, as lists of rows by token, so that an inner product visits only the query's tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .columns import Parts
from .termlists import TermLists, TermListsView


class SparseVectors:
    """One writer appends; readers look through a view."""

    def __init__(self, size: int, parts: Parts) -> None:
        self._size = size
        self._lists = TermLists(np.float32, parts)

    def append(self, vector: Mapping[str, float]) -> None:
        self._lists.add(self._size, vector)
        self._size += 1

    def view(self) -> SparseView:
        return SparseView(self._size, self._lists.view(self._size))


@dataclass(frozen=True)
class SparseView:
    """The sparse vectors of the rows there were."""

    size: int
    lists: TermListsView

    def products(self, query: Mapping[str, float]) -> NDArray[np.float64]:
        """The inner product of every row with a vector; 0 where they share no token."""
        products = np.zeros(self.size)
        for token, weight in query.items():
            rows, weights = self.lists.of(token)
            products[rows] += weight * weights.astype(np.float64)
        return products

    def parts(self) -> Parts:
        return self.lists.parts()
