"""Drop-in: one program, written as the official examples are, sees the same through the official package and ours.

Both run ``flows.py``, each in an environment of its own and against a database of its own in the embedded engine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from tests.support.emulator import Emulator
from tests.support.server import free_port
from vikingdb.vector import VikingDB

pytestmark = pytest.mark.packaging

FLOWS = Path(__file__).with_name("flows.py")
FIELDS = [
    {"FieldName": "title", "FieldType": "string"},
    {"FieldName": "paragraph", "FieldType": "int64"},
    {"FieldName": "score", "FieldType": "float32"},
    {"FieldName": "text", "FieldType": "text"},
]
VECTOR = {"FieldName": "vector", "FieldType": "vector", "Dim": 1024}
EMBEDDED = {"Dense": {"ModelName": "bge-m3", "TextField": "text"}}

ABSENT = "(absent)"
REFUSALS = {
    "unknown collection": "CollectionNotFound",
    "unknown index": "IndexNotFound",
    "unknown row": "DataNotFound",
    "no such field": "InvalidParameter",
    "nothing to search by": "MissingParameter",
    "too many rows": "InvalidParameter",
    "retried by habit": "CollectionNotFound",
}
EMBEDDINGS = ["3.2 vector/embedding", "5 embedding/multi-modal", "5 embedding/dense and sparse"]
WAIVED: dict[str, dict[str, tuple[Any, Any]]] = {
    "it raises one class for whatever the service refuses; ours has one for each code, caught by that name too": {
        f"6 exceptions/{what}/class": ("VikingVectorException", ours) for what, ours in REFUSALS.items()
    },
    "its VikingVectorException is no VikingAPIException, although the service said it": {
        f"6 exceptions/{what}/is a VikingAPIException": (False, True) for what in REFUSALS
    },
    "its VikingConnectionException is no VikingException, so that catching all of them misses it": {
        "unreachable/is a VikingException": (False, True)
    },
    "its constructor pings, without a timeout; ours sends nothing before the first call": {
        "unreachable/stage": ("building the client", "first call")
    },
    "it can ask for tensors, but has no field for them in the answer": {
        f"{path}/printed/result/data/1/tensor": (ABSENT, None) for path in EMBEDDINGS
    },
}
"""Why the two differ, where (a path into the document), and how: what it saw, what ours saw."""

PING = ("GET", "/api/vikingdb/Ping", None)
REFUSED_SEARCH = {"collection_name": "unknown", "index_name": "unknown", "limit": 1}
SENT_BESIDES: dict[str, dict[Any, int]] = {
    "it pings when it is built": {PING: 1},
    "it tries whatever failed three times, even what was refused for good": {
        ("POST", "/api/vikingdb/data/search/random", json.dumps(REFUSED_SEARCH)): 2
    },
}
"""Why it sends more requests than ours, and how many of which."""


@dataclass(frozen=True)
class Run:
    """What a program printed, what it wrote to stderr, and the requests it sent: method, address, body."""

    document: dict[str, Any]
    stderr: str
    requests: list[tuple[str, str, str | None]]


@pytest.fixture(scope="module")
def official(official_python: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_flows(official_python, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_flows(sys.executable, tmp_path_factory.mktemp("home"))


def run_flows(python: str, home: Path) -> Run:
    with Emulator() as emulator:
        with VikingDB(endpoint=emulator.url) as client:
            make(client, "text", FIELDS, Vectorize=EMBEDDED)
            make(client, "vector", [*FIELDS, VECTOR])
        before = len(emulator.received)
        foreign = ("VIKINGDB_", "VOLC")
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(foreign) and not name.lower().endswith("_proxy")
        }
        given = {
            "HOME": str(home),
            "VIKINGDB_HOST": f"127.0.0.1:{emulator.port}",
            "VIKINGDB_CLOSED_HOST": f"127.0.0.1:{free_port()}",
            "VIKINGDB_REGION": "cn-beijing",
            "VIKINGDB_AK": "AKDEMO",
            "VIKINGDB_SK": "SKDEMO",
        }
        done = subprocess.run(
            [python, str(FLOWS)], env=inherited | given, cwd=home, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        sent = emulator.received[before:]
    return Run(json.loads(done.stdout), done.stderr, [summary(each.method, each.target, each.body) for each in sent])


def make(client: VikingDB, name: str, fields: list[dict[str, Any]], **more: Any) -> None:
    """A collection of the examples and its index."""
    client.admin.create_collection({"CollectionName": name, "Fields": fields, **more})
    vectors = {"IndexType": "hnsw", "Distance": "ip"}
    client.admin.create_index({"CollectionName": name, "IndexName": f"{name}_index", "VectorIndex": vectors})


def summary(method: str, target: str, body: bytes) -> tuple[str, str, str | None]:
    """A request, comparable: the official package ends every address in a question mark and orders keys otherwise."""
    return method, target.removesuffix("?"), json.dumps(json.loads(body), sort_keys=True) if body else None


def differences(theirs: Any, mine: Any, path: str = "") -> Iterator[tuple[str, tuple[Any, Any]]]:
    if isinstance(theirs, dict) and isinstance(mine, dict):
        for name in {**theirs, **mine}:
            yield from differences(theirs.get(name, ABSENT), mine.get(name, ABSENT), f"{path}/{name}".lstrip("/"))
    elif isinstance(theirs, list) and isinstance(mine, list) and len(theirs) == len(mine):
        for place, (one, other) in enumerate(zip(theirs, mine, strict=True)):
            yield from differences(one, other, f"{path}/{place}")
    elif theirs != mine:
        yield path, (theirs, mine)


def test_the_program_does_what_the_examples_are_about(official: Run) -> None:
    saw = official.document
    assert (saw["1 connectivity, empty"]["hits"], saw["1 connectivity"]["hits"]) == (0, 1)
    lifecycle = saw["2 lifecycle"]
    assert lifecycle["upsert"]["request_id"] == "lifecycle-1"
    assert (lifecycle["search"]["titles"], lifecycle["fetch"]["score"]) == (["Harbour"], 47.0)
    assert lifecycle["fetch again"] == {"items": 0, "missing is it": True}
    assert (saw["3.1 multi-modal"]["titles"], saw["3.1 multi-modal"]["matched"]) == (["Lighthouse", "Harbour"], 2)
    assert saw["3.2 vector"]["titles"][0] == saw["3.3 keywords"]["titles"][0] == "Ferries"
    assert saw["4 aggregate"]["agg"] == {"1": 1, "2": 1, "3": 1}
    assert saw["5 embedding"]["multi-modal"]["dim"] == 2048
    assert saw["6 exceptions"]["unknown collection"]["code"] == "NotFound.VikingdbCollection"
    assert saw["6 exceptions"]["unknown collection"]["status"] == 404


def test_both_packages_see_the_same(official: Run, ours: Run) -> None:
    waived = {path: pair for pairs in WAIVED.values() for path, pair in pairs.items()}
    assert dict(differences(official.document, ours.document)) == waived


def test_both_packages_send_the_same_requests_but_ours_sends_none_in_vain(official: Run, ours: Run) -> None:
    more = Counter({request: count for each in SENT_BESIDES.values() for request, count in each.items()})
    assert Counter(official.requests) - Counter(ours.requests) == more
    without_ping = [request for request in official.requests if request != PING]
    assert [request for request, _ in groupby(without_ping)] == ours.requests


def test_our_package_runs_the_program_without_a_warning(ours: Run) -> None:
    assert ours.stderr == ""
