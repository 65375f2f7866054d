"""Credentials: who is calling, and how that is written on a request.

``IAM`` signs with an access key and a secret key; ``APIKey`` sends a bearer token; ``HeaderAuth`` sends fixed headers
(private deployments); ``NoAuth`` sends nothing (embedded engine). A stranger's scheme subclasses :class:`Auth`.
"""

from .base import Auth, CredentialProvider, Credentials, Scope, StaticProvider
from .iam import IAM
from .token import APIKey, HeaderAuth, NoAuth

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
