"""The knowledge domain, once its distribution is installed."""

from vikingdb_core.discovery import missing_domain

try:
    from vikingdb_knowledge import *  # type: ignore[import-not-found]  # noqa: F403  # a distribution of its own
    from vikingdb_knowledge import __all__ as __all__
except ModuleNotFoundError as error:
    if error.name != "vikingdb_knowledge":  # it is installed; something it needs is not
        raise
    raise missing_domain("knowledge") from None
