"""The circuit breaker: when it opens, what it refuses, and how it finds out that the service is better."""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_vikingdb import VirtualClock, Wire
from vikingdb_core.exceptions import (
    CircuitOpenError,
    ConfigError,
    ConnectError,
    ConnectionLost,
    PluginLoadError,
    RequestError,
    RequestTimeout,
    ServerError,
    VikingDBError,
)
from vikingdb_core.hooks import hookimpl
from vikingdb_resilience import CircuitBreaker
from vikingdb_vector import AsyncVikingDB, VikingDB

Build = Callable[..., Any]

FAILURES = [
    (500, None),
    (502, b"<html>"),
    (503, None),
    (504, None),
    ConnectError("refused"),
    RequestTimeout("silent"),
    ConnectionLost("broke"),
]
SIGNS_OF_LIFE = [(200, None), (400, None), (401, None), (403, None), (404, None), (409, None), (429, None), (501, None)]


@pytest.fixture
def breaker(viking_clock: VirtualClock) -> CircuitBreaker:
    return CircuitBreaker(failures=3, cooldown_seconds=30, clock=viking_clock.monotonic)


@pytest.fixture
def client(viking_client: Build, breaker: CircuitBreaker) -> VikingDB:
    made: VikingDB = viking_client(VikingDB, plugins=[breaker], retry=1)
    return made


def outcome(call: Callable[[], Any]) -> str:
    try:
        call()
    except VikingDBError as error:
        return type(error).__name__
    return "ok"


def break_it(client: VikingDB, wire: Wire) -> None:
    """Let as many calls fail as it takes."""
    wire.then(*[(503, None)] * 3)
    for _ in range(3):
        with pytest.raises(ServerError):
            client.ping()


# Opening


@pytest.mark.parametrize("failure", FAILURES, ids=repr)
def test_as_many_failures_in_a_row_open_it(client: VikingDB, viking_wire: Wire, failure: Any) -> None:
    viking_wire.then(failure, failure, failure)
    for _ in range(3):
        with pytest.raises(VikingDBError):
            client.ping()
    with pytest.raises(CircuitOpenError):
        client.ping()
    assert len(viking_wire.requests) == 3


@pytest.mark.parametrize("answer", SIGNS_OF_LIFE, ids=repr)
def test_an_answer_between_them_starts_the_count_anew(client: VikingDB, viking_wire: Wire, answer: Any) -> None:
    viking_wire.then((503, None), (503, None), answer, (503, None), (503, None), (200, None))
    outcomes = [outcome(client.ping) for _ in range(6)]
    assert "CircuitOpenError" not in outcomes
    assert len(viking_wire.requests) == 6


@pytest.mark.parametrize("answer", SIGNS_OF_LIFE[1:], ids=repr)
def test_refusals_of_a_living_service_never_open_it(client: VikingDB, viking_wire: Wire, answer: Any) -> None:
    viking_wire.then(*[answer] * 20)
    assert "CircuitOpenError" not in [outcome(client.ping) for _ in range(20)]


def test_retries_stop_as_soon_as_it_opens(viking_client: Build, viking_wire: Wire, breaker: CircuitBreaker) -> None:
    viking_wire.then(*[(503, None)] * 3)
    with pytest.raises(ServerError) as caught:
        viking_client(VikingDB, plugins=[breaker], retry=10).ping()
    assert len(viking_wire.requests) == 3
    assert "not tried again: the circuit breaker is open" in caught.value.__notes__
    assert [attempt.outcome for attempt in caught.value.attempts] == ["ServerError", "ServerError"]


# Open


def test_what_it_refuses_says_when_to_come_back(
    client: VikingDB, viking_wire: Wire, viking_clock: VirtualClock
) -> None:
    break_it(client, viking_wire)
    viking_clock.advance(10)
    with pytest.raises(
        CircuitOpenError, match=r"https://vikingdb\.example: 3 attempts .*; call again in 20\.0 s"
    ) as caught:
        client.ping()
    assert isinstance(caught.value, RequestError)
    assert (caught.value.retry_after, caught.value.operation) == (20.0, "vector.ping")
    twin = pickle.loads(pickle.dumps(caught.value))
    assert (type(twin), str(twin), twin.retry_after) == (CircuitOpenError, str(caught.value), 20.0)


