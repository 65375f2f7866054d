"""Hooks: how plugins observe and gate calls. ``specs`` is the manual; ``manager`` runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .call import Call, ClientInfo

if TYPE_CHECKING:
    from .specs import hookimpl

__all__ = ["Call", "ClientInfo", "hookimpl"]


def __getattr__(name: str) -> Any:
    if name == "hookimpl":  # pluggy is loaded by whoever writes a plugin, and by the first client
        from .specs import hookimpl

        return hookimpl
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
