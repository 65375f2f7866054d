"""Plans: what a task is to do, read from its ``TaskConfig`` and checked against the collection as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vikingdb_core.hints import suggest
from vikingdb_vector import models as m
from vikingdb_vector.models import TaskType

from ..engine.buckets import files_at, locate, refuse_existing
from ..engine.collection import Collection, Patch
from ..engine.filters import matching_all
from ..engine.formats import FORMATS, Format
from ..engine.indexing import Index
from ..engine.schema import Field, Schema
from ..engine.segment import Segment, Snapshot
from ..engine.which import Which
from ..errors import TASK, denied, invalid, missing, shown
from ..session import Session
from .incoming import check_embedder, own_vector, part_row, refuse_unknown

_ALWAYS = {"CollectionName", "ProjectName", "ResourceId", "UsePublic"}
_OPTIONS: Mapping[str, set[str]] = {
    TaskType.DATA_IMPORT: {"FileType", "TosPath", "IgnoreError"},
    TaskType.DATA_EXPORT: {"FileType", "TosPath", "FilterConds", "ExportAll", "OutputFields"},
    TaskType.FILTER_UPDATE: {"FilterConds", "UpdateFields", "NeedConfirm"},
    TaskType.FILTER_DELETE: {"FilterConds", "NeedConfirm"},
}


@dataclass(frozen=True)
class ImportPlan:
    """Insert the rows of files."""

    files: Sequence[Path]
    format: Format
    skips_bad_rows: bool


@dataclass(frozen=True)
class ExportPlan:
    """Write rows to a new file; all of them, or those that match."""

    folder: Path
    file: Path
    format: Format
    fields: Sequence[Field]
    conds: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class ChangePlan:
    """Change the rows that match by a patch, which is not embedded yet and whose key means nothing; or delete them."""

    conds: Sequence[Mapping[str, Any]]
    patch: Patch | None
    needs_confirmation: bool


Plan = ImportPlan | ExportPlan | ChangePlan


def read_plan(session: Session, collection: Collection, kind: str, config: m.TaskConfig, task_id: str) -> Plan:
    """The plan of a task.

    Raises:
        ServiceError: there is something wrong with it.
    """
    if kind not in _OPTIONS:
        raise invalid(f"TaskType {shown(kind)} is none of: {', '.join(_OPTIONS)}.{suggest(kind, map(str, _OPTIONS))}")
    for name, value in config.to_wire().items():
        if value and name not in _OPTIONS[kind] | _ALWAYS:
            takes = ", ".join(sorted(_OPTIONS[kind]))
            raise invalid(f"TaskConfig.{name} does not go with {kind}, which takes: {takes}. Leave it out")
    match kind:
        case TaskType.DATA_IMPORT:
            return _read_import(session, collection, config)
        case TaskType.DATA_EXPORT:
            return _read_export(session, collection, config, task_id)
    needs_confirmation = config.need_confirm is not False
    conds = _conds(config, collection.schema)
    if not conds:
        raise missing("TaskConfig.FilterConds says which rows; give one condition or more")
    patch = _read_patch(session, collection, config) if kind == TaskType.FILTER_UPDATE else None
    return ChangePlan(conds, patch, needs_confirmation)


def matching_rows(conds: Sequence[Mapping[str, Any]], schema: Schema, snapshot: Snapshot) -> Which:
    """The rows that meet all conditions, dead ones too. Every field of an indexable type may be used."""
    index = _EveryField("", None, schema.indexable_fields, {})
    return matching_all(conds, index, snapshot, "TaskConfig.FilterConds")


def _read_import(session: Session, collection: Collection, config: m.TaskConfig) -> ImportPlan:
    kind = _format(config)
    folder, path = _located(session, config)
    if collection.schema.vectorizer is not None:
        check_embedder(session, collection)
    return ImportPlan(files_at(folder, path, kind.suffixes), kind, bool(config.ignore_error))


def _read_export(session: Session, collection: Collection, config: m.TaskConfig, task_id: str) -> ExportPlan:
    kind = _format(config)
    folder, path = _located(session, config)
    conds, fields = _conds(config, collection.schema), _output_fields(config, collection.schema)
    if config.export_all and conds:
        raise invalid("TaskConfig: ExportAll and FilterConds exclude each other; give one")
    if not config.export_all and not conds:
        raise missing("TaskConfig: say which rows with FilterConds, or ExportAll")
    if any(path.suffix in each.suffixes for each in FORMATS.values()):
        if path.suffix not in kind.suffixes:
            raise invalid(f"TaskConfig.TosPath ends in {path.suffix}, but FileType is {config.file_type}")
    else:
        path = path / f"{collection.name}-{task_id}{kind.suffixes[0]}"
    refuse_existing(folder, path)
    return ExportPlan(folder, path, kind, fields, conds)


def _format(config: m.TaskConfig) -> Format:
    if not config.file_type:
        raise missing(f"TaskConfig.FileType is missing; it is one of: {', '.join(FORMATS)}")
    if config.file_type not in FORMATS:
        hint = suggest(config.file_type, FORMATS)
        raise invalid(f"TaskConfig.FileType {shown(config.file_type)} is none of: {', '.join(FORMATS)}.{hint}")
    FORMATS[config.file_type].require()
    return FORMATS[config.file_type]


def _located(session: Session, config: m.TaskConfig) -> tuple[Path, Path]:
    if session.buckets is None:
        raise denied(
            TASK,
            "no folder stands for tos:// here; open the database with one, as in local:///data?tos=/my/buckets, or "
            "serve it with --tos /my/buckets",
        )
    if not config.tos_path:
        raise missing("TaskConfig.TosPath is missing; give bucket/path")
    return session.buckets, locate(session.buckets, config.tos_path)


def _conds(config: m.TaskConfig, schema: Schema) -> Sequence[Mapping[str, Any]]:
    conds = [cond if isinstance(cond, Mapping) else cond.to_wire() for cond in config.filter_conds or ()]
    matching_rows(conds, schema, Segment(schema).snapshot(0))  # checked over no rows
    return conds


def _output_fields(config: m.TaskConfig, schema: Schema) -> Sequence[Field]:
    available = {schema.primary_key.name: schema.primary_key, **schema.fields}
    if config.output_fields is None:
        return list(available.values())
    if not config.output_fields:
        raise invalid("TaskConfig.OutputFields names no field; leave it out to export all")
    for name in config.output_fields:
        if name not in available:
            raise invalid(
                f"TaskConfig.OutputFields: the collection has no field {shown(name)}.{suggest(name, available)}"
            )
    return [available[name] for name in dict.fromkeys(config.output_fields)]


def _read_patch(session: Session, collection: Collection, config: m.TaskConfig) -> Patch:
    schema, given, where = collection.schema, config.update_fields, "TaskConfig.UpdateFields"
    if not given:
        raise missing(f"{where} says what is to change; give one field or more")
    if schema.primary_key.name in given:
        raise invalid(f"{where}: {schema.primary_key.name!r} is the primary key, which cannot be changed; leave it out")
    refuse_unknown(given, schema.fields, where)
    if schema.vectorizer is not None and schema.vectorizer.text_field in given:
        check_embedder(session, collection)
    return Patch("", part_row(schema, given, where), own_vector(schema, given, where))


class _EveryField(Index):
    """Stands for an index in a filter of a task, which names none."""

    def scalar_field(self, name: str, where: str) -> Field:
        found = self.scalar_fields.get(name)
        if found is None:
            usable = ", ".join(self.scalar_fields) or "none"
            hint = suggest(name, self.scalar_fields)
            raise invalid(f"{where}: {shown(name)} is no field that a filter may use; these are: {usable}.{hint}")
        return found
