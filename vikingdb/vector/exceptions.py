"""Exceptions of the vector domain."""

from vikingdb_vector.exceptions import *  # noqa: F403  # vikingdb_vector.exceptions lists its names
from vikingdb_vector.exceptions import __all__ as __all__
