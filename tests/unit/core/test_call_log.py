"""The call log: one line for a call, its attempts below, fields for machines, and nothing that is nobody's business."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_vikingdb import VirtualClock, Wire
from vikingdb_core import RequestOptions
from vikingdb_core.call_log import FIELDS, LoggingPlugin
from vikingdb_core.exceptions import CircuitOpenError, ConfigError, ConnectionLost, PluginLoadError
from vikingdb_core.hooks import hookimpl
from vikingdb_vector import AsyncVikingDB, VikingDB
from vikingdb_vector.exceptions import IndexNotFound, InvalidParameter

CALLS = "vikingdb.calls"
HIT = {"code": "Success", "request_id": "r-7", "result": {"data": [{"id": 1, "fields": {"title": "very private"}}]}}


@pytest.fixture
def plugin(viking_clock: VirtualClock) -> LoggingPlugin:
    return LoggingPlugin(clock=viking_clock.monotonic)


@pytest.fixture
def search(viking_client: Callable[..., Any], plugin: LoggingPlugin) -> Callable[..., Any]:
    """A search on a client that logs."""

    def search(*plugins: Any, **options: Any) -> Any:
        index = viking_client(VikingDB, plugins=plugins or [plugin]).index(
            collection_name="books", index_name="by_mood"
        )
        return index.search_by_vector({"dense_vector": [0.125, 0.25]}, **options)

    return search


def lines(caplog: pytest.LogCaptureFixture, level: int = logging.INFO) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == CALLS and record.levelno == level]


@pytest.fixture(autouse=True)
def listening(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, CALLS)


def test_a_call_that_succeeds_is_one_line(
    search: Callable[..., Any], viking_wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    viking_wire.reply(200, HIT, seconds=0.25)
    search()
    assert lines(caplog) == ["vector.search.vector books/by_mood ok 250.0 ms, 1 attempt, request r-7"]


def test_a_call_that_fails_is_one_line_with_class_code_status_and_attempts(
    search: Callable[..., Any], viking_wire: Wire, viking_clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    viking_wire.reply(429, {"code": "TooManyRequests"}, headers={"Retry-After": "2"})
    viking_wire.reply(404, {"code": "NotFound.VikingdbIndex", "message": "no index", "request_id": "r-8"}, seconds=0.5)
    with pytest.raises(IndexNotFound):
        search()
    assert lines(caplog) == [
        "vector.search.vector books/by_mood IndexNotFound NotFound.VikingdbIndex 404 2500.0 ms, 2 attempts, request r-8"
    ]


def test_the_record_of_a_call_has_every_field(
    search: Callable[..., Any], viking_wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    viking_wire.reply(200, HIT, seconds=0.25)
    search()
    record = caplog.records[-1]
    assert {name: getattr(record, name) for name in FIELDS} == {
        "vikingdb_domain": "vector",
        "vikingdb_operation": "vector.search.vector",
        "vikingdb_project": None,
        "vikingdb_collection": "books",
        "vikingdb_index": "by_mood",
        "vikingdb_rows": None,
        "vikingdb_outcome": "ok",
        "vikingdb_error": None,
        "vikingdb_code": None,
        "vikingdb_status": 200,
        "vikingdb_milliseconds": 250.0,
        "vikingdb_attempts": 1,
        "vikingdb_request_id": "r-7",
    }


def test_the_record_of_a_failure_has_every_field(
    viking_client: Callable[..., Any],
    viking_wire: Wire,
    plugin: LoggingPlugin,
    caplog: pytest.LogCaptureFixture,
) -> None:
    viking_wire.then(ConnectionLost("the line went dead"), seconds=1)
    books = viking_client(VikingDB, plugins=[plugin]).collection(collection_name="books", project_name="shop")
    with pytest.raises(ConnectionLost):
        books.upsert(
            {"data": [{"title": "Dune"}, {"title": "Emma"}]}, request_options=RequestOptions(request_id="mine")
        )
    record = caplog.records[-1]
    assert {name: getattr(record, name) for name in FIELDS} == {
        "vikingdb_domain": "vector",
        "vikingdb_operation": "vector.data.upsert",
        "vikingdb_project": "shop",
        "vikingdb_collection": "books",
        "vikingdb_index": None,
        "vikingdb_rows": 2,
        "vikingdb_outcome": "error",
        "vikingdb_error": "ConnectionLost",
        "vikingdb_code": None,
        "vikingdb_status": None,
        "vikingdb_milliseconds": 1000.0,
        "vikingdb_attempts": 1,
        "vikingdb_request_id": "mine",
    }


def test_attempts_are_told_at_debug_with_sizes_and_waits(
    search: Callable[..., Any], viking_wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    viking_wire.reply(429, {"code": "TooManyRequests"}, headers={"Retry-After": "7"}, seconds=0.5)
    viking_wire.then(ConnectionLost("the line went dead"), seconds=0.25).reply(200, HIT)
    search()
    size = len(viking_wire.requests[0].body)
    told = lines(caplog, logging.DEBUG)
    assert told[0] == f"vector.search.vector attempt 1 of 3 sends {size} bytes"
    assert told[1] == "vector.search.vector attempt 1 of 3 received 429, 27 bytes, 500.0 ms"
    assert told[2] == f"vector.search.vector attempt 2 of 3 sends {size} bytes 7.000 s after the last"
    assert told[3] == "vector.search.vector attempt 2 of 3 ended with ConnectionLost, 250.0 ms"
    assert len(told) == 6


def test_neither_bodies_nor_the_words_of_the_service_nor_secrets_are_told(
    viking_client: Callable[..., Any], viking_wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    viking_wire.reply(200, HIT).reply(400, {"code": "InvalidParameter", "message": "very private"})
    shown = LoggingPlugin(headers=["X-Gateway-Token", "Authorization", "Cookie", "X-Team"])
    client = viking_client(
        VikingDB, plugins=[shown], headers={"X-Gateway-Token": "very private", "Cookie": "very private", "X-Team": "a"}
    )
    client.index(collection_name="books", index_name="i").search_by_multi_modal({"text": "very private"})
    with pytest.raises(InvalidParameter):
        client.collection(collection_name="books").upsert({"data": [{"title": "very private"}]})
    told = "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records if record.name == CALLS)
    assert "very private" not in told
    assert "X-Gateway-Token: ***, Cookie: ***, X-Team: a" in told


def test_headers_are_told_only_when_asked_for(
    search: Callable[..., Any], viking_wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    viking_wire.reply(200, HIT, headers={"X-Tt-Logid": "l-1", "Server": "s"}).reply(200, HIT)
    search(LoggingPlugin(headers=("x-tt-logid",)))
    assert ", X-Tt-Logid: l-1" in lines(caplog, logging.DEBUG)[1]
    assert "Server" not in caplog.text
    caplog.clear()
    search()
    assert "X-Tt-Logid" not in caplog.text


def test_a_name_or_an_id_begins_no_line_of_its_own(
    viking_client: Callable[..., Any], viking_wire: Wire, plugin: LoggingPlugin, caplog: pytest.LogCaptureFixture
) -> None:
    viking_wire.reply(200, {"code": "Success", "request_id": "r\r\nERROR forged", "result": {}})
    viking_client(VikingDB, plugins=[plugin]).collection(collection_name="书\nx").fetch({"ids": [1]})
    (line,) = lines(caplog)
    assert line.endswith(r"书\nx ok 0.0 ms, 1 attempt, request r\r\nERROR forged")
    assert line.isprintable()


def test_a_call_that_another_plugin_refuses_is_told_with_no_attempt(
    search: Callable[..., Any], plugin: LoggingPlugin, caplog: pytest.LogCaptureFixture
) -> None:
    class Refuse:
        @hookimpl
        def before_call(self) -> None:
            raise CircuitOpenError("not now")

    with pytest.raises(CircuitOpenError):
        search(Refuse(), plugin)
    assert lines(caplog) == ["vector.search.vector books/by_mood CircuitOpenError 0.0 ms, 0 attempts"]


def test_a_cancelled_call_is_told_once(
    viking_client: Callable[..., Any], viking_wire: Wire, plugin: LoggingPlugin, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async def never(request: Any) -> Any:
            await asyncio.Event().wait()

        viking_wire.then(never)
        books = viking_client(AsyncVikingDB, plugins=[plugin]).collection(collection_name="books")
        task = asyncio.create_task(books.fetch({"ids": [1]}))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
    assert lines(caplog) == ["vector.data.fetch_in_collection books CancelledError 0.0 ms, 1 attempt"]


def test_an_observer_that_is_called_twice_tells_once(
    search: Callable[..., Any], viking_wire: Wire, plugin: LoggingPlugin, caplog: pytest.LogCaptureFixture
) -> None:
    class Again:
        @hookimpl
        def after_call(self, call: Any, result: Any, error: Any) -> None:
            plugin.after_call(call, result, error)

    viking_wire.reply(200, HIT)
    search(plugin, Again())
    assert len(lines(caplog)) == 1


def test_a_logger_that_does_not_listen_is_told_nothing(
    search: Callable[..., Any], viking_wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, CALLS)
    viking_wire.reply(200, HIT)
    search()
    assert [record for record in caplog.records if record.name == CALLS] == []


def test_level_and_logger_are_the_users_to_choose(
    search: Callable[..., Any], viking_wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "shop.db")
    viking_wire.reply(200, HIT).reply(200, HIT)
    search(LoggingPlugin(level="warning", logger="shop.db"))
    search(LoggingPlugin(level=logging.ERROR, logger=logging.getLogger("shop.db")))
    assert [record.levelname for record in caplog.records if record.name == "shop.db"] == ["WARNING", "ERROR"]


def test_it_is_built_in_and_runs_by_its_name_with_settings_of_the_profile(
    viking_client: Callable[..., Any],
    viking_wire: Wire,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    profile = tmp_path / "config.toml"
    profile.write_text('[default.plugin.logging]\nlevel = "WARNING"\n')
    monkeypatch.setenv("VIKINGDB_CONFIG_FILE", str(profile))
    viking_wire.reply(200, HIT)
    viking_client(VikingDB, plugins=["logging"]).collection(collection_name="books").fetch({"ids": [1]})
    assert len(lines(caplog, logging.WARNING)) == 1
    profile.write_text('[default.plugin.logging]\nlevle = "WARNING"\n')
    with pytest.raises(
        PluginLoadError, match=r"plugin 'logging' cannot be built from levle: .* Did you mean 'level'\?"
    ):
        viking_client(VikingDB, plugins=["logging"])
    profile.write_text('[default.plugin.logging]\nlevel = "LOUD"\n')
    with pytest.raises(PluginLoadError, match="plugin 'logging' cannot be built from level: level must be the name or"):
        viking_client(VikingDB, plugins=["logging"])


def test_no_handler_is_added(search: Callable[..., Any], viking_wire: Wire) -> None:
    viking_wire.reply(200, HIT)
    search()
    assert [logging.getLogger(name).handlers for name in ("vikingdb", CALLS)] == [[], []]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"level": "LOUD"}, "level must be the name or the number of a logging level, such as 'INFO', not 'LOUD'"),
        ({"level": True}, "level must be"),
        ({"level": 0}, "level must be"),
        ({"level": None}, "level must be"),
        ({"logger": 5}, "logger must be a logger or the name of one, not 5"),
        ({"logger": ""}, "logger must be"),
        ({"headers": "X-Team"}, "headers must be a list of names, not 'X-Team'"),
        ({"headers": [5]}, "headers must be"),
        ({"headers": 5}, "headers must be"),
    ],
)
def test_a_setting_that_is_none_is_refused_by_name(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        LoggingPlugin(**settings)
