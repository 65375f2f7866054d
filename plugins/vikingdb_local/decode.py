"""Decode: request bytes to the operation's own request model, as strictly as a server must be.

The models are the client's, and lenient: they coerce, they accept Python names beside wire names, and they keep what
they do not know. Here a parameter the engine does not know is refused, since ignoring it could change the result
unseen, and so is a value of another JSON type. ``null`` is "not given" wherever a parameter is optional.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar, get_args

import orjson
from pydantic import ValidationError

from vikingdb_core.exceptions import InvalidRequest
from vikingdb_core.hints import suggest
from vikingdb_core.models import RequestModel

from .errors import invalid, json_type, missing, shown

Req = TypeVar("Req", bound=RequestModel)


def read_body(body: bytes) -> dict[str, Any]:
    """The JSON object of a request body."""
    try:
        document = orjson.loads(body)
    except ValueError as error:
        raise invalid(f"the request body is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise invalid(f"the request body must be a JSON object, not {json_type(document)}")
    return document


def read_request(model: type[Req], body: Mapping[str, Any]) -> Req:
    """The request model of a body."""
    known = _known(model, body, "")
    try:
        request = model.read(known)
    except InvalidRequest as error:
        raise _explain(error, known) from error
    _refuse_coerced(known, request, "")
    assert isinstance(request, model)
    return request


@cache
def wire_names(model: type[RequestModel]) -> Mapping[str, tuple[str, type[RequestModel] | None]]:
    """Wire name of every field to its Python name and, if it holds requests in turn, their model."""
    model.model_rebuild()  # aliases are generated with the schema, which is built late
    return {
        info.validation_alias if isinstance(info.validation_alias, str) else name: (name, _nested(info.annotation))
        for name, info in model.model_fields.items()
    }


def _nested(annotation: Any) -> type[RequestModel] | None:
    if isinstance(annotation, type) and not get_args(annotation) and issubclass(annotation, RequestModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _nested(part))), None)


def _known(model: type[RequestModel], body: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The body without unknown nulls; any other unknown parameter is refused."""
    names = wire_names(model)
    kept: dict[str, Any] = {}
    for name, value in body.items():
        if name in names:
            nested = names[name][1]
            kept[name] = _known_within(nested, value, f"{path}{name}") if nested else value
        elif name in model.locators:
            kept[name] = value
        elif value is not None:
            hint = suggest(name, [*names, *model.locators])
            raise invalid(
                f"the local engine knows no parameter {shown(path + name, 80)}.{hint} Correct it or leave it out"
            )
    return kept


def _known_within(model: type[RequestModel], value: Any, path: str) -> Any:
    if isinstance(value, Mapping):
        return _known(model, value, f"{path}.")
    if isinstance(value, list):
        return [_known_within(model, item, f"{path}[{position}]") for position, item in enumerate(value)]
    return value


def _refuse_coerced(raw: Any, read: Any, path: str) -> None:
    if raw is read or raw is None:
        return
    if isinstance(read, RequestModel):
        for wire, (name, _) in wire_names(type(read)).items():
            if wire in raw:
                _refuse_coerced(raw[wire], getattr(read, name), f"{path}.{wire}" if path else wire)
    elif isinstance(read, list | tuple):
        for position, (before, after) in enumerate(zip(raw, read, strict=True)):
            if before is not after:  # most are, and paths take time
                _refuse_coerced(before, after, f"{path}[{position}]")
    elif isinstance(read, Mapping):
        for name, after in read.items():
            if (before := raw.get(name, after)) is not after:
                _refuse_coerced(before, after, f"{path}.{name}")
    elif not _is_same_type(raw, read):
        raise invalid(f"{path} must be {json_type(read)}, not {json_type(raw)}")


def _is_same_type(raw: Any, read: Any) -> bool:
    if isinstance(read, bool) or isinstance(raw, bool):
        return isinstance(read, bool) and isinstance(raw, bool)
    if isinstance(read, float):
        return isinstance(raw, int | float)
    return isinstance(raw, int) if isinstance(read, int) else isinstance(raw, str)


def _explain(error: InvalidRequest, body: Mapping[str, Any]) -> Exception:
    cause = error.__cause__
    if not isinstance(cause, ValidationError):
        return invalid(str(error))
    problems = cause.errors(include_url=False, include_input=False)
    absent = [_path(item["loc"], body, known_only=False) for item in problems if item["type"] == "missing"]
    if absent and len(absent) == len(problems):
        return missing(f"required and not given: {', '.join(absent)}")
    by_path: dict[str, list[str]] = {}
    for item in problems:
        if item["type"] != "missing":
            by_path.setdefault(_path(item["loc"], body), []).append(item["msg"])
    return invalid(
        "; ".join(f"{path}: {' or '.join(dict.fromkeys(words))}" for path, words in list(by_path.items())[:3])
    )


def _path(location: tuple[int | str, ...], body: Any, *, known_only: bool = True) -> str:
    """Where in the body. Pydantic adds the names of union members, which are nowhere in it."""
    path = ""
    for part in location:
        inside = (isinstance(body, Mapping) and part in body) or (
            isinstance(body, list) and isinstance(part, int) and part < len(body)
        )
        if known_only and not inside:
            break
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
        body = body[part] if inside else None
    return path or "body"
