"""Worker: one phase of one engine, in a process of its own, in the environment where the engine is installed.

    python -m benchmarks.local.worker ENGINE PHASE FOLDER DATA FINDINGS OPTIONS

What it finds is written to a file as it is found, so that a worker that had to be stopped has not worked for nothing.
"""

from __future__ import annotations

import importlib.metadata
import json
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .data import Data, Question, Vectors
from .engines import engine_class
from .engines.base import CannotDo, Engine
from .works import TOP, WORKS, Work

BATCH = 100
WARM_UPS = 5
REPORT_SECONDS = 2.0
QUIET_SHARE = 0.05  # of a core

Found = dict[str, Any]


class Findings:
    """What was found so far, in a file."""

    def __init__(self, path: Path, hidden: Path) -> None:
        self._path, self._hidden = path, str(hidden)
        self.found: Found = {}

    def add(self, **found: Any) -> None:
        self.found |= found
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(self.found), encoding="utf-8")
        new.replace(self._path)

    def describe(self, error: Exception) -> str:
        """An error in a line, without the folder of this machine."""
        first = str(error).strip().splitlines() or [""]
        return f"{type(error).__name__}: {first[0]}".replace(self._hidden, "…")[:200]


def configured(engine: Engine, data: Data, findings: Findings, options: Found) -> None:
    """Ingest some rows as the engine is by itself, if it does not force the disk."""
    if not engine.forces_by_itself:
        engine.create()
        _ingest(engine, data, findings, options["rows"], options["seconds"], forced=False)
        engine.close()


def fill(engine: Engine, data: Data, findings: Findings, options: Found) -> None:
    """Ingest all rows, each batch on the disk before the next; then build, and wait until nothing is left to do."""
    engine.create()
    _ingest(engine, data, findings, data.size.rows, options["seconds"], forced=True)
    if findings.found["rows"] == data.size.rows:
        findings.add(stage="build")
        started = time.perf_counter()
        engine.finish()
        findings.add(build_seconds=max(0.0, _quiet_since(options["quiet_seconds"]) - started))
    engine.close()


def serve(engine: Engine, data: Data, findings: Findings, options: Found) -> None:
    """Open the database, answer the first query, then all questions, and see how much memory that takes."""
    queries, questions = data.queries, data.questions
    before = _memory()
    started = time.perf_counter()
    engine.open()
    try:
        engine.search(queries[0], TOP)
    except CannotDo:
        engine.search(queries[0], TOP, exact=True)
    findings.add(reopen_seconds=time.perf_counter() - started)
    works: dict[str, Found] = {}
    for work in WORKS:
        ask = partial(_ask, work, engine, queries, questions)
        try:
            works[work.name] = _repeat(ask, len(questions), options["seconds"])
        except CannotDo as reason:
            works[work.name] = {"cannot": str(reason)}
        except Exception as error:
            works[work.name] = {"failed": findings.describe(error)}
        findings.add(works=works)
    findings.add(memory=_memory(), memory_before=before, disk_bytes=_disk_bytes(engine.folder))
    if options["floor"]:
        findings.add(floor=_floor(engine, data, options["seconds"]))
    engine.close()


def _ask(work: Work, engine: Engine, queries: Vectors, questions: Sequence[Question], number: int) -> Any:
    return work.ask(engine, number, queries[number], questions[number])


def _ingest(engine: Engine, data: Data, findings: Findings, rows: int, seconds: float, *, forced: bool) -> None:
    """Write so many rows. After ``seconds`` the rest is neither forced nor timed, and has twice as long to come in."""
    times: list[float] = []
    spent = reported = 0.0
    done = timed = 0
    for batch in data.batches(BATCH):
        is_timed = spent < seconds
        started = time.perf_counter()
        engine.write(batch)
        if is_timed and forced and not engine.forces_by_itself:
            engine.force()
        taken = time.perf_counter() - started
        spent, done = spent + taken, done + len(batch)
        if is_timed:
            times.append(taken)
            timed = done
        if spent - reported > REPORT_SECONDS:
            reported = spent
            findings.add(rows=done, timed_rows=timed, timed_seconds=sum(times))
        if done >= rows or spent > 3 * seconds:
            break
    findings.add(rows=done, timed_rows=timed, timed_seconds=sum(times), batch_ms=_milliseconds(times))


