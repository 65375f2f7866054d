"""Tasks: what a database remembers of its tasks, and their way from one status to the next.

A task belongs to the process that has the database open. What had not ended when the database was closed, or when its
process died, is found as failed by whoever opens it next, with what was done until then. A task that waits for its
confirmation goes on waiting.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import orjson

from vikingdb_vector.models import TaskStatus, TaskType

from ..errors import TASK, denied, not_found, shown
from .database import Database
from .faults import StorageFault
from .worker import Steps, Worker

log = logging.getLogger("vikingdb.local")

UNFINISHED = (TaskStatus.INIT, TaskStatus.QUEUED, TaskStatus.RUNNING, TaskStatus.CONFIRMED)

_COLUMNS = "id, type, status, collection, project, resource_id, config, progress, created_ms, updated_ms"


@dataclass(frozen=True)
class Progress:
    """How far a task is.

    Attributes:
        total: rows of the collection, or of the files to import.
        scanned: how many of them were looked at.
        matched: how many of them the filter picked; ``None`` when there is no filter to pick.
        done: how many rows the task is through with.
        began_ms: when it began to run.
        sample: some of the rows, as they were at ``sample_ms``.
        error: what went wrong.
    """

    total: int | None = None
    scanned: int = 0
    matched: int | None = None
    done: int = 0
    began_ms: int | None = None
    sample: Sequence[Mapping[str, Any]] = ()
    sample_ms: int | None = None
    error: str = ""

    @property
    def goal(self) -> int | None:
        """What ``done`` is on its way to, once that is known."""
        return self.total if self.matched is None else self.matched


@dataclass(frozen=True)
class Task:
    """A task. It names its collection in all three ways, since it outlives it."""

    id: str
    type: str
    collection: str
    project: str
    resource_id: str
    config: Mapping[str, Any]
    created_ms: int
    updated_ms: int
    status: str = TaskStatus.QUEUED
    progress: Progress = field(default_factory=Progress)


class Forgotten(Exception):
    """A task was deleted while it was at work."""


class Tasks:
    """The tasks of a database. Safe for many threads.

    Attributes:
        worker: does them, one after another.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.worker = Worker()
        self._failures: dict[str, tuple[str, int]] = {}  # why and when, of those that are not written yet
        self._fail_unfinished("The process that ran it has ended")
        _all.add(self)

    def add(self, task: Task, steps: Steps) -> None:
        """Remember a new task, and do it when those before it are done.

        Raises:
            ServiceError: it cannot be remembered or done. Nothing of it is left.
        """
        with self._database.writing() as sql:
            sql.execute(
                f"INSERT INTO tasks ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    task.id,
                    task.type,
                    task.status,
                    task.collection,
                    task.project,
                    task.resource_id,
                    orjson.dumps(task.config),
                    orjson.dumps(asdict(task.progress)),
                    task.created_ms,
                    task.updated_ms,
                ),
            )
            self.worker.add(task.id, steps)  # begins when this is committed

    def find(self, task_id: str) -> Task:
        """A task by its id.

        Raises:
            ServiceError: there is none.
        """
        found = self._select("id = ?", task_id)
        if not found:
            raise not_found(TASK, f"there is no task {shown(task_id)}")
        return found[0]

    def having(self, **values: str | None) -> list[Task]:
        """The tasks that have all the values, those that are ``None`` aside; oldest first."""
        given = {name: value for name, value in values.items() if value}
        status = given.pop("status", None)  # of one whose failure is not written yet, the table has an older one
        found = self._select(" AND ".join(["1", *(f"{name} = ?" for name in given)]), *given.values())
        return [task for task in found if status in (None, task.status)]

    def confirm(self, task_id: str, steps: Steps, now_ms: int) -> None:
        """Let a task go on that waits for its confirmation.

        Raises:
            ServiceError: there is none of the id, it waits for nothing, or it cannot go on now and waits as before.
        """
        with self._database.writing() as sql:
            status = self.find(task_id).status
            if not _move(sql, task_id, (TaskStatus.CONFIRM,), TaskStatus.CONFIRMED, now_ms):
                raise denied(TASK, f"task {task_id} is {status!r}; only one that waits in 'confirm' can be confirmed")
            self.worker.add(task_id, steps)  # goes on when this is committed

    def begin(self, task_id: str, now_ms: int) -> Task | None:
        """Let a task be running. Returns it as it was before; ``None`` when it was deleted."""
        with self._database.writing() as sql:
            task = next(iter(self._select("id = ?", task_id)), None)
            waiting = (TaskStatus.QUEUED, TaskStatus.CONFIRMED)
            if task is None or not _move(sql, task_id, waiting, TaskStatus.RUNNING, now_ms):
                return None
        return task

    def note(self, task_id: str, progress: Progress, now_ms: int, status: str = TaskStatus.RUNNING) -> None:
        """Remember how far a task is.

        Raises:
            Forgotten: it was deleted.
        """
        with self._database.writing() as sql:
            _note(sql, task_id, progress, now_ms, status)

    @contextmanager
    def noting(self, task_id: str, progress: Progress, now_ms: int) -> Iterator[None]:
        """Remember how far a task is together with the write within the block: both are kept, or neither.

        Raises:
            Forgotten: it was deleted. Neither is kept.
        """
        with self._database.along(lambda sql: _note(sql, task_id, progress, now_ms, TaskStatus.RUNNING)):
            yield

    def fail(self, task_id: str, why: str, now_ms: int) -> None:
        """Let a task have failed, and say what it leaves behind; also where this cannot be written now."""
        with self._database.lock:
            self._failures[task_id] = (why, now_ms)
            self._write_failures()

    def delete(self, task_id: str) -> None:
        """Forget a task. Returns when it does nothing any more; what it did stays.

        Raises:
            ServiceError: there is none of the id.
        """
        with self._database.writing() as sql:
            self.find(task_id)
            sql.execute("DELETE FROM tasks WHERE id = ?", (task_id,))
        self.worker.cancel(task_id)  # it cannot begin or note anything from here on

    def close(self) -> None:
        """Stop what is running where it can be stopped."""
        self.worker.close()
        self._write_failures()

    def _select(self, where: str, *values: str) -> list[Task]:
        with self._database.reading() as sql:
            found = sql.execute(f"SELECT {_COLUMNS} FROM tasks WHERE {where} ORDER BY n", values).fetchall()
            return [self._as_failed(_read(*record)) for record in found]

    def _as_failed(self, task: Task) -> Task:
        """The task as it is if its failure is still to be written."""
        if task.id not in self._failures:
            return task
        why, at_ms = self._failures[task.id]
        progress = replace(task.progress, error=f"{why.rstrip('.')}. {_left_by(task)}")
        return replace(task, status=TaskStatus.FAIL, progress=progress, updated_ms=at_ms)

    def _write_failures(self) -> None:
        """Those of before too, which could not be written then. What still cannot be is told from memory."""
        with self._database.lock:
            for task_id in list(self._failures):
                try:
                    for task in self._select("id = ?", task_id):
                        self.note(task_id, task.progress, task.updated_ms, TaskStatus.FAIL)
                except (StorageFault, sqlite3.Error) as error:
                    log.warning("that task %s has failed cannot be written: %s", task_id, error)
                    return
                del self._failures[task_id]

    def _fail_unfinished(self, why: str) -> None:
        """At the time of their last progress: what came after it is not known."""
        marks = ", ".join("?" * len(UNFINISHED))
        for task in self._select(f"status IN ({marks})", *UNFINISHED):
            self.fail(task.id, why, task.updated_ms)

    def _begin_anew_in_child(self) -> None:
        """After a fork: the thread stayed with the parent, and so did its tasks. A folder stays closed to a child."""
        self.worker.abandon()
        self.worker = Worker()
        if self._database.folder is None:
            self._fail_unfinished("The process was forked while it ran")


