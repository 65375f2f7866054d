"""A damaged database: it is named, nothing in it is overwritten, and what cannot be read is not passed over."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from vikingdb_core.exceptions import ConfigError, ServerError
from vikingdb_local import databases
from vikingdb_local.engine.journal import find_damage
from vikingdb_vector import VikingDB

BATCHES, ROWS = 12, 100
DATA, JOURNAL = "data.sqlite", "data.sqlite-wal"


def endpoint_of(folder: Path) -> str:
    return f"local://{folder.as_posix()}?embedder=hash-v1"


def fill(folder: Path) -> VikingDB:
    db = VikingDB(endpoint=endpoint_of(folder), retry=1)
    fields: list[dict[str, Any]] = [
        {"field_name": "id", "field_type": "int64", "is_primary_key": True},
        {"field_name": "batch", "field_type": "int64"},
        {"field_name": "vec", "field_type": "vector", "dim": 16},
    ]
    db.admin.create_collection(collection_name="c", fields=fields)
    db.admin.create_index(collection_name="c", index_name="i", vector_index={"index_type": "flat", "distance": "ip"})
    for batch in range(BATCHES):
        rows = [{"id": ROWS * batch + n + 1, "batch": batch, "vec": [batch] * 16} for n in range(ROWS)]
        db.collection(collection_name="c").upsert({"data": rows})
    return db


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A database that was closed, and one whose process died."""
    closed, died = (tmp_path_factory.mktemp("originals") / name for name in ("closed", "died"))
    with fill(closed):
        shutil.copytree(closed, died)
    assert (died / JOURNAL).stat().st_size > 100_000
    return closed, died


