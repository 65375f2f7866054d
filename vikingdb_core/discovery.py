"""Discovery: what is installed beside core, by entry-point name.

One scan of the installed distributions per process, the first time a name is asked for. Nothing found is imported
until it is looked up by its name.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .exceptions import DomainNotInstalled, PluginConflict, PluginLoadError
from .hints import suggest

__all__ = [
    "ASYNC_TRANSPORTS",
    "AUTH",
    "COMMANDS",
    "DOMAINS",
    "GROUPS",
    "PLUGINS",
    "TRANSPORTS",
    "Extension",
    "add",
    "catalog",
    "forget",
    "lookup",
    "names",
    "remove",
]

DOMAINS = "vikingdb.domains"
AUTH = "vikingdb.auth"
TRANSPORTS = "vikingdb.transports"
ASYNC_TRANSPORTS = "vikingdb.async_transports"
PLUGINS = "vikingdb.plugins"
COMMANDS = "vikingdb.commands"

GROUPS = (DOMAINS, AUTH, TRANSPORTS, ASYNC_TRANSPORTS, PLUGINS, COMMANDS)


@dataclass(frozen=True)
class Extension:
    """Something installed, not yet imported.

    Attributes:
        name: the key it is asked for by.
        group: what kind of thing it is.
        distribution: name and version of the distribution it comes from.
        target: ``module:object``.
    """

    name: str
    group: str
    distribution: str
    target: str
    load: Callable[[], Any]


_lock = threading.Lock()
_scanned: dict[str, dict[str, list[Extension]]] | None = None
_added: dict[tuple[str, str], Any] = {}


def add(group: str, name: str, value: Any) -> None:
    """Register by hand what a packaged application cannot discover (no distribution metadata)."""
    if group not in GROUPS:
        raise PluginLoadError(f"there is no extension group {group!r}; the groups are: {', '.join(GROUPS)}")
    _added[group, name] = value


def remove(group: str, name: str) -> None:
    """Undo :func:`add`."""
    _added.pop((group, name), None)


def forget() -> None:
    """Scan again at the next look-up: something was installed or removed."""
    global _scanned
    with _lock:
        _scanned = None


def catalog(group: str) -> dict[str, list[Extension]]:
    """Everything installed in a group, by name. More than one entry below a name is a conflict."""
    global _scanned
    with _lock:
        if _scanned is None:
            _scanned = _scan()
        return _scanned.get(group, {})


def names(group: str) -> list[str]:
    """Names that can be looked up in a group."""
    return sorted({*catalog(group), *(name for g, name in _added if g == group)})


def lookup(group: str, name: str, *, install_hint: str = "") -> Any:
    """Import and return the object a name stands for.

    Raises:
        PluginLoadError: nobody offers the name, or importing it failed.
        PluginConflict: two distributions offer it.
    """
    if (group, name) in _added:
        return _added[group, name]
    found = catalog(group).get(name, [])
    if not found:
        known = names(group)
        offered = f" Installed: {', '.join(known)}." if known else ""
        raise PluginLoadError(
            f"{group}: nothing named {name!r} is installed.{suggest(name, known)}{offered}{install_hint}"
        )
    if len(found) > 1:
        owners = " and ".join(extension.distribution for extension in found)
        raise PluginConflict(f"{group}: {owners} both offer {name!r}; uninstall one of them")
    extension = found[0]
    try:
        return extension.load()
    except Exception as error:
        raise PluginLoadError(
            f"{name!r} ({extension.distribution}) cannot be loaded: {error!r}. "
            "Repair or uninstall that distribution, or do without the name"
        ) from error


def missing_domain(name: str) -> DomainNotInstalled:
    """The error for a domain whose distribution is not installed."""
    error = DomainNotInstalled(
        f"vikingdb.{name} needs the {name} domain: pip install 'vikingdb[{name}]', "
        f"or pip install ./plugins/vikingdb_{name} in a clone"
    )
    error.name = f"vikingdb_{name}"
    return error


def _scan() -> dict[str, dict[str, list[Extension]]]:
    import importlib_metadata

    found: dict[str, dict[str, list[Extension]]] = {}
    seen: set[str] = set()
    for distribution in importlib_metadata.distributions():
        # To parse what is there for other programs would take longer than all the rest.
        if "vikingdb." not in (distribution.read_text("entry_points.txt") or ""):
            continue
        name, version = _name_and_version(distribution.read_text)
        spelled_one_way = name.lower().replace("_", "-")
        if spelled_one_way in seen:
            continue  # again, further down sys.path: an editable install beside its folder, or an older copy
        seen.add(spelled_one_way)
        for entry in distribution.entry_points:
            if entry.group in GROUPS:
                extension = Extension(entry.name, entry.group, f"{name} {version}", entry.value, entry.load)
                found.setdefault(entry.group, {}).setdefault(entry.name, []).append(extension)
    return found


def _name_and_version(read: Callable[[str], str | None]) -> tuple[str, str]:
    """From the first lines of its metadata: importlib would parse all of it, as an e-mail."""
    lines = (read("METADATA") or read("PKG-INFO") or "").partition("\n\n")[0]
    head = dict(line.split(": ", 1) for line in lines.splitlines() if ": " in line)
    # What is left of a removed distribution may have no metadata; it is named all the same, so that it can be found.
    return head.get("Name", "a nameless distribution").strip(), head.get("Version", "of no version").strip()
