"""The hunt: a different secret is planted in every place there is, and then looked for in everything that is shown."""

from __future__ import annotations

import copy
import json
import logging
import os
import pickle
import re
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.platform import ROLE, FakeMetadata, FakeSts
from tests.support.server import Connection, LoopbackServer
from tests.unit.core.test_credentials_secrets import everything_shown
from tests.unit.vector.fakes import READ, Answer, FakeClock, FakeTransport, Toy, reply
from vikingdb_core import discovery
from vikingdb_core.credentials import (
    IAM,
    OIDC,
    APIKey,
    AssumeRole,
    Chain,
    Credentials,
    ECSRole,
    EnvProvider,
    FileProvider,
    HeaderAuth,
)
from vikingdb_core.exceptions import ConnectionLost

PLANTED = re.compile(r"PLANTED\w+")


class Planted(dict[str, str]):
    """A new secret for every name that is asked for."""

    def __missing__(self, name: str) -> str:
        self[name] = f"PLANTED{len(self):02d}{re.sub('[^A-Za-z]', '', name)}"
        return self[name]


SECRETS = Planted()  # not a local value anywhere: the frames of these tests are in the tracebacks too


def plant(folder: Path, setenv: Callable[[str, str], None]) -> None:
    """Fill every source and every setting that may hold a secret."""

    def put(name: str, content: Any) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    for access, secret, token in (
        ("VIKINGDB_AK", "VIKINGDB_SK", "VIKINGDB_SESSION_TOKEN"),
        ("VOLCENGINE_ACCESS_KEY", "VOLCENGINE_SECRET_KEY", "VOLCENGINE_SESSION_TOKEN"),
        ("VOLC_ACCESSKEY", "VOLC_SECRETKEY", "VOLC_SESSIONTOKEN"),
    ):
        setenv(access, "AKDEMO")
        setenv(secret, SECRETS[secret])
        setenv(token, SECRETS[token])
    setenv("VIKINGDB_API_KEY", SECRETS["VIKINGDB_API_KEY"])
    setenv("VOLCENGINE_OIDC_ROLE_TRN", ROLE)
    setenv("VOLCENGINE_OIDC_TOKEN_FILE", str(put("token", SECRETS["identity"])))
    setenv("VOLCENGINE_ECS_METADATA", "search")
    put(
        "config.toml",
        f"[default]\naccess_key = 'AKDEMO'\nsecret_key = '{SECRETS['own']}'\nsession_token = '{SECRETS['own token']}'\n"
        f"[default.headers]\nX-Api-Key = '{SECRETS['header']}'\n"
        f"[default.proxies]\nhttps = 'http://user:{SECRETS['proxy']}@proxy.example'\n"
        f"[default.auth.vault]\ntoken = '{SECRETS['scheme']}'\n[default.plugin.audit]\ntoken = '{SECRETS['plugin']}'\n",
    )
    setenv("VIKINGDB_CONFIG_FILE", str(folder / "config.toml"))
    ve = {"access-key": "AKDEMO", "secret-key": SECRETS["ve"], "session-token": SECRETS["ve token"]}
    put(".volcengine/config.json", {"profiles": {"default": ve, "other": {**ve, "mode": SECRETS["mode"]}}})
    put(".volc/credentials", f"[default]\naccess_key_id = AKDEMO\nsecret_access_key = {SECRETS['ini']}\n")
    put(".volc/config", {"ak": "AKDEMO", "sk": SECRETS["json"]})
    faas = {"access_key_id": "AKDEMO", "secret_access_key": SECRETS["faas"], "session_token": SECRETS["faas token"]}
    put("vefaas", faas)


