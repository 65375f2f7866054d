"""Many threads on one database: no lost write, no half a batch, and no lock held while text is embedded."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.local.wire import Wire, book
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.messages import Headers, Request
from vikingdb_local.embedding.hashing import HashingEmbedder
from vikingdb_local.engine.catalog import Catalog
from vikingdb_local.router import respond
from vikingdb_local.session import Session

PATIENCE_SECONDS = 60


def together(*jobs: Callable[[], None]) -> None:
    """Run all at once; raise what any of them raised."""
    start = threading.Barrier(len(jobs))

    def begin(job: Callable[[], None]) -> None:
        start.wait(PATIENCE_SECONDS)
        job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        for future in [pool.submit(begin, job) for job in jobs]:
            future.result(PATIENCE_SECONDS)


def test_no_write_of_many_threads_is_lost(books: Wire) -> None:
    def write(writer: int) -> None:
        for number in range(25):
            books.result("data/upsert", data=[book(f"w{writer}-{number}"), book("contended", year=writer)])

    together(*(lambda writer=writer: write(writer) for writer in range(8)))  # type: ignore[misc]
    assert books.result("data/agg", op="count")["agg"] == {"__TOTAL__": 8 * 25 + 1}


def test_readers_see_whole_batches_only(books: Wire) -> None:
    keys = [f"k{number}" for number in range(20)]
    books.result("data/upsert", data=[book(key, year=0, genre="g0") for key in keys])
    done = threading.Event()

    def write() -> None:
        try:
            for year in range(1, 120):
                rows = [book(key, [float(year), 1, 0, 0], year=year, genre=f"g{year}") for key in keys]
                if year % 10 == 0:
                    books.result("data/delete", del_all=True)
                books.result("data/upsert", data=rows)
        finally:
            done.set()

    def read() -> None:
        while not done.wait(0.001):  # lets the writer have the interpreter
            hits = books.result("data/search/vector", dense_vector=[1, 0, 0, 0], limit=50)["data"]
            assert len(hits) in (0, 20)
            assert len({(hit["fields"]["year"], hit["fields"]["genre"]) for hit in hits}) <= 1
            assert all(hit["score"] == hit["fields"]["year"] or hit["fields"]["year"] == 0 for hit in hits)

    def count() -> None:
        while not done.wait(0.001):  # lets the writer have the interpreter
            groups = books.result("data/agg", op="count", field="genre")["agg"]
            assert list(groups.values()) in ([], [20])

    def look_up() -> None:
        while not done.wait(0.001):  # lets the writer have the interpreter
            fetched = books.result("data/fetch_in_collection", ids=keys)["fetch"]
            assert len({item["fields"]["year"] for item in fetched}) <= 1

    together(write, read, read, count, look_up)


def test_keyword_searches_and_writes_do_not_disturb_each_other(books: Wire) -> None:
    done = threading.Event()

    def write() -> None:
        try:
            for number in range(150):
                books.result("data/upsert", data=[book(f"k{number}", title=f"common word{number}")])
                books.result("data/delete", ids=[f"k{number - 5}"])
        finally:
            done.set()

    def search() -> None:
        while not done.wait(0.001):  # lets the writer have the interpreter
            hits = books.result("data/search/keywords", query="common", limit=100)["data"]
            assert len(hits) <= 6
            assert all("common" in hit["fields"]["title"] for hit in hits)

    together(write, search, search)
    assert len(books.result("data/search/keywords", query="common", limit=100)["data"]) == 5


def test_of_many_creators_of_one_name_one_succeeds(wire: Wire) -> None:
    outcomes: list[int] = []
    body = {"CollectionName": "c", "Fields": [{"FieldName": "id", "FieldType": "int64", "IsPrimaryKey": True}]}
    together(*[lambda: outcomes.append(wire.act("CreateVikingdbCollection", body)[0])] * 8)
    assert sorted(outcomes) == [200] + [409] * 7


def test_generated_ids_of_many_threads_are_distinct(wire: Wire) -> None:
    wire.make({"Fields": [{"FieldName": "n", "FieldType": "int64"}]}, {})
    together(*[lambda: [wire.result("data/upsert", data=[{"n": 1}] * 10) for _ in range(10)] and None] * 6)
    assert len({hit["id"] for hit in wire.result("data/search/random", limit=1000)["data"]}) == 600


def test_a_deleted_collection_takes_no_more_writes(books: Wire) -> None:
    books.act("DeleteVikingdbIndex", {"CollectionName": "c", "IndexName": "i"})
    outcomes: set[tuple[int, str]] = set()

    def write() -> None:
        for number in range(50):
            status, answer = books.data("data/upsert", {"collection_name": "c", "data": [book(f"k{number}")]})
            outcomes.add((status, answer["code"]))

    together(write, write, lambda: books.act("DeleteVikingdbCollection", {"CollectionName": "c"}) and None)
    assert outcomes <= {(200, "Success"), (404, "NotFound.VikingdbCollection")}
    assert books.data("data/upsert", {"collection_name": "c", "data": [book("x")]})[0] == 404


class SlowEmbedder(HashingEmbedder):
    """Embeds ``slow …`` only when told."""

    def __init__(self) -> None:
        self.started, self.may_finish = threading.Event(), threading.Event()

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if any(text.startswith("slow") for text in texts):
            self.started.set()
            assert self.may_finish.wait(PATIENCE_SECONDS)
        return super().embed_documents(texts)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("data/upsert", {"data": [{"id": 2, "text": "slow text"}]}),
        ("data/update", {"data": [{"id": 1, "text": "slow text"}]}),
        ("data/search/multi_modal", {"text": "slow text"}),
    ],
)
def test_nothing_waits_for_a_text_of_somebody_else(path: str, body: dict[str, Any]) -> None:
    embedder = SlowEmbedder()
    session = Session(Catalog(), embedder, lambda: 1.0)

    def call(path: str, body: dict[str, Any], **query: str) -> Any:
        payload = json.dumps({"collection_name": "c", "index_name": "i", **body} if not query else body).encode()
        endpoint = Endpoint.parse("local://")
        response = respond(session, Request("POST", endpoint, path, tuple(query.items()), Headers(), payload))
        assert response.status == 200, response.body
        return json.loads(response.body)

    def data(path: str, **body: Any) -> Any:
        return call(f"/api/vikingdb/{path}", body)["result"]

    fields = [
        {"FieldName": "id", "FieldType": "int64", "IsPrimaryKey": True},
        {"FieldName": "text", "FieldType": "text"},
    ]
    vectorize = {"Dense": {"ModelName": "bge-m3", "TextField": "text"}}
    create = {"CollectionName": "c", "Fields": fields, "Vectorize": vectorize}
    call("/", create, Action="CreateVikingdbCollection", Version="2025-06-09")
    index = {"CollectionName": "c", "IndexName": "i", "VectorIndex": {}}
    call("/", index, Action="CreateVikingdbIndex", Version="2025-06-09")
    data("data/upsert", data=[{"id": 1, "text": "quick"}])

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(data, path, **body)
        try:
            assert embedder.started.wait(PATIENCE_SECONDS)
            data("data/upsert", data=[{"id": 3, "text": "quick too"}])
            assert len(data("data/search/multi_modal", text="quick")["data"]) == 2
            assert not slow.done()
        finally:
            embedder.may_finish.set()
        slow.result(PATIENCE_SECONDS)
    session.catalog.database.close()
