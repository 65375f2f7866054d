"""Inventory: everything the SDK can find by a name, with where it is from and whether it takes part.

Nothing is imported but what runs anyway, unless everything is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from inspect import getattr_static
from pathlib import Path
from typing import Any

from .. import discovery
from ..config import ClientConfig
from ..discovery import Extension
from ..exceptions import VikingDBError
from ..hints import suggest
from .base import Command
from .distributions import Distribution
from .requirements import normalise

BUILT_IN = "built in"


@dataclass(frozen=True)
class Item:
    """Something with a name in a group.

    Attributes:
        group: entry-point group.
        name: what it is asked for by.
        distribution: who offers it, name and version.
        target: ``module:object``; empty for what is built in.
        where: folder it is imported from, or ``None`` when it is not known.
        is_editable: whether that folder is a working copy.
        active: who activated it; ``None`` for a hook plugin that does not run, and for all that is taken by its name.
        is_loaded: whether it was imported to look at it.
        hooks: the hooks it implements; ``None`` when that is not known.
        hook_api: version of the hook contract it was written for.
        problem: what is wrong with it, and what to do.
    """

    group: str
    name: str
    distribution: str
    target: str = ""
    where: Path | None = None
    is_editable: bool = False
    active: str | None = None
    is_loaded: bool = False
    hooks: tuple[str, ...] | None = None
    hook_api: Any = None
    problem: str | None = None


def take_inventory(config: ClientConfig, ours: Mapping[str, Distribution], *, load: bool) -> list[Item]:
    """Every item of every group.

    Args:
        config: says which hook plugins are active.
        ours: the installed distributions.
        load: import everything, to see its hooks and what is broken.
    """
    active = _active(config)
    items = list(_built_in())
    for group in discovery.GROUPS:
        for name in discovery.names(group):
            activated = active.get(name) if group == discovery.PLUGINS else None
            offered = discovery.catalog(group).get(name, []) or [_added_by_hand(group, name)]
            for extension in offered:
                item = replace(_describe(extension, ours), active=activated)
                alone = len(offered) == 1
                items.append(_loaded(item) if alone and item.problem is None and (load or activated) else item)
    return items


def missing_plugins(config: ClientConfig) -> Iterator[str]:
    """Hook plugins that are named and that nothing installed offers."""
    known = discovery.names(discovery.PLUGINS)
    for name, source in _active(config).items():
        if name not in known:
            yield (
                f"the plugin {name!r} is named in {source}, and nothing installed offers it."
                f"{suggest(name, known)} Install its distribution, or take the name out"
            )


def _active(config: ClientConfig) -> dict[str, str]:
    listed = [name for name in config.plugins if isinstance(name, str)]
    return {name: config.sources["plugins"] for name in listed if not name.startswith("-") and f"-{name}" not in listed}


def _built_in() -> Iterator[Item]:
    from ..transport.select import BUILT_IN_SCHEMES

    for scheme in BUILT_IN_SCHEMES:
        yield Item(discovery.TRANSPORTS, scheme, BUILT_IN)
    for auth in ("IAM", "APIKey", "HeaderAuth", "NoAuth"):
        yield Item(discovery.AUTH, auth, BUILT_IN)


def _added_by_hand(group: str, name: str) -> Extension:
    return Extension(name, group, "added by this process", "", lambda: None)


def _describe(extension: Extension, ours: Mapping[str, Distribution]) -> Item:
    owner = ours.get(normalise(extension.distribution.partition(" ")[0]))
    item = Item(extension.group, extension.name, extension.distribution, extension.target)
    package = extension.target.partition(":")[0].partition(".")[0]
    if not package:
        return item
    try:
        spec = find_spec(package)  # of a top-level name: looked for, not imported
    except ValueError:  # what is loaded under that name did not come from a file
        spec = None
    if spec is None:
        problem = (
            f"{extension.name!r} ({extension.distribution}) is in {extension.target}, and there is no module "
            f"{package!r}. Reinstall that distribution, or uninstall it"
        )
        return replace(item, problem=problem)
    folders = list(spec.submodule_search_locations or ())
    found = Path(folders[0]) if folders else Path(spec.origin or ".").parent
    return replace(item, where=found, is_editable=owner is not None and owner.is_editable)


def _loaded(item: Item) -> Item:
    try:
        loaded = discovery.lookup(item.group, item.name)
        item = replace(item, is_loaded=True)
        if item.group == discovery.PLUGINS:
            hooks = tuple(sorted(_hooks_of(loaded), key=_place_in_a_call))
            item = replace(item, hooks=hooks or None, hook_api=getattr(loaded, "hook_api", None))
            return replace(item, problem=_misfit(item))
        from ..domain import Domain  # brings pydantic, and whoever loads a domain has it

        wanted = {discovery.DOMAINS: Domain, discovery.COMMANDS: Command}.get(item.group)
        if wanted is not None and (isinstance(loaded, type) or not isinstance(loaded, wanted)):
            return replace(item, problem=f"{item.name!r} ({item.distribution}) is no {wanted.__name__}: {item.target}")
    except VikingDBError as error:
        return replace(item, problem=error.message)
    return item


def _hooks_of(plugin: object) -> Iterator[str]:
    """The hooks of a plugin or of its class, by their marks; those of a function that builds one are not known."""
    for name in dir(plugin):
        mark = getattr(getattr_static(plugin, name, None), "vikingdb_impl", None)
        if isinstance(mark, dict):
            hook = mark.get("specname") or name
            if hook in _hook_names() or not mark.get("optionalhook"):  # those may be of a newer core
                yield hook


def _hook_names() -> list[str]:
    """The hooks there are, in the order of a call."""
    from ..hooks.specs import HookSpecs

    return [name for name in vars(HookSpecs) if not name.startswith("_")]


def _place_in_a_call(hook: str) -> int:
    known = _hook_names()
    return known.index(hook) if hook in known else len(known)


def _misfit(item: Item) -> str | None:
    from ..hooks.activate import check_hook_api

    if item.hook_api is None:
        return f"the plugin {item.name!r} ({item.distribution}) does not say its hook_api; it is refused"
    try:
        check_hook_api(item.name, item.hook_api)
    except VikingDBError as error:
        return f"{error.message} ({item.distribution})"
    for hook in item.hooks or ():
        if hook not in _hook_names():
            return (
                f"the plugin {item.name!r} ({item.distribution}) has a hook that does not exist: {hook!r}."
                f"{suggest(hook, _hook_names())}"
            )
    return None
