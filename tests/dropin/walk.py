"""Describe the public names of an installed ``vikingdb``, as JSON: run by the interpreter that has it.

    python walk.py MODULE [MODULE …]

For every public name of each module: what it is, how it is called, which fields or methods it has.
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
import warnings
from typing import Any


def walk(modules: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in modules:
        module = importlib.import_module(path)
        for name in sorted(getattr(module, "__all__", None) or defined(module)):
            value = getattr(module, name)
            if not inspect.ismodule(value) and is_own(value):
                found[f"{path}.{name}"] = describe(value)
    return found


def defined(module: Any) -> list[str]:
    """What a module without ``__all__`` defines itself; constants count where it defines anything else."""
    public = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    homes = {name: getattr(value, "__module__", None) for name, value in public.items()}
    has_constants = module.__name__.endswith((".client", ".exceptions"))
    return [name for name, home in homes.items() if home == module.__name__ or (home is None and has_constants)]


def is_own(value: Any) -> bool:
    """Leave out what a module merely imported from elsewhere, such as ``Optional``."""
    home = getattr(value, "__module__", None)
    return home is None or home.split(".")[0].startswith("vikingdb")


def describe(value: Any) -> dict[str, Any]:
    if not isinstance(value, type):
        return {"kind": "function", "call": call_of(value)} if callable(value) else {"kind": "value", "is": repr(value)}
    about: dict[str, Any] = {"kind": "class", "bases": [base.__name__ for base in value.__mro__[1:]]}
    if hasattr(value, "model_fields"):
        return about | {"kind": "model", "fields": {name: alias(info) for name, info in value.model_fields.items()}}
    if not issubclass(value, BaseException) or "__init__" in vars(value):
        about["call"] = call_of(value)
    about["methods"] = {
        name: call_of(getattr(value, name))
        for name in dir(value)
        if not name.startswith("_")
        and callable(getattr(value, name))
        and is_own(inspect.unwrap(getattr(value, name)))
        and not hasattr(Exception, name)
    }
    return about


def alias(info: Any) -> str | None:
    return info.serialization_alias or info.alias


def call_of(value: Any) -> list[list[Any]]:
    """Name, kind and whether it must be given, of every parameter."""
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return []
    return [[p.name, p.kind.name, p.default is p.empty] for p in parameters if p.name != "self"]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    json.dump(walk(sys.argv[1:]), sys.stdout)
