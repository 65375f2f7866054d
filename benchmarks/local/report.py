"""Report: results as one table in Markdown, with what ours was to reach and did not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .engines import OURS
from .results import STANDARD
from .works import WORKS, Work

NUMPY = "numpy"
MEGABYTE = 1e6
MEMORY_MEGABYTES = 150
LEAST_ROWS = 6_000
FLAT_SHARE = 1.2
REOPEN_SECONDS = 0.5

Values = Mapping[str, float | None]


@dataclass
class _Sheet:
    """A table that is being written: its rows, the footnotes they refer to, and which limits were missed."""

    results: Mapping[str, Any]
    columns: list[str]
    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    @property
    def engines(self) -> Mapping[str, Any]:
        engines: Mapping[str, Any] = self.results["engines"]
        return engines

    @property
    def has_limits(self) -> bool:
        return OURS in self.engines and self.results["size"] == STANDARD

    def add(self, title: str, limit: str, cells: Mapping[str, str], reached: bool | None = None) -> None:
        """A row. ``reached`` says whether ours kept the limit."""
        cells = dict(cells)
        if self.has_limits and reached is not None:
            cells[OURS] = f"{cells.get(OURS, '–')} {'✓' if reached else '✗'}"
            if not reached:
                self.missed.append(title)
        told = [cells.get(column) or "" for column in self.columns]
        self.lines.append(f"| {' | '.join([title, limit if self.has_limits else '', *told])} |")

    def note(self, text: str) -> str:
        """A reference to a footnote."""
        if text not in self.notes:
            self.notes.append(text)
        return f"({self.notes.index(text) + 1})"

    def values(self, value: Callable[[Mapping[str, Any]], Any]) -> dict[str, float | None]:
        return {name: value(entry) for name, entry in self.engines.items()}

    def plain(self, values: Values, shown: Callable[[float], str]) -> dict[str, str]:
        return {name: shown(value) for name, value in values.items() if value is not None}

    def compared(
        self, values: Values, shown: Callable[[float], str], *, more_is_better: bool = False
    ) -> dict[str, str]:
        """Values of all engines, those of peers with how many times as long, or as much, it is as ours."""
        ours = values.get(OURS)
        cells = {}
        for name, value in values.items():
            if value is not None:
                ratio = ""
                if name != OURS and ours and value:
                    ratio = f" ×{_short(ours / value if more_is_better else value / ours)}"
                cells[name] = shown(value) + ratio
        return cells


def table(results: Mapping[str, Any]) -> str:
    """The whole report."""
    names = list(results["engines"])
    columns = [*names[:1], NUMPY, *names[1:]] if OURS in names else names
    sheet = _Sheet(results, columns)
    _ingest(sheet)
    for work in WORKS:
        _work(sheet, work)
        if work.name == "flat":
            _flat(sheet)
    _rest(sheet)
    head = f"| | to reach | {' | '.join(sheet.columns)} |"
    rule = f"|---|---|{'---|' * len(sheet.columns)}"
    return "\n".join([*_about(results), "", head, rule, *sheet.lines, "", *_closing(sheet), ""])


def _about(results: Mapping[str, Any]) -> list[str]:
    about, size = results["machine"], results["size"]
    versions = ", ".join(
        dict.fromkeys(
            f"{name} {version}" if version else f"no {name}"
            for entry in results["engines"].values()
            for name, version in entry["versions"].items()
        )
    )
    before, after = results["load"]
    return [
        f"{size['rows']:,} rows × {size['dim']} numbers, measured {results['run']}.",
        f"{about['cpu']}, {about['cores']} cores, {about['memory_gib']} GiB; {about['system']}, "
        f"Python {about['python']}.",
        f"File system {about['file_system']}, where putting a batch on the disk takes {results['force_ms']:.2f} ms "
        f"by itself. Load average before {before}, after {after}.",
        f"Versions: {versions}.",
    ]


def _ingest(sheet: _Sheet) -> None:
    durable = sheet.values(lambda entry: entry["ingest"] and entry["ingest"]["rows_per_second"])
    ours = durable.get(OURS) or 0
    sheet.add(
        "ingest, every batch of 100 on the disk",
        f"≥ {LEAST_ROWS:,}/s and every peer",
        sheet.compared(durable, lambda value: f"{value:,.0f}/s", more_is_better=True),
        ours >= LEAST_ROWS and ours >= max(value or 0 for value in durable.values()),
    )
    configured = sheet.values(lambda entry: (entry["configured"] or entry["ingest"] or {}).get("rows_per_second"))
    cells = sheet.compared(configured, lambda value: f"{value:,.0f}/s", more_is_better=True)
    sheet.add("ingest, as the engine is by itself", "", cells)
    build = sheet.values(lambda entry: entry["build_seconds"])
    sheet.add("build, after the last row is in", "", sheet.plain(build, lambda value: f"{value:,.1f} s"))
    rows = sheet.results["size"]["rows"]
    both = {name: rows / durable[name] + seconds for name, seconds in build.items() if seconds is not None}
    sheet.add("both together", "", sheet.compared(both, lambda value: f"{value:,.0f} s"))


def _work(sheet: _Sheet, work: Work) -> None:
    found = {name: entry["works"].get(work.name, {}) for name, entry in sheet.engines.items()}
    cells = sheet.compared({name: each.get("p50") for name, each in found.items()}, lambda value: f"{_short(value)} ms")
    for name, each in found.items():
        if "right" in each and each["right"] < 0.99995:
            cells[name] += f" · {each['right']:.3f}"
        elif "right" not in each:
            reason = each.get("cannot") or each.get("failed") or "was not asked"
            cells[name] = f"– {sheet.note(reason)}"
    limits = []
    if work.most_ms is not None:
        limits.append(f"≤ {work.most_ms:g} ms")
    if work.least_right is not None:
        limits.append(f"· {work.least_right:g}")
    ours = found.get(OURS, {})
    is_soon = ours.get("p50", float("inf")) <= (work.most_ms or float("inf"))
    is_right = ours.get("right", 0) >= (work.least_right or 0) - 1e-9
    sheet.add(work.title, " ".join(limits), cells, is_soon and is_right if limits else None)


def _flat(sheet: _Sheet) -> None:
    """The flat scan beside numpy's product, which were measured in turns."""
    floor = sheet.engines.get(OURS, {}).get("floor", {})
    if floor.get("product"):
        share = floor["flat"] / floor["product"]
        cells = {
            OURS: f"×{share:.2f} ({_short(floor['flat'])} ms)",
            NUMPY: f"{_short(floor['product'])} ms; with top 10 {_short(floor['product_and_top'])} ms",
        }
        sheet.add("… beside numpy's product, in turns", f"≤ ×{FLAT_SHARE}", cells, share <= FLAT_SHARE)


