"""IndexClient: search, fetch and count in one index."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vikingdb_core.request_options import RequestOptions
from vikingdb_core.resource import AsyncResource, Resource, awaitable

from . import models as m
from . import operations as ops

if TYPE_CHECKING:
    from vikingdb_core.client import AsyncBaseClient, BaseClient


class IndexClient(Resource):
    """A handle on one index. Making one does no I/O and does not check that it exists.

    Every search returns hits best first, 10 unless ``limit`` says otherwise, and raises ``IndexNotFound``,
    ``CollectionNotFound`` or ``InvalidParameter``. Filters are built with ``F`` or given as the wire's JSON.
    """

    def __init__(self, service: BaseClient, meta: m.IndexMeta) -> None:
        super().__init__(service, meta.to_wire())

    def fetch(
        self, request: m.FetchDataInIndexRequest | Mapping[str, Any], *, request_options: RequestOptions | None = None
    ) -> m.FetchDataInIndexResponse:
        """Read rows as the index holds them: scalar fields and vectors. May lag behind the collection.

        Args:
            request: up to 100 ``ids``.
            request_options: overrides for this call alone.

        Wire: ``POST /api/vikingdb/data/fetch_in_index``.
        """
        return self._call(ops.FETCH_IN_INDEX, request, request_options)

    def search_by_vector(
        self, request: m.SearchByVectorRequest | Mapping[str, Any], *, request_options: RequestOptions | None = None
    ) -> m.SearchResponse:
        """Nearest rows to a vector.

        Args:
            request: ``dense_vector`` of the index's dimension; ``sparse_vector`` too on a hybrid index.
            request_options: overrides for this call alone.

        Wire: ``POST /api/vikingdb/data/search/vector``.
        """
        return self._call(ops.SEARCH_BY_VECTOR, request, request_options)

    def search_by_multi_modal(
        self, request: m.SearchByMultiModalRequest | Mapping[str, Any], *, request_options: RequestOptions | None = None
    ) -> m.SearchResponse:
        """Nearest rows to text, image or video, embedded by the collection's own model.

        Args:
            request: at least one of ``text``, ``image``, ``video``. The collection must vectorise.
            request_options: overrides for this call alone.

        Wire: ``POST /api/vikingdb/data/search/multi_modal``.
        """
        return self._call(ops.SEARCH_BY_MULTI_MODAL, request, request_options)

    def search_by_id(
        self, request: m.SearchByIDRequest | Mapping[str, Any], *, request_options: RequestOptions | None = None
    ) -> m.SearchResponse:
        """Nearest rows to a row of the index, itself among them.

        Args:
            request: the row's ``id``.
            request_options: overrides for this call alone.

        Raises:
            DataNotFound: the index has no such row.

        Wire: ``POST /api/vikingdb/data/search/id``.
        """
        return self._call(ops.SEARCH_BY_ID, request, request_options)

    def search_by_scalar(
        self, request: m.SearchByScalarRequest | Mapping[str, Any], *, request_options: RequestOptions | None = None
    ) -> m.SearchResponse:
        """Rows ordered by a number, largest first unless ``order="asc"``.

        Args:
            request: ``field``, an int64 or float32 with a scalar index.
            request_options: overrides for this call alone.

        Wire: ``POST /api/vikingdb/data/search/scalar``.
        """
        return self._call(ops.SEARCH_BY_SCALAR, request, request_options)

    def search_by_keywords(
        self, request: m.SearchByKeywordsRequest | Mapping[str, Any], *, request_options: RequestOptions | None = None
    ) -> m.SearchResponse:
        """Rows that contain words.

        Args:
            request: ``keywords`` or ``query``. The collection needs full text or vectorised text.
            request_options: overrides for this call alone.

        Wire: ``POST /api/vikingdb/data/search/keywords``.
        """
        return self._call(ops.SEARCH_BY_KEYWORDS, request, request_options)

    def search_by_random(
        self,
        request: m.SearchByRandomRequest | Mapping[str, Any] | None = None,
        *,
        request_options: RequestOptions | None = None,
    ) -> m.SearchResponse:
        """Rows drawn by chance, without replacement.

        Args:
            request: ``limit``, ``filter`` and the like; nothing is needed.
            request_options: overrides for this call alone.

        Wire: ``POST /api/vikingdb/data/search/random``.
        """
        return self._call(ops.SEARCH_BY_RANDOM, request, request_options)

    def aggregate(
        self, request: m.AggRequest | Mapping[str, Any], *, request_options: RequestOptions | None = None
    ) -> m.AggResponse:
        """Count rows, in all or by the values of a field.

        Args:
            request: ``op="count"``, and ``field`` to group by.
            request_options: overrides for this call alone.

        Returns:
            ``result.total`` and ``result.groups``; ``result.agg`` is as the service sent it.

        Wire: ``POST /api/vikingdb/data/agg``.
        """
        return self._call(ops.AGGREGATE, request, request_options)

    def sort(
        self, request: m.SortRequest | Mapping[str, Any], *, request_options: RequestOptions | None = None
    ) -> m.SortResponse:
        """Order given rows by their similarity to a vector.

        Experimental: only the official Java SDK has it, and no page documents it.

        Args:
            request: ``ids`` and ``query_vector``.
            request_options: overrides for this call alone.

        Wire: ``POST /api/vikingdb/data/sort``.
        """
        return self._call(ops.SORT, request, request_options)


class AsyncIndexClient(AsyncResource):
    """The same methods, awaited; see :class:`IndexClient`."""

    def __init__(self, service: AsyncBaseClient, meta: m.IndexMeta) -> None:
        super().__init__(service, meta.to_wire())

    fetch = awaitable(IndexClient.fetch)
    search_by_vector = awaitable(IndexClient.search_by_vector)
    search_by_multi_modal = awaitable(IndexClient.search_by_multi_modal)
    search_by_id = awaitable(IndexClient.search_by_id)
    search_by_scalar = awaitable(IndexClient.search_by_scalar)
    search_by_keywords = awaitable(IndexClient.search_by_keywords)
    search_by_random = awaitable(IndexClient.search_by_random)
    aggregate = awaitable(IndexClient.aggregate)
    sort = awaitable(IndexClient.sort)
