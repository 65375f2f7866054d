"""Results: what the phases of an engine come to, kept in files, and carried over from one run to another."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from .data import SHARES
from .engines import NAMES, OURS
from .truth import Truth

STANDARD = {"rows": 100_000, "dim": 384}
"""The size that limits are set for."""

BEGIN, END = "<!-- newest table: begin -->", "<!-- newest table: end -->"


def gather(found: Mapping[str, Any], truth: Truth) -> dict[str, Any]:
    """The results of an engine.

    Args:
        found: by phase what was found; ``rounds`` has a list, one entry for each round of questions.
        truth: what is right.
    """
    rounds = [each for each in found["rounds"] if "reopen_seconds" in each]
    return {
        "versions": found["fill"].get("versions", {}),
        "remarks": found["fill"].get("remarks", []),
        "troubles": _troubles(found),
        "ingest": _rate(found["fill"]),
        "configured": _rate(found["configured"]),
        "build_seconds": found["fill"].get("build_seconds"),
        "import_seconds": _median(rounds, lambda each: each["import_seconds"]),
        "reopen_seconds": _median(rounds, lambda each: each["reopen_seconds"]),
        "works": {name: _work(name, rounds, truth) for name in (rounds[0].get("works", {}) if rounds else {})},
        "anonymous_bytes": _median(rounds, lambda each: each["memory"]["anonymous"]),
        "mapped_bytes": _median(rounds, lambda each: each["memory"]["mapped"]),
        "anonymous_bytes_before": _median(rounds, lambda each: each["memory_before"]["anonymous"]),
        "disk_bytes": _median(rounds, lambda each: each["disk_bytes"]),
        "floor": {name: _median(rounds, partial(_floor_p50, name)) for name in ("flat", "product", "product_and_top")},
    }


def carry_over(results: dict[str, Any], folder: Path | None) -> dict[str, Any]:
    """The same, with engines that were left out as the newest run of the same data on the same machine had them.

    Every engine names the run it was measured in and what numpy's product took then, so that the table can say which
    were not measured together, and a reader sees how busy the machine was either time.
    """
    ours = results["engines"].get(OURS, {})
    about = {"run": results["run"], "product_ms": ours.get("floor", {}).get("product")}
    engines = {name: entry | about for name, entry in results["engines"].items()}
    for path in sorted(folder.glob("local-*.json"), reverse=True) if folder is not None else ():
        earlier = json.loads(path.read_text(encoding="utf-8"))
        if all(earlier.get(same) == results[same] for same in ("machine", "size", "data")):
            engines = {**earlier["engines"], **engines}
            break
    return results | {"engines": {name: engines[name] for name in NAMES if name in engines}}


def keep(results: Mapping[str, Any], table: str, folder: Path) -> str:
    """Write the results and their table; the name of the file."""
    folder.mkdir(parents=True, exist_ok=True)
    size = results["size"]
    suffix = "" if size == STANDARD else f"-{size['rows']}x{size['dim']}"
    name = f"local-{results['run'][:10]}{suffix}"
    (folder / f"{name}.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / f"{name}.md").write_text(table, encoding="utf-8")
    return name


def renew_readme(readme: Path, table: str) -> None:
    """Put the newest table into the page that explains it."""
    before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{BEGIN}\n{table}{END}{after}", encoding="utf-8")


def _floor_p50(name: str, found: Mapping[str, Any]) -> float:
    return float(found["floor"][name]["p50"])


def _rate(found: Mapping[str, Any]) -> dict[str, Any] | None:
    """Rows a second, over the rows that were timed; ``None`` when none were."""
    if not found.get("timed_seconds"):
        return None
    return {
        "rows_per_second": found["timed_rows"] / found["timed_seconds"],
        "timed_rows": found["timed_rows"],
        "rows": found["rows"],
        "batch_ms": found.get("batch_ms"),
    }


def _work(name: str, rounds: Sequence[Mapping[str, Any]], truth: Truth) -> dict[str, Any]:
    """One kind of question over all rounds: the median of their medians."""
    done = [each["works"][name] for each in rounds if name in each.get("works", {})]
    first = done[0]
    if "answers" not in first:
        return dict(first)
    done = [each for each in done if "answers" in each]
    return {
        "p50": statistics.median(each["p50"] for each in done),
        "p99": statistics.median(each["p99"] for each in done),
        "p50_by_round": [each["p50"] for each in done],
        "asked": min(each["asked"] for each in done),
        "right": _share_right(truth, name, first["answers"]),
    }


def _share_right(truth: Truth, work: str, answers: Sequence[Any]) -> float:
    if work in ("hnsw", "flat", "fields", *SHARES):
        return truth.recall(work if work in SHARES else "none", answers)
    by_work: dict[str, Callable[[Any], float]] = {
        "keywords": truth.recall_of_words,
        "sorted": truth.recall_of_order,
        "count": truth.share_of_counts,
        "groups": truth.share_of_groups,
    }
    return by_work[work](answers)


def _troubles(found: Mapping[str, Any]) -> list[str]:
    """What went wrong or took too long, in words for a footnote."""
    fill = found["fill"]
    told = [
        each[how]
        for each in (found["configured"], fill, *found["rounds"])
        for how in ("stopped", "failed")
        if how in each
    ]
    if fill.get("timed_rows", 0) < fill.get("rows", 0):
        told.append(f"ingest was timed over the first {fill['timed_rows']:,} rows")
    if not found["rounds"]:
        told.append(f"{fill.get('rows', 0):,} rows were in when it was stopped, and it was asked nothing")
    return list(dict.fromkeys(told))


def _median(rounds: Sequence[Mapping[str, Any]], value: Callable[[Mapping[str, Any]], Any]) -> float | None:
    """The median over the rounds that have the value."""
    values = []
    for each in rounds:
        try:
            values.append(value(each))
        except (KeyError, TypeError):  # a round that was cut short, or a system that does not tell
            continue
    return statistics.median(values) if values else None
