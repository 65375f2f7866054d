"""Version of vikingdb-core, and of the contracts other distributions build on."""

__version__ = "0.1.0"

HOOK_API = 1
"""Raised when a hook is renamed or removed."""

DOMAIN_API = 1
"""Raised when a field of ``Domain`` or ``Operation`` is renamed or removed."""
