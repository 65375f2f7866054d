"""Retry as a caller meets it: who decides, what is waited, what the error says."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pytest_vikingdb import ClientFactory, FlowStepper, StampAuth, VirtualClock, Wire
from tests.support.notes import ADD, READ, AsyncNotes, Notes
from vikingdb_core.effects import Block, Send
from vikingdb_core.exceptions import (
    Attempt,
    ConfigError,
    ConnectError,
    ConnectionLost,
    DecodeError,
    ExtensionError,
    MissingCredentials,
    PermissionDenied,
    PluginError,
    RateLimited,
    RequestTimeout,
    ServerError,
    Unauthorized,
    VikingDBError,
)
from vikingdb_core.hooks import hookimpl
from vikingdb_core.hooks.call import Call
from vikingdb_core.request_options import RequestOptions
from vikingdb_core.retry import STOP, Retry, RetryBudget, RetryPolicy, Stop
from vikingdb_core.traits import Safety


def notes_of(error: BaseException) -> list[str]:
    return getattr(error, "__notes__", [])


# Who decides


class Patient:
    """A strategy of one's own: always the same wait."""

    max_attempts = 4

    def __init__(self) -> None:
        self.asked: list[tuple[int, str]] = []

    def decide(self, call: Call, error: VikingDBError, random: Callable[[], float]) -> Retry:
        assert 0 <= random() < 1
        self.asked.append((call.attempt, type(error).__name__))
        return Retry(2.5)


@pytest.mark.parametrize(
    ("retry", "attempts"), [(None, 3), (1, 1), (5, 5), (RetryPolicy(max_attempts=2), 2), (Patient(), 4)]
)
def test_a_client_tries_as_often_as_it_was_told(
    viking_client: ClientFactory, viking_wire: Wire, retry: Any, attempts: int
) -> None:
    for _ in range(10):
        viking_wire.reply(503)
    with pytest.raises(ServerError) as caught:
        viking_client(Notes, retry=retry).shelf().read()
    assert len(viking_wire.requests) == attempts
    assert len(caught.value.attempts) == attempts - 1


@pytest.mark.parametrize("retry", [0, -3, True, "3", object()])
def test_a_client_refuses_what_is_no_strategy(viking_client: ClientFactory, retry: Any) -> None:
    with pytest.raises(ConfigError):
        viking_client(Notes, retry=retry)


@pytest.mark.parametrize("attempts", [1, 2, 7])
def test_one_call_may_be_tried_more_or_less_often(
    viking_client: ClientFactory, viking_wire: Wire, attempts: int
) -> None:
    for _ in range(10):
        viking_wire.reply(503)
    with pytest.raises(ServerError):
        viking_client(Notes).shelf().read(request_options=RequestOptions(max_attempts=attempts))
    assert len(viking_wire.requests) == attempts


def test_a_strategy_of_ones_own_says_when(
    viking_client: ClientFactory, viking_wire: Wire, viking_clock: VirtualClock
) -> None:
    patient = Patient()
    viking_wire.reply(503).then(RequestTimeout("silent")).reply()
    viking_client(Notes, retry=patient).shelf().read()
    assert patient.asked == [(1, "ServerError"), (2, "RequestTimeout")]
    assert viking_clock.sleeps == [2.5, 2.5]


def test_a_strategy_is_not_asked_about_what_may_not_be_sent_again(
    viking_client: ClientFactory, viking_wire: Wire
) -> None:
    patient = Patient()
    viking_wire.then(ConnectionLost("broke"))
    with pytest.raises(ConnectionLost):
        viking_client(Notes, retry=patient).shelf().add()
    assert patient.asked == []


@pytest.mark.parametrize("nonsense", [None, True, 3, "retry", Retry])
def test_a_strategy_that_answers_nonsense_is_an_error_and_not_a_retry(
    viking_client: ClientFactory, viking_wire: Wire, nonsense: Any
) -> None:
    class Confused(Patient):
        def decide(self, call: Call, error: VikingDBError, random: Any) -> Any:
            return nonsense

    viking_wire.reply(503)
    with pytest.raises(ConfigError, match="Retry"):
        viking_client(Notes, retry=Confused()).shelf().read()
    assert len(viking_wire.requests) == 1


