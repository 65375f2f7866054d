"""Models: the base classes of everything that crosses the wire.

Requests are checked when they are built, and a mistake is one ``InvalidRequest``. Responses are read leniently: the
service may add fields, send ``null`` for an empty list, or an integer where a string was documented.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from .exceptions import InvalidRequest
from .hints import outside_stacklevel, suggest


class UnknownFieldWarning(UserWarning):
    """A request carries a field this SDK does not know. It is sent all the same: the service grows."""


class Model(BaseModel):
    """Base of all models: fields by Python name or wire name, unknown fields kept."""

    model_config = ConfigDict(
        populate_by_name=True,
        extra="allow",
        defer_build=True,
        arbitrary_types_allowed=True,
        protected_namespaces=(),
    )


class _Signature:
    """What a notebook shows of a model. It is built when it is first used, and pydantic knows its fields only then."""

    def __get__(self, model: object, kind: type[BaseModel]) -> inspect.Signature:
        kind.model_rebuild()
        shown: inspect.Signature = vars(kind)["__signature__"].__get__(None, kind)
        return shown


class RequestModel(Model):
    """A request body, or a part of one.

    Raises:
        InvalidRequest: on construction, naming each wrong field.
    """

    locators: ClassVar[frozenset[str]] = frozenset()
    """Wire names that address the resource; a handle fills them in, so they are no unknown fields."""

    knows_its_fields: ClassVar[bool] = True
    """Whether a field it has no name for is worth a warning."""

    required: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Groups of locators of which one must be given."""

    __signature__: ClassVar[Any] = _Signature()

    def __init__(self, /, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise InvalidRequest(explain_validation(type(self).__name__, error)) from error

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> RequestModel:
        """Build from a mapping of Python or wire names."""
        if not all(isinstance(name, str) for name in body):
            raise InvalidRequest(f"{cls.__name__}: field names must be str")
        return cls(**body)

    def to_wire(self) -> dict[str, Any]:
        """The JSON object: wire names, ``None`` left out. User rows and arrays are passed through untouched."""
        body: dict[str, Any] = {}
        for name, wire in _wire_names(type(self)):
            value = getattr(self, name)
            if value is not None:
                body[wire] = _wire_value(value)
        for name, value in (self.__pydantic_extra__ or {}).items():
            if value is not None:
                if self.knows_its_fields and name not in self.locators:
                    _warn_once(type(self), name)
                body[name] = _wire_value(value)
        return body


@lru_cache(1024)
def _wire_names(model: type[RequestModel]) -> tuple[tuple[str, str], ...]:
    """Every field by its name and its wire name."""
    model.model_rebuild()  # aliases are generated with the schema, which is built late
    fields = model.model_fields.items()
    return tuple((name, info.serialization_alias or info.alias or name) for name, info in fields)


def _wire_value(value: Any) -> Any:
    if hasattr(value, "to_wire"):  # nested models and filters
        return value.to_wire()
    if isinstance(value, list | tuple) and value and isinstance(value[0], RequestModel | list | tuple):
        return [_wire_value(item) for item in value]
    return value


class ResponseModel(Model):
    """A response, or a part of one. ``null`` reads as absent, so that defaults apply."""

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, data: Any) -> Any:
        # Most are dicts, which is sooner seen so.
        if (type(data) is dict or isinstance(data, Mapping)) and None in data.values():
            return {name: value for name, value in data.items() if value is not None}
        return data

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Only what the service said: a hit has a dozen fields it may fill and fills three."""
        return [(name, value) for name, value in super().__repr_args__() if value is not None]


class AnyRequest(RequestModel):
    """A body of any shape: what raw operations send."""

    knows_its_fields: ClassVar[bool] = False


class Envelope(ResponseModel):
    """What every response has around its result.

    Attributes:
        code: ``Success``, or the service's code.
        message: one sentence of the service.
        request_id: the service's id for the request.
        api: name of the API, when the service says it.
    """

    code: str | int | None = None
    message: str | None = None
    request_id: str | None = None
    api: str | None = None


class AnyResponse(Envelope):
    """An envelope with a result of any shape."""

    result: Any = None


def explain_validation(what: str, error: ValidationError) -> str:
    """One line for all mistakes pydantic found, without echoing the values."""
    problems = [
        f"{_path(item['loc'])}: {_plain(item)}" for item in error.errors(include_url=False, include_input=False)
    ]
    shown = "; ".join(problems[:3]) + (f"; and {len(problems) - 3} more" if len(problems) > 3 else "")
    return f"{what}: {shown}"


def _plain(item: Any) -> str:
    cause = item.get("ctx", {}).get("error")
    return str(cause) if cause is not None else str(item["msg"])  # without pydantic's "Value error, "


def _path(location: Iterable[str | int]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path or "body"


_warned: set[tuple[type, str]] = set()


def _warn_once(model: type[RequestModel], name: str) -> None:
    if (model, name) in _warned:
        return
    _warned.add((model, name))
    hint = suggest(name, model.model_fields)
    warnings.warn(
        f"{model.__name__} has no field {name!r}; it is sent to the service as it is.{hint}",
        UnknownFieldWarning,
        stacklevel=outside_stacklevel(),
    )
