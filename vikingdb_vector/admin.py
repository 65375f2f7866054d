"""AdminClient: the control plane, creating and describing collections and indexes.

Every method takes keyword arguments, or one request: a model, or a mapping in the documented PascalCase shape.
It needs IAM keys; API keys are bound to data sets and refused before anything is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vikingdb_core.exceptions import InvalidRequest
from vikingdb_core.plans import paged
from vikingdb_core.request_options import RequestOptions
from vikingdb_core.resource import AsyncResource, RequestLike, Resource, aiterable, awaitable

from . import models as m
from . import operations_admin as ops

PAGE_SIZE = 100


class AdminClient(Resource):
    """A handle on the control plane."""

    def create_collection(
        self,
        request: m.CreateCollectionRequest | Mapping[str, Any] | None = None,
        *,
        collection_name: str | None = None,
        fields: Sequence[m.CollectionField | Mapping[str, Any]] | None = None,
        project_name: str | None = None,
        description: str | None = None,
        vectorize: m.Vectorize | Mapping[str, Any] | None = None,
        full_text: Sequence[m.FullText | Mapping[str, Any]] | None = None,
        tags: Sequence[m.Tag | Mapping[str, Any]] | None = None,
        del_protection: bool | None = None,
        request_options: RequestOptions | None = None,
    ) -> m.CreateCollectionResponse:
        """Create a collection; see :class:`CreateCollectionRequest` for the arguments.

        Returns:
            ``result.resource_id`` of the new collection.

        Raises:
            CollectionAlreadyExists: the name is taken.
            InvalidParameter: the schema is not a possible one. Nothing was created.

        Wire: ``POST /?Action=CreateVikingdbCollection``.
        """
        return self._call(
            ops.CREATE_COLLECTION,
            _either(
                request,
                collection_name=collection_name,
                fields=fields,
                project_name=project_name,
                description=description,
                vectorize=vectorize,
                full_text=full_text,
                tags=tags,
                del_protection=del_protection,
            ),
            request_options,
        )

    def get_collection(
        self,
        request: m.GetCollectionRequest | Mapping[str, Any] | None = None,
        *,
        collection_name: str | None = None,
        project_name: str | None = None,
        resource_id: str | None = None,
        request_options: RequestOptions | None = None,
    ) -> m.GetCollectionResponse:
        """Describe a collection.

        Raises:
            CollectionNotFound: it does not exist.

        Wire: ``POST /?Action=GetVikingdbCollection``.
        """
        return self._call(
            ops.GET_COLLECTION,
            _either(request, collection_name=collection_name, project_name=project_name, resource_id=resource_id),
            request_options,
        )

    def list_collections(
        self,
        request: m.ListCollectionsRequest | Mapping[str, Any] | None = None,
        *,
        project_name: str | None = None,
        page_number: int | None = None,
        page_size: int | None = None,
        filter: m.CollectionFilter | Mapping[str, Any] | None = None,
        request_options: RequestOptions | None = None,
    ) -> m.ListCollectionsResponse:
        """One page of the collections; :meth:`iter_collections` has them all.

        Args:
            request: a request in place of the keyword arguments.
            project_name: only this project's.
            page_number: from 1.
            page_size: 1 to 100.
            filter: ``{"CollectionNameKeyword": part of the name}``.
            request_options: overrides for this call alone.

        Wire: ``POST /?Action=ListVikingdbCollection``.
        """
        return self._call(
            ops.LIST_COLLECTIONS,
            _either(request, project_name=project_name, page_number=page_number, page_size=page_size, filter=filter),
            request_options,
        )

    def iter_collections(
        self,
        *,
        project_name: str | None = None,
        filter: m.CollectionFilter | Mapping[str, Any] | None = None,
        request_options: RequestOptions | None = None,
    ) -> Iterator[m.CollectionInfo]:
        """Every collection, page after page as they are asked for. To delete on the way, take a list first.

        Wire: ``POST /?Action=ListVikingdbCollection``, once a page.
        """
        return self._iterate(
            paged(
                ops.LIST_COLLECTIONS,
                _either(None, project_name=project_name, filter=filter),
                lambda response: response.result.collections,
                lambda response: response.result.total_count,
                page_size=PAGE_SIZE,
                options=request_options,
            )
        )

    def delete_collection(
        self,
        request: m.DeleteCollectionRequest | Mapping[str, Any] | None = None,
        *,
        collection_name: str | None = None,
        project_name: str | None = None,
        resource_id: str | None = None,
        request_options: RequestOptions | None = None,
    ) -> m.MessageResponse:
        """Delete a collection and its rows.

        Raises:
            OperationDenied: it still has indexes, or is protected. Nothing was deleted.
            CollectionNotFound: it does not exist.

        Wire: ``POST /?Action=DeleteVikingdbCollection``.
        """
        return self._call(
            ops.DELETE_COLLECTION,
            _either(request, collection_name=collection_name, project_name=project_name, resource_id=resource_id),
            request_options,
        )

    def create_index(
        self,
        request: m.CreateIndexRequest | Mapping[str, Any] | None = None,
        *,
        collection_name: str | None = None,
        index_name: str | None = None,
        vector_index: m.VectorIndex | Mapping[str, Any] | None = None,
        scalar_index: Sequence[str] | None = None,
        project_name: str | None = None,
        resource_id: str | None = None,
        description: str | None = None,
        cpu_quota: int | None = None,
        shard_policy: str | None = None,
        shard_count: int | None = None,
        del_protection: bool | None = None,
        request_options: RequestOptions | None = None,
    ) -> m.MessageResponse:
        """Create an index; see :class:`CreateIndexRequest` for the arguments.

        The service builds it in the background: it can be searched when ``get_index`` reports ``READY``.

        Raises:
            IndexAlreadyExists: the name is taken.
            CollectionNotFound: the collection does not exist.

        Wire: ``POST /?Action=CreateVikingdbIndex``.
        """
        return self._call(
            ops.CREATE_INDEX,
            _either(
                request,
                collection_name=collection_name,
                index_name=index_name,
                vector_index=vector_index,
                scalar_index=scalar_index,
                project_name=project_name,
                resource_id=resource_id,
                description=description,
                cpu_quota=cpu_quota,
                shard_policy=shard_policy,
                shard_count=shard_count,
                del_protection=del_protection,
            ),
            request_options,
        )

    def get_index(
        self,
        request: m.GetIndexRequest | Mapping[str, Any] | None = None,
        *,
        collection_name: str | None = None,
        index_name: str | None = None,
        project_name: str | None = None,
        resource_id: str | None = None,
        request_options: RequestOptions | None = None,
    ) -> m.GetIndexResponse:
        """Describe an index.

        Raises:
            IndexNotFound: it does not exist.

        Wire: ``POST /?Action=GetVikingdbIndex``.
        """
        return self._call(
            ops.GET_INDEX,
            _either(
                request,
                collection_name=collection_name,
                index_name=index_name,
                project_name=project_name,
                resource_id=resource_id,
            ),
            request_options,
        )

    def list_indexes(
        self,
        request: m.ListIndexesRequest | Mapping[str, Any] | None = None,
        *,
        project_name: str | None = None,
        page_number: int | None = None,
        page_size: int | None = None,
        filter: m.IndexFilter | Mapping[str, Any] | None = None,
        request_options: RequestOptions | None = None,
    ) -> m.ListIndexesResponse:
        """One page of the indexes; :meth:`iter_indexes` has them all.

        Args:
            request: a request in place of the keyword arguments.
            project_name: only this project's.
            page_number: from 1.
            page_size: 1 to 100.
            filter: ``{"CollectionName": [names], "IndexNameKeyword": part, "Status": [states]}``.
            request_options: overrides for this call alone.

        Wire: ``POST /?Action=ListVikingdbIndex``.
        """
        return self._call(
            ops.LIST_INDEXES,
            _either(request, project_name=project_name, page_number=page_number, page_size=page_size, filter=filter),
            request_options,
        )

    def iter_indexes(
        self,
        *,
        project_name: str | None = None,
        filter: m.IndexFilter | Mapping[str, Any] | None = None,
        request_options: RequestOptions | None = None,
    ) -> Iterator[m.IndexInfo]:
        """Every index, page after page as they are asked for. To delete on the way, take a list first.

        Wire: ``POST /?Action=ListVikingdbIndex``, once a page.
        """
        return self._iterate(
            paged(
                ops.LIST_INDEXES,
                _either(None, project_name=project_name, filter=filter),
                lambda response: response.result.indexes,
                lambda response: response.result.total_count,
                page_size=PAGE_SIZE,
                options=request_options,
            )
        )

    def delete_index(
        self,
        request: m.DeleteIndexRequest | Mapping[str, Any] | None = None,
        *,
        collection_name: str | None = None,
        index_name: str | None = None,
        project_name: str | None = None,
        resource_id: str | None = None,
        request_options: RequestOptions | None = None,
    ) -> m.MessageResponse:
        """Delete an index; the rows stay in the collection.

        Raises:
            IndexNotFound: it does not exist.

        Wire: ``POST /?Action=DeleteVikingdbIndex``.
        """
        return self._call(
            ops.DELETE_INDEX,
            _either(
                request,
                collection_name=collection_name,
                index_name=index_name,
                project_name=project_name,
                resource_id=resource_id,
            ),
            request_options,
        )


class AsyncAdminClient(AsyncResource):
    """The same methods, awaited; see :class:`AdminClient`."""

    create_collection = awaitable(AdminClient.create_collection)
    get_collection = awaitable(AdminClient.get_collection)
    list_collections = awaitable(AdminClient.list_collections)
    iter_collections = aiterable(AdminClient.iter_collections)
    delete_collection = awaitable(AdminClient.delete_collection)
    create_index = awaitable(AdminClient.create_index)
    get_index = awaitable(AdminClient.get_index)
    list_indexes = awaitable(AdminClient.list_indexes)
    iter_indexes = aiterable(AdminClient.iter_indexes)
    delete_index = awaitable(AdminClient.delete_index)


def _either(request: RequestLike, **arguments: Any) -> Any:
    """The request, or one made of the keyword arguments; not both."""
    given = {name: value for name, value in arguments.items() if value is not None}
    if request is None:
        return given
    if given:
        raise InvalidRequest(f"give one request or keyword arguments, not both (a request and {', '.join(given)})")
    return request
