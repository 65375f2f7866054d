"""Plugins that do not fit are refused when the client is built, with a sentence that says what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.unit.vector.fakes import Toy
from vikingdb_core.credentials import NoAuth
from vikingdb_core.exceptions import ConfigError, PluginConflict, PluginLoadError
from vikingdb_core.hooks import hookimpl
from vikingdb_core.version import HOOK_API


def build(*plugins: Any) -> Toy:
    return Toy(endpoint="https://h.example", auth=NoAuth(), plugins=list(plugins))


class WrongArgument:
    @hookimpl
    def before_call(self, cal: Any) -> None: ...


class TooManyArguments:
    @hookimpl
    def throttle(self, call: Any, request: Any) -> None: ...


class UnknownHook:
    @hookimpl
    def befor_call(self, call: Any) -> None: ...


class NothingLikeAHook:
    @hookimpl
    def xyzzy(self) -> None: ...


class Wrapper:
    @hookimpl(wrapper=True)
    def before_call(self, call: Any) -> Iterator[None]:
        return (yield)


class OldWrapper:
    @hookimpl(hookwrapper=True)
    def after_call(self, call: Any) -> Iterator[None]:
        yield


class Asynchronous:
    @hookimpl
    async def before_call(self, call: Any) -> None: ...


class Newer:
    hook_api = HOOK_API + 1

    @hookimpl
    def before_call(self) -> None: ...


class Older(Newer):
    hook_api = HOOK_API - 1


class Nonsense(Newer):
    hook_api = "1"


class Fits:
    @hookimpl
    def before_call(self) -> None: ...


class Unmarked:
    def before_call(self, call: Any) -> None: ...


class HalfMarked(Fits):
    def after_call(self) -> None: ...


class Yields:
    @hookimpl
    def before_call(self) -> Any:
        yield


def function(call: Any) -> None: ...


@pytest.mark.parametrize(
    ("plugin", "says"),
    [
        (
            WrongArgument(),
            r"'WrongArgument' does not fit: before_call has an argument 'cal', which that hook does not offer\. "
            r"Did you mean 'call'\? It may take: call$",
        ),
        (
            TooManyArguments(),
            r"'TooManyArguments' does not fit: throttle has an argument 'request', .* may take: call$",
        ),
        (
            UnknownHook(),
            r"'UnknownHook' does not fit: there is no hook 'befor_call'\. Did you mean 'before_call'\? The hooks ",
        ),
        (
            NothingLikeAHook(),
            r"'NothingLikeAHook' does not fit: there is no hook 'xyzzy'\. The hooks are: client_created",
        ),
        (Wrapper(), r"'Wrapper' wraps before_call; .* Use before_call and after_call, .*call\.state"),
        (OldWrapper(), r"'OldWrapper' wraps after_call"),
        (Asynchronous(), r"'Asynchronous': before_call is async; hooks are plain functions"),
        (Newer(), rf"'Newer' was written for hook API {HOOK_API + 1}, .* has {HOOK_API}; upgrade vikingdb-core"),
        (Older(), rf"'Older' was written for hook API {HOOK_API - 1}, .* has {HOOK_API}; upgrade the plugin"),
        (Nonsense(), rf"'Nonsense' has hook_api = '1'; it is a number: hook_api = {HOOK_API}"),
        (Fits, r"is a class; pass an instance: plugins=\[Fits\(\)\]"),
        (Unmarked(), r"'Unmarked' implements no hook; mark its methods with @hookimpl: client_created, before_call"),
        (HalfMarked(), r"'HalfMarked' has a method after_call without @hookimpl, so it would never run"),
        (Yields(), r"'Yields': before_call has a yield; hooks are plain functions"),
        (function, r"implements no hook; mark its methods with @hookimpl"),
        (object(), r"'object' implements no hook"),
        (None, r"'NoneType' implements no hook"),
        (5, r"'int' implements no hook"),
    ],
    ids=lambda value: "" if isinstance(value, str) else getattr(value, "__name__", type(value).__name__),
)
def test_a_plugin_that_does_not_fit_is_refused(plugin: Any, says: str) -> None:
    with pytest.raises(PluginLoadError, match=says):
        build(plugin)
    with pytest.raises(PluginLoadError, match=says):
        build(Fits(), plugin)


def test_an_optional_hook_lets_a_plugin_be_ahead_of_this_core() -> None:
    class Ahead(Fits):
        @hookimpl(optionalhook=True)
        def before_stream(self, call: Any) -> None: ...

    build(Ahead())


def named(name: str) -> Any:
    return type("Named", (Fits,), {"name": name})()


@pytest.mark.parametrize(
    "plugins",
    [
        lambda: (named("meter"), named("meter")),
        lambda: (named("meter"), Fits(), named("meter")),
        lambda: (Fits(), named("Fits")),
    ],
)
def test_two_plugins_with_one_name_are_refused(plugins: Callable[[], tuple[Any, ...]]) -> None:
    with pytest.raises(
        PluginConflict, match=r"two plugins are named '(meter|Fits)'; give one of them a different name"
    ):
        build(*plugins())


def test_two_plugins_of_one_class_get_names_of_their_own() -> None:
    assert build(Fits(), Fits(), Fits())._runtime.info.plugins == ("Fits", "Fits-2", "Fits-3")


def test_a_name_that_is_no_text_is_not_a_name() -> None:
    assert build(named(5))._runtime.info.plugins == ("Named",)  # type: ignore[arg-type]


@dataclass
class Equal(Fits):
    rate: int = 1


@pytest.mark.parametrize("plugins", [lambda: [Fits()] * 2, lambda: [Equal(), Equal()]])
def test_one_plugin_listed_twice_is_refused(plugins: Callable[[], list[Any]]) -> None:
    with pytest.raises(PluginConflict, match="is listed twice, or equals another"):
        build(*plugins())
    build(Equal(1), Equal(2))


def test_a_plugin_in_place_of_a_list_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"plugins \(from argument\)"):
        Toy(endpoint="https://h.example", auth=NoAuth(), plugins=Fits())  # type: ignore[arg-type]
