"""Every operation is shown by an example, and the examples' table says which."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import vikingdb_vector as v
from tests.support.emulator import Emulator
from vikingdb_core.exceptions import APIError, OperationNotSupported, WaitTimeout
from vikingdb_core.hooks import hookimpl
from vikingdb_core.operation import Operation
from vikingdb_local.engine.worker import Worker
from vikingdb_vector.domain import DOMAIN

FOLDER = Path(__file__).parents[2] / "examples" / "vector"
PROGRAMS = sorted(path.stem for path in FOLDER.glob("*.py") if "\ndef main(" in path.read_text(encoding="utf-8"))
CLIENTS = (v.VikingDB, v.CollectionClient, v.IndexClient, v.EmbeddingClient, v.RerankClient, v.AdminClient)
ENDPOINT = "local://?seed=walkthrough&embedder=hash-v1"


def methods_by_operation() -> dict[str, set[str]]:
    """By the operation's name, the methods that perform it: each names it as ``ops.NAME``."""
    found: dict[str, set[str]] = {}
    for client in CLIENTS:
        for name, method in inspect.getmembers(client, inspect.isfunction):
            for constant in re.findall(r"\bops\.([A-Z_]+)\b", inspect.getsource(method)):
                operation = method.__globals__["ops"].__dict__[constant]
                assert isinstance(operation, Operation)
                found.setdefault(operation.name, set()).add(name)
    return found


METHODS = methods_by_operation()


class Recorder:
    """Notes the operations of calls that someone answered who has them."""

    hook_api = 1

    def __init__(self) -> None:
        self.performed: set[str] = set()

    @hookimpl
    def after_call(self, call: Any, error: BaseException | None) -> None:
        is_refusal = isinstance(error, APIError) and not isinstance(error, OperationNotSupported)
        if error is None or is_refusal:
            self.performed.add(call.operation.name)


@pytest.fixture(scope="module", autouse=True)
def importable() -> Iterator[None]:
    """The programs import what they share as programs do, from their own folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        yield


@pytest.fixture(scope="module")
def performed() -> dict[str, set[str]]:
    """By program, the operations it performs."""
    found = {}
    for name in PROGRAMS:
        recorder = Recorder()
        importlib.import_module(name).run(embedded_with(recorder))
        found[name] = recorder.performed
    return found


def embedded_with(plugin: object) -> Any:
    """A setting: a new database with the sample data, and a plugin."""
    setting = importlib.import_module("guide").embedded(ENDPOINT)
    return replace(setting, options={**setting.options, "plugins": [plugin]})


def test_every_operation_has_a_method() -> None:
    assert {operation.name for operation in DOMAIN.operations} == set(METHODS)


def test_every_operation_is_shown_by_an_example(performed: dict[str, set[str]]) -> None:
    shown = set().union(*performed.values())
    missing = [operation.name for operation in DOMAIN.operations if operation.name not in shown]
    assert missing == [], "use them in a program below examples/vector"


def test_the_table_of_the_examples_names_what_each_calls(performed: dict[str, set[str]]) -> None:
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)\.py` \|.*\| (.+) \|$", page, re.MULTILINE)
    table = {program: re.findall(r"`(?:\w+\.)?(\w+)`", calls) for program, calls in rows}
    assert sorted(table) == PROGRAMS
    shared = (FOLDER / "guide.py").read_text(encoding="utf-8")
    for program, methods in table.items():
        text = (FOLDER / f"{program}.py").read_text(encoding="utf-8") + shared
        for operation in performed[program]:
            assert METHODS[operation] & set(methods), f"{program}: {operation} is missing"
        for method in methods:
            performing = {operation for operation, names in METHODS.items() if method in names}
            assert performing & performed[program], f"{program}: {method} is not called"
            assert f".{method}(" in text, f"{program}: {method} is not called"


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_examples_run_live_over_http(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on the managed service: signed requests, and a wait for the rows."""
    guide, recorder = importlib.import_module("guide"), Recorder()
    monkeypatch.setattr(importlib.import_module("tasks"), "POLL_SECONDS", 0.01)
    with Emulator(endpoint=ENDPOINT) as server:
        options: dict[str, Any] = {"endpoint": server.url, "auth": v.IAM("AK", "SK"), "plugins": [recorder]}
        importlib.import_module(name).run(guide.Setting(is_live=True, options=options))
        assert len(server.received) > 0
        assert all("Authorization" in request.headers or "Ping" in request.target for request in server.received)
        with v.VikingDB(**options) as client:
            for index in (client.index(**guide.TEXT_INDEX), client.index(**guide.VECTOR_INDEX)):
                assert index.aggregate({"op": "count"}).result.total == 8, "no row is left behind"


def test_a_task_that_does_not_end_is_deleted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks, recorder = importlib.import_module("tasks"), Recorder()
    monkeypatch.setattr(Worker, "add", lambda *_: None)
    monkeypatch.setattr(tasks, "TASK_SECONDS", 0.01)
    with pytest.raises(WaitTimeout, match="status queued"):
        tasks.run(embedded_with(recorder))
    assert "vector.task.delete" in recorder.performed
