"""Load: 64 threads and 256 tasks on one served folder at once; nothing is lost, nothing is left open.

python -m tests.support.load --seconds 60          what ``make soak`` runs

Threads and tasks are in processes of their own: in one, 64 threads leave an event loop a 65th of the interpreter.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from tests.support.served import HASHED, Served
from vikingdb_vector import AsyncVikingDB, VikingDB

THREADS, TASKS = 64, 256
KEYS_EACH = 1_000_000
"""More than anyone writes in the time there is."""

PATIENCE_SECONDS = 60
FIELDS: list[dict[str, Any]] = [
    {"field_name": "id", "field_type": "int64", "is_primary_key": True},
    {"field_name": "title", "field_type": "string"},
    {"field_name": "vec", "field_type": "vector", "dim": 4},
]


@dataclass
class Seen:
    """What the callers saw.

    Attributes:
        acknowledged: keys of rows whose write was answered.
        searches: how many were answered.
        wrong: answers that cannot be.
    """

    acknowledged: list[int] = field(default_factory=list)
    searches: int = 0
    wrong: list[str] = field(default_factory=list)


def row_of(key: int) -> dict[str, Any]:
    return {"id": key, "title": f"row {key}", "vec": [key % 7, key % 11, key % 13, 1]}


def look(seen: Seen, answer: Any) -> None:
    """Check an answer: hits are whole rows."""
    seen.searches += 1
    seen.wrong += [f"{hit.id}: {hit.fields}" for hit in answer.result.data if hit.fields["title"] != f"row {hit.id}"]


def work(url: str, seconds: float) -> Seen:
    """Write and search from all threads and tasks, for so long."""
    program = [sys.executable, "-m", "tests.support.load", "--seconds", str(seconds), "--tasks", url]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as tasks:
        parts = _work_in_threads(url, time.monotonic() + seconds)
        printed, _ = tasks.communicate(timeout=seconds + PATIENCE_SECONDS)
    assert tasks.returncode == 0, "the tasks have failed"
    return _together([*parts, Seen(**json.loads(printed))])


def _together(parts: list[Seen]) -> Seen:
    return Seen(
        [key for part in parts for key in part.acknowledged],
        sum(part.searches for part in parts),
        [each for part in parts for each in part.wrong],
    )


def _work_in_threads(url: str, until: float) -> list[Seen]:
    with VikingDB(endpoint=url, pool_maxsize=THREADS) as db, ThreadPoolExecutor(THREADS) as pool:
        rows = db.collection(collection_name="c", primary_key="id")
        index = db.index(collection_name="c", index_name="i")

        def caller(number: int) -> Seen:
            seen = Seen()
            for key in _keys(number, until):
                rows.upsert({"data": [row_of(key)]})
                seen.acknowledged.append(key)
                look(seen, index.search_by_vector({"dense_vector": [1, 2, 3, 4], "limit": 3}))
            return seen

        return list(pool.map(caller, range(THREADS)))


async def _work_in_tasks(url: str, until: float) -> list[Seen]:
    async with AsyncVikingDB(endpoint=url, pool_maxsize=THREADS) as db:
        rows = db.collection(collection_name="c", primary_key="id")
        index = db.index(collection_name="c", index_name="i")

        async def caller(number: int) -> Seen:
            seen = Seen()
            for key in _keys(number, until):
                await rows.upsert({"data": [row_of(key)]})
                seen.acknowledged.append(key)
                look(seen, await index.search_by_vector({"dense_vector": [4, 3, 2, 1], "limit": 3}))
            return seen

        parts = list(await asyncio.gather(*(caller(THREADS + number) for number in range(TASKS))))
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, f"tasks are left: {left}"
    return parts


def _keys(number: int, until: float) -> Iterator[int]:
    """Keys that nobody else has, until the time is over; one at least."""
    for place in count():
        if place and time.monotonic() > until:
            return
        yield number * KEYS_EACH + place + 1


def missing(db: VikingDB, keys: list[int]) -> list[int]:
    """Those of the rows that are not there as they were written."""
    lost: list[int] = []
    for start in range(0, len(keys), 100):
        some = keys[start : start + 100]
        answer = db.collection(collection_name="c").fetch({"ids": some})
        found = {item.id: item.fields["title"] for item in answer.result.items}
        lost += [key for key in some if found.get(key) != f"row {key}"]
    return lost


def open_files(process: int) -> int:
    return len(os.listdir(f"/proc/{process}/fd"))


def settle(measure: Callable[[], int], most: int) -> int:
    """What a measure comes down to, at ``most`` or below, or when nobody waits any longer."""
    clock = threading.Event()
    until = time.monotonic() + PATIENCE_SECONDS
    while (found := measure()) > most and time.monotonic() < until:
        clock.wait(0.1)
    return found


def run(folder: Path, seconds: float) -> str:
    """All of it; what was seen, in a line.

    Raises:
        AssertionError: something was lost, or is left.
    """
    with Served(*HASHED, "--quiet", "--data", folder) as server:
        with VikingDB(endpoint=server.url) as db:
            db.admin.create_collection(collection_name="c", fields=FIELDS)
            vectors = {"index_type": "flat", "distance": "ip"}
            db.admin.create_index(collection_name="c", index_name="i", vector_index=vectors, scalar_index=["id"])
        own, theirs, threads = open_files(os.getpid()), open_files(server.process.pid), threading.active_count()
        seen = work(server.url, seconds)
        assert settle(lambda: open_files(server.process.pid), theirs) <= theirs, "the server has connections left"
        assert settle(lambda: open_files(os.getpid()), own) <= own, "the clients have connections left"
        assert settle(threading.active_count, threads) <= threads, "threads are left"
        with VikingDB(endpoint=server.url) as db:
            assert missing(db, seen.acknowledged) == []
        assert "Traceback" not in server.stop()
        assert server.process.returncode == 0
    assert seen.wrong == []
    with VikingDB(endpoint=f"local://{folder.as_posix()}?embedder=hash-v1") as db:
        assert missing(db, seen.acknowledged) == []
        total = db.index(collection_name="c", index_name="i").aggregate({"op": "count"}).result.total
        assert total == len(seen.acknowledged)
    return (
        f"{len(seen.acknowledged):,} writes and {seen.searches:,} searches by {THREADS} threads and {TASKS} tasks in "
        f"{seconds:.0f} s; nothing lost, nothing left open"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--tasks", metavar="URL", help="only the tasks, on a server that runs; prints what they saw")
    options = parser.parse_args()
    if options.tasks:
        own = open_files(os.getpid())
        seen = _together(asyncio.run(_work_in_tasks(options.tasks, time.monotonic() + options.seconds)))
        assert open_files(os.getpid()) <= own, "the tasks have left connections"
        print(json.dumps(asdict(seen)))
        return
    with tempfile.TemporaryDirectory() as folder:
        print(run(Path(folder) / "db", options.seconds))


if __name__ == "__main__":
    main()
