"""The test kit keeps its own promises, those of its README among them."""

from __future__ import annotations

import asyncio
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from pytest_vikingdb import ClientFactory, FlowStepper, NetworkGuard, Recorder, ScriptEnded, VirtualClock, Wire
from tests.support.http import PATIENT, request_to
from tests.support.inner import LOADED
from tests.support.notes import FOUND, READ, AsyncNotes, Notes
from vikingdb_core.effects import Send, Sleep
from vikingdb_core.exceptions import (
    ConfigError,
    ConnectError,
    InvalidRequest,
    NotFound,
    RequestError,
    RequestTimeout,
    ServerError,
)
from vikingdb_core.hooks.specs import HookSpecs
from vikingdb_core.messages import Headers, Request, Response

pytest_plugins = ["pytester"]

README = Path(__file__).parents[2] / "plugins/pytest_vikingdb/README.md"


def test_the_examples_of_the_readme_run(pytester: pytest.Pytester) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    pytester.makepyfile("\n".join(blocks))
    outcomes = pytester.runpytest_inprocess(*LOADED).parseoutcomes()
    assert outcomes.pop("xfailed") == 1
    assert outcomes.keys() == {"passed"}
    assert outcomes["passed"] > 100


# The wire


def test_every_line_answers_one_request_in_order(viking_wire: Wire) -> None:
    answer = Response(202, Headers(), b"as it is")
    viking_wire.reply(200, {"a": 1}).then((404, {"b": 2}), answer, lambda request: (200, {"path": request.path}))
    said = [viking_wire.send(request_to("http://far.example"), PATIENT) for _ in range(4)]
    assert [(one.status, one.body) for one in said] == [
        (200, b'{"a": 1}'),
        (404, b'{"b": 2}'),
        (202, b"as it is"),
        (200, b'{"path": "/api/notes/read"}'),
    ]
    assert viking_wire.unused == 0


def test_a_reply_without_a_body_is_a_success_or_nothing(viking_wire: Wire) -> None:
    viking_wire.reply().reply(503)
    said = [viking_wire.send(request_to("http://far.example"), PATIENT) for _ in range(2)]
    assert [(one.status, one.body) for one in said] == [(200, b'{"code": "Success", "result": {}}'), (503, b"")]


def test_a_request_beyond_the_script_fails_and_says_which(viking_client: ClientFactory, viking_wire: Wire) -> None:
    notes = viking_client(Notes)
    viking_wire.reply()
    notes.shelf().read()
    with pytest.raises(
        ScriptEnded, match=r"has 1 line, and this is request 2: POST https://vikingdb\.example/api/notes/read"
    ):
        notes.shelf().read()
    with pytest.raises(ScriptEnded, match="has 1 line, and this is request 3"):
        asyncio.run(viking_client(AsyncNotes).shelf().read())


def test_an_error_in_the_script_is_raised_as_it_is(viking_wire: Wire) -> None:
    refused = ConnectError("refused")
    viking_wire.then(refused, lambda _: ConnectError("returned"), KeyboardInterrupt())
    for expected in (refused, ConnectError, KeyboardInterrupt):
        kind = expected if isinstance(expected, type) else type(expected)
        with pytest.raises(kind) as caught:
            viking_wire.send(request_to("http://far.example"), PATIENT)
        assert isinstance(expected, type) or caught.value is expected


@pytest.mark.parametrize("wrong", [None, "text", 200, (200,), {"code": "Success"}])
def test_what_is_no_answer_is_refused_with_a_reason(viking_wire: Wire, wrong: Any) -> None:
    viking_wire.then(wrong)
    with pytest.raises(TypeError, match="takes a Response, an error"):
        viking_wire.send(request_to("http://far.example"), PATIENT)


def test_an_error_class_is_refused_when_the_script_is_written(viking_wire: Wire) -> None:
    with pytest.raises(TypeError, match="instance"):
        viking_wire.then(ConnectError)  # type: ignore[arg-type]


def test_a_slow_answer_takes_virtual_time_and_a_late_one_times_out(
    viking_client: ClientFactory, viking_wire: Wire, viking_clock: VirtualClock
) -> None:
    notes = viking_client(Notes, timeout=10, retry=1)
    viking_wire.reply(200, seconds=9).reply(200, seconds=11)
    notes.shelf().read()
    assert viking_clock.monotonic() == 9
    with pytest.raises(RequestTimeout):
        notes.shelf().read()
    assert viking_clock.monotonic() == 19
    assert [sent.at for sent in viking_wire.sent] == [0, 9]


def test_the_async_wire_shares_script_and_record(viking_client: ClientFactory, viking_wire: Wire) -> None:
    async def later(request: Request) -> tuple[int, Any]:
        await asyncio.sleep(0)
        return 200, {"code": "Success", "request_id": "later"}

    viking_wire.reply(200, {"code": "Success", "request_id": "sync"}).then(later)
    assert viking_client(Notes).shelf().read().request_id == "sync"
    assert asyncio.run(viking_client(AsyncNotes).shelf().read()).request_id == "later"
    assert [sent.body for sent in viking_wire.sent] == [{"shelf": "poems"}] * 2