@pytest.fixture
def closed(originals: tuple[Path, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(originals[0], tmp_path / "closed"))


@pytest.fixture
def died(originals: tuple[Path, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(originals[1], tmp_path / "died"))


def files_in(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path.is_file()}


def overwrite(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def pages_of(path: Path, table: str) -> list[int]:
    """Where the leaves of a table or an index are."""
    with closing(sqlite3.connect(path)) as sql:
        try:
            found = sql.execute("SELECT pgoffset FROM dbstat WHERE name = ? AND pagetype = 'leaf'", (table,)).fetchall()
        except sqlite3.OperationalError:  # this SQLite was built without it: the root page will do
            found = sql.execute("SELECT (rootpage - 1) * 4096 FROM sqlite_master WHERE name = ?", (table,)).fetchall()
    return [offset for (offset,) in found]


def foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as sql:
        sql.executescript("CREATE TABLE songs (title); INSERT INTO songs VALUES ('Yesterday');")


def of_the_future(path: Path) -> None:
    with closing(sqlite3.connect(path)) as sql:
        sql.execute("PRAGMA user_version = 99")


AT_ONCE: dict[str, tuple[Callable[[Path], object], str]] = {
    "emptied": (lambda path: os.truncate(path, 0), "is empty"),
    "cut within its head": (lambda path: os.truncate(path, 50), "damaged or no database"),
    "cut after a page": (lambda path: os.truncate(path, 4096), "malformed"),
    "cut in the middle": (lambda path: os.truncate(path, path.stat().st_size // 8192 * 4096), "malformed"),
    "a page too short": (lambda path: os.truncate(path, path.stat().st_size - 4096), "malformed"),
    "overwritten": (lambda path: path.write_bytes(noise(50_000)), "does not begin like a database"),
    "overwritten behind its head": (lambda path: overwrite(path, 100, noise(4000)), "malformed"),
    "a catalog that is noise": (lambda path: overwrite(path, pages_of(path, "collections")[0], noise(4096)), "damaged"),
    "of something else": (foreign, "format 0"),
    "of another time": (of_the_future, "format 99"),
}


@pytest.mark.parametrize("what", AT_ONCE)
def test_a_damaged_file_is_named_and_left_as_it_is(closed: Path, what: str) -> None:
    damage, says = AT_ONCE[what]
    damage(closed / DATA)
    before = files_in(closed)
    for _ in range(2):
        with pytest.raises(ConfigError, match=says) as caught:
            VikingDB(endpoint=endpoint_of(closed)).ping()
        assert str(closed / DATA) in str(caught.value)
        assert files_in(closed) == before


def frame(number: int) -> int:
    return 32 + number * (24 + 4096)


JOURNALS: dict[str, tuple[Callable[[Path], object], str]] = {
    "overwritten": (lambda path: path.write_bytes(noise(path.stat().st_size)), "its head cannot be read"),
    "a bit of its head": (lambda path: overwrite(path, 17, b"\xff"), "its head cannot be read"),
    "its first frame": (lambda path: overwrite(path, frame(0) + 300, b"\xff"), "writes in it cannot be read"),
    "one in the middle": (lambda path: overwrite(path, frame(9) + 2000, noise(50)), "writes in it cannot be read"),
    "where a frame begins": (lambda path: overwrite(path, frame(5), noise(24)), "writes in it cannot be read"),
}


@pytest.mark.parametrize("what", JOURNALS)
def test_a_damaged_journal_is_named_and_what_it_holds_is_not_forgotten(died: Path, what: str) -> None:
    damage, says = JOURNALS[what]
    damage(died / JOURNAL)
    before = files_in(died)
    with pytest.raises(ConfigError, match=says) as caught:
        VikingDB(endpoint=endpoint_of(died)).ping()
    assert str(died / JOURNAL) in str(caught.value)
    assert files_in(died) == before


def batches_in(folder: Path) -> set[int]:
    with VikingDB(endpoint=endpoint_of(folder)) as db:
        index = db.index(collection_name="c", index_name="i")
        groups = index.aggregate({"op": "count", "field": "batch"}).result.groups
    assert set(groups.values()) == {ROWS}
    return set(map(int, groups))


def test_one_may_go_on_without_what_a_damaged_journal_has_lost(died: Path) -> None:
    overwrite(died / JOURNAL, (died / JOURNAL).stat().st_size // 2, noise(50))
    said = find_damage(died / JOURNAL)
    assert said is not None
    os.truncate(died / JOURNAL, int(said.split("cut it to ")[1].split()[0]))
    kept = batches_in(died)
    assert kept == set(range(len(kept)))
    assert 2 < len(kept) < BATCHES


@pytest.mark.parametrize("cut", [0, 1, 31, 32, 40, 5000])
def test_a_journal_that_a_crash_cut_short_is_no_damage(died: Path, cut: int) -> None:
    """The last write was never acknowledged, wherever it ends."""
    size = (died / JOURNAL).stat().st_size
    os.truncate(died / JOURNAL, size - cut)
    assert batches_in(died) == set(range(BATCHES if cut == 0 else BATCHES - 1))


def test_an_earlier_round_of_the_journal_is_no_damage(tmp_path: Path) -> None:
    """SQLite begins the file anew without cutting it: what stands behind is of the round before."""
    with fill(tmp_path / "db") as db:
        opened = databases._folders[(tmp_path / "db").resolve()]
        with opened.catalog.database.reading() as sql:
            sql.execute("PRAGMA wal_checkpoint(RESTART)")
        db.collection(collection_name="c").upsert({"data": [{"id": 1, "batch": 0, "vec": [0] * 16}]})
        shutil.copytree(tmp_path / "db", tmp_path / "died")
    assert batches_in(tmp_path / "died") == set(range(BATCHES))


def test_a_journal_without_its_database_is_not_taken_for_a_new_one(died: Path) -> None:
    (died / DATA).unlink()
    before = files_in(died)
    with pytest.raises(ConfigError, match=r"data\.sqlite is missing, but there is data\.sqlite-wal"):
        VikingDB(endpoint=endpoint_of(died)).ping()
    assert files_in(died) == before


class Deep:
    """A database with damage that shows when somebody comes upon it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.before = files_in(folder)
        self.db = VikingDB(endpoint=endpoint_of(folder), retry=1)
        self.rows = self.db.collection(collection_name="c")
        self.index = self.db.index(collection_name="c", index_name="i")

    def refusal(self, call: Callable[[], Any]) -> str:
        with pytest.raises(ServerError) as caught:
            call()
        assert caught.value.code == "InternalError"
        return caught.value.message

    def says_so(self, call: Callable[[], Any]) -> None:
        assert self.refusal(call).startswith(f"{self.folder / DATA} is damaged: ")


def spoiled_json(path: Path) -> None:
    with closing(sqlite3.connect(path)) as sql:
        sql.execute("UPDATE rows SET fields = CAST('{' || substr(fields, 3) AS BLOB) WHERE n = 700")
        sql.commit()


DEEP: dict[str, Callable[[Path], object]] = {
    "rows": lambda path: overwrite(path, pages_of(path, "rows")[-3], noise(4096)),
    "the index of rows": lambda path: overwrite(path, pages_of(path, "sqlite_autoindex_rows_1")[-1], noise(4096)),
    "what a row says": spoiled_json,
}


@pytest.fixture(params=DEEP)
def deep(closed: Path, request: pytest.FixtureRequest) -> Iterator[Deep]:
    DEEP[request.param](closed / DATA)
    made = Deep(closed)
    yield made
    made.db.close()


def everything(deep: Deep) -> None:
    for start in range(1, BATCHES * ROWS, 100):
        deep.rows.fetch({"ids": list(range(start, start + 100))})


def test_damage_deep_inside_is_said_by_whoever_comes_upon_it_and_ends_all_writing(deep: Deep) -> None:
    deep.says_so(lambda: everything(deep))
    for _ in range(2):
        deep.says_so(lambda: deep.rows.upsert({"data": [{"id": 5000, "batch": 0, "vec": [0] * 16}]}))
        deep.says_so(lambda: deep.rows.delete({"ids": [1]}))
        deep.says_so(lambda: deep.db.admin.disable_index(collection_name="c", index_name="i"))
    deep.db.close()
    assert files_in(deep.folder) == deep.before


def test_a_search_comes_upon_damaged_rows(closed: Path) -> None:
    spoiled_json(closed / DATA)
    deep = Deep(closed)
    for _ in range(2):
        deep.says_so(lambda: deep.index.search_by_vector({"dense_vector": [1] * 16}))
    assert deep.rows.fetch({"ids": [1, 2]}).result.ids_not_exist == []
    deep.db.close()
    assert files_in(closed) == deep.before


def test_a_folder_whose_database_cannot_be_opened_is_let_go_of(closed: Path) -> None:
    good = (closed / DATA).read_bytes()
    overwrite(closed / DATA, pages_of(closed / DATA, "collections")[0], noise(4096))
    with pytest.raises(ConfigError) as caught:
        VikingDB(endpoint=endpoint_of(closed)).ping()
    (closed / DATA).write_bytes(good)
    assert batches_in(closed) == set(range(BATCHES)), caught  # though the error, and what it holds, is still there
