"""Tasks: one change to many rows, made by the service in the background.

A task that changes rows waits for somebody to confirm it, after showing what it would change. Tasks belong to the
managed service; the embedded engine says that it has none, and the program ends there.

    python examples/vector/tasks.py
"""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import NamedTuple

from guide import PATIENCE_SECONDS, POLL_SECONDS, TEXT, TEXT_INDEX, OwnRows, Setting, start

from vikingdb.exceptions import OperationNotSupported
from vikingdb.vector import AdminClient, TaskConfig, TaskInfo, TaskStatus, TaskType, UpsertDataRequest, VikingDB

TASK_SECONDS = 10 * PATIENCE_SECONDS
ENDED = {TaskStatus.DONE, TaskStatus.FAIL}


class Outcome(NamedTuple):
    status: str | None
    listed: bool
    refusal: str


def run(setting: Setting) -> Outcome:
    with VikingDB(**setting.options) as client:
        collection = client.collection(**TEXT, **setting.scope)
        index = client.index(**TEXT_INDEX, **setting.scope)
        with OwnRows(setting, collection, index) as own:
            row = own.row("Vesta", 0, 2.4, "Vesta is the brightest asteroid.")
            collection.upsert(UpsertDataRequest(data=[row]))
            own.wait()
            where = {**TEXT, **setting.scope}
            config = TaskConfig(**where, filter_conds=[own.filter], update_fields={"score": 2.36}, need_confirm=True)
            try:
                created = client.admin.create_task(task_type=TaskType.FILTER_UPDATE, **where, task_config=config)
            except OperationNotSupported as error:
                print(f"Tasks need the managed service: {error.message}")
                return Outcome(None, False, error.message)
            return follow(client.admin, created.result.task_id or "", setting)


def follow(admin: AdminClient, task_id: str, setting: Setting) -> Outcome:
    """See a task through, and delete it however it ended."""
    try:
        task = wait_for(admin, task_id, {TaskStatus.CONFIRM, *ENDED})
        if task.task_status == TaskStatus.CONFIRM:
            progress = task.task_process_info
            print(f"It would change {progress.total_filter_count if progress else 'some'} rows; confirmed")
            admin.update_task(task_id=task_id, task_status=TaskStatus.CONFIRMED)
            task = wait_for(admin, task_id, ENDED)
        page = admin.list_tasks(**TEXT, **setting.scope, page_size=100).result
        listed = any(each.task_id == task_id for each in page.tasks)
        print(f"Task {task_id} ended: {task.task_status}; {page.total_count} tasks on the collection")
        return Outcome(task.task_status, listed, "")
    finally:
        admin.delete_task(task_id=task_id)


def wait_for(admin: AdminClient, task_id: str, statuses: Collection[str]) -> TaskInfo:
    """The task, once it has one of the statuses.

    Raises:
        TimeoutError: it has none of them in time.
    """
    ends = time.monotonic() + TASK_SECONDS
    while (task := admin.get_task(task_id=task_id).result).task_status not in statuses:
        if time.monotonic() >= ends:
            raise TimeoutError(f"task {task_id} is still {task.task_status!r}")
        time.sleep(POLL_SECONDS)
    return task


def main() -> None:
    start(run)


if __name__ == "__main__":
    main()
