"""Models of the collection's data."""

from vikingdb_vector.models import (
    DataApiResponse,
    DataItem,
    DeleteDataRequest,
    DeleteDataResponse,
    FetchDataInCollectionRequest,
    FetchDataInCollectionResponse,
    FetchDataInCollectionResult,
    UpdateDataRequest,
    UpdateDataResponse,
    UpdateDataResult,
    UpsertDataRequest,
    UpsertDataResponse,
    UpsertDataResult,
    WriteDataBase,
)

__all__ = [
    "DataApiResponse",
    "DataItem",
    "DeleteDataRequest",
    "DeleteDataResponse",
    "FetchDataInCollectionRequest",
    "FetchDataInCollectionResponse",
    "FetchDataInCollectionResult",
    "UpdateDataRequest",
    "UpdateDataResponse",
    "UpdateDataResult",
    "UpsertDataRequest",
    "UpsertDataResponse",
    "UpsertDataResult",
    "WriteDataBase",
]
