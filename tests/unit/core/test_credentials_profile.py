"""What a profile says of credentials: keys, roles, other places, and the settings of auth schemes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.platform import ROLE, FakeMetadata, FakeSts
from tests.unit.vector.fakes import READ, FakeTransport, Toy
from vikingdb_core import discovery
from vikingdb_core.config import resolve
from vikingdb_core.credentials import IAM, Auth, Scope
from vikingdb_core.exceptions import ConfigError, MissingCredentials, VikingDBError
from vikingdb_core.messages import Request
from vikingdb_core.profile import read_profile

Write = Callable[[str], Path]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    return tmp_path


@pytest.fixture
def write(home: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes the profile file."""
    path = home / "config.toml"
    monkeypatch.setenv("VIKINGDB_CONFIG_FILE", str(path))

    def put(text: str) -> Path:
        path.write_text(text, encoding="utf-8")
        return path

    return put


@pytest.fixture
def ve_config(home: Path) -> None:
    profiles = {
        "default": {"access-key": "AKDEFAULT", "secret-key": "SKDEFAULT"},
        "prod": {"access-key": "AKPROD", "secret-key": "SKPROD", "session-token": "STSPROD"},
        "half": {"access-key": "PLANTED"},
        "login": {"mode": "sso"},
    }
    path = home / ".volcengine/config.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"profiles": profiles}))


@pytest.fixture
def sts() -> Iterator[FakeSts]:
    with FakeSts({"AKOWN": "SKOWN", "AKPROD": "SKPROD"}, identity_token="IDENTITY") as server:
        yield server


def called(**options: Any) -> dict[str, str]:
    """The headers of a call."""
    wire = FakeTransport()
    Toy(endpoint="https://h.example", transport=wire, **options).call(READ)
    return dict(wire.requests[0].headers)


def test_keys_in_a_profile_sign(write: Write) -> None:
    write("[default]\naccess_key = 'AKOWN'\nsecret_key = 'SKOWN'\nregion = 'here'\n")
    headers = called()
    assert "Credential=AKOWN/" in headers["Authorization"]
    assert "/here/toy/request" in headers["Authorization"]
    assert "X-Security-Token" not in headers
    write("[temp]\naccess_key = 'AKOWN'\nsecret_key = 'SKOWN'\nsession_token = 'STSOWN'\n")
    assert called(profile="temp")["X-Security-Token"] == "STSOWN"


@pytest.mark.usefixtures("ve_config")
@pytest.mark.parametrize(
    ("said", "key"), [("volcengine", "AKDEFAULT"), ("volcengine:prod", "AKPROD"), ("volcengine:default", "AKDEFAULT")]
)
def test_a_profile_may_name_one_of_the_ve_command(write: Write, said: str, key: str) -> None:
    write(f"[default]\ncredentials = '{said}'\n")
    assert f"Credential={key}/" in called()["Authorization"]