def _repeat(ask: Callable[[int], Any], most: int, seconds: float) -> Found:
    """Ask every question once, or as many as there is time for."""
    for number in range(min(WARM_UPS, most)):
        started = time.perf_counter()
        ask(number)
        if time.perf_counter() - started > seconds / WARM_UPS:
            break
    times: list[float] = []
    answers = []
    for number in range(most):
        started = time.perf_counter()
        answer = ask(number)
        times.append(time.perf_counter() - started)
        answers.append(answer)
        if sum(times) > seconds:
            break
    return {**_milliseconds(times), "asked": len(times), "answers": answers}


def _floor(engine: Engine, data: Data, seconds: float) -> Found:
    """The flat scan beside numpy's own product of the same matrix and vector, in turns."""
    matrix = np.array(data.vectors)
    times: dict[str, list[float]] = {"flat": [], "product": [], "product_and_top": []}
    for query in data.queries:
        started = time.perf_counter()
        engine.search(query, TOP, exact=True)
        asked = time.perf_counter()
        scores = matrix @ query
        multiplied = time.perf_counter()
        best = np.argpartition(scores, -TOP)[-TOP:]
        best[np.argsort(-scores[best])]
        ended = time.perf_counter()
        times["flat"].append(asked - started)
        times["product"].append(multiplied - asked)
        times["product_and_top"].append(ended - asked)
        if sum(times["flat"]) + sum(times["product_and_top"]) > 2 * seconds:
            break
    return {name: _milliseconds(taken) for name, taken in times.items()}


def _milliseconds(times: list[float]) -> Found:
    ordered = sorted(times)
    last = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    return {"p50": statistics.median(ordered) * 1000, "p99": last * 1000}


def _quiet_since(seconds: float) -> float:
    """Wait until the process has not worked for a while, whatever its threads did; the moment it stopped working."""
    clock = threading.Event()
    quiet_since, worked = time.perf_counter(), time.process_time()
    while (now := time.perf_counter()) - quiet_since < seconds:
        clock.wait(0.1)
        if time.process_time() - worked > QUIET_SHARE * (time.perf_counter() - now):
            quiet_since = time.perf_counter()
        worked = time.process_time()
    return quiet_since


def _memory() -> Found | None:
    """Bytes in memory: private to the process, and of files that it maps. Only Linux tells."""
    try:
        lines = Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return None
    sizes = {name: int(value.split()[0]) * 1024 for name, _, value in (line.partition(":") for line in lines)}
    return {"anonymous": sizes["Anonymous"], "mapped": sizes["Rss"] - sizes["Anonymous"]}


def _disk_bytes(folder: Path) -> int:
    """What the files take up. Some are made longer than what is in them, so their lengths would say too much."""
    statuses = [path.stat() for path in folder.rglob("*") if path.is_file()]
    return sum(status.st_blocks * 512 if hasattr(status, "st_blocks") else status.st_size for status in statuses)


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def main() -> None:
    name, phase, folder, data, out, options = sys.argv[1:]
    findings = Findings(Path(out), Path(folder))
    started = time.perf_counter()
    made = engine_class(name)
    findings.add(import_seconds=time.perf_counter() - started, remarks=made.remarks)
    findings.add(versions={each: _version(each) for each in (*made.distributions, "numpy")})
    engine = made(Path(folder), Data(Path(data)).size.dim)
    run = {"configured": configured, "fill": fill, "serve": serve}[phase]
    try:
        run(engine, Data(Path(data)), findings, json.loads(options))
    except Exception as error:
        findings.add(failed=findings.describe(error))
        raise
    findings.add(done=True)


if __name__ == "__main__":
    main()