def _rest(sheet: _Sheet) -> None:
    reopen = sheet.values(lambda entry: entry["reopen_seconds"])
    cells = sheet.compared(reopen, lambda value: f"{value:.2f} s")
    sheet.add(
        "reopen and answer the first query",
        f"≤ {REOPEN_SECONDS:g} s",
        cells,
        (reopen.get(OURS) or float("inf")) <= REOPEN_SECONDS,
    )
    imports = sheet.values(lambda entry: entry["import_seconds"])
    sheet.add("… before that, importing it", "", sheet.plain(imports, lambda value: f"{value:.2f} s"))
    size = sheet.results["size"]
    most = size["rows"] * size["dim"] * 4 / MEGABYTE + MEMORY_MEGABYTES
    anonymous = sheet.values(lambda entry: entry["anonymous_bytes"])
    sheet.add(
        "memory while serving, of the process alone",
        f"≤ {most:.0f} MB",
        sheet.compared(anonymous, _megabytes),
        (anonymous.get(OURS) or float("inf")) <= most * MEGABYTE,
    )
    mapped = sheet.values(lambda entry: entry["mapped_bytes"])
    sheet.add("… and of files mapped into it, libraries too", "", sheet.plain(mapped, _megabytes))
    sheet.add("on the disk", "", sheet.compared(sheet.values(lambda entry: entry["disk_bytes"]), _megabytes))


def _closing(sheet: _Sheet) -> list[str]:
    told = [
        "Times are medians (p50). ×N: how many times as long, or as much, as ours. A number after · is the share of",
        "right answers, where it is not 1: recall@10 for searches.",
    ]
    if sheet.has_limits:
        told += ["", f"✗ Missed: {'; '.join(sheet.missed)}." if sheet.missed else "✓ Every limit was kept."]
    if sheet.notes:
        told += ["", *(f"{number}. {note}" for number, note in enumerate(sheet.notes, 1))]
    remarks = [f"- {name}: {'; '.join(each)}." for name, each in _remarks(sheet.results).items() if each]
    return [*told, *(["", *remarks] if remarks else [])]


def _remarks(results: Mapping[str, Any]) -> dict[str, list[str]]:
    """By engine, what a reader has to know to judge its numbers."""
    remarks = {name: [reason] for name, reason in results["absent"].items()}
    for name, entry in results["engines"].items():
        earlier = []
        if entry["run"] != results["run"]:
            busy = f", when numpy's product took {_short(entry['product_ms'])} ms" if entry["product_ms"] else ""
            earlier.append(f"**measured in an earlier run, {entry['run']}{busy}**")
        remarks[name] = [*earlier, *entry["troubles"], *entry["remarks"]]
    return remarks


def _megabytes(value: float) -> str:
    return f"{value / MEGABYTE:,.0f} MB"


def _short(value: float) -> str:
    """Two or three digits."""
    return f"{value:,.0f}" if value >= 99.5 else f"{value:.1f}" if value >= 9.95 else f"{value:.2f}"
