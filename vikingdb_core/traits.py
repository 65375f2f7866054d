"""Traits: what is said of an operation, for retry and auth to act on."""

from __future__ import annotations

from enum import Enum


class Safety(Enum):
    """May the client send a request again without knowing what became of it?"""

    READ = "read"
    """It changes nothing: always."""
    IDEMPOTENT = "idempotent"
    """Twice leaves what once leaves: always."""
    UNSAFE = "unsafe"
    """Twice may differ from once: only when it certainly was not processed."""


class AuthMode(Enum):
    """Kinds of credentials an operation may accept."""

    IAM = "iam"
    API_KEY = "api_key"
    HEADER = "header"
    NONE = "none"
    CUSTOM = "custom"


ANY_AUTH = frozenset(AuthMode)
NO_API_KEY = ANY_AUTH - {AuthMode.API_KEY}
"""The control plane: API keys are bound to data sets, not to the account."""
