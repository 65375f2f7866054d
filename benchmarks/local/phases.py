"""Phases: workers started one at a time, watched, and stopped when they take too long."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .data import Data
from .engines import OURS

WATCH_SECONDS = 15
CONFIGURED_ROWS = 20_000
SECONDS = {"configured": 30, "fill": 90, "serve": 3}
"""Timing stops by itself after so long: of ingest, and of each kind of question. More rows have more time."""
MOST_SECONDS = {"configured": 120, "fill": 360, "build": 300, "serve": 240}
"""A process that goes on longer is ended. ``build`` is a stage of ``fill`` with a time of its own."""


def say(text: str) -> None:
    """Tell whoever waits."""
    print(text, file=sys.stderr, flush=True)


class Phases:
    """Runs phases of engines, each in its own process.

    Args:
        folder: where databases and findings go.
        data: what the engines read.
        variables: the environment of the processes.
        root: where ``benchmarks`` is imported from.
    """

    def __init__(self, folder: Path, data: Data, variables: Mapping[str, str], root: Path) -> None:
        self._folder, self._data, self._variables, self._root = folder, data, variables, root
        self._more = max(1.0, data.size.rows / 100_000)

    def run(self, name: str, python: Path, phase: str, what: str = "") -> dict[str, Any]:
        """What a phase of an engine found. ``stopped`` says that it took too long, ``failed`` what went wrong."""
        database = self._folder / (f"{name}-configured" if phase == "configured" else name)
        database.mkdir(exist_ok=True)
        found, log = self._folder / f"{name}-{phase}.json", self._folder / f"{name}-{phase}.log"
        found.unlink(missing_ok=True)
        seconds = SECONDS[phase] * self._more
        options = {
            "seconds": seconds,
            "rows": min(CONFIGURED_ROWS, self._data.size.rows),
            "quiet_seconds": 2.0 if self._data.size.rows > CONFIGURED_ROWS else 0.3,
            "floor": name == OURS,
        }
        command = [python, "-m", "benchmarks.local.worker", name, phase, database, self._data.folder, found]
        with log.open("w") as output:
            process = subprocess.Popen(
                [*map(str, command), json.dumps(options)],
                cwd=self._root,
                env=self._variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
            stopped = self._watch(process, name, what or phase, phase, found)
        answer = _read(found)
        if stopped is not None:
            answer["stopped"] = stopped
        elif process.returncode and "failed" not in answer:
            answer["failed"] = f"the process ended with {process.returncode}"
        if "failed" in answer:
            say(f"{name}: {phase} failed, {answer['failed']}\n{_tail(log)}")
        return answer

    def _watch(self, process: subprocess.Popen[bytes], name: str, what: str, phase: str, found: Path) -> str | None:
        """Wait for a process and say now and then how far it is; why it had to be stopped, if it had."""
        stage, began = phase, time.monotonic()
        say(f"{name}: {what}")
        try:
            while True:
                try:
                    process.wait(WATCH_SECONDS)
                    return None
                except subprocess.TimeoutExpired:
                    so_far, now = _read(found), time.monotonic()
                if so_far.get("stage", phase) != stage:
                    what = stage = so_far["stage"]
                    began = now
                rows = f", {so_far.get('rows', 0):,} of {self._data.size.rows:,} rows" if stage == "fill" else ""
                say(f"{name}: {what}, {now - began:.0f} s{rows}")
                if now - began > MOST_SECONDS[stage] * self._more:
                    say(f"{name}: {what} is given up")
                    return f"{stage} was not done after {now - began:.0f} s"
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-12:])
