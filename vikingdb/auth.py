"""The official package's module of authentication schemes; :mod:`vikingdb.credentials` has the same and more."""

from vikingdb_core.credentials import IAM, APIKey, Auth, HeaderAuth, NoAuth

__all__ = ["IAM", "APIKey", "Auth", "HeaderAuth", "NoAuth"]
