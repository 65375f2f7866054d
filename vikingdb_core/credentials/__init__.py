"""Credentials: who is calling, and how that is written on a request.

``IAM`` signs with an access key and a secret key; ``APIKey`` sends a bearer token; ``HeaderAuth`` sends fixed headers
(private deployments); ``NoAuth`` sends nothing (embedded engine). A stranger's scheme subclasses :class:`Auth`.

Keys that change come from a provider, ``IAM(provider=…)``: ``EnvProvider``, ``FileProvider``, ``AssumeRole``, ``OIDC``,
``ECSRole``, a ``Chain`` of several, or any object with ``load()``. A client that is given no ``auth=`` looks at these
sources by itself; :meth:`ResolvedCredentials.explain` of its attribute ``credentials`` says what it found.
"""

from .ambient import ResolvedCredentials
from .base import Auth, CredentialProvider, Credentials, Scope, StaticProvider, seconds_left
from .chain import Chain
from .ecs import ECSRole
from .environment import EnvProvider
from .files import FileProvider
from .iam import IAM
from .sts import OIDC, AssumeRole
from .token import APIKey, HeaderAuth, NoAuth

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
    "seconds_left",
]