@pytest.mark.usefixtures("ve_config")
def test_without_a_name_it_is_the_profile_the_environment_asks_for(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("[default]\ncredentials = 'volcengine'\n")
    monkeypatch.setenv("VOLCENGINE_PROFILE", "prod")
    assert "Credential=AKPROD/" in called()["Authorization"]


@pytest.mark.usefixtures("ve_config")
@pytest.mark.parametrize(
    ("said", "says"),
    [
        ("volcengine:gone", r"'volcengine:gone', but .*config\.json: it has no profile 'gone'"),
        ("volcengine:half", "but .*: profile 'half' lacks secret-key"),
        ("volcengine:login", "but .*: profile 'login' has mode sso, which this SDK cannot use"),
    ],
)
def test_a_place_that_is_named_must_have_credentials(write: Write, home: Path, said: str, says: str) -> None:
    path = write(f"[default]\ncredentials = '{said}'\n")
    (home / ".volc").mkdir()
    (home / ".volc/config").write_text('{"ak": "AKOLD", "sk": "SKOLD"}')  # a program does not turn into somebody else
    with pytest.raises(MissingCredentials, match=rf"^profile 'default' in {path}: credentials = .*{says}"):
        called()


def test_a_place_nobody_knows_is_an_error_and_not_repeated(write: Write) -> None:
    for said in ("PLANTED", "vefaas:PLANTED", "volcengine:", "ecs:"):
        write(f"[default]\ncredentials = '{said}'\n")
        with pytest.raises(ConfigError, match="credentials must be 'volcengine', 'volcengine:<profile>'") as caught:
            called()
        assert "PLANTED" not in str(caught.value)


def test_a_profile_may_name_the_role_of_its_server(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeMetadata("search", "other") as metadata:
        monkeypatch.setattr("vikingdb_core.credentials.ecs.METADATA_ENDPOINT", metadata.url)
        for said, asked in (("ecs", "search"), ("ecs:other", "other")):
            write(f"[default]\ncredentials = '{said}'\n")
            assert called()["X-Security-Token"].startswith("STSECS")
            assert metadata.received[-1].target.endswith(f"/{asked}")
    monkeypatch.setenv("VOLCENGINE_ECS_METADATA_DISABLED", "true")
    with pytest.raises(MissingCredentials, match="credentials = 'ecs:other', and VOLCENGINE_ECS_METADATA_DISABLED"):
        called()


def test_a_role_is_taken_on_with_the_keys_of_the_profile(write: Write, sts: FakeSts) -> None:
    write(
        f"[default]\naccess_key = 'AKOWN'\nsecret_key = 'SKOWN'\nrole_trn = '{ROLE}'\nsts_endpoint = '{sts.url}'\n"
        "role_session_name = 'nightly'\nrole_policy = '{}'\n"
    )
    client = Toy(endpoint="https://h.example")
    assert sts.received == []
    assert "used: AssumeRole, asked at the first call" in client.credentials.explain()
    assert called()["X-Security-Token"] == "STSROLE1"
    assert (sts.asked()["RoleTrn"], sts.asked()["RoleSessionName"], sts.asked()["Policy"]) == (ROLE, "nightly", "{}")


@pytest.mark.usefixtures("ve_config")
def test_a_role_is_taken_on_with_the_keys_of_another_place(write: Write, sts: FakeSts) -> None:
    write(f"[default]\ncredentials = 'volcengine:prod'\nrole_trn = '{ROLE}'\nsts_endpoint = '{sts.url}'\n")
    assert called()["X-Security-Token"] == "STSROLE1"
    assert sts.received[0].headers["X-Security-Token"] == "STSPROD"


def test_a_role_is_taken_on_with_an_identity_token(write: Write, home: Path, sts: FakeSts) -> None:
    (home / "token").write_text("IDENTITY")
    write(f"[default]\noidc_token_file = '{home}/token'\nrole_trn = '{ROLE}'\nsts_endpoint = '{sts.url}'\n")
    assert called()["X-Security-Token"] == "STSROLE1"
    assert sts.received[0].method == "POST"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("credentials = 'ecs'\naccess_key = 'PLANTED'", "credentials names another place, so access_key cannot be"),
        ("role_policy = 'PLANTED'\nrole_session_name = 'n'", "role_session_name and role_policy go with role_trn"),
        ("oidc_token_file = 'PLANTED'", "oidc_token_file go with role_trn, which is not given"),
        (
            "oidc_token_file = 'f'\nrole_trn = 'r'\naccess_key = 'PLANTED'",
            "a role is taken on with oidc_token_file or with keys",
        ),
        (
            "oidc_token_file = 'f'\nrole_trn = 'r'\ncredentials = 'ecs'",
            "a role is taken on with oidc_token_file or with keys",
        ),
        (
            "access_key = 'A'\nsecret_key = 'PLANTED'\nrole_trn = 'r'\nsts_endpoint = 'http://sts.example'",
            "the endpoint of STS: secrets would go to http://sts.example unencrypted",
        ),
        ("access_key = 'A'\nsecret_key = 'PLANTED PLANTED'", "the secret key has blanks"),
    ],
)
def test_what_does_not_go_together_is_an_error_that_names_the_profile(write: Write, text: str, says: str) -> None:
    path = write(f"[default]\n{text}\n")
    with pytest.raises(ConfigError, match=rf"^profile 'default' in {path}: {says}") as caught:
        called()
    assert "PLANTED" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("role_trn = 'r'", "lacks access_key and secret_key"),
        ("session_token = 'PLANTED'", "lacks access_key and secret_key"),
        ("secret_key = 'PLANTED'\naccess_key = ' '", "lacks access_key"),
        ("region = 'here'", "names no credentials"),
    ],
)
def test_half_of_it_is_passed_over_and_reported(write: Write, text: str, says: str) -> None:
    path = write(f"[default]\n{text}\n")
    with pytest.raises(MissingCredentials, match=rf"\n  profile 'default' in {path}: {says}\n") as caught:
        called()
    assert "PLANTED" not in str(caught.value)


def test_what_is_no_text_is_an_error_that_names_it(write: Write) -> None:
    path = write("[default]\naccess_key = 5\n")
    with pytest.raises(ConfigError, match=rf"^{path}: access_key in \[default\] must be text in quotes"):
        called()


