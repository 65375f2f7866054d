"""HookSet: the plugins of one client, validated and ordered once, immutable afterwards."""

from __future__ import annotations

import inspect
import logging
import math
import os
from collections.abc import Iterable
from typing import Any

import pluggy

from ..exceptions import ExtensionError, PluginConflict, PluginError, PluginLoadError, VikingDBError
from ..hints import suggest
from ..messages import Draft, Response
from ..version import HOOK_API
from .activate import check_hook_api
from .call import Call
from .specs import HookSpecs

_log = logging.getLogger("vikingdb.plugins")
_HOOKS = tuple(name for name in vars(HookSpecs) if not name.startswith("_"))


class HookSet:
    """Runs hooks. Built from ``(name, plugin)`` pairs in the order the user listed them.

    Raises:
        PluginLoadError: a plugin has an unknown hook, a wrong argument, a wrapper, or another hook API.
        PluginConflict: two plugins have one name.
    """

    def __init__(self, plugins: Iterable[tuple[str, object]] = ()) -> None:
        self._manager = pluggy.PluginManager("vikingdb")
        self._manager.add_hookspecs(HookSpecs)
        listed = list(plugins)
        self.names = tuple(name for name, _ in listed)
        for name in self.names:
            if self.names.count(name) > 1:
                raise PluginConflict(f"two plugins are named {name!r}; give one of them a different name attribute")
        # pluggy calls the last registered first; reversed, the list order is the call order.
        for name, plugin in reversed(listed):
            self._register(name, plugin)
        self._impls = {hook: getattr(self._manager.hook, hook).get_hookimpls() for hook in _HOOKS}
        self._loud = os.environ.get("VIKINGDB_PLUGIN_ERRORS") == "raise"
        self._reported: set[tuple[str, str]] = set()

    def _register(self, name: str, plugin: object) -> None:
        check_hook_api(name, getattr(plugin, "hook_api", HOOK_API))
        if isinstance(plugin, type):
            raise PluginLoadError(f"plugin {name!r} is a class; pass an instance: plugins=[{plugin.__name__}()]")
        try:
            self._manager.register(plugin, name)
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            raise PluginLoadError(f"plugin {name!r} does not fit: {_misfit(plugin, str(error))}") from error
        except ValueError as error:  # pluggy knows plugins by equality
            raise PluginConflict(f"plugin {name!r} is listed twice, or equals another; list it once") from error
        callers = self._manager.get_hookcallers(plugin) or []
        if not callers:
            raise PluginLoadError(
                f"plugin {name!r} implements no hook; mark its methods with @hookimpl: {', '.join(_HOOKS)}"
            )
        marked = {caller.name for caller in callers}
        for hook in _HOOKS:
            if hook not in marked and callable(getattr(type(plugin), hook, None)):
                raise PluginLoadError(f"plugin {name!r} has a method {hook} without @hookimpl, so it would never run")
        for caller in callers:
            for impl in caller.get_hookimpls():
                if impl.plugin is plugin and inspect.iscoroutinefunction(impl.function):
                    raise PluginLoadError(f"plugin {name!r}: {caller.name} is async; hooks are plain functions")
                if impl.plugin is plugin and (impl.wrapper or impl.hookwrapper):
                    raise PluginLoadError(
                        f"plugin {name!r} wraps {caller.name}; a wrapper cannot span I/O. Use before_call and "
                        "after_call, and keep what they share in call.state"
                    )
                if impl.plugin is plugin and inspect.isgeneratorfunction(impl.function):
                    raise PluginLoadError(f"plugin {name!r}: {caller.name} has a yield; hooks are plain functions")

    def listens(self, hook: str) -> bool:
        """Whether any plugin implements a hook."""
        return bool(self._impls[hook])

    def observe(self, hook: str, **arguments: Any) -> None:
        """Tell every observer; none can stop another or the call."""
        for impl in self._impls[hook]:
            try:
                impl.function(*[arguments[name] for name in impl.argnames])
            except Exception as error:
                if self._loud:
                    raise PluginError(
                        f"plugin {impl.plugin_name!r} raised in {hook}: {error!r}", plugin=impl.plugin_name, hook=hook
                    ) from error
                self._report_once(impl.plugin_name, hook)

    def _report_once(self, plugin: str, hook: str) -> None:
        if (plugin, hook) not in self._reported:
            self._reported.add((plugin, hook))
            _log.exception("plugin %r raised in %s; the call goes on, further errors there stay silent", plugin, hook)

    def gate(self, hook: str, **arguments: Any) -> list[Any]:
        """Ask every gate; answers that are not ``None``, in call order. For ``firstresult`` hooks at most one."""
        first_only = hook in ("respond", "should_retry")
        answers: list[Any] = []
        for impl in reversed(self._impls[hook]):
            try:
                answer = impl.function(*[arguments[name] for name in impl.argnames])
            except VikingDBError:
                raise
            except Exception as error:
                raise PluginError(
                    f"plugin {impl.plugin_name!r} stopped the call in {hook}: {error!r}",
                    plugin=impl.plugin_name,
                    hook=hook,
                ) from error
            if answer is not None:
                answers.append(answer)
                if first_only:
                    break
        return answers

    def throttle(self, call: Call) -> float:
        """Seconds to wait before the next attempt."""
        if not self.listens("throttle"):
            return 0.0
        waits = self.gate("throttle", call=call)
        for seconds in waits:
            if not isinstance(seconds, int | float) or not math.isfinite(seconds):
                raise ExtensionError(f"a plugin's throttle hook returned {seconds!r}, not a number of seconds")
        return max(waits, default=0.0)

    def respond(self, call: Call, request: Draft) -> Response | None:
        """A plugin's answer in the network's place."""
        if not self.listens("respond"):
            return None
        answers = self.gate("respond", call=call, request=request)
        if answers and not isinstance(answers[0], Response):
            raise ExtensionError(f"a plugin's respond hook returned {type(answers[0]).__name__}, not a Response")
        return answers[0] if answers else None


def _misfit(plugin: object, problem: str) -> str:
    """What pluggy found, in one sentence that says what would fit."""
    unknown = problem.partition("unknown hook '")[2].partition("'")[0]
    if unknown:
        return f"there is no hook {unknown!r}.{suggest(unknown, _HOOKS)} The hooks are: {', '.join(_HOOKS)}"
    hook = problem.partition("for hook '")[2].partition("'")[0]
    offered = _parameters(getattr(HookSpecs, hook, None))[1:]  # without self
    wrong = [name for name in _parameters(getattr(plugin, hook, None)) if name not in offered]
    if not wrong:
        return problem
    return (
        f"{hook} has an argument {wrong[0]!r}, which that hook does not offer.{suggest(wrong[0], offered)} "
        f"It may take: {', '.join(offered)}"
    )


def _parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters) if callable(function) else []
