"""Sparse vectors: terms and their weights, for models that offer sparse embeddings.

Lexical: the terms are those of ``words``, the weight is ``1 + ln(count)``, scaled to length 1. A stand-in for the
models' learned weights; it has no notion of which words matter.
"""

from __future__ import annotations

import math
from collections import Counter

from ..words import indexed_terms


def embed_sparse(text: str) -> dict[str, float]:
    """Weights by term."""
    weights = {term: 1 + math.log(count) for term, count in Counter(indexed_terms(text)).items()}
    length = math.hypot(*weights.values())
    return {term: weight / length for term, weight in weights.items()}