def test_a_profile_keeps_credentials_apart_from_settings_and_shows_none(write: Write) -> None:
    path = write("[default]\nregion = 'here'\nsecret_key = 'PLANTED'\n[default.auth.vault]\ntoken = 'PLANTED'\n")
    read = read_profile(None, {"VIKINGDB_CONFIG_FILE": str(path)})
    assert read.settings == {"region": "here"}
    assert read.credentials == {"secret_key": "PLANTED"}
    assert read.auth == {"vault": {"token": "PLANTED"}}
    assert "PLANTED" not in repr(read)
    config = resolve({}, environ={"VIKINGDB_CONFIG_FILE": str(path)})
    assert "PLANTED" not in repr(config) + config.explain() + repr(vars(config))


def test_a_key_written_wrongly_is_a_setting_that_does_not_exist(write: Write) -> None:
    write("[default]\nacces_key = 'PLANTED'\n")
    with pytest.raises(ConfigError, match=r"there is no setting 'acces_key'. Did you mean 'access_key'\?") as caught:
        called()
    assert "PLANTED" not in str(caught.value)


class Vault(Auth):
    """A stranger's scheme with settings."""

    def __init__(self, address: str, token: str = "", retries: int = 1) -> None:
        if not address.startswith("https://"):
            raise ValueError(f"bad address {address} for {token}")
        if token == "expired":
            raise MissingCredentials("the vault is sealed")
        self.address = address

    def sign(self, request: Request, scope: Scope) -> Request:
        return request.with_headers({"X-Vault": self.address})


@pytest.fixture
def vault() -> Iterator[None]:
    discovery.add(discovery.AUTH, "vault", Vault)
    yield
    discovery.remove(discovery.AUTH, "vault")


@pytest.mark.usefixtures("vault")
def test_a_scheme_asked_for_by_name_is_built_with_its_settings(write: Write) -> None:
    write(
        "[default.auth.vault]\naddress = 'https://vault.example'\n[default.auth.other]\naddress = 'not used'\n"
        "[staging.auth.vault]\naddress = 'https://staging.example'\n"
    )
    assert called(auth="vault")["X-Vault"] == "https://vault.example"
    assert called(auth="vault", profile="staging")["X-Vault"] == "https://staging.example"
    shown = Toy(endpoint="https://h.example", auth="vault").credentials.explain()
    assert shown == "auth='vault' was passed to the client, so no source was looked at"


@pytest.mark.usefixtures("vault")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("adress = 'PLANTED'", "auth scheme 'vault' cannot be built from adress: .*'ad"),
        ("token = 'PLANTED'", "cannot be built from token: missing a required argument: 'address'"),
        ("address = 'PLANTED'\ntoken = 'PLANTED'", "cannot be built from address, token: ValueError$"),
        ("address = 5\ntoken = 'PLANTED'", "cannot be built from address, token: AttributeError$"),
    ],
)
def test_a_setting_that_is_wrong_is_named_with_its_scheme_and_not_repeated(write: Write, text: str, says: str) -> None:
    path = write(f"[default.auth.vault]\n{text}\n")
    with pytest.raises(ConfigError, match=rf"^profile 'default' in {path}: .*{says}") as caught:
        called(auth="vault")
    assert "PLANTED" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.usefixtures("vault")
def test_an_error_the_scheme_raises_on_purpose_is_the_one_seen(write: Write) -> None:
    write("[default.auth.vault]\naddress = 'https://vault.example'\ntoken = 'expired'\n")
    with pytest.raises(MissingCredentials, match=r"^the vault is sealed$"):
        called(auth="vault")


@pytest.mark.usefixtures("vault")
def test_a_scheme_without_a_profile_says_what_it_lacks() -> None:
    with pytest.raises(
        ConfigError, match=r"^no profile: auth scheme 'vault' cannot be built from no settings: missing"
    ):
        called(auth="vault")


def test_an_object_takes_no_settings(write: Write) -> None:
    discovery.add(discovery.AUTH, "fixed", IAM("AKDEMO", "SKDEMO"))
    try:
        write("")
        assert "Credential=AKDEMO/" in called(auth="fixed")["Authorization"]
        write("[default.auth.fixed]\ntoken = 'PLANTED'\n")
        with pytest.raises(ConfigError, match="auth scheme 'fixed' takes no settings, and is given token"):
            called(auth="fixed")
    finally:
        discovery.remove(discovery.AUTH, "fixed")


@pytest.mark.parametrize("text", ["auth = 'vault'", "[default.auth]\nvault = 'PLANTED'"])
def test_settings_of_schemes_are_tables(write: Write, text: str) -> None:
    path = write(f"[default]\n{text}\n")
    with pytest.raises(VikingDBError, match=rf"^{path}: settings of auth schemes are tables, as in \[default\.auth\."):
        called()
