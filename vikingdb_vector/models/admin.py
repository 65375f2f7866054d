"""Requests and responses of the control plane: collections and indexes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from vikingdb_core.models import Envelope, RequestModel, ResponseModel

from .schema import PASCAL, CollectionField, CollectionStats, FullText, Tag, VectorIndex, Vectorize

ADMIN_LOCATORS = frozenset({"CollectionName", "IndexName", "ProjectName", "ResourceId"})


class AdminRequest(RequestModel):
    """Base of the control plane's requests: PascalCase on the wire."""

    model_config = PASCAL
    locators: ClassVar[frozenset[str]] = ADMIN_LOCATORS


class AdminResult(ResponseModel):
    """Base of the control plane's results."""

    model_config = PASCAL


class CollectionRequest(AdminRequest):
    """Names a collection, or its resource id."""

    collection_name: str | None = None
    project_name: str | None = None
    resource_id: str | None = None


class IndexRequest(CollectionRequest):
    """Names an index of a collection."""

    index_name: str


class CreateCollectionRequest(AdminRequest):
    """A new collection.

    Attributes:
        collection_name: a letter, then letters, digits and underscores; at most 128 bytes.
        fields: at most 200.
        project_name: ``default`` unless given.
        description: at most 65535 bytes.
        vectorize: let the service embed rows.
        full_text: at most two text fields to search by keywords.
        tags: labels of the account's own.
        del_protection: refuse deletion while set.
    """

    collection_name: str
    fields: Sequence[CollectionField] | None = None
    project_name: str | None = None
    description: str | None = None
    vectorize: Vectorize | None = None
    full_text: Sequence[FullText] | None = None
    tags: Sequence[Tag] | None = None
    del_protection: bool | None = None


class GetCollectionRequest(CollectionRequest):
    pass


class UpdateCollectionRequest(CollectionRequest):
    """Changes to a collection.

    Attributes:
        description: at most 65535 bytes.
        fields: fields to add; no vectors, text, image or video.
        full_text: text fields to search by keywords.
        del_protection: refuse deletion while set.
    """

    description: str | None = None
    fields: Sequence[CollectionField] | None = None
    full_text: Sequence[FullText] | None = None
    del_protection: bool | None = None


class DeleteCollectionRequest(CollectionRequest):
    pass


class CollectionFilter(AdminRequest):
    """Which collections to list."""

    collection_name_keyword: str | None = None


class ListCollectionsRequest(AdminRequest):
    """One page of the collections.

    Attributes:
        page_number: from 1.
        page_size: 1 to 100.
    """

    project_name: str | None = None
    page_number: int | None = None
    page_size: int | None = None
    filter: CollectionFilter | None = None


class CreateIndexRequest(CollectionRequest):
    """A new index.

    Attributes:
        index_name: a letter, then letters, digits and underscores; at most 128 bytes.
        vector_index: how it searches.
        scalar_index: fields filters may use; ``None`` every eligible one, ``[]`` none.
        cpu_quota: 1 to 10240; about 100 queries per second each.
        shard_policy: ``auto`` or ``custom``.
        shard_count: with ``custom``, 1 to 256.
        del_protection: refuse deletion while set.
    """

    index_name: str
    vector_index: VectorIndex | None = None
    scalar_index: Sequence[str] | None = None
    description: str | None = None
    cpu_quota: int | None = None
    shard_policy: str | None = None
    shard_count: int | None = None
    del_protection: bool | None = None


class GetIndexRequest(IndexRequest):
    pass


class UpdateIndexRequest(IndexRequest):
    """Changes to an index.

    Attributes:
        description: at most 65535 bytes.
        cpu_quota: 1 to 10240.
        scalar_index: fields to add to what filters may use.
        vector_index: rebuilds the index; never to or from a hybrid one.
        shard_policy: ``auto`` or ``custom``.
        shard_count: with ``custom``, 1 to 256.
        del_protection: refuse deletion while set.
    """

    description: str | None = None
    cpu_quota: int | None = None
    scalar_index: Sequence[str] | None = None
    vector_index: VectorIndex | None = None
    shard_policy: str | None = None
    shard_count: int | None = None
    del_protection: bool | None = None


class EnableIndexRequest(IndexRequest):
    pass


class DisableIndexRequest(IndexRequest):
    pass


class DeleteIndexRequest(IndexRequest):
    pass


class IndexFilter(AdminRequest):
    """Which indexes to list."""

    collection_name: Sequence[str] | None = None
    index_name_keyword: str | None = None
    status: Sequence[str] | None = None


class ListIndexesRequest(AdminRequest):
    """One page of the indexes, of all collections unless filtered."""

    project_name: str | None = None
    page_number: int | None = None
    page_size: int | None = None
    filter: IndexFilter | None = None


class CollectionInfo(AdminResult):
    """A collection as the service describes it."""

    collection_name: str | None = None
    resource_id: str | None = None
    project_name: str | None = None
    description: str | None = None
    fields: list[CollectionField] = Field(default_factory=list)
    vectorize: Vectorize | None = None
    full_text: list[FullText] = Field(default_factory=list)
    enable_keywords_search: bool | None = None
    index_count: int | None = None
    index_names: list[str] = Field(default_factory=list)
    collection_stats: CollectionStats | None = None
    create_time: str | None = None
    update_time: str | None = None
    update_person: str | None = None
    tags: list[Tag] = Field(default_factory=list)
    del_protection: bool | None = None


class ScalarIndexField(AdminResult):
    """A field filters may use."""

    field_name: str
    field_type: str | None = None
    default_value: Any = None
    dim: int | None = None
    is_primary_key: bool | None = None


class IndexInfo(AdminResult):
    """An index as the service describes it. ``status`` is ``READY`` when it can be searched."""

    index_name: str | None = None
    collection_name: str | None = None
    resource_id: str | None = None
    project_name: str | None = None
    description: str | None = None
    status: str | None = None
    vector_index: VectorIndex | None = None
    scalar_index: list[ScalarIndexField] = Field(default_factory=list)
    cpu_quota: int | None = None
    actual_cu: int | float | None = Field(default=None, validation_alias="ActualCU", serialization_alias="ActualCU")
    shard_policy: str | None = None
    shard_count: int | None = None
    del_protection: bool | None = None


class Message(AdminResult):
    """The service's word that it was done."""

    message: str | None = None


class CreatedCollection(Message):
    """The new collection's resource id."""

    resource_id: str | None = None


class CollectionPage(AdminResult):
    """One page of the collections."""

    collections: list[CollectionInfo] = Field(default_factory=list)
    page_number: int | None = None
    page_size: int | None = None
    total_count: int | None = None


class IndexPage(AdminResult):
    """One page of the indexes."""

    indexes: list[IndexInfo] = Field(default_factory=list)
    page_number: int | None = None
    page_size: int | None = None
    total_count: int | None = None


class CreateCollectionResponse(Envelope):
    result: CreatedCollection


class GetCollectionResponse(Envelope):
    result: CollectionInfo


class ListCollectionsResponse(Envelope):
    result: CollectionPage


class GetIndexResponse(Envelope):
    result: IndexInfo


class ListIndexesResponse(Envelope):
    result: IndexPage


class MessageResponse(Envelope):
    """Answer of create, delete and the like."""

    result: Message = Field(default_factory=Message)