def test_a_strategy_that_breaks_is_an_error_of_ours_with_its_cause(
    viking_client: ClientFactory, viking_wire: Wire
) -> None:
    class Broken(Patient):
        def decide(self, call: Call, error: VikingDBError, random: Any) -> Any:
            raise ZeroDivisionError

    viking_wire.reply(503)
    with pytest.raises(ExtensionError, match="Broken") as caught:
        viking_client(Notes, retry=Broken()).shelf().read()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


class Decides:
    """A plugin with an opinion, or without one."""

    def __init__(self, name: str, verdict: Retry | Stop | None) -> None:
        self.name = name
        self.verdict = verdict
        self.asked = 0

    @hookimpl
    def should_retry(self, call: Call, outcome: VikingDBError) -> Retry | Stop | None:
        self.asked += 1
        return self.verdict


def test_the_first_plugin_with_an_opinion_decides_before_the_strategy(
    viking_client: ClientFactory, viking_wire: Wire, viking_clock: VirtualClock
) -> None:
    plugins = [Decides("none", None), Decides("first", Retry(1.25)), Decides("second", STOP)]
    patient = Patient()
    viking_wire.reply(503).reply()
    viking_client(Notes, retry=patient, plugins=plugins).shelf().read()
    assert viking_clock.sleeps == [1.25]
    assert [plugin.asked for plugin in plugins] == [1, 1, 0]
    assert patient.asked == []


def test_a_plugin_without_an_opinion_leaves_it_to_the_strategy(
    viking_client: ClientFactory, viking_wire: Wire, viking_clock: VirtualClock
) -> None:
    viking_wire.reply(503).reply()
    viking_client(Notes, retry=Patient(), plugins=[Decides("none", None)]).shelf().read()
    assert viking_clock.sleeps == [2.5]


