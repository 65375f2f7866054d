"""Embedder: what turns text into vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Embedder(Protocol):
    """Text to vectors of length 1. Safe to use from many threads.

    Attributes:
        id: names what the vectors depend on. Vectors of two ids cannot be compared, so a collection remembers its own.
        dim: how many numbers a vector has.
    """

    @property
    def id(self) -> str: ...

    @property
    def dim(self) -> int: ...

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row for each text."""

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """One vector."""


def normalised(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of length 1; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return scaled


def padded(vectors: NDArray[np.float32], dim: int) -> NDArray[np.float32]:
    """Vectors of a larger dimension: zeros at the end change neither lengths nor angles."""
    missing = dim - vectors.shape[-1]
    return np.pad(vectors, [(0, 0)] * (vectors.ndim - 1) + [(0, missing)]) if missing else vectors
