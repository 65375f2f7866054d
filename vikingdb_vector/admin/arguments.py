"""What the control plane's methods do with their arguments and answers."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from vikingdb_core.exceptions import InvalidRequest, WaitTimeout
from vikingdb_core.hints import suggest
from vikingdb_core.resource import RequestLike

from .. import models as m
from .. import operations_admin as ops
from ..exceptions import TaskFailed

PAGE_SIZE = 100
"""The largest page the service gives."""

_CONFIRMED, _SUCCESS = str(m.TaskStatus.CONFIRMED), "success"
_STATUSES = (*map(str, m.TaskStatus), _SUCCESS)
"""The service's, and another word of it for ``done``."""


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
        InvalidRequest: no task has one of the statuses.
        TaskFailed: it has failed, and that is not what is waited for.
        WaitTimeout: it waits for its confirmation twice in a row, and that is not what is waited for.
    """
    wanted = {until} if isinstance(until, str) else set(until)
    for status in sorted(wanted.difference(_STATUSES), key=str):
        hint = suggest(str(status), _STATUSES)
        raise InvalidRequest(f"until: status {status!r} is none of: {', '.join(_STATUSES)}.{hint}")

    seen_waiting = False

    def look(response: m.GetTaskResponse) -> tuple[m.TaskInfo | None, str]:
        nonlocal seen_waiting
        task, progress = response.result, response.result.task_process_info or m.TaskProcessInfo()
        if task.task_status in wanted or task.task_status in (m.TaskStatus.DONE, _SUCCESS):
            return task, ""
        if task.task_status == m.TaskStatus.FAIL:
            why = progress.error_message or "the service does not say why"
            raise TaskFailed(f"task {task.task_id!r} has failed: {why}", operation=ops.GET_TASK.name)
        if task.task_status == m.TaskStatus.CONFIRM and not seen_waiting:
            seen_waiting = True  # once may be a moment in which a confirmation just given is not seen yet
        elif task.task_status == m.TaskStatus.CONFIRM:
            raise WaitTimeout(
                f"task {task.task_id!r} waits for its confirmation and comes to nothing else before it: look at what "
                f"it found and call update_task(task_id={task.task_id!r}, task_status={_CONFIRMED!r}), or wait for "
                f"{str(m.TaskStatus.CONFIRM)!r} too",
                operation=ops.GET_TASK.name,
            )
        return None, f"status {task.task_status}, progress {progress.task_progress or 'unknown'}"

    return look
