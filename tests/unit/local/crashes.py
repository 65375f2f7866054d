"""A program that has a writer killed again and again, and looks each time at what it leaves behind.

What the writer does follows from what it did before, so the state after any number of acknowledged calls is known.
A database has to be in that state, or in the one after the call that was under way. Run as
``python -m tests.unit.local.crashes FOLDER KILLS``; it ends with a line of what happened, or with a traceback.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from vikingdb_local import databases
from vikingdb_local.engine import derived
from vikingdb_vector import VikingDB

BATCH = 25
DIM = 8
MOST_CALLS = 20
MOST_IDLE = 300_000
INDEXES = {"scanned": "flat", "graphed": "hnsw"}

State = dict[int, int]
"""Batches that are there, each with the number of the call that touched it last."""


def vector(key: int) -> list[float]:
    rng = random.Random(key)
    return [rng.uniform(-1, 1) for _ in range(DIM)]


def keys_of(batch: int) -> list[int]:
    return list(range(BATCH * batch + 1, BATCH * batch + BATCH + 1))


def call(state: State, number: int) -> tuple[str, dict[str, Any], State]:
    """What the writer does next: the path, the body, and the state afterwards."""
    rng = random.Random(number)
    kind = rng.choices(["upsert", "update", "delete"], [5, 2, 1])[0] if len(state) > 3 else "upsert"
    if kind == "upsert":
        rows = [
            {"id": key, "batch": number, "touched": number, "text": f"sea of {number}", "vec": vector(key)}
            for key in keys_of(number)
        ]
        return kind, {"data": rows}, {**state, number: number}
    batch = rng.choice(sorted(state))
    if kind == "update":
        return kind, {"data": [{"id": key, "touched": number} for key in keys_of(batch)]}, {**state, batch: number}
    return kind, {"ids": keys_of(batch)}, {other: touched for other, touched in state.items() if other != batch}


class Shore:
    """The database, and what is known of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.endpoint = f"local://{folder.as_posix()}?embedder=hash-v1"
        self.state: State = {}
        self.number = 0
        self.kept_unacknowledged = 0
        with VikingDB(endpoint=self.endpoint) as db:
            db.admin.create_collection(
                collection_name="c",
                fields=[
                    {"field_name": "id", "field_type": "int64", "is_primary_key": True},
                    {"field_name": "batch", "field_type": "int64"},
                    {"field_name": "touched", "field_type": "int64"},
                    {"field_name": "text", "field_type": "text"},
                    {"field_name": "vec", "field_type": "vector", "dim": DIM},
                ],
                full_text=[{"field": "text"}],
            )
            for name, kind in INDEXES.items():
                vector_index = {"index_type": kind, "distance": "ip"}
                db.admin.create_index(collection_name="c", index_name=name, vector_index=vector_index)

    def write(self, acknowledge: int) -> None:
        """Write until killed, searching in between so that caches and graphs are made."""
        db = VikingDB(endpoint=self.endpoint)
        rows, index = db.collection(collection_name="c"), db.index(collection_name="c", index_name="graphed")
        state = self.state
        for number in range(self.number, self.number + 10 * MOST_CALLS):
            kind, body, state = call(state, number)
            getattr(rows, kind)(body)
            os.write(acknowledge, b"!")
            if number % 3 == 0:
                index.search_by_vector({"dense_vector": vector(number), "limit": 3})

    def kill_a_writer(self, rng: random.Random) -> None:
        mine, theirs = os.pipe()
        writer = os.fork()
        if writer == 0:
            try:
                self.write(theirs)
            finally:
                os._exit(1)
        os.close(theirs)
        seen = 0
        for _ in range(rng.randrange(1, MOST_CALLS)):
            seen += len(os.read(mine, 1))
        for _ in range(rng.randrange(MOST_IDLE)):
            pass  # into the next call, or into what happens in the background
        os.kill(writer, signal.SIGKILL)
        _, status = os.waitpid(writer, 0)
        assert os.WIFSIGNALED(status), "the writer failed before it was killed"
        while more := os.read(mine, 4096):
            seen += len(more)
        os.close(mine)
        for _ in range(seen):
            self.state = call(self.state, self.number)[2]
            self.number += 1

    def look(self) -> None:
        """Compare the database with what it may be."""
        with VikingDB(endpoint=self.endpoint) as db:
            index = {name: db.index(collection_name="c", index_name=name) for name in INDEXES}
            everything = index["scanned"].search_by_random({"limit": 100_000}).result.data
            batches: dict[int, list[int]] = {}
            for hit in everything:
                batches.setdefault(hit.fields["batch"], []).append(hit.fields["touched"])
            assert all(len(touched) == BATCH and len(set(touched)) == 1 for touched in batches.values()), "a torn batch"
            found = {batch: touched[0] for batch, touched in batches.items()}
            one_more = call(self.state, self.number)[2]
            assert found in (self.state, one_more), "what was acknowledged is not there, or what nobody wrote is"
            if found != self.state:
                self.state, self.number = one_more, self.number + 1
                self.kept_unacknowledged += 1
            self.search(index)
            (opened,) = databases._folders.values()
            opened.catalog.upkeep.settle()
            self.search(index)

    def search(self, index: dict[str, Any]) -> None:
        query = vector(-self.number)
        scores = {
            key: sum(a * b for a, b in zip(query, vector(key), strict=True))
            for batch in self.state
            for key in keys_of(batch)
        }
        best = sorted(scores, key=lambda key: -scores[key])[:10]
        asked = {"dense_vector": query, "limit": 10}
        assert [hit.id for hit in index["scanned"].search_by_vector(asked).result.data] == best
        near = index["graphed"].search_by_vector(asked).result.data
        assert len(near) == len(best)
        assert all(abs(hit.score - scores[hit.id]) < 1e-5 for hit in near)
        last = max(self.state)
        words = index["scanned"].search_by_keywords({"query": str(last), "limit": 100}).result.data
        assert sorted(hit.id for hit in words) == keys_of(last)
        counted = index["graphed"].aggregate({"op": "count", "field": "touched"}).result.groups
        assert sum(counted.values()) == len(scores)

    def look_without_caches(self) -> None:
        shutil.rmtree(self.folder / "cache")
        self.look()

    def integrity(self) -> str:
        with closing(sqlite3.connect(self.folder / "data.sqlite")) as sql:
            (said,) = sql.execute("PRAGMA integrity_check").fetchone()
            named = {name for (name,) in sql.execute("SELECT file FROM caches")}
        assert {path.name for path in (self.folder / "cache").iterdir()} == named, "files that nobody names"
        return str(said)


def main(folder: str, kills: str) -> None:
    vars(derived).update(MIN_CACHED_ROWS=50, MIN_STALE_ROWS=20, MIN_ROWS=100, MIN_TAIL_ROWS=50)
    rng, shore = random.Random(int(kills)), Shore(Path(folder))
    for _ in range(int(kills)):
        shore.kill_a_writer(rng)
        shore.look()
        shore.look()  # served from the caches that were made just now
    shore.look_without_caches()
    said = {
        "kills": int(kills),
        "calls": shore.number,
        "kept_unacknowledged": shore.kept_unacknowledged,
        "integrity": shore.integrity(),
        "caches": sorted({path.name.split("-")[1] for path in (Path(folder) / "cache").iterdir()}),
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main(*sys.argv[1:])
