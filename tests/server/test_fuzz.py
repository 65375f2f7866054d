"""Schemathesis makes requests of ``/openapi.json``, sound ones and others: each is answered as the document says.

Statuses are the document's. It has 501, for what the managed service can do and the emulator says it cannot, and no
other of the 5xx.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.server.conftest import FIELDS
from tests.server.raw import ask
from tests.support.served import HASHED, Served
from vikingdb_vector import VikingDB

CHECKS = "status_code_conformance,response_schema_conformance,content_type_conformance"
ROWS = [{"id": key, "title": f"t{key}", "vec": [key, 0, 0, 1]} for key in range(1, 6)]


def schemathesis(server: Served, folder: Path, document: Path | None = None) -> subprocess.CompletedProcess[str]:
    where = [f"{server.url}/openapi.json"] if document is None else [str(document), "--url", server.url]
    program = [sys.executable, "-m", "schemathesis.cli", "run", *where]
    options = ["--checks", CHECKS, "--phases", "coverage,fuzzing", "--max-examples", "10", "--seed", "1"]
    return subprocess.run(
        [*program, *options, "--warnings", "off", "--no-color"], cwd=folder, capture_output=True, text=True, timeout=600
    )


def contents(db: VikingDB) -> list[tuple[Any, Any]]:
    hits = db.index(collection_name="c", index_name="i").search_by_scalar({"field": "id", "order": "asc", "limit": 100})
    return [(hit.id, hit.fields["title"]) for hit in hits.result.data]


@pytest.fixture
def server() -> Any:
    with Served(*HASHED) as served:
        with VikingDB(endpoint=served.url) as db:
            db.admin.create_collection(collection_name="c", fields=FIELDS)
            vectors = {"index_type": "flat", "distance": "ip"}
            db.admin.create_index(collection_name="c", index_name="i", vector_index=vectors, scalar_index=["id"])
            db.collection(collection_name="c").upsert({"data": ROWS})
        yield served


def test_what_the_document_describes_is_answered_as_it_says(server: Served, tmp_path: Path) -> None:
    done = schemathesis(server, tmp_path)
    assert done.returncode == 0, done.stdout[-5000:]
    assert "Tested: 17" in done.stdout
    with VikingDB(endpoint=server.url) as db:
        assert contents(db) == [(row["id"], row["title"]) for row in ROWS]
    assert "Traceback" not in server.stop()


ACTIONS = ("CreateVikingdbCollection", "UpdateVikingdbCollection", "CreateVikingdbIndex", "UpdateVikingdbIndex")


@pytest.mark.parametrize("action", [*ACTIONS, "CreateVikingdbTask"])
def test_each_action_is_answered_as_the_document_says(server: Served, tmp_path: Path, action: str) -> None:
    """Alone: in the whole document, the bodies of all actions are one."""
    described = json.loads(ask(server.port, "/openapi.json", None, method="GET").body)
    control = described["paths"]["/"]["post"]
    control["parameters"][0]["schema"]["enum"] = [action]
    body = control["x-actions"][action]["request"]
    control["requestBody"]["content"]["application/json"]["schema"] = body
    described["paths"] = {"/": {"post": control}}
    document = tmp_path / "one.json"
    document.write_text(json.dumps(described))
    done = schemathesis(server, tmp_path, document)
    assert done.returncode == 0, done.stdout[-5000:]
    with VikingDB(endpoint=server.url) as db:
        assert contents(db) == [(row["id"], row["title"]) for row in ROWS]
    assert "Traceback" not in server.stop()
