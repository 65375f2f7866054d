"""A small engine to try requests on: what it answers, what it shows afterwards, and what can be done then."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from tests.unit.local.wire import BOOK_FIELDS, HASHED, Clock, Wire
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.operation import Operation
from vikingdb_core.traits import Safety
from vikingdb_core.transport import TransportSettings
from vikingdb_local.transport import LocalTransport
from vikingdb_vector.operations import SEARCH_BY_RANDOM

Body = Mapping[str, Any]

HOUR_SECONDS = 3600
FLAT = {"IndexType": "flat", "Distance": "ip", "Quant": "float"}
HYBRID = {**FLAT, "IndexType": "hnsw_hybrid"}
MORE_BOOK_FIELDS = [
    {"FieldName": "words", "FieldType": "sparse_vector"},
    {"FieldName": "tokens", "FieldType": "tensor", "Shape": [2, 4]},
]
BOOKS = [
    {"id": "a", "title": "Dune", "year": 1965, "genre": "sf", "vec": [1, 0, 0, 0]},
    {"id": "b", "title": "Emma", "year": 1815, "genre": "novel", "vec": [0, 1, 0, 0]},
    {"id": "d", "title": "Dawn-of-Dune , Part 1", "year": 1990, "genre": "sf", "vec": [0.8, 0.6, 0, 0]},
]
WORDS = {"a": {"dune": 1.0}, "d": {"dune": 0.5, "dawn": 1.0}}
TOKENS = {"a": [[1, 0, 0, 0]], "b": [[0, 1, 0, 0], [0, 0, 1, 0]], "d": [[3, 0, 0, 0]]}
PASSAGE_FIELDS = [
    {"FieldName": "id", "FieldType": "string", "IsPrimaryKey": True},
    {"FieldName": "title", "FieldType": "text"},
    {"FieldName": "text", "FieldType": "text"},
    {"FieldName": "genre", "FieldType": "string"},
    {"FieldName": "year", "FieldType": "int64"},
]
PASSAGES = [
    {"id": "a", "title": "Dune", "year": 1965, "genre": "sf", "text": "Sand and Spice make the planet Dune rich"},
    {"id": "b", "title": "Emma", "year": 1815, "genre": "novel", "text": "A young woman arranges marriages"},
    {"id": "d", "title": "Dawn of Dune", "year": 1990, "genre": "sf", "text": "Sand"},
]
IMPORTED = {"id": "new", "title": "Kim", "vec": [0, 0, 1, 0]}
NEW_ROW = {"id": 1, "text": "Dawn-of-Dune , Part 1", "v": [1, 0, 0, 0]}
"""What is written into collection ``n``, where a request has made one."""


@dataclass(frozen=True)
class Outcome:
    """What came of a request, as JSON text without what differs from run to run.

    Attributes:
        status: HTTP status.
        answer: the body.
        shown: what the control plane says of collections and indexes afterwards.
        done: what the data plane answers afterwards, at once and an hour later, and what can be deleted then.
    """

    status: int
    answer: str
    shown: str = ""
    done: str = ""


class World:
    """Collections ``c`` (its rows bring vectors of all kinds), ``p`` (embeds their text) and ``e`` (empty, no index).

    Index ``i`` of the first two is hybrid; ``k`` of ``c`` is not. A task waits to be confirmed, and two rows in a file
    to be imported, one of which cannot be.
    """

    def __init__(self) -> None:
        self._clock, self._folder = Clock(), TemporaryDirectory(prefix="vikingdb-")
        self._buckets = Path(self._folder.name)
        endpoint = Endpoint.parse(f"{HASHED}&tos={quote(self._buckets.as_posix())}")
        self._transport = LocalTransport(endpoint, TransportSettings(), clock=self._clock)
        self._wire = Wire(self._transport, endpoint)
        self._wire.make({"Fields": [*BOOK_FIELDS, *MORE_BOOK_FIELDS]}, {"VectorIndex": HYBRID})
        self._act("CreateVikingdbIndex", CollectionName="c", IndexName="k", VectorIndex=FLAT, ScalarIndex=["year"])
        self._act(
            "CreateVikingdbCollection",
            CollectionName="p",
            Fields=PASSAGE_FIELDS,
            FullText=[{"Field": "title"}, {"Field": "text"}],
            Vectorize={"Dense": {"ModelName": "bge-m3", "TextField": "text"}, "Sparse": {"ModelName": "bge-m3"}},
        )
        self._act("CreateVikingdbIndex", CollectionName="p", IndexName="i", VectorIndex=HYBRID)
        self._act("CreateVikingdbCollection", CollectionName="e", Fields=PASSAGE_FIELDS[:1])
        self._wire.data("data/upsert", {"collection_name": "c", "data": [_with_words_and_tokens(row) for row in BOOKS]})
        for passage in PASSAGES:
            self._wire.data("data/upsert", {"collection_name": "p", "data": [passage]})
        made = self._act("ListVikingdbCollection")["Collections"]
        self._ids = {f"resource id of {each['CollectionName']}": each["ResourceId"] for each in made}
        (self._buckets / "bucket" / "in").mkdir(parents=True)
        (self._buckets / "bucket" / "in" / "rows.jsonl").write_text(f"{json.dumps(IMPORTED)}\n{{}}\n", encoding="utf-8")
        delete = {"FilterConds": [{"op": "must", "field": "genre", "conds": ["novel"]}]}
        task = self._act("CreateVikingdbTask", CollectionName="c", TaskType="filter_delete", TaskConfig=delete)
        self._ids["id of a task"] = task["TaskId"]
        self._settle()

    def close(self) -> None:
        self._transport.close()
        self._folder.cleanup()

    def send(self, operation: Operation[Any, Any], body: Body) -> Outcome:
        """Send a request. The values ``resource id of c`` and ``id of a task`` stand for these ids."""
        payload = json.dumps(body)
        for name, made in self._ids.items():
            payload = payload.replace(name, made)
        response = self._wire.send(
            operation.path, payload.encode(), method=operation.method, query=dict(operation.query)
        )
        answer = json.loads(response.body)
        if operation is SEARCH_BY_RANDOM and response.status == 200:
            answer["result"]["data"].sort(key=lambda hit: hit["id"])
        if operation.safety is Safety.READ:
            return Outcome(response.status, _lasting(answer))
        self._settle()
        shown = [self._act(f"ListVikingdb{kind}", PageSize=100) for kind in ("Collection", "Index", "Task")]
        return Outcome(response.status, _lasting(answer), _lasting(shown), _lasting(list(self._done())))

    def _settle(self) -> None:
        """Until no task has anything to do."""
        assert self._transport._session is not None
        self._transport._session.catalog.tasks.worker.join()

    def _act(self, action: str, **body: Any) -> Any:
        return self._wire.act(action, body)[1].get("Result", {})

    def _done(self) -> Iterator[Any]:
        act, data = self._wire.act, self._wire.data
        for name, more in (
            ("with_vectors", {"VectorIndex": FLAT}),
            ("hybrid", {"VectorIndex": HYBRID}),
            ("without", {}),
        ):
            act("CreateVikingdbIndex", {"CollectionName": "n", "IndexName": name, **more})
        yield data("data/upsert", {"collection_name": "n", "data": [NEW_ROW], "ignore_unknown_fields": True})
        indexes = self._act("ListVikingdbIndex", PageSize=100)["Indexes"]
        for later in (0, HOUR_SECONDS):
            self._clock.seconds += later
            for each in indexes:
                at = {"collection_name": each["CollectionName"], "index_name": each["IndexName"]}
                ids = [1] if each["CollectionName"] == "n" else ["a", "b", "d", "new"]
                is_sf = {"op": "must", "field": "genre", "conds": ["sf"]}
                yield data("data/fetch_in_index", {**at, "ids": ids})
                yield data("data/search/vector", {**at, "dense_vector": [1, 0, 0, 0], "filter": is_sf})
                yield data("data/search/vector", {**at, "dense_vector": [1, 0, 0, 0]})
                yield data("data/search/vector", {**at, "dense_vector": [1, 0, 0, 0], "sparse_vector": {"dune": 1}})
                for word in ("dune", ","):
                    yield data("data/search/keywords", {**at, "keywords": [word]})
        for path in sorted(self._buckets.rglob("*.jsonl")):
            yield path.relative_to(self._buckets).as_posix(), path.read_text(encoding="utf-8")
        for each in indexes:
            yield act("DeleteVikingdbIndex", {name: each[name] for name in ("CollectionName", "IndexName")})
        for name in ("c", "p", "e", "n"):
            yield act("DeleteVikingdbCollection", {"CollectionName": name})


def _with_words_and_tokens(row: Mapping[str, Any]) -> dict[str, Any]:
    words = {"words": WORDS[row["id"]]} if row["id"] in WORDS else {}
    return {**row, **words, "tokens": TOKENS[row["id"]]}


def _lasting(value: Any) -> str:
    """JSON text without the ids of requests, resources and tasks."""
    return re.sub(r'(vdb|task)-\w+|"(request_id|RequestId)": "\w+"', "…", json.dumps(value))


def without(body: Body, option: str) -> dict[str, Any]:
    """A copy of a request without an option, in every item of the lists on its way."""
    outer, _, inner = option.partition(".")
    left = copy.deepcopy(dict(body))
    if not inner:
        left.pop(outer, None)
    elif outer in left:
        left[outer] = _without(left[outer], inner)
    return left


def _without(value: Any, option: str) -> Any:
    if isinstance(value, Mapping):
        return without(value, option)
    return [_without(item, option) for item in value] if isinstance(value, list) else value


def with_value(body: Body, option: str, value: Any) -> dict[str, Any]:
    """A copy of a request with another value of an option, which stands in no list."""
    outer, _, inner = option.partition(".")
    return {**body, outer: with_value(body[outer], inner, value) if inner else value}


def has(value: Any, option: str) -> bool:
    """Whether a request gives an option, in any item of the lists on its way."""
    if isinstance(value, list):
        return any(has(item, option) for item in value)
    if not isinstance(value, Mapping):
        return False
    outer, _, inner = option.partition(".")
    if not inner:
        return value.get(outer) is not None
    return has(value.get(outer), inner)
