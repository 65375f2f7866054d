"""The parity checklist lists every API and every option, and says of the embedded engine what the engine does.

What it says of the official Python package is checked in tests/dropin, where that package is installed.
"""

from __future__ import annotations

import inspect
import keyword
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

import vikingdb_core
import vikingdb_vector
from tests.docs.parity import OPERATIONS, PAGE, Row, claims, options_of, tables
from tests.docs.samples import ARGUMENTS, CALL_ARGUMENTS, ELSEWHERE, KEY, SAMPLES, VECTOR, sample
from tests.docs.world import Body, Outcome, World, with_value, without
from vikingdb_core import RequestOptions, discovery
from vikingdb_core.client import ClientCore
from vikingdb_core.operation import Operation
from vikingdb_core.traits import Safety
from vikingdb_local.engine.derived import MIN_CACHED_ROWS
from vikingdb_local.engine.graph import MIN_ROWS
from vikingdb_vector import VikingDB
from vikingdb_vector.admin import AdminClient
from vikingdb_vector.collection import CollectionClient
from vikingdb_vector.embedding import EmbeddingClient
from vikingdb_vector.index import IndexClient
from vikingdb_vector.models import FieldType, IndexType
from vikingdb_vector.rerank import RerankClient

HANDLES: Mapping[str, type] = {
    "admin": AdminClient,
    "client": VikingDB,
    "collection": CollectionClient,
    "embedding": EmbeddingClient,
    "index": IndexClient,
    "rerank": RerankClient,
}
BESIDE_A_TYPE: Mapping[str, Body] = {FieldType.VECTOR: {"Dim": 4}, FieldType.TENSOR: {"Shape": [2, 4]}}
"""What a field of a type needs to be told."""

SUPPORT = {"yes", "no"}
TREATMENT = {"yes", "no", "ignored", "kept", "refused"}


@pytest.fixture(scope="module")
def reader() -> Iterator[World]:
    """A world for requests that change nothing in it."""
    world = World()
    yield world
    world.close()


def by_name(kind: str, subject: str = "") -> dict[str, list[Row]]:
    """Rows of the tables of a kind (about a subject), by what they name."""
    found: dict[str, list[Row]] = {}
    for table in tables(kind):
        if not subject or table.subjects == (subject,):
            for row in table.rows:
                for name in row.names:
                    found.setdefault(name, []).append(row)
    return found


def parameters(call: Callable[..., Any]) -> list[str]:
    return [name for name in inspect.signature(call).parameters if name not in ("self", "unknown")]


def test_every_operation_has_one_row_and_nothing_else_has() -> None:
    assert {name: len(rows) for name, rows in by_name("operation").items()} == dict.fromkeys(OPERATIONS, 1)


def test_every_option_has_one_row_and_nothing_else_has() -> None:
    options = [(name, option) for name, operation in OPERATIONS.items() for option in options_of(operation)]
    assert {key: len(rows) for key, rows in claims().items()} == dict.fromkeys(options, 1)


@pytest.mark.parametrize(
    ("subject", "call"), [("VikingDB", ClientCore.__init__), ("RequestOptions", RequestOptions.__init__)]
)
def test_every_argument_has_one_row_and_nothing_else_has(subject: str, call: Callable[..., Any]) -> None:
    found = {name: len(rows) for name, rows in by_name("argument", subject).items()}
    assert found == dict.fromkeys(parameters(call), 1)


