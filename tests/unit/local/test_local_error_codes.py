"""Every code the engine answers with arrives at a client's caller as its own exception, with its HTTP status.

The codes, classes and statuses are written here by hand, after the specification's section on errors; that none is
missing is read off the engine's sources.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.unit.local.wire import HASHED
from vikingdb_core.exceptions import APIError, NotFound, OperationNotSupported, ServerError, VikingException
from vikingdb_core.operation import Operation
from vikingdb_local import errors
from vikingdb_local.handlers import HANDLERS
from vikingdb_local.transport import LocalTransport
from vikingdb_vector import ERRORS, CollectionClient, IndexClient, VikingDB
from vikingdb_vector import exceptions as e
from vikingdb_vector import operations as ops

KEY = {"field_name": "id", "field_type": "int64", "is_primary_key": True}
PRICE = {"field_name": "price", "field_type": "float32"}
MOOD = {"field_name": "mood", "field_type": "vector", "dim": 4}
SECRET = "a detail of the engine's insides"


@pytest.fixture
def db(transport: LocalTransport) -> VikingDB:
    """Collection ``books`` and its index ``by_mood``. Collection and index ``kept`` are protected, ``off`` is off."""
    client = VikingDB(endpoint=HASHED, transport=transport, retry=1)
    client.admin.create_collection(collection_name="books", fields=[KEY, PRICE, MOOD])
    client.admin.create_collection(collection_name="kept", fields=[KEY], del_protection=True)
    make_index(client, "by_mood")
    make_index(client, "kept", del_protection=True)
    make_index(client, "off")
    client.admin.disable_index(collection_name="books", index_name="off")
    return client


def make_index(db: VikingDB, name: str, **more: Any) -> None:
    flat = {"index_type": "flat", "distance": "ip"}
    db.admin.create_index(collection_name="books", index_name=name, vector_index=flat, **more)


def delete_index(db: VikingDB, name: str) -> None:
    db.admin.delete_index(collection_name="books", index_name=name)


def books(db: VikingDB, name: str = "books") -> CollectionClient:
    return db.collection(collection_name=name)


def index(db: VikingDB, name: str = "by_mood", collection: str = "books") -> IndexClient:
    return db.index(collection_name=collection, index_name=name)


def row(key: int, mood: Sequence[float] = (0.1, 0.2, 0.3, 0.4)) -> dict[str, Any]:
    return {"id": key, "price": 1.5, "mood": list(mood)}


def act(db: VikingDB, action: str, version: str) -> None:
    """Call an API of the control plane that the client has no method for."""
    db.call(Operation.raw("POST", "/", query={"Action": action, "Version": version}, plane="control"), {})


def export(db: VikingDB) -> None:
    config = {"file_type": "json", "tos_path": "bucket/books", "export_all": True}
    db.admin.create_task(task_type="data_export", collection_name="books", task_config=config)


def fail_inside(db: VikingDB) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError(SECRET)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(HANDLERS, ops.SEARCH_BY_RANDOM.name, fail)
        index(db).search_by_random()


Call = Callable[[VikingDB], Any]
REFUSALS: dict[tuple[str, type[APIError], int], dict[str, Call]] = {
    ("MissingParameter", e.MissingParameter, 400): {
        "no field to order by": lambda db: index(db).search_by_scalar({}),
        "no keys to delete": lambda db: books(db).delete({}),
        "no vector index": lambda db: db.admin.create_index(collection_name="books", index_name="x"),
    },
    ("InvalidParameter", e.InvalidParameter, 400): {
        "a wrong dimension": lambda db: books(db).upsert({"data": [row(1, [1, 2])]}),
        "no hits asked for": lambda db: index(db).search_by_random({"limit": 0}),
        "a name that is none": lambda db: db.admin.create_collection(collection_name="1st", fields=[KEY]),
    },
    ("InvalidActionOrVersion", e.InvalidActionOrVersion, 400): {
        "an unknown Action": lambda db: act(db, "PraiseVikingdb", "2025-06-09"),
        "an unknown Version": lambda db: act(db, "ListVikingdbCollection", "1999-01-01"),
    },
    ("OperationDenied.VikingdbCollection", e.OperationDenied, 400): {
        "deleting a collection that has indexes": lambda db: db.admin.delete_collection(collection_name="books"),
        "deleting a protected collection": lambda db: db.admin.delete_collection(collection_name="kept"),
    },
    ("OperationDenied.VikingdbIndex", e.OperationDenied, 400): {
        "deleting a protected index": lambda db: delete_index(db, "kept"),
        "searching a disabled index": lambda db: index(db, "off").search_by_random(),
    },
    ("OperationDenied.VikingdbTask", e.OperationDenied, 400): {
        "exporting to nowhere": lambda db: export(db),
    },
    ("NotFound.VikingdbCollection", e.CollectionNotFound, 404): {
        "writing to no collection": lambda db: books(db, "absent").upsert({"data": [row(1)]}),
        "searching no collection": lambda db: index(db, collection="absent").search_by_random(),
        "describing no collection": lambda db: db.admin.get_collection(collection_name="absent"),
    },
    ("NotFound.VikingdbIndex", e.IndexNotFound, 404): {
        "searching no index": lambda db: index(db, "absent").search_by_random(),
        "deleting no index": lambda db: delete_index(db, "absent"),
    },
    ("NotFound.VikingdbTask", e.TaskNotFound, 404): {
        "describing no task": lambda db: db.admin.get_task(task_id="task-0"),
        "deleting no task": lambda db: db.admin.delete_task(task_id="task-0"),
    },
    ("NotFound.VikingdbData", e.DataNotFound, 404): {
        "changing no row": lambda db: books(db).update({"data": [{"id": 9}]}),
        "searching by no row": lambda db: index(db).search_by_id({"id": 9}),
    },
    ("NotFound.Path", NotFound, 404): {
        "an unknown path": lambda db: db.call(Operation.raw("POST", "/api/vikingdb/data/praise"), {}),
    },
    ("AlreadyExists.VikingdbCollection", e.CollectionAlreadyExists, 409): {
        "making a collection again": lambda db: db.admin.create_collection(collection_name="books", fields=[KEY]),
    },
    ("AlreadyExists.VikingdbIndex", e.IndexAlreadyExists, 409): {
        "making an index again": lambda db: make_index(db, "by_mood"),
    },
    ("NotImplemented", OperationNotSupported, 501): {
        "searching by an image": lambda db: index(db).search_by_multi_modal({"image": "tos://bucket/key"}),
    },
    ("InternalError", ServerError, 500): {"a fault of the engine": lambda db: fail_inside(db)},
}
CASES = [pytest.param(call, *said, id=what) for said, calls in REFUSALS.items() for what, call in calls.items()]
CODES = {code: status for code, _, status in REFUSALS}

NEVER: dict[str, str] = {
    "AccessDenied": "the engine is in the caller's own process and asks nobody for keys",
    "TooManyRequests": "it has no rate limit",
    "InvalidAction": "the gateway's other spelling of InvalidActionOrVersion",
    "AlreadyExists": "for kinds this SDK has no class for; the engine's both have one",
}
"""Codes a client knows and the engine never says, and why."""


@pytest.mark.parametrize(("call", "code", "error", "status"), CASES)
def test_a_refusal_is_an_exception_of_its_own(
    call: Call, code: str, error: type[APIError], status: int, db: VikingDB
) -> None:
    with pytest.raises(VikingException) as caught:
        call(db)
    assert type(caught.value) is error
    assert (caught.value.code, caught.value.status_code) == (code, status)
    assert caught.value.message
    assert len(caught.value.request_id) == 34


def test_a_fault_of_the_engine_says_nothing_of_its_insides(db: VikingDB) -> None:
    with pytest.raises(ServerError) as caught:
        fail_inside(db)
    shown = f"{caught.value} {caught.value.__dict__} {getattr(caught.value, '__notes__', '')}"
    assert SECRET not in shown
    assert "ZeroDivisionError" not in shown
    assert caught.value.request_id in caught.value.message  # by which its log has the cause


def test_every_code_of_the_engine_is_produced_here() -> None:
    assert set(codes_in_the_sources()) == set(CODES)


def test_every_status_of_the_engine_is_the_documented_one() -> None:
    documented = {code.partition(".")[0]: status for code, status in CODES.items()}
    assert dict(errors.STATUSES) == documented | {"AccessDenied": 403, "TooManyRequests": 429}


def test_every_code_a_client_knows_is_produced_here_or_cannot_be() -> None:
    produced = {code if code in ERRORS else code.partition(".")[0] for code in CODES}
    assert produced | set(NEVER) == set(ERRORS)
    assert produced & set(NEVER) == set()


def codes_in_the_sources() -> Iterator[str]:
    """The codes that the engine's modules raise: ``invalid(…)``, ``denied(INDEX, …)``, ``ServiceError("…", …)``."""
    whole = {name: getattr(errors, name)("").code for name in ("missing", "invalid", "not_implemented")}
    by_kind = {
        name: getattr(errors, name)("", "").code.removesuffix(".") for name in ("denied", "not_found", "already_exists")
    }
    makers = [name for name, value in inspect.getmembers(errors, inspect.isfunction) if returns_an_error(value)]
    assert sorted(makers) == sorted([*whole, *by_kind]), "a new maker of errors: teach this function its codes"
    home = Path(errors.__file__)
    for path in home.parent.rglob("*.py"):
        # What HTTP adds, and faults on demand, are no codes of the engine: tests/server and test_local_faults.py.
        if path == home or {"build", "server", "fault_injection"} & set(path.parts):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else None
            if name in whole:
                yield whole[name]
            elif name in by_kind:
                yield f"{by_kind[name]}.{text_of(node)}"
            elif name == "ServiceError":
                yield text_of(node)


def returns_an_error(function: Callable[..., Any]) -> bool:
    return "ServiceError" in str(inspect.signature(function).return_annotation)


def text_of(call: Any) -> str:
    """The first argument: a text, or the name of a constant of the module of errors."""
    first = call.args[0]
    text = first.value if isinstance(first, ast.Constant) else getattr(errors, first.id)
    assert isinstance(text, str)
    return text
