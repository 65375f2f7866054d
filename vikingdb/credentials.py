"""Authentication schemes, credentials, and the providers credentials come from."""

from vikingdb_core.credentials import (
    IAM,
    OIDC,
    APIKey,
    AssumeRole,
    Auth,
    Chain,
    CredentialProvider,
    Credentials,
    ECSRole,
    EnvProvider,
    FileProvider,
    HeaderAuth,
    NoAuth,
    ResolvedCredentials,
    Scope,
    StaticProvider,
)

__all__ = [
    "IAM",
    "OIDC",
    "APIKey",
    "AssumeRole",
    "Auth",
    "Chain",
    "CredentialProvider",
    "Credentials",
    "ECSRole",
    "EnvProvider",
    "FileProvider",
    "HeaderAuth",
    "NoAuth",
    "ResolvedCredentials",
    "Scope",
    "StaticProvider",
]