def test_an_answer_to_be_awaited_is_refused_on_the_sync_wire(viking_wire: Wire) -> None:
    async def later(_: Request) -> tuple[int, Any]:
        return 200, {}

    viking_wire.then(later)
    with pytest.raises(TypeError, match="async clients"):
        viking_wire.send(request_to("http://far.example"), PATIENT)


def test_a_closed_wire_sends_nothing(viking_wire: Wire) -> None:
    viking_wire.reply()
    viking_wire.close()
    with pytest.raises(RequestError, match="the wire was closed"):
        viking_wire.send(request_to("http://far.example"), PATIENT)
    assert viking_wire.sent == []


# The recorder


def test_the_recorder_writes_down_every_hook_in_order(
    viking_client: ClientFactory, viking_wire: Wire, viking_recorder: Recorder
) -> None:
    viking_wire.reply(503).then(ConnectError("refused")).reply()
    viking_client(Notes, plugins=[viking_recorder]).shelf().read()
    assert viking_recorder.events == [
        "client_created notes at https://vikingdb.example",
        "before_call notes.read",
        "throttle notes.read #1",
        "before_request notes.read #1: POST /api/notes/read",
        "respond notes.read #1",
        "after_response notes.read #1: 503",
        "should_retry notes.read #1: ServerError",
        "throttle notes.read #2",
        "before_request notes.read #2: POST /api/notes/read",
        "respond notes.read #2",
        "after_error notes.read #2: ConnectError",
        "should_retry notes.read #2: ConnectError",
        "throttle notes.read #3",
        "before_request notes.read #3: POST /api/notes/read",
        "respond notes.read #3",
        "after_response notes.read #3: 200",
        "after_call notes.read #3: a result",
    ]
    assert set(viking_recorder.hooks) == {name for name in vars(HookSpecs) if not name.startswith("_")}


def test_an_event_of_the_recorder_knows_what_the_hook_was_given(
    viking_client: ClientFactory, viking_wire: Wire, viking_recorder: Recorder
) -> None:
    viking_wire.reply(404)
    notes = viking_client(AsyncNotes, plugins=[viking_recorder], headers={"X-Team": "search"})
    viking_recorder.clear()
    with pytest.raises(NotFound) as caught:
        asyncio.run(notes.shelf().read())
    (ended,) = viking_recorder.of("after_call")
    assert (ended.hook, ended.attempt, ended.arguments["error"]) == ("after_call", 1, caught.value)
    assert ended.call is not None
    assert ended.call.operation is READ
    (asked,) = viking_recorder.of("before_request")
    assert asked.headers["X-Team"] == "search"


# The network


