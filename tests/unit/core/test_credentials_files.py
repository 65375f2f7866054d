"""Files that hold credentials: every format, and every way such a file can be wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.platform import FakeSts
from tests.unit.vector.fakes import READ, FakeTransport, Toy
from vikingdb_core.credentials import IAM, CredentialProvider, Credentials, FileProvider
from vikingdb_core.credentials.files import provider_in_ve_config
from vikingdb_core.credentials.lack import Lack
from vikingdb_core.credentials.network import Sender
from vikingdb_core.credentials.surroundings import Surroundings
from vikingdb_core.effects import Timeouts
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.exceptions import MissingCredentials
from vikingdb_core.messages import Request, Response
from vikingdb_core.transport.once import send_once

VEFAAS = {"access_key_id": "AKDEMO", "secret_access_key": "SKDEMO", "session_token": "STSDEMO"}
INI = """
[default]
access_key_id = AKDEMO
secret_access_key = SK%DEMO
session_token = IGNORED

[other]
access_key_id = AKOTHER
secret_access_key = SKOTHER
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def write(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def ve(*, current: str | None = None, **profiles: Any) -> dict[str, Any]:
    return {**({"current": current} if current else {}), "profiles": profiles}


PROD = {"mode": "AK", "access-key": " AKPROD ", "secret-key": "SKPROD", "session-token": ""}
TEMPORARY = {"access-key": "AKTEMP", "secret-key": "SKTEMP", "session-token": "STSTEMP", "region": "cn-beijing"}


@pytest.mark.parametrize(
    ("content", "profile", "keys"),
    [
        (VEFAAS, None, Credentials("AKDEMO", "SKDEMO", "STSDEMO")),
        ({"ak": "AKDEMO", "sk": "SKDEMO"}, None, Credentials("AKDEMO", "SKDEMO")),
        (INI, None, Credentials("AKDEMO", "SK%DEMO")),
        (INI, "other", Credentials("AKOTHER", "SKOTHER")),
        ("\ufeff" + INI, None, Credentials("AKDEMO", "SK%DEMO")),
        (ve(default=PROD), None, Credentials("AKPROD", "SKPROD")),
        (ve(default={**PROD, "mode": "ak"}), None, Credentials("AKPROD", "SKPROD")),
        (ve(current="prod", prod=PROD, default=TEMPORARY), None, Credentials("AKPROD", "SKPROD")),
        (ve(current="prod", prod=PROD, temp=TEMPORARY), "temp", Credentials("AKTEMP", "SKTEMP", "STSTEMP")),
        (ve(default={**TEMPORARY, "mode": None}), None, Credentials("AKTEMP", "SKTEMP", "STSTEMP")),
    ],
)
def test_keys_are_read_in_every_format_there_is(
    path: Path, content: Any, profile: str | None, keys: Credentials
) -> None:
    assert FileProvider(write(path, content), profile=profile).load() == keys


@pytest.mark.parametrize(
    ("content", "profile", "says"),
    [
        ({"ak": "PLANTED"}, None, "lacks sk"),
        ({"sk": "PLANTED"}, None, "lacks ak"),
        ({"ak": " ", "sk": "PLANTED"}, None, "lacks ak"),
        ({"ak": 5, "sk": "PLANTED"}, None, "has something other than text as ak"),
        ({"access_key_id": "PLANTED"}, None, "lacks secret_access_key"),
        ({"secret": "PLANTED"}, None, "lacks access_key_id and secret_access_key"),
        ({**VEFAAS, "secret_access_key": "PLANTED PLANTED"}, None, "the secret key has blanks"),
        ("[default]\naccess_key_id = PLANTED\n", None, r"section \[default\] lacks secret_access_key"),
        ("[defualt]\naccess_key_id = PLANTED\n", None, r"no section \[default\]. Did you mean 'defualt'\?"),
        (INI, "othre", r"no section \[othre\]. Did you mean 'other'\?"),
        ("", None, r"no section \[default\]"),
        (ve(prod=PROD), None, "no profile 'default'"),
        (ve(prod=PROD), "prdo", r"no profile 'prdo'. Did you mean 'prod'\?"),
        (ve(current="gone", prod=PROD), None, "no profile 'gone'"),
        ({"profiles": ["PLANTED"]}, None, "no profile 'default'"),
        ({"profiles": {"default": "PLANTED"}}, None, "no profile 'default'"),
        (ve(default={"access-key": "PLANTED"}), None, "profile 'default' lacks secret-key"),
        (ve(default={**PROD, "mode": "sso"}), None, "profile 'default' has mode sso, which this SDK cannot use"),
        (ve(default={"mode": "Console-Login"}), None, "has mode console-login, which this SDK cannot use"),
        (
            ve(default={**PROD, "mode": "StsToken"}),
            None,
            "has a mode this SDK does not know; it can use AK, RamRoleArn",
        ),
        (ve(default={**PROD, "mode": "PLANTED"}), None, "has a mode this SDK does not know"),
        (ve(default={**PROD, "mode": "RamRoleArn"}), None, "profile 'default' lacks role-name and account-id"),
        (
            ve(default={"mode": "RamRoleArn", "role-name": "r", "account-id": "1"}),
            None,
            "lacks access-key and secret-k",
        ),
        (ve(default={**PROD, "mode": "OIDC"}), None, "profile 'default' lacks role-trn and oidc-token-file"),
        (ve(default={"mode": "EcsRole"}), None, "profile 'default' lacks role-name"),
    ],
)
def test_what_a_file_lacks_is_said_with_its_name_and_without_its_content(
    path: Path, content: Any, profile: str | None, says: str
) -> None:
    with pytest.raises(MissingCredentials, match=says) as caught:
        FileProvider(write(path, content), profile=profile).load()
    assert str(caught.value).startswith(f"{path}: ")
    assert "PLANTED" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"ak": "PLANTED",\n "sk": PLANTED}', "no JSON from line 2, column 8 on"),
        (b'{"ak": "PLANTED"', "no JSON from line 1, column 17 on"),
        (b"PLANTED\n", "no INI file from line 1 on"),
        (b"[default]\n\nPLANTED\n", "no INI file from line 3 on"),
        (b"[default]\naccess_key_id = A\naccess_key_id = PLANTED\n", "no INI file from line 3 on"),
        (b"[default]\na = A\n[default]\nb = PLANTED\n", "no INI file from line 3 on"),
        (b"[default]\naccess_key_id = \xff", "byte 26 is not utf-8"),
    ],
)
def test_a_broken_file_is_reported_with_its_name_and_the_place_in_it(path: Path, content: bytes, says: str) -> None:
    path.write_bytes(content)
    with pytest.raises(MissingCredentials, match=says) as caught:
        FileProvider(path).load()
    assert str(caught.value).startswith(f"{path}: ")
    assert "PLANTED" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None, "the errors of parsers hold the whole text"


