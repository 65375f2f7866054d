"""VikingDB: the client of the vector domain."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from vikingdb_core.client import AsyncBaseClient, BaseClient
from vikingdb_core.models import Envelope
from vikingdb_core.request_options import RequestOptions

from . import operations as ops
from .domain import DOMAIN
from .legacy import by_official_name
from .models import CollectionMeta, IndexMeta

if TYPE_CHECKING:
    from .admin import AdminClient, AsyncAdminClient
    from .collection import AsyncCollectionClient, CollectionClient
    from .embedding import AsyncEmbeddingClient, EmbeddingClient
    from .index import AsyncIndexClient, IndexClient
    from .rerank import AsyncRerankClient, RerankClient


class VikingDB(BaseClient):
    """The vector database, at the managed service or embedded: ``VikingDB(endpoint="local://demo")``.

    See :class:`~vikingdb_core.client.ClientCore` for the options. Building one does no I/O; :meth:`ping` asks whether
    anyone is there.
    """

    domain = DOMAIN

    def collection(
        self,
        *,
        resource_id: str | None = None,
        collection_name: str | None = None,
        project_name: str | None = None,
        primary_key: str | None = None,
    ) -> CollectionClient:
        """A handle on a collection's rows.

        Args:
            resource_id: the collection's ``vdb-…``; or
            collection_name: its name, in
            project_name: a project other than ``default``.
            primary_key: name of the primary key field. Rows that carry it may then be upserted again when a first
                attempt's fate is unknown.
        """
        from .collection import CollectionClient

        meta = CollectionMeta(resource_id=resource_id, collection_name=collection_name, project_name=project_name)
        return CollectionClient(self, meta, primary_key=primary_key)

    def index(
        self,
        *,
        resource_id: str | None = None,
        collection_name: str | None = None,
        project_name: str | None = None,
        index_name: str | None = None,
    ) -> IndexClient:
        """A handle on an index of a collection, for searching."""
        from .index import IndexClient

        return IndexClient(
            self,
            IndexMeta(
                resource_id=resource_id,
                collection_name=collection_name,
                project_name=project_name,
                index_name=index_name,
            ),
        )

    def embedding(self) -> EmbeddingClient:
        """A handle on the embedding API."""
        from .embedding import EmbeddingClient

        return EmbeddingClient(self)

    def rerank(self) -> RerankClient:
        """A handle on the rerank API."""
        from .rerank import RerankClient

        return RerankClient(self)

    @cached_property
    def admin(self) -> AdminClient:
        """The control plane: create, describe, list and delete collections and indexes."""
        from .admin import AdminClient

        return AdminClient(self)

    def ping(self, *, request_options: RequestOptions | None = None) -> Envelope:
        """Ask whether the endpoint answers. Raises like any call when it does not.

        Wire: ``GET /api/vikingdb/Ping``.
        """
        return self.call(ops.PING, request_options=request_options)

    def request(
        self, api: str, payload: Mapping[str, Any], *, options: RequestOptions | None = None
    ) -> Mapping[str, Any]:
        """Call an API by the official package's name for it (``API_VECTOR_…``), mapping in and mapping out.

        For programs written for that package; others call the handles' methods.
        """
        return self.call(by_official_name(api), payload, request_options=options).model_dump(exclude_none=True)


class VikingVector(VikingDB):
    """Older name of :class:`VikingDB`, in the official package too."""

    def __init__(self, **options: Any) -> None:
        warnings.warn("VikingVector is the older name of VikingDB", FutureWarning, stacklevel=2)
        super().__init__(**options)


class AsyncVikingDB(AsyncBaseClient):
    """The same, awaited; see :class:`VikingDB`."""

    domain = DOMAIN

    def collection(
        self,
        *,
        resource_id: str | None = None,
        collection_name: str | None = None,
        project_name: str | None = None,
        primary_key: str | None = None,
    ) -> AsyncCollectionClient:
        """A handle on a collection's rows; see :meth:`VikingDB.collection`."""
        from .collection import AsyncCollectionClient

        meta = CollectionMeta(resource_id=resource_id, collection_name=collection_name, project_name=project_name)
        return AsyncCollectionClient(self, meta, primary_key=primary_key)

    def index(
        self,
        *,
        resource_id: str | None = None,
        collection_name: str | None = None,
        project_name: str | None = None,
        index_name: str | None = None,
    ) -> AsyncIndexClient:
        """A handle on an index of a collection, for searching."""
        from .index import AsyncIndexClient

        return AsyncIndexClient(
            self,
            IndexMeta(
                resource_id=resource_id,
                collection_name=collection_name,
                project_name=project_name,
                index_name=index_name,
            ),
        )

    def embedding(self) -> AsyncEmbeddingClient:
        """A handle on the embedding API."""
        from .embedding import AsyncEmbeddingClient

        return AsyncEmbeddingClient(self)

    def rerank(self) -> AsyncRerankClient:
        """A handle on the rerank API."""
        from .rerank import AsyncRerankClient

        return AsyncRerankClient(self)

    @cached_property
    def admin(self) -> AsyncAdminClient:
        """The control plane."""
        from .admin import AsyncAdminClient

        return AsyncAdminClient(self)

    async def ping(self, *, request_options: RequestOptions | None = None) -> Envelope:
        """Ask whether the endpoint answers; see :meth:`VikingDB.ping`."""
        return await self.call(ops.PING, request_options=request_options)

    async def request(
        self, api: str, payload: Mapping[str, Any], *, options: RequestOptions | None = None
    ) -> Mapping[str, Any]:
        """Call an API by the official package's name for it (``API_VECTOR_…``), mapping in and mapping out.

        For programs written for that package; others call the handles' methods.
        """
        answer = await self.call(by_official_name(api), payload, request_options=options)
        return answer.model_dump(exclude_none=True)
