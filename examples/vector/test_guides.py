"""The guides do what they show, and leave nothing behind.

    pytest examples/vector -k guide

They run embedded, and on the managed service too when there are keys for it, in the environment or in ``.env``.
``VIKINGDB_LIVE=0``, which ``make test`` says, keeps them from it.
"""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import admin
import async_client
import e1_connectivity
import e2_collection_lifecycle
import e3_1_search_multi_modal
import e3_2_search_by_vector
import e3_3_search_by_keywords
import e4_search_and_aggregate
import e5_embedding
import pytest
import rerank_and_sort
import tasks
from guide import Setting, embedded, find_setting

from vikingdb.exceptions import PluginError
from vikingdb.vector import VikingDB
from vikingdb_core.hooks import hookimpl

FOLDER = Path(__file__).parent
EMBEDDED = {
    "by-words": embedded("local://guides?seed=walkthrough&embedder=hash-v1"),
    "by-meaning": embedded("local://guides-by-meaning?seed=walkthrough"),
}
SETTINGS = dict(EMBEDDED)
if os.environ.get("VIKINGDB_LIVE") != "0" and find_setting().is_live:
    SETTINGS["live"] = find_setting()
PROGRAMS = sorted(path.name for path in FOLDER.glob("*.py") if "\ndef main(" in path.read_text(encoding="utf-8"))


@pytest.fixture(params=SETTINGS)
def setting(request: pytest.FixtureRequest) -> Iterator[Setting]:
    """Where a guide runs; embedded, all of them on one database, which has to be as before when one is done."""
    found = SETTINGS[request.param]
    if found.is_live:
        yield found
        return
    request.getfixturevalue("viking_no_network")
    before = everything(found)
    yield found
    assert everything(found) == before


