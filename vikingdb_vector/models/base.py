"""Bases and types the vector models share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Protocol, TypeVar

from pydantic import BeforeValidator, PlainValidator

from vikingdb_core.filters import Filter
from vikingdb_core.models import Envelope, RequestModel, ResponseModel

LOCATORS = frozenset({"collection_name", "resource_id", "project_name", "index_name"})

AnyResult = TypeVar("AnyResult", bound=ResponseModel)


def _check_filter(value: Any) -> Any:
    if not isinstance(value, Filter | Mapping):
        hint = "; the wire has no filter text, build one with F" if isinstance(value, str) else ""
        raise ValueError(f"a filter is built with F or given as a mapping, not {type(value).__name__}{hint}")
    return value


FilterLike = Annotated[Filter | Mapping[str, Any], PlainValidator(_check_filter)]
"""A typed filter, or the JSON of spec section "filter language"."""


def _check_id(value: Any) -> Any:
    # Read leniently, True would be the row 1.
    if isinstance(value, bool | bytes):
        raise ValueError(f"an id is an integer or a string, not {type(value).__name__}")
    return value


Id = Annotated[int | str, BeforeValidator(_check_id)]
"""A primary key: an integer of 64 bits or a string. ``1`` and ``"1"`` are different rows."""


class SupportsArray(Protocol):
    """A numpy array, or anything that can become one."""

    def __array__(self, *args: Any, **kwargs: Any) -> Any: ...


def _check_vector(value: Any) -> Any:
    if hasattr(value, "__array__"):
        if getattr(value, "ndim", 1) != 1:
            raise ValueError(f"a vector has one dimension, this array has {value.ndim}")
        return value
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        # One pass in C over a thousand numbers; only what is not a plain number is looked at in Python.
        for kind in set(map(type, value)) - {float, int}:
            if kind is bool or not hasattr(kind, "__float__"):
                position = next(place for place, number in enumerate(value) if type(number) is kind)
                raise ValueError(f"position {position} is {kind.__name__}, not a number")
        return value
    raise ValueError(f"a vector is a sequence of numbers or an array, not {type(value).__name__}")


Vector = Annotated[Sequence[float] | SupportsArray, PlainValidator(_check_vector)]
"""Numbers, as a list, a tuple or a numpy array, as many as the field's dimension."""


class DataRequest(RequestModel):
    """Base of the data plane's requests. A handle adds its locator."""

    locators: ClassVar[frozenset[str]] = LOCATORS
    required: ClassVar[tuple[tuple[str, ...], ...]] = (("collection_name", "resource_id"),)


class IndexDataRequest(DataRequest):
    """Base of the requests on an index."""

    required: ClassVar[tuple[tuple[str, ...], ...]] = (*DataRequest.required, ("index_name",))


class CollectionMeta(RequestModel):
    """Which collection: by name (in a project, ``default`` unless named) or by resource id."""

    collection_name: str | None = None
    project_name: str | None = None
    resource_id: str | None = None


class IndexMeta(CollectionMeta):
    """Which index of which collection."""

    index_name: str | None = None


class CommonResponse(Envelope):
    """The envelope alone."""


class DataApiResponse(Envelope):
    """An envelope with a result of any shape, or none."""

    result: Any = None

    @classmethod
    def parse_with(cls, payload: Mapping[str, Any], result_model: type[AnyResult] | None = None) -> DataApiResponse:
        """Read a payload, and its result with a model of its own."""
        response = cls.model_validate(payload)
        if result_model is not None and payload.get("result") is not None:
            response.result = result_model.model_validate(payload["result"])
        return response


class PaginationResponse(ResponseModel):
    """Where a listing stands."""

    total: int | None = None
    page: int | None = None
    page_size: int | None = None
