"""The memory domain, once its distribution is installed."""

from vikingdb_core.discovery import missing_domain

try:
    from vikingdb_memory import *  # type: ignore[import-not-found]  # noqa: F403  # a distribution of its own
    from vikingdb_memory import __all__ as __all__
except ModuleNotFoundError as error:
    if error.name != "vikingdb_memory":  # it is installed; something it needs is not
        raise
    raise missing_domain("memory") from None
