"""Tasks that cannot go on: dropped, deleted in the midst of it, without a thread, or without room to say so."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.unit.local.desk import CHEAP, DEAR, PATIENCE_SECONDS, Desk, progress_of
from vikingdb_core.exceptions import ServerError, VikingDBError
from vikingdb_local.engine import tasks
from vikingdb_local.engine.worker import Steps, Worker
from vikingdb_local.handlers import steps
from vikingdb_vector import TaskFailed, TaskNotFound

NO_ROOM = "database or disk is full"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Collection ``books`` with ten rows, 1 to 10."""
    made = Desk(tmp_path / "buckets", tmp_path / "database")
    made.make()
    made.fill(range(1, 11))
    yield made
    made.close()


def test_whoever_cancels_work_that_closing_dropped_does_not_wait() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def held_up() -> Steps:
        begun.set()
        assert go_on.wait(PATIENCE_SECONDS)
        yield

    worker = Worker()
    worker.add("first", held_up())
    worker.add("second", held_up())
    assert begun.wait(PATIENCE_SECONDS)
    first, second = worker._queue
    closing = threading.Thread(target=worker.close)
    closing.start()
    assert first.stop.wait(PATIENCE_SECONDS)
    go_on.set()
    closing.join(PATIENCE_SECONDS)
    assert second.ended.is_set(), "also for whoever waits for it already"
    cancelling = threading.Thread(target=worker.cancel, args=["second"], daemon=True)
    cancelling.start()
    cancelling.join(PATIENCE_SECONDS)
    assert not cancelling.is_alive()


def test_without_a_thread_a_task_is_refused_and_can_be_sent_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = desk.run("filter_delete", filter_conds=[CHEAP]).task_id or ""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as short_of_threads:
        short_of_threads.setattr(threading.Thread, "start", refuse)
        with pytest.raises(ServerError, match="no thread to be had"):
            desk.admin.update_task(task_id=waiting, task_status="confirmed")
        with pytest.raises(ServerError, match="Nothing of this call was kept"):
            desk.start("filter_delete", filter_conds=[DEAR], need_confirm=False)
        desk.settle()
        assert [(task.task_id, task.task_status) for task in desk.admin.iter_tasks()] == [(waiting, "confirm")]
    desk.admin.update_task(task_id=waiting, task_status="confirmed")
    assert desk.run("filter_delete", filter_conds=[DEAR], need_confirm=False).task_status == "done"
    assert desk.task(waiting).task_status == "done"
    assert desk.genres() == {}


def test_a_task_cannot_be_confirmed_once_it_is_being_deleted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    task_id = desk.run("filter_delete", filter_conds=[CHEAP]).task_id or ""
    cancel, errors = Worker.cancel, []

    def cancel_while_it_is_confirmed(worker: Worker, name: str) -> None:
        for _ in ("before", "after"):
            try:
                desk.admin.update_task(task_id=task_id, task_status="confirmed")
            except VikingDBError as error:
                errors.append(type(error))
            cancel(worker, name)

    monkeypatch.setattr(Worker, "cancel", cancel_while_it_is_confirmed)
    desk.admin.delete_task(task_id=task_id)
    desk.settle()
    assert errors == [TaskNotFound, TaskNotFound]
    assert len(desk.genres()) == 10


@pytest.mark.parametrize("task_type", ["filter_update", "filter_delete"])
def test_a_batch_whose_task_is_deleted_meanwhile_is_not_kept(
    task_type: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "BATCH_ROWS", 2)
    matching, batches = steps._Run._matching, []

    def delete_at_the_second(run: Any, collection: Any, conds: Any, among: Sequence[Any] | None = None) -> Any:
        if among is not None:
            batches.append(among)
            if len(batches) == 2:
                with run._database.writing() as sql:
                    sql.execute("DELETE FROM tasks")
        return matching(run, collection, conds, among)

    monkeypatch.setattr(steps._Run, "_matching", delete_at_the_second)
    more = {"update_fields": {"genre": "bargain"}} if task_type == "filter_update" else {}
    task_id = desk.start(task_type, filter_conds=[CHEAP], need_confirm=False, **more)
    desk.settle()
    with pytest.raises(TaskNotFound):
        desk.task(task_id)
    for _ in ("in memory", "on disk"):
        touched = {key for key in range(1, 11) if desk.genres().get(key) != "sf"}
        assert touched == {1, 3}, "those of the first batch"
        desk.reopen()
    assert len(batches) == 2, "it has stopped"


@pytest.mark.parametrize("write", ["_move", "_note"])
def test_waiting_ends_also_when_there_is_no_room_to_write_that_a_task_has_failed(
    write: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def have_no_room(*_: object) -> None:
        error = sqlite3.OperationalError(NO_ROOM)
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    def listed(status: str) -> list[str | None]:
        return [task.task_id for task in desk.admin.iter_tasks(task_status=status)]

    with monkeypatch.context() as full:
        for name in {write, "_note"}:
            full.setattr(tasks, name, have_no_room)
        task_id = desk.start("filter_delete", filter_conds=[CHEAP], need_confirm=False)
        with pytest.raises(TaskFailed, match=NO_ROOM):
            desk.admin.wait_for_task(task_id=task_id, timeout=PATIENCE_SECONDS, poll_seconds=0.01)
        assert (listed("fail"), listed("running"), listed("queued")) == ([task_id], [], [])
    said = progress_of(desk.task(task_id)).error_message or ""
    assert said.endswith("0 rows are done and stay so")
    desk.reopen()
    assert progress_of(desk.task(task_id)).error_message == said, "it was written when there was room"
    assert desk.run("filter_delete", filter_conds=[CHEAP], need_confirm=False).task_status == "done"
