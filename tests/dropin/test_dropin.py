"""Drop-in: everything public in the official package 0.1.35 (vector part) imports from the same path, called as there.

The official package is installed in an environment of its own and walked there; ours is walked here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.packaging

WALK = Path(__file__).with_name("walk.py")
MODULES = [
    "vikingdb",
    "vikingdb.auth",
    "vikingdb.exceptions",
    "vikingdb.request_options",
    "vikingdb.version",
    *(f"vikingdb.vector{part}" for part in ("", ".base", ".client", ".collection", ".embedding", ".exceptions")),
    *(f"vikingdb.vector{part}" for part in (".index", ".rerank", ".models")),
    *(f"vikingdb.vector.models.{part}" for part in ("base", "collection", "embedding", "index", "rerank")),
]
OTHER_DOMAINS = {"Collection", "KnowledgeCollection", "VikingKnowledge", "VikingMem"}
WAIVED = {
    "TYPE_CHECKING": "not the package's own",
    "T_VikingException": "a type variable of the package's own annotations",
    "ParsedError": "the parser's own record; an exception has its fields",
    "parse_error_payload": "the parser of error bodies; the client does it",
    "promote_exception": "how the package chose a class; the client does it",
    "DEFAULT_UNKNOWN_ERROR_CODE": "stood for anything unknown; an exception's class says what is known",
    "NETWORK_ERROR_CODE": "never used by the package itself",
}
WAIVED_METHODS = {
    "initialize": "bound a credential to one service and region; ours serve all",
    "sign_request": "changed a volcengine request in place; sign() returns a new one",
    "from_response": "the client builds exceptions",
    "prepare_request": "made a volcengine request",
    "json_exception": "sent a volcengine request; request() is its public form",
    "async_json": "never used by the vector client",
}


@pytest.fixture(scope="module")
def official(official_python: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return walk(official_python, tmp_path_factory.mktemp("walk"))


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    return walk(sys.executable, WALK.parents[2])


def walk(python: str, folder: Path) -> dict[str, Any]:
    done = subprocess.run([python, str(WALK), *MODULES], cwd=folder, capture_output=True, timeout=120, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def expected(official: dict[str, Any]) -> dict[str, Any]:
    dropped = {*WAIVED, *OTHER_DOMAINS}
    return {path: about for path, about in official.items() if path.rpartition(".")[2] not in dropped}


def test_every_name_imports_from_the_same_path(official: dict[str, Any], ours: dict[str, Any]) -> None:
    assert len(expected(official)) > 150
    assert [path for path in expected(official) if path not in ours] == []


def test_what_is_waived_is_there_to_be_waived(official: dict[str, Any]) -> None:
    names = {path.rpartition(".")[2] for path in official}
    methods = {method for about in official.values() for method in about.get("methods", {})}
    assert set(WAIVED) - names == set()
    assert set(WAIVED_METHODS) - methods == set()


def test_every_model_has_the_same_fields_by_the_same_wire_names(official: dict[str, Any], ours: dict[str, Any]) -> None:
    wrong = []
    for path, about in expected(official).items():
        if about["kind"] == "model":
            mine = ours[path]["fields"]
            for name, alias in about["fields"].items():
                if name == "schema":  # a property here: pydantic has a method of the name
                    name = "index_schema"
                if name not in mine or (mine[name] or name) != (alias or name):
                    wrong.append(f"{path}.{name}")
    assert wrong == []


def test_everything_is_called_as_there(official: dict[str, Any], ours: dict[str, Any]) -> None:
    wrong = []
    for path, about in expected(official).items():
        if about["kind"] == "model":
            continue
        if about.get("call") and path.rpartition(".")[2] != "VikingVector":  # its wrapper hides its signature
            wrong += [f"{path}: {each}" for each in unmatched(about["call"], ours[path].get("call", []))]
        for name, call in about.get("methods", {}).items():
            if name not in WAIVED_METHODS:
                mine = ours[path].get("methods", {}).get(name)
                wrong += [
                    f"{path}.{name}: {each}" for each in (unmatched(call, mine) if mine is not None else ["missing"])
                ]
    assert wrong == []


def unmatched(theirs: list[list[Any]], mine: list[list[Any]]) -> list[str]:
    """Parameters that cannot be given to ours as they were to theirs, and ours that must be given beside them."""
    names = {name for name, _, _ in mine}
    given = {name for name, _, _ in theirs}
    missing = [name for name, _, _ in theirs if name not in names]
    kinds = {name: kind for name, kind, _ in mine}
    keyword_now = [
        name for name, kind, _ in theirs if kind == "POSITIONAL_OR_KEYWORD" and kinds.get(name) == "KEYWORD_ONLY"
    ]
    must = [name for name, kind, is_required in mine if is_required and name not in given and "VAR" not in kind]
    order = [name for name, kind, _ in theirs if kind == "POSITIONAL_OR_KEYWORD"]
    my_order = [name for name, kind, _ in mine if kind == "POSITIONAL_OR_KEYWORD"][: len(order)]
    moved = [] if missing or order == my_order else [f"order {my_order}, not {order}"]
    return [*(f"no {name}" for name in missing), *keyword_now, *(f"needs {name}" for name in must), *moved]
