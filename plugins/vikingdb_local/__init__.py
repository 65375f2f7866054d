"""vikingdb-local: an embedded engine that speaks the service's wire protocol, in memory and in this process.

Use it through a client: ``VikingDB(endpoint="local://")`` for a private database, ``"local://NAME"`` for one shared by
all clients of the process. Text is embedded by a multilingual model inside the package, or, with
``?embedder=hash-v1``, by comparing words.
"""

from .version import __version__

__all__ = ["__version__"]
