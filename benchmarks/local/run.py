"""Run: every engine one after another through the same work, each phase in a process of its own, and one table.

    make bench-local                                            about 25 minutes; installs the peers first
    make bench-local ARGS="--quick --engines vikingdb-local"     a minute, to see that it works
    make bench-local ARGS="--engines vikingdb-local"             ours anew, beside the peers' newest results
    make bench-local ARGS="--rows 1000000 --dim 128 --engines vikingdb-local"

All engines ingest and build first. Then they are asked in rounds, so that a minute in which the machine is busy with
something else falls on all of them and not on one; medians of the rounds are kept.
"""

from __future__ import annotations

import argparse
import datetime
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import machine
from .data import Size, make
from .engines import NAMES, OURS
from .environments import NotInstalled, environment_variables, python_of
from .phases import Phases, say
from .report import table
from .results import STANDARD, carry_over, gather, keep, renew_readme
from .truth import Truth

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".venv-bench"  # ignored by git like every environment
RESULTS = ROOT / "benchmarks" / "results"
README = ROOT / "benchmarks" / "README.md"
QUICK = Size(5_000, 384, 50)

Installed = tuple[dict[str, Path], dict[str, str]]


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    size = Size(options.rows, options.dim, options.questions)
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="work-", dir=options.folder) as work:
        results = measure(Path(work), size, install(options.engines, options.folder), options.runs)
    results = carry_over(results, options.results)
    text = table(results)
    print(text)
    if options.results is not None:
        say(f"kept as {keep(results, text, options.results)}")
        if options.results == RESULTS and results["size"] == STANDARD and set(results["engines"]) == set(NAMES):
            renew_readme(README, text)


def measure(folder: Path, size: Size, installed: Installed, runs: int) -> dict[str, Any]:
    """Everything about these engines, in an empty folder with room for their databases."""
    say(f"making {size.rows:,} rows of {size.dim} numbers, and the exact answers")
    (folder / "data").mkdir()
    data = make(folder / "data", size)
    truth = Truth(data)
    phases = Phases(folder, data, environment_variables(ROOT), ROOT)
    about = machine.describe(folder)
    force_ms, load_before = machine.force_ms(folder), machine.load()
    pythons, absent = installed
    raw: dict[str, dict[str, Any]] = {name: {"rounds": []} for name in pythons}
    for name, python in pythons.items():
        raw[name]["configured"] = phases.run(name, python, "configured")
        raw[name]["fill"] = phases.run(name, python, "fill")
        if raw[name]["fill"].get("rows") != size.rows:
            say(f"{name} did not take all rows in; it is asked nothing")
    for number in range(runs):
        for name, python in pythons.items():
            if raw[name]["fill"].get("rows") == size.rows:
                raw[name]["rounds"].append(phases.run(name, python, "serve", f"round {number + 1} of {runs}"))
    return {
        "run": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": about,
        "force_ms": force_ms,
        "load": [load_before, machine.load()],
        "size": {"rows": size.rows, "dim": size.dim},
        "data": data.fingerprint(),
        "absent": absent,
        "engines": {name: gather(found, truth) for name, found in raw.items()},
    }


def install(engines: Sequence[str], folder: Path) -> Installed:
    """The interpreters of the engines, and why some have none."""
    pythons: dict[str, Path] = {}
    absent: dict[str, str] = {}
    for name in engines:
        try:
            pythons[name] = Path(sys.executable) if name == OURS else python_of(name, folder)
        except NotInstalled as reason:
            say(f"{name} is left out: {reason}")
            absent[name] = "could not be installed"
    return pythons, absent


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='make bench-local ARGS="…"', description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=STANDARD["rows"])
    parser.add_argument("--dim", type=int, default=STANDARD["dim"])
    parser.add_argument("--questions", type=int, default=200, help="of each kind")
    parser.add_argument("--runs", type=int, default=3, help="rounds of questions")
    parser.add_argument("--engines", type=_names, default=NAMES, help=f"some of {','.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK.rows:,} rows, one round, nothing kept")
    parser.add_argument("--results", type=Path, help="a folder to keep them in instead of benchmarks/results")
    parser.add_argument("--folder", type=Path, default=CACHE, help="for databases and the peers' environments")
    options = parser.parse_args(arguments)
    if options.quick:
        options.rows, options.dim, options.questions, options.runs = QUICK.rows, QUICK.dim, QUICK.questions, 1
    elif options.results is None:
        options.results = RESULTS
    return options


def _names(text: str) -> list[str]:
    names = text.split(",")
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        raise argparse.ArgumentTypeError(f"no engine {', '.join(unknown)}; there are {', '.join(NAMES)}")
    return [name for name in NAMES if name in names]


if __name__ == "__main__":
    main()
