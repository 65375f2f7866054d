"""Settings of a client and where they come from."""

from vikingdb_core.config import DEFAULT_REGION, SETTINGS, ClientConfig, Setting, resolve

__all__ = ["DEFAULT_REGION", "SETTINGS", "ClientConfig", "Setting", "resolve"]
