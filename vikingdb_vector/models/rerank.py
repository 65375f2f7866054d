"""Models of the rerank API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from vikingdb_core.models import RequestModel, ResponseModel

from .base import DataApiResponse
from .embedding import FullModalData


class RerankRequest(RequestModel):
    """Score documents against a query.

    Attributes:
        model_name: such as ``doubao-seed-rerank``.
        model_version: such as ``251028``.
        data: documents, each a list of pieces.
        query: the query's pieces.
        instruction: what to judge by.
        return_origin_data: send the documents back.
        project_name: whose quota it uses.
        max_retry_time: retries on the service's side.
    """

    model_name: str | None
    data: Sequence[Sequence[FullModalData]]
    query: Sequence[FullModalData]
    model_version: str | None = None
    instruction: str | None = None
    return_origin_data: bool | None = None
    project_name: str | None = None
    max_retry_time: int | None = None


class Rerank(ResponseModel):
    """A document's score; ``id`` is its position in the request."""

    id: int | None = None
    score: float | None = None
    origin_data: list[dict[str, Any]] | None = None


class RerankResult(ResponseModel):
    """Scores, and what they cost."""

    data: list[Rerank] = Field(default_factory=list)
    token_usage: dict[str, Any] = Field(default_factory=dict)


class RerankResponse(DataApiResponse):
    result: RerankResult
