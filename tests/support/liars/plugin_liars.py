"""Plugins that break one promise each."""

from __future__ import annotations

import logging
import socket
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib.metadata import version
from typing import Any

from pytest_vikingdb import PluginContract
from vikingdb_core import discovery
from vikingdb_core.exceptions import InvalidRequest, RateLimited
from vikingdb_core.hooks import Call, hookimpl
from vikingdb_core.hooks.manager import HookSet
from vikingdb_core.messages import Draft, Headers, Response
from vikingdb_core.retry import STOP, Retry, Stop
from vikingdb_core.traits import Safety

log = logging.getLogger("meter")


class Honest:
    """Breaks nothing; the others differ from it by a line."""

    name = "meter"
    hook_api = 1

    @hookimpl
    def before_call(self, call: Call) -> None:
        call.state[self.name] = uuid.uuid4().hex

    @hookimpl
    def before_request(self, call: Call, request: Draft) -> None:
        request.headers["X-Trace"] = call.state[self.name]
        request.headers["X-Operation"] = call.operation.name

    @hookimpl
    def after_call(self, call: Call, error: BaseException | None) -> None:
        log.info("%s ended with %s", call.operation.name, type(error).__name__)


class HonestContract(PluginContract):
    plugin: Callable[[], Any] = Honest

    def make_plugin(self) -> Any:
        return type(self).plugin()


class TestHonest(HonestContract):
    pass


class TestOldest(HonestContract):
    class plugin(Honest):
        hook_api = None


class TestUnsaid(HonestContract):
    class plugin:
        @hookimpl
        def before_call(self) -> None: ...


class TestWrongArgument(HonestContract):
    class plugin(Honest):
        @hookimpl
        def after_error(self, failure: Any) -> None: ...


class TestInstalledUnheard(HonestContract):
    def make_plugin(self) -> Any:
        target = f"{Honest.__module__}:{Honest.__qualname__}"
        extension = discovery.Extension("meter", discovery.PLUGINS, version("pytest"), target, lambda: Honest)
        discovery.catalog(discovery.PLUGINS)["meter-of-liars"] = [extension]
        return Honest()

    def teardown_method(self) -> None:
        discovery.catalog(discovery.PLUGINS).pop("meter-of-liars", None)


class TestNotInstalled(HonestContract):
    entry_point = "nothing-of-this-name"


class TestConnectsWhenBuilt(HonestContract):
    class plugin(Honest):
        def __init__(self) -> None:
            with socket.socket() as calling, suppress(OSError):
                calling.connect(("127.0.0.1", 9))


class TestUnheardPower(HonestContract):
    may = frozenset({"refuse", "explode"})


class TestObserverRaises(HonestContract):
    class plugin(Honest):
        @hookimpl
        def after_response(self, response: Response) -> None:
            if response.status == 404:
                raise KeyError("no such thing")


class TestGateRaises(HonestContract):
    class plugin(Honest):
        @hookimpl
        def should_retry(self, outcome: Any) -> None:
            if isinstance(outcome, RateLimited):
                raise KeyError("no such thing")


class TestRefuses(HonestContract):
    class plugin(Honest):
        @hookimpl
        def throttle(self, call: Call) -> None:
            if call.safety is Safety.UNSAFE:
                raise InvalidRequest("not on sundays")


class TestMayRefuse(TestRefuses):
    may = frozenset({"refuse"})


class TestDelays(HonestContract):
    class plugin(Honest):
        @hookimpl
        def throttle(self, call: Call) -> float:
            return 1.5


class TestMayDelay(TestDelays):
    may = frozenset({"delay"})


class TestAnswers(HonestContract):
    class plugin(Honest):
        @hookimpl
        def respond(self) -> Response:
            return Response(200, Headers(), b"{}")


class TestMayAnswer(TestAnswers):
    may = frozenset({"answer"})


class TestMayDelayButAnswers(TestAnswers):
    may = frozenset({"delay"})


class TestStops(HonestContract):
    class plugin(Honest):
        @hookimpl
        def should_retry(self) -> Stop:
            return STOP


class TestMayRetry(HonestContract):
    may = frozenset({"retry"})

    class plugin(Honest):
        @hookimpl
        def should_retry(self, call: Call) -> Retry:
            return Retry(after=1)


class TestReplacesHeaders(HonestContract):
    class plugin(Honest):
        @hookimpl
        def before_request(self, call: Call, request: Draft) -> None:
            request.headers["User-Agent"] = "meter"


class TestNotForAsync(HonestContract):
    class plugin(Honest):
        @hookimpl
        def before_call(self, call: Call) -> None:
            import asyncio

            with suppress(RuntimeError):
                asyncio.get_running_loop()
                raise InvalidRequest("not here")
            super().before_call(call)


