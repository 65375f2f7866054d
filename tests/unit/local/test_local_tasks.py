"""Tasks that change rows: asked for, confirmed, done batch by batch in the background, stopped, and remembered."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.local.desk import CHEAP, DEAR, FIELDS, PATIENCE_SECONDS, Desk, Gate, progress_of
from vikingdb_core.exceptions import VikingDBError
from vikingdb_local.engine.derived import Derived
from vikingdb_local.handlers import steps
from vikingdb_vector import (
    CollectionNotFound,
    InvalidParameter,
    MissingParameter,
    OperationDenied,
    TaskFailed,
    TaskNotFound,
)

THREAD = "vikingdb-local-tasks"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Collection ``books`` with ten rows, 1 to 10."""
    made = Desk(tmp_path / "buckets", tmp_path / "database")
    made.make()
    made.fill(range(1, 11))
    yield made
    made.close()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    made = Gate(monkeypatch)
    yield made
    made.open()


def test_an_update_shows_what_it_would_change_and_changes_it_when_confirmed(desk: Desk) -> None:
    task = desk.run("filter_update", filter_conds=[CHEAP], update_fields={"genre": "bargain"})
    found = progress_of(task)
    assert (task.task_status, task.task_type, found.task_progress) == ("confirm", "filter_update", "0%")
    assert (found.total_data_count, found.scan_data_count, found.total_filter_count) == (10, 10, 5)
    assert found.sample_data == [{"id": key, "genre": "sf", "price": 5.0} for key in (1, 3, 5, 7, 9)]
    assert found.sample_timestamp == int(desk.clock.seconds)
    assert set(desk.genres().values()) == {"sf"}

    desk.admin.update_task(task_id=task.task_id, task_status="confirmed")
    desk.settle()
    done = desk.task(task.task_id or "")
    assert (done.task_status, progress_of(done).task_progress) == ("done", "100%")
    assert desk.genres() == {key: "bargain" if key % 2 else "sf" for key in range(1, 11)}


def test_an_update_need_not_be_confirmed_when_it_says_so(desk: Desk) -> None:
    task = desk.run("filter_update", filter_conds=[CHEAP], update_fields={"genre": "bargain"}, need_confirm=False)
    assert task.task_status == "done"
    assert list(desk.genres().values()).count("bargain") == 5


def test_a_deletion_deletes_what_matches_all_conditions(desk: Desk) -> None:
    conds = [{"op": "must", "field": "id", "conds": [1, 2, 3, 4]}, {"op": "range", "field": "price", "gt": 10}]
    task = desk.run("filter_delete", filter_conds=conds, need_confirm=False)
    assert (task.task_status, progress_of(task).total_filter_count) == ("done", 2)
    assert sorted(desk.genres()) == [1, 3, 5, 6, 7, 8, 9, 10]


def test_an_update_changes_vectors_and_embeds_texts(desk: Desk) -> None:
    desk.run("filter_update", filter_conds=[CHEAP], update_fields={"mood": [0, 0, 0, 2]}, need_confirm=False)
    assert {tuple(row["mood"]) for row in desk.rows() if row["id"] % 2} == {(0, 0, 0, 2)}
    fields = [
        {"field_name": "id", "field_type": "int64", "is_primary_key": True},
        {"field_name": "text", "field_type": "text"},
        {"field_name": "topic", "field_type": "string"},
    ]
    desk.make("passages", fields, vectorize={"dense": {"model_name": "bge-m3", "text_field": "text"}})
    passages = desk.collection("passages")
    passages.upsert({"data": [{"id": 1, "text": "a stone", "topic": "x"}]})
    passages.upsert({"data": [{"id": 2, "text": "a stone", "topic": "y"}]})
    only_y = {"op": "must", "field": "topic", "conds": ["y"]}
    changed = {"filter_conds": [only_y], "update_fields": {"text": "sails"}, "need_confirm": False}
    assert desk.run("filter_update", "passages", **changed).task_status == "done"
    hits = desk.db.index(collection_name="passages", index_name="i").search_by_multi_modal({"text": "sails"})
    assert [(hit.id, hit.score > 0.9) for hit in hits.result.data] == [(2, True), (1, False)]


def test_rows_are_looked_at_again_when_a_task_is_confirmed(desk: Desk) -> None:
    task = desk.run("filter_update", filter_conds=[CHEAP], update_fields={"genre": "bargain"})
    desk.collection().update({"data": [{"id": 1, "price": 99}, {"id": 2, "price": 1}]})
    desk.collection().delete({"ids": [3]})
    desk.admin.update_task(task_id=task.task_id, task_status="confirmed")
    desk.settle()
    assert sorted(key for key, genre in desk.genres().items() if genre == "bargain") == [2, 5, 7, 9]
    assert progress_of(desk.task(task.task_id or "")).total_filter_count == 4


