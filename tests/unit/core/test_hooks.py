"""Hooks: in which order plugins run, which of them can stop a call, and what each hook may say."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.vector.fakes import MANAGE, READ, WRITE, FakeClock, FakeTransport, Toy, hits, reply
from vikingdb_core.credentials import NoAuth
from vikingdb_core.exceptions import (
    ConnectError,
    ConnectionLost,
    ExtensionError,
    InvalidRequest,
    PluginError,
    RateLimited,
    ServerError,
)
from vikingdb_core.hooks import Call, ClientInfo, hookimpl
from vikingdb_core.hooks.specs import OBSERVERS, HookSpecs
from vikingdb_core.messages import Draft
from vikingdb_core.retry import STOP, Retry
from vikingdb_core.traits import Safety

ORDER = ["before_call", "throttle", "before_request", "respond", "after_response", "after_call"]
GATES = ["before_call", "throttle", "before_request", "respond", "should_retry"]
OBSERVING = ["after_response", "after_error", "after_call"]


class Tracer:
    """Notes each hook it sees, with its own name."""

    def __init__(self, name: str, notes: list[str]) -> None:
        self.name, self.notes = name, notes

    @hookimpl
    def client_created(self) -> None:
        self.notes.append(f"{self.name}.client_created")

    @hookimpl
    def before_call(self) -> None:
        self.notes.append(f"{self.name}.before_call")

    @hookimpl
    def throttle(self) -> None:
        self.notes.append(f"{self.name}.throttle")

    @hookimpl
    def before_request(self) -> None:
        self.notes.append(f"{self.name}.before_request")

    @hookimpl
    def respond(self) -> None:
        self.notes.append(f"{self.name}.respond")

    @hookimpl
    def after_response(self) -> None:
        self.notes.append(f"{self.name}.after_response")

    @hookimpl
    def after_error(self) -> None:
        self.notes.append(f"{self.name}.after_error")

    @hookimpl
    def should_retry(self) -> None:
        self.notes.append(f"{self.name}.should_retry")

    @hookimpl
    def after_call(self) -> None:
        self.notes.append(f"{self.name}.after_call")


def plugin(hook: str, function: Callable[..., Any], name: str = "single") -> Any:
    """An object with one hook."""
    body = {hook: staticmethod(hookimpl(function)), "name": name}
    return type("Single", (), body)()


def client(
    *plugins: Any, answers: Any = (), clock: FakeClock | None = None, **options: Any
) -> tuple[Toy, FakeTransport]:
    wire = FakeTransport(*answers)
    made = Toy(
        endpoint="https://h.example",
        auth=NoAuth(),
        plugins=plugins,
        transport=wire,
        clock=clock or FakeClock(),
        **options,
    )
    return made, wire


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in production: what observers raise is logged, not raised."""
    monkeypatch.delenv("VIKINGDB_PLUGIN_ERRORS", raising=False)


def test_the_specifications_have_a_manual_and_two_kinds() -> None:
    hooks = {name: spec for name, spec in vars(HookSpecs).items() if not name.startswith("_")}
    assert hooks.keys() == {*GATES, *OBSERVERS}
    for name, spec in hooks.items():
        assert spec.__doc__.startswith("Observer." if name in OBSERVERS else "Gate.")


def test_a_successful_call_runs_gates_in_list_order_and_observers_backwards() -> None:
    notes: list[str] = []
    made, _ = client(Tracer("A", notes), Tracer("B", notes))
    assert sorted(notes) == ["A.client_created", "B.client_created"]
    notes.clear()
    made.call(READ)
    assert notes == [
        "A.before_call",
        "B.before_call",
        "A.throttle",
        "B.throttle",
        "A.before_request",
        "B.before_request",
        "A.respond",
        "B.respond",
        "B.after_response",
        "A.after_response",
        "B.after_call",
        "A.after_call",
    ]


def test_a_call_that_is_retried_runs_the_hooks_of_attempts_again_and_those_of_calls_once() -> None:
    notes: list[str] = []
    made, _ = client(Tracer("A", notes), Tracer("B", notes), answers=[ConnectionLost("reset"), reply(503, b"")])
    notes.clear()
    made.call(READ)
    of_b = [note.partition(".")[2] for note in notes if note.startswith("B")]
    attempt = ORDER[1:4]
    assert of_b == [
        "before_call",
        *(*attempt, "after_error", "should_retry"),
        *(*attempt, "after_response", "should_retry"),
        *(*attempt, "after_response"),
        "after_call",
    ]