class TestRemembersTheCall(HonestContract):
    class plugin(Honest):
        """Says of one call what another is."""

        @hookimpl
        def before_call(self, call: Call) -> None:
            super().before_call(call)
            self.operation = call.operation.name

        @hookimpl
        def before_request(self, call: Call, request: Draft) -> None:
            request.headers["X-Operation"] = self.operation


class TestRemembersTheTrace(HonestContract):
    class plugin(Honest):
        """Gives one call the trace of another."""

        @hookimpl
        def before_call(self, call: Call) -> None:
            self.trace = uuid.uuid4().hex

        @hookimpl
        def before_request(self, call: Call, request: Draft) -> None:
            request.headers["X-Trace"] = self.trace


class TestLogsAnotherCall(HonestContract):
    class plugin(Honest):
        @hookimpl
        def before_call(self, call: Call) -> None:
            super().before_call(call)
            self.operation = call.operation.name

        @hookimpl
        def after_call(self, call: Call) -> None:
            log.info("%s ended", self.operation)


class TestKeepsElsewhere(HonestContract):
    class plugin(Honest):
        @hookimpl
        def throttle(self, call: Call) -> None:
            call.state["other"] = 1


class TestLogsHeaders(HonestContract):
    class plugin(Honest):
        @hookimpl
        def before_request(self, call: Call, request: Draft) -> None:
            super().before_request(call, request)
            log.debug("sending %s", dict(request.headers))


class TestPrintsCookies(HonestContract):
    class plugin(Honest):
        @hookimpl
        def after_response(self, response: Response) -> None:
            print(list(response.headers.items()))


class TestTellsOthers(HonestContract):
    class plugin(Honest):
        def __init__(self) -> None:
            self.spans: list[str] = []

        @hookimpl
        def before_request(self, call: Call, request: Draft) -> None:
            super().before_request(call, request)
            self.spans.append(str(list(request.headers.values())))

    def told(self, plugin: Any) -> Iterable[str]:
        return list(plugin.spans)


class TestZLasts(HonestContract):
    class plugin(Honest):
        """Changes the SDK itself. Last in the file: whoever comes after it has it, too."""

        @hookimpl
        def before_call(self, call: Call) -> None:
            super().before_call(call)
            HookSet.throttle = lambda self, call: 2.0  # type: ignore[method-assign]


CHANGES = {"test_it_changes_only_what_it_says_it_may"}
REFUSED = {  # no client takes it
    "test_it_fits_the_hooks",
    "test_building_it_opens_no_connection",
    "test_calls_in_turns_have_nothing_of_one_another",
    "test_calls_in_threads_have_nothing_of_one_another",
    "test_what_it_remembers_of_a_call_is_under_its_own_name",
    *CHANGES,
}
BREAKS = {
    "TestUnsaid": {"test_it_says_which_hooks_it_was_written_for"},
    "TestOldest": {"test_it_says_which_hooks_it_was_written_for", *REFUSED},
    "TestWrongArgument": REFUSED,
    "TestInstalledUnheard": {"test_it_is_found_by_the_name_it_is_installed_under"},
    "TestNotInstalled": {
        "test_it_is_found_by_the_name_it_is_installed_under",
        "test_building_it_opens_no_connection",
    },
    "TestConnectsWhenBuilt": {"test_building_it_opens_no_connection"},
    "TestUnheardPower": {"test_it_says_what_it_may_do_to_a_call"},
    "TestObserverRaises": {"test_its_observers_never_raise", *CHANGES},
    "TestGateRaises": {"test_its_gates_raise_only_errors_of_the_sdk", *CHANGES},
    "TestRefuses": CHANGES,
    "TestDelays": CHANGES,
    "TestAnswers": CHANGES,
    "TestMayDelayButAnswers": CHANGES,
    "TestStops": CHANGES,
    "TestReplacesHeaders": CHANGES,
    "TestNotForAsync": {"test_it_serves_async_clients_alike"},
    "TestRemembersTheCall": {
        "test_calls_in_turns_have_nothing_of_one_another",
        "test_calls_in_threads_have_nothing_of_one_another",
    },
    "TestRemembersTheTrace": {
        "test_calls_in_turns_have_nothing_of_one_another",
        "test_calls_in_threads_have_nothing_of_one_another",
    },
    "TestLogsAnotherCall": {"test_calls_in_turns_have_nothing_of_one_another"},
    "TestKeepsElsewhere": {"test_what_it_remembers_of_a_call_is_under_its_own_name"},
    "TestLogsHeaders": {"test_it_shows_no_secret"},
    "TestPrintsCookies": {"test_it_shows_no_secret"},
    "TestTellsOthers": {"test_it_shows_no_secret"},
    "TestZLasts": {"test_a_client_without_it_is_as_before", *CHANGES},
}