def everything(setting: Setting) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every collection."""
    with VikingDB(**{**setting.options, "plugins": []}) as client:
        rows = {}
        for index in client.admin.iter_indexes():
            handle = client.index(collection_name=index.collection_name, index_name=index.index_name)
            hits = handle.search_by_random({"limit": 1000}).result.data
            rows[str(index.collection_name)] = sorted((hit.id, *map(str, hit.fields.values())) for hit in hits)
        return rows


def names(titles: list[str]) -> list[str]:
    """Titles without their session tags."""
    return [title.partition(" [")[0] for title in titles]


def test_guide_e1_connects_and_sees_the_collections(setting: Setting) -> None:
    found = e1_connectivity.run(setting)
    assert found.request_id
    assert {"text", "vector"} <= set(found.collections)
    assert found.title


def test_guide_e2_takes_a_row_through_its_life(setting: Setting) -> None:
    row = e2_collection_lifecycle.run(setting)
    assert names([row.found_title]) == ["Titan"]
    assert row.score_before == 9.0
    assert row.score_after == pytest.approx(9.58)
    assert row.text_after.startswith("Titan is a moon")
    assert row.is_gone


def test_guide_e3_1_finds_by_meaning_and_filters(setting: Setting) -> None:
    found = e3_1_search_multi_modal.run(setting)
    assert set(names(found.everywhere)) == {"Europa", "Enceladus"}
    assert names(found.far_away) == ["Enceladus", "Triton"]
    assert found.fields == {"title", "score"}


def test_guide_e3_2_finds_by_vector_and_by_row(setting: Setting) -> None:
    found = e3_2_search_by_vector.run(setting)
    assert (found.dim, found.indexed_dim) == (1024, 1024)
    assert found.indexed_length == pytest.approx(1, abs=0.01)
    assert names(found.by_vector)[0] == "Churyumov-Gerasimenko"
    assert names(found.by_row)[0] == "Churyumov-Gerasimenko"
    assert set(names(found.by_row)) == {"Churyumov-Gerasimenko", "Halley", "Hale-Bopp"}
    assert found.refusal


def test_guide_e3_3_finds_by_words_in_both_modes(setting: Setting) -> None:
    found = e3_3_search_by_keywords.run(setting)
    assert set(names(found.by_meaning)) == {"Sirius", "Betelgeuse", "Polaris"}
    assert names([found.with_word]) == ["Betelgeuse"]
    if not setting.is_live:
        assert found.by_terms == ["Sirius", "Polaris"]
        assert "night" in found.terms


def test_guide_e4_orders_and_counts(setting: Setting) -> None:
    found = e4_search_and_aggregate.run(setting)
    assert names([*found.farthest, found.nearest]) == ["Eris", "Makemake", "Ceres"]
    assert (found.total, found.beyond_forty) == (5, 3)
    assert found.by_paragraph == {0: 1, 1: 3, 2: 1}
    assert found.crowded == {1: 3}


def test_guide_e5_embeds_dense_and_sparse(setting: Setting) -> None:
    found = e5_embedding.run(setting)
    assert found.dims == [1024, 1024, 1024]
    assert found.alike > found.unlike
    assert found.shared_terms
    assert found.total_tokens > 0
    assert found.refusal


def test_guide_to_rerank_and_sort_puts_the_answer_first(setting: Setting) -> None:
    found = rerank_and_sort.run(setting)
    assert found.reranked[0] == 1
    assert sorted(found.reranked, key=str) == [0, 1, 2]
    assert names(found.in_search)[0] == "Voyager 2"
    if not setting.is_live:
        assert names(found.sorted_titles)[0] == "Voyager 2"
        assert len(found.sorted_titles) == 3


def test_guide_to_admin_makes_changes_and_removes(setting: Setting) -> None:
    found = admin.run(setting)
    assert found.is_second_refused
    assert found.fields == ["crater", "width", "shape", "depth"]
    assert found.description == "craters and their shapes"
    assert set(found.scalar_index) == {"width", "depth"}
    assert found.status_when_enabled == "READY"
    assert found.in_pages == found.in_iteration
    assert "by_shape" in found.in_pages
    assert found.protected_refusal
    assert found.left == []
    if not setting.is_live:
        assert found.status_when_disabled == "DISABLED"
        assert "disabled" in found.disabled_refusal


def test_guide_to_tasks_sees_one_through(setting: Setting) -> None:
    outcome = tasks.run(setting)
    assert (outcome.status, outcome.matched, outcome.listed) == ("done", 2, True)
    assert sorted(title.partition(" ")[0] for title in outcome.sample) == ["Ceres", "Vesta"]
    if not setting.is_live:
        assert outcome.scores == [2.5, 2.5]


def test_guide_to_async_clients_finds_gives_up_and_goes_on(setting: Setting) -> None:
    answers = async_client.run(setting)
    assert len(answers.titles) == len(async_client.QUESTIONS)
    assert all(answers.titles)
    if not setting.is_live:
        assert answers.titles[0] == "Saturn"
    assert (answers.is_cancelled, answers.is_too_late) == (True, True)
    assert {"text", "vector"} <= set(answers.collections)


@pytest.mark.parametrize("program", PROGRAMS)
def test_guide_runs_as_a_program(
    program: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [program])
    runpy.run_path(str(FOLDER / program), run_name="__main__")
    first, *rest = capsys.readouterr().out.splitlines()
    assert first == "Embedded: local://?seed=walkthrough, no account"
    assert rest


class Saboteur:
    """Stops one call of an operation, and notes all."""

    hook_api = 1

    def __init__(self, operation: str, number: int = 1) -> None:
        self.operation, self.number = operation, number
        self.seen: list[str] = []

    @hookimpl
    def before_call(self, call: Any) -> None:
        self.seen.append(call.operation.name)
        if call.operation.name == self.operation and self.seen.count(self.operation) == self.number:
            raise RuntimeError("stopped")


@pytest.mark.parametrize(
    ("program", "operation", "number"),
    [
        (e2_collection_lifecycle, "vector.search.multi_modal", 1),
        (e2_collection_lifecycle, "vector.data.update", 1),
        (e2_collection_lifecycle, "vector.data.delete", 1),
        (e3_1_search_multi_modal, "vector.data.upsert", 3),
        (e3_1_search_multi_modal, "vector.search.scalar", 1),
        (e3_2_search_by_vector, "vector.search.id", 1),
        (e3_2_search_by_vector, "vector.data.fetch_in_index", 1),
        (e3_3_search_by_keywords, "vector.search.keywords", 1),
        (e3_3_search_by_keywords, "vector.search.keywords", 2),
        (e3_3_search_by_keywords, "vector.index.create", 1),
        (e4_search_and_aggregate, "vector.data.upsert", 5),
        (e4_search_and_aggregate, "vector.data.aggregate", 2),
        (rerank_and_sort, "vector.search.multi_modal", 1),
        (admin, "vector.index.create", 1),
        (admin, "vector.index.disable", 1),
        (admin, "vector.collection.delete", 1),
        (tasks, "vector.task.create", 1),
    ],
)
@pytest.mark.parametrize("setting", ["by-words"], indirect=True)
def test_guide_that_fails_in_the_middle_leaves_no_rows(
    setting: Setting, program: ModuleType, operation: str, number: int
) -> None:
    before, saboteur = everything(setting), Saboteur(operation, number)
    with pytest.raises(PluginError, match="stopped"):
        program.run(replace(setting, options={**setting.options, "plugins": [saboteur]}))
    cleaned_up = saboteur.seen[saboteur.seen.index(operation) + 1 :]
    assert {"vector.data.delete", "vector.collection.delete"} & set(cleaned_up), "there was something to clean up"
    assert everything(setting) == before
    with VikingDB(**setting.options) as client:
        assert {found.collection_name for found in client.admin.iter_collections()} == {"text", "vector"}
