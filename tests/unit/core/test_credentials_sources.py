"""Where a client looks for credentials by itself, in which order, and what it says of that."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.platform import ROLE, FakeMetadata, FakeSts
from tests.unit.vector.fakes import READ, FakeTransport, Toy
from vikingdb_core.credentials import IAM, APIKey, Auth, NoAuth, ResolvedCredentials, Scope
from vikingdb_core.credentials.ambient import resolve_credentials
from vikingdb_core.credentials.surroundings import Surroundings
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.exceptions import ConfigError, MissingCredentials
from vikingdb_core.messages import Headers, Request
from vikingdb_core.profile import read_profile

REMOTE = {"data": Endpoint("https", "h.example")}
REQUEST = Request("POST", REMOTE["data"], "/", (), Headers({"Host": "h.example", "Content-Type": "a/b"}), b"{}")


@dataclass
class World:
    """A machine with nothing on it, until something is put there."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    def put(self, name: str, content: Any) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    @property
    def around(self) -> Surroundings:
        environ = {"XDG_CONFIG_HOME": str(self.folder / "config"), **self.environ}
        profile = read_profile(None, environ)
        return Surroundings(environ, profile, home=self.folder, vefaas_file=self.folder / "vefaas")

    def resolve(self, endpoints: dict[str, Endpoint] | None = None) -> ResolvedCredentials:
        return resolve_credentials(None, endpoints or REMOTE, self.around)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def pair(access: str, secret: str) -> Any:
    def put(world: World, complete: bool) -> None:
        world.environ |= {access: f"AK{access}"} | ({secret: f"SK{access}"} if complete else {})

    return put


def api_key(world: World, complete: bool) -> None:
    world.environ["VIKINGDB_API_KEY"] = "KEY" if complete else " "


def oidc(world: World, complete: bool) -> None:
    world.environ["VOLCENGINE_OIDC_ROLE_TRN"] = ROLE
    if complete:
        world.environ["VOLCENGINE_OIDC_TOKEN_FILE"] = str(world.put("token", "IDENTITY"))


def profile(world: World, complete: bool) -> None:
    world.put("config/vikingdb/config.toml", "[default]\naccess_key = 'AKOWN'\n" + "secret_key = 'SKOWN'\n" * complete)


def ve_config(world: World, complete: bool) -> None:
    keys = {"access-key": "AKVE"} | ({"secret-key": "SKVE"} if complete else {})
    world.put(".volcengine/config.json", {"profiles": {"default": keys}})


def ini(world: World, complete: bool) -> None:
    world.put(".volc/credentials", "[default]\naccess_key_id = AKINI\n" + "secret_access_key = SKINI\n" * complete)


def old_json(world: World, complete: bool) -> None:
    world.put(".volc/config", {"ak": "AKOLD"} | ({"sk": "SKOLD"} if complete else {}))


def vefaas(world: World, complete: bool) -> None:
    world.put("vefaas", {"access_key_id": "AKFAAS"} | ({"secret_access_key": "SKFAAS"} if complete else {}))


def ecs(world: World, complete: bool) -> None:
    world.environ["VOLCENGINE_ECS_METADATA"] = "search" if complete else " "


# In the order they are looked at: how each is put there, who signs when it wins, and what half of it is said to lack.
SOURCES: list[tuple[Any, str, str]] = [
    (pair("VIKINGDB_AK", "VIKINGDB_SK"), "AKVIKINGDB_AK", "lacks VIKINGDB_SK"),
    (pair("VOLCENGINE_ACCESS_KEY", "VOLCENGINE_SECRET_KEY"), "AKVOLCENGINE_ACCESS_KEY", "lacks VOLCENGINE_SECRET_KEY"),
    (pair("VOLC_ACCESSKEY", "VOLC_SECRETKEY"), "AKVOLC_ACCESSKEY", "lacks VOLC_SECRETKEY"),
    (api_key, "APIKey", "not set"),
    (oidc, "OIDC", "lacks VOLCENGINE_OIDC_TOKEN_FILE"),
    (profile, "AKOWN", "lacks secret_key"),
    (ve_config, "AKVE", "profile 'default' lacks secret-key"),
    (ini, "AKINI", "section [default] lacks secret_access_key"),
    (old_json, "AKOLD", "lacks sk"),
    (vefaas, "FileProvider", "lacks secret_access_key"),
    (ecs, "ECSRole", "not asked for: VOLCENGINE_ECS_METADATA names no role"),
]
INI, OLD_JSON = 7, 8


