"""Version of vikingdb-resilience."""

__version__ = "0.1.0"
