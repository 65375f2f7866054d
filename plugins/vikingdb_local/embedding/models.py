"""Models: which of the service's embedding models there are, and what each offers.

Whatever the name, the local engine embeds with its own embedder, padded with zeros to the model's dimension. Vectors
made here cannot be compared with the service's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vikingdb_core.hints import suggest

from ..errors import invalid, missing, shown
from ..words import count_tokens
from .base import Embedder, padded


@dataclass(frozen=True)
class Offer:
    """A model of the service.

    Attributes:
        dims: dense dimensions, the default first.
        versions: those known; empty when any may be named, ``("default",)`` when none needs to be.
        sparse: versions that make sparse vectors.
        takes_instruction: whether text put before the query means something to it.
    """

    dims: tuple[int, ...]
    versions: tuple[str, ...] = ("default",)
    sparse: tuple[str, ...] = ()
    takes_instruction: bool = False


OFFERS: Mapping[str, Offer] = {
    "bge-large-zh": Offer((1024,), takes_instruction=True),
    "bge-m3": Offer((1024,), sparse=("default",)),
    "bge-visualized-m3": Offer((1024,)),
    "doubao-embedding": Offer((2048, 512, 1024), ("240715",), takes_instruction=True),
    "doubao-embedding-large": Offer((2048, 512, 1024, 4096), ("240915",), takes_instruction=True),
    "doubao-embedding-vision": Offer(
        (2048, 1024), ("241215", "250328", "250615", "251215"), sparse=("250615", "251215"), takes_instruction=True
    ),
    "skylark-embedding-vision": Offer((2048,), (), takes_instruction=True),
}


@dataclass(frozen=True)
class Model:
    """A model as a request chose it."""

    name: str
    version: str
    dim: int

    @property
    def usage_key(self) -> str:
        """Its name in ``token_usage``."""
        return f"{self.name}__{self.version}"

    @property
    def takes_instruction(self) -> bool:
        return OFFERS[self.name].takes_instruction


def choose(name: str | None, version: str | None, dim: int | None, where: str) -> Model:
    """The model a request names."""
    if not name:
        raise missing(f"{where} names no model; it is one of: {', '.join(OFFERS)}")
    offer = OFFERS.get(name)
    if offer is None:
        raise invalid(
            f"{where}: there is no model {shown(name)}; it is one of: {', '.join(OFFERS)}.{suggest(name, OFFERS)}"
        )
    if offer.versions == ("default",):
        version = version or "default"
    elif not version:
        raise missing(f"{where}: {name} needs a version{_known(offer.versions)}")
    if offer.versions and version not in offer.versions:
        raise invalid(f"{where}: {name} has no version {shown(version)}{_known(offer.versions)}")
    if dim is not None and dim not in offer.dims:
        raise invalid(f"{where}: {name} makes vectors of {', '.join(map(str, offer.dims))} numbers, not {dim}")
    return Model(name, version, dim if dim is not None else offer.dims[0])


def require_sparse(model: Model, where: str) -> None:
    """Refuse a model that makes no sparse vectors."""
    if model.version not in OFFERS[model.name].sparse:
        able = [f"{name} {version}" for name, offer in OFFERS.items() for version in offer.sparse]
        raise invalid(f"{where}: {model.name} {model.version} makes no sparse vectors; these do: {', '.join(able)}")


def embed_documents(embedder: Embedder, model: Model, texts: Sequence[str]) -> NDArray[np.float32]:
    """One row of the model's dimension for each text."""
    return padded(embedder.embed_documents(texts), model.dim)


def embed_query(embedder: Embedder, model: Model, text: str) -> NDArray[np.float32]:
    """A vector of the model's dimension."""
    return padded(embedder.embed_query(text), model.dim)


def token_usage(models: Sequence[Model], texts: Sequence[str]) -> dict[str, dict[str, int]]:
    """What embedding the texts would cost: words and CJK characters, about what a tokenizer would count."""
    tokens = sum(map(count_tokens, texts))
    usage = {"prompt_tokens": tokens, "completion_tokens": 0, "image_tokens": 0, "total_tokens": tokens}
    return {model.usage_key: dict(usage) for model in models}


def _known(versions: tuple[str, ...]) -> str:
    return f"; known: {', '.join(versions)}" if versions else ", such as 251215"
