"""Tasks: one change to many rows, made in the background.

A task that changes rows waits for somebody to confirm it, after showing what it would change.

    python examples/vector/tasks.py
"""

from __future__ import annotations

from typing import NamedTuple

from guide import PATIENCE_SECONDS, POLL_SECONDS, TEXT, TEXT_INDEX, OwnRows, Setting, start

from vikingdb.vector import (
    AdminClient,
    SearchByScalarRequest,
    TaskConfig,
    TaskProcessInfo,
    TaskStatus,
    TaskType,
    UpsertDataRequest,
    VikingDB,
)

TASK_SECONDS = 10 * PATIENCE_SECONDS


class Outcome(NamedTuple):
    status: str | None
    matched: int | None
    sample: list[str]
    listed: bool
    scores: list[float]


def run(setting: Setting) -> Outcome:
    with VikingDB(**setting.options) as client:
        collection = client.collection(**TEXT, **setting.scope)
        index = client.index(**TEXT_INDEX, **setting.scope)
        with OwnRows(setting, collection, index) as own:
            vesta = own.row("Vesta", 0, 2.4, "Vesta is the brightest asteroid.")
            ceres = own.row("Ceres", 1, 2.4, "Ceres is the largest asteroid.")
            for row in (vesta, ceres):
                collection.upsert(UpsertDataRequest(data=[row]))
            own.wait()
            where = {**TEXT, **setting.scope}
            config = TaskConfig(**where, filter_conds=[own.filter], update_fields={"score": 2.5}, need_confirm=True)
            created = client.admin.create_task(task_type=TaskType.FILTER_UPDATE, **where, task_config=config)
            outcome = follow(client.admin, created.result.task_id or "", setting)
            found = index.search_by_scalar(SearchByScalarRequest(field="score", filter=own.filter, limit=10))
            return outcome._replace(scores=[hit.fields["score"] for hit in found.result.data])


def follow(admin: AdminClient, task_id: str, setting: Setting) -> Outcome:
    """See a task through, and delete it however it ended."""
    patience = {"timeout": TASK_SECONDS, "poll_seconds": POLL_SECONDS if setting.is_live else 0.01}
    try:
        task = admin.wait_for_task(task_id=task_id, until=TaskStatus.CONFIRM, **patience)
        found = task.task_process_info or TaskProcessInfo()
        sample = [row["title"] for row in found.sample_data]
        print(f"It would change {found.total_filter_count} rows, such as {', '.join(sample)}")
        if task.task_status == TaskStatus.CONFIRM:
            admin.update_task(task_id=task_id, task_status=TaskStatus.CONFIRMED)
            task = admin.wait_for_task(task_id=task_id, until=TaskStatus.DONE, **patience)
        page = admin.list_tasks(**TEXT, **setting.scope, page_size=100).result
        listed = any(each.task_id == task_id for each in page.tasks)
        progress = (task.task_process_info or TaskProcessInfo()).task_progress
        print(f"Task {task_id}: {task.task_status}, {progress}; {page.total_count} tasks on the collection")
        return Outcome(task.task_status, found.total_filter_count, sample, listed, [])
    finally:
        admin.delete_task(task_id=task_id)


def main() -> None:
    start(run)


if __name__ == "__main__":
    main()
