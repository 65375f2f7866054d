"""Indexes on the control plane."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vikingdb_core.plans import paged, polled
from vikingdb_core.request_options import RequestOptions
from vikingdb_core.resource import AsyncResource, Resource, aiterable, awaitable

from .. import models as m
from .. import operations_admin as ops
from .arguments import PAGE_SIZE, either, is_ready


class IndexAdmin(Resource):
    """Create, describe, change, switch and delete indexes."""

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
            either(
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
            either(
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
            either(request, project_name=project_name, page_number=page_number, page_size=page_size, filter=filter),
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
                either(None, project_name=project_name, filter=filter),
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
            either(
                request,
                collection_name=collection_name,
                index_name=index_name,
                project_name=project_name,
                resource_id=resource_id,
            ),
            request_options,
        )

    def update_index(
        self,
        request: m.UpdateIndexRequest | Mapping[str, Any] | None = None,
        *,
        collection_name: str | None = None,
        index_name: str | None = None,
        project_name: str | None = None,
        resource_id: str | None = None,
        description: str | None = None,
        cpu_quota: int | None = None,
        scalar_index: Sequence[str] | None = None,
        vector_index: m.VectorIndex | Mapping[str, Any] | None = None,
        shard_policy: str | None = None,
        shard_count: int | None = None,
        del_protection: bool | None = None,
        request_options: RequestOptions | None = None,
    ) -> m.MessageResponse:
        """Change an index; see :class:`UpdateIndexRequest` for the arguments.

        Raises:
            InvalidParameter: what cannot be changed, such as from or to a hybrid index. Nothing was changed.
            IndexNotFound: it does not exist.

        Wire: ``POST /?Action=UpdateVikingdbIndex``.
        """
        return self._call(
            ops.UPDATE_INDEX,
            either(
                request,
                collection_name=collection_name,
                index_name=index_name,
                project_name=project_name,
                resource_id=resource_id,
                description=description,
                cpu_quota=cpu_quota,
                scalar_index=scalar_index,
                vector_index=vector_index,
                shard_policy=shard_policy,
                shard_count=shard_count,
                del_protection=del_protection,
            ),
            request_options,
        )

    def enable_index(
        self,
        request: m.EnableIndexRequest | Mapping[str, Any] | None = None,
        *,
        collection_name: str | None = None,
        index_name: str | None = None,
        project_name: str | None = None,
        resource_id: str | None = None,
        request_options: RequestOptions | None = None,
    ) -> m.MessageResponse:
        """Switch a disabled index on again.

        Raises:
            IndexNotFound: it does not exist.

        Wire: ``POST /?Action=EnableVikingdbIndex``.
        """
        return self._call(
            ops.ENABLE_INDEX,
            either(
                request,
                collection_name=collection_name,
                index_name=index_name,
                project_name=project_name,
                resource_id=resource_id,
            ),
            request_options,
        )

    def disable_index(
        self,
        request: m.DisableIndexRequest | Mapping[str, Any] | None = None,
        *,
        collection_name: str | None = None,
        index_name: str | None = None,
        project_name: str | None = None,
        resource_id: str | None = None,
        request_options: RequestOptions | None = None,
    ) -> m.MessageResponse:
        """Switch an index off: it keeps its definition, and searching it is refused.

        Raises:
            IndexNotFound: it does not exist.

        Wire: ``POST /?Action=DisableVikingdbIndex``.
        """
        return self._call(
            ops.DISABLE_INDEX,
            either(
                request,
                collection_name=collection_name,
                index_name=index_name,
                project_name=project_name,
                resource_id=resource_id,
            ),
            request_options,
        )

    def wait_until_ready(
        self,
        *,
        collection_name: str | None = None,
        index_name: str | None = None,
        project_name: str | None = None,
        resource_id: str | None = None,
        timeout: float = 600.0,
        poll_seconds: float = 2.0,
        request_options: RequestOptions | None = None,
    ) -> m.IndexInfo:
        """Wait for an index to be built: the service does it in the background.

        Args:
            collection_name: which collection; or its ``resource_id``.
            index_name: which index.
            project_name: a project other than ``default``.
            resource_id: the collection's ``vdb-…``.
            timeout: seconds to wait at most.
            poll_seconds: seconds between two looks.
            request_options: overrides for every look.

        Returns:
            The index, whose ``status`` is ``READY``.

        Raises:
            WaitTimeout: it was not ready in time; the message has the last status.
            IndexNotFound: it does not exist.

        Wire: ``POST /?Action=GetVikingdbIndex``, once a look.
        """
        return self._run(
            polled(
                ops.GET_INDEX,
                either(
                    None,
                    collection_name=collection_name,
                    index_name=index_name,
                    project_name=project_name,
                    resource_id=resource_id,
                ),
                is_ready,
                what=f"index {index_name!r}",
                timeout=timeout,
                poll_seconds=poll_seconds,
                options=request_options,
            )
        )


class AsyncIndexAdmin(AsyncResource):
    """The same methods, awaited; see :class:`IndexAdmin`."""

    create_index = awaitable(IndexAdmin.create_index)
    get_index = awaitable(IndexAdmin.get_index)
    list_indexes = awaitable(IndexAdmin.list_indexes)
    iter_indexes = aiterable(IndexAdmin.iter_indexes)
    update_index = awaitable(IndexAdmin.update_index)
    enable_index = awaitable(IndexAdmin.enable_index)
    disable_index = awaitable(IndexAdmin.disable_index)
    delete_index = awaitable(IndexAdmin.delete_index)
    wait_until_ready = awaitable(IndexAdmin.wait_until_ready)
