"""A search works in the thread that asks, unless it looks at more than one part of a matrix. A product that BLAS shares
out makes searches wait for each other."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from vikingdb_local.engine.growing import GrowingMatrix, Matrix
from vikingdb_local.engine.inner import _summed, inner_products

PROGRAM = """
import os, sys, threading
import numpy as np
from vikingdb_vector import VikingDB

def seconds(task):
    user, system = open(f"/proc/self/task/{task}/stat").read().rpartition(") ")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

def others():
    return sum(seconds(task) for task in os.listdir("/proc/self/task") if int(task) != threading.get_native_id())

fields = [
    {"field_name": "id", "field_type": "int64", "is_primary_key": True},
    {"field_name": "vec", "field_type": "vector", "dim": 1024},
]
vectors = np.random.default_rng(7).standard_normal((900, 1024)).astype(np.float32)
with VikingDB(endpoint="local://?embedder=hash-v1") as db:
    db.admin.create_collection(collection_name="c", fields=fields)
    db.admin.create_index(
        collection_name="c", index_name="i", vector_index={"index_type": "flat", "distance": "ip"}, scalar_index=["id"]
    )
    rows, index = db.collection(collection_name="c"), db.index(collection_name="c", index_name="i")
    for start in range(0, 900, 100):
        rows.upsert({"data": [{"id": n + 1, "vec": vectors[n]} for n in range(start, start + 100)]})
    before, own = others(), seconds(threading.get_native_id())
    while seconds(threading.get_native_id()) - own < 1:
        index.search_by_vector({"dense_vector": vectors[0], "limit": 10})
        some = {"op": "range", "field": "id", "lt": 200}
        index.search_by_vector({"dense_vector": vectors[0], "limit": 10, "filter": some})
    print(others() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads are told apart by what Linux says of them")
def test_a_search_is_done_in_the_thread_that_asks() -> None:
    """For a second of work in one thread, no other one has done anything to speak of. BLAS would share it out."""
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 0.3


@pytest.mark.parametrize("width", [0, 1, 5])
def test_products_are_those_of_all_rows_or_of_some(width: int) -> None:
    vectors = np.random.default_rng(3).standard_normal((300, width)).astype(np.float32)
    growing = GrowingMatrix(width, start=vectors[:100])
    for row in vectors[100:]:
        growing.append(row)
    query = np.arange(width, dtype=np.float32)
    assert np.allclose(growing.view().product(query), vectors @ query, atol=1e-4)
    for some in ([], [0], [99, 100], list(range(50, 300, 7))):
        positions = np.array(some, np.intp)
        assert np.allclose(growing.view().product(query, positions), vectors[positions] @ query, atol=1e-4)


def test_products_of_some_rows_are_made_a_few_at_a_time() -> None:
    vectors = np.random.default_rng(4).standard_normal((200, 4096)).astype(np.float32)
    positions = np.arange(3, 197, dtype=np.intp)
    matrix = Matrix((vectors[:90], vectors[90:]), 4096)
    assert np.allclose(matrix.product(vectors[0], positions), vectors[positions] @ vectors[0], rtol=1e-4, atol=1e-3)


def test_products_are_the_same_without_vecdot() -> None:
    rows, vector = np.random.default_rng(5).standard_normal((40, 30)), np.arange(30.0)
    out = np.empty(40)
    assert np.allclose(_summed(rows, vector, None), inner_products(rows, vector))
    assert _summed(rows, vector, out) is out
    assert np.allclose(out, rows @ vector)