def _read(
    id: str,
    type: str,
    status: str,
    collection: str,
    project: str,
    resource_id: str,
    config: bytes,
    progress: bytes,
    created_ms: int,
    updated_ms: int,
) -> Task:
    """A record, its fields in the order of the columns."""
    kept = Progress(**orjson.loads(progress))
    return Task(id, type, collection, project, resource_id, orjson.loads(config), created_ms, updated_ms, status, kept)


def _move(sql: sqlite3.Connection, task_id: str, before: Sequence[str], after: str, now_ms: int) -> bool:
    marks = ", ".join("?" * len(before))
    moved = sql.execute(
        f"UPDATE tasks SET status = ?, updated_ms = ? WHERE id = ? AND status IN ({marks})",
        (after, now_ms, task_id, *before),
    )
    return moved.rowcount == 1


def _left_by(task: Task) -> str:
    if task.type == TaskType.DATA_EXPORT:
        return "Its file is there whole or not at all"
    goal = "" if task.progress.goal is None else f" of {task.progress.goal}"
    return f"{task.progress.done}{goal} rows are done and stay so"


def _note(sql: sqlite3.Connection, task_id: str, progress: Progress, now_ms: int, status: str) -> None:
    noted = sql.execute(
        "UPDATE tasks SET status = ?, progress = ?, updated_ms = ? WHERE id = ?",
        (status, orjson.dumps(asdict(progress)), now_ms, task_id),
    )
    if not noted.rowcount:
        raise Forgotten(task_id)


_all: weakref.WeakSet[Tasks] = weakref.WeakSet()
_held: list[Tasks] = []


def _hold_still() -> None:
    """Before a fork: let no thread of ours be in a database, or the child would find it locked for ever."""
    for tasks in list(_all):
        if tasks.worker.is_busy:
            tasks._database.lock.acquire()
            _held.append(tasks)


def _go_on() -> None:
    while _held:
        _held.pop()._database.lock.release()


def _go_on_in_child() -> None:
    for tasks in _held:
        tasks._begin_anew_in_child()
    _go_on()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_hold_still, after_in_parent=_go_on, after_in_child=_go_on_in_child)
