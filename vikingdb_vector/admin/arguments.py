"""What the control plane's methods do with their arguments and answers."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from vikingdb_core.exceptions import InvalidRequest
from vikingdb_core.resource import RequestLike

from .. import models as m
from .. import operations_admin as ops
from ..exceptions import TaskFailed

PAGE_SIZE = 100
"""The largest page the service gives."""


def either(request: RequestLike, **arguments: Any) -> Any:
    """The request, or one made of the keyword arguments; not both."""
    given = {name: value for name, value in arguments.items() if value is not None}
    if request is None:
        return given
    if given:
        raise InvalidRequest(f"give one request or keyword arguments, not both (a request and {', '.join(given)})")
    return request


def is_ready(response: m.GetIndexResponse) -> tuple[m.IndexInfo | None, str]:
    """The index when it can be searched, and what state it is in."""
    index = response.result
    return (index if index.status == "READY" else None), f"status {index.status}"


def has_come_to(until: str | Collection[str]) -> Callable[[m.GetTaskResponse], tuple[m.TaskInfo | None, str]]:
    """Finds the task when it has one of the statuses or is done, and says how far it is.

    Raises:
        TaskFailed: it has failed, and that is not what is waited for.
    """
    wanted = {until} if isinstance(until, str) else set(until)

    def look(response: m.GetTaskResponse) -> tuple[m.TaskInfo | None, str]:
        task, progress = response.result, response.result.task_process_info or m.TaskProcessInfo()
        if task.task_status in wanted or task.task_status in (m.TaskStatus.DONE, "success"):
            return task, ""
        if task.task_status == m.TaskStatus.FAIL:
            why = progress.error_message or "the service does not say why"
            raise TaskFailed(f"task {task.task_id!r} has failed: {why}", operation=ops.GET_TASK.name)
        return None, f"status {task.task_status}, progress {progress.task_progress or 'unknown'}"

    return look
