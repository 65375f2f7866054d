"""The flow: what happens in a call, in which order, and how it ends."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from typing import Any

import pytest

from pytest_vikingdb import ClientFactory, FlowStepper, StampAuth, VirtualClock, Wire
from tests.support.notes import ADD, FOUND, PING, READ, AsyncNotes, Notes
from vikingdb_core.credentials import APIKey
from vikingdb_core.effects import Block, Send, Sleep
from vikingdb_core.exceptions import (
    AuthModeError,
    ConnectError,
    ConnectionLost,
    DeadlineExceeded,
    ExtensionError,
    InvalidRequest,
    PluginError,
    RequestTimeout,
    ServerError,
    VikingDBError,
)
from vikingdb_core.hooks import hookimpl
from vikingdb_core.hooks.call import Call
from vikingdb_core.messages import Draft, Headers, Response
from vikingdb_core.operation import Operation
from vikingdb_core.request_options import RequestOptions
from vikingdb_core.retry import Retry


class Diary:
    """A plugin that writes down what it is told."""

    def __init__(self, name: str = "diary", lines: list[str] | None = None) -> None:
        self.name = name
        self.lines = [] if lines is None else lines

    def write(self, line: str) -> None:
        self.lines.append(line if self.name == "diary" else f"{self.name} {line}")

    @hookimpl
    def before_call(self, call: Call) -> None:
        self.write(f"before_call {call.attempt}/{call.max_attempts}")

    @hookimpl
    def throttle(self, call: Call) -> float | None:
        self.write(f"throttle {call.attempt}")
        return None

    @hookimpl
    def before_request(self, call: Call, request: Draft) -> None:
        self.write(f"before_request {call.attempt}")

    @hookimpl
    def respond(self, call: Call, request: Draft) -> Response | None:
        self.write(f"respond {call.attempt}")
        return None

    @hookimpl
    def after_response(self, call: Call, response: Response) -> None:
        self.write(f"after_response {call.attempt} {response.status}")

    @hookimpl
    def after_error(self, call: Call, error: VikingDBError) -> None:
        self.write(f"after_error {call.attempt} {type(error).__name__}")

    @hookimpl
    def should_retry(self, call: Call, outcome: VikingDBError) -> None:
        self.write(f"should_retry {call.attempt} {type(outcome).__name__}")

    @hookimpl
    def after_call(self, call: Call, result: Any, error: BaseException | None) -> None:
        self.write(f"after_call {type(result).__name__} {type(error).__name__}")


class Endings:
    """A plugin that only wants to know how calls end."""

    def __init__(self) -> None:
        self.seen: list[tuple[Any, BaseException | None]] = []

    @hookimpl
    def after_call(self, result: Any, error: BaseException | None) -> None:
        self.seen.append((result, error))


# Order


def test_hooks_run_in_their_order_around_every_attempt(viking_client: ClientFactory, viking_wire: Wire) -> None:
    diary = Diary()
    viking_wire.then(ConnectError("refused")).reply(503).reply()
    viking_client(Notes, plugins=[diary]).shelf().read()
    before = ["throttle {n}", "before_request {n}", "respond {n}"]
    assert diary.lines == [
        "before_call 0/3",
        *(line.format(n=1) for line in before),
        "after_error 1 ConnectError",
        "should_retry 1 ConnectError",
        *(line.format(n=2) for line in before),
        "after_response 2 503",
        "should_retry 2 ServerError",
        *(line.format(n=3) for line in before),
        "after_response 3 200",
        "after_call NoteResponse NoneType",
    ]


def test_plugins_wrap_a_call_like_an_onion(viking_client: ClientFactory, viking_wire: Wire) -> None:
    lines: list[str] = []
    viking_wire.reply()
    viking_client(Notes, plugins=[Diary("outer", lines), Diary("inner", lines)]).shelf().read()
    assert [line.split()[:2] for line in lines] == [
        ["outer", "before_call"],
        ["inner", "before_call"],
        ["outer", "throttle"],
        ["inner", "throttle"],
        ["outer", "before_request"],
        ["inner", "before_request"],
        ["outer", "respond"],
        ["inner", "respond"],
        ["inner", "after_response"],
        ["outer", "after_response"],
        ["inner", "after_call"],
        ["outer", "after_call"],
    ]


def test_effects_come_one_by_one_and_only_when_they_are_needed(
    viking_client: ClientFactory, viking_flow: FlowStepper
) -> None:
    class Limits:
        @hookimpl
        def throttle(self, call: Call) -> float:
            return 0.25

    class Ageing(StampAuth):
        def is_stale(self) -> bool:
            return not self.signed

    flow = viking_flow(viking_client(Notes, plugins=[Limits()], auth=Ageing()).call, READ)
    assert flow.effect == Sleep(0.25)
    assert isinstance(flow.answer(), Block)
    assert isinstance(flow.answer(), Send)
    assert isinstance(flow.throw(ConnectError("refused")), Sleep)
    assert flow.answer() == Sleep(0.25)
    assert isinstance(flow.answer(), Send)
    assert flow.reply() is None


def test_the_longest_throttle_counts(
    viking_client: ClientFactory, viking_wire: Wire, viking_clock: VirtualClock
) -> None:
    class Limits:
        def __init__(self, seconds: float | None) -> None:
            self.seconds = seconds

        @hookimpl
        def throttle(self) -> float | None:
            return self.seconds

    viking_wire.reply()
    viking_client(Notes, plugins=[Limits(0.5), Limits(3), Limits(None), Limits(-1)]).shelf().read()
    assert viking_clock.sleeps == [3.0]


# What hooks may see and do


def test_no_hook_sees_the_signature(viking_client: ClientFactory, viking_wire: Wire) -> None:
    drafts: list[Draft] = []

    class Spy:
        @hookimpl
        def before_request(self, request: Draft) -> None:
            drafts.append(request)

        @hookimpl
        def after_response(self, request: Draft) -> None:
            drafts.append(request)

        @hookimpl
        def after_error(self, request: Draft) -> None:
            drafts.append(request)

    viking_wire.then(ConnectError("refused")).reply()
    viking_client(Notes, plugins=[Spy()], auth=APIKey("very-secret")).shelf().read()
    assert len(drafts) == 4
    for draft in drafts:
        assert "Authorization" not in draft.headers
        assert "very-secret" not in repr(draft)
    assert all(request.headers["Authorization"] == "Bearer very-secret" for request in viking_wire.requests)


def test_a_header_a_hook_adds_is_signed_and_sent(viking_client: ClientFactory, viking_wire: Wire) -> None:
    class Traces:
        @hookimpl
        def before_request(self, call: Call, request: Draft) -> None:
            request.headers["x-trace"] = f"attempt {call.attempt}"

    viking_wire.then(ConnectError("refused")).reply()
    viking_client(Notes, plugins=[Traces()]).shelf().read()
    assert [request.headers["X-Trace"] for request in viking_wire.requests] == ["attempt 1", "attempt 2"]


def test_a_hook_cannot_change_anything_else_of_a_request(viking_client: ClientFactory) -> None:
    class Tampers:
        @hookimpl
        def before_request(self, request: Any) -> None:
            request.body = b"{}"

    with pytest.raises(PluginError, match="Tampers"):
        viking_client(Notes, plugins=[Tampers()]).shelf().read()


@pytest.mark.parametrize("name", ["Authorization", "Host", "content-type", "X-Date", "X-Tt-Logid"])
def test_a_hook_cannot_set_the_headers_the_sdk_writes(
    viking_client: ClientFactory, viking_wire: Wire, name: str
) -> None:
    class Tampers:
        @hookimpl
        def before_request(self, request: Draft) -> None:
            request.headers[name] = "mine"

    with pytest.raises(ExtensionError, match=f"(?i){name}"):
        viking_client(Notes, plugins=[Tampers()]).shelf().read()
    assert viking_wire.sent == []


def test_a_hook_cannot_take_away_the_headers_the_sdk_writes(viking_client: ClientFactory, viking_wire: Wire) -> None:
    class Tampers:
        @hookimpl
        def before_request(self, request: Draft) -> None:
            del request.headers["Host"]

    with pytest.raises(ExtensionError, match="Host"):
        viking_client(Notes, plugins=[Tampers()]).shelf().read()
    assert viking_wire.sent == []


def test_a_header_of_one_attempt_is_not_in_the_next(viking_client: ClientFactory, viking_wire: Wire) -> None:
    class First:
        @hookimpl
        def before_request(self, call: Call, request: Draft) -> None:
            if call.attempt == 1:
                request.headers["X-First"] = "yes"

    viking_wire.then(ConnectError("refused")).reply().reply()
    notes = viking_client(Notes, plugins=[First()])
    notes.shelf().read()
    assert ["X-First" in request.headers for request in viking_wire.requests] == [True, False]


def test_a_plugin_may_answer_in_the_networks_place(viking_client: ClientFactory, viking_wire: Wire) -> None:
    class Cache:
        @hookimpl
        def respond(self, request: Draft) -> Response:
            return Response(200, Headers({"X-Tt-Logid": "cached"}), b'{"code":"Success","result":{"count":3}}')

    auth = StampAuth()
    answer = viking_client(Notes, plugins=[Cache()], auth=auth).shelf().read()
    assert (answer.result.count, answer.request_id) == (3, "cached")
    assert viking_wire.sent == []
    assert auth.signed == 0


def test_an_error_that_a_plugin_answers_is_handled_like_the_services(
    viking_client: ClientFactory, viking_wire: Wire
) -> None:
    class Faults:
        @hookimpl
        def respond(self, call: Call) -> Response | None:
            return Response(503, Headers(), b"") if call.attempt == 1 else None

    viking_wire.reply()
    assert viking_client(Notes, plugins=[Faults()]).shelf().read().code == "Success"
    with pytest.raises(ServerError):
        viking_client(Notes, plugins=[Faults()]).shelf().add()


def test_a_plugin_that_answers_with_something_else_is_named(viking_client: ClientFactory) -> None:
    class Wrong:
        @hookimpl
        def respond(self) -> Any:
            return {"code": "Success"}

    with pytest.raises(ExtensionError, match="dict"):
        viking_client(Notes, plugins=[Wrong()]).shelf().read()


@pytest.mark.parametrize("hook", ["before_call", "throttle", "before_request", "respond"])
def test_a_gate_that_raises_stops_the_call_before_anything_is_sent(
    viking_client: ClientFactory, viking_wire: Wire, hook: str
) -> None:
    def closed(self: object) -> None:
        raise LookupError("not today")

    gate = type("Gate", (), {hook: hookimpl(closed)})()
    endings = Endings()
    with pytest.raises(PluginError, match="not today") as caught:
        viking_client(Notes, plugins=[gate, endings]).shelf().read()
    assert (caught.value.plugin, caught.value.hook, caught.value.operation) == ("Gate", hook, "notes.read")
    assert isinstance(caught.value.__cause__, LookupError)
    assert viking_wire.sent == []
    assert endings.seen == [(None, caught.value)]


def test_a_call_carries_state_from_its_begin_to_its_end_and_to_no_other_call(
    viking_client: ClientFactory, viking_wire: Wire
) -> None:
    totals: list[int] = []

    class Counts:
        @hookimpl
        def before_call(self, call: Call) -> None:
            assert call.state == {}
            call.state["counts"] = 0

        @hookimpl
        def before_request(self, call: Call) -> None:
            call.state["counts"] += 1

        @hookimpl
        def after_call(self, call: Call) -> None:
            totals.append(call.state["counts"])

    viking_wire.reply(503).reply().reply()
    notes = viking_client(Notes, plugins=[Counts()])
    notes.shelf().read()
    notes.shelf().read()
    assert totals == [2, 1]


def test_hooks_see_what_a_call_is_about(viking_client: ClientFactory, viking_wire: Wire) -> None:
    calls: list[Call] = []

    class Reader:
        @hookimpl
        def before_call(self, call: Call) -> None:
            calls.append(call)

    viking_wire.reply()
    notes = viking_client(Notes, plugins=[Reader()], deadline=9)
    notes.shelf("poems", room="east").read({"text": "a"}, request_options=RequestOptions(request_id="mine"))
    call = calls[0]
    assert call.operation is READ
    assert call.locator == {"shelf": "poems", "room": "east"}
    assert (call.request_id, call.deadline, call.max_attempts) == ("mine", 9.0, 3)
    assert (call.client.domain, call.client.region, call.client.plugins) == ("notes", "cn-beijing", ("Reader",))


TENANT: contextvars.ContextVar[str] = contextvars.ContextVar("tenant", default="nobody")


def test_hooks_see_the_callers_context_in_both_worlds(viking_client: ClientFactory, viking_wire: Wire) -> None:
    seen: list[str] = []

    class Tenants:
        @hookimpl
        def before_request(self, request: Draft) -> None:
            seen.append(TENANT.get())

        @hookimpl
        def after_call(self) -> None:
            seen.append(TENANT.get())

    viking_wire.reply().reply().reply()
    plugins = [Tenants()]

    def call() -> None:
        TENANT.set("sync")
        viking_client(Notes, plugins=plugins).shelf().read()

    contextvars.copy_context().run(call)

    async def acall(name: str) -> None:
        TENANT.set(name)
        await viking_client(AsyncNotes, plugins=plugins).shelf().read()

    async def both() -> None:
        await asyncio.gather(acall("one"), acall("two"))

    asyncio.run(both())
    assert seen[:2] == ["sync", "sync"]
    assert sorted(seen[2:]) == ["one", "one", "two", "two"]


# Before anything is sent


def test_credentials_an_operation_does_not_take_are_refused_before_anything_is_sent(
    viking_client: ClientFactory, viking_wire: Wire
) -> None:
    diary = Diary()
    with pytest.raises(AuthModeError, match=r"notes\.found does not accept api_key.*iam") as caught:
        viking_client(Notes, auth=APIKey("key"), plugins=[diary]).call(FOUND)
    assert caught.value.operation == "notes.found"
    assert viking_wire.sent == []
    assert diary.lines == []


@pytest.mark.parametrize("body", [{"text": float("nan")}, {"text": object()}, {"text": 2**70}, {"shelf": "novels"}])
def test_a_request_that_cannot_be_sent_is_refused_before_anything_happens(
    viking_client: ClientFactory, viking_wire: Wire, body: dict[str, Any]
) -> None:
    diary = Diary()
    with pytest.raises(InvalidRequest):
        viking_client(Notes, plugins=[diary]).shelf().read(body)
    assert viking_wire.sent == []
    assert diary.lines == []


def test_a_get_with_a_body_is_refused(viking_client: ClientFactory, viking_wire: Wire) -> None:
    with pytest.raises(InvalidRequest, match="query="):
        viking_client(Notes).call(PING, {"a": 1})
    assert viking_wire.sent == []


def test_a_plane_the_domain_does_not_have_is_refused(viking_client: ClientFactory) -> None:
    with pytest.raises(InvalidRequest, match="'astral'"):
        viking_client(Notes).call(Operation.raw("POST", "/api", plane="astral"))


def test_the_address_of_an_operation_cannot_be_changed_by_a_query(
    viking_client: ClientFactory, viking_wire: Wire
) -> None:
    with pytest.raises(InvalidRequest, match="'Action'"):
        viking_client(Notes).call(FOUND, request_options=RequestOptions(query={"Action": "BurnLibrary"}))
    assert viking_wire.sent == []


# Deadlines and timeouts


def test_an_attempt_gets_the_timeouts_of_the_call_else_of_the_client(
    viking_client: ClientFactory, viking_wire: Wire
) -> None:
    notes = viking_client(Notes, timeout=8, connect_timeout=2)
    for _ in range(4):
        viking_wire.reply()
    notes.shelf().read()
    notes.shelf().read(request_options=RequestOptions(timeout=5))
    notes.shelf().read(request_options=RequestOptions(connect_timeout=1))
    notes.shelf().read(request_options=RequestOptions(timeout=0.5))
    assert [(sent.timeouts.connect, sent.timeouts.total) for sent in viking_wire.sent] == [
        (2, 8), (2, 5), (1, 8), (0.5, 0.5),
    ]  # fmt: skip


def test_a_client_that_is_told_nothing_waits_ten_seconds_to_connect_and_thirty_in_all(
    viking_client: ClientFactory, viking_wire: Wire
) -> None:
    viking_wire.reply()
    viking_client(Notes).shelf().read()
    assert (viking_wire.sent[0].timeouts.connect, viking_wire.sent[0].timeouts.total) == (10, 30)


def test_a_deadline_shortens_every_attempt_to_what_is_left(viking_client: ClientFactory, viking_wire: Wire) -> None:
    class Waits:
        max_attempts = 5

        def decide(self, call: Call, error: VikingDBError, random: Any) -> Any:
            return Retry(1.0)

    for _ in range(3):
        viking_wire.reply(503, seconds=2)
    viking_wire.reply()
    viking_client(Notes, retry=Waits()).shelf().read(request_options=RequestOptions(deadline=10, timeout=6))
    assert [sent.timeouts.total for sent in viking_wire.sent] == [6, 6, 4, 1]
    assert [sent.timeouts.connect for sent in viking_wire.sent] == [6, 6, 4, 1]


@pytest.mark.parametrize(("client", "call", "expected"), [(7, None, 7), (7, 3, 3), (3, 7, 7), (None, 4, 4)])
def test_a_deadline_of_the_call_goes_before_that_of_the_client(
    viking_client: ClientFactory, viking_wire: Wire, client: float | None, call: float | None, expected: float
) -> None:
    viking_wire.reply()
    notes = viking_client(Notes, deadline=client, timeout=30)
    notes.shelf().read(request_options=RequestOptions(deadline=call))
    assert viking_wire.sent[0].timeouts.total == expected


def test_a_rate_limit_beyond_the_deadline_ends_the_call_at_once(
    viking_client: ClientFactory, viking_wire: Wire, viking_clock: VirtualClock
) -> None:
    class Limits:
        @hookimpl
        def throttle(self, call: Call) -> float:
            return 10.0 if call.attempt > 1 else 0.0

    viking_wire.reply(503)
    with pytest.raises(DeadlineExceeded, match="rate limit") as caught:
        viking_client(Notes, plugins=[Limits()], deadline=9).shelf().read()
    assert isinstance(caught.value, TimeoutError)
    assert [attempt.outcome for attempt in caught.value.attempts] == ["ServerError"]
    assert max(viking_clock.sleeps, default=0) <= 8


def test_a_deadline_that_passes_while_keys_are_fetched_is_noticed_before_sending(
    viking_client: ClientFactory, viking_wire: Wire, viking_clock: VirtualClock
) -> None:
    class Slow(StampAuth):
        def is_stale(self) -> bool:
            return True

        def refresh(self) -> None:
            viking_clock.advance(30)

    with pytest.raises(DeadlineExceeded):
        viking_client(Notes, auth=Slow(), deadline=20).shelf().read()
    assert viking_wire.sent == []


def test_a_timeout_that_takes_the_whole_deadline_is_what_the_caller_sees(
    viking_client: ClientFactory, viking_wire: Wire
) -> None:
    viking_wire.reply(seconds=60)
    with pytest.raises(RequestTimeout):
        viking_client(Notes, deadline=5).shelf().read()
    assert len(viking_wire.sent) == 1


# The end


@pytest.mark.parametrize(
    ("script", "raised"),
    [
        (lambda wire: wire.reply(), None),
        (lambda wire: wire.reply(503).reply(), None),
        (lambda wire: wire.reply(404), VikingDBError),
        (lambda wire: wire.then(ConnectionLost("1"), ConnectionLost("2"), ConnectionLost("3")), ConnectionLost),
        (lambda wire: wire.reply_bytes(200, b"<html>"), VikingDBError),
        (lambda wire: wire.then(ZeroDivisionError("a broken transport")), ZeroDivisionError),
        (lambda wire: wire.then(KeyboardInterrupt()), KeyboardInterrupt),
        (lambda wire: wire.reply(503).then(SystemExit(3)), SystemExit),
        (lambda wire: wire, AssertionError),
    ],
)
@pytest.mark.parametrize("kind", [Notes, AsyncNotes])
def test_every_call_that_begins_is_said_to_have_ended_exactly_once(
    viking_client: ClientFactory,
    viking_wire: Wire,
    script: Callable[[Wire], Wire],
    raised: type[BaseException] | None,
    kind: Any,
) -> None:
    endings = Endings()
    script(viking_wire)
    client: Any = viking_client(kind, plugins=[endings])

    def call() -> Any:
        return client.call(READ) if kind is Notes else _run(client.call(READ))

    if raised is None:
        result = call()
        assert endings.seen == [(result, None)]
    else:
        with pytest.raises(raised) as caught:
            call()
        assert [result for result, _ in endings.seen] == [None]
        assert endings.seen[0][1] is caught.value


def _run(coroutine: Any) -> Any:
    """Like asyncio.run, without its own handling of KeyboardInterrupt and SystemExit."""
    try:
        coroutine.send(None)
        while True:
            coroutine.send(None)
    except StopIteration as end:
        return end.value


def test_an_interrupt_is_never_retried(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.then(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        viking_client(Notes).shelf().read()
    assert len(viking_wire.requests) == 1


def test_a_cancelled_task_ends_its_call_once_and_at_once(viking_client: ClientFactory, viking_wire: Wire) -> None:
    endings = Endings()

    async def never(_: object) -> None:
        await asyncio.get_running_loop().create_future()

    viking_wire.then(never)

    async def cancelled() -> None:
        task = asyncio.create_task(viking_client(AsyncNotes, plugins=[endings]).shelf().read())
        while not viking_wire.sent:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()

    asyncio.run(cancelled())
    assert [type(error) for _, error in endings.seen] == [asyncio.CancelledError]
    assert len(viking_wire.requests) == 1


def test_a_task_cancelled_between_attempts_sends_nothing_more(viking_client: ClientFactory, viking_wire: Wire) -> None:
    class Waits:
        async def asleep(self, seconds: float) -> None:
            await asyncio.get_running_loop().create_future()

        def monotonic(self) -> float:
            return 0.0

        time = monotonic

        def sleep(self, seconds: float) -> None:
            raise AssertionError("an async client sleeps asynchronously")

    endings = Endings()
    viking_wire.reply(503)

    async def cancelled() -> None:
        client = viking_client(AsyncNotes, plugins=[endings], clock=Waits())
        task = asyncio.create_task(client.shelf().read())
        while not viking_wire.sent:
            await asyncio.sleep(0)
        for _ in range(3):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert [type(error) for _, error in endings.seen] == [asyncio.CancelledError]
    assert len(viking_wire.requests) == 1


def test_an_abandoned_flow_ends_its_call(viking_client: ClientFactory, viking_flow: FlowStepper) -> None:
    endings = Endings()
    flow = viking_flow(viking_client(Notes, plugins=[endings]).call, ADD)
    flow.close()
    assert [type(error) for _, error in endings.seen] == [GeneratorExit]


def test_an_observer_that_raises_costs_neither_the_call_nor_the_other_observers(
    viking_client: ClientFactory, viking_wire: Wire, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        @hookimpl
        def after_response(self) -> None:
            raise RuntimeError("disk full")

        @hookimpl
        def after_call(self) -> None:
            raise RuntimeError("disk full")

    monkeypatch.delenv("VIKINGDB_PLUGIN_ERRORS")
    before, after = Endings(), Endings()
    notes = viking_client(Notes, plugins=[before, Broken(), after])
    viking_wire.reply().reply()
    results = [notes.shelf().read(), notes.shelf().read()]
    assert [result for result, _ in before.seen] == [result for result, _ in after.seen] == results
    assert len([record for record in caplog.records if "Broken" in record.getMessage()]) == 2  # once for each hook


def test_pinging_is_a_call_like_any_other(viking_client: ClientFactory, viking_wire: Wire) -> None:
    diary = Diary()
    viking_wire.reply_bytes(200, b"pong")
    viking_client(Notes, plugins=[diary]).call(PING)
    assert diary.lines[0] == "before_call 0/3"
    assert diary.lines[-1] == "after_call Envelope NoneType"
