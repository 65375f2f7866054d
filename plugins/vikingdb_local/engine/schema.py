"""Schema: what a collection's rows look like, as the engine works with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

from vikingdb_vector.models import FieldType

from ..embedding.models import Model

AUTO_ID = "__AUTO_ID__"
"""Name of the key the service makes for collections without a primary key."""

TYPE_DEFAULTS: Mapping[FieldType, Any] = {
    FieldType.INT64: 0,
    FieldType.FLOAT32: 0.0,
    FieldType.STRING: "default",
    FieldType.BOOL: False,
    FieldType.LIST_STRING: ["default"],
    FieldType.LIST_INT64: [0],
}
"""What a row gets for a field that neither it nor the field's DefaultValue says. Other types have to be given."""

SPARSE = "__SPARSE__"
"""Name under which rows keep sparse vectors that the engine made. No field can be called so."""

INDEXABLE = frozenset({*TYPE_DEFAULTS, FieldType.DATE_TIME, FieldType.GEO_POINT})
"""Types a scalar index may cover, and so a filter may use."""


VECTORS = frozenset({FieldType.VECTOR, FieldType.SPARSE_VECTOR, FieldType.TENSOR})
OPTIONAL = frozenset({FieldType.SPARSE_VECTOR, FieldType.TENSOR, FieldType.IMAGE, FieldType.VIDEO})
"""Types of which a row may have no value and gets none."""


@dataclass(frozen=True)
class Field:
    """One field. ``default`` is what the collection's definition says, ``None`` where it says nothing."""

    name: str
    type: FieldType
    dim: int = 0
    is_primary_key: bool = False
    default: Any = None
    shape: tuple[int, ...] = ()

    @property
    def fallback(self) -> Any:
        """What a row gets that does not say it; ``None`` where a row has to."""
        return TYPE_DEFAULTS.get(self.type) if self.default is None else self.default


@dataclass(frozen=True)
class Analyzer:
    """How a full-text field becomes terms."""

    tokenizer: str = "standard"
    drops_symbols: bool = False


@dataclass(frozen=True)
class Vectorizer:
    """Which model makes a row's vector, and perhaps its sparse vector, and of which field."""

    model: Model
    text_field: str
    sparse_model: Model | None = None

    @property
    def models(self) -> list[Model]:
        """All of them."""
        return [self.model] if self.sparse_model is None else [self.model, self.sparse_model]


@dataclass(frozen=True)
class Schema:
    """A collection's shape.

    Attributes:
        fields: declared fields by name, in order.
        primary_key: the declared one, or the generated ``__AUTO_ID__``.
        vector: the vector field, when rows bring their own vectors.
        vectorizer: the model, when the engine embeds text.
        full_text: analyser by name of each full-text field.
        sparse: where rows keep their sparse vector, when they have one.
        tensor: the tensor field, if there is one.
    """

    fields: Mapping[str, Field]
    primary_key: Field
    vector: Field | None
    vectorizer: Vectorizer | None
    full_text: Mapping[str, Analyzer]
    sparse: Field | None = None
    tensor: Field | None = None

    @property
    def has_auto_id(self) -> bool:
        return self.primary_key.name == AUTO_ID

    @property
    def dim(self) -> int:
        """Dimension of a row's vector, 0 when rows have none."""
        if self.vectorizer is not None:
            return self.vectorizer.model.dim
        return self.vector.dim if self.vector else 0

    @cached_property
    def fingerprint(self) -> str:
        """Tells schemas apart whose rows are not laid out alike."""
        fields = [(field.name, field.type, field.dim) for field in (self.primary_key, *self.fields.values())]
        words = [(name, analyzer.tokenizer, analyzer.drops_symbols) for name, analyzer in self.full_text.items()]
        return sha256(repr((fields, self.dim, words, self.sparse is not None)).encode()).hexdigest()

    @cached_property
    def stored_fields(self) -> dict[str, Field]:
        """What a row keeps beside its vector, the primary key always among it."""
        fields = {name: field for name, field in self.fields.items() if field is not self.vector}
        return {self.primary_key.name: self.primary_key, **fields}

    @cached_property
    def document_fields(self) -> dict[str, Field]:
        """What a row says in words and numbers: no vectors of any kind."""
        return {name: field for name, field in self.stored_fields.items() if field.type not in VECTORS}

    @cached_property
    def indexable_fields(self) -> dict[str, Field]:
        """Declared fields a scalar index may cover."""
        return {name: field for name, field in self.fields.items() if field.type in INDEXABLE}
