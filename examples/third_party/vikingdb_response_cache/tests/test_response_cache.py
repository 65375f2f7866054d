"""The plugin keeps the contract of all, and answers from memory only what is right to answer so."""

from __future__ import annotations

import asyncio
from threading import Thread
from typing import Any

import pytest
from vikingdb_response_cache import ResponseCache

from pytest_vikingdb import ClientFactory, FlowStepper, PluginContract, Recorder, VirtualClock, Wire
from vikingdb_core import AsyncBaseClient, BaseClient, Domain, Envelope, Operation, RequestModel, RequestOptions, Safety
from vikingdb_core.exceptions import ConfigError, ConnectionLost, NotFound, PluginLoadError, ServerError, VikingDBError


class Row(RequestModel):
    """A request about rows of a table."""

    locators = frozenset({"table", "table_id", "part"})
    ids: list[int] | None = None


class Rows(Envelope):
    """What it answers."""

    result: Any = None


READ = Operation("shop.read", "/read", Row, Rows, safety=Safety.READ)
DRAW = Operation("shop.draw", "/draw", Row, Rows, safety=Safety.READ)
WRITE = Operation("shop.write", "/write", Row, Rows)
LIST = Operation("shop.list", "/list", Row, Rows, safety=Safety.READ, plane="control")
PING = Operation("shop.ping", "/ping", RequestModel, Envelope, method="GET", safety=Safety.READ, opaque=True)
WATCH = Operation("shop.watch", "/watch", Row, Rows, safety=Safety.READ, streaming=True)
SHOP = Domain("shop", "Shop", __name__, (READ, DRAW, WRITE, LIST, PING, WATCH), {"data": "shop", "control": "shop"})


class Shop(BaseClient):
    """The client."""

    domain = SHOP


class AsyncShop(AsyncBaseClient):
    """The same, awaited."""

    domain = SHOP


def said(number: int) -> tuple[int, dict[str, Any]]:
    return 200, {"code": "Success", "result": number}


@pytest.fixture
def cache(viking_clock: VirtualClock) -> ResponseCache:
    return ResponseCache(ttl_seconds=5, clock=viking_clock.monotonic)


@pytest.fixture
def shop(cache: ResponseCache, viking_client: ClientFactory, viking_wire: Wire) -> Shop:
    """Answers are numbered, so that it shows which one a read was given."""
    viking_wire.then(*map(said, range(1, 20)))
    return viking_client(Shop, plugins=[cache], retry=1)


def read(shop: Shop, operation: Operation[Any, Any] = READ, *, table: str = "books", **more: Any) -> Any:
    return shop.call(operation, {"table": table, **more}).result


class TestResponseCache(PluginContract):
    entry_point = "response_cache"
    may = frozenset({"answer"})

    def make_plugin(self) -> ResponseCache:
        return ResponseCache()


def test_the_same_read_is_answered_from_memory_for_a_while(
    shop: Shop, cache: ResponseCache, viking_clock: VirtualClock
) -> None:
    assert read(shop) == 1
    viking_clock.advance(4.9)
    assert read(shop) == 1
    assert (cache.hits, cache.misses) == (1, 1)
    viking_clock.advance(0.1)
    assert read(shop) == 2


def test_another_body_or_another_header_is_another_read(shop: Shop) -> None:
    assert read(shop, ids=[1]) == 1
    assert read(shop, ids=[2]) == 2
    tenant = RequestOptions(headers={"X-Tenant": "acme"})
    assert shop.call(READ, {"table": "books", "ids": [1]}, request_options=tenant).result == 3
    assert read(shop, ids=[1]) == 1


def test_an_id_of_the_request_makes_no_difference(shop: Shop) -> None:
    for mark in ("one", "two"):
        answer = shop.call(READ, {"table": "books"}, request_options=RequestOptions(request_id=mark))
        assert answer.result == 1


def test_plugins_are_told_that_an_answer_is_from_memory_and_how_old_it_is(
    cache: ResponseCache,
    viking_client: ClientFactory,
    viking_wire: Wire,
    viking_clock: VirtualClock,
    viking_recorder: Recorder,
) -> None:
    viking_wire.reply(headers={"X-Served-By": "node-7"})
    shop = viking_client(Shop, plugins=[viking_recorder, cache])
    shop.call(READ)
    viking_clock.advance(3)
    shop.call(READ)
    first, second = (event.arguments["response"] for event in viking_recorder.of("after_response"))
    assert "X-Cache" not in first.headers
    assert dict(second.headers) == {**first.headers, "X-Cache": "hit", "Age": "3"}
    assert second.body == first.body


@pytest.mark.parametrize(
    ("operation", "body"),
    [(WRITE, {}), (LIST, {}), (PING, None)],
    ids=["writes", "the control plane", "pings"],
)
def test_other_calls_are_always_sent(
    shop: Shop, viking_wire: Wire, operation: Operation[Any, Any], body: dict[str, Any] | None
) -> None:
    for _ in range(2):
        shop.call(operation, body)
    assert len(viking_wire.requests) == 2


