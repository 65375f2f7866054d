"""Defining indexes: from the body of a create request to an index of a schema, checked as the service would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from vikingdb_core.hints import suggest
from vikingdb_vector import models as m
from vikingdb_vector.models import Distance, IndexType, Quant

from ..errors import invalid, missing, shown
from .defining import check_description, check_name
from .indexing import Index
from .schema import Field, Schema

_QUANTS: Mapping[Quant, tuple[frozenset[IndexType], frozenset[Distance]]] = {
    Quant.INT8: (
        frozenset({IndexType.HNSW, IndexType.HNSW_HYBRID, IndexType.FLAT}),
        frozenset({Distance.IP, Distance.COSINE}),
    ),
    Quant.FIX16: (frozenset({IndexType.HNSW, IndexType.HNSW_HYBRID, IndexType.FLAT}), frozenset(Distance)),
    Quant.FLOAT: (frozenset(IndexType), frozenset(Distance)),
    Quant.PQ: (frozenset({IndexType.DISKANN}), frozenset(Distance)),
}


def define_index(request: m.CreateIndexRequest, schema: Schema, now_ms: int) -> Index:
    """The index of a collection of that schema."""
    check_name(request.index_name, "IndexName")
    check_description(request.description)
    _check_range(request.cpu_quota, 1, 10240, "CpuQuota")
    if request.shard_policy not in (None, "auto", "custom"):
        raise invalid(f"ShardPolicy {shown(request.shard_policy)} is neither auto nor custom")
    if request.shard_count is not None and request.shard_policy != "custom":
        raise invalid("ShardCount goes with ShardPolicy custom")
    _check_range(request.shard_count, 1, 256, "ShardCount")
    vector_index = _define_vector_index(request.vector_index, schema)
    scalar_fields = _define_scalar_fields(request.scalar_index, schema)
    definition = {
        "Description": request.description or "",
        "VectorIndex": vector_index,
        "ScalarIndex": list(scalar_fields),
        "CpuQuota": request.cpu_quota or 1,
        "ShardPolicy": request.shard_policy or "auto",
        "ShardCount": request.shard_count or 1,
        "DelProtection": bool(request.del_protection),
    }
    distance = Distance(vector_index["Distance"]) if vector_index else None
    return Index(request.index_name, distance, scalar_fields, definition, now_ms)


def restore_index(
    name: str, definition: Mapping[str, Any], schema: Schema, created_ms: int, *, is_enabled: bool
) -> Index:
    """An index of a whole definition, such as was kept."""
    given = {key: value for key, value in definition.items() if value is not None}
    if given.get("ShardPolicy") != "custom":
        given.pop("ShardCount", None)
    index = define_index(m.CreateIndexRequest(index_name=name, **given), schema, created_ms)
    return index if is_enabled else replace(index, is_enabled=False)


def _define_vector_index(given: m.VectorIndex | None, schema: Schema) -> dict[str, Any] | None:
    if not schema.dim:
        if given is not None:
            raise invalid(
                "VectorIndex: the collection has no vectors; leave VectorIndex out, or add a vector field or Vectorize"
            )
        return None
    if given is None:
        raise missing("VectorIndex must say how the collection's vectors are searched")
    kind = _member(IndexType, given.index_type, IndexType.HNSW, "VectorIndex.IndexType")
    distance = _member(Distance, given.distance, Distance.IP, "VectorIndex.Distance")
    usual = Quant.PQ if kind is IndexType.DISKANN else Quant.FLOAT if distance is Distance.L2 else Quant.INT8
    quant = _member(Quant, given.quant, usual, "VectorIndex.Quant")
    if kind is IndexType.HNSW_HYBRID and schema.sparse is None:
        raise invalid(
            "VectorIndex: hnsw_hybrid needs sparse vectors; add a sparse_vector field or Vectorize.Sparse, or use hnsw"
        )
    kinds, distances = _QUANTS[quant]
    if kind not in kinds or distance not in distances:
        raise invalid(
            f"VectorIndex: Quant {quant} does not go with IndexType {kind} and Distance {distance}; use float"
        )
    for name, number in (
        ("HnswM", given.hnsw_m),
        ("HnswCef", given.hnsw_cef),
        ("HnswSef", given.hnsw_sef),
        ("DiskannM", given.diskann_m),
        ("DiskannCef", given.diskann_cef),
    ):
        _check_range(number, 1, 2**31 - 1, f"VectorIndex.{name}")
    if given.pq_code_ratio is not None and not 0 < given.pq_code_ratio <= 0.25:
        raise invalid("VectorIndex.PqCodeRatio must be above 0 and at most 0.25")
    if given.cache_ratio is not None and not 0 <= given.cache_ratio < 0.3:
        raise invalid("VectorIndex.CacheRatio must be from 0 to below 0.3")
    return {**given.to_wire(), "IndexType": str(kind), "Distance": str(distance), "Quant": str(quant)}


def _define_scalar_fields(given: Sequence[str] | None, schema: Schema) -> dict[str, Field]:
    eligible = schema.indexable_fields
    if given is None:
        return eligible
    for name in given:
        if name not in schema.fields:
            raise invalid(f"ScalarIndex: the collection has no field {shown(name)}.{suggest(name, eligible)}")
        if name not in eligible:
            raise invalid(
                f"ScalarIndex: field {name!r} is {schema.fields[name].type}, which cannot have a scalar index"
            )
    return {name: eligible[name] for name in given}


def _member(kind: Any, given: str | None, usual: Any, where: str) -> Any:
    if given is None:
        return usual
    try:
        return kind(given)
    except ValueError:
        raise invalid(
            f"{where}: {shown(given)} is none of: {', '.join(kind)}.{suggest(given, map(str, kind))}"
        ) from None


def _check_range(number: int | None, least: int, most: int, where: str) -> None:
    if number is not None and not least <= number <= most:
        raise invalid(f"{where} is {number}; it must be from {least} to {most}")
