"""Version of vikingdb-local."""

__version__ = "0.1.0"
