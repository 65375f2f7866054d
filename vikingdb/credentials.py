"""Authentication schemes, credentials and the provider protocol."""

from vikingdb_core.credentials import (
    IAM,
    APIKey,
    Auth,
    CredentialProvider,
    Credentials,
    HeaderAuth,
    NoAuth,
    Scope,
    StaticProvider,
)

__all__ = [
    "IAM",
    "APIKey",
    "Auth",
    "CredentialProvider",
    "Credentials",
    "HeaderAuth",
    "NoAuth",
    "Scope",
    "StaticProvider",
]
