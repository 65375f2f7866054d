"""Requests and responses of tasks: bulk import, export, update and deletion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from pydantic import Field

from vikingdb_core.models import Envelope

from .admin import AdminRequest, AdminResult, Message
from .base import FilterLike
from .schema import ShapeModel


class TaskType(StrEnum):
    """What a task does."""

    DATA_IMPORT = "data_import"
    DATA_EXPORT = "data_export"
    FILTER_UPDATE = "filter_update"
    FILTER_DELETE = "filter_delete"


class TaskStatus(StrEnum):
    """How far a task is. ``confirm`` waits for somebody to say ``confirmed``."""

    INIT = "init"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAIL = "fail"
    CONFIRM = "confirm"
    CONFIRMED = "confirmed"


class TaskConfig(ShapeModel):
    """What a task works on.

    Attributes:
        file_type: ``parquet`` or ``json``, for import and export.
        tos_path: ``bucket/path``, for import and export.
        filter_conds: which rows, for filter tasks and export.
        update_fields: new values, for ``filter_update``.
        export_all: export every row.
        ignore_error: go on when a row cannot be imported.
        need_confirm: wait in status ``confirm`` before changing rows; true unless said otherwise.
        output_fields: fields to export.
        use_public: reach the bucket over the public network.
    """

    collection_name: str | None = None
    project_name: str | None = None
    resource_id: str | None = None
    file_type: str | None = None
    tos_path: str | None = None
    filter_conds: Sequence[FilterLike] | None = None
    update_fields: Mapping[str, Any] | None = None
    export_all: bool | None = None
    ignore_error: bool | None = None
    need_confirm: bool | None = None
    output_fields: Sequence[str] | None = None
    use_public: bool | None = None


class CreateTaskRequest(AdminRequest):
    """A new task on a collection."""

    task_type: TaskType | str
    collection_name: str | None = None
    project_name: str | None = None
    resource_id: str | None = None
    task_config: TaskConfig | None = None


class GetTaskRequest(AdminRequest):
    task_id: str


class DeleteTaskRequest(AdminRequest):
    task_id: str


class UpdateTaskRequest(AdminRequest):
    """The only change there is: ``confirmed``, from ``confirm``."""

    task_id: str
    task_status: TaskStatus | str


class ListTasksRequest(AdminRequest):
    """One page of the tasks."""

    collection_name: str | None = None
    project_name: str | None = None
    resource_id: str | None = None
    task_type: TaskType | str | None = None
    task_status: TaskStatus | str | None = None
    page_number: int | None = None
    page_size: int | None = None


class TaskProcessInfo(AdminResult):
    """How far a task is."""

    task_progress: str | None = None
    error_message: str | None = None
    estimated_remaining_time: str | int | float | None = None
    sample_data: list[Any] = Field(default_factory=list)
    sample_timestamp: str | int | None = None
    scan_data_count: int | None = None
    total_data_count: int | None = None
    total_filter_count: int | None = None


class TaskInfo(AdminResult):
    """A task as the service describes it."""

    task_id: str | None = None
    task_type: str | None = None
    task_status: str | None = None
    task_config: TaskConfig | None = None
    task_process_info: TaskProcessInfo | None = None
    create_time: str | None = None
    update_time: str | None = None
    update_person: str | None = None


class CreatedTask(Message):
    """The new task's id."""

    task_id: str | None = None


class TaskPage(AdminResult):
    """One page of the tasks."""

    tasks: list[TaskInfo] = Field(default_factory=list)
    page_number: int | None = None
    page_size: int | None = None
    total_count: int | None = None


class CreateTaskResponse(Envelope):
    result: CreatedTask


class GetTaskResponse(Envelope):
    result: TaskInfo


class ListTasksResponse(Envelope):
    result: TaskPage