def test_a_file_that_is_not_there_is_named(path: Path) -> None:
    with pytest.raises(MissingCredentials, match=rf"^{path}: there is no such file$"):
        FileProvider(path).load()


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingCredentials, match=rf"^{tmp_path}: it cannot be read: Is a directory"):
        FileProvider(tmp_path).load()


def test_a_path_may_begin_at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    write(tmp_path / "keys", VEFAAS)
    assert FileProvider("~/keys").load().access_key == "AKDEMO"


def test_keys_in_a_file_are_read_anew_after_a_minute_and_kept_when_they_cannot_be(path: Path) -> None:
    now = [0.0]
    auth = IAM(provider=FileProvider(write(path, VEFAAS)), clock=lambda: now[0])
    wire = FakeTransport()
    client = Toy(endpoint="https://h.example", auth=auth, transport=wire)

    def signed_with() -> str:
        client.call(READ)
        return wire.requests[-1].headers["X-Security-Token"]

    assert signed_with() == "STSDEMO"
    write(path, {**VEFAAS, "session_token": "STSROTATED"})
    now[0] = 59
    assert signed_with() == "STSDEMO"
    now[0] = 60
    assert signed_with() == "STSROTATED"
    path.unlink()
    now[0] = 120
    assert signed_with() == "STSROTATED"
    write(path, {**VEFAAS, "session_token": "STSAGAIN"})
    now[0] = 150
    assert signed_with() == "STSAGAIN"


def test_it_is_a_provider_and_shows_the_path_alone(path: Path) -> None:
    provider = FileProvider(write(path, VEFAAS))
    assert isinstance(provider, CredentialProvider)
    assert repr(provider) == f"FileProvider({str(path)!r})"
    assert repr(FileProvider(path, profile="prod")) == f"FileProvider({str(path)!r}, profile='prod')"


@pytest.fixture
def sts() -> Iterator[FakeSts]:
    with FakeSts({"AKPROD": "SKPROD"}, identity_token="IDENTITY") as server:
        yield server


def through(sts: FakeSts) -> Sender:
    """Sends what is meant for the platform's token service to the one of this test."""

    def send(request: Request, timeouts: Timeouts) -> Response:
        assert request.endpoint.origin == "https://sts.volcengineapi.com"
        return send_once(replace(request, endpoint=Endpoint.parse(sts.url)), timeouts)

    return send


def test_a_profile_may_name_a_role_that_its_keys_take_on(path: Path, sts: FakeSts) -> None:
    profile = {**PROD, "mode": "RamRoleArn", "role-name": "search", "account-id": "21", "region": "ap-southeast-1"}
    provider = provider_in_ve_config(write(path, ve(default=profile)), None, Surroundings({}, sts=through(sts)))
    assert provider.load().access_key == "AKROLE1"
    assert sts.asked()["RoleTrn"] == "trn:iam::21:role/search"
    assert "/ap-southeast-1/sts/request" in sts.received[0].headers["Authorization"]


def test_a_profile_may_name_a_role_for_an_identity_token(path: Path, sts: FakeSts, tmp_path: Path) -> None:
    token_file = str(write(tmp_path / "token", "IDENTITY"))
    profile = {"mode": "OIDC", "role-trn": "trn:r", "oidc-token-file": token_file, "policy": "{}"}
    environ = {
        "VOLCENGINE_OIDC_ROLE_SESSION_NAME": "pod",
        "VOLCENGINE_OIDC_STS_ENDPOINT": sts.url,
        "VOLCENGINE_OIDC_ROLE_POLICY": "not this one",
    }
    provider = provider_in_ve_config(write(path, ve(default=profile)), None, Surroundings(environ))
    assert provider.load().access_key == "AKROLE1"
    asked = sts.asked()
    assert (asked["RoleTrn"], asked["RoleSessionName"], asked["Policy"]) == ("trn:r", "pod", "{}")


def test_a_profile_may_name_the_role_of_its_server_unless_that_is_switched_off(path: Path) -> None:
    write(path, ve(default={"mode": "EcsRole", "role-name": "search"}))
    assert repr(provider_in_ve_config(path, None, Surroundings({}))) == "ECSRole('search')"
    with pytest.raises(Lack, match="has mode EcsRole, and VOLCENGINE_ECS_METADATA_DISABLED switches that off"):
        provider_in_ve_config(path, None, Surroundings({"VOLCENGINE_ECS_METADATA_DISABLED": "true"}))
