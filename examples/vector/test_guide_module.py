"""``guide.py``: where a guide runs, how it waits for its rows, and that it takes them away again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import e2_collection_lifecycle
import guide
import pytest
from guide import OwnRows, Setting, find_setting

from vikingdb.vector import VikingDB
from vikingdb_core.hooks import hookimpl
from vikingdb_core.messages import Headers, Response

ENDPOINT = "local://?seed=walkthrough&embedder=hash-v1"
KEYS = {"VIKINGDB_AK": "a-key", "VIKINGDB_SK": "a-secret"}

pytestmark = pytest.mark.usefixtures("viking_no_network")


class Laggard:
    """An index that shows nothing the first times it is asked."""

    hook_api = 1

    def __init__(self, times: int) -> None:
        self.times = times

    @hookimpl
    def respond(self, call: Any) -> Response | None:
        if call.operation.name != "vector.search.scalar" or self.times == 0:
            return None
        self.times -= 1
        return Response(200, Headers(), b'{"code": "Success", "request_id": "r", "result": {"data": []}}')


class Clock:
    """Time that passes by sleeping."""

    def __init__(self) -> None:
        self.now, self.slept = 0.0, 0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now, self.slept = self.now + seconds, self.slept + 1


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(guide, "time", made)
    return made


def late(times: int) -> Setting:
    """A live setting whose index is late: the embedded engine, which says so."""
    return Setting(is_live=True, options={"endpoint": ENDPOINT, "plugins": [Laggard(times)]})


def test_guide_waits_for_a_service_that_indexes_in_the_background(clock: Clock) -> None:
    assert e2_collection_lifecycle.run(late(3)).is_gone
    assert clock.slept == 3


def test_guide_that_fails_removes_rows_that_the_index_shows_late(clock: Clock) -> None:
    setting = late(3)
    with VikingDB(**setting.options) as client:
        rows, index = client.collection(**guide.TEXT), client.index(**guide.TEXT_INDEX)
        with pytest.raises(KeyboardInterrupt), OwnRows(setting, rows, index) as own:  # noqa: PT012
            rows.upsert({"data": [own.row("Written", 0, 1.0, "a row that was written")]})
            own.row("Not written", 1, 1.0, "a row that was not")
            raise KeyboardInterrupt
        assert index.aggregate({"op": "count", "filter": own.filter}).result.total == 0
        assert index.aggregate({"op": "count"}).result.total == 8
    assert clock.slept > 3


def test_guide_does_not_wait_for_ever(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    setting = late(1000)
    with VikingDB(**setting.options) as client:
        rows, index = client.collection(**guide.TEXT), client.index(**guide.TEXT_INDEX)
        with OwnRows(setting, rows, index) as own:
            rows.upsert({"data": [own.row("Late", 0, 1.0, "a row that never shows")]})
            with pytest.raises(TimeoutError, match="0 of 1 rows"):
                own.wait()
    assert own.tag in capsys.readouterr().err
    assert clock.now <= 3 * guide.PATIENCE_SECONDS


def test_guide_removes_more_rows_than_a_search_shows() -> None:
    setting = guide.embedded(ENDPOINT)
    with VikingDB(**setting.options) as client:
        rows, index = client.collection(**guide.VECTOR), client.index(**guide.VECTOR_INDEX)
        with OwnRows(setting, rows, index) as own:
            for start in (0, 100, 200):
                made = [own.row("Many", part % 100, 1.0, "one of many", vector=[1.0] * 1024) for part in range(100)]
                rows.upsert({"data": made[: 250 - start]})
            assert index.aggregate({"op": "count", "filter": own.filter}).result.total == 250
        assert index.aggregate({"op": "count"}).result.total == 8


def test_guide_is_embedded_without_both_keys(tmp_path: Path) -> None:
    assert not find_setting({}, []).is_live
    assert not find_setting({"VIKINGDB_AK": "a-key"}, [tmp_path / "absent"]).is_live
    assert not find_setting({**KEYS, "VIKINGDB_SK": ""}, []).is_live


def test_guide_is_live_with_keys_from_the_environment_and_does_not_show_them() -> None:
    setting = find_setting({**KEYS, "VIKINGDB_PROJECT": "mine", "VIKINGDB_RESOURCE_ID": "vdb-1"}, [])
    assert setting.is_live
    assert str(setting) == "Live: the managed service at api-vikingdb.vikingdb.ap-southeast-1.volces.com"
    assert setting.project == "mine"
    assert setting.scope == {"project_name": "mine", "resource_id": "vdb-1"}
    assert "a-secret" not in repr(setting) + str(setting)
    with VikingDB(**setting.options) as client:
        assert client.config.region == "ap-southeast-1"


def test_guide_reads_keys_from_files_and_prefers_the_nearer(tmp_path: Path) -> None:
    near, far = tmp_path / "near", tmp_path / "far"
    near.write_text("# mine\nexport VIKINGDB_AK='near'\n\nVIKINGDB_HOST = near.example\nnonsense\n", encoding="utf-8")
    far.write_text('VIKINGDB_AK=far\nVIKINGDB_SK="far=="\n', encoding="utf-8")
    assert guide.read_env_file(far) == {"VIKINGDB_AK": "far", "VIKINGDB_SK": "far=="}
    assert guide.read_env_file(near) == {"VIKINGDB_AK": "near", "VIKINGDB_HOST": "near.example"}
    assert find_setting({}, [near, far]).options["host"] == "near.example"
    assert find_setting({"VIKINGDB_HOST": "shell.example"}, [near, far]).options["host"] == "shell.example"
    assert not find_setting({}, [near]).is_live