def test_expired_rows_are_not_touched_and_the_others_end_when_they_would_have(desk: Desk) -> None:
    mood = [0, 1, 0, 0]
    desk.collection().upsert({"data": [{"id": 21, "price": 5, "mood": mood}], "ttl": 10})
    desk.collection().upsert({"data": [{"id": 22, "price": 5, "mood": mood}], "ttl": 100})
    desk.clock.seconds += 50
    task = desk.run("filter_update", filter_conds=[CHEAP], update_fields={"genre": "bargain"}, need_confirm=False)
    assert progress_of(task).total_filter_count == 6
    assert desk.genres()[22] == "bargain"
    desk.clock.seconds += 51
    assert 22 not in desk.genres()


def test_a_task_that_runs_says_how_far_it_is(desk: Desk, gate: Gate) -> None:
    task_id = desk.start("filter_update", filter_conds=[CHEAP], update_fields={"genre": "bargain"}, need_confirm=False)
    gate.wait()
    desk.clock.seconds += 40
    gate.next()
    task = desk.task(task_id)
    assert (task.task_status, progress_of(task).task_progress) == ("running", "80%")
    assert progress_of(task).estimated_remaining_time == 10  # 4 rows took 40 seconds, 1 is left
    assert list(desk.genres().values()).count("bargain") == 4, "what is done can be seen"
    gate.open()
    desk.settle()
    assert progress_of(desk.task(task_id)).estimated_remaining_time is None


def test_a_row_that_does_not_match_any_more_when_its_batch_comes_is_left_alone(desk: Desk, gate: Gate) -> None:
    desk.start("filter_update", filter_conds=[CHEAP], update_fields={"genre": "bargain"}, need_confirm=False)
    gate.wait()
    desk.collection().update({"data": [{"id": 5, "price": 99}]})
    desk.collection().delete({"ids": [7]})
    desk.fill([31])
    gate.open()
    desk.settle()
    assert sorted(key for key, genre in desk.genres().items() if genre == "bargain") == [1, 3, 9]


def test_tasks_are_done_one_after_another(desk: Desk, gate: Gate) -> None:
    first = desk.start("filter_update", filter_conds=[CHEAP], update_fields={"genre": "one"}, need_confirm=False)
    second = desk.start("filter_update", filter_conds=[CHEAP], update_fields={"genre": "two"}, need_confirm=False)
    gate.wait()
    assert [desk.task(each).task_status for each in (first, second)] == ["running", "queued"]
    gate.open()
    desk.settle()
    assert desk.genres()[1] == "two"


def test_deleting_a_running_task_stops_it_after_its_batch(desk: Desk, gate: Gate) -> None:
    task_id = desk.start("filter_delete", filter_conds=[CHEAP], need_confirm=False)
    gate.wait()
    deleting = threading.Thread(target=lambda: desk.admin.delete_task(task_id=task_id))
    deleting.start()
    work = desk.tasks.worker._queue[0]
    assert work.stop.wait(PATIENCE_SECONDS)
    gate.open()
    deleting.join(PATIENCE_SECONDS)
    assert not deleting.is_alive()
    assert sorted(desk.genres()) == [2, 4, 5, 6, 7, 8, 9, 10], "one batch of two"
    with pytest.raises(TaskNotFound):
        desk.task(task_id)
    desk.settle()


def test_a_task_deleted_before_its_turn_does_nothing(desk: Desk, gate: Gate) -> None:
    desk.start("filter_update", filter_conds=[CHEAP], update_fields={"genre": "one"}, need_confirm=False)
    second = desk.start("filter_delete", filter_conds=[DEAR], need_confirm=False)
    gate.wait()
    desk.admin.delete_task(task_id=second)
    gate.open()
    desk.settle()
    assert len(desk.genres()) == 10


