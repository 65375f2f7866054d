"""Activation: from what the user listed to the plugins that run. Nothing runs that was not listed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .. import discovery
from ..exceptions import ConfigError, PluginLoadError
from ..hints import suggest
from ..version import HOOK_API


def activate(listed: Iterable[object], settings: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, object]]:
    """Resolve ``plugins=[…]``: instances as they are, names through their entry point, ``"-name"`` drops one.

    Raises:
        PluginLoadError: a name nobody offers, a plugin that cannot be imported or built, or another hook API.
    """
    items = list(listed)
    dropped = {item[1:] for item in items if isinstance(item, str) and item.startswith("-")}
    active: list[tuple[str, object]] = []
    for item in items:
        if isinstance(item, str):
            if not item.startswith("-") and item not in dropped:
                active.append((item, _build(item, settings.get(item, {}))))
        else:
            name = getattr(item, "name", None)
            active.append((name if isinstance(name, str) else _own_name(item, active), item))
    return active


def check_hook_api(name: str, wanted: object) -> None:
    """Refuse a plugin that was written for another version of the hooks."""
    if type(wanted) is not int:
        raise PluginLoadError(f"plugin {name!r} has hook_api = {wanted!r}; it is a number: hook_api = {HOOK_API}")
    if wanted != HOOK_API:
        raise PluginLoadError(
            f"plugin {name!r} was written for hook API {wanted}, this vikingdb-core has {HOOK_API}; "
            f"{'upgrade vikingdb-core' if wanted > HOOK_API else 'upgrade the plugin'}"
        )


def _own_name(plugin: object, active: list[tuple[str, object]]) -> str:
    name = type(plugin).__name__
    taken = sum(other == name or other.startswith(f"{name}-") for other, _ in active)
    return f"{name}-{taken + 1}" if taken else name


def _build(name: str, settings: Mapping[str, Any]) -> object:
    hint = f" Drop it with plugins=['-{name}'] or VIKINGDB_PLUGINS= (empty)."
    factory = discovery.lookup(discovery.PLUGINS, name, install_hint=hint)
    if getattr(factory, "hook_api", None) is None:
        raise PluginLoadError(f"plugin {name!r} does not say which hook API it was written for: hook_api = {HOOK_API}")
    check_hook_api(name, factory.hook_api)
    if not callable(factory):
        return factory
    given = ", ".join(sorted(settings)) or "no settings"  # names only: values may be secrets
    misfit = _misfit(factory, settings)
    if misfit:
        raise PluginLoadError(f"plugin {name!r} cannot be built from {given}: {misfit}{hint}")
    try:
        return factory(**settings)
    except ConfigError as error:  # written for whoever set it
        raise PluginLoadError(f"plugin {name!r} cannot be built from {given}: {error.message}.{hint}") from error
    except Exception as error:
        raise PluginLoadError(f"plugin {name!r} cannot be built from {given}: {type(error).__name__}.{hint}") from error


def _misfit(factory: Callable[..., object], settings: Mapping[str, Any]) -> str:
    """Which setting it does not have, or lacks."""
    try:
        signature = inspect.signature(factory)
    except ValueError:  # nothing is known of its parameters
        return ""
    try:
        signature.bind(**settings)
    except TypeError as error:
        unknown = [name for name in settings if name not in signature.parameters]
        return f"{error}.{suggest(unknown[0], signature.parameters) if unknown else ''}"
    return ""
