"""The shape of collections and indexes, in the control plane's words."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from pydantic import AliasGenerator, ConfigDict
from pydantic.alias_generators import to_pascal

from vikingdb_core.models import RequestModel, ResponseModel

_SPELLED = {"ndim": "NDim"}


def wire_name(name: str) -> str:
    """``collection_name`` to ``CollectionName``."""
    return _SPELLED.get(name) or to_pascal(name)


PASCAL = ConfigDict(alias_generator=AliasGenerator(validation_alias=wire_name, serialization_alias=wire_name))


class FieldType(StrEnum):
    """Types a field can have."""

    INT64 = "int64"
    FLOAT32 = "float32"
    STRING = "string"
    BOOL = "bool"
    LIST_STRING = "list<string>"
    LIST_INT64 = "list<int64>"
    VECTOR = "vector"
    SPARSE_VECTOR = "sparse_vector"
    TENSOR = "tensor"
    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    DATE_TIME = "date_time"
    GEO_POINT = "geo_point"
    LIST_GEO_POINT = "list<geo_point>"


class IndexType(StrEnum):
    """How an index searches."""

    HNSW = "hnsw"
    HNSW_HYBRID = "hnsw_hybrid"
    FLAT = "flat"
    DISKANN = "diskann"


class Distance(StrEnum):
    """How vectors are compared."""

    IP = "ip"
    COSINE = "cosine"
    L2 = "l2"


class Quant(StrEnum):
    """How vectors are stored."""

    INT8 = "int8"
    FIX16 = "fix16"
    FLOAT = "float"
    PQ = "pq"


class ShapeModel(RequestModel):
    """Base of what is both sent and returned in the control plane's PascalCase."""

    model_config = PASCAL


class CollectionField(ShapeModel):
    """One field of a collection.

    Attributes:
        field_name: a letter, then letters, digits and underscores; at most 128 bytes.
        field_type: one of :class:`FieldType`.
        dim: of a vector, 4 to 4096 by fours.
        is_primary_key: an int64 or string field may be it; without one the service makes ids (``__AUTO_ID__``).
        default_value: what a row gets that lacks the field.
        ndim: of a tensor.
        shape: of a tensor.
    """

    field_name: str
    field_type: FieldType | str
    dim: int | None = None
    is_primary_key: bool | None = None
    default_value: Any = None
    ndim: int | None = None
    shape: Sequence[int] | None = None


class VectorizeInstruction(ShapeModel):
    """Text the model is told before the input."""

    auto_fill: bool | None = None
    content: str | None = None


class VectorizeModel(ShapeModel):
    """Which model embeds which field.

    Attributes:
        model_name: such as ``bge-m3``.
        model_version: needed by doubao and skylark models.
        text_field: a text field of the collection.
        image_field: an image field.
        video_field: a video field.
        dim: dense dimension, when the model offers several.
    """

    model_name: str
    model_version: str | None = None
    text_field: str | None = None
    image_field: str | None = None
    video_field: str | None = None
    dim: int | None = None
    ndim: int | None = None
    shape: Sequence[int] | None = None
    tensor_quant_type: str | None = None
    instruction: VectorizeInstruction | None = None


class Vectorize(ShapeModel):
    """Let the service embed rows as they are written."""

    dense: VectorizeModel | None = None
    sparse: VectorizeModel | None = None
    tensor: VectorizeModel | None = None


class Analyzer(ShapeModel):
    """How text becomes words: ``standard``, ``zh`` or ``whitespace``."""

    tokenizer: str | None = None
    tokenizers: Sequence[str] | None = None
    stop_words_filters: Sequence[str] | None = None
    character_converters: Sequence[str] | None = None


class FullText(ShapeModel):
    """Make a text field searchable by keywords."""

    field: str
    analyzer: Analyzer | None = None


class Tag(ShapeModel):
    """A label of the account's own."""

    key: str
    value: str | None = None


class VectorIndex(ShapeModel):
    """How an index searches vectors.

    Attributes:
        index_type: one of :class:`IndexType`.
        distance: one of :class:`Distance`.
        quant: one of :class:`Quant`.
    """

    index_type: IndexType | str | None = None
    distance: Distance | str | None = None
    quant: Quant | str | None = None
    hnsw_m: int | None = None
    hnsw_cef: int | None = None
    hnsw_sef: int | None = None
    diskann_m: int | None = None
    diskann_cef: int | None = None
    pq_code_ratio: float | None = None
    cache_ratio: float | None = None


class CollectionStats(ResponseModel):
    """How much a collection holds."""

    model_config = PASCAL

    data_count: int | None = None
    data_storage: float | int | str | None = None