def test_deleting_nearly_everything_builds_the_arrays_anew_a_few_times_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where they come from a cache, whose rows are mostly dead by then."""
    monkeypatch.setattr(steps, "BATCH_ROWS", 100)
    restore, calls = Derived.restore, []

    def counted(*arguments: Any) -> Any:
        calls.append(arguments)
        return restore(*arguments)

    desk = Desk(tmp_path / "buckets", tmp_path / "folder")
    desk.make(fields=[FIELDS[0]])
    for start in range(1, 4001, 100):
        desk.collection().upsert({"data": [{"id": start + more} for more in range(100)]})
    desk.reopen()
    monkeypatch.setattr(Derived, "restore", counted)
    every = {"op": "range", "field": "id", "gt": 0}
    assert desk.run("filter_delete", filter_conds=[every], need_confirm=False).task_status == "done"
    desk.close()
    assert len(calls) < 10, "of forty batches"


def test_only_a_task_that_waits_for_it_can_be_confirmed(desk: Desk) -> None:
    task = desk.run("filter_delete", filter_conds=[CHEAP], need_confirm=False)
    with pytest.raises(OperationDenied, match="is 'done'"):
        desk.admin.update_task(task_id=task.task_id, task_status="confirmed")
    waiting = desk.run("filter_delete", filter_conds=[DEAR])
    for status in ("done", "CONFIRMED", "running"):
        with pytest.raises(InvalidParameter, match="a task can only be confirmed"):
            desk.admin.update_task(task_id=waiting.task_id, task_status=status)
    desk.admin.delete_task(task_id=waiting.task_id)
    with pytest.raises(TaskNotFound, match=r"there is no task 'task-"):
        desk.admin.update_task(task_id=waiting.task_id, task_status="confirmed")
    assert len(desk.genres()) == 5


def test_a_description_is_written_as_the_control_plane_does(desk: Desk) -> None:
    desk.clock.seconds = 1_790_000_000
    task_id = desk.start("filter_delete", filter_conds=[CHEAP])
    desk.settle()
    desk.clock.seconds += 3600
    desk.admin.update_task(task_id=task_id, task_status="confirmed")
    desk.settle()
    task = desk.task(task_id)
    assert (task.create_time, task.update_time) == ("2026-09-21 14:13:20", "2026-09-21 15:13:20")
    assert task.update_person == "local"
    config = task.task_config
    assert config is not None
    assert (config.collection_name, config.project_name, config.need_confirm) == ("books", "default", None)
    assert (config.resource_id or "").startswith("vdb-")
    assert config.filter_conds == [CHEAP.to_wire()]


def test_tasks_are_listed_by_collection_kind_and_status_in_pages(desk: Desk) -> None:
    desk.make("films")
    ids = [desk.run("filter_delete", name, filter_conds=[CHEAP]).task_id for name in ("books", "films", "books")]
    done = desk.run("filter_update", filter_conds=[DEAR], update_fields={"genre": "x"}, need_confirm=False).task_id
    films = desk.admin.get_collection(collection_name="films").result

    def listed(**which: Any) -> list[str | None]:
        return [task.task_id for task in desk.admin.list_tasks(**which).result.tasks]

    assert listed() == [*ids, done]
    assert listed(collection_name="books") == [ids[0], ids[2], done]
    assert listed(resource_id=films.resource_id) == [ids[1]]
    assert listed(project_name="elsewhere") == []
    assert listed(task_type="filter_update") == [done]
    assert listed(task_status="confirm", collection_name="books") == [ids[0], ids[2]]
    page = desk.admin.list_tasks(page_number=2, page_size=3).result
    assert ([task.task_id for task in page.tasks], page.page_number, page.page_size, page.total_count) == (
        [done],
        2,
        3,
        4,
    )
    assert [task.task_id for task in desk.admin.iter_tasks(task_type="filter_delete")] == ids
    for wrong in ({"task_type": "filter_updat"}, {"task_status": "don"}):
        with pytest.raises(InvalidParameter, match="Did you mean"):
            desk.admin.list_tasks(**wrong)


DELETE = {"filter_conds": [CHEAP]}
REFUSED: list[tuple[str, dict[str, Any], type[VikingDBError], str]] = [
    ("filter_updat", {}, InvalidParameter, "Did you mean 'filter_update'"),
    ("filter_delete", {}, MissingParameter, "FilterConds says which rows"),
    ("filter_delete", {"filter_conds": []}, MissingParameter, "FilterConds says which rows"),
    ("filter_delete", {"filter_conds": [{}]}, InvalidParameter, r"TaskConfig.FilterConds\[0\] has no op"),
    ("filter_delete", {"filter_conds": [{"op": "must", "field": "gen", "conds": []}]}, InvalidParameter, "'genre'"),
    ("filter_delete", {"filter_conds": [{"op": "must", "field": "price", "conds": [1]}]}, InvalidParameter, "float32"),
    ("filter_delete", {"filter_conds": [{"op": "range", "field": "mood", "gt": 1}]}, InvalidParameter, "no field that"),
    ("filter_delete", {**DELETE, "update_fields": {"genre": "x"}}, InvalidParameter, "UpdateFields does not go with"),
    ("filter_delete", {**DELETE, "tos_path": "bucket/x"}, InvalidParameter, "TosPath does not go with filter_delete"),
    ("filter_update", {"update_fields": {"genre": "x"}}, MissingParameter, "FilterConds"),
    ("filter_update", DELETE, MissingParameter, "UpdateFields says what is to change"),
    ("filter_update", {**DELETE, "update_fields": {}}, MissingParameter, "UpdateFields says what is to change"),
    ("filter_update", {**DELETE, "update_fields": {"id": 3}}, InvalidParameter, "'id' is the primary key"),
    ("filter_update", {**DELETE, "update_fields": {"gener": "x"}}, InvalidParameter, "no field 'gener'.*'genre'"),
    ("filter_update", {**DELETE, "update_fields": {"price": "x"}}, InvalidParameter, "takes a number, not a string"),
    ("filter_update", {**DELETE, "update_fields": {"mood": [1]}}, InvalidParameter, "its dimension is 4"),
]


@pytest.mark.parametrize(("task_type", "config", "error", "says"), REFUSED)
def test_a_task_that_makes_no_sense_is_refused_and_not_remembered(
    task_type: str, config: dict[str, Any], error: type[VikingDBError], says: str, desk: Desk
) -> None:
    with pytest.raises(error, match=says):
        desk.start(task_type, **config)
    assert desk.admin.list_tasks().result.total_count == 0


def test_a_task_names_its_collection_in_the_request_or_in_its_config(desk: Desk) -> None:
    books = desk.admin.get_collection(collection_name="books").result
    conds = [CHEAP]
    for config in ({"collection_name": "books"}, {"resource_id": books.resource_id}):
        desk.admin.create_task(task_type="filter_delete", task_config={**config, "filter_conds": conds})
    with pytest.raises(InvalidParameter, match="different values for collection_name"):
        desk.start("filter_delete", collection_name="films", filter_conds=conds)
    with pytest.raises(MissingParameter, match="names no collection"):
        desk.admin.create_task(task_type="filter_delete", task_config={"filter_conds": conds})
    with pytest.raises(CollectionNotFound):
        desk.start("filter_delete", "films", filter_conds=conds)
    with pytest.raises(MissingParameter, match="TaskConfig is missing"):
        desk.admin.create_task(task_type="filter_delete", collection_name="books")
    desk.settle()


def test_a_task_whose_collection_is_deleted_fails_and_says_so(desk: Desk, gate: Gate) -> None:
    task_id = desk.start("filter_update", filter_conds=[CHEAP], update_fields={"genre": "x"}, need_confirm=False)
    gate.wait()
    desk.admin.delete_index(collection_name="books", index_name="i")
    desk.admin.delete_collection(collection_name="books")
    gate.open()
    desk.settle()
    task = desk.task(task_id)
    assert task.task_status == "fail"
    assert "no collection with resource id" in (progress_of(task).error_message or "")
    assert "2 of 5 rows are done and stay so" in (progress_of(task).error_message or "")


def test_a_fault_of_the_engine_fails_the_task_and_tells_nothing_of_its_insides(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a secret detail")

    monkeypatch.setattr("vikingdb_local.engine.collection.Collection.delete", fail)
    task = desk.run("filter_delete", filter_conds=[CHEAP], need_confirm=False)
    said = progress_of(task).error_message or ""
    assert task.task_status == "fail"
    assert "the log" in said
    assert "secret" not in said
    assert "a secret detail" in caplog.text
    assert (task.task_id or "") in caplog.text


def test_waiting_ends_with_the_reason_why_a_task_has_failed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = desk.start("filter_delete", filter_conds=[CHEAP])
    task = desk.admin.wait_for_task(task_id=waiting, poll_seconds=0.01)
    assert task.task_status == "confirm"
    desk.admin.delete_index(collection_name="books", index_name="i")
    desk.admin.delete_collection(collection_name="books")
    desk.admin.update_task(task_id=waiting, task_status="confirmed")
    with pytest.raises(TaskFailed, match="no collection with resource id"):
        desk.admin.wait_for_task(task_id=waiting, until="done", poll_seconds=0.01)


def test_what_waits_for_its_confirmation_still_does_after_reopening(desk: Desk) -> None:
    task = desk.run("filter_delete", filter_conds=[CHEAP])
    done = desk.run("filter_update", filter_conds=[DEAR], update_fields={"genre": "dear"}, need_confirm=False)
    desk.reopen()
    assert desk.task(task.task_id or "") == task
    assert desk.task(done.task_id or "") == done
    desk.admin.update_task(task_id=task.task_id, task_status="confirmed")
    desk.settle()
    assert desk.genres() == {key: "dear" for key in (2, 4, 6, 8, 10)}


def test_closing_stops_tasks_after_a_batch_and_reopening_says_how_far_they_were(desk: Desk, gate: Gate) -> None:
    first = desk.start("filter_delete", filter_conds=[CHEAP], need_confirm=False)
    second = desk.start("filter_delete", filter_conds=[DEAR], need_confirm=False)
    gate.wait()
    work = desk.tasks.worker._queue[0]
    closing = threading.Thread(target=desk.close)
    closing.start()
    assert work.stop.wait(PATIENCE_SECONDS)
    gate.open()
    closing.join(PATIENCE_SECONDS)
    assert not closing.is_alive()
    assert THREAD not in {thread.name for thread in threading.enumerate()}
    desk.open()
    assert sorted(desk.genres()) == [2, 4, 5, 6, 7, 8, 9, 10]
    for task_id, left in ((first, "2 of 5 rows are done and stay so"), (second, "0 rows are done")):
        task = desk.task(task_id)
        assert task.task_status == "fail"
        assert left in (progress_of(task).error_message or "")


def test_there_is_a_thread_only_while_there_are_tasks(desk: Desk, gate: Gate) -> None:
    def threads() -> int:
        return [thread.name for thread in threading.enumerate()].count(THREAD)

    assert threads() == 0
    desk.start("filter_delete", filter_conds=[CHEAP], need_confirm=False)
    gate.wait()
    assert threads() == 1
    gate.open()
    desk.settle()
    assert threads() == 0


BEGUN = """
import sys, threading
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.transport import TransportSettings
from vikingdb_local.handlers import steps
from vikingdb_local.transport import LocalTransport
from vikingdb_vector import VikingDB

