"""The official package, in an environment of its own, against ``vikingdb-local serve`` with signatures checked."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.dropin.test_flows import EMBEDDED, FIELDS, FLOWS, VECTOR, make
from tests.support.served import HASHED, Served
from tests.support.server import free_port
from vikingdb import IAM
from vikingdb.vector import VikingDB

pytestmark = pytest.mark.packaging

KEYS = {"VIKINGDB_LOCAL_ACCESS_KEY": "AKDEMO", "VIKINGDB_LOCAL_SECRET_KEY": "SKDEMO"}


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with Served(*HASHED, "--region", "cn-beijing", environment=KEYS) as served:
        with VikingDB(endpoint=served.url, auth=IAM(ak="AKDEMO", sk="SKDEMO")) as client:
            make(client, "text", FIELDS, Vectorize=EMBEDDED)
            make(client, "vector", [*FIELDS, VECTOR])
        yield served


def run(python: str, server: Served, home: Path, **given: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TMPDIR") if name in os.environ}
    environment = {
        "HOME": str(home),
        "VIKINGDB_HOST": f"127.0.0.1:{server.port}",
        "VIKINGDB_CLOSED_HOST": f"127.0.0.1:{free_port()}",
        "VIKINGDB_REGION": "cn-beijing",
        "VIKINGDB_AK": "AKDEMO",
        "VIKINGDB_SK": "SKDEMO",
    }
    return subprocess.run(
        [python, str(FLOWS)],
        env={**inherited, **environment, **given},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=180,
    )


def test_its_program_works_unchanged(official_python: str, server: Served, tmp_path: Path) -> None:
    done = run(official_python, server, tmp_path)
    assert done.returncode == 0, done.stderr
    saw: dict[str, Any] = json.loads(done.stdout)
    assert (saw["1 connectivity, empty"]["hits"], saw["1 connectivity"]["hits"]) == (0, 1)
    assert saw["2 lifecycle"]["search"]["titles"] == ["Harbour"]
    assert saw["3.1 multi-modal"]["titles"] == ["Lighthouse", "Harbour"]
    assert saw["4 aggregate"]["agg"] == {"1": 1, "2": 1, "3": 1}
    assert saw["6 exceptions"]["unknown collection"]["status"] == 404


@pytest.mark.parametrize("wrong", [{"VIKINGDB_SK": "SKOTHER"}, {"VIKINGDB_REGION": "cn-shanghai"}])
def test_its_signatures_are_checked(
    official_python: str, server: Served, tmp_path: Path, wrong: dict[str, str]
) -> None:
    done = run(official_python, server, tmp_path, **wrong)
    assert done.returncode != 0
    assert "AccessDenied" in done.stderr
