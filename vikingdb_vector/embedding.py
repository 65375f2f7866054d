"""EmbeddingClient: vectors from text, image and video."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vikingdb_core.request_options import RequestOptions
from vikingdb_core.resource import AsyncResource, Resource, awaitable

from . import models as m
from . import operations as ops


class EmbeddingClient(Resource):
    """A handle on the embedding API."""

    def embedding(
        self, request: m.EmbeddingRequest | Mapping[str, Any], *, request_options: RequestOptions | None = None
    ) -> m.EmbeddingResponse:
        """Embed up to 10 inputs.

        Args:
            request: ``data``, and at least one of ``dense_model``, ``sparse_model``, ``tensor_model``.
            request_options: overrides for this call alone.

        Returns:
            ``result.data`` in the order of the inputs: ``dense`` of the model's dimension, ``sparse`` token to
            weight, ``tensor`` tokens by dimension, each when its model was asked for.

        Wire: ``POST /api/vikingdb/embedding``.
        """
        return self._call(ops.EMBEDDING, request, request_options)


class AsyncEmbeddingClient(AsyncResource):
    """The same method, awaited; see :class:`EmbeddingClient`."""

    embedding = awaitable(EmbeddingClient.embedding)
