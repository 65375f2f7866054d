"""Methods: the clients and handles of a domain, what they offer, and which operations they call."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

from vikingdb_core.client import BaseClient
from vikingdb_core.operation import Operation
from vikingdb_core.resource import AsyncResource, Resource

_DEPTH = 4


def modules_of(package: str) -> list[ModuleType]:
    """The package and every module below it."""
    root = importlib.import_module(package)
    found = [root]
    for entry in pkgutil.walk_packages(getattr(root, "__path__", []), f"{package}.", onerror=lambda _: None):
        if not entry.name.endswith("__main__"):
            found.append(importlib.import_module(entry.name))
    return found


def handles_of(modules: list[ModuleType]) -> list[type[Resource]]:
    """The sync handles that these modules define."""
    return [
        kind
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type)
        and issubclass(kind, Resource)
        and not issubclass(kind, AsyncResource)
        and kind.__module__ == module.__name__
    ]


def async_twin(handle: type[Resource], modules: list[ModuleType]) -> type[AsyncResource] | None:
    """The async handle of the same name, ``Async…``."""
    for module in modules:
        twin = vars(module).get(f"Async{handle.__name__}")
        if isinstance(twin, type) and issubclass(twin, AsyncResource):
            return twin
    return None


def offered(kind: type) -> dict[str, Any]:
    """What a client or a handle offers, by name, without what all of them have."""
    common = set(dir(Resource if issubclass(kind, Resource) else BaseClient))
    return {name: getattr(kind, name) for name in dir(kind) if not name.startswith("_") and name not in common}


def signature(member: Any) -> str:
    """Names, order and defaults of a method's arguments; empty for what is no method."""
    if not callable(member):
        return ""
    parameters = inspect.signature(member).parameters.values()
    return str(inspect.Signature([parameter.replace(annotation=inspect.Parameter.empty) for parameter in parameters]))


def operations_called(method: Callable[..., Any]) -> list[Operation[Any, Any]]:
    """The operations that a method's code names, itself or through functions that it names."""
    function = inspect.unwrap(method)
    return list(_named(function, _DEPTH)) if isinstance(function, FunctionType) else []


def _named(function: FunctionType, depth: int) -> Iterator[Operation[Any, Any]]:
    names = set(_names(function.__code__))
    for name in names:
        value = function.__globals__.get(name)
        # operations.READ: the module is one name, the operation another.
        candidates = [vars(value).get(other) for other in names] if isinstance(value, ModuleType) else [value]
        for found in candidates:
            if isinstance(found, Operation):
                yield found
            elif isinstance(found, FunctionType) and depth and found.__module__.startswith(_root(function)):
                yield from _named(found, depth - 1)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):  # a lambda, an inner function
            yield from _names(constant)


def _root(function: FunctionType) -> str:
    return function.__module__.partition(".")[0]
