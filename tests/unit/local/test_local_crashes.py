"""A writer that is killed at any moment, many times: nothing acknowledged is lost, no batch is torn, caches heal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from vikingdb_local.engine.graph import is_available

KILLS = 24
ROOT = Path(__file__).parents[3]


# Where there is no fork, test_local_durable kills writers that are processes from the beginning.
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_database_survives_having_its_writers_killed(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "tests.unit.local.crashes", str(tmp_path / "shore"), str(KILLS)]
    ended = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    said = json.loads(ended.stdout.splitlines()[-1])
    assert said["kills"] == KILLS
    assert said["calls"] > 5 * KILLS
    assert said["integrity"] == "ok"
    assert said["caches"] == (["graph", "rows"] if is_available() else ["rows"])
