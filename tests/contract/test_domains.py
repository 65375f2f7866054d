"""Our own domains keep the contract of all."""

from __future__ import annotations

from pytest_vikingdb import DomainContract
from vikingdb_vector.domain import DOMAIN


class TestVector(DomainContract):
    domain = DOMAIN
