"""A database to run tasks on, a folder for its buckets, and ways to wait for tasks without sleeping."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.unit.local.wire import Clock
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.transport import TransportSettings
from vikingdb_local.engine.tasks import Tasks
from vikingdb_local.handlers import steps
from vikingdb_local.transport import LocalTransport
from vikingdb_vector import F, TaskInfo, TaskProcessInfo, VikingDB

FIELDS = [
    {"field_name": "id", "field_type": "int64", "is_primary_key": True},
    {"field_name": "genre", "field_type": "string"},
    {"field_name": "price", "field_type": "float32"},
    {"field_name": "mood", "field_type": "vector", "dim": 4},
]
PATIENCE_SECONDS = 60
CHEAP, DEAR = F("price") < 10, F("price") >= 10


class Desk:
    """A client of a database: in memory, or in a folder, where it can be opened again."""

    def __init__(self, buckets: Path, folder: Path | None = None) -> None:
        self.clock, self.buckets = Clock(), buckets
        place = "" if folder is None else folder.as_posix()
        self.endpoint = f"local://{place}?embedder=hash-v1&tos={quote(buckets.as_posix())}"
        self.open()

    def open(self) -> None:
        endpoint = Endpoint.parse(self.endpoint)
        self._transport = LocalTransport(endpoint, TransportSettings(), clock=self.clock)
        self.db = VikingDB(endpoint=self.endpoint, transport=self._transport, retry=1)
        self.admin = self.db.admin

    def close(self) -> None:
        self._transport.close()

    def reopen(self) -> None:
        self.close()
        self.open()

    @property
    def tasks(self) -> Tasks:
        assert self._transport._session is not None
        return self._transport._session.catalog.tasks

    def make(self, name: str = "books", fields: Sequence[Any] = FIELDS, **more: Any) -> None:
        """A collection and an index over every field a filter may use."""
        self.admin.create_collection(collection_name=name, fields=fields, **more)
        has_vectors = "vectorize" in more or any(field["field_type"] == "vector" for field in fields)
        flat = {"index_type": "flat", "distance": "ip", "quant": "float"} if has_vectors else None
        self.admin.create_index(collection_name=name, index_name="i", vector_index=flat)

    def fill(self, keys: Sequence[int], **fields: Any) -> None:
        """Rows: cheap ones with odd keys, dear ones with even keys."""
        rows = [
            {"id": key, "genre": "sf", "price": 5 if key % 2 else 50, "mood": [key, 1, 0, 0], **fields} for key in keys
        ]
        for start in range(0, len(rows), 100):
            self.collection().upsert({"data": rows[start : start + 100]})

    def collection(self, name: str = "books") -> Any:
        return self.db.collection(collection_name=name)

    def rows(self, name: str = "books") -> list[dict[str, Any]]:
        """All rows with their vectors, in the order of their keys."""
        index = self.db.index(collection_name=name, index_name="i")
        ids = [hit.id for hit in index.search_by_random({"limit": 10_000, "output_fields": []}).result.data]
        found = []
        for start in range(0, len(ids), 100):
            found += self.collection(name).fetch({"ids": ids[start : start + 100]}).result.items
        return [item.fields for item in sorted(found, key=lambda item: item.id)]

    def genres(self) -> dict[int, str]:
        return {row["id"]: row["genre"] for row in self.rows()}

    def start(self, task_type: str, name: str = "books", **config: Any) -> str:
        """A task, which works in the background."""
        created = self.admin.create_task(task_type=task_type, collection_name=name, task_config=config)
        assert created.result.task_id is not None
        return created.result.task_id

    def settle(self) -> None:
        """Until no task has anything to do."""
        self.tasks.worker.join()

    def task(self, task_id: str) -> TaskInfo:
        return self.admin.get_task(task_id=task_id).result

    def run(self, task_type: str, name: str = "books", **config: Any) -> TaskInfo:
        """A task, when it has nothing to do any more."""
        task_id = self.start(task_type, name, **config)
        self.settle()
        return self.task(task_id)


def progress_of(task: TaskInfo) -> TaskProcessInfo:
    assert task.task_process_info is not None
    return task.task_process_info


class Gate:
    """Holds tasks up after each of their batches of two rows, until it is told to let one more begin."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._arrived, self._go_on = threading.Semaphore(0), threading.Semaphore(0)
        self._is_open = False
        monkeypatch.setattr(steps, "BATCH_ROWS", 2)
        for name in ("_change_some", "_insert"):
            monkeypatch.setattr(steps._Run, name, self._holding_up(getattr(steps._Run, name)))

    def _holding_up(self, batch: Callable[..., None]) -> Callable[..., None]:
        def held_up(*arguments: Any) -> None:
            batch(*arguments)
            self._arrived.release()
            assert self._is_open or self._go_on.acquire(timeout=PATIENCE_SECONDS)

        return held_up

    def wait(self) -> None:
        """Until a batch is done."""
        assert self._arrived.acquire(timeout=PATIENCE_SECONDS)

    def next(self) -> None:
        """Until one more is done."""
        self._go_on.release()
        self.wait()

    def open(self) -> None:
        """Hold nothing up any more."""
        self._is_open = True
        self._go_on.release()
