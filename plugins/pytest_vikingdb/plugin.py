"""The fixtures. pytest loads this module by itself; none of them acts until a test asks for it.

Nothing of the SDK is imported before a fixture is used, so that the SDK's own import shows in coverage, and projects
that merely have the kit installed pay nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .clients import ClientFactory, LocalFactory
    from .clock import VirtualClock
    from .network import NetworkGuard
    from .recorder import Recorder
    from .stepped import FlowStepper
    from .wire import Wire

pytest.register_assert_rewrite("pytest_vikingdb.contracts")


@pytest.fixture
def viking_env(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No setting, key or profile of this machine: what starts with VIKINGDB_ or VOLC is unset, the configuration file
    is an absent one, and what a plugin raises is heard."""
    for name in list(os.environ):
        if name.startswith(("VIKINGDB_", "VOLC")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "no-config"))
    monkeypatch.setenv("VIKINGDB_PLUGIN_ERRORS", "raise")


@pytest.fixture
def viking_clock() -> VirtualClock:
    """A clock that never waits; ``viking_clock.sleeps`` has what it was asked to."""
    from .clock import VirtualClock

    return VirtualClock()


@pytest.fixture
def viking_wire(viking_clock: VirtualClock) -> Wire:
    """A transport that answers from a script: ``viking_wire.reply(200, {…}).then(ConnectError("refused"))``."""
    from .wire import Wire

    return Wire(viking_clock)


@pytest.fixture
def viking_client(viking_env: None, viking_wire: Wire, viking_clock: VirtualClock) -> ClientFactory:
    """Builds clients on the wire and the clock: ``viking_client(VikingDB, retry=5)``."""
    from .clients import ClientFactory

    return ClientFactory(viking_wire, viking_clock)


@pytest.fixture
def viking_recorder() -> Recorder:
    """A plugin that writes down every hook it sees: ``plugins=[viking_recorder]``, then ``viking_recorder.events``."""
    from .recorder import Recorder

    return Recorder()


@pytest.fixture
def viking_no_network() -> Iterator[NetworkGuard]:
    """This test reaches no other machine. ``viking_no_network.loopback = False`` closes this one to it too."""
    from .network import NetworkGuard

    guard = NetworkGuard()
    with guard:
        yield guard
    if guard.unheard:
        pytest.fail(f"in another thread, {guard.unheard[0]}", pytrace=False)


@pytest.fixture
def viking_flow() -> Iterator[FlowStepper]:
    """Steps a call by hand: ``viking_flow(db.collection(collection_name="books").fetch, {"ids": [1]})``."""
    from .stepped import FlowStepper

    stepper = FlowStepper()
    yield stepper
    stepper.close()


@pytest.fixture
def viking_local(viking_env: None) -> Iterator[LocalFactory]:
    """Builds clients on an embedded database of their own: ``viking_local(VikingDB)``. Needs vikingdb-local."""
    from .clients import LocalFactory, missing_engine

    problem = missing_engine()
    if problem:
        pytest.fail(problem, pytrace=False)
    factory = LocalFactory()
    yield factory
    factory.close()
