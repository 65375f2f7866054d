"""Version of vikingdb-otel."""

__version__ = "0.1.0"
