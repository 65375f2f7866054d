"""Rerank: documents scored against a query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vikingdb_vector import models as m

from ..embedding.relevance import check_model, score_texts, usage
from ..errors import invalid, missing
from ..session import Call, Session
from .answering import as_score
from .embedding import join_texts

MAX_DOCUMENTS = 200


def rerank(session: Session, call: Call[m.RerankRequest]) -> Any:
    """Positions of the documents in the request, best first, equal ones in their order."""
    request = call.request
    name = check_model(request.model_name, "model_name")
    if not 1 <= len(request.data) <= MAX_DOCUMENTS:
        raise invalid(f"data has {len(request.data)} documents; a call takes 1 to {MAX_DOCUMENTS}")
    query = _text_of(request.query, "query")
    texts = [_text_of(document, f"data[{position}]") for position, document in enumerate(request.data)]
    scores = score_texts(session.embedder, query, texts)
    order = sorted(range(len(texts)), key=lambda position: -scores[position])
    data = [{"id": position, "score": as_score(scores[position])} for position in order]
    if request.return_origin_data:
        data = [{**item, "origin_data": [part.to_wire() for part in request.data[item["id"]]]} for item in data]
    return {"data": data, "token_usage": usage(name, request.model_version, query, texts)}


def _text_of(parts: Sequence[m.FullModalData], where: str) -> str:
    if not parts:
        raise missing(f"{where} is empty; give one part or more")
    return join_texts(parts, where)
