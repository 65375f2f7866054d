"""The public names and their signatures, as a file that changes only on purpose.

After an intended change: ``python -m tests.architecture.test_public_api`` writes the file anew; review the difference.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel

SNAPSHOT = Path(__file__).with_name("public_api.txt")
MODULES = [
    "vikingdb",
    "vikingdb.auth",
    "vikingdb.config",
    "vikingdb.credentials",
    "vikingdb.exceptions",
    "vikingdb.request_options",
    "vikingdb.transport",
    "vikingdb.vector",
    "vikingdb.vector.exceptions",
    "vikingdb_core",
    "vikingdb_core.commands",
    "vikingdb_core.credentials",
    "vikingdb_core.discovery",
    "vikingdb_core.exceptions",
    "vikingdb_core.filters",
    "vikingdb_core.hooks",
    "vikingdb_core.hooks.specs",
    "vikingdb_core.retry",
    "vikingdb_core.transport",
]


def describe() -> Iterator[str]:
    for module_name in MODULES:
        module = importlib.import_module(module_name)
        for name in sorted(getattr(module, "__all__", None) or _own_names(module)):
            yield from _describe(f"{module_name}.{name}", getattr(module, name))


def _own_names(module: Any) -> list[str]:
    return [name for name, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__]


def _describe(path: str, value: Any) -> Iterator[str]:
    home = getattr(value, "__module__", None)
    if inspect.ismodule(value) or not callable(value):
        yield path
    elif isinstance(value, type) and issubclass(value, BaseModel):
        yield f"{path}({', '.join(sorted(value.model_fields))})"
    elif isinstance(value, type) and issubclass(value, Enum):
        yield f"{path}({', '.join(member.name for member in value)})"
    elif isinstance(value, type) and issubclass(value, Exception):
        yield f"{path}({', '.join(base.__name__ for base in value.__bases__)})"
    elif isinstance(value, type) and home is not None:
        yield f"{path}{_signature(value)}"
        if path.startswith(("vikingdb.vector.", "vikingdb_core.")):
            for name in sorted(vars(value)):
                if not name.startswith("_") and callable(getattr(value, name)):
                    yield f"{path}.{name}{_signature(getattr(value, name))}"
    else:
        yield f"{path}{_signature(value)}"


def _signature(value: Any) -> str:
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return ""
    shown = [
        parameter.replace(annotation=inspect.Parameter.empty, default=_default(parameter.default))
        for parameter in parameters
        if parameter.name != "self"
    ]
    return str(inspect.Signature(shown))


def _default(value: Any) -> Any:
    """The default, when its repr is the same everywhere."""
    plain = value is inspect.Parameter.empty or isinstance(value, str | int | float | tuple | None)
    return value if plain else ...


def test_the_public_names_are_those_of_the_snapshot() -> None:
    recorded = SNAPSHOT.read_text(encoding="utf-8").splitlines()
    assert list(describe()) == recorded, "on purpose? Then: python -m tests.architecture.test_public_api"


if __name__ == "__main__":
    SNAPSHOT.write_text("\n".join(describe()) + "\n", encoding="utf-8")
