"""Our own auth schemes keep the contract of all."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pytest_vikingdb import AuthContract, StampAuth
from vikingdb_core.credentials import IAM, APIKey, Auth, Credentials, HeaderAuth, NoAuth

SECRET, TOKEN = "PLANTEDSECRET", "PLANTEDTOKEN"


class SignatureContract(AuthContract):
    """Signatures carry the time, which volcengine's signer reads."""

    def stop_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("volcengine.auth.SignerV4.SignerV4.get_current_format_date", lambda: "20260102T030405Z")


class TestIAM(SignatureContract):
    secrets = (SECRET,)
    owns = frozenset({"Authorization", "X-Date", "X-Content-Sha256"})

    def make_auth(self) -> Auth:
        return IAM("AKDEMO", SECRET)


class TestTemporaryIAM(TestIAM):
    secrets = (SECRET, TOKEN)

    def make_auth(self) -> Auth:
        return IAM("AKDEMO", SECRET, TOKEN)


class Vault:
    """Gives new keys whenever it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def load(self) -> Credentials:
        self.asked += 1
        return Credentials("AKDEMO", SECRET, TOKEN, expires_at=10.0**10)


class TestRotatingIAM(TestIAM):
    secrets = (SECRET, TOKEN)

    def make_auth(self) -> Auth:
        auth = IAM(provider=Vault())
        auth.refresh()
        return auth

    def make_stale_auth(self) -> tuple[Auth, Callable[[], int]]:
        vault = Vault()
        return IAM(provider=vault), lambda: vault.asked


class TestAPIKey(AuthContract):
    secrets = (SECRET,)

    def make_auth(self) -> Auth:
        return APIKey(SECRET)


class TestHeaderAuth(AuthContract):
    secrets = (SECRET,)
    owns = frozenset({"X-Gateway-User", "User-Agent"})

    def make_auth(self) -> Auth:
        return HeaderAuth({"X-Gateway-User": SECRET, "User-Agent": SECRET})


class TestNoAuth(AuthContract):
    no_secrets = "it sends nothing"

    def make_auth(self) -> Auth:
        return NoAuth()


class TestStampAuth(AuthContract):
    no_secrets = "its stamps are no signatures"
    varies = "every stamp has a number of its own"

    def make_auth(self) -> Auth:
        return StampAuth()
