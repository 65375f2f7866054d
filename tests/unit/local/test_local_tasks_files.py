"""Tasks that read and write files: what they write, what they read, and that they stay in their folder."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.unit.local.desk import CHEAP, DEAR, FIELDS, PATIENCE_SECONDS, Desk, Gate, progress_of
from vikingdb_core.exceptions import ConfigError, OperationNotSupported, VikingDBError
from vikingdb_local.engine.jsonlines import LineWriter
from vikingdb_local.engine.tasks import Progress, Tasks
from vikingdb_local.handlers import steps
from vikingdb_vector import InvalidParameter, MissingParameter, OperationDenied, TaskInfo, VikingDB

ROW = {"id": 1, "genre": "sf", "price": 0.1, "mood": [1, 0.1, 0, 0]}
TO_JSON = {"file_type": "json", "tos_path": "bucket/out"}
TO_PARQUET = {"file_type": "parquet", "tos_path": "bucket/out"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An empty collection ``books``."""
    made = Desk(tmp_path / "buckets")
    made.make()
    yield made
    made.close()


def put(desk: Desk, path: str, text: str | bytes) -> Path:
    """A file in the folder of the buckets."""
    file = desk.buckets / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def put_lines(desk: Desk, path: str, *rows: Any) -> Path:
    return put(desk, path, "".join(f"{json.dumps(row)}\n" for row in rows))


def files(desk: Desk) -> list[str]:
    return sorted(path.relative_to(desk.buckets).as_posix() for path in desk.buckets.rglob("*") if path.is_file())


def load(desk: Desk, path: str = "bucket/in", file_type: str = "json", name: str = "books", **config: Any) -> TaskInfo:
    return desk.run("data_import", name, file_type=file_type, tos_path=path, **config)


def said(task: TaskInfo) -> str:
    return progress_of(task).error_message or ""


def test_an_export_is_a_new_file_of_the_collection_and_the_task(desk: Desk) -> None:
    desk.collection().upsert({"data": [ROW, {"id": 2**62, "price": 50, "mood": [0, 0, 0, 1], "genre": "诗"}]})
    task = desk.run("data_export", **TO_JSON, export_all=True)
    assert (task.task_status, progress_of(task).total_data_count, said(task)) == ("done", 2, "")
    assert files(desk) == [f"bucket/out/books-{task.task_id}.jsonl"]
    text = (desk.buckets / files(desk)[0]).read_text(encoding="utf-8")
    assert text.splitlines() == [
        '{"id":1,"genre":"sf","price":0.1,"mood":[1.0,0.1,0.0,0.0]}',
        '{"id":4611686018427387904,"genre":"诗","price":50.0,"mood":[0.0,0.0,0.0,1.0]}',
    ]
    desk.run("data_export", **TO_JSON, export_all=True)
    assert len(files(desk)) == 2


def test_an_export_has_the_rows_and_fields_that_were_asked_for(desk: Desk) -> None:
    desk.fill(range(1, 11))
    desk.clock.seconds += 1
    desk.collection().upsert({"data": [{**ROW, "id": 11, "price": 5}], "ttl": 10})
    desk.clock.seconds += 10
    config = {"filter_conds": [CHEAP], "output_fields": ["price", "id"], "tos_path": "tos://bucket/cheap.jsonl"}
    task = desk.run("data_export", file_type="json", **config)
    assert (task.task_status, progress_of(task).total_filter_count) == ("done", 5)
    lines = (desk.buckets / "bucket" / "cheap.jsonl").read_text().splitlines()
    assert lines == [f'{{"price":5.0,"id":{key}}}' for key in (1, 3, 5, 7, 9)]


def test_an_export_overwrites_nothing(desk: Desk) -> None:
    file = put(desk, "bucket/out.jsonl", "kept")
    for config in ({"tos_path": "bucket/out.jsonl"}, {"tos_path": "tos://bucket/out.jsonl/"}):
        with pytest.raises(InvalidParameter, match=r"tos://bucket/out.jsonl exists already"):
            desk.start("data_export", file_type="json", export_all=True, **config)
    assert file.read_text() == "kept"