@pytest.mark.parametrize("order", [("A", "B", "C"), ("C", "A", "B")])
def test_the_order_is_that_of_the_list_and_not_of_names(order: tuple[str, ...]) -> None:
    notes: list[str] = []
    made, _ = client(*(Tracer(name, notes) for name in order))
    made.call(READ)
    assert [note[0] for note in notes if note.endswith("before_call")] == list(order)
    assert [note[0] for note in notes if note.endswith("after_call")] == list(reversed(order))


def test_no_plugin_means_no_hook() -> None:
    made, wire = client()
    made.call(READ)
    assert len(wire.requests) == 1


def failing(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize("hook", GATES)
def test_a_gate_that_raises_stops_the_call_and_is_named(hook: str) -> None:
    answers = [reply(503, b"")] if hook == "should_retry" else []
    made, wire = client(plugin(hook, failing(LookupError("no such key")), "strict"), answers=answers)
    with pytest.raises(
        PluginError, match=rf"plugin 'strict' stopped the call in {hook}: LookupError\('no such key'\)"
    ) as caught:
        made.call(READ)
    assert (caught.value.plugin, caught.value.hook, caught.value.operation) == ("strict", hook, "toy.read")
    assert isinstance(caught.value.__cause__, LookupError)
    assert len(wire.requests) == (1 if hook == "should_retry" else 0)


@pytest.mark.parametrize("hook", GATES)
def test_an_error_of_the_sdk_passes_through_a_gate_as_it_is(hook: str) -> None:
    answers = [reply(503, b"")] if hook == "should_retry" else []
    mine = InvalidRequest("not on sundays")
    made, _ = client(plugin(hook, failing(mine)), answers=answers)
    with pytest.raises(InvalidRequest) as caught:
        made.call(READ)
    assert caught.value is mine


def test_a_gate_that_stops_the_call_stops_the_gates_after_it_but_every_observer_hears_of_it() -> None:
    notes: list[str] = []
    made, _ = client(Tracer("A", notes), plugin("before_call", failing(LookupError())), Tracer("B", notes))
    notes.clear()
    with pytest.raises(PluginError):
        made.call(READ)
    assert notes == ["A.before_call", "B.after_call", "A.after_call"]


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("hook", OBSERVING)
def test_an_observer_that_raises_harms_neither_the_call_nor_its_neighbours(hook: str) -> None:
    notes: list[str] = []
    answers = [ConnectError("refused")] if hook == "after_error" else []
    broken = plugin(hook, failing(LookupError()))
    made, _ = client(Tracer("A", notes), broken, Tracer("B", notes), answers=answers)
    assert made.call(READ).code == "Success"
    assert {"A." + hook, "B." + hook} <= set(notes)


@pytest.mark.usefixtures("quiet")
def test_an_observer_that_raises_when_a_client_is_built_does_not_stop_it(caplog: pytest.LogCaptureFixture) -> None:
    client(plugin("client_created", failing(LookupError())))
    assert "raised in client_created" in caplog.text


@pytest.mark.usefixtures("quiet")
def test_what_an_observer_raises_is_logged_once_for_each_plugin_and_hook(caplog: pytest.LogCaptureFixture) -> None:
    made, _ = client(
        plugin("after_call", failing(LookupError("lost")), "one"),
        plugin("after_call", failing(LookupError()), "two"),
        plugin("after_response", failing(LookupError()), "three"),
    )
    for _ in range(3):
        made.call(READ)
    messages = [record.getMessage() for record in caplog.records]
    assert sorted(message.partition(";")[0] for message in messages) == [
        "plugin 'one' raised in after_call",
        "plugin 'three' raised in after_response",
        "plugin 'two' raised in after_call",
    ]
    assert {(record.name, record.levelno) for record in caplog.records} == {("vikingdb.plugins", logging.ERROR)}
    assert "lost" in caplog.text, "with its traceback"


@pytest.mark.parametrize("hook", OBSERVING)
def test_an_observer_is_loud_when_asked_to_be(hook: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIKINGDB_PLUGIN_ERRORS", "raise")
    answers = [ConnectError("refused")] if hook == "after_error" else []
    made, _ = client(plugin(hook, failing(LookupError("lost")), "meter"), answers=answers)
    with pytest.raises(PluginError, match=rf"plugin 'meter' raised in {hook}: LookupError\('lost'\)") as caught:
        made.call(READ)
    assert isinstance(caught.value.__cause__, LookupError)


@pytest.mark.usefixtures("quiet")
def test_an_observer_cannot_swallow_an_interrupt() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    made, _ = client(plugin("after_call", interrupted))
    with pytest.raises(KeyboardInterrupt):
        made.call(READ)


def test_before_request_adds_headers_to_every_attempt_afresh() -> None:
    def stamp(call: Call, request: Draft) -> None:
        assert "X-Attempt" not in request.headers
        request.headers["x-attempt"] = str(call.attempt)

    made, wire = client(plugin("before_request", stamp), answers=[reply(503, b"")])
    made.call(READ)
    assert [request.headers["X-Attempt"] for request in wire.requests] == ["1", "2"]


@pytest.mark.parametrize("name", ["Authorization", "host", "X-Tt-Logid", "content-type"])
def test_before_request_cannot_write_the_headers_that_are_the_sdks(name: str) -> None:
    def overwrite(request: Draft) -> None:
        request.headers[name] = "mine"

    made, wire = client(plugin("before_request", overwrite))
    with pytest.raises(ExtensionError, match=rf"(?i)a plugin set header {name} in before_request"):
        made.call(READ)
    assert wire.requests == []


def test_respond_answers_in_the_networks_place_and_the_first_answer_wins() -> None:
    notes: list[str] = []
    made, wire = client(
        plugin("respond", lambda: None, "passes"),
        plugin("respond", lambda call, request: hits(call.attempt), "cache"),
        plugin("respond", lambda: hits(2), "too late"),
        Tracer("T", notes),
    )
    assert made.call(READ, {"q": 1}).result == {"data": [{"id": 1, "score": 1.0}]}
    assert wire.requests == []
    assert notes[-2:] == ["T.after_response", "T.after_call"]
    assert "T.respond" not in notes


def test_an_answer_of_a_plugin_is_treated_like_one_of_the_service() -> None:
    answers = [reply(503, b""), reply(429, {"code": "TooManyRequests"}), reply(200, {"code": "Success", "result": 3})]
    made, wire = client(plugin("respond", lambda: answers.pop(0)))
    assert made.call(READ).result == 3
    assert wire.requests == []


@pytest.mark.parametrize("wrong", [200, "ok", {"code": "Success"}, (200, {}, b"")])
def test_an_answer_that_is_no_response_is_refused(wrong: Any) -> None:
    made, _ = client(plugin("respond", lambda: wrong))
    with pytest.raises(ExtensionError, match=rf"respond hook returned {type(wrong).__name__}, not a Response"):
        made.call(READ)


@pytest.mark.parametrize(
    ("answers", "slept"),
    [((0.5, 2, 1.25), [2]), ((None, 0.5, None), [0.5]), ((None,), []), ((0, 0.0), []), ((-1, 0.25), [0.25])],
)
def test_the_longest_throttle_counts(answers: tuple[Any, ...], slept: list[float]) -> None:
    clock = FakeClock()
    limits = [plugin("throttle", lambda answer=answer: answer, f"limit{i}") for i, answer in enumerate(answers)]
    made, wire = client(*limits, clock=clock)
    made.call(READ)
    assert clock.slept == slept
    assert len(wire.requests) == 1


def test_a_throttle_is_asked_before_every_attempt() -> None:
    clock = FakeClock()
    made, _ = client(
        plugin("throttle", lambda call: call.attempt / 8), clock=clock, answers=[reply(503, b"")], retry=NoWait()
    )
    made.call(READ)
    assert clock.slept == [1 / 8, 2 / 8]


class NoWait:
    max_attempts = 5

    def decide(self, call: Call, error: Exception, random: Callable[[], float]) -> Retry:
        return Retry(after=0)


@pytest.mark.parametrize("wrong", ["1", float("nan"), float("inf"), [1]])
def test_a_throttle_that_is_no_number_is_refused(wrong: Any) -> None:
    made, wire = client(plugin("throttle", lambda: wrong))
    with pytest.raises(ExtensionError, match=r"throttle hook returned .*, not a number of seconds"):
        made.call(READ)
    assert wire.requests == []


def test_should_retry_decides_before_the_strategy_does() -> None:
    clock = FakeClock()
    made, wire = client(
        plugin("should_retry", lambda: None, "no opinion"),
        plugin("should_retry", lambda call, outcome: Retry(after=7), "patient"),
        plugin("should_retry", lambda: STOP, "too late"),
        answers=[reply(503, b"")],
        clock=clock,
    )
    made.call(READ)
    assert clock.slept == [7]
    stopped, wire = client(plugin("should_retry", lambda: STOP), answers=[reply(503, b"")])
    with pytest.raises(ServerError):
        stopped.call(READ)
    assert len(wire.requests) == 1


def test_should_retry_cannot_lift_the_caps() -> None:
    always = plugin("should_retry", lambda: Retry(after=0))
    made, wire = client(always, answers=[reply(429, {"code": "TooManyRequests"})] * 9, retry=3)
    with pytest.raises(RateLimited):
        made.call(READ)
    assert len(wire.requests) == 3
    unsafe, wire = client(always, answers=[ConnectionLost("reset")])
    with pytest.raises(ConnectionLost):
        unsafe.call(WRITE)
    assert len(wire.requests) == 1


def test_plugins_know_the_call_and_the_client_behind_it() -> None:
    seen: list[Call] = []
    infos: list[ClientInfo] = []

    class Spy:
        name = "spy"

        @hookimpl
        def client_created(self, client_info: ClientInfo) -> None:
            infos.append(client_info)

        @hookimpl
        def before_call(self, call: Call) -> None:
            call.state[self.name] = "mine"

        @hookimpl
        def after_call(self, call: Call, result: Any, error: Any) -> None:
            assert call.state == {self.name: "mine"}
            assert (result.code, error) == ("Success", None)
            seen.append(call)

    made, _ = client(Spy(), region="here", user_agent="shop/1")
    made.call(MANAGE)
    made.call(READ)
    (info,) = infos
    assert (info.domain, str(info.endpoint), info.region, info.user_agent, info.plugins) == (
        "toy",
        "https://h.example",
        "here",
        "shop/1",
        ("spy",),
    )
    assert [call.operation for call in seen] == [MANAGE, READ]
    assert [call.safety for call in seen] == [Safety.UNSAFE, Safety.READ]
    assert all(call.client is info and call.attempt == 1 for call in seen)
    assert seen[0].state is not seen[1].state


@pytest.mark.parametrize(("operation", "host"), [(READ, "h.example"), (MANAGE, "control.example")])
def test_a_call_says_where_it_goes(operation: Any, host: str) -> None:
    seen: list[Call] = []
    made, wire = client(plugin("before_call", lambda call: seen.append(call)), control_endpoint="control.example")
    made.call(operation)
    assert (seen[0].endpoint.host, wire.requests[0].endpoint) == (host, seen[0].endpoint)


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ({"things": ["a", "b", "c"]}, 3),
        ({"things": ("a",)}, 1),
        ({"things": []}, 0),
        ({"things": 5}, None),
        ({"others": ["a"]}, None),
        (None, None),
    ],
)
def test_a_call_says_how_many_rows_it_is_about_where_its_operation_counts_them(body: Any, rows: int | None) -> None:
    seen: list[Call] = []
    made, _ = client(plugin("before_call", lambda call: seen.append(call)))
    made.call(dataclasses.replace(WRITE, rows="things"), body)
    made.call(WRITE, body)
    assert [call.rows for call in seen] == [rows, None]


def test_after_call_hears_of_a_failure() -> None:
    seen: list[Any] = []
    made, _ = client(
        plugin("after_call", lambda result, error: seen.append((result, error))), answers=[reply(400, b"")]
    )
    with pytest.raises(Exception) as caught:  # noqa: PT011 - which one is not the point
        made.call(READ)
    assert seen == [(None, caught.value)]


def test_plugins_of_one_client_are_not_those_of_another() -> None:
    notes: list[str] = []
    client(Tracer("A", notes))
    other, _ = client()
    notes.clear()
    other.call(READ)
    assert notes == []


def test_one_plugin_may_serve_two_clients() -> None:
    notes: list[str] = []
    shared = Tracer("A", notes)
    first, _ = client(shared)
    second, _ = client(shared)
    notes.clear()
    first.call(READ)
    second.call(READ)
    assert notes.count("A.after_call") == 2
