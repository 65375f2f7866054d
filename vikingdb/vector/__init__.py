"""The vector domain: collections, indexes, embedding, rerank and the control plane."""

from vikingdb_vector import *  # noqa: F403  # vikingdb_vector lists its names
from vikingdb_vector import __all__ as __all__