def test_a_plugin_can_give_up_early(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.reply(503)
    with pytest.raises(ServerError):
        viking_client(Notes, plugins=[Decides("stop", STOP)]).shelf().read()


@pytest.mark.parametrize(
    "change",
    [
        lambda call: setattr(call, "safety", Safety.READ),
        lambda call: setattr(call, "max_attempts", 99),
        lambda call: setattr(call, "deadline", None),
        lambda call: setattr(call, "attempt", 0),
    ],
    ids=["safety", "max_attempts", "deadline", "attempt"],
)
def test_a_plugin_cannot_lift_a_cap_by_rewriting_the_call(
    viking_client: ClientFactory, change: Callable[[Call], None]
) -> None:
    class Rewrites:
        @hookimpl
        def before_call(self, call: Call) -> None:
            change(call)

    with pytest.raises(PluginError, match="cannot assign"):
        viking_client(Notes, plugins=[Rewrites()]).shelf().add()


# Safety


@pytest.mark.parametrize(
    ("method", "idempotent", "attempts"),
    [("read", None, 3), ("add", None, 1), ("add", True, 3), ("read", False, 1), ("add", False, 1)],
)
def test_a_caller_may_say_what_is_safe_to_send_twice(
    viking_client: ClientFactory, viking_wire: Wire, method: str, idempotent: bool | None, attempts: int
) -> None:
    for _ in range(3):
        viking_wire.then(ConnectionLost("broke"))
    with pytest.raises(ConnectionLost):
        getattr(viking_client(Notes).shelf(), method)(request_options=RequestOptions(idempotent=idempotent))
    assert len(viking_wire.requests) == attempts


def test_an_unsafe_call_is_sent_again_when_it_certainly_was_not_processed(
    viking_client: ClientFactory, viking_wire: Wire
) -> None:
    viking_wire.then(ConnectError("refused")).reply(429).reply()
    assert viking_client(Notes).shelf().add().code == "Success"
    assert len(viking_wire.requests) == 3


# When


@pytest.mark.parametrize(
    ("header", "slept"),
    [("7", 7.0), ("0.25", 0.25), ("600", 60.0), ("Fri, 02 Jan 2026 03:04:25 GMT", 20.0)],
)
def test_what_the_service_asks_for_is_waited(
    viking_client: ClientFactory, viking_wire: Wire, viking_clock: VirtualClock, header: str, slept: float
) -> None:
    viking_wire.reply(429, headers={"Retry-After": header}).reply()
    viking_client(Notes, retry=RetryPolicy(base_seconds=0)).shelf().add()
    assert viking_clock.sleeps == [slept]


@pytest.mark.parametrize("header", ["soon", "", "-5", "nan", "inf", "Fri, 02 Jan 2026 03:04:05 GMT", "1e400", "99 Foo"])
def test_a_retry_after_that_says_nothing_is_no_reason_to_wait(
    viking_client: ClientFactory, viking_wire: Wire, viking_clock: VirtualClock, header: str
) -> None:
    viking_wire.reply(429, headers={"Retry-After": header}).reply()
    viking_client(Notes, retry=RetryPolicy(base_seconds=0)).shelf().add()
    assert viking_clock.sleeps == []


def test_what_the_service_asked_for_is_on_the_error(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.reply(429, {"code": "SlowDown"}, headers={"Retry-After": "600"})
    with pytest.raises(RateLimited) as caught:
        viking_client(Notes, retry=1).shelf().read()
    assert caught.value.retry_after == 600


def test_a_throttle_code_counts_whatever_the_status(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.reply(400, {"code": "SlowDown"}).reply(200, {"code": "SlowDown"}).reply()
    assert viking_client(Notes).shelf().add().code == "Success"


# What the error says


def test_an_error_has_its_earlier_attempts_and_counts_them(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.then(ConnectError("refused")).reply(503, {"code": "InternalError"}).reply(500)
    with pytest.raises(ServerError) as caught:
        viking_client(Notes, retry=Patient()).shelf().read(request_options=RequestOptions(max_attempts=3))
    assert caught.value.attempts == (
        Attempt(1, "ConnectError", 2.5),
        Attempt(2, "ServerError(InternalError)", 2.5),
    )
    assert "attempts=3" in str(caught.value)
    assert "operation=notes.read" in str(caught.value)


def test_an_error_that_is_no_reason_to_try_again_has_them_too(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.reply(503).reply_bytes(200, b"<html>")
    with pytest.raises(DecodeError) as caught:
        viking_client(Notes).shelf().read()
    assert [attempt.outcome for attempt in caught.value.attempts] == ["ServerError"]


def test_an_error_says_when_the_deadline_is_why_it_was_not_tried_again(
    viking_client: ClientFactory, viking_wire: Wire, viking_clock: VirtualClock
) -> None:
    viking_wire.reply(503, headers={"Retry-After": "9"})
    with pytest.raises(ServerError) as caught:
        viking_client(Notes, deadline=5).shelf().read()
    assert notes_of(caught.value) == ["not tried again: the call's deadline would have passed"]
    assert viking_clock.sleeps == []


def test_an_error_says_when_the_budget_is_why_it_was_not_tried_again(
    viking_client: ClientFactory, viking_wire: Wire
) -> None:
    client = viking_client(Notes, retry=9)
    client._runtime = replace(client._runtime, budget=RetryBudget(RetryBudget.RETRY_COST))
    viking_wire.reply(503).reply(503)
    with pytest.raises(ServerError) as caught:
        client.shelf().read()
    assert notes_of(caught.value) == ["not tried again: this client's retry budget is used up"]


def test_an_outage_uses_up_the_budget_and_success_refills_it(viking_client: ClientFactory, viking_wire: Wire) -> None:
    notes = viking_client(Notes)
    viking_wire.then(*(RequestTimeout("silent") for _ in range(130)))
    for _ in range(60):
        with pytest.raises(RequestTimeout):
            notes.shelf().read()
    assert len(viking_wire.requests) == 60 + RetryBudget.CAPACITY // RetryBudget.TIMEOUT_COST
    assert notes._runtime.budget.tokens == 0
    while viking_wire.unused:
        with pytest.raises(RequestTimeout):
            notes.shelf().read()
    for _ in range(RetryBudget.TIMEOUT_COST):
        viking_wire.reply()
        notes.shelf().read()
    viking_wire.then(RequestTimeout("silent")).reply()
    assert notes.shelf().read().code == "Success"


def test_a_retry_that_succeeds_gives_back_what_it_took(viking_client: ClientFactory, viking_wire: Wire) -> None:
    notes = viking_client(Notes)
    for _ in range(3 * RetryBudget.CAPACITY // RetryBudget.TIMEOUT_COST):
        viking_wire.then(RequestTimeout("silent")).reply()
        notes.shelf().read()
    assert notes._runtime.budget.tokens == RetryBudget.CAPACITY


# Credentials


class Rotating(StampAuth):
    """Keys that can be had anew, ``fresh`` times in all."""

    def __init__(self, fresh: int = 99) -> None:
        super().__init__()
        self.fresh = fresh
        self.log: list[str] = []
        self._stale = True

    def is_stale(self) -> bool:
        return self._stale

    def refresh(self) -> None:
        self.log.append("refresh")
        if not self.fresh:
            raise MissingCredentials("no keys to be had")
        self.fresh -= 1
        self._stale = False

    def invalidate(self) -> bool:
        self.log.append("invalidate")
        self._stale = True
        return True


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("method", ["read", "add"])
def test_refused_credentials_are_renewed_once_and_the_call_sent_again(
    viking_client: ClientFactory, viking_wire: Wire, viking_clock: VirtualClock, status: int, method: str
) -> None:
    auth = Rotating()
    viking_wire.reply(status).reply()
    getattr(viking_client(Notes, auth=auth).shelf(), method)()
    assert auth.log == ["refresh", "invalidate", "refresh"]
    assert viking_clock.sleeps == []
    first, second = viking_wire.requests
    assert first.headers["Authorization"] != second.headers["Authorization"]


@pytest.mark.parametrize(("status", "expected"), [(401, Unauthorized), (403, PermissionDenied)])
def test_fresh_credentials_that_are_refused_too_are_final(
    viking_client: ClientFactory, viking_wire: Wire, status: int, expected: type[Exception]
) -> None:
    auth = Rotating()
    viking_wire.reply(status).reply(status)
    with pytest.raises(expected):
        viking_client(Notes, auth=auth, retry=9).shelf().read()
    assert auth.log == ["refresh", "invalidate", "refresh"]


def test_credentials_that_cannot_be_renewed_are_refused_once(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.reply(401)
    with pytest.raises(Unauthorized):
        viking_client(Notes, retry=9).shelf().read()


def test_a_refresh_that_fails_leaves_the_refusal_and_says_why(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.reply(401)
    with pytest.raises(Unauthorized) as caught:
        viking_client(Notes, auth=Rotating(fresh=1)).shelf().read()
    assert [attempt.outcome for attempt in caught.value.attempts] == ["Unauthorized"]
    assert isinstance(caught.value.__cause__, MissingCredentials)
    assert "no keys to be had" in "".join(traceback.format_exception(caught.value))


def test_a_first_refresh_that_fails_is_what_the_caller_sees(viking_client: ClientFactory, viking_wire: Wire) -> None:
    with pytest.raises(MissingCredentials, match="no keys to be had"):
        viking_client(Notes, auth=Rotating(fresh=0)).shelf().read()
    assert viking_wire.sent == []


def test_a_refresh_that_breaks_is_an_error_of_ours_with_its_cause(
    viking_client: ClientFactory, viking_wire: Wire
) -> None:
    class Broken(Rotating):
        def refresh(self) -> None:
            raise OSError("vault sealed")

    with pytest.raises(MissingCredentials, match="OSError") as caught:
        viking_client(Notes, auth=Broken()).shelf().read()
    assert isinstance(caught.value.__cause__, OSError)
    assert viking_wire.sent == []


def test_one_attempt_is_one_attempt_for_credentials_too(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.reply(401)
    with pytest.raises(Unauthorized):
        viking_client(Notes, auth=Rotating(), retry=1).shelf().read()


def test_refreshing_is_a_block_effect_of_its_own(viking_client: ClientFactory, viking_flow: FlowStepper) -> None:
    auth = Rotating()
    flow = viking_flow(viking_client(Notes, auth=auth).call, READ)
    assert isinstance(flow.effect, Block)
    assert auth.log == []
    flow.effect.action()
    assert isinstance(flow.answer(), Send)


# Async


def test_an_async_client_retries_by_the_same_rules(
    viking_client: ClientFactory, viking_wire: Wire, viking_clock: VirtualClock
) -> None:
    viking_wire.reply(503).then(RequestTimeout("silent")).reply()
    notes = viking_client(AsyncNotes, retry=Patient())
    assert asyncio.run(notes.call(READ)).code == "Success"
    assert viking_clock.sleeps == [2.5, 2.5]
    viking_wire.then(RequestTimeout("silent"))
    with pytest.raises(RequestTimeout):
        asyncio.run(notes.call(ADD))
