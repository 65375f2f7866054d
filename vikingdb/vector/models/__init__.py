"""Models of the vector domain."""

from vikingdb_vector.models import *  # noqa: F403  # vikingdb_vector.models lists its names
from vikingdb_vector.models import __all__ as __all__
