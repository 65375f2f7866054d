"""Contracts: what an extension promises, as tests that whoever writes one inherits.

::

    from pytest_vikingdb import AuthContract

    class TestBadge(AuthContract):
        secrets = ("opensesame",)

        def make_auth(self):
            return Badge("opensesame")

The docstring of a contract says what the subclass has to give, the docstring of each test what it promises. A test of
one's own may be added; one of the contract's may not be replaced, see :mod:`.base`.
"""

from __future__ import annotations

from .auth import AuthContract
from .base import Contract, ContractOverridden
from .domain import DomainContract
from .plugin import PluginContract
from .transport import TransportContract

__all__ = [
    "AuthContract",
    "Contract",
    "ContractOverridden",
    "DomainContract",
    "PluginContract",
    "TransportContract",
]