def test_it_is_shown_where_it_is_open(client: VikingDB, viking_wire: Wire, breaker: CircuitBreaker) -> None:
    assert repr(breaker) == "CircuitBreaker(closed)"
    break_it(client, viking_wire)
    assert repr(breaker) == "CircuitBreaker(open: https://vikingdb.example (data))"


def test_the_control_plane_has_a_circuit_of_its_own(client: VikingDB, viking_wire: Wire) -> None:
    break_it(client, viking_wire)
    viking_wire.reply()
    client.admin.delete_collection(collection_name="books")


def test_another_endpoint_has_a_circuit_of_its_own(
    client: VikingDB, viking_client: Build, viking_wire: Wire, breaker: CircuitBreaker
) -> None:
    break_it(client, viking_wire)
    viking_wire.reply()
    viking_client(VikingDB, endpoint="other.example", plugins=[breaker]).ping()


def test_clients_that_are_given_one_object_share_its_circuits(
    client: VikingDB, viking_client: Build, viking_wire: Wire, breaker: CircuitBreaker
) -> None:
    break_it(client, viking_wire)
    with pytest.raises(CircuitOpenError):
        viking_client(VikingDB, plugins=[breaker]).ping()


# Finding out


def test_after_the_pause_one_call_goes_through_and_closes_it(
    client: VikingDB, viking_wire: Wire, viking_clock: VirtualClock
) -> None:
    break_it(client, viking_wire)
    viking_clock.advance(30)
    viking_wire.then((200, None), (503, None), (503, None), (200, None))
    assert [outcome(client.ping) for _ in range(4)] == ["ok", "ServerError", "ServerError", "ok"]


def test_a_probe_that_fails_is_sent_once_and_leaves_it_open_for_another_pause(
    viking_client: Build, viking_wire: Wire, viking_clock: VirtualClock, breaker: CircuitBreaker
) -> None:
    client = viking_client(VikingDB, plugins=[breaker], retry=3)
    viking_wire.then(*[(503, None)] * 4)
    assert outcome(client.ping) == "ServerError"
    viking_clock.advance(30)
    assert outcome(client.ping) == "ServerError"
    assert len(viking_wire.requests) == 4
    with pytest.raises(CircuitOpenError) as caught:
        client.ping()
    assert caught.value.retry_after == pytest.approx(30.0)


def test_while_one_call_finds_out_others_are_refused(
    client: VikingDB, viking_wire: Wire, viking_clock: VirtualClock, viking_flow: Build
) -> None:
    break_it(client, viking_wire)
    viking_clock.advance(31)
    probe = viking_flow(client.ping)
    with pytest.raises(CircuitOpenError, match="another call is finding out") as caught:
        client.ping()
    assert caught.value.retry_after is None
    probe.reply(200)
    viking_wire.reply()
    client.ping()


def test_a_probe_that_is_given_up_leaves_its_place_to_the_next(
    client: VikingDB, viking_wire: Wire, viking_clock: VirtualClock, viking_flow: Build
) -> None:
    break_it(client, viking_wire)
    viking_clock.advance(31)
    viking_flow(client.ping).close()
    viking_wire.reply()
    client.ping()
    viking_wire.reply(503).reply()
    assert [outcome(client.ping), outcome(client.ping)] == ["ServerError", "ok"]