def signer(auth: Auth) -> str:
    """Who signs: the access key, or the kind of what will give one."""
    if not isinstance(auth, IAM):
        return type(auth).__name__
    if auth.shown_key is None:
        return auth.provider_name
    return auth.sign(REQUEST, Scope("toy", "here")).headers["Authorization"].split("Credential=")[1].split("/")[0]


def results(resolved: ResolvedCredentials) -> list[str]:
    """The second column of the table."""
    header, *rows = resolved.explain().splitlines()
    start = header.index("result")
    return [row[start:] for row in rows]


@pytest.mark.parametrize("place", range(len(SOURCES)))
def test_a_complete_source_is_used(world: World, place: int) -> None:
    put, expected, _ = SOURCES[place]
    put(world, True)
    assert signer(world.resolve().auth) == expected


@given(st.lists(st.sampled_from(["absent", "half", "complete"]), min_size=len(SOURCES), max_size=len(SOURCES)))
def test_the_first_complete_source_wins_and_the_others_say_what_they_lack(filled: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        for (put, _, _), how in zip(SOURCES, filled, strict=True):
            if how != "absent":
                put(world, how == "complete")
        # The older of the two files of the old SDK counts only where the newer one is not there.
        complete = [
            how == "complete" and (place != OLD_JSON or filled[INI] == "absent") for place, how in enumerate(filled)
        ]
        if not any(complete):
            with pytest.raises(MissingCredentials) as caught:
                world.resolve()
            listed = str(caught.value).splitlines()[1:]
            assert len(listed) == len(SOURCES)
            for place, line in enumerate(listed):
                if filled[place] == "half" and (place != OLD_JSON or filled[INI] == "absent"):
                    assert line.endswith(SOURCES[place][2])
            return
        resolved = world.resolve()
        winner = complete.index(True)
        assert signer(resolved.auth) == SOURCES[winner][1]
        shown = results(resolved)
        assert len(shown) == len(SOURCES)
        assert shown[winner].startswith("used")
        assert set(shown[winner + 1 :]) <= {"not asked"}
        for place in range(winner):
            assert not shown[place].startswith("used")
            if filled[place] == "half" and (place != OLD_JSON or filled[INI] == "absent"):
                assert shown[place] == SOURCES[place][2]


def test_the_table_names_the_sources_in_order(world: World) -> None:
    ecs(world, True)
    names = [line.split("  ")[0] for line in world.resolve().explain().splitlines()]
    assert names == [
        "source",
        "VIKINGDB_AK + VIKINGDB_SK",
        "VOLCENGINE_ACCESS_KEY + VOLCENGINE_SECRET_KEY",
        "VOLC_ACCESSKEY + VOLC_SECRETKEY",
        "VIKINGDB_API_KEY",
        "VOLCENGINE_OIDC_ROLE_TRN + VOLCENGINE_OIDC_TOKEN_FILE",
        f"profile file {world.folder}/config/vikingdb/config.toml",
        f"{world.folder}/.volcengine/config.json",
        f"{world.folder}/.volc/credentials",
        f"{world.folder}/.volc/config",
        f"{world.folder}/vefaas",
        "ECS metadata",
    ]


def test_what_is_shown_of_the_winner_is_the_beginning_of_its_access_key(world: World) -> None:
    ini(world, True)
    assert results(world.resolve())[INI] == "used: access key AKIN***"
    oidc(world, True)
    resolved = world.resolve()
    assert results(resolved)[4] == "used: OIDC, asked at the first call"
    assert resolved.source == "VOLCENGINE_OIDC_ROLE_TRN + VOLCENGINE_OIDC_TOKEN_FILE"
    api_key(world, True)
    assert results(world.resolve())[3] == "used: API key"


def test_keys_that_were_fetched_show_in_the_table_afterwards(world: World) -> None:
    oidc(world, True)
    with FakeSts(identity_token="IDENTITY") as sts:
        world.environ["VOLCENGINE_OIDC_STS_ENDPOINT"] = sts.url
        resolved = world.resolve()
        assert sts.received == []
        resolved.auth.refresh()
    assert results(resolved)[4] == "used: access key AKRO***"


def test_what_comes_after_the_winner_is_not_even_read(world: World) -> None:
    pair("VIKINGDB_AK", "VIKINGDB_SK")(world, True)
    world.put(".volcengine/config.json", "{broken")
    world.put(".volc/credentials", "broken")
    assert set(results(world.resolve())[1:]) == {"not asked"}


def test_a_broken_file_is_passed_over_and_reported(world: World) -> None:
    world.put(".volcengine/config.json", '{"profiles":\n  PLANTED}')
    ini(world, True)
    shown = results(world.resolve())
    assert shown[6] == "it is no JSON from line 2, column 3 on"
    assert shown[INI] == "used: access key AKIN***"


def test_a_pair_that_is_complete_but_no_keys_is_an_error_and_not_passed_over(world: World) -> None:
    world.environ |= {"VIKINGDB_AK": "AKDEMO", "VIKINGDB_SK": "PLANTED PLANTED"}
    ini(world, True)
    with pytest.raises(MissingCredentials, match=r"^VIKINGDB_AK \+ VIKINGDB_SK: the secret key has blanks") as caught:
        world.resolve()
    assert "PLANTED" not in str(caught.value)


def test_the_file_of_the_ve_command_may_be_elsewhere_and_its_profile_named(world: World) -> None:
    other = {"access-key": "AKOTHER", "secret-key": "SKOTHER"}
    world.environ["VOLCENGINE_CLI_CONFIG_FILE"] = str(world.put("ve.json", {"profiles": {"prod": other}}))
    with pytest.raises(MissingCredentials, match=r"ve\.json: it has no profile 'default'"):
        world.resolve()
    world.environ["VOLCENGINE_PROFILE"] = "prod"
    resolved = world.resolve()
    assert (signer(resolved.auth), resolved.source) == ("AKOTHER", f"{world.folder}/ve.json")


def test_a_token_file_that_is_not_there_makes_the_source_incomplete(world: World) -> None:
    oidc(world, True)
    (world.folder / "token").unlink()
    with pytest.raises(MissingCredentials, match=rf"there is no token file {world.folder}/token"):
        world.resolve()


def test_a_token_service_that_would_be_told_secrets_in_the_open_is_an_error(world: World) -> None:
    oidc(world, True)
    world.environ["VOLCENGINE_OIDC_STS_ENDPOINT"] = "http://sts.example"
    with pytest.raises(ConfigError, match=r"^VOLCENGINE_OIDC_ROLE_TRN \+ .*: the endpoint of STS: .*unencrypted"):
        world.resolve()


def test_everything_the_environment_says_of_a_role_is_sent(world: World) -> None:
    oidc(world, True)
    with FakeSts(identity_token="IDENTITY") as sts:
        world.environ |= {
            "VOLCENGINE_OIDC_STS_ENDPOINT": sts.url,
            "VOLCENGINE_OIDC_ROLE_SESSION_NAME": "nightly",
            "VOLCENGINE_OIDC_ROLE_POLICY": "{}",
        }
        world.resolve().auth.refresh()
        asked = sts.asked()
    assert (asked["RoleTrn"], asked["RoleSessionName"], asked["Policy"]) == (ROLE, "nightly", "{}")


def test_the_metadata_of_a_server_is_not_asked_for_by_itself_and_can_be_switched_off(world: World) -> None:
    with pytest.raises(MissingCredentials, match="ECS metadata: not asked for: VOLCENGINE_ECS_METADATA names no role"):
        world.resolve()
    ecs(world, True)
    world.environ["VOLCENGINE_ECS_METADATA_DISABLED"] = "true"
    with pytest.raises(MissingCredentials, match="switched off by VOLCENGINE_ECS_METADATA_DISABLED"):
        world.resolve()


def test_an_endpoint_on_this_machine_gets_nothing_and_no_source_is_looked_at(world: World) -> None:
    for place, _, _ in SOURCES:
        place(world, True)
    for endpoint, kind in (
        (Endpoint("http", "127.0.0.1", 80), "this machine"),
        (Endpoint("local", "demo"), "an embedded"),
    ):
        resolved = world.resolve({"data": endpoint})
        assert isinstance(resolved.auth, NoAuth)
        assert resolved.source == "none"
        assert resolved.explain().startswith(f"no credentials are sent: {endpoint.origin} is {kind}")
    with pytest.raises(MissingCredentials, match=r"finds by itself are not sent to http://127\.0\.0\.1; pass auth="):
        world.resolve({**REMOTE, "control": Endpoint("http", "127.0.0.1")})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """The world as a client of this process sees it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return World(tmp_path)


def test_a_client_says_which_credentials_it_uses(home: World) -> None:
    ini(home, True)
    wire = FakeTransport()
    client = Toy(endpoint="https://h.example", transport=wire)
    client.call(READ)
    assert "Credential=AKINI/" in wire.requests[0].headers["Authorization"]
    assert results(client.credentials)[INI] == "used: access key AKIN***"
    assert (
        repr(client.credentials)
        == f"ResolvedCredentials(auth=IAM(ak=AKIN***), source='{home.folder}/.volc/credentials')"
    )


@pytest.mark.parametrize(
    ("auth", "shown"),
    [
        (IAM("AKDEMO", "SKDEMO"), "auth=IAM(ak=AKDE***) was passed to the client, so no source was looked at"),
        (APIKey("KEYDEMO"), "auth=APIKey(***) was passed to the client, so no source was looked at"),
        (NoAuth(), "auth=NoAuth() was passed to the client, so no source was looked at"),
    ],
)
def test_a_client_that_was_given_its_credentials_says_so(home: World, auth: Auth, shown: str) -> None:
    ini(home, True)
    client = Toy(endpoint="https://h.example", auth=auth)
    assert client.credentials.explain() == shown
    assert client.credentials.auth is auth


def test_a_stranger_is_named_by_its_class_alone() -> None:
    class Talkative(Auth):
        def sign(self, request: Request, scope: Scope) -> Request:
            return request

        def __repr__(self) -> str:
            return "PLANTED"

    shown = Toy(endpoint="https://h.example", auth=Talkative()).credentials.explain()
    assert shown.startswith("auth=Talkative was passed")


def test_a_session_token_of_the_client_goes_with_keys_it_found(home: World) -> None:
    ini(home, True)
    wire = FakeTransport()
    client = Toy(endpoint="https://h.example", transport=wire, sts_token="STSDEMO")
    client.call(READ)
    assert wire.requests[0].headers["X-Security-Token"] == "STSDEMO"
    assert results(client.credentials)[INI] == "used: access key AKIN***"


def test_signatures_with_keys_that_were_found_may_travel_unencrypted_but_not_session_tokens(home: World) -> None:
    ini(home, True)
    with pytest.warns(UserWarning, match="travel unencrypted"):
        Toy(endpoint="http://h.example")
    temporary = {"access-key": "AK", "secret-key": "SK", "session-token": "STS"}
    home.put(".volcengine/config.json", {"profiles": {"default": temporary}})
    with pytest.raises(ConfigError, match=r"would send a secret to http://h\.example unencrypted"):
        Toy(endpoint="http://h.example")


@pytest.fixture
def metadata(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeMetadata]:
    with FakeMetadata("search") as server:
        monkeypatch.setattr("vikingdb_core.credentials.ecs.METADATA_ENDPOINT", server.url)
        yield server


def test_a_client_on_a_cloud_server_asks_for_its_keys_at_the_first_call(
    home: World, metadata: FakeMetadata, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOLCENGINE_ECS_METADATA", "search")
    wire = FakeTransport()
    client = Toy(endpoint="https://h.example", transport=wire)
    assert metadata.received == []
    assert client.credentials.explain().endswith("used: ECSRole, asked at the first call")
    client.call(READ)
    assert wire.requests[0].headers["X-Security-Token"] == "STSECS1"
    assert client.credentials.explain().endswith("used: access key AKEC***")


def test_keys_of_a_function_are_read_anew(world: World) -> None:
    vefaas(world, True)
    resolved = world.resolve()
    resolved.auth.refresh()
    world.put("vefaas", {"access_key_id": "AKROTATED", "secret_access_key": "SK", "session_token": "STS"})
    assert signer(resolved.auth) == "AKFAAS"
    assert resolved.auth.invalidate()  # the service refused the old ones
    resolved.auth.refresh()
    assert signer(resolved.auth) == "AKROTATED"
