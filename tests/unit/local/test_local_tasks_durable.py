"""Tasks of a process that was killed: no batch is torn, and what is said of them is what they did."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.local.desk import Desk, progress_of
from vikingdb_local.engine import tasks
from vikingdb_local.handlers import steps

ROWS = 100
KILLED_IN_A_BATCH = """
import json, sys, threading
from vikingdb_local.engine import rows
from vikingdb_local.handlers import steps
from vikingdb_vector import VikingDB

steps.BATCH_ROWS, touched = 10, 0

def stopping(statement):
    def at_the_35th(*arguments):
        global touched
        touched += 1
        if touched == 35:
            print("within a batch", flush=True)
            threading.Event().wait()
        return statement(*arguments)
    return at_the_35th

def one_by_one(delete):
    def each(sql, collection_id, keys):
        for key in keys:
            delete(sql, collection_id, [key])
    return each

rows.put, rows.delete = stopping(rows.put), one_by_one(stopping(rows.delete))
db = VikingDB(endpoint=sys.argv[1])
db.admin.create_task(task_type=sys.argv[2], collection_name="books", task_config=json.loads(sys.argv[3]))
threading.Event().wait()
"""
EVERY = [{"op": "range", "field": "id", "gt": 0}]
KILLED = {
    "filter_update": {"filter_conds": EVERY, "update_fields": {"genre": "changed"}, "need_confirm": False},
    "filter_delete": {"filter_conds": EVERY, "need_confirm": False},
    "data_import": {"file_type": "json", "tos_path": "bucket/in.jsonl"},
}


@pytest.mark.parametrize("task_type", KILLED)
def test_a_killed_task_has_done_whole_batches_and_says_how_many_rows(task_type: str, tmp_path: Path) -> None:
    desk = Desk(tmp_path / "buckets", tmp_path / "database")
    desk.make()
    rows = [{"id": key, "mood": [key, 1, 0, 0]} for key in range(1, ROWS + 1)]
    if task_type == "data_import":
        (tmp_path / "buckets" / "bucket").mkdir(parents=True)
        (tmp_path / "buckets" / "bucket" / "in.jsonl").write_text("\n".join(map(json.dumps, rows)))
    else:
        desk.collection().upsert({"data": rows})
    desk.close()

    program = [sys.executable, "-c", KILLED_IN_A_BATCH, desk.endpoint, task_type, json.dumps(KILLED[task_type])]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "within a batch\n"
        process.kill()

    desk.open()
    (task,) = desk.admin.list_tasks().result.tasks
    assert task.task_status == "fail"
    said = "The process that ran it has ended. 30 of 100 rows are done and stay so"
    assert (progress_of(task).error_message, progress_of(task).task_progress) == (said, "30%")
    genres = desk.genres()
    done = {
        "filter_update": sum(genre == "changed" for genre in genres.values()),
        "filter_delete": ROWS - len(genres),
        "data_import": len(genres),
    }
    assert done[task_type] == 30

    assert desk.run(task_type, **KILLED[task_type]).task_status == "done", "made again, it does the rest"
    expected = {"filter_update": {"changed"}, "filter_delete": set(), "data_import": {"default"}}
    assert (set(desk.genres().values()), len(desk.genres())) == (
        expected[task_type],
        0 if task_type == "filter_delete" else ROWS,
    )
    desk.close()


def test_a_batch_that_cannot_be_noted_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(tmp_path / "buckets")
    desk.make()
    desk.fill(range(1, 11))
    monkeypatch.setattr(steps, "BATCH_ROWS", 4)
    note, calls = tasks._note, []

    def fail_at_the_third(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == 3:  # the first is of the scan
            raise sqlite3.OperationalError("database or disk is full")
        note(*arguments)

    monkeypatch.setattr(tasks, "_note", fail_at_the_third)
    task = desk.run("filter_delete", filter_conds=EVERY, need_confirm=False)
    assert task.task_status == "fail"
    assert "4 of 10 rows are done and stay so" in (progress_of(task).error_message or "")
    assert sorted(desk.genres()) == [5, 6, 7, 8, 9, 10], "the arrays too"
    desk.close()


def test_a_folder_without_tasks_gets_the_table_for_them(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "buckets", tmp_path / "database")
    desk.make()
    desk.fill([1, 2])
    desk.close()
    with sqlite3.connect(tmp_path / "database" / "data.sqlite") as older:
        older.executescript("DROP TABLE tasks; DROP TABLE caches; PRAGMA user_version = 2;")
    older.close()
    desk.open()
    assert sorted(desk.genres()) == [1, 2]
    assert desk.run("filter_delete", filter_conds=EVERY, need_confirm=False).task_status == "done"
    desk.reopen()
    assert desk.admin.list_tasks().result.total_count == 1
    desk.close()
