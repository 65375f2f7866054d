"""Steps: the work of a task, a batch of rows at a time.

A batch and the note of it are written together, so what a task says it is through with is what it did. A row is
changed or exported as it is when its batch comes, if it still matches then.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

from vikingdb_vector import models as m
from vikingdb_vector.models import TaskStatus

from ..engine.buckets import writing_whole
from ..engine.collection import Collection, NewRow, Patch, StaleSchema
from ..engine.formats import Given
from ..engine.rows import Key
from ..engine.schema import AUTO_ID, Schema
from ..engine.segment import Row
from ..engine.tasks import Forgotten, Progress, Task
from ..engine.which import both, how_many, positions
from ..engine.worker import Steps
from ..errors import ServiceError, invalid, json_type
from ..session import Session
from .incoming import embed_texts, read_new, refuse_unknown
from .output import select_fields
from .plans import ChangePlan, ExportPlan, ImportPlan, matching_rows, read_plan

log = logging.getLogger("vikingdb.local")

BATCH_ROWS = 1000
EMBEDDED_ROWS = 100
"""Rows of a batch; and of one whose texts are to be embedded, which takes longer."""

SAMPLE_ROWS = 5
TOLD_ROWS = 5
"""How many skipped rows the error message names."""


def steps_of(session: Session, task_id: str) -> Steps:
    """The work of a task, from where it waits: for its turn, or for its turn after it was confirmed."""
    tasks = session.catalog.tasks
    try:
        task = tasks.begin(task_id, session.now_ms)
        if task is not None:
            yield from _Run(session, task).steps()
    except Forgotten:
        return
    except ServiceError as error:
        tasks.fail(task_id, error.message, session.now_ms)
    except OSError as error:
        tasks.fail(task_id, str(error), session.now_ms)
    except Exception:
        log.exception("task %s failed", task_id)
        why = f"The local engine failed; the log (logger vikingdb.local) has the cause under {task_id}"
        tasks.fail(task_id, why, session.now_ms)


class _Run:
    """A task at work."""

    def __init__(self, session: Session, task: Task) -> None:
        self._session, self._task = session, task
        self._database, self._tasks = session.catalog.database, session.catalog.tasks
        self._progress = Progress(began_ms=session.now_ms)
        self._skipped = 0
        self._told: list[str] = []

    def steps(self) -> Steps:
        config = m.TaskConfig(**self._task.config)
        plan = read_plan(self._session, self._collection(), self._task.type, config, self._task.id)
        match plan:
            case ImportPlan():
                yield from self._import(plan)
            case ExportPlan():
                yield from self._export(plan)
            case ChangePlan():
                yield from self._change(plan)

    def _import(self, plan: ImportPlan) -> Steps:
        most = BATCH_ROWS if self._collection().schema.vectorizer is None else EMBEDDED_ROWS
        self._progress = replace(self._progress, total=sum(map(plan.format.count, plan.files)))
        self._note()
        for file in plan.files:
            for given in plan.format.read(file, most):
                self._insert(given, plan.skips_bad_rows)
                yield
        self._note(TaskStatus.DONE)

    def _insert(self, given: Sequence[Given], skips_bad_rows: bool) -> None:
        while True:
            collection = self._collection()
            schema = collection.schema
            read, refused = _read(schema, given, skips_bad_rows)
            rows, _ = embed_texts(self._session, collection, read)
            try:
                with self._noting(self._counted(len(given), refused)):
                    collection.upsert(rows, None, self._session.now_ms, schema)
            except StaleSchema:
                continue  # somebody added a field meanwhile: read them again
            self._skipped += len(refused)
            self._told += refused[: TOLD_ROWS - len(self._told)]
            return

    def _counted(self, count: int, refused: Sequence[str]) -> Progress:
        scanned, skipped = self._progress.scanned + count, self._skipped + len(refused)
        told = [*self._told, *refused][:TOLD_ROWS]
        if len(told) < skipped:
            told.append(f"and {skipped - len(told)} more")
        error = f"{skipped} of {scanned} rows were skipped: {'; '.join(told)}" if skipped else ""
        return replace(self._progress, scanned=scanned, done=scanned, error=error)

    def _export(self, plan: ExportPlan) -> Steps:
        keys = self._scan(plan.conds)
        with (
            writing_whole(plan.folder, plan.file) as file,
            closing(plan.format.writer(file, plan.fields)) as writer,
        ):
            for some in _slices(keys):
                collection = self._collection()
                with self._database.lock:
                    still = self._matching(collection, plan.conds, some) if plan.conds else some
                    found = collection.fetch(still, self._session.now_ms)
                name = collection.schema.vector.name if collection.schema.vector else None
                rows = [_document(found[key], name) for key in still if key in found]
                writer.write([{each.name: row[each.name] for each in plan.fields if each.name in row} for row in rows])
                self._progress = replace(self._progress, done=self._progress.done + len(some))
                self._note()
                yield
        self._note(TaskStatus.DONE)

    def _change(self, plan: ChangePlan) -> Steps:
        keys = self._scan(plan.conds)
        if plan.needs_confirmation and self._task.status != TaskStatus.CONFIRMED:
            self._note(TaskStatus.CONFIRM)
            return
        patch = None
        if plan.patch is not None:
            (patch,), _ = embed_texts(self._session, self._collection(), [plan.patch])
        for some in _slices(keys):
            self._change_some(plan.conds, patch, some)
            yield
        self._note(TaskStatus.DONE)

    def _change_some(self, conds: Sequence[Mapping[str, Any]], patch: Patch | None, keys: Sequence[Key]) -> None:
        collection, now_ms = self._collection(), self._session.now_ms
        with self._database.lock:
            still = self._matching(collection, conds, keys)
            with self._noting(replace(self._progress, done=self._progress.done + len(keys))):
                if patch is None:
                    collection.delete(still, now_ms)
                else:
                    patches = [replace(patch, key=key) for key in still]
                    collection.update(patches, None, now_ms, keep_expiry=True)

    def _scan(self, conds: Sequence[Mapping[str, Any]]) -> list[Key]:
        """Keys of the rows that match now, oldest first; and the count and a sample of them."""
        collection, now_ms = self._collection(), self._session.now_ms
        with self._database.lock:
            total = how_many(collection.snapshot().alive(now_ms))
            keys = self._matching(collection, conds)
            sample = collection.fetch(keys[:SAMPLE_ROWS], now_ms)
            select = select_fields(collection.schema, None)
        self._progress = replace(
            self._progress,
            total=total,
            scanned=total,
            matched=len(keys),
            sample=[select(sample[key].fields) for key in keys[:SAMPLE_ROWS] if key in sample],
            sample_ms=now_ms,
        )
        self._note()
        return keys

    def _matching(
        self, collection: Collection, conds: Sequence[Mapping[str, Any]], among: Sequence[Key] | None = None
    ) -> list[Key]:
        snapshot = collection.snapshot()
        which = both(snapshot.alive(self._session.now_ms), matching_rows(conds, collection.schema, snapshot))
        if among is not None:
            which = both(which, snapshot.with_keys(among))
        return snapshot.keys(positions(which))

    def _collection(self) -> Collection:
        """As it is now: it may have been changed, and may be gone."""
        return self._session.catalog.by_resource_id(self._task.resource_id, None)

    @contextmanager
    def _noting(self, progress: Progress) -> Iterator[None]:
        with self._tasks.noting(self._task.id, progress, self._session.now_ms):
            yield
        self._progress = progress

    def _note(self, status: str = TaskStatus.RUNNING) -> None:
        self._tasks.note(self._task.id, self._progress, self._session.now_ms, status)


def _read(schema: Schema, given: Sequence[Given], skips_bad_rows: bool) -> tuple[list[NewRow], list[str]]:
    """The rows, and what is wrong with those that are skipped."""
    rows, refused = [], []
    for where, row in given:
        try:
            rows.append(_read_one(schema, where, row))
        except ServiceError as error:
            if not skips_bad_rows:
                raise
            refused.append(error.message)
    return rows, refused


def _read_one(schema: Schema, where: str, row: Any) -> NewRow:
    if isinstance(row, ValueError):
        raise invalid(f"{where} {row}")
    if not isinstance(row, dict):
        raise invalid(f"{where} must be an object, not {json_type(row)}")
    if schema.has_auto_id:
        row = {name: value for name, value in row.items() if name != AUTO_ID}  # of an export: ids are made anew
    refuse_unknown(row, schema.fields, where)
    return read_new(schema, row, where)


def _document(row: Row, vector_name: str | None) -> Mapping[str, Any]:
    return row.fields if vector_name is None else {**row.fields, vector_name: row.vector}


def _slices(keys: Sequence[Key]) -> Iterator[Sequence[Key]]:
    for start in range(0, len(keys), BATCH_ROWS):
        yield keys[start : start + BATCH_ROWS]
