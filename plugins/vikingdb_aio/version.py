"""Version of vikingdb-aio."""

__version__ = "0.1.0"