def test_a_probe_that_another_plugin_refuses_leaves_its_place_to_the_next(
    viking_client: Build, viking_wire: Wire, viking_clock: VirtualClock, breaker: CircuitBreaker
) -> None:
    class Refuse:
        refusing = False

        @hookimpl
        def before_call(self) -> None:
            if self.refusing:
                raise RequestError("not now")

    refuse = Refuse()
    client = viking_client(VikingDB, plugins=[breaker, refuse], retry=1)
    break_it(client, viking_wire)
    viking_clock.advance(31)
    refuse.refusing = True
    assert [outcome(client.ping), outcome(client.ping)] == ["RequestError", "RequestError"]
    refuse.refusing = False
    viking_wire.reply()
    assert outcome(client.ping) == "ok"


def test_a_call_from_before_it_opened_neither_closes_it_nor_lengthens_the_pause(
    client: VikingDB, viking_wire: Wire, viking_clock: VirtualClock, viking_flow: Build
) -> None:
    late_success, late_failure = viking_flow(client.ping), viking_flow(client.ping)
    break_it(client, viking_wire)
    viking_clock.advance(20)
    late_success.reply(200)
    assert outcome(client.ping) == "CircuitOpenError"
    with pytest.raises(ServerError):
        late_failure.reply(503)
    viking_clock.advance(10)
    viking_wire.reply()
    assert outcome(client.ping) == "ok"


def test_an_async_probe_that_is_cancelled_leaves_its_place_to_the_next(
    viking_client: Build, viking_wire: Wire, viking_clock: VirtualClock, breaker: CircuitBreaker
) -> None:
    async def scenario() -> None:
        async def never(request: Any) -> Any:
            await asyncio.Event().wait()

        client = viking_client(AsyncVikingDB, plugins=[breaker], retry=1)
        viking_wire.then(*[(503, None)] * 3, never, (200, None))
        for _ in range(3):
            with pytest.raises(ServerError):
                await client.ping()
        viking_clock.advance(30)
        probe = asyncio.create_task(client.ping())
        await asyncio.sleep(0)
        with pytest.raises(CircuitOpenError):
            await client.ping()
        probe.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probe
        await client.ping()

    asyncio.run(scenario())


def test_of_many_threads_one_finds_out(
    viking_client: Build, viking_wire: Wire, viking_clock: VirtualClock, client: VikingDB
) -> None:
    break_it(client, viking_wire)
    viking_clock.advance(30)
    refused = threading.Semaphore(0)

    def answer(request: Any) -> Any:
        for _ in range(7):
            assert refused.acquire(timeout=30)
        return 200, None

    viking_wire.then(answer)
    outcomes: list[str] = []

    def ping() -> None:
        outcomes.append(outcome(client.ping))
        refused.release()

    threads = [threading.Thread(target=ping) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["CircuitOpenError"] * 7 + ["ok"]


# Settings


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"failures": 0}, "^failures must be a whole number from 1 on, not 0"),
        ({"failures": 2.5}, "^failures must be"),
        ({"failures": True}, "^failures must be"),
        ({"cooldown_seconds": 0}, "^cooldown_seconds must be a number above 0, not 0"),
        ({"cooldown_seconds": float("nan")}, "^cooldown_seconds must be"),
        ({"cooldown_seconds": "30"}, "^cooldown_seconds must be"),
        ({"clock": 5}, "^clock must be a function, not int"),
    ],
)
def test_a_setting_that_is_none_is_refused_by_name(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        CircuitBreaker(**settings)


def test_it_runs_by_its_name_with_settings_of_the_profile(
    viking_client: Build, viking_wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = tmp_path / "config.toml"
    monkeypatch.setenv("VIKINGDB_CONFIG_FILE", str(profile))
    profile.write_text("[default.plugin.breaker]\nfailures = 1\n")
    client = viking_client(VikingDB, plugins=["breaker"], retry=1)
    viking_wire.reply(503)
    assert [outcome(client.ping), outcome(client.ping)] == ["ServerError", "CircuitOpenError"]
    profile.write_text("[default.plugin.breaker]\nfailures = 0\n")
    with pytest.raises(
        PluginLoadError, match="'breaker' cannot be built from failures: failures must be a whole number"
    ):
        viking_client(VikingDB, plugins=["breaker"])
