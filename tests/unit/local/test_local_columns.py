"""Columns, postings and snapshots: a view never changes, and a row without a value matches nothing but a negation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vikingdb_local.engine.columns import Lists, Numbers, Points, Texts, column_for
from vikingdb_local.engine.postings import Bm25, Postings
from vikingdb_local.engine.schema import Analyzer, Field, Schema
from vikingdb_local.engine.segment import Row, Segment
from vikingdb_vector import FieldType


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        (FieldType.INT64, 0, [0]),
        (FieldType.BOOL, False, [False]),
        (FieldType.STRING, "", [""]),
        (FieldType.LIST_STRING, ["a"], ["a"]),
        (FieldType.LIST_INT64, [0], [0]),
    ],
)
def test_a_row_without_a_value_is_not_one_with_an_empty_value(kind: FieldType, value: Any, wanted: list[Any]) -> None:
    column = column_for(kind)
    for item in (None, value):
        column.append(item)
    view = column.view()
    assert isinstance(view, Numbers | Texts | Lists)
    assert view.is_any_of(wanted).tolist() == [False, True]


def test_a_row_without_a_point_is_nowhere() -> None:
    column = column_for(FieldType.GEO_POINT)
    for item in (None, "0,0"):
        column.append(item)
    view = column.view()
    assert isinstance(view, Points)
    assert view.is_within((0.0, 0.0), 1e9).tolist() == [False, True]


@pytest.mark.parametrize(
    ("kind", "values"), [(FieldType.INT64, [1]), (FieldType.STRING, ["x"]), (FieldType.LIST_STRING, [["x", "y"]])]
)
def test_a_view_keeps_what_there_was_while_the_column_grows(kind: FieldType, values: list[Any]) -> None:
    column = column_for(kind)
    column.append(values[0])
    view = column.view()
    for _ in range(500):
        column.append(values[0])
    assert isinstance(view, Numbers | Texts | Lists)
    wanted = values[0] if isinstance(values[0], list) else values
    assert view.is_any_of(wanted).tolist() == [True]


def test_postings_seen_before_a_text_was_added_do_not_have_it() -> None:
    postings = Postings(Analyzer())
    postings.append("fox")
    before = postings.view()
    for _ in range(200):
        postings.append("fox and dog")
    scores = np.zeros(1)
    before.score(["fox", "dog"], np.array([True]), Bm25(), scores, 1.0)
    assert scores[0] > 0


def test_a_snapshot_keeps_its_rows_while_they_are_replaced_and_deleted() -> None:
    key = Field("id", FieldType.INT64, is_primary_key=True)
    segment = Segment(Schema({"id": key}, key, None, None, {}))
    for n in range(1, 4):
        segment.append(Row(n, n, {"id": n}, None, None), seq=n)
    before = segment.snapshot(3)
    segment.kill(1, 4)
    segment.append(Row(4, 2, {"id": 2}, None, None), seq=5)
    after = segment.snapshot(5)

    def numbers(snapshot: Any) -> list[int]:
        listed: list[int] = snapshot.numbers[snapshot.alive(0)].tolist()
        return listed

    assert numbers(before) == [1, 2, 3]
    assert numbers(after) == [3, 4]