def test_every_value_is_a_word_of_the_legend() -> None:
    rows = [row for kind in ("operation", "option", "argument") for table in tables(kind) for row in table.rows]
    assert {row.python for row in rows} | {row.go for row in rows} | {row.java for row in rows} <= SUPPORT
    assert {row.ours for row in rows} == {"yes"}
    assert {row.embedded for row in rows} == TREATMENT
    legend = re.findall(r"^\| (\w+) \| .*mbedded: answers", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(legend) == TREATMENT


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_has_the_wire_and_the_method_of_its_row(name: str) -> None:
    (row,) = by_name("operation")[name]
    wire, method = (cell.strip("`") for cell in row.middle)
    operation = OPERATIONS[name]
    assert wire == (dict(operation.query).get("Action") or operation.path.removeprefix("/api/vikingdb/"))
    handle, _, verb = method.partition(".")
    told = re.search(r"Wire: ``(?:GET|POST) (\S+?)``", inspect.getdoc(getattr(HANDLES[handle], verb)) or "")
    assert told is not None
    assert told.group(1) == (f"/?Action={wire}" if operation.query else operation.path)


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_engine_does_an_operation_or_refuses_it_as_the_page_says(name: str, reader: World) -> None:
    (row,) = by_name("operation")[name]
    if row.embedded == "no":
        assert try_out(reader, OPERATIONS[name], {}).status == 501
        assert name not in SAMPLES
    else:
        assert try_out(reader, OPERATIONS[name], SAMPLES[name][0]).status == 200


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_engine_does_with_every_option_what_the_page_says(name: str, reader: World) -> None:
    claimed = {option: row.embedded for (operation, option), (row, *_) in claims().items() if operation == name}
    if name in SAMPLES:
        assert {option: observed(reader, name, option) for option in claimed} == claimed
    else:  # the operation itself is refused, whatever it is told
        assert set(claimed.values()) == {"no"}


def fields_of_type(kind: str) -> Body:
    field = {"FieldName": "field", "FieldType": kind, **BESIDE_A_TYPE.get(kind, {})}
    return {"Fields": [KEY, field] if kind == FieldType.VECTOR else [KEY, VECTOR, field]}


def index_of_type(kind: str) -> Body:
    return {"VectorIndex": {"IndexType": kind}}


@pytest.mark.parametrize(
    ("operation", "option", "kinds", "body"),
    [
        ("vector.collection.create", "Fields.FieldType", FieldType, fields_of_type),
        ("vector.index.create", "VectorIndex.IndexType", IndexType, index_of_type),
        ("vector.index.update", "VectorIndex.IndexType", IndexType, index_of_type),
    ],
)
def test_the_engine_takes_all_types_but_those_that_the_page_excepts(
    operation: str, option: str, kinds: type[StrEnum], body: Callable[[str], Body], reader: World
) -> None:
    (row,) = claims()[operation, option]
    bodies = {kind: {**SAMPLES[operation][0], **body(kind)} for kind in kinds}
    taken = {kind for kind, each in bodies.items() if try_out(reader, OPERATIONS[operation], each).status == 200}
    assert taken == set(kinds) - set(row.excepted)


def test_the_async_client_reaches_the_engine_when_the_page_says_so() -> None:
    (row,) = by_name("behaviour")["AsyncVikingDB"]
    assert (row.embedded == "yes") == ("local" in discovery.names(discovery.ASYNC_TRANSPORTS))


def observed(reader: World, name: str, option: str) -> str:
    """What the engine makes of an option, in the legend's words."""
    operation, body = OPERATIONS[name], sample(name, option)
    if body is None:
        return "no sample gives it"
    outcome = try_out(reader, operation, body)
    if outcome.status == 200:
        name_alone = option.rpartition(".")[2]
        is_elsewhere = name_alone in ELSEWHERE
        contrast = with_value(body, option, ELSEWHERE[name_alone]) if is_elsewhere else without(body, option)
        other = try_out(reader, operation, contrast)
        if outcome == other:
            return "ignored"
        return "kept" if outcome == replace(other, shown=outcome.shown) else "yes"
    # The option is to blame if the request passes without it, or without what it is a part of.
    way = option.split(".")
    shorter = [without(body, ".".join(way[:length])) for length in range(len(way), 0, -1)]
    statuses = {try_out(reader, operation, other).status for other in shorter}
    if outcome.status == 501 and statuses != {501}:
        return "no"
    return "refused" if outcome.status == 400 and 200 in statuses else f"the sample itself is answered {outcome.status}"


def try_out(reader: World, operation: Operation[Any, Any], body: Body) -> Outcome:
    if operation.safety is Safety.READ:
        return reader.send(operation, body)
    world = World()
    try:
        return world.send(operation, body)
    finally:
        world.close()


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_client_of_the_engine_takes_an_argument(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    profiles = tmp_path / "config.toml"
    profiles.write_text('[parity]\nregion = "cn-shanghai"\n', encoding="utf-8")
    monkeypatch.setenv("VIKINGDB_CONFIG_FILE", str(profiles))
    with VikingDB(**{"endpoint": "local://", **ARGUMENTS[name]}) as client:
        client.ping()


@pytest.mark.parametrize("name", CALL_ARGUMENTS)
def test_a_call_to_the_engine_takes_an_argument(name: str) -> None:
    with VikingDB(endpoint="local://") as client:
        client.ping(request_options=RequestOptions(**{name: CALL_ARGUMENTS[name]}))


def test_no_argument_lacks_a_sample() -> None:
    assert set(ARGUMENTS) == set(by_name("argument", "VikingDB"))
    assert set(CALL_ARGUMENTS) == set(by_name("argument", "RequestOptions"))


def test_what_the_table_of_behaviour_names_exists() -> None:
    named = [name for name in by_name("behaviour") if re.fullmatch(r"[\w.]+", name) and not keyword.iskeyword(name)]
    assert len(named) > 10
    assert [name for name in named if not exists(name)] == []


def exists(name: str) -> bool:
    owner, _, member = name.rpartition(".")
    homes = (HANDLES.get(owner) or getattr(vikingdb_core, owner),) if owner else (vikingdb_core, vikingdb_vector)
    return any(hasattr(home, member) for home in homes)


def test_the_control_plane_is_in_no_official_data_sdk() -> None:
    rows = [by_name("operation")[name][0] for name, operation in OPERATIONS.items() if operation.plane == "control"]
    rows += [row for (name, _), (row, *_) in claims().items() if name and OPERATIONS[name].plane == "control"]
    assert {(row.python, row.go, row.java) for row in rows} == {("no", "no", "no")}


def test_the_page_says_from_how_many_rows_on_there_are_graphs_and_caches() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert f"From {MIN_ROWS:,} rows on" in text
    assert f"from {MIN_CACHED_ROWS:,} rows on" in text


def test_every_page_and_module_named_exists() -> None:
    text = PAGE.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    modules = re.findall(r"`((?:vikingdb_\w+|plugins|tests)/[\w/.]*)`", text)
    assert len(links) > 5
    assert [link for link in links if not (PAGE.parent / link).exists()] == []
    assert [module for module in modules if not (PAGE.parents[1] / module).exists()] == []
