"""A database in a folder: what was acknowledged is there after a crash, and one process has it at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vikingdb_core.exceptions import ConfigError, RequestError
from vikingdb_local import databases
from vikingdb_vector import F, VikingDB

WRITER = """
import sys
from vikingdb_vector import VikingDB
rows = VikingDB(endpoint=sys.argv[1]).collection(collection_name="books")
for batch in range(int(sys.argv[2]), 10**6):
    rows.upsert({"data": [{"id": batch * 100 + n + 1, "batch": batch, "mood": [batch, n, 0, 1]} for n in range(100)]})
    print(batch, flush=True)
"""
OTHER_PROCESS = """
import sys
from vikingdb_vector import VikingDB
try:
    VikingDB(endpoint=sys.argv[1]).ping()
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.fixture
def endpoint(tmp_path: Path) -> str:
    return f"local://{(tmp_path / 'books').as_posix()}?embedder=hash-v1"


def create(client: VikingDB) -> None:
    client.admin.create_collection(
        collection_name="books",
        fields=[
            {"field_name": "id", "field_type": "int64", "is_primary_key": True},
            {"field_name": "batch", "field_type": "int64"},
            {"field_name": "mood", "field_type": "vector", "dim": 4},
        ],
        description="kept",
    )
    client.admin.create_index(
        collection_name="books",
        index_name="by_mood",
        vector_index={"index_type": "hnsw", "distance": "l2"},
        scalar_index=["batch"],
        shard_policy="custom",
        shard_count=2,
    )


def index_of(client: VikingDB) -> Any:
    return client.index(collection_name="books", index_name="by_mood")


def test_everything_is_there_after_reopening(endpoint: str) -> None:
    with VikingDB(endpoint=endpoint) as client:
        create(client)
        client.collection(collection_name="books").upsert(
            {"data": [{"id": n, "batch": n % 2, "mood": [n, 0, 0, 0]} for n in range(1, 11)]}
        )
        client.collection(collection_name="books").delete({"ids": [10]})
        collection = client.admin.get_collection(collection_name="books").result
        index = client.admin.get_index(collection_name="books", index_name="by_mood").result
        query = {"dense_vector": [4, 0, 0, 0], "filter": F("batch") == 0, "limit": 3}
        hits = index_of(client).search_by_vector(query).result
    with VikingDB(endpoint=endpoint) as client:
        assert client.admin.get_collection(collection_name="books").result == collection
        assert client.admin.get_index(collection_name="books", index_name="by_mood").result == index
        assert index_of(client).search_by_vector(query).result == hits
        assert [hit.id for hit in hits.data] == [4, 2, 6]
        client.collection(collection_name="books").upsert({"data": [{"id": 11, "batch": 0, "mood": [5, 0, 0, 0]}]})
        assert index_of(client).aggregate({"op": "count"}).result.total == 10


def test_an_acknowledged_write_survives_being_killed_and_no_batch_is_torn(endpoint: str) -> None:
    with VikingDB(endpoint=endpoint) as client:
        create(client)
    acknowledged = -1
    for round_ in range(4):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, endpoint, str(acknowledged + 1)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        for _ in range(3 + 4 * round_):
            acknowledged = int(writer.stdout.readline())
        writer.kill()
        acknowledged = max([acknowledged, *map(int, writer.stdout.read().split())])  # acknowledged, not yet read
        writer.stdout.close()
        writer.wait(60)
        with VikingDB(endpoint=endpoint) as client:
            groups = index_of(client).aggregate({"op": "count", "field": "batch"}).result.groups
            assert set(map(int, groups)) >= set(range(acknowledged + 1))
            assert set(groups.values()) == {100}
            acknowledged = max(map(int, groups))


def test_a_second_process_is_told_who_has_the_folder(endpoint: str) -> None:
    with VikingDB(endpoint=endpoint) as client:
        create(client)
        said = subprocess.run(
            [sys.executable, "-c", OTHER_PROCESS, endpoint], capture_output=True, text=True, timeout=60, check=True
        ).stdout
        assert said.startswith("ConfigError")
        assert "is open in another process" in said
        assert index_of(client).search_by_random().result.data == []
    said = subprocess.run([sys.executable, "-c", OTHER_PROCESS, endpoint], capture_output=True, text=True, check=True)
    assert said.stdout == "", "the last client let go of it"


def test_clients_of_one_process_share_a_folder_until_the_last_lets_go(endpoint: str) -> None:
    first, second = VikingDB(endpoint=endpoint), VikingDB(endpoint=endpoint.replace("/books", "/./books"))
    create(first)
    assert [found.collection_name for found in second.admin.iter_collections()] == ["books"]
    first.close()
    assert index_of(second).search_by_random().result.data == []
    second.close()
    assert databases._folders == {}
    with pytest.raises(RequestError, match="closed"):
        first.ping()


def _garbage(path: Path) -> None:
    path.write_bytes(b"this is no database" * 100)


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def _of_the_future(path: Path) -> None:
    import sqlite3

    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [(_garbage, "damaged or no database"), (_truncated, "left as it is"), (_of_the_future, "format 99")],
)
def test_a_damaged_database_is_named_and_left_alone(
    spoil: Callable[[Path], None], says: str, endpoint: str, tmp_path: Path
) -> None:
    with VikingDB(endpoint=endpoint) as client:
        create(client)
    path = tmp_path / "books" / "data.sqlite"
    spoil(path)
    before = path.read_bytes()
    with pytest.raises(ConfigError, match=says) as caught:
        VikingDB(endpoint=endpoint).ping()
    assert "data.sqlite" in str(caught.value)
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError, match="cannot hold a database"):
        VikingDB(endpoint=f"local://{(tmp_path / 'file' / 'books').as_posix()}").ping()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_is_refused(endpoint: str) -> None:
    script = """
import os, sys
from vikingdb_vector import VikingDB
client = VikingDB(endpoint=sys.argv[1])
client.ping()
child = os.fork()
if child == 0:
    try:
        client.ping()
    except Exception as error:
        print(type(error).__name__, error, flush=True)
    os._exit(0)
os.waitpid(child, 0)
client.ping()
"""
    said = subprocess.run(
        [sys.executable, "-c", script, endpoint], capture_output=True, text=True, timeout=60, check=True
    )
    assert "RequestError" in said.stdout
    assert "before a fork" in said.stdout
