"""Collections on the control plane."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vikingdb_core.plans import paged
from vikingdb_core.request_options import RequestOptions
from vikingdb_core.resource import AsyncResource, Resource, aiterable, awaitable

from .. import models as m
from .. import operations_admin as ops
from .arguments import PAGE_SIZE, either


class CollectionAdmin(Resource):
    """Create, describe, change and delete collections."""

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
            either(
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
            either(request, collection_name=collection_name, project_name=project_name, resource_id=resource_id),
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
            either(request, project_name=project_name, page_number=page_number, page_size=page_size, filter=filter),
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
                either(None, project_name=project_name, filter=filter),
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
            either(request, collection_name=collection_name, project_name=project_name, resource_id=resource_id),
            request_options,
        )

    def update_collection(
        self,
        request: m.UpdateCollectionRequest | Mapping[str, Any] | None = None,
        *,
        collection_name: str | None = None,
        project_name: str | None = None,
        resource_id: str | None = None,
        description: str | None = None,
        fields: Sequence[m.CollectionField | Mapping[str, Any]] | None = None,
        full_text: Sequence[m.FullText | Mapping[str, Any]] | None = None,
        del_protection: bool | None = None,
        request_options: RequestOptions | None = None,
    ) -> m.MessageResponse:
        """Add scalar fields to a collection, or change its description, full text or protection.

        Args:
            request: a request in place of the keyword arguments.
            collection_name: which collection; or its ``resource_id``.
            project_name: a project other than ``default``.
            resource_id: the collection's ``vdb-…``.
            description: at most 65535 bytes.
            fields: fields to add; no vectors, text, image or video. Rows already there get the default.
            full_text: text fields to search by keywords.
            del_protection: refuse deletion while set.
            request_options: overrides for this call alone.

        Raises:
            InvalidParameter: a field that exists, or one that cannot be added. Nothing was changed.
            CollectionNotFound: it does not exist.

        Wire: ``POST /?Action=UpdateVikingdbCollection``.
        """
        return self._call(
            ops.UPDATE_COLLECTION,
            either(
                request,
                collection_name=collection_name,
                project_name=project_name,
                resource_id=resource_id,
                description=description,
                fields=fields,
                full_text=full_text,
                del_protection=del_protection,
            ),
            request_options,
        )


class AsyncCollectionAdmin(AsyncResource):
    """The same methods, awaited; see :class:`CollectionAdmin`."""

    create_collection = awaitable(CollectionAdmin.create_collection)
    get_collection = awaitable(CollectionAdmin.get_collection)
    list_collections = awaitable(CollectionAdmin.list_collections)
    iter_collections = aiterable(CollectionAdmin.iter_collections)
    update_collection = awaitable(CollectionAdmin.update_collection)
    delete_collection = awaitable(CollectionAdmin.delete_collection)
