"""The parity checklist of docs/python_sdk_design.md, read into claims, and the options there are to be claimed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, get_args

from vikingdb_core.models import RequestModel
from vikingdb_core.operation import Operation
from vikingdb_vector.domain import DOMAIN
from vikingdb_vector.models.base import DataRequest

PAGE = Path(__file__).parents[2] / "docs" / "python_sdk_design.md"
COLUMNS = ("python", "go", "java", "ours", "embedded")
OPERATIONS = {operation.name: operation for operation in DOMAIN.operations}

_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Row:
    """A row: the names in its first cell, the cells between, and a value for each column, without its note.

    ``excepted`` are the names in the note of the last column.
    """

    names: tuple[str, ...]
    middle: tuple[str, ...]
    excepted: tuple[str, ...]
    python: str
    go: str
    java: str
    ours: str
    embedded: str


@dataclass(frozen=True)
class Table:
    """A table. ``subjects`` are the names in the first cell of its head: what its rows belong to."""

    subjects: tuple[str, ...]
    rows: tuple[Row, ...]

    def operations(self) -> list[str]:
        """Operations its rows hold for."""
        return [name for name in OPERATIONS if any(fnmatchcase(name, subject) for subject in self.subjects)]


def tables(kind: str) -> list[Table]:
    """The checklist's tables whose head begins with a word."""
    text = PAGE.read_text(encoding="utf-8").partition("\n## Parity checklist\n")[2]
    blocks = re.findall(rf"^\| {kind} (?:.*\n\|)+.*$", text, re.MULTILINE)
    return [_table(block.splitlines()) for block in blocks]


def _table(lines: list[str]) -> Table:
    head, _, *body = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return Table(_names(head[0]), tuple(_row(cells) for cells in body))


def _row(cells: list[str]) -> Row:
    values = [cell.partition(",")[0] for cell in cells[-len(COLUMNS) :]]
    return Row(_names(cells[0]), tuple(cells[1 : -len(COLUMNS)]), _names(cells[-1]), *values)


def _names(cell: str) -> tuple[str, ...]:
    return tuple(_CODE.findall(cell))


def claims() -> dict[tuple[str, str], list[Row]]:
    """Operation and option to the rows that name it. An option that does not exist has operation ``""``."""
    found: dict[tuple[str, str], list[Row]] = {}
    for table in tables("option"):
        known = {name: options_of(OPERATIONS[name]) for name in table.operations()}
        for row in table.rows:
            for named in row.names:
                meant = [(name, option) for name, options in known.items() for option in options if _is(option, named)]
                for key in meant or [("", f"{named} of {', '.join(table.subjects)}")]:
                    found.setdefault(key, []).append(row)
    return found


def _is(option: str, named: str) -> bool:
    return option.startswith(named[:-1]) if named.endswith(".*") else option == named


def options_of(operation: Operation[Any, Any]) -> list[str]:
    """Every option of an operation by its wire name, those of nested models as ``outer.inner``."""
    return [*_locators(operation.request), *(path for path, _ in fields_of(operation.request))]


def fields_of(model: type[RequestModel], prefix: str = "") -> Iterator[tuple[str, tuple[type[RequestModel], str]]]:
    """Path of every field of a request model, with the model and the wire name it has there."""
    model.model_rebuild()  # aliases are made with the schema, which is built late
    for name, info in model.model_fields.items():
        wire = info.serialization_alias or info.alias or name
        yield prefix + wire, (model, wire)
        nested = _nested(info.annotation)
        if nested is not None:
            yield from fields_of(nested, f"{prefix}{wire}.")


def _nested(annotation: Any) -> type[RequestModel] | None:
    if isinstance(annotation, type) and not get_args(annotation) and issubclass(annotation, RequestModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _nested(part))), None)


def _locators(model: type[RequestModel]) -> list[str]:
    """What a handle adds to the body. On the control plane these are fields like others."""
    if not issubclass(model, DataRequest):
        return []
    required = {name for alternatives in model.required for name in alternatives}
    return sorted(required | {"project_name"})
