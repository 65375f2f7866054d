"""Version of vikingdb-vector."""

__version__ = "0.1.0"