steps.BATCH_ROWS, begun, change_some = 10, threading.Event(), steps._Run._change_some

def changing(*arguments):
    change_some(*arguments)
    if not begun.is_set():
        begun.set()
        assert transport._session.catalog.tasks.worker._queue[0].stop.wait(60)

steps._Run._change_some = changing
transport = LocalTransport(Endpoint.parse(sys.argv[1]), TransportSettings())
db = VikingDB(endpoint=sys.argv[1], transport=transport)
db.admin.create_collection(
    collection_name="c", fields=[{"field_name": "id", "field_type": "int64", "is_primary_key": True}]
)
db.collection(collection_name="c").upsert({"data": [{"id": n} for n in range(1, 101)]})
config = {"filter_conds": [{"op": "range", "field": "id", "gt": 0}], "need_confirm": False}
task_id = db.admin.create_task(task_type="filter_delete", collection_name="c", task_config=config).result.task_id
assert begun.wait(60)
"""
"""A program whose task is through with ten rows of a hundred, and stops as soon as it is told to."""


def run_program(text: str, *arguments: str) -> str:
    """What it prints; it must end well and say nothing of errors."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", text, *arguments],
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE_SECONDS,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout


def test_a_program_that_ends_does_not_wait_for_its_tasks(tmp_path: Path) -> None:
    endpoint = f"local://{tmp_path.as_posix()}/database"
    # What is registered first comes last: after the database was closed.
    at_exit = "import atexit\natexit.register(lambda: print(transport._session.catalog.tasks.worker.is_busy))\n"
    assert run_program(at_exit + BEGUN, endpoint) == "False\n"
    left = """
import sys
from vikingdb_vector import VikingDB
db = VikingDB(endpoint=sys.argv[1])
(task,) = db.admin.list_tasks().result.tasks
rows = db.admin.get_collection(collection_name="c").result.collection_stats.data_count
print(task.task_status, rows, task.task_process_info.error_message)
"""
    assert run_program(left, endpoint).startswith("fail 90 The process that ran it has ended. 10 of 100 rows are done")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_finds_the_tasks_of_its_parent_failed_and_can_have_its_own() -> None:
    forking = """
import os
child = os.fork()
if child == 0:
    found = db.admin.get_task(task_id=task_id).result
    print(found.task_status, found.task_process_info.error_message, flush=True)
    own = db.admin.create_task(task_type="filter_delete", collection_name="c", task_config=config).result.task_id
    print(db.admin.wait_for_task(task_id=own, timeout=60, poll_seconds=0.01).task_status, flush=True)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print(db.admin.get_task(task_id=task_id).result.task_status)
db.admin.delete_task(task_id=task_id)
"""
    in_child, own, in_parent = run_program(BEGUN + forking, "local://forked").splitlines()
    assert in_child.startswith("fail The process was forked while it ran.")
    assert own == "done"
    assert in_parent == "running"
