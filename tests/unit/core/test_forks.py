"""A fork leaves locks behind that nobody will let go of. What is registered is told of it in the child."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

PROGRAM = """
import gc, os, sys
from vikingdb_core.forks import survives_forks

class Thing:
    def __init__(self, name):
        self.name, self.told = name, 0
        survives_forks(self)
    def renew_after_fork(self):
        self.told += 1
        if self.name == "broken":
            raise RuntimeError("cannot")

things = [Thing("one"), Thing("broken"), Thing("two")]
Thing("gone")
gc.collect()
child = os.fork()
if not child:
    os._exit(0 if [thing.told for thing in things] == [1, 1, 1] else 3)
_, status = os.waitpid(child, 0)
told = [thing.told for thing in things]
sys.exit(os.waitstatus_to_exitcode(status) if told == [0, 0, 0] else 4)
"""


def test_the_child_of_a_fork_tells_everything_and_a_broken_one_stops_no_other() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "cannot" in done.stderr
