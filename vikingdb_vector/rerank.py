"""RerankClient: documents scored against a query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vikingdb_core.request_options import RequestOptions
from vikingdb_core.resource import AsyncResource, Resource, awaitable

from . import models as m
from . import operations as ops


class RerankClient(Resource):
    """A handle on the rerank API."""

    def rerank(
        self, request: m.RerankRequest | Mapping[str, Any], *, request_options: RequestOptions | None = None
    ) -> m.RerankResponse:
        """Score documents against a query.

        Args:
            request: ``model_name``, ``query`` and ``data``, each a list of pieces such as ``{"text": …}``.
            request_options: overrides for this call alone.

        Returns:
            ``result.data``: ``id`` is the document's position in the request, ``score`` larger is better.

        Wire: ``POST /api/vikingdb/rerank``.
        """
        return self._call(ops.RERANK, request, request_options)


class AsyncRerankClient(AsyncResource):
    """The same method, awaited; see :class:`RerankClient`."""

    rerank = awaitable(RerankClient.rerank)
