"""Defining: from the body of a create request to a schema, checked as the service would."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from vikingdb_core.hints import suggest
from vikingdb_vector import models as m
from vikingdb_vector.models import FieldType

from ..embedding.models import Model, choose, require_sparse
from ..errors import invalid, missing, not_implemented, shown
from .schema import AUTO_ID, INDEXABLE, SPARSE, Analyzer, Field, Schema, Vectorizer
from .values import MAX_TENSOR_ROWS, read_value

MAX_FIELDS = 200
MAX_FULL_TEXT = 2
MAX_NAME_BYTES = 128
MAX_DESCRIPTION_BYTES = 65535
MIN_DIM, MAX_DIM, DIM_STEP = 4, 4096, 4

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_TOKENIZERS = ("standard", "zh", "whitespace")


def check_name(name: str, what: str) -> str:
    """A name as collections, fields and indexes have them."""
    if len(name) > MAX_NAME_BYTES or not _NAME.fullmatch(name):
        raise invalid(
            f"{what} {shown(name)} must be 1 to {MAX_NAME_BYTES} letters, digits and underscores, a letter first"
        )
    return name


def check_description(description: str | None) -> None:
    if description is not None and len(description.encode()) > MAX_DESCRIPTION_BYTES:
        raise invalid(f"Description is longer than {MAX_DESCRIPTION_BYTES} bytes")


def define_schema(request: m.CreateCollectionRequest) -> Schema:
    """The schema a collection is created with."""
    fields = _define_fields(request.fields or ())
    keys = [field for field in fields.values() if field.is_primary_key]
    vectors = [field for field in fields.values() if field.type is FieldType.VECTOR]
    if len(keys) > 1:
        raise invalid(f"Fields: {_names(keys)} are all primary keys; a collection has one at most")
    sparse = [field for field in fields.values() if field.type is FieldType.SPARSE_VECTOR]
    tensors = [field for field in fields.values() if field.type is FieldType.TENSOR]
    for alike in (vectors, sparse, tensors):
        if len(alike) > 1:
            raise invalid(f"Fields: {_names(alike)} are all of type {alike[0].type}; a collection has one at most")
    vectorizer = _define_vectorizer(request.vectorize, fields)
    if vectorizer and vectors:
        raise invalid(
            f"Vectorize and the vector field {vectors[0].name!r} exclude each other: drop the field to let text be "
            "embedded, or Vectorize to bring your own vectors"
        )
    if (sparse or tensors) and not vectors:
        raise invalid(f"field {(sparse or tensors)[0].name!r} goes with a vector field; add one")
    made = vectorizer is not None and vectorizer.sparse_model is not None
    return Schema(
        fields,
        keys[0] if keys else Field(AUTO_ID, FieldType.INT64, is_primary_key=True),
        vectors[0] if vectors else None,
        vectorizer,
        _define_full_text(request.full_text or (), fields),
        Field(SPARSE, FieldType.SPARSE_VECTOR) if made else sparse[0] if sparse else None,
        tensors[0] if tensors else None,
    )


def _define_fields(given: Sequence[m.CollectionField]) -> dict[str, Field]:
    if not given:
        raise missing("Fields must describe one field or more")
    if len(given) > MAX_FIELDS:
        raise invalid(f"Fields has {len(given)} fields; a collection has {MAX_FIELDS} at most")
    fields: dict[str, Field] = {}
    for item in given:
        field = _define_field(item)
        if field.name in fields:
            raise invalid(f"Fields: there are two fields named {field.name!r}")
        fields[field.name] = field
    return fields


def _define_field(given: m.CollectionField) -> Field:
    name = check_name(given.field_name, "FieldName")
    try:
        kind = FieldType(given.field_type)
    except ValueError:
        known = [str(kind) for kind in FieldType]
        raise invalid(
            f"field {name!r}: there is no FieldType {shown(given.field_type)}; it is one of: {', '.join(known)}."
            f"{suggest(given.field_type, known)}"
        ) from None
    if kind is FieldType.VECTOR:
        _check_dim(name, given.dim)
    elif kind is FieldType.TENSOR:
        return Field(name, kind, shape=_tensor_shape(name, given))
    elif given.dim or given.ndim or given.shape:
        raise invalid(f"field {name!r}: Dim, NDim and Shape belong to vectors and tensors, not to {kind}")
    if given.is_primary_key and kind not in (FieldType.INT64, FieldType.STRING):
        raise invalid(f"field {name!r}: a primary key is int64 or string, not {kind}")
    field = Field(name, kind, given.dim or 0, bool(given.is_primary_key))
    if given.default_value is None:
        return field
    if field.is_primary_key or (kind not in INDEXABLE and kind is not FieldType.LIST_GEO_POINT):
        what = "a primary key" if field.is_primary_key else f"a {kind} field"
        raise invalid(f"field {name!r}: {what} takes no DefaultValue; leave it out")
    return Field(name, kind, default=read_value(field, given.default_value, "DefaultValue"))


def _tensor_shape(name: str, given: m.CollectionField) -> tuple[int, ...]:
    """Rows and numbers of a tensor: its Shape, M from 2 to 64 and N from 4 to 2048, beyond 4 by eights."""
    shape = tuple(given.shape or ())
    if given.ndim not in (None, 2) or len(shape) != 2:
        raise missing(f"field {name!r}: a tensor needs its Shape, two numbers such as [32, 128]")
    if not 2 <= shape[0] <= MAX_TENSOR_ROWS or not 4 <= shape[1] <= 2048 or (shape[1] > 4 and shape[1] % 8):
        raise invalid(f"field {name!r}: Shape {list(shape)} must be 2 to 64 rows of 4 or a multiple of 8 up to 2048")
    return shape


def _check_dim(name: str, dim: int | None) -> None:
    if not dim:
        raise missing(f"field {name!r}: a vector needs its Dim")
    if not MIN_DIM <= dim <= MAX_DIM or dim % DIM_STEP:
        raise invalid(f"field {name!r}: Dim is {dim}; it must be a multiple of {DIM_STEP} from {MIN_DIM} to {MAX_DIM}")


def _define_vectorizer(given: m.Vectorize | None, fields: Mapping[str, Field]) -> Vectorizer | None:
    if given is None or (given.dense is None and given.sparse is None and given.tensor is None):
        return None
    if given.tensor is not None:
        raise not_implemented("Vectorize.Tensor", "bring tensors of your own in a tensor field")
    dense = given.dense
    if dense is None:
        raise missing("Vectorize.Sparse goes with Dense; name the same model there")
    if dense.image_field or dense.video_field:
        raise not_implemented("embedding images and videos", "vectorise a TextField alone")
    if dense.instruction is not None and dense.instruction.content:
        raise not_implemented(
            "Vectorize.Dense.Instruction.Content", "leave it out: the local embedder takes no instruction"
        )
    model = choose(dense.model_name, dense.model_version, dense.dim, "Vectorize.Dense")
    if not dense.text_field:
        raise missing("Vectorize.Dense needs a TextField, the name of the field to embed")
    text = _text_field(dense.text_field, fields, "Vectorize.Dense.TextField")
    return Vectorizer(model, text, _define_sparse_model(given.sparse, text))


def _define_sparse_model(given: m.VectorizeModel | None, text_field: str) -> Model | None:
    if given is None:
        return None
    if given.image_field or given.video_field:
        raise not_implemented("embedding images and videos", "vectorise a TextField alone")
    if given.dim is not None:
        raise invalid("Vectorize.Sparse: Dim belongs to Dense; leave it out")
    if given.text_field not in (None, text_field):
        raise invalid(f"Vectorize.Sparse: TextField must be that of Dense, {text_field!r}")
    model = choose(given.model_name, given.model_version, None, "Vectorize.Sparse")
    require_sparse(model, "Vectorize.Sparse")
    return model


def _define_full_text(given: Sequence[m.FullText], fields: Mapping[str, Field]) -> dict[str, Analyzer]:
    if len(given) > MAX_FULL_TEXT:
        raise invalid(f"FullText names {len(given)} fields; a collection has {MAX_FULL_TEXT} at most")
    analyzers: dict[str, Analyzer] = {}
    for position, entry in enumerate(given):
        name = _text_field(entry.field, fields, f"FullText[{position}].Field")
        if name in analyzers:
            raise invalid(f"FullText names field {name!r} twice")
        analyzers[name] = _define_analyzer(entry.analyzer, f"FullText[{position}].Analyzer")
    return analyzers


def _define_analyzer(given: m.Analyzer | None, where: str) -> Analyzer:
    if given is None:
        return Analyzer()
    tokenizers = [name for name in (given.tokenizer, *(given.tokenizers or ())) if name]
    for name in tokenizers:
        if name not in _TOKENIZERS:
            raise invalid(f"{where}: there is no tokenizer {shown(name)}; it is one of: {', '.join(_TOKENIZERS)}")
    if len(set(tokenizers)) > 1:
        raise not_implemented(f"several Tokenizers for one field ({where})", "name one")
    filters = given.stop_words_filters or ()
    if any(name != "symbol" for name in filters):
        raise not_implemented(f"StopWordsFilters other than 'symbol' ({where})", "leave them out")
    if given.character_converters:
        raise not_implemented(f"CharacterConverters ({where})", "leave them out")
    return Analyzer(tokenizers[0] if tokenizers else "standard", drops_symbols=bool(filters))


def _text_field(name: str, fields: Mapping[str, Field], where: str) -> str:
    field = fields.get(name)
    if field is None:
        raise invalid(f"{where}: there is no field {shown(name)}.{suggest(name, fields)}")
    if field.type is not FieldType.TEXT:
        raise invalid(f"{where}: field {name!r} is {field.type}; it must be text")
    return name


def _names(fields: Sequence[Field]) -> str:
    return ", ".join(repr(field.name) for field in fields)
