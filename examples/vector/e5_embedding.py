"""E5, embedding: text to dense vectors, which compare meaning, and sparse ones, which compare words.

python examples/vector/e5_embedding.py
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from guide import Setting, start

from vikingdb.vector import EmbeddingData, EmbeddingModelOpt, EmbeddingRequest, InvalidParameter, VikingDB

TEXTS = (
    "the rings of Saturn are made of ice and rock",
    "Saturn has wide rings of ice",
    "bread is baked of flour and water",
)


class Embedded(NamedTuple):
    dims: list[int]
    alike: float
    unlike: float
    shared_terms: set[str]
    total_tokens: int
    refusal: str


def run(setting: Setting) -> Embedded:
    with VikingDB(**setting.options) as client:
        embedding = client.embedding()
        model = EmbeddingModelOpt(name="bge-m3")  # one model makes both kinds, in one call
        inputs = [EmbeddingData(text=text) for text in TEXTS]
        result = embedding.embedding(EmbeddingRequest(data=inputs, dense_model=model, sparse_model=model)).result
        first, second, third = result.data
        dims = [len(made.dense or []) for made in result.data]
        alike, unlike = cosine(first.dense, second.dense), cosine(first.dense, third.dense)
        print(f"Dense: {dims[0]} numbers each; similarity {alike:.3f} of two that are alike, {unlike:.3f} of others")

        weights = first.sparse or {}
        heaviest = sorted(weights, key=lambda term: -weights[term])[:5]
        print(f"Sparse: {len(weights)} terms, such as {', '.join(f'{term} {weights[term]:.2f}' for term in heaviest)}")
        tokens = sum(usage.get("total_tokens", 0) for usage in result.token_usage.values())
        print(f"It used {tokens} tokens")

        refusal = ""
        try:
            embedding.embedding(EmbeddingRequest(data=inputs, dense_model=EmbeddingModelOpt(name="bge-m4")))
        except InvalidParameter as error:
            refusal = error.message
            print(f"A model that does not exist is refused: {refusal}")
        return Embedded(dims, alike, unlike, set(weights) & set(second.sparse or {}), tokens, refusal)


def cosine(one: Sequence[float] | None, other: Sequence[float] | None) -> float:
    """The cosine of the angle between two vectors."""

    def product(left: Sequence[float], right: Sequence[float]) -> float:
        return sum(a * b for a, b in zip(left, right, strict=True))

    one, other = one or [], other or []
    return product(one, other) / math.sqrt(product(one, one) * product(other, other))


def main() -> None:
    start(run)


if __name__ == "__main__":
    main()
