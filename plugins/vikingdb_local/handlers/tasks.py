"""Tasks: create, get, list, confirm and delete."""

from __future__ import annotations

import secrets
from typing import Any

from vikingdb_core.hints import suggest
from vikingdb_vector import models as m
from vikingdb_vector.models import TaskStatus, TaskType

from ..engine.tasks import Task
from ..errors import invalid, missing, shown
from ..session import Call, Session
from .collections import paged, written_time
from .locate import locate
from .plans import read_plan
from .steps import steps_of


def create(session: Session, call: Call[m.CreateTaskRequest]) -> Any:
    """Start a task, once it is known that there is nothing wrong with it."""
    request, config = call.request, call.request.task_config
    if config is None:
        raise missing("TaskConfig is missing; it says what the task works on")
    named = {
        name: _agreed(name, getattr(request, name), getattr(config, name))
        for name in ("collection_name", "resource_id", "project_name")
    }
    collection = locate(session, named["collection_name"], named["resource_id"], named["project_name"])
    task_id = f"task-{secrets.token_hex(8)}"
    read_plan(session, collection, request.task_type, config, task_id)
    address = {
        "CollectionName": collection.name,
        "ProjectName": collection.project,
        "ResourceId": collection.resource_id,
    }
    task = Task(
        id=task_id,
        type=str(request.task_type),
        collection=collection.name,
        project=collection.project,
        resource_id=collection.resource_id,
        config={**config.to_wire(), **address},
        created_ms=session.now_ms,
        updated_ms=session.now_ms,
    )
    session.catalog.tasks.add(task, steps_of(session, task_id))
    return {"Message": "success", "TaskId": task_id}


def get(session: Session, call: Call[m.GetTaskRequest]) -> Any:
    return _describe(session, session.catalog.tasks.find(call.request.task_id))


def list_page(session: Session, call: Call[m.ListTasksRequest]) -> Any:
    """A page of the tasks of a collection, of a kind, in a status; or of all."""
    request = call.request
    for value, words, name in (
        (request.task_type, TaskType, "TaskType"),
        (request.task_status, TaskStatus, "TaskStatus"),
    ):
        if value and value not in list(words):
            hint = suggest(value, map(str, words))
            raise invalid(f"{name} {shown(value)} is none of: {', '.join(words)}.{hint}")
    chosen = session.catalog.tasks.having(
        collection=request.collection_name,
        project=request.project_name,
        resource_id=request.resource_id,
        type=request.task_type,
        status=request.task_status,
    )
    page, paging = paged(chosen, request.page_number, request.page_size)
    return {"Tasks": [_describe(session, task) for task in page], **paging}


def update(session: Session, call: Call[m.UpdateTaskRequest]) -> Any:
    """Confirm a task that waits for it."""
    request = call.request
    if request.task_status != TaskStatus.CONFIRMED:
        raise invalid(f"TaskStatus is {shown(request.task_status)}; a task can only be {TaskStatus.CONFIRMED}")
    steps = steps_of(session, request.task_id)
    session.catalog.tasks.confirm(request.task_id, steps, session.now_ms)
    return {"Message": "success"}


def delete(session: Session, call: Call[m.DeleteTaskRequest]) -> Any:
    """Forget a task. One that is running stops after the batch it is at, before this answers."""
    session.catalog.tasks.delete(call.request.task_id)
    return {"Message": "success"}


def _agreed(name: str, outer: str | None, inner: str | None) -> str | None:
    """A name that may stand in the request, in its TaskConfig, or in both."""
    if outer and inner and outer != inner:
        raise invalid(f"the request and its TaskConfig have different values for {name}; give one")
    return outer or inner


def _describe(session: Session, task: Task) -> dict[str, Any]:
    return {
        "TaskId": task.id,
        "TaskType": task.type,
        "TaskStatus": task.status,
        "TaskConfig": task.config,
        "TaskProcessInfo": _describe_progress(session, task),
        "CreateTime": written_time(task.created_ms),
        "UpdateTime": written_time(task.updated_ms),
        "UpdatePerson": "local",
    }


def _describe_progress(session: Session, task: Task) -> dict[str, Any]:
    progress = task.progress
    described = {
        "TaskProgress": f"{_percent(task)}%",
        "ErrorMessage": progress.error or None,
        "EstimatedRemainingTime": _remaining_seconds(task, session.now_ms),
        "SampleData": progress.sample or None,
        "SampleTimestamp": None if progress.sample_ms is None else progress.sample_ms // 1000,
        "ScanDataCount": progress.scanned,
        "TotalDataCount": progress.total,
        "TotalFilterCount": progress.matched,
    }
    return {name: value for name, value in described.items() if value is not None}


def _percent(task: Task) -> int:
    if task.status == TaskStatus.DONE:
        return 100
    return 100 * task.progress.done // task.progress.goal if task.progress.goal else 0


def _remaining_seconds(task: Task, now_ms: int) -> int | None:
    """Going on as until now; ``None`` when nothing is going on, or nothing is done yet."""
    done, goal, began_ms = task.progress.done, task.progress.goal, task.progress.began_ms
    if task.status != TaskStatus.RUNNING or not done or goal is None or began_ms is None:
        return None
    return round((now_ms - began_ms) * (goal - done) / done / 1000)
