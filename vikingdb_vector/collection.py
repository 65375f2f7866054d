"""CollectionClient: the rows of one collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vikingdb_core.operation import Operation
from vikingdb_core.request_options import RequestOptions
from vikingdb_core.resource import AsyncResource, Resource, awaitable
from vikingdb_core.traits import Safety

from . import models as m
from . import operations as ops

if TYPE_CHECKING:
    from vikingdb_core.client import AsyncBaseClient, BaseClient


class CollectionClient(Resource):
    """A handle on one collection. Making one does no I/O and does not check that it exists."""

    def __init__(self, service: BaseClient, meta: m.CollectionMeta, *, primary_key: str | None = None) -> None:
        super().__init__(service, meta.to_wire())
        self._primary_key = primary_key

    def upsert(
        self, request: m.UpsertDataRequest | Mapping[str, Any], *, request_options: RequestOptions | None = None
    ) -> m.UpsertDataResponse:
        """Insert rows, replacing whole rows whose primary key exists.

        Resent when its fate is unknown only if that does no harm: the handle knows the primary key
        (``client.collection(…, primary_key="id")``) and every row carries it, or ``RequestOptions(idempotent=True)``.

        Args:
            request: up to 100 rows (1 when the collection vectorises). A vector is a list or float array of the
                field's dimension.
            request_options: overrides for this call alone.

        Returns:
            The service's envelope; ``result.token_usage`` when a model embedded the rows.

        Raises:
            InvalidRequest: a row is not a mapping, a vector has NaN. Nothing was sent.
            InvalidParameter: a row does not fit the schema. No row was written.
            CollectionNotFound: the collection does not exist.
            RateLimited: still throttled after the last attempt.

        Wire: ``POST /api/vikingdb/data/upsert``.
        """
        return self._call(ops.UPSERT, request, request_options)

    def update(
        self, request: m.UpdateDataRequest | Mapping[str, Any], *, request_options: RequestOptions | None = None
    ) -> m.UpdateDataResponse:
        """Change fields of existing rows; fields not mentioned keep their value.

        Args:
            request: up to 100 rows (1 when the collection vectorises), each with its primary key.
            request_options: overrides for this call alone.

        Raises:
            DataNotFound: a row does not exist. No row was changed.

        Wire: ``POST /api/vikingdb/data/update``.
        """
        return self._call(ops.UPDATE, request, request_options)

    def delete(
        self, request: m.DeleteDataRequest | Mapping[str, Any], *, request_options: RequestOptions | None = None
    ) -> m.DeleteDataResponse:
        """Delete rows by primary key, or all rows. Keys that do not exist are no error.

        Args:
            request: ``ids`` (up to 100) or ``delete_all=True``.
            request_options: overrides for this call alone.

        Wire: ``POST /api/vikingdb/data/delete``.
        """
        return self._call(ops.DELETE, request, request_options)

    def fetch(
        self,
        request: m.FetchDataInCollectionRequest | Mapping[str, Any],
        *,
        request_options: RequestOptions | None = None,
    ) -> m.FetchDataInCollectionResponse:
        """Read rows by primary key, vectors included; sees every acknowledged write.

        Args:
            request: up to 100 ``ids``.
            request_options: overrides for this call alone.

        Returns:
            ``result.items``, and ``result.ids_not_exist`` for keys without a row.

        Wire: ``POST /api/vikingdb/data/fetch_in_collection``.
        """
        return self._call(ops.FETCH_IN_COLLECTION, request, request_options)

    def _safety(self, operation: Operation[Any, Any], body: Mapping[str, Any]) -> Safety:
        if operation is ops.UPSERT and self._primary_key and all(row.get(self._primary_key) for row in body["data"]):
            return Safety.IDEMPOTENT
        if operation is ops.DELETE and body.get("del_all"):  # sent again, it would also take what was written since
            return Safety.UNSAFE
        return operation.safety


class AsyncCollectionClient(AsyncResource):
    """The same methods, awaited; see :class:`CollectionClient`."""

    def __init__(self, service: AsyncBaseClient, meta: m.CollectionMeta, *, primary_key: str | None = None) -> None:
        super().__init__(service, meta.to_wire())
        self._primary_key = primary_key

    upsert = awaitable(CollectionClient.upsert)
    update = awaitable(CollectionClient.update)
    delete = awaitable(CollectionClient.delete)
    fetch = awaitable(CollectionClient.fetch)

    _safety = CollectionClient._safety
