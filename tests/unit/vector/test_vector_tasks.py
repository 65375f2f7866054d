"""Waiting for a task: until it asks for its confirmation, is done, or has failed."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

import pytest

from pytest_vikingdb import ClientFactory, VirtualClock, Wire
from vikingdb_core.exceptions import InvalidRequest, VikingDBError, WaitTimeout
from vikingdb_vector import AsyncVikingDB, TaskFailed, TaskNotFound, TaskStatus, VikingDB


def status(name: str, **info: Any) -> dict[str, Any]:
    return {
        "ResponseMetadata": {"RequestId": "r"},
        "Result": {"TaskId": "t", "TaskStatus": name, "TaskProcessInfo": info or None},
    }


@pytest.mark.parametrize(
    ("statuses", "until", "ends_with"),
    [
        (["init", "queued", "running", "confirm"], None, "confirm"),
        (["running", "done"], None, "done"),
        (["running", "success"], None, "success"),
        (["queued", "confirmed", "running", "done"], TaskStatus.DONE, "done"),
        (["queued", "running"], "running", "running"),
        (["queued", "done"], {"running"}, "done"),
        (["running", "fail"], [TaskStatus.DONE, TaskStatus.FAIL], "fail"),
    ],
)
def test_waiting_looks_until_a_task_has_come_to_a_status_or_is_done(
    statuses: list[str],
    until: Any,
    ends_with: str,
    viking_client: ClientFactory,
    viking_wire: Wire,
    viking_clock: VirtualClock,
) -> None:
    for each in statuses:
        viking_wire.reply(200, status(each))
    given = {} if until is None else {"until": until}
    task = viking_client(VikingDB).admin.wait_for_task(task_id="t", poll_seconds=3, **given)
    assert task.task_status == ends_with
    assert viking_clock.sleeps == [3] * (len(statuses) - 1)
    assert viking_wire.bodies == [{"TaskId": "t"}] * len(statuses)


def test_waiting_for_a_task_that_fails_ends_with_the_reason(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.reply(200, status("fail", ErrorMessage="a.jsonl line 7 is not JSON")).reply(200, status("fail"))
    admin = viking_client(AsyncVikingDB).admin
    with pytest.raises(TaskFailed, match=r"task 't' has failed: a\.jsonl line 7 is not JSON") as caught:
        asyncio.run(admin.wait_for_task(task_id="t"))
    assert isinstance(pickle.loads(pickle.dumps(caught.value)), VikingDBError)
    with pytest.raises(TaskFailed, match="does not say why"):
        asyncio.run(admin.wait_for_task(task_id="t", until=("done",)))


@pytest.mark.parametrize("until", [TaskStatus.DONE, "running", ["done", "fail"]])
def test_waiting_ends_when_a_task_still_waits_for_its_confirmation_at_the_next_look(
    until: Any, viking_client: ClientFactory, viking_wire: Wire, viking_clock: VirtualClock
) -> None:
    says = r"task 't' waits for its confirmation .* update_task\(task_id='t', task_status='confirmed'\)"
    for now in ("queued", "confirm", "confirm", "confirm", "confirm"):
        viking_wire.reply(200, status(now))
    with pytest.raises(WaitTimeout, match=says):
        viking_client(VikingDB).admin.wait_for_task(task_id="t", until=until, poll_seconds=3)
    assert viking_clock.sleeps == [3, 3]
    with pytest.raises(WaitTimeout, match=says):
        asyncio.run(viking_client(AsyncVikingDB).admin.wait_for_task(task_id="t", until=until))


@pytest.mark.parametrize(
    ("until", "hint"),
    [("don", "'don' is none of: .* Did you mean 'done'"), (["done", "confirmd"], "Did you mean 'confirmed'"), ("", "")],
)
def test_waiting_for_a_status_that_no_task_has_is_refused(
    until: Any, hint: str, viking_client: ClientFactory, viking_wire: Wire
) -> None:
    with pytest.raises(InvalidRequest, match=f"until: status .*{hint}"):
        viking_client(VikingDB).admin.wait_for_task(task_id="t", until=until)
    with pytest.raises(InvalidRequest, match=f"until: status .*{hint}"):
        asyncio.run(viking_client(AsyncVikingDB).admin.wait_for_task(task_id="t", until=until))
    assert viking_wire.sent == []


def test_waiting_for_a_task_ends_with_what_was_seen_last(viking_client: ClientFactory, viking_wire: Wire) -> None:
    for progress in ("10%", "20%", "30%"):
        viking_wire.reply(200, status("running", TaskProgress=progress))
    with pytest.raises(WaitTimeout, match="task 't' was not ready after 4 seconds: status running, progress 30%"):
        viking_client(VikingDB).admin.wait_for_task(task_id="t", timeout=4, poll_seconds=2)


def test_waiting_for_a_task_that_is_not_there_fails_at_once(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.reply(404, {"code": "NotFound.VikingdbTask"})
    with pytest.raises(TaskNotFound):
        viking_client(VikingDB).admin.wait_for_task(task_id="t")


def test_waiting_says_for_which_task(viking_client: ClientFactory, viking_wire: Wire) -> None:
    with pytest.raises(InvalidRequest, match="TaskId"):
        viking_client(VikingDB).admin.wait_for_task()
    assert viking_wire.sent == []


def test_a_confirmation_that_is_not_seen_yet_is_given_a_moment(
    viking_client: ClientFactory, viking_wire: Wire, viking_clock: VirtualClock
) -> None:
    viking_wire.reply(200, status("confirm")).reply(200, status("running")).reply(200, status("done"))
    found = viking_client(VikingDB).admin.wait_for_task(task_id="t", until="done", poll_seconds=3)
    assert found.task_status == "done"
