"""The benchmark of the embedded engine: it runs, it tells right answers from wrong ones, and says what was missed."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.local import environments, phases, run
from benchmarks.local.data import Data, Size, make
from benchmarks.local.engines import NAMES, OURS
from benchmarks.local.report import table
from benchmarks.local.results import STANDARD, carry_over, keep, renew_readme
from benchmarks.local.truth import Truth

SIZE = Size(rows=1200, dim=16, questions=8)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return make(tmp_path_factory.mktemp("data"), SIZE)


@pytest.fixture(scope="module")
def truth(data: Data) -> Truth:
    return Truth(data)


def test_our_engine_is_measured_beside_numpy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = [f"--{name}={value}" for name, value in (("rows", 1200), ("dim", 16), ("questions", 8), ("runs", 1))]
    run.main([*size, f"--engines={OURS}", f"--folder={tmp_path}", f"--results={tmp_path / 'results'}"])
    (kept,) = (tmp_path / "results").glob("*.json")
    ours = json.loads(kept.read_text(encoding="utf-8"))["engines"][OURS]
    assert ours["troubles"] == []
    assert {name: work.get("right") for name, work in ours["works"].items()} == dict.fromkeys(ours["works"], 1.0)
    assert ours["ingest"]["timed_rows"] == 1200
    assert min(ours["floor"].values()) > 0
    assert capsys.readouterr().out.count("|") > 100
    assert str(tmp_path) not in kept.read_text(encoding="utf-8")
    assert list(tmp_path.glob("work-*")) == []


def test_the_same_data_is_made_every_time(data: Data, tmp_path: Path) -> None:
    assert make(tmp_path, SIZE).fingerprint() == data.fingerprint()


def test_batches_hold_every_row_once_with_its_own_vector(data: Data) -> None:
    batches = list(data.batches(100))
    assert [row for batch in batches for row in batch.ids] == list(range(1, SIZE.rows + 1))
    assert np.array_equal(np.concatenate([batch.vectors for batch in batches]), data.vectors)


def nearest(data: Data, filtered: str | None = None) -> list[list[int]]:
    """Ids by a scan in single precision, as an engine would answer."""
    answers = []
    for query, question in zip(data.queries, data.questions, strict=True):
        scores = data.vectors @ query
        if filtered is not None:
            scores = np.where(data.columns.admitted(getattr(question, filtered)), scores, -np.inf)
        best = np.argsort(-scores)[:10]
        answers.append([int(row) + 1 for row in best if np.isfinite(scores[row])])
    return answers


@pytest.mark.parametrize("filtered", [None, "half", "percent", "permille"])
def test_the_nearest_rows_are_right(data: Data, truth: Truth, filtered: str | None) -> None:
    assert truth.recall(filtered or "none", nearest(data, filtered)) == 1


def test_rows_that_are_not_the_nearest_are_not_right(data: Data, truth: Truth) -> None:
    answers = nearest(data)
    assert truth.recall("none", [answer[:9] for answer in answers]) == pytest.approx(0.9)
    assert truth.recall("none", [[*answer[:9], answer[0]] for answer in answers]) == pytest.approx(0.9)
    assert truth.recall("none", [answers[-1], *answers[:-1]]) < 0.5


def test_near_rows_that_a_filter_does_not_admit_are_not_right(data: Data, truth: Truth) -> None:
    assert truth.recall("percent", nearest(data)) < 0.2


def test_texts_are_ranked_by_how_well_the_words_fit(data: Data, truth: Truth) -> None:
    rows = list(range(1, SIZE.rows + 1))
    everything = truth.recall_of_words([rows] * SIZE.questions)
    nothing = truth.recall_of_words([[row for row, text in enumerate(data.texts(), 1) if "!" in text]] * SIZE.questions)
    assert (everything, nothing) == (1, 0)


def test_sorted_rows_are_compared_place_by_place(data: Data, truth: Truth) -> None:
    times = data.columns.ts
    latest = [int(row) + 1 for row in np.argsort(-times)[:10]]
    assert truth.recall_of_order([latest]) == 1
    assert truth.recall_of_order([latest[::-1]]) == 0


def test_a_count_is_right_or_wrong(data: Data, truth: Truth) -> None:
    exact = [int(data.columns.admitted(question.half).sum()) for question in data.questions]
    tags, counts = np.unique(data.columns.tag, return_counts=True)
    groups = {f"tag-{tag:02}": int(count) for tag, count in zip(tags, counts, strict=True)}
    assert truth.share_of_counts([exact[0] + 1, *exact[1:]]) == pytest.approx(1 - 1 / SIZE.questions)
    assert truth.share_of_groups([groups, {**groups, "tag-00": 0}]) == 0.5


def test_every_peer_has_its_requirements() -> None:
    assert set(environments.requirements()) == set(NAMES) - {OURS}


def test_a_peer_that_cannot_be_installed_is_left_out_with_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: Any) -> Path:
        raise environments.NotInstalled("ERROR: No matching distribution found")

    monkeypatch.setattr(run, "python_of", fails)
    pythons, absent = run.install([OURS, "zvec"], tmp_path)
    assert pythons == {OURS: Path(sys.executable)}
    assert absent == {"zvec": "could not be installed"}
    assert "zvec is left out: ERROR: No matching distribution found" in capsys.readouterr().err


def test_an_engine_that_takes_too_long_is_given_up_and_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phases, "WATCH_SECONDS", 0.001)
    monkeypatch.setitem(phases.MOST_SECONDS, "fill", 0)
    measured = run.measure(tmp_path, SIZE, ({OURS: Path(sys.executable)}, {}), 1)
    ours = measured["engines"][OURS]
    assert [told for told in ours["troubles"] if told.startswith("fill was not done after")] != []
    text = table(carry_over(measured, None))
    assert cells(text, "top 10, hnsw")[1] == "– (1)"
    assert "- vikingdb-local: fill was not done after" in text


def entry(**changed: Any) -> dict[str, Any]:
    """The results of an engine that reaches everything there is to reach."""
    names = ("hnsw", "flat", "half", "percent", "permille", "fields", "keywords", "sorted", "count", "groups")
    return {
        "versions": {"numpy": "2"},
        "remarks": [],
        "troubles": [],
        "ingest": {"rows_per_second": 9000.0, "timed_rows": 100_000, "rows": 100_000},
        "configured": None,
        "build_seconds": 1.0,
        "import_seconds": 0.1,
        "reopen_seconds": 0.1,
        "works": {name: {"p50": 0.5, "p99": 1.0, "asked": 200, "right": 1.0} for name in names},
        "anonymous_bytes": 1e8,
        "mapped_bytes": 1e8,
        "disk_bytes": 1e8,
        "floor": {"flat": 11.0, "product": 10.0, "product_and_top": 10.5},
        **changed,
    }


def results(engines: dict[str, Any], run: str = "2026-01-02 03:04 UTC", **changed: Any) -> dict[str, Any]:
    return {
        "run": run,
        "machine": {"cpu": "C", "cores": 2, "memory_gib": 8, "file_system": "ext4", "system": "S", "python": "3"},
        "force_ms": 1.0,
        "load": [0.1, 0.1],
        "size": STANDARD,
        "data": "d",
        "absent": {},
        "engines": engines,
        **changed,
    }


def cells(text: str, title: str) -> Sequence[str]:
    (line,) = (line for line in text.splitlines() if line.startswith(f"| {title} |"))
    return [cell.strip() for cell in line.split("|")[2:-1]]


def test_a_table_compares_peers_with_ours() -> None:
    slower = entry(
        ingest={"rows_per_second": 3000.0, "timed_rows": 1, "rows": 1},
        works={"hnsw": {"p50": 1.0, "p99": 2.0, "right": 0.9}, "sorted": {"cannot": "has no order"}},
    )
    text = table(carry_over(results({OURS: entry(), "zvec": slower}), None))
    assert cells(text, "ingest, every batch of 100 on the disk")[1:] == ["9,000/s ✓", "", "3,000/s ×3.00"]
    assert cells(text, "top 10, hnsw") == ["≤ 1.5 ms · 0.98", "0.50 ms ✓", "", "1.00 ms ×2.00 · 0.900"]
    assert cells(text, "top 10 sorted by a scalar")[-1] == "– (2)"
    assert "\n2. has no order\n" in text
    assert "Every limit was kept" in text


@pytest.mark.parametrize(
    ("changed", "title"),
    [
        ({"ingest": {"rows_per_second": 5999.0, "timed_rows": 1, "rows": 1}}, "ingest, every batch of 100 on the disk"),
        ({"reopen_seconds": 0.6}, "reopen and answer the first query"),
        ({"anonymous_bytes": 304e6}, "memory while serving, of the process alone"),
        ({"floor": {"flat": 12.1, "product": 10, "product_and_top": 10}}, "… beside numpy's product, in turns"),
        (
            {"works": {**entry()["works"], "percent": {"p50": 0.5, "p99": 1, "right": 0.999}}},
            "top 10, hnsw, filter 1 %",
        ),
        ({"works": {**entry()["works"], "count": {"failed": "an error"}}}, "count what a filter admits (50 %)"),
    ],
)
def test_a_limit_that_was_missed_is_marked(changed: dict[str, Any], title: str) -> None:
    text = table(carry_over(results({OURS: entry(**changed)}), None))
    assert cells(text, title)[1].endswith("✗")
    assert f"Missed: {title}." in text


def test_a_faster_peer_at_the_same_durability_is_a_limit_missed() -> None:
    faster = entry(ingest={"rows_per_second": 9001.0, "timed_rows": 1, "rows": 1})
    text = table(carry_over(results({OURS: entry(), "lancedb": faster}), None))
    assert "Missed: ingest, every batch of 100 on the disk." in text


def test_peers_are_carried_over_from_the_same_machine_and_data_alone(tmp_path: Path) -> None:
    keep(carry_over(results({OURS: entry(), "zvec": entry()}), None), "", tmp_path)
    again = results({OURS: entry(build_seconds=7.0)}, run="2026-01-03 00:00 UTC")
    merged = carry_over(again, tmp_path)
    assert merged["engines"][OURS]["build_seconds"] == 7.0
    assert "zvec: **measured in an earlier run, 2026-01-02 03:04 UTC, when numpy's product took 10.0 ms**" in table(
        merged
    )
    assert list(carry_over(again | {"data": "other"}, tmp_path)["engines"]) == [OURS]


def test_the_page_gets_the_newest_table_and_keeps_the_rest(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("before\n<!-- newest table: begin -->\nold\n<!-- newest table: end -->\nafter\n", encoding="utf-8")
    renew_readme(page, "new\n")
    assert page.read_text(encoding="utf-8") == (
        "before\n<!-- newest table: begin -->\nnew\n<!-- newest table: end -->\nafter\n"
    )
