"""What is exported and imported again is what it was, whatever the schema and the format."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.local.desk import Desk, progress_of

INT64 = st.integers(-(2**63), 2**63 - 1)
FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
POINTS = st.builds(
    "{:.5f},{:.5f}".format, st.floats(-179, 179, allow_subnormal=False), st.floats(-89, 89, allow_subnormal=False)
)
TIMES = (
    st.datetimes().filter(lambda time: 1971 < time.year < 2999).map(lambda time: f"{time:%Y-%m-%dT%H:%M:%S}.250+08:00")
)
ADDRESSES = st.sampled_from(["tos://bucket/a.png", "https://example.com/图.jpg"])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "int64": INT64,
    "float32": FLOAT32,
    "string": TEXTS,
    "bool": st.booleans(),
    "list<string>": st.lists(TEXTS, max_size=4),
    "list<int64>": st.lists(INT64, max_size=4),
    "text": TEXTS,
    "date_time": TIMES,
    "geo_point": POINTS,
    "list<geo_point>": st.lists(POINTS, max_size=3),
    "sparse_vector": st.dictionaries(TEXTS.filter(bool), FLOAT32, max_size=4),
    "tensor": st.lists(st.lists(FLOAT32, min_size=4, max_size=4), min_size=1, max_size=2),
    "image": ADDRESSES,
    "video": st.fixed_dictionaries({"value": ADDRESSES}, optional={"fps": st.floats(0.5, 5)}),
}
MAY_BE_LEFT_OUT = {"int64", "float32", "string", "bool", "list<string>", "list<int64>"} | {
    "sparse_vector",
    "tensor",
    "image",
    "video",
}
KEYS = {"int64": INT64.filter(bool), "string": TEXTS.filter(bool)}
VECTORS = st.lists(st.floats(-1000, 1000, width=32).filter(lambda x: x == 0 or abs(x) > 1e-6), min_size=4, max_size=4)
VECTOR = {"field_name": "vector", "field_type": "vector", "dim": 4}
numbers = count()


@st.composite
def collections(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Fields of a collection, and rows."""
    kinds = draw(st.lists(st.sampled_from(sorted(VALUES)), unique=True, min_size=1))
    names = {f"f{number}": kind for number, kind in enumerate(kinds)}
    fields: list[dict[str, Any]] = [{"field_name": name, "field_type": kind} for name, kind in names.items()]
    for field in fields:
        if field["field_type"] == "tensor":
            field["shape"] = [2, 4]
    key = draw(st.sampled_from(["int64", "string", None]))
    values: dict[str, st.SearchStrategy[Any]] = {name: VALUES[kind] for name, kind in names.items()}
    if key:
        fields.append({"field_name": "key", "field_type": key, "is_primary_key": True})
        values["key"] = KEYS[key]
    if {"sparse_vector", "tensor"} & set(kinds) or draw(st.booleans()):
        fields.append(VECTOR)
        values["vector"] = VECTORS
    optional = {name: values.pop(name) for name, kind in names.items() if kind in MAY_BE_LEFT_OUT}
    rows = st.lists(st.fixed_dictionaries(values, optional=optional), min_size=1, max_size=8)
    return fields, draw(rows)


@pytest.mark.parametrize("file_type", ["json", "parquet"])
@given(collections())
def test_an_import_of_an_export_gives_equal_rows(
    file_type: str, tmp_path_factory: pytest.TempPathFactory, made: tuple[list[dict[str, Any]], list[dict[str, Any]]]
) -> None:
    fields, rows = made
    desk = Desk(tmp_path_factory.getbasetemp() / f"buckets{next(numbers)}")
    try:
        desk.make("before", fields)
        desk.make("after", fields)
        desk.collection("before").upsert({"data": rows})
        files = {"file_type": file_type, "tos_path": "bucket/rows"}
        for task in (
            desk.run("data_export", "before", **files, export_all=True),
            desk.run("data_import", "after", **files),
        ):
            assert (task.task_status, progress_of(task).error_message) == ("done", None)
        assert without_made_keys(desk.rows("after")) == without_made_keys(desk.rows("before"))
    finally:
        desk.close()


def without_made_keys(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "__AUTO_ID__"} for row in rows]


def test_an_imported_row_lives_on_though_the_exported_one_was_to_end(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    fields = [{"field_name": "key", "field_type": "int64", "is_primary_key": True}]
    desk.make("before", fields)
    desk.make("after", fields)
    desk.collection("before").upsert({"data": [{"key": 1}], "ttl": 10})
    files = {"file_type": "parquet", "tos_path": "bucket"}
    desk.run("data_export", "before", **files, export_all=True)
    desk.run("data_import", "after", **files)
    desk.clock.seconds += 11
    assert (desk.rows("before"), desk.rows("after")) == ([], [{"key": 1}])
    desk.close()


@pytest.mark.parametrize("file_type", ["json", "parquet"])
def test_a_row_that_lacks_a_field_is_exported_without_it(file_type: str, tmp_path: Path) -> None:
    """It was there before the field, which has no default. A row is imported only with what an upsert needs."""
    desk = Desk(tmp_path)
    key = {"field_name": "key", "field_type": "int64", "is_primary_key": True}
    born = {"field_name": "born", "field_type": "date_time"}
    desk.make("before", [key])
    desk.collection("before").upsert({"data": [{"key": 1}]})
    desk.admin.update_collection(collection_name="before", fields=[born])
    desk.make("after", [key, born])
    desk.make("later", [key, {**born, "default_value": "2000-01-01T00:00Z"}])
    files = {"file_type": file_type, "tos_path": "bucket"}
    assert desk.run("data_export", "before", **files, export_all=True).task_status == "done"
    task = desk.run("data_import", "after", **files)
    assert "field 'born' (date_time) is missing and has no default" in (progress_of(task).error_message or "")
    desk.run("data_import", "later", **files)
    assert desk.rows("later") == [{"key": 1, "born": "2000-01-01T00:00Z"}]
    desk.close()