def test_another_machine_is_not_reached_and_the_failure_says_so(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import socket
        import threading
        import pytest

        pytestmark = pytest.mark.usefixtures("viking_no_network")

        def connect(address):
            with socket.socket() as opened:
                opened.connect(address)

        def test_connects():
            connect(("192.0.2.1", 9))

        def test_looks_up():
            try:
                socket.getaddrinfo("vikingdb.example", 443)
            except Exception:
                pass

        def test_sends():
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as opened:
                opened.sendto(b"", ("2001:db8::1", 9))

        def test_in_a_thread():
            def work():
                try:
                    connect(("192.0.2.1", 9))
                except BaseException:
                    pass
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()

        def test_this_machine():
            with socket.create_server(("127.0.0.1", 0)) as listener:
                connect(listener.getsockname())

        def test_no_machine(viking_no_network):
            viking_no_network.loopback = False
            connect(("127.0.0.1", 9))
        """
    )
    result = pytester.runpytest_inprocess(*LOADED)
    result.assert_outcomes(failed=4, passed=2, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*in another thread, a test tried to reach 192.0.2.1; tests talk to this machine only",
            "E *Failed: a test tried to reach 192.0.2.1; tests talk to this machine only. Use viking_wire or *",
            "E *Failed: a test tried to reach vikingdb.example; tests talk to this machine only*",
            "E *Failed: a test tried to reach 2001:db8::1; tests talk to this machine only*",
            "E *Failed: a test tried to reach 127.0.0.1; it may open no connection at all*",
        ]
    )


def test_a_guard_that_has_stopped_refuses_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with NetworkGuard(loopback=False) as guard, pytest.raises(pytest.fail.Exception):
            socket.create_connection(listener.getsockname(), timeout=5)
        socket.create_connection(listener.getsockname(), timeout=5).close()
    assert guard.refused == ["a test tried to reach 127.0.0.1; it may open no connection at all"]


# The clock


def test_the_clock_writes_sleeps_down_and_never_waits(viking_clock: VirtualClock) -> None:
    started = viking_clock.time()
    viking_clock.sleep(3600)
    asyncio.run(viking_clock.asleep(0.5))
    viking_clock.advance(10)
    assert viking_clock.sleeps == [3600, 0.5]
    assert viking_clock.monotonic() == viking_clock.time() - started == 3610.5
    with pytest.raises(ValueError, match="backwards"):
        viking_clock.advance(-1)


# The stepped flow


def test_a_flow_stands_still_at_each_effect(viking_client: ClientFactory, viking_flow: FlowStepper) -> None:
    flow = viking_flow(viking_client(Notes).shelf().read, {"text": "a"})
    first = flow.effect
    assert isinstance(first, Send)
    assert first.request.body == b'{"shelf":"poems","text":"a"}'
    assert isinstance(flow.throw(ConnectError("refused")), Sleep)
    assert flow.answer() is flow.effect
    with pytest.raises(AssertionError, match="not over"):
        _ = flow.result
    assert flow.reply(200, {"code": "Success"}) is None
    assert flow.done
    assert flow.result.code == "Success"
    assert [type(effect) for effect in flow.effects] == [Send, Sleep, Send]
    with pytest.raises(AssertionError, match="over"):
        flow.answer()


def test_a_flow_raises_what_the_call_raises(viking_client: ClientFactory, viking_flow: FlowStepper) -> None:
    flow = viking_flow(viking_client(Notes, retry=1).call, FOUND)
    with pytest.raises(ServerError):
        flow.reply(500)
    assert flow.done
    with pytest.raises(InvalidRequest):
        viking_flow(viking_client(Notes).shelf().read, {"shelf": "other"})


def test_only_a_call_can_be_stepped(viking_client: ClientFactory, viking_flow: FlowStepper) -> None:
    for wrong in (print, viking_client(AsyncNotes).shelf().read):
        with pytest.raises(TypeError, match="sync client"):
            viking_flow(wrong)
    with pytest.raises(TypeError, match="not a single call"):
        viking_flow(viking_client(Notes).shelf().count, 0)


def test_stepping_leaves_the_client_as_it_was(
    viking_client: ClientFactory, viking_flow: FlowStepper, viking_wire: Wire
) -> None:
    notes = viking_client(Notes)
    viking_flow(notes.call, FOUND)
    viking_wire.reply()
    assert notes.call(FOUND).code == "Success"


# The clients


def test_a_client_takes_every_option_of_its_class(viking_client: ClientFactory, viking_wire: Wire) -> None:
    notes = viking_client(Notes, host="elsewhere.example", region="r1", headers={"X-Team": "search"})
    viking_wire.reply()
    notes.shelf().read()
    request = viking_wire.requests[0]
    assert request.url == "https://elsewhere.example/api/notes/read"
    assert request.headers["X-Team"] == "search"
    assert request.headers["Authorization"] == "Stamp notes/r1 number=1"
    with pytest.raises(ConfigError, match="Did you mean 'timeout'"):
        viking_client(Notes, timeut=3)


def test_a_client_sees_nothing_of_the_machines_environment(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIKINGDB_TIMEOUT", "nonsense")
    monkeypatch.setenv("VIKINGDB_CONFIG_FILE", "/absent.toml")
    monkeypatch.setenv("VOLC_REGION", "elsewhere")
    pytester.makepyfile(
        """
        from tests.support.notes import Notes

        def test_it(viking_client):
            assert viking_client(Notes).config.region == "cn-beijing"
        """
    )
    pytester.runpytest_inprocess(*LOADED).assert_outcomes(passed=1)


def test_the_embedded_engine_is_asked_for_when_it_is_missing(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vikingdb_core import discovery

    monkeypatch.setattr(discovery, "names", lambda group: [])
    pytester.makepyfile("def test_it(viking_local): pass")
    result = pytester.runpytest_inprocess(*LOADED)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*viking_local needs the embedded engine*pip install 'vikingdb[[]local]'*"])


def test_the_embedded_engine_gives_every_client_a_database_of_its_own(
    monkeypatch: pytest.MonkeyPatch, pytester: pytest.Pytester
) -> None:
    from vikingdb_core import discovery

    opened: list[Wire] = []

    def engine(endpoint: Any, settings: Any) -> Wire:
        assert str(endpoint) == "local://?embedder=hash-v1"
        opened.append(Wire().reply())
        return opened[-1]

    monkeypatch.setitem(discovery._added, (discovery.TRANSPORTS, "local"), engine)
    pytester.makepyfile(
        """
        from tests.support.notes import Notes

        def test_it(viking_local):
            for _ in range(2):
                assert viking_local(Notes).shelf().read().code == "Success"
        """
    )
    pytester.runpytest_inprocess(*LOADED).assert_outcomes(passed=1)
    assert [engine.closed for engine in opened] == [True, True]
