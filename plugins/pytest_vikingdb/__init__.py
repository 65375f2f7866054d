"""pytest-vikingdb: fixtures and contracts for programs that use or extend the VikingDB SDK.

The fixtures are in :mod:`pytest_vikingdb.plugin`, which pytest finds by itself. The names here are their types, for
annotations, and the contracts, for subclassing. Importing the package loads nothing of the SDK: pytest does so in every
project it is installed beside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .clients import ClientFactory, LocalFactory, StampAuth
    from .clock import VirtualClock
    from .contracts import (
        AuthContract,
        Contract,
        ContractOverridden,
        DomainContract,
        PluginContract,
        TransportContract,
    )
    from .loopback import Connection, LoopbackServer, Received
    from .network import NetworkGuard
    from .recorder import Event, Recorder
    from .stepped import FlowStepper, SteppedFlow
    from .wire import AsyncWire, ScriptEnded, Sent, Wire

_HOMES = {
    "clients": ("ClientFactory", "LocalFactory", "StampAuth"),
    "clock": ("VirtualClock",),
    "contracts": (
        "AuthContract",
        "Contract",
        "ContractOverridden",
        "DomainContract",
        "PluginContract",
        "TransportContract",
    ),
    "loopback": ("Connection", "LoopbackServer", "Received"),
    "network": ("NetworkGuard",),
    "recorder": ("Event", "Recorder"),
    "stepped": ("FlowStepper", "SteppedFlow"),
    "wire": ("AsyncWire", "ScriptEnded", "Sent", "Wire"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "AsyncWire",
    "AuthContract",
    "ClientFactory",
    "Connection",
    "Contract",
    "ContractOverridden",
    "DomainContract",
    "Event",
    "FlowStepper",
    "LocalFactory",
    "LoopbackServer",
    "NetworkGuard",
    "PluginContract",
    "Received",
    "Recorder",
    "ScriptEnded",
    "Sent",
    "StampAuth",
    "SteppedFlow",
    "TransportContract",
    "VirtualClock",
    "Wire",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME_OF[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
