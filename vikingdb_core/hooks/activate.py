"""Activation: from what the user listed to the plugins that run. Nothing runs that was not listed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .. import discovery
from ..exceptions import PluginLoadError
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
    if wanted != HOOK_API:
        newer = isinstance(wanted, int) and wanted > HOOK_API
        raise PluginLoadError(
            f"plugin {name!r} was written for hook API {wanted}, this vikingdb-core has {HOOK_API}; "
            f"{'upgrade vikingdb-core' if newer else 'upgrade the plugin'}"
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
    try:
        return factory(**settings)
    except Exception as error:
        given = ", ".join(sorted(settings)) or "no settings"  # names only: values may be secrets
        raise PluginLoadError(f"plugin {name!r} cannot be built from {given}: {type(error).__name__}.{hint}") from error
