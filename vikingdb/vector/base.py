"""What the vector clients have in common, under the official package's name."""

from vikingdb_core.request_options import RequestOptions
from vikingdb_core.resource import Resource as VectorClientBase

__all__ = ["RequestOptions", "VectorClientBase"]
