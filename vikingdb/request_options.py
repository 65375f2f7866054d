"""Overrides for one call."""

from vikingdb_core.request_options import RequestOptions, ensure_request_options

__all__ = ["RequestOptions", "ensure_request_options"]
