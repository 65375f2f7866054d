"""Relevance: how well texts answer a query, in place of the service's rerank models.

Half of a score is the cosine of the embedded texts (below zero counts as zero), half the share of the query's words
that the text contains. So scores are from 0 to 1, and differ from those of a search by vectors alone. They cannot be
compared with the service's. An instruction has no effect.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vikingdb_core.hints import suggest

from ..engine.inner import inner_products
from ..errors import invalid, missing, shown
from ..words import count_tokens, indexed_terms, queried_terms
from .base import Embedder

MODELS = ("doubao-seed-rerank", "base-multilingual-rerank", "m3-v2-rerank")


def check_model(name: str | None, where: str) -> str:
    """A rerank model of the service by name."""
    if not name:
        raise missing(f"{where} is missing; it is one of: {', '.join(MODELS)}")
    if name not in MODELS:
        raise invalid(
            f"{where}: there is no model {shown(name)}; it is one of: {', '.join(MODELS)}.{suggest(name, MODELS)}"
        )
    return name


def score_texts(embedder: Embedder, query: str, texts: Sequence[str]) -> list[float]:
    """A score for each text, from 0 to 1."""
    if not texts:
        return []
    cosines = inner_products(embedder.embed_documents(texts), embedder.embed_query(query))
    wanted = set(queried_terms(query))
    shares = [len(wanted.intersection(indexed_terms(text))) / max(1, len(wanted)) for text in texts]
    scores: list[float] = (np.clip(cosines, 0, 1) / 2 + np.array(shares) / 2).tolist()
    return scores


def usage(name: str, version: str | None, query: str, texts: Sequence[str]) -> dict[str, dict[str, int]]:
    """What reranking the texts would cost: the query is read with every one of them."""
    tokens = count_tokens(query) * len(texts) + sum(map(count_tokens, texts))
    counts = {"prompt_tokens": tokens, "completion_tokens": 0, "image_tokens": 0, "total_tokens": tokens}
    return {f"{name}__{version or 'default'}": counts}
