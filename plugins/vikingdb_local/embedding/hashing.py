"""Hashing embedder ``hash-v1``: words in common, and nothing more.

For tests and for machines that cannot have a model. It needs nothing installed, starts at once, and gives the same
vector on every platform, but knows no meaning: "car" and "automobile" have nothing in common. Only used when asked for
by name.

Every word, every three neighbouring characters of a word, and every CJK character and pair of neighbours is hashed
(BLAKE2b) to one of 512 places and a sign; the vector is the weighted sum, scaled to length 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from ..words import runs
from .base import normalised

_WHOLE, _PART = 1.0, 0.25


class HashingEmbedder:
    """The embedder."""

    id = "hash-v1"
    dim = 512

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.zeros((len(texts), self.dim), np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            for feature, weight in _features(text):
                place, sign = _place(feature)
                vector[place] += sign * weight
        return normalised(vectors)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        vector: NDArray[np.float32] = self.embed_documents([text])[0]
        return vector


def _features(text: str) -> Iterator[tuple[str, float]]:
    nothing = True
    for run, is_cjk in runs(text):
        nothing = False
        if is_cjk:
            yield from ((character, _PART) for character in run)
            yield from ((run[start : start + 2], _WHOLE) for start in range(len(run) - 1))
        else:
            yield run, _WHOLE
            framed = f"^{run}$"
            yield from ((framed[start : start + 3], _PART) for start in range(len(framed) - 2))
    if nothing:  # punctuation only, which still must have some direction
        yield f"\0{text}", _WHOLE


@lru_cache(maxsize=65536)
def _place(feature: str) -> tuple[int, float]:
    number = int.from_bytes(blake2b(feature.encode(), digest_size=8).digest(), "little")
    return number % HashingEmbedder.dim, 1.0 if number >> 63 else -1.0
