"""Inner: inner products, each call in the thread that makes it; large ones are shared by :mod:`.sharing`.

A product by BLAS is shared out among threads of its own, which wait for each other by spinning. Two searches at once
then take many times as long as one after the other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def inner_products(rows: NDArray[Any], vector: NDArray[Any], out: NDArray[Any] | None = None) -> NDArray[Any]:
    """The inner product of every row with a vector, or with the row of another matrix."""
    products: NDArray[Any] = _row_by_row(rows, vector, out=out)
    return products


def _summed(rows: NDArray[Any], vector: NDArray[Any], out: NDArray[Any] | None) -> Any:
    return np.einsum("...j,...j->...", rows, vector, out=out)


_row_by_row: Any = getattr(np, "vecdot", _summed)  # as fast as BLAS on one thread; since numpy 2.0
