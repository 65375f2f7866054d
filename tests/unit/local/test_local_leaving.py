"""How processes leave: forked, ended without a word, closed in the middle of things. Nothing is lost, nothing hangs."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.unit.local.wire import Clock, Wire, book
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.transport import TransportSettings
from vikingdb_local.engine import derived, graph
from vikingdb_local.transport import LocalTransport
from vikingdb_vector import VikingDB

PATIENCE_SECONDS = 60
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork, and so no forked client")
needs_graphs = pytest.mark.skipif(not graph.is_available(), reason="no usearch, and so no graph to be built")

MAKE = """
import os, sys
from vikingdb_vector import VikingDB

def make(db):
    fields = [{"field_name": "id", "field_type": "int64", "is_primary_key": True},
              {"field_name": "vec", "field_type": "vector", "dim": 64}]
    db.admin.create_collection(collection_name="c", fields=fields)
    db.admin.create_index(collection_name="c", index_name="i", vector_index={"index_type": "hnsw", "distance": "ip"})

def write(db, *keys):
    db.collection(collection_name="c").upsert({"data": [{"id": key, "vec": [key] * 64} for key in keys]})
"""
FORKED = (
    MAKE
    + """
db = VikingDB(endpoint=sys.argv[1])
make(db)
write(db, 1)
child = os.fork()
if child == 0:
    try:
        write(db, 66)
    except Exception as error:
        print(type(error).__name__, error, flush=True)
    if sys.argv[2] == "closes":
        db.close()
    if sys.argv[2] == "forgets":
        db = None
    if sys.argv[2] == "opens":
        try:
            write(VikingDB(endpoint=sys.argv[1]), 77)
        except Exception as error:
            print(type(error).__name__, error, flush=True)
    sys.exit()
assert os.waitpid(child, 0)[1] == 0
write(db, 2)
os.kill(os.getpid(), 9)
"""
)


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    # From 3.12 on Python warns of forks beside threads, which is what these scripts are about.
    program = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script, *arguments]
    return subprocess.run(program, capture_output=True, text=True, timeout=PATIENCE_SECONDS)


@pytest.fixture
def endpoint(tmp_path: Path) -> str:
    return f"local://{(tmp_path / 'books').as_posix()}?embedder=hash-v1"


def keys_in(endpoint: str) -> set[int]:
    with VikingDB(endpoint=endpoint) as db:
        index = db.index(collection_name="c", index_name="i")
        return {int(hit.id) for hit in index.search_by_random({"limit": 1000}).result.data}


@needs_fork
@pytest.mark.parametrize("child", ["ends", "closes", "forgets", "opens"])
def test_whatever_a_forked_child_does_its_parent_loses_nothing(endpoint: str, child: str) -> None:
    ended = run(FORKED, endpoint, child)
    assert ended.returncode == -9, ended.stderr
    refusals = ended.stdout.splitlines()
    assert refusals[0].startswith("RequestError this client was made before a fork")
    assert "make clients after forking" in refusals[0]
    if child == "opens":
        assert refusals[1].startswith("ConfigError")
        assert "is open in another process" in refusals[1]
    assert keys_in(endpoint) == {1, 2}


@needs_fork
@needs_graphs
def test_a_forked_child_goes_on_with_its_own_copy_of_a_database_in_memory() -> None:
    script = """
import threading
from vikingdb_local import databases
from vikingdb_local.engine import derived, graph
derived.MIN_ROWS, begun, may_go_on, step = 30, threading.Event(), threading.Event(), graph.GraphBuilder.step

def waiting(builder):
    begun.set()
    assert may_go_on.wait(60)
    return step(builder)

graph.GraphBuilder.step = waiting
db = VikingDB(endpoint="local://ours?embedder=hash-v1")
make(db)
index = db.index(collection_name="c", index_name="i")
write(db, *range(1, 41))
index.search_by_random()
assert begun.wait(60)
child = os.fork()
if child == 0:
    write(db, *range(41, 81))
else:
    assert os.waitpid(child, 0)[1] == 0
    write(db, *range(101, 141))
may_go_on.set()
best = index.search_by_vector({"dense_vector": [1] * 64, "limit": 1}).result.data[0].id
catalog = databases._shared["ours"]
catalog.upkeep.settle()
(graph,) = catalog.collections()[0]._derived.graphs.values()
print("child" if child == 0 else "parent", best, graph.size, flush=True)
"""
    ended = run(MAKE + script)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == ["child 80 80", "parent 140 40"]


@needs_graphs
@pytest.mark.parametrize("place", ["folder", "memory"])
def test_a_program_that_ends_while_a_graph_is_built_ends_well(endpoint: str, place: str) -> None:
    script = """
import threading
import numpy as np
from vikingdb_local.engine import derived, graph
derived.MIN_ROWS, begun = 50, threading.Event()
noise = np.random.default_rng(1).normal(size=(20, 64)).astype(np.float32)

def step(builder):
    # Never done, and nearly always within usearch.
    numbers = np.arange(builder._done, builder._done + 20, dtype=np.uint64)
    builder._done += 20
    builder._index.add(numbers, noise, threads=1)
    begun.set()
    return True

graph.GraphBuilder.step = step
db = VikingDB(endpoint=sys.argv[1])
make(db)
write(db, *range(1, 81))
db.index(collection_name="c", index_name="i").search_by_random()
write(db, 81)
assert begun.wait(60)
"""
    ended = run(MAKE + script, endpoint if place == "folder" else "local://?embedder=hash-v1")
    assert (ended.returncode, ended.stderr) == (0, "")
    if place == "folder":
        assert keys_in(endpoint) == set(range(1, 82))


@needs_graphs
def test_closing_does_not_wait_for_a_graph(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()

    def never_done(_: Any) -> bool:
        begun.set()
        return True

    monkeypatch.setattr(derived, "MIN_ROWS", 50)
    monkeypatch.setattr(graph.GraphBuilder, "step", never_done)
    endpoint = Endpoint.parse(f"local://{(tmp_path / 'db').as_posix()}?embedder=hash-v1")
    fields = [
        {"FieldName": "id", "FieldType": "string", "IsPrimaryKey": True},
        {"FieldName": "title", "FieldType": "text"},
        {"FieldName": "vec", "FieldType": "vector", "Dim": 4},
    ]
    for _ in range(2):
        wire = Wire(LocalTransport(endpoint, TransportSettings(), clock=clock), endpoint)
        if not begun.is_set():
            wire.make({"Fields": fields}, {"VectorIndex": {"IndexType": "hnsw", "Distance": "ip"}})
            wire.result("data/upsert", data=[book(f"b{number}") for number in range(80)])
        begun.clear()
        assert len(wire.result("data/search/vector", dense_vector=[1, 0, 0, 0], limit=100)["data"]) == 80
        assert begun.wait(PATIENCE_SECONDS)
        wire.transport.close()
