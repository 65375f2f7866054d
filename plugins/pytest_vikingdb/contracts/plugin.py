"""PluginContract: what every hook plugin promises."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, ClassVar

import pytest

from vikingdb_core import discovery
from vikingdb_core.credentials import APIKey
from vikingdb_core.exceptions import VikingDBError
from vikingdb_core.hooks.activate import activate
from vikingdb_core.hooks.manager import HookSet
from vikingdb_core.hooks.specs import OBSERVERS
from vikingdb_core.version import HOOK_API

from ..network import NetworkGuard
from .base import Contract
from .calls import SCENES, Ending, Scene, perform, undisturbed
from .interleaved import MARKS, alone, counted, in_threads, in_turns, leaks

_POWERS = frozenset({"refuse", "answer", "delay", "retry"})


@pytest.mark.usefixtures("viking_env")
class PluginContract(Contract, contract=True):
    """What every hook plugin promises: it fits the hooks, harms no call, keeps calls apart, and can be left out again.

    A subclass gives :meth:`make_plugin`; and ``entry_point`` when the plugin is installed under a name, ``may`` when it
    is made to interfere, :meth:`told` when it tells somebody else than the log.
    """

    entry_point: ClassVar[str] = ""
    """The name it is installed under, in the group ``vikingdb.plugins``."""

    settings: ClassVar[Mapping[str, Any]] = {}
    """Settings that it cannot be built without, when it is asked for by name."""

    may: ClassVar[frozenset[str]] = frozenset()
    """What it may do to a call: ``refuse`` it, ``answer`` it, ``delay`` it, decide whether to ``retry`` it."""

    def make_plugin(self) -> object:
        """A new plugin object, as it would be put in ``plugins=[…]``."""
        raise NotImplementedError(f"{type(self).__name__}.make_plugin() is to return the plugin under test")

    def told(self, plugin: object) -> Iterable[str]:
        """What this plugin has told others than the log: spans, metrics, files. Searched for secrets."""
        return ()

    # It fits

    def test_it_says_which_hooks_it_was_written_for(self) -> None:
        """It has ``hook_api``, the number of the hook contract it was written for, and that is this core's."""
        wanted = getattr(self.make_plugin(), "hook_api", None)
        assert wanted is not None, f"say hook_api = {HOOK_API} in the class"
        assert wanted == HOOK_API, f"hook_api is {wanted!r}, this core has {HOOK_API}"

    def test_it_fits_the_hooks(self) -> None:
        """It implements at least one hook, and every one it implements exists and takes the arguments it names."""
        HookSet(activate([self.make_plugin()], {}))

    def test_it_is_found_by_the_name_it_is_installed_under(self) -> None:
        """When it is installed, ``plugins=["name"]`` finds it, with the settings it needs and no others. An installed
        plugin gives its name to the contract in ``entry_point``."""
        plugin = self.make_plugin()
        if not self.entry_point:
            target = f"{type(plugin).__module__}:{type(plugin).__qualname__}"
            installed = [
                e.name for same in discovery.catalog(discovery.PLUGINS).values() for e in same if e.target == target
            ]
            assert not installed, f"it is installed; say entry_point = {installed[0]!r}"
            return
        HookSet(activate([self.entry_point], {self.entry_point: dict(self.settings)}))

    def test_building_it_opens_no_connection(self) -> None:
        """Neither building it nor building a client with it uses the network: there may be none, and tests and forks
        build clients too."""
        with NetworkGuard(loopback=False):
            HookSet(activate([self.make_plugin()], {}))
            if self.entry_point:
                activate([self.entry_point], {self.entry_point: dict(self.settings)})

    def test_it_says_what_it_may_do_to_a_call(self) -> None:
        """``may`` has no other words than ``refuse``, ``answer``, ``delay`` and ``retry``."""
        assert frozenset(self.may) <= _POWERS, (
            f"may has {sorted(frozenset(self.may) - _POWERS)}; choose from {sorted(_POWERS)}"
        )

    # It harms no call

    def test_its_observers_never_raise(self) -> None:
        """Whatever becomes of a call, no observer raises: what it raises is swallowed in production, and with it what
        it was to tell."""
        for scene in SCENES:
            error = self._perform(scene).plugin_error
            assert error is None or error.hook not in OBSERVERS, f"{scene.name}: {error}"

    def test_its_gates_raise_only_errors_of_the_sdk(self) -> None:
        """A gate that stops a call raises an error below ``VikingDBError`` that says why. Anything else reaches the
        caller as a ``PluginError``, as a bug does."""
        for scene in SCENES:
            error = self._perform(scene).plugin_error
            assert error is None or error.hook in OBSERVERS, f"{scene.name}: {error}"

    def test_it_changes_only_what_it_says_it_may(self) -> None:
        """A call ends as it would have without the plugin, after as many attempts and waits, to the same address with
        the same body. Headers may be added. More only as far as ``may`` says."""
        for scene in SCENES:
            without, with_it = undisturbed()[scene.name], self._perform(scene)
            _check_powers(scene.name, frozenset(self.may), without, with_it)
            for given, now in zip(without.sent, with_it.sent, strict=False):
                changed = {name for name, value in given.headers.items() if now.headers.get(name) != value}
                assert not changed, f"{scene.name}: it changes or drops the headers {sorted(changed)}"

    def test_it_serves_async_clients_alike(self) -> None:
        """With an async client the same happens: hooks are plain functions, and do not wait."""
        for scene in SCENES:
            sync, later = self._perform(scene), perform(scene, [self.make_plugin()], asynchronous=True)
            assert later.said == sync.said, scene.name
            assert later.addresses == sync.addresses, scene.name
            assert later.sleeps == sync.sleeps, scene.name

    # It keeps calls apart

    def test_calls_in_turns_have_nothing_of_one_another(self, caplog: pytest.LogCaptureFixture) -> None:
        """Calls that take turns, as those of an async client do, end as they do alone, with the headers and the log
        messages they have alone. What a plugin remembers of a call it keeps in ``call.state``, not in itself."""
        runs = []
        with caplog.at_level(logging.DEBUG):
            for run in (alone, partial(alone, marks=MARKS[::-1]), in_turns):
                caplog.clear()
                runs.append((run(self.make_plugin()), counted(record.getMessage() for record in caplog.records)))
        (first, said), (second, said_again), (mixed, said_now) = runs
        assert not list(leaks(first, second, mixed))
        if said == said_again:
            assert said_now == said

    def test_calls_in_threads_have_nothing_of_one_another(self) -> None:
        """The same for calls of several threads that are under way at once."""
        first, second = alone(self.make_plugin()), alone(self.make_plugin(), MARKS[::-1])
        sent = sum(bool(attempts) for attempts in first.headers.values())
        assert not list(leaks(first, second, in_threads(self.make_plugin(), sent)))

    def test_what_it_remembers_of_a_call_is_under_its_own_name(self) -> None:
        """In ``call.state`` it has one entry, under the name it runs under."""
        plugin = self.make_plugin()
        ((name, _),) = activate([plugin], {})
        kept = set().union(*alone(plugin).states.values())
        assert kept <= {name}, f"it runs as {name!r}, and keeps {sorted(kept)}"

    # It shows no secret

    def test_it_shows_no_secret(self, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
        """Neither a header that carries a secret nor a cookie of the service is logged, at any level, printed, shown by
        ``repr``, or told to anybody. ``vikingdb_core.messages.redact`` masks them."""
        headers = {"X-Gateway-Token": "very-secret-token", "Cookie": "session=very-secret-cookie"}
        for scene in SCENES:
            plugin = self.make_plugin()
            caplog.clear()
            with caplog.at_level(logging.DEBUG):
                perform(scene, [plugin], auth=APIKey("very-secret-key"), headers=headers)
            printed = capsys.readouterr()
            records = (f"{record.getMessage()} {vars(record)!r}" for record in caplog.records)
            for text in (caplog.text, *records, printed.out, printed.err, repr(plugin), *self.told(plugin)):
                assert "very-secret" not in text, f"{scene.name}: a secret is shown: {text[:400]}"

    # It can be left out again

    def test_a_client_without_it_is_as_before(self) -> None:
        """Once it has run, a client without it behaves as if it had never been there: it changes nothing outside."""
        for scene in SCENES:
            self._perform(scene)
        for scene in SCENES:
            before, after = undisturbed()[scene.name], perform(scene)
            assert (after.said, after.sleeps) == (before.said, before.sleeps), scene.name
            assert after.sent == before.sent, scene.name

    def _perform(self, scene: Scene) -> Ending:
        undisturbed()
        return perform(scene, [self.make_plugin()])


def _check_powers(scene: str, may: frozenset[str], without: Ending, with_it: Ending) -> None:
    allowed = f"it may {', '.join(sorted(may)) or 'do nothing'}, and"
    if with_it.said != without.said:
        assert may & {"refuse", "answer", "retry"}, f"{scene}: {allowed} has the call end with {with_it.said}"
        assert with_it.error is None or isinstance(with_it.error, VikingDBError), f"{scene}: {with_it.error!r}"
    if len(with_it.sent) < len(without.sent):
        assert may & {"refuse", "answer", "retry"}, f"{scene}: {allowed} keeps requests from being sent"
    if len(with_it.sent) > len(without.sent):
        assert "retry" in may, f"{scene}: {allowed} has requests sent more often"
    if with_it.sleeps != without.sleeps:
        assert may, f"{scene}: {allowed} changes how long the call waits"
    for before, now in zip(without.addresses, with_it.addresses, strict=False):
        assert now == before, f"{scene}: it changes what is sent, or where to"
