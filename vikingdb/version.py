"""Version of the vikingdb distribution."""

__version__ = "0.1.0"
