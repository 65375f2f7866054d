"""Tasks on the control plane: bulk import, export, update and deletion."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from vikingdb_core.plans import paged, polled
from vikingdb_core.request_options import RequestOptions
from vikingdb_core.resource import AsyncResource, Resource, aiterable, awaitable

from .. import models as m
from .. import operations_admin as ops
from .arguments import PAGE_SIZE, either, has_come_to


class TaskAdmin(Resource):
    """Start, follow, confirm and delete tasks."""

    def create_task(
        self,
        request: m.CreateTaskRequest | Mapping[str, Any] | None = None,
        *,
        task_type: m.TaskType | str | None = None,
        collection_name: str | None = None,
        project_name: str | None = None,
        resource_id: str | None = None,
        task_config: m.TaskConfig | Mapping[str, Any] | None = None,
        request_options: RequestOptions | None = None,
    ) -> m.CreateTaskResponse:
        """Start a task; see :class:`TaskConfig` for what it may be told.

        Returns:
            ``result.task_id``.

        Wire: ``POST /?Action=CreateVikingdbTask``.
        """
        return self._call(
            ops.CREATE_TASK,
            either(
                request,
                task_type=task_type,
                collection_name=collection_name,
                project_name=project_name,
                resource_id=resource_id,
                task_config=task_config,
            ),
            request_options,
        )

    def get_task(
        self,
        request: m.GetTaskRequest | Mapping[str, Any] | None = None,
        *,
        task_id: str | None = None,
        request_options: RequestOptions | None = None,
    ) -> m.GetTaskResponse:
        """Describe a task and how far it is.

        Raises:
            TaskNotFound: it does not exist.

        Wire: ``POST /?Action=GetVikingdbTask``.
        """
        return self._call(ops.GET_TASK, either(request, task_id=task_id), request_options)

    def list_tasks(
        self,
        request: m.ListTasksRequest | Mapping[str, Any] | None = None,
        *,
        collection_name: str | None = None,
        project_name: str | None = None,
        resource_id: str | None = None,
        task_type: m.TaskType | str | None = None,
        task_status: m.TaskStatus | str | None = None,
        page_number: int | None = None,
        page_size: int | None = None,
        request_options: RequestOptions | None = None,
    ) -> m.ListTasksResponse:
        """One page of the tasks; :meth:`iter_tasks` has them all.

        Wire: ``POST /?Action=ListVikingdbTask``.
        """
        return self._call(
            ops.LIST_TASKS,
            either(
                request,
                collection_name=collection_name,
                project_name=project_name,
                resource_id=resource_id,
                task_type=task_type,
                task_status=task_status,
                page_number=page_number,
                page_size=page_size,
            ),
            request_options,
        )

    def iter_tasks(
        self,
        *,
        collection_name: str | None = None,
        project_name: str | None = None,
        resource_id: str | None = None,
        task_type: m.TaskType | str | None = None,
        task_status: m.TaskStatus | str | None = None,
        request_options: RequestOptions | None = None,
    ) -> Iterator[m.TaskInfo]:
        """Every task, page after page as they are asked for. To delete on the way, take a list first.

        Wire: ``POST /?Action=ListVikingdbTask``, once a page.
        """
        return self._iterate(
            paged(
                ops.LIST_TASKS,
                either(
                    None,
                    collection_name=collection_name,
                    project_name=project_name,
                    resource_id=resource_id,
                    task_type=task_type,
                    task_status=task_status,
                ),
                lambda response: response.result.tasks,
                lambda response: response.result.total_count,
                page_size=PAGE_SIZE,
                options=request_options,
            )
        )

    def update_task(
        self,
        request: m.UpdateTaskRequest | Mapping[str, Any] | None = None,
        *,
        task_id: str | None = None,
        task_status: m.TaskStatus | str | None = None,
        request_options: RequestOptions | None = None,
    ) -> m.MessageResponse:
        """Confirm a task that waits for it: ``task_status="confirmed"``.

        Wire: ``POST /?Action=UpdateVikingdbTask``.
        """
        return self._call(ops.UPDATE_TASK, either(request, task_id=task_id, task_status=task_status), request_options)

    def delete_task(
        self,
        request: m.DeleteTaskRequest | Mapping[str, Any] | None = None,
        *,
        task_id: str | None = None,
        request_options: RequestOptions | None = None,
    ) -> m.MessageResponse:
        """Delete a task.

        Raises:
            TaskNotFound: it does not exist.

        Wire: ``POST /?Action=DeleteVikingdbTask``.
        """
        return self._call(ops.DELETE_TASK, either(request, task_id=task_id), request_options)

    def wait_for_task(
        self,
        *,
        task_id: str | None = None,
        until: m.TaskStatus | str | Collection[m.TaskStatus | str] = ("confirm", "done"),
        timeout: float = 600.0,
        poll_seconds: float = 2.0,
        request_options: RequestOptions | None = None,
    ) -> m.TaskInfo:
        """Wait until a task asks for its confirmation or is done, or for other statuses.

        Args:
            task_id: which task.
            until: statuses to wait for; with ``fail`` among them, a task that has failed is returned too. A task that
                asks for its confirmation stays as it is until :meth:`update_task` gives it, so without ``confirm``
                among them that is an error at the second look.
            timeout: seconds to wait at most.
            poll_seconds: seconds between two looks.
            request_options: overrides for every look.

        Returns:
            The task, with one of the statuses or done.

        Raises:
            TaskFailed: it has failed; the message says why.
            WaitTimeout: it came to none of the statuses in time, and the message has the last one; or it waits for
                its confirmation, which is not among those waited for.
            InvalidRequest: there is no such status. Nothing was sent.
            TaskNotFound: it does not exist.

        Wire: ``POST /?Action=GetVikingdbTask``, once a look.
        """
        return self._run(
            polled(
                ops.GET_TASK,
                either(None, task_id=task_id),
                has_come_to(until),
                what=f"task {task_id!r}",
                timeout=timeout,
                poll_seconds=poll_seconds,
                options=request_options,
            )
        )


class AsyncTaskAdmin(AsyncResource):
    """The same methods, awaited; see :class:`TaskAdmin`."""

    create_task = awaitable(TaskAdmin.create_task)
    get_task = awaitable(TaskAdmin.get_task)
    list_tasks = awaitable(TaskAdmin.list_tasks)
    iter_tasks = aiterable(TaskAdmin.iter_tasks)
    update_task = awaitable(TaskAdmin.update_task)
    delete_task = awaitable(TaskAdmin.delete_task)
    wait_for_task = awaitable(TaskAdmin.wait_for_task)