def test_a_stream_is_always_sent(cache: ResponseCache, viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.reply_chunks(200, [b"one"]).reply_chunks(200, [b"two"])
    shop: Any = viking_client(Shop, plugins=[cache])
    assert [b"".join(shop.call(WATCH)) for _ in range(2)] == [b"one", b"two"]


def test_an_operation_may_be_left_out(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.then(said(1), said(2))
    shop = viking_client(Shop, plugins=[ResponseCache(skip=["shop.draw"])])
    assert [read(shop, DRAW), read(shop, DRAW)] == [1, 2]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((404, None), NotFound),
        ((503, None), ServerError),
        ((200, {"code": "NotReady", "message": "a failure in disguise"}), VikingDBError),
        ((200, b"<html>"), VikingDBError),
        (ConnectionLost("reset"), ConnectionLost),
    ],
    ids=["refused", "failed", "failed with status 200", "no json", "no answer"],
)
def test_a_failure_is_never_repeated_from_memory(
    cache: ResponseCache, viking_client: ClientFactory, viking_wire: Wire, answer: Any, error: type[VikingDBError]
) -> None:
    viking_wire.then(answer, said(1))
    shop = viking_client(Shop, plugins=[cache], retry=1)
    with pytest.raises(error):
        read(shop)
    assert read(shop) == 1


def test_an_answer_of_a_later_attempt_is_kept(
    cache: ResponseCache, viking_client: ClientFactory, viking_wire: Wire
) -> None:
    viking_wire.then((503, None), said(2))
    shop = viking_client(Shop, plugins=[cache])
    assert [read(shop), read(shop)] == [2, 2]


@pytest.mark.parametrize(
    ("written", "forgotten"),
    [
        ({"table": "books"}, True),
        ({"table": "books", "part": "old"}, True),
        ({"table_id": "t-1"}, True),
        ({}, True),
        ({"table": "films"}, False),
    ],
    ids=["the same", "a part of it", "by another name", "everything", "another"],
)
def test_a_write_drops_what_cannot_be_told_apart_from_it(shop: Shop, written: dict[str, str], forgotten: bool) -> None:
    assert read(shop) == 1
    shop.call(WRITE, written)
    assert read(shop) == (3 if forgotten else 1)


def test_a_write_that_fails_may_have_been_processed(
    cache: ResponseCache, viking_client: ClientFactory, viking_wire: Wire
) -> None:
    viking_wire.then(said(1), ConnectionLost("reset"), said(2))
    shop = viking_client(Shop, plugins=[cache])
    assert read(shop) == 1
    with pytest.raises(ConnectionLost):
        shop.call(WRITE, {"table": "books"})
    assert read(shop) == 2


def test_an_answer_that_may_lack_a_write_is_not_kept(shop: Shop, viking_flow: FlowStepper) -> None:
    slow = viking_flow(shop.call, READ, {"table": "books"})
    shop.call(WRITE, {"table": "books"})
    slow.reply(*said(0))
    assert slow.result.result == 0
    assert read(shop) == 2


def test_clients_are_not_answered_from_each_other(
    cache: ResponseCache, viking_client: ClientFactory, viking_wire: Wire
) -> None:
    viking_wire.then(said(1), said(2))
    one, other = (viking_client(Shop, plugins=[cache]) for _ in range(2))
    assert [read(one), read(other), read(one), read(other)] == [1, 2, 1, 2]


def test_what_was_longest_unused_goes_first(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.then(*map(said, range(1, 6)))
    shop = viking_client(Shop, plugins=[ResponseCache(max_entries=2)])
    assert [read(shop, ids=[number]) for number in (1, 2, 1, 3)] == [1, 2, 1, 3]
    assert [read(shop, ids=[number]) for number in (1, 3, 2)] == [1, 3, 4]


def test_async_clients_are_answered_alike(
    cache: ResponseCache, viking_client: ClientFactory, viking_wire: Wire
) -> None:
    viking_wire.then(said(1))
    shop = viking_client(AsyncShop, plugins=[cache])

    async def read_twice() -> list[Any]:
        return [(await shop.call(READ)).result for _ in range(2)]

    assert asyncio.run(read_twice()) == [1, 1]


def test_threads_share_one_cache(shop: Shop, cache: ResponseCache) -> None:
    threads = [Thread(target=read, args=(shop,), kwargs={"ids": [number % 3]}) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache.hits + cache.misses == 12
    hits = cache.hits
    for number in range(3):
        read(shop, ids=[number])
    assert cache.hits == hits + 3


@pytest.mark.parametrize("wrong", [{"ttl_seconds": 0}, {"ttl_seconds": float("inf")}, {"max_entries": 0}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="must be above 0"):
        ResponseCache(**wrong)


def test_a_setting_in_the_profile_reaches_it(
    viking_client: ClientFactory, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    profile = tmp_path_factory.mktemp("profile") / "config.toml"
    profile.write_text("[default.plugin.response_cache]\nttl_seconds = -1\n")
    monkeypatch.setenv("VIKINGDB_CONFIG_FILE", str(profile))
    with pytest.raises(PluginLoadError, match="ttl_seconds and max_entries must be above 0"):
        viking_client(Shop, plugins=["response_cache"])