def test_an_export_does_not_overwrite_what_came_while_it_ran(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.fill([1])
    write = LineWriter.write

    def overtaken(*arguments: Any) -> None:
        write(*arguments)
        put(desk, "bucket/out.jsonl", "kept")

    monkeypatch.setattr(LineWriter, "write", overtaken)
    task = desk.run("data_export", file_type="json", tos_path="bucket/out.jsonl", export_all=True)
    assert task.task_status == "fail"
    assert "exists already" in said(task)
    assert files(desk) == ["bucket/out.jsonl"]
    assert (desk.buckets / "bucket" / "out.jsonl").read_text() == "kept"


@pytest.mark.parametrize("config", [TO_JSON, TO_PARQUET])
def test_an_export_that_fails_leaves_no_file(
    config: dict[str, Any], desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.fill(range(1, 6))
    monkeypatch.setattr(steps, "BATCH_ROWS", 2)
    note = Tasks.note

    def fail_after_four(tasks: Tasks, task_id: str, progress: Progress, *more: Any) -> None:
        note(tasks, task_id, progress, *more)
        if progress.done == 4 and not progress.error:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(Tasks, "note", fail_after_four)
    task = desk.run("data_export", **config, export_all=True)
    assert task.task_status == "fail"
    assert "No space left on device. Its file is there whole or not at all" in said(task)
    assert files(desk) == []


def test_an_export_that_is_stopped_leaves_no_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.fill(range(1, 6))
    monkeypatch.setattr(steps, "BATCH_ROWS", 2)
    writing, go_on, write = threading.Event(), threading.Event(), LineWriter.write

    def held_up(*arguments: Any) -> None:
        write(*arguments)
        writing.set()
        assert go_on.wait(PATIENCE_SECONDS)

    monkeypatch.setattr(LineWriter, "write", held_up)
    task_id = desk.start("data_export", **TO_JSON, export_all=True)
    assert writing.wait(PATIENCE_SECONDS)
    work = desk.tasks.worker._queue[0]
    deleting = threading.Thread(target=lambda: desk.admin.delete_task(task_id=task_id))
    deleting.start()
    assert work.stop.wait(PATIENCE_SECONDS)
    go_on.set()
    deleting.join(PATIENCE_SECONDS)
    assert not deleting.is_alive()
    assert files(desk) == []


def test_an_import_reads_a_file_or_all_files_of_a_folder(desk: Desk) -> None:
    put_lines(desk, "bucket/in/b.jsonl", {**ROW, "genre": "last"}, {**ROW, "id": 2})
    put(desk, "bucket/in/a.json", json.dumps([ROW, {**ROW, "id": 3}], indent=1))
    put(desk, "bucket/in/readme.txt", "no rows")
    put(desk, "bucket/in/more/c.jsonl", "not looked at")
    task = load(desk, "tos://bucket/in/")
    assert (task.task_status, progress_of(task).total_data_count, progress_of(task).scan_data_count) == ("done", 4, 4)
    assert desk.genres() == {1: "last", 2: "sf", 3: "sf"}, "files come by name, and later rows replace earlier ones"
    put(desk, "bucket/one", f"\n{json.dumps({**ROW, 'id': 9, 'price': None})}\n\n {json.dumps(ROW)}")
    task = load(desk, "bucket/one")
    assert task.task_status == "fail"
    assert "one line 2: field 'price' (float32) takes a number, not null" in said(task)
    assert load(desk, "bucket/one", ignore_error=True).task_status == "done"
    assert desk.genres()[1] == "sf"


BAD_ROWS = [
    ({**ROW, "genr": "x"}, "no field 'genr'. Did you mean 'genre'? Correct it."),
    ({**ROW, "id": 0}, "primary key 'id' must not be 0"),
    ({"id": 5}, "field 'mood' (vector) is missing"),
    ({**ROW, "mood": [1, 2]}, "its dimension is 4"),
    ({**ROW, "price": "x"}, "takes a number, not a string"),
    ({**ROW, "__AUTO_ID__": 3}, "__AUTO_ID__ is made by the engine"),
    ([1, 2], "must be an object, not an array"),
    ("text", "must be an object, not a string"),
]


@pytest.mark.parametrize(("row", "says"), BAD_ROWS)
def test_an_import_takes_the_rows_that_an_upsert_would(row: Any, says: str, desk: Desk) -> None:
    put_lines(desk, "bucket/in/a.jsonl", {**ROW, "id": 7}, row)
    task = load(desk)
    assert task.task_status == "fail"
    assert said(task).startswith("a.jsonl line 2")
    assert says in said(task)
    assert said(task).endswith("0 of 2 rows are done and stay so")
    assert desk.rows() == []


def test_the_first_bad_row_ends_an_import_and_earlier_batches_stay(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "BATCH_ROWS", 2)
    put_lines(desk, "bucket/in/a.jsonl", *({**ROW, "id": key} for key in (1, 2, 3)))
    put(desk, "bucket/in/b.jsonl", b'{"id": 4,\n')
    task = load(desk)
    assert task.task_status == "fail"
    assert "b.jsonl line 1 is not JSON" in said(task)
    assert "3 of 4 rows are done and stay so" in said(task)
    assert sorted(desk.genres()) == [1, 2, 3]


def test_bad_rows_are_skipped_counted_and_named_when_asked(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "BATCH_ROWS", 3)
    rows: list[Any] = [{**ROW, "id": key} if key % 2 else {"id": key} for key in range(1, 17)]
    put_lines(desk, "bucket/in/a.jsonl", *rows)
    task = load(desk, ignore_error=True)
    assert (task.task_status, progress_of(task).task_progress) == ("done", "100%")
    assert said(task).startswith("8 of 16 rows were skipped: a.jsonl line 2: field 'mood'")
    assert [f"line {key}:" in said(task) for key in (2, 4, 6, 8, 10, 12)] == [True] * 5 + [False]
    assert said(task).endswith("and 3 more")
    assert sorted(desk.genres()) == list(range(1, 17, 2))


def test_ids_that_the_engine_made_are_made_anew(desk: Desk) -> None:
    fields = [field for field in FIELDS if not field.get("is_primary_key")]
    desk.make("from", fields)
    desk.make("to", fields)
    desk.collection("from").upsert({"data": [{"price": 1, "mood": [1, 0, 0, 0]}, {"price": 2, "mood": [0, 1, 0, 0]}]})
    desk.run("data_export", "from", **TO_JSON, export_all=True)
    assert all('"__AUTO_ID__":' in line for line in (desk.buckets / files(desk)[0]).read_text().splitlines())
    assert load(desk, "bucket/out", name="to").task_status == "done"
    before, after = desk.rows("from"), desk.rows("to")
    assert [row.pop("__AUTO_ID__") for row in before]
    assert len({row.pop("__AUTO_ID__") for row in after}) == 2
    assert before == after


def test_texts_are_embedded_while_they_are_imported(desk: Desk) -> None:
    fields = [
        {"field_name": "id", "field_type": "int64", "is_primary_key": True},
        {"field_name": "text", "field_type": "text"},
    ]
    desk.make("passages", fields, vectorize={"dense": {"model_name": "bge-m3", "text_field": "text"}})
    texts = [f"a stone number {number}" for number in range(250)]
    put_lines(desk, "bucket/in/a.jsonl", *({"id": n + 1, "text": text} for n, text in enumerate(texts)))
    assert load(desk, name="passages").task_status == "done"
    hits = desk.db.index(collection_name="passages", index_name="i").search_by_multi_modal({"text": texts[177]})
    assert hits.result.data[0].id == 178
    desk.run("data_export", "passages", **TO_JSON, export_all=True)
    (exported,) = (desk.buckets / "bucket" / "out").iterdir()
    assert json.loads(exported.read_text().splitlines()[177]) == {"id": 178, "text": texts[177]}


@pytest.mark.parametrize("overtaken_at", [1, 3, 5])
def test_a_field_added_while_rows_are_read_is_not_missing_from_them(
    overtaken_at: int, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the first batch, between two, and within one."""
    monkeypatch.setattr(steps, "BATCH_ROWS", 2)
    read_new, calls = steps.read_new, []

    def overtaken(*arguments: Any) -> Any:
        read = read_new(*arguments)
        calls.append(arguments)
        if len(calls) == overtaken_at:
            added = {"field_name": "more", "field_type": "int64", "default_value": 7}
            desk.admin.update_collection(collection_name="books", fields=[added])
        return read

    monkeypatch.setattr(steps, "read_new", overtaken)
    put_lines(desk, "bucket/in/a.jsonl", *({**ROW, "id": key} for key in range(1, 6)))
    task = load(desk)
    assert (task.task_status, progress_of(task).scan_data_count) == ("done", 5)
    assert [row["more"] for row in desk.rows()] == [7] * 5


def test_parquet_keeps_types_and_vectors(desk: Desk) -> None:
    desk.fill(range(1, 4))
    desk.run("data_export", **TO_PARQUET, export_all=True)
    table = parquet.read_table(desk.buckets / files(desk)[0])
    kinds = [pa.int64(), pa.string(), pa.float32(), pa.list_(pa.float32(), 4)]
    assert table.schema.types == kinds
    assert table.column("mood").to_pylist() == [[1, 1, 0, 0], [2, 1, 0, 0], [3, 1, 0, 0]]


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.float32()),
        pa.list_(pa.float32(), 4),
        pa.list_(pa.float64()),
        pa.large_list(pa.float32()),
        pa.list_(pa.int64()),
    ],
)
def test_vectors_are_read_from_lists_of_every_kind(kind: pa.DataType, desk: Desk) -> None:
    vectors = [[1, 0, 0, 2], [3, 0, 0, 4]]
    columns = {"id": pa.array([1, 2]), "mood": pa.array(vectors, kind), "genre": pa.array([None, "sf"])}
    file = desk.buckets / "bucket" / "in.parquet"
    file.parent.mkdir(parents=True)
    parquet.write_table(pa.table(columns), file)
    task = load(desk, "bucket/in.parquet", "parquet")
    assert (task.task_status, said(task)) == ("done", "")
    assert [row["mood"] for row in desk.rows()] == vectors
    assert desk.genres() == {1: "default", 2: "sf"}, "null is read as not given"


def test_a_bad_vector_in_parquet_is_named(desk: Desk) -> None:
    moods = [[1.0, 2.0, 3.0, 4.0], None, [1.0], [1.0, float("nan"), 0.0, 0.0], [1.0, None, 0.0, 0.0]]
    table = pa.table({"id": pa.array(range(1, 6)), "mood": pa.array(moods, pa.list_(pa.float32()))})
    (desk.buckets / "bucket").mkdir(parents=True)
    parquet.write_table(table, desk.buckets / "bucket" / "in.parquet")
    task = load(desk, "bucket", "parquet", ignore_error=True)
    assert task.task_status == "done"
    for says in ("row 2: field 'mood' (vector) is missing", "row 3: field 'mood' (vector) has 1", "row 4", "row 5"):
        assert says in said(task)
    assert [row["id"] for row in desk.rows()] == [1]


def test_vectors_come_from_parquet_as_exact_as_they_are(desk: Desk) -> None:
    rng = np.random.default_rng(7)
    matrix = rng.normal(size=(50, 4)).astype(np.float32)
    flat = pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel()), 4)
    (desk.buckets / "bucket").mkdir(parents=True)
    parquet.write_table(pa.table({"id": pa.array(range(1, 51)), "mood": flat}), desk.buckets / "bucket" / "a.parquet")
    load(desk, "bucket", "parquet")
    assert (np.array([row["mood"] for row in desk.rows()], np.float32) == matrix).all()


def test_what_is_no_parquet_file_is_said(desk: Desk) -> None:
    put(desk, "bucket/in.parquet", "PAR1 this is none")
    task = load(desk, "bucket/in.parquet", "parquet")
    assert task.task_status == "fail"
    assert "in.parquet is no Parquet file" in said(task)


def test_parquet_needs_pyarrow_and_says_how_to_get_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(OperationNotSupported, match=r"pip install 'vikingdb-local\[parquet\]'"):
        desk.start("data_export", **TO_PARQUET, export_all=True)
    assert desk.run("data_export", **TO_JSON, export_all=True).task_status == "done"


REFUSED: list[tuple[str, dict[str, Any], type[VikingDBError], str]] = [
    ("data_import", {}, MissingParameter, "FileType is missing"),
    ("data_import", {"file_type": "csv", "tos_path": "bucket/x"}, InvalidParameter, "'csv' is none of: json, parquet"),
    ("data_import", {"file_type": "json"}, MissingParameter, "TosPath is missing"),
    ("data_import", {**TO_JSON, "tos_path": "bucket/none"}, InvalidParameter, "tos://bucket/none is neither"),
    ("data_import", {**TO_JSON, "need_confirm": True}, InvalidParameter, "NeedConfirm does not go with data_import"),
    ("data_export", TO_JSON, MissingParameter, "FilterConds, or ExportAll"),
    ("data_export", {**TO_JSON, "export_all": True, "filter_conds": [DEAR]}, InvalidParameter, "exclude each other"),
    ("data_export", {**TO_JSON, "export_all": True, "output_fields": []}, InvalidParameter, "names no field"),
    ("data_export", {**TO_JSON, "export_all": True, "output_fields": ["gener"]}, InvalidParameter, "mean 'genre'"),
    ("data_export", {**TO_JSON, "export_all": True, "tos_path": "bucket/a.parquet"}, InvalidParameter, "but FileType"),
    ("data_export", {**TO_JSON, "export_all": True, "ignore_error": True}, InvalidParameter, "IgnoreError does not"),
]


@pytest.mark.parametrize(("task_type", "config", "error", "says"), REFUSED)
def test_a_task_that_makes_no_sense_is_refused_and_not_remembered(
    task_type: str, config: dict[str, Any], error: type[VikingDBError], says: str, desk: Desk
) -> None:
    with pytest.raises(error, match=says):
        desk.start(task_type, **config)
    assert desk.admin.list_tasks().result.total_count == 0
    assert not desk.buckets.exists()


OUTSIDE = [
    "../outside",
    "bucket/../../outside/rows.jsonl",
    "bucket/..",
    "bucket/./rows.jsonl",
    "bucket//rows.jsonl",
    "/etc/passwd",
    "bucket//etc/passwd",
    "tos:///bucket/x",
    "tos://tos://bucket/x",
    "bucket/..\\..\\outside",
    "bucket/C:/x",
    "bucket/x\x00.jsonl",
    "Bucket/x",
    "b/x",
    "-bucket/x",
    "buc_ket/x",
    "",
    "tos://",
]


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Path]:
    """A folder beside that of the buckets. Whatever happens, it keeps its one file as it is."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "rows.jsonl").write_text(json.dumps(ROW))
    yield folder
    assert os.listdir(folder) == ["rows.jsonl"]
    assert (folder / "rows.jsonl").read_text() == json.dumps(ROW)


@pytest.mark.parametrize("path", OUTSIDE)
@pytest.mark.parametrize("task_type", ["data_import", "data_export"])
def test_a_path_that_is_not_in_a_bucket_is_refused(task_type: str, path: str, desk: Desk, outside: Path) -> None:
    more = {"export_all": True} if task_type == "data_export" else {}
    with pytest.raises((InvalidParameter, MissingParameter), match="TosPath"):
        desk.start(task_type, file_type="json", tos_path=path, **more)
    assert not desk.buckets.exists()


@pytest.fixture
def linked(desk: Desk, outside: Path) -> Desk:
    """Links that lead out of the folder: a bucket, a folder in one, and a file."""
    (desk.buckets / "bucket" / "in").mkdir(parents=True)
    for link, target in {"linked": "", "bucket/linked": "", "bucket/in/rows.jsonl": "rows.jsonl"}.items():
        (desk.buckets / link).symlink_to(outside / target)
    return desk


@pytest.mark.parametrize("path", ["linked", "linked/rows.jsonl", "bucket/linked", "bucket/in", "bucket/in/rows.jsonl"])
def test_a_link_that_leads_out_of_the_folder_is_not_read(path: str, linked: Desk) -> None:
    with pytest.raises(InvalidParameter, match="a link that leads out of the folder"):
        linked.start("data_import", file_type="json", tos_path=path)


@pytest.mark.parametrize("path", ["linked", "linked/x.jsonl", "bucket/linked/deep/x.jsonl", "bucket/in/rows.jsonl"])
def test_a_link_that_leads_out_of_the_folder_is_not_written_to(path: str, linked: Desk) -> None:
    with pytest.raises(InvalidParameter, match="a link that leads out of the folder"):
        linked.start("data_export", file_type="json", tos_path=path, export_all=True)


def test_a_link_made_while_a_task_waited_is_not_followed(
    desk: Desk, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    desk.fill([1])
    desk.start("filter_update", filter_conds=[CHEAP], update_fields={"genre": "x"}, need_confirm=False)
    gate.wait()
    task_id = desk.start("data_export", **TO_JSON, export_all=True)
    desk.buckets.mkdir()
    (desk.buckets / "bucket").symlink_to(outside)
    gate.open()
    desk.settle()
    assert desk.task(task_id).task_status == "fail"
    assert "a link that leads out of the folder" in said(desk.task(task_id))


def test_a_link_within_the_folder_is_followed(desk: Desk) -> None:
    put_lines(desk, "bucket/in/a.jsonl", ROW)
    (desk.buckets / "other").symlink_to(desk.buckets / "bucket")
    assert load(desk, "other/in").task_status == "done"
    assert len(desk.rows()) == 1


def test_files_need_a_folder_that_stands_for_the_buckets() -> None:
    with VikingDB(endpoint="local://") as db:
        db.admin.create_collection(collection_name="c", fields=FIELDS)
        with pytest.raises(OperationDenied, match=r"open the database with one, as in local:///data\?tos=") as caught:
            db.admin.create_task(task_type="data_import", collection_name="c", task_config=TO_JSON)
        assert caught.value.code == "OperationDenied.VikingdbTask"


def test_the_folder_is_percent_encoded_and_absolute(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "a folder & more")
    desk.make()
    assert desk.run("data_export", **TO_JSON, export_all=True).task_status == "done"
    assert len(files(desk)) == 1
    desk.close()
    for endpoint in ("local://?tos=buckets", "local://?tos="):
        with pytest.raises(ConfigError, match="must be an absolute path"):
            VikingDB(endpoint=endpoint).ping()