class World:
    """This machine, with secrets everywhere."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self._monkeypatch = folder, monkeypatch

    def __repr__(self) -> str:
        return "World()"

    def remove(self, *names: str) -> None:
        for name in names:
            if name.isupper():
                self._monkeypatch.delenv(name, raising=False)
            else:
                (self.folder / name).unlink(missing_ok=True)

    def set(self, name: str, value: str) -> None:
        """Put something before the secret that is there."""
        self._monkeypatch.setenv(name, f"{value} {os.environ[name]}")

    def break_files(self) -> None:
        (self.folder / ".volc/credentials").write_text(f"[default]\n{SECRETS['broken ini']}\n")
        (self.folder / ".volc/config").write_text(f'{{"ak": {SECRETS["broken json"]}')
        self.change(".volcengine/config.json", '"PL', "PL")
        self.change("vefaas", '"PL', "PL")

    def change(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    plant(tmp_path, monkeypatch.setenv)
    keys = {"AccessKeyId": "AKDEMO", "SecretAccessKey": SECRETS["fetched"], "SessionToken": SECRETS["fetched token"]}
    with FakeSts() as sts, FakeMetadata("search") as metadata:
        sts.answers = [(200, json.dumps({"ResponseMetadata": {}, "Result": {"Credentials": keys}}).encode())] * 9
        metadata.answers["/volcstack/latest/iam/security_credentials/search"] = (200, json.dumps(keys).encode())
        monkeypatch.setenv("VOLCENGINE_OIDC_STS_ENDPOINT", sts.url)
        monkeypatch.setattr("vikingdb_core.credentials.ecs.METADATA_ENDPOINT", metadata.url)
        monkeypatch.setattr("vikingdb_core.credentials.surroundings.VEFAAS_FILE", tmp_path / "vefaas")
        discovery.add(discovery.AUTH, "vault", _vault)
        discovery.add(discovery.PLUGINS, "audit", Audit)
        yield World(tmp_path, monkeypatch)
        discovery.remove(discovery.AUTH, "vault")
        discovery.remove(discovery.PLUGINS, "audit")


def _vault(token: str) -> IAM:
    raise ValueError(f"{token} is no token")


class Audit:
    """A plugin that cannot be built."""

    hook_api = 1

    def __init__(self, token: str) -> None:
        raise ValueError("a token has another form")


# Each step takes half of a source away, so that the next one is used; what is left of it stays planted.
STEPS: list[tuple[str, Callable[[World], None]]] = [
    ("VIKINGDB_*", lambda world: None),
    ("VOLCENGINE_*", lambda world: world.remove("VIKINGDB_AK")),
    ("VOLC_*", lambda world: world.remove("VOLCENGINE_ACCESS_KEY")),
    ("VIKINGDB_API_KEY", lambda world: world.remove("VOLC_ACCESSKEY")),
    ("OIDC", lambda world: world.remove("VIKINGDB_API_KEY")),
    ("own profile", lambda world: world.remove("VOLCENGINE_OIDC_ROLE_TRN")),
    ("~/.volcengine/config.json", lambda world: world.change("config.toml", "access_key = 'AKDEMO'", "")),
    ("~/.volc/credentials", lambda world: world.change(".volcengine/config.json", '"AKDEMO"', '""')),
    ("~/.volc/config", lambda world: world.remove(".volc/credentials")),
    ("veFaaS", lambda world: world.change(".volc/config", '"AKDEMO"', '""')),
    ("ECS metadata", lambda world: world.change("vefaas", '"AKDEMO"', '""')),
    ("none", lambda world: world.remove("VOLCENGINE_ECS_METADATA")),
]
each_source = pytest.mark.parametrize("place", range(len(STEPS) - 1), ids=[name for name, _ in STEPS[:-1]])


def take(world: World, place: int) -> None:
    for _, step in STEPS[: place + 1]:
        step(world)


def build() -> Toy:
    answers: list[Answer] = [reply(401, {"code": "Unauthorized", "message": "expired"}), ConnectionLost("reset")]
    return Toy(endpoint="https://h.example", transport=FakeTransport(*answers), clock=FakeClock(), retry=1)


def shown_when(action: Callable[[], Any]) -> str:
    """Everything that is shown of the error an action ends with."""
    try:
        action()
    except Exception as error:
        return everything_shown(error)
    raise AssertionError("nothing failed")


def forms_of(thing: object) -> Iterator[str]:
    """Everything an object is seen as: printed, opened, pickled, copied."""
    yield from (repr(thing), str(thing), f"{thing}", repr([thing]), repr(getattr(thing, "__dict__", "")))
    for way in (pickle.dumps, copy.copy, copy.deepcopy):
        try:
            made = way(thing)
        except (TypeError, AttributeError, pickle.PicklingError) as refusal:
            yield "".join(traceback.format_exception(refusal))
        else:
            yield made.decode("latin-1") if isinstance(made, bytes) else repr(made)


def test_the_hunt_would_find_what_it_planted(world: World) -> None:
    assert len(set(SECRETS.values())) == len(SECRETS) > 20
    assert all(PLANTED.fullmatch(secret) for secret in SECRETS.values())
    found = PLANTED.findall(str(dict(os.environ)) + "".join(map(_content, sorted(world.folder.rglob("*")))))
    planted = {name for name in SECRETS if SECRETS[name] in found}
    assert planted >= {"VIKINGDB_SK", "VOLC_SESSIONTOKEN", "identity", "own", "ve token", "ini", "json", "faas token"}


def _content(path: Path) -> str:
    return path.read_text() if path.is_file() else ""


@each_source
def test_a_client_that_found_its_credentials_shows_no_secret(
    world: World, place: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    take(world, place)
    client = build()
    table = client.credentials.explain()
    assert table.splitlines()[place + 1].split("  ")[-1].strip().startswith("used")
    before = [table, client.config.explain(), repr(client._runtime)]
    shown = shown_when(lambda: client.call(READ))
    auth = client.credentials.auth
    provider = getattr(auth, "_provider", None)
    after = [client.credentials.explain(), *forms_of(client), *forms_of(client.credentials), *forms_of(auth)]
    seen = "\n".join([*before, shown, *after, *forms_of(provider), caplog.text, *map(_everything_of, caplog.records)])
    assert PLANTED.findall(seen) == []
    assert "in execute" in shown, "the call went through the flow"


def _everything_of(record: logging.LogRecord) -> str:
    return repr(vars(record)) + record.getMessage()


@pytest.mark.parametrize("place", [4, 10], ids=["OIDC", "ECS metadata"])
def test_logs_of_what_was_fetched_are_written_and_hold_no_secret(
    world: World, place: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    take(world, place)
    build().credentials.auth.refresh()
    assert "HTTP/1.1" in caplog.text, "urllib3 logs the requests, so there was something to leak"
    assert PLANTED.findall(caplog.text) == []


def test_a_client_that_found_none_shows_no_secret_of_all_it_looked_at(world: World) -> None:
    take(world, len(STEPS) - 1)
    shown = shown_when(build)
    assert "lacks VIKINGDB_AK" in shown
    assert "lacks access_key_id" in shown
    assert PLANTED.findall(shown) == []


BREAKS: dict[str, tuple[int, Callable[[World], object]]] = {
    "a pair with a blank in the environment": (0, lambda world: world.set("VIKINGDB_SK", "blank")),
    "an api key with a blank": (3, lambda world: world.set("VIKINGDB_API_KEY", "blank")),
    "an identity token that is none": (4, lambda world: world.change("token", "PLANTED", "\xff PLANTED")),
    "a token service that is no url": (4, lambda world: world.set("VOLCENGINE_OIDC_STS_ENDPOINT", "http://a b")),
    "a profile that is no toml": (5, lambda world: world.change("config.toml", "secret_key = '", "secret_key = ")),
    "a profile that is no utf-8": (5, lambda world: (world.folder / "config.toml").write_bytes(b"\xff" + _toml(world))),
    "a profile with a key that is no text": (5, lambda world: world.change("config.toml", "'AKDEMO'", "5")),
    "a profile with a setting nobody knows": (5, lambda world: world.change("config.toml", "secret_key", "secret_ky")),
    "a profile with two places": (5, lambda world: world.change("config.toml", "'AKDEMO'", "'A'\ncredentials = 'ecs'")),
    "a profile with a place that is a key": (
        5,
        lambda world: world.change("config.toml", "access_key = 'AKDEMO'\nsecret_key", "credentials"),
    ),
    "a profile with a secret key with a blank": (5, lambda world: world.change("config.toml", "= 'PL", "= 'a PL")),
    "a header that is none": (0, lambda world: world.change("config.toml", "X-Api-Key", "'X Api Key'")),
    "a file of ve with a key with a blank": (6, lambda world: world.change(".volcengine/config.json", '"PL', '"a PL')),
    "an ini file with a key with a blank": (7, lambda world: world.change(".volc/credentials", "= PL", "= a PL")),
    "a json file with a key with a blank": (8, lambda world: world.change(".volc/config", '"PL', '"a PL')),
    "a file of a function with a key with a blank": (9, lambda world: world.change("vefaas", '"PL', '"a PL')),
    "broken files everywhere": (11, lambda world: world.break_files()),
}


def _toml(world: World) -> bytes:
    return (world.folder / "config.toml").read_bytes()


@pytest.mark.parametrize(("place", "spoil"), BREAKS.values(), ids=BREAKS)
def test_a_client_that_cannot_be_built_or_used_shows_no_secret(
    world: World, place: int, spoil: Callable[[World], object], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    take(world, place)
    spoil(world)
    assert PLANTED.findall(shown_when(lambda: build().call(READ)) + caplog.text) == []


MISTAKES: dict[str, Callable[[], Any]] = {
    "an unknown option": lambda: Toy(sts_token=SECRETS["argument"], api_key=SECRETS["option"]),  # type: ignore[arg-type]
    "a token without keys": lambda: Toy(endpoint="local://", sts_token=SECRETS["argument"], transport=FakeTransport()),
    "a key in place of a scheme": lambda: Toy(endpoint="https://h", auth=SECRETS["argument"]),
    "a password in the endpoint": lambda: Toy(endpoint=f"https://user:{SECRETS['argument']}@h"),
    "a scheme that cannot be built": lambda: Toy(endpoint="https://h", auth="vault"),
    "a plugin that cannot be built": lambda: Toy(endpoint="https://h", plugins=["audit"]),
    "proxies that are none": lambda: Toy(endpoint="https://h", proxies=[f"http://u:{SECRETS['argument']}@p"]),  # type: ignore[arg-type]
    "headers that are none": lambda: Toy(endpoint="https://h", headers={"X-Api-Key": f"{SECRETS['argument']}\n"}),
    "a secret sent in the open": lambda: Toy(endpoint="http://h", auth=IAM("AK", "SK", SECRETS["argument"])),
    "keys with blanks": lambda: IAM("AKDEMO", f"{SECRETS['argument']} x"),
    "credentials with blanks": lambda: Credentials("AKDEMO", f"{SECRETS['argument']} x", SECRETS["token"]),
    "a key with blanks": lambda: APIKey(f"{SECRETS['argument']} x"),
    "headers with blanks in a name": lambda: HeaderAuth({"X Key": SECRETS["argument"]}),
    "a role without keys": lambda: AssumeRole(ROLE, None, SECRETS["argument"]),
    "a role without encryption": lambda: AssumeRole(ROLE, "AK", SECRETS["argument"], sts_endpoint="http://sts"),
    "a chain of nothing": lambda: Chain(SECRETS["argument"]),  # type: ignore[arg-type]
}


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("make", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_shows_no_secret_it_was_made_with(make: Callable[[], Any]) -> None:
    assert PLANTED.findall(shown_when(make)) == []


def echo(connection: Connection) -> None:
    """Answer a request with all that was in it, as a careless gateway does."""
    while received := connection.read_request():
        said = " ".join(line.decode("latin-1") for line in received.lines) + received.body.decode("latin-1")
        status = int(connection.server.notes[0])
        metadata = {"Error": {"Code": said, "Message": said}, "RequestId": said}
        connection.reply(status, json.dumps({"ResponseMetadata": metadata, "AccessKeyId": said}).encode())


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("status", [200, 403, 500])
def test_a_service_that_says_back_what_it_was_sent_makes_nobody_show_it(
    tmp_path: Path, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with LoopbackServer(echo) as server:
        server.notes.append(str(status))
        for provider in (
            AssumeRole(ROLE, "AKDEMO", SECRETS["asks"], SECRETS["asks token"], sts_endpoint=server.url),
            OIDC(ROLE, tmp_path / "token", sts_endpoint=server.url),
            ECSRole("search", endpoint=server.url),
            Chain(
                EnvProvider({"VIKINGDB_SK": SECRETS["half"]}),
                FileProvider(tmp_path / "gone"),
                ECSRole(endpoint=server.url),
            ),
        ):
            client = Toy(endpoint="https://h.example", auth=IAM(provider=provider), transport=FakeTransport())
            shown = shown_when(lambda: client.call(READ))  # noqa: B023
            seen = "\n".join([shown, *forms_of(provider), *forms_of(client.credentials)])
            assert "gave no credentials" in shown
            assert PLANTED.findall(seen) == []
        assert PLANTED.search(str(server.received)), "it was sent secrets"
    assert PLANTED.findall(caplog.text) == []


def test_a_provider_of_a_stranger_may_fail_with_secrets_in_its_hands() -> None:
    class Vault:
        def load(self) -> Credentials:
            token = SECRETS["argument"]
            keys = {"secret_key": SECRETS["option"]}
            raise LookupError(f"no entry among {len(keys) + len(token)}")

    client = Toy(endpoint="https://h.example", auth=IAM(provider=Vault()), transport=FakeTransport())
    shown = shown_when(lambda: client.call(READ))
    assert "in load" in shown, "its lines are there, for whoever looks for the fault"
    assert PLANTED.findall(shown) == []
