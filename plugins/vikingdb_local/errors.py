"""Errors: what the service says when it says no, and the one map from its codes to HTTP statuses."""

from __future__ import annotations

from collections.abc import Mapping

STATUSES: Mapping[str, int] = {
    "MissingParameter": 400,
    "InvalidParameter": 400,
    "InvalidActionOrVersion": 400,
    "OperationDenied": 400,
    "AccessDenied": 403,
    "NotFound": 404,
    "AlreadyExists": 409,
    "TooManyRequests": 429,
    "InternalError": 500,
    "NotImplemented": 501,
}
"""HTTP status of a code, or of its part before the dot."""

COLLECTION = "VikingdbCollection"
INDEX = "VikingdbIndex"
DATA = "VikingdbData"
TASK = "VikingdbTask"


class ServiceError(Exception):
    """A request the service refuses.

    Attributes:
        code: the service's code, such as ``NotFound.VikingdbCollection``.
        message: what is wrong and what to do; it goes to the caller.
        status: of HTTP; that of the code, unless another is asked for.
    """

    def __init__(self, code: str, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = STATUSES[code.partition(".")[0]] if status is None else status


def missing(message: str) -> ServiceError:
    """A required parameter is absent."""
    return ServiceError("MissingParameter", message)


def invalid(message: str) -> ServiceError:
    """A parameter has the wrong type, format or value."""
    return ServiceError("InvalidParameter", message)


def denied(kind: str, message: str) -> ServiceError:
    """The state of the thing forbids it."""
    return ServiceError(f"OperationDenied.{kind}", message)


def not_found(kind: str, message: str) -> ServiceError:
    return ServiceError(f"NotFound.{kind}", message)


def already_exists(kind: str, message: str) -> ServiceError:
    return ServiceError(f"AlreadyExists.{kind}", message)


def not_implemented(what: str, instead: str = "") -> ServiceError:
    """The managed service can do it, this engine cannot (yet)."""
    return ServiceError(
        "NotImplemented", f"the local engine does not support {what} yet{'; ' + instead if instead else ''}"
    )


def shown(value: object, longest: int = 40) -> str:
    """A value as an error message may quote it: never a long one."""
    text = repr(value)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def json_type(value: object) -> str:
    """What a value is called in JSON, with its article."""
    if value is None:
        return "null"
    for kind, name in _JSON_TYPES:
        if isinstance(value, kind):
            return name
    return type(value).__name__


_JSON_TYPES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "a boolean"),
    (int, "an integer"),
    (float, "a number with a fraction or an exponent"),
    (str, "a string"),
    ((list, tuple), "an array"),
    (Mapping, "an object"),
)
