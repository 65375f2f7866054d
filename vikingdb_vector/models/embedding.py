"""Models of the embedding API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from vikingdb_core.models import RequestModel, ResponseModel

from .base import DataApiResponse


class EmbeddingInstruction(RequestModel):
    """Text the model is told before the input."""

    content: str | None = None


class EmbeddingModelOpt(RequestModel):
    """Which model, and what of it.

    Attributes:
        name: such as ``bge-m3``.
        version: needed by doubao and skylark models.
        dim: dense dimension, when the model offers several.
        ndim: of the tensor.
        shape: of the tensor.
        instruction: text the model is told first.
    """

    name: str | None = None
    version: str | None = None
    dim: int | None = None
    ndim: int | None = None
    shape: Sequence[int] | None = None
    instruction: EmbeddingInstruction | None = None


class FullModalData(RequestModel):
    """One piece of mixed input: text, image or video."""

    text: str | None = None
    image: Any = None
    video: Any = None


class EmbeddingData(FullModalData):
    """One input: text, image, video, a combination the model allows, or an ordered sequence of pieces."""

    full_modal_seq: Sequence[FullModalData] | None = None


class EmbeddingRequest(RequestModel):
    """Embed inputs. At least one of the three models.

    Attributes:
        data: up to 10 inputs.
        dense_model: for dense vectors.
        sparse_model: for sparse vectors.
        tensor_model: for tensors.
        project_name: whose quota it uses.
        max_retry_time: retries on the service's side.
    """

    data: Sequence[EmbeddingData]
    dense_model: EmbeddingModelOpt | None = None
    sparse_model: EmbeddingModelOpt | None = None
    tensor_model: EmbeddingModelOpt | None = None
    project_name: str | None = None
    max_retry_time: int | None = None


class Embedding(ResponseModel):
    """What the models made of one input."""

    dense: list[float] | None = None
    sparse: dict[str, float] | None = None
    tensor: list[list[float]] | None = None


class EmbeddingResult(ResponseModel):
    """Embeddings in the order of the inputs, and what they cost."""

    data: list[Embedding] = Field(default_factory=list)
    token_usage: dict[str, Any] = Field(default_factory=dict)


class EmbeddingResponse(DataApiResponse):
    result: EmbeddingResult
