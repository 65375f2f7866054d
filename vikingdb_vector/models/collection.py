"""Models of the collection's data: upsert, update, delete, fetch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from vikingdb_core.models import ResponseModel

from .base import DataApiResponse, DataRequest, Id


class WriteDataBase(DataRequest):
    """Rows to write.

    Attributes:
        data: up to 100 rows (1 when the collection vectorises), each a map of field names to values.
        ttl: seconds until the rows expire; 0 never.
        ignore_unknown_fields: drop fields the collection does not have, instead of failing the call.
    """

    data: Sequence[Mapping[str, Any]]
    ttl: int | None = None
    ignore_unknown_fields: bool | None = None


class UpsertDataRequest(WriteDataBase):
    """Insert rows, replacing whole rows whose primary key exists.

    Attributes:
        async_write: queue the write (wire name ``async``): ten times the rate, minutes until it can be read.
    """

    async_write: bool | None = Field(default=None, validation_alias="async", serialization_alias="async")


class UpdateDataRequest(WriteDataBase):
    """Change fields of existing rows; every row carries its primary key."""


class DeleteDataRequest(DataRequest):
    """Delete rows.

    Attributes:
        ids: up to 100 primary keys.
        delete_all: empty the collection instead (wire name ``del_all``).
        async_write: queue the deletion (wire name ``async``).
    """

    ids: Sequence[Id] | None = None
    delete_all: bool | None = Field(default=None, validation_alias="del_all", serialization_alias="del_all")
    async_write: bool | None = Field(default=None, validation_alias="async", serialization_alias="async")


class FetchDataInCollectionRequest(DataRequest):
    """Read rows by primary key from the authoritative store.

    Attributes:
        ids: up to 100 primary keys.
        return_download_url: add download links of media fields.
        return_analyzed_result: add what the text analyser made of full-text fields.
    """

    ids: Sequence[Id]
    return_download_url: bool | None = None
    return_analyzed_result: bool | None = None


class DataItem(ResponseModel):
    """A row."""

    id: Id
    fields: dict[str, Any] = Field(default_factory=dict)


class UpsertDataResult(ResponseModel):
    """What embedding the rows cost, by model."""

    token_usage: dict[str, Any] = Field(default_factory=dict)


class UpdateDataResult(UpsertDataResult):
    """What embedding the changed rows cost, by model."""


class FetchDataInCollectionResult(ResponseModel):
    """Rows found (wire name ``fetch``) and keys that do not exist."""

    items: list[DataItem] = Field(default_factory=list, validation_alias="fetch", serialization_alias="fetch")
    ids_not_exist: list[Id] = Field(default_factory=list)


class UpsertDataResponse(DataApiResponse):
    result: UpsertDataResult | None = None


class UpdateDataResponse(DataApiResponse):
    result: UpdateDataResult | None = None


class DeleteDataResponse(DataApiResponse):
    pass


class FetchDataInCollectionResponse(DataApiResponse):
    result: FetchDataInCollectionResult
