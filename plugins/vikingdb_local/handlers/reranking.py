"""Reranking: the best rows of a search scored again, by their text or by their tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vikingdb_vector import models as m

from ..embedding.relevance import check_model, score_texts, usage
from ..engine.scoring import late_interaction
from ..engine.values import read_tensor
from ..errors import invalid, missing, not_implemented, shown
from ..session import Session
from .answering import Rank, Search, answer_again, candidates

MAX_RERANKED = 100
DEFAULT_TENSOR_INPUT, MAX_TENSOR_INPUT = 100, 1000
_LEAST_SCORE = -float(np.finfo(np.float32).max)


def by_text(
    session: Session,
    search: Search,
    rank: Rank,
    used: Mapping[str, Any],
    text: str,
    given: m.ModelRerank,
) -> dict[str, Any]:
    """The nearest rows, scored again by their text. The local scorer does not fail and takes no time to speak of."""
    name = check_model(given.model_name, "rerank.model_name")
    if not given.model_version:
        raise missing("rerank.model_version is missing, such as 251028")
    most = search.most if given.input_limit is None else given.input_limit
    if not search.limit <= most <= MAX_RERANKED:
        usual = " (limit and offset together, unless it is given)" if given.input_limit is None else ""
        raise invalid(f"rerank.input_limit is {most}{usual}; it must be from limit ({search.limit}) to {MAX_RERANKED}")
    if given.fail_strategy not in (None, "fallback", "fail_fast"):
        raise invalid(f"rerank.fail_strategy {shown(given.fail_strategy)} is neither fallback nor fail_fast")
    if given.timeout_ms is not None and given.timeout_ms < 1:
        raise invalid(f"rerank.timeout_ms is {given.timeout_ms}; it must be above 0")
    found = candidates(search, rank, most)
    texts = [document[search.text_field] for document in found.documents]
    answered = answer_again(search, found, score_texts(session.embedder, text, texts), least=given.score_threshold or 0)
    return {**answered, "token_usage": {**used, **usage(name, given.model_version, text, texts)}}


def by_tensor(search: Search, rank: Rank, given: m.TensorRerank) -> dict[str, Any]:
    """The best rows, scored again by late interaction: for every token of the query its best match, summed."""
    tensor = search.recall.collection.schema.tensor
    if tensor is None:
        raise invalid("tensor_rerank needs a collection with a tensor field; leave it out")
    if given.tensor is None:
        raise missing("tensor_rerank.tensor is missing: the query's rows of numbers")
    if given.max_similarity_algo is not None:
        raise not_implemented("tensor_rerank.max_similarity_algo", "leave it out: the best matches are summed")
    usual = min(MAX_TENSOR_INPUT, max(DEFAULT_TENSOR_INPUT, search.most))
    most = usual if given.input_limit is None else given.input_limit
    if not 1 <= most <= MAX_TENSOR_INPUT:
        raise invalid(f"tensor_rerank.input_limit is {most}; it must be from 1 to {MAX_TENSOR_INPUT}")
    query = read_tensor(given.tensor, tensor.shape[1], "tensor_rerank.tensor")
    found = candidates(search, rank, most)
    scores = [late_interaction(query, document.get(tensor.name)) for document in found.documents]
    return answer_again(search, found, scores, least=_LEAST_SCORE)
