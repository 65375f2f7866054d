"""Config: which source wins for each setting, what is shown of it, and what is refused."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.vector.fakes import FakeTransport, Toy
from vikingdb_core.client import ClientCore
from vikingdb_core.config import SETTINGS, ClientConfig, Setting, resolve
from vikingdb_core.credentials import NoAuth
from vikingdb_core.exceptions import ConfigError, UnknownOption
from vikingdb_core.messages import Headers

# For each setting: as an argument, as a profile has it, as an environment variable has it, and what each reads as.
SAMPLES: dict[str, tuple[Any, Any, str | None, Callable[[Any], Any]]] = {
    "endpoint": ("https://argument.example", "https://profile.example", "https://environment.example", str),
    "host": ("argument.example", "profile.example", "environment.example", str),
    "scheme": ("https", "https", "http", str),
    "control_endpoint": ("https://argument.example", "https://profile.example", "https://environment.example", str),
    "region": ("argument", "profile", "environment", str),
    "timeout": (1, 2.5, "3.5", float),
    "connect_timeout": (1, 2.5, "3.5", float),
    "deadline": (1, 2.5, "3.5", float),
    "user_agent": ("argument/1", "profile/1", "environment/1", str),
    "headers": ({"X-A": "argument"}, {"X-A": "profile"}, None, Headers),
    "pool_connections": (1, 2, None, int),
    "pool_maxsize": (1, 2, None, int),
    "proxies": ({"https": "http://argument:1"}, {"https": "http://profile:1"}, None, dict),
    "verify": (False, "/etc/ca.pem", None, lambda value: value),
    "plugins": (("argument",), ["profile", "second"], "environment,second", lambda value: value),
    "allow_insecure": (True, False, None, bool),
}
each_setting = pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
each_variable = pytest.mark.parametrize(
    ("setting", "variable"),
    [pytest.param(setting, variable, id=variable) for setting in SETTINGS for variable in setting.env],
)


def toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case dict():
            return "{" + ", ".join(f'"{name}" = {toml(item)}' for name, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(toml, value)) + "]"
        case str():
            return f'"{value}"'
        case _:
            return str(value)


def profile_file(folder: Path, text: str) -> dict[str, str]:
    """Write a profile file; the environment that points to it."""
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return {"VIKINGDB_CONFIG_FILE": str(path)}


def read(config: ClientConfig, setting: Setting) -> Any:
    value = getattr(config, setting.name)
    return str(value) if setting.name.endswith("endpoint") else value


def test_every_setting_has_a_sample_here_and_is_an_argument_of_the_client() -> None:
    names = {setting.name for setting in SETTINGS}
    assert names == set(SAMPLES)
    assert names <= set(inspect.signature(ClientCore.__init__).parameters)


@each_setting
def test_an_argument_beats_the_profile_and_the_environment(setting: Setting, tmp_path: Path) -> None:
    argument, in_profile, in_environment, parsed = SAMPLES[setting.name]
    environ = profile_file(tmp_path, f"[default]\n{setting.name} = {toml(in_profile)}\n")
    environ |= {variable: in_environment or "" for variable in setting.env}
    config = resolve({setting.name: argument}, environ=environ)
    assert read(config, setting) == parsed(argument)
    assert config.sources[setting.name] == "argument"


@each_variable
def test_the_environment_beats_the_profile(setting: Setting, variable: str, tmp_path: Path) -> None:
    _, in_profile, in_environment, parsed = SAMPLES[setting.name]
    assert in_environment is not None
    environ = profile_file(tmp_path, f"[default]\n{setting.name} = {toml(in_profile)}\n")
    config = resolve({setting.name: None}, environ={**environ, variable: in_environment})
    expected = tuple(in_environment.split(",")) if setting.name == "plugins" else parsed(in_environment)
    assert read(config, setting) == expected
    assert config.sources[setting.name] == f"environment {variable}"


@each_setting
def test_the_profile_beats_the_default(setting: Setting, tmp_path: Path) -> None:
    _, in_profile, _, parsed = SAMPLES[setting.name]
    environ = profile_file(tmp_path, f"[default]\n{setting.name} = {toml(in_profile)}\n")
    config = resolve({}, environ=environ)
    expected = tuple(in_profile) if setting.name == "plugins" else parsed(in_profile)
    assert read(config, setting) == expected
    assert config.sources[setting.name] == f"profile 'default' in {tmp_path / 'config.toml'}"


@each_setting
def test_none_means_not_given_and_leaves_the_default(setting: Setting) -> None:
    config = resolve({setting.name: None}, environ={})
    assert getattr(config, setting.name) == setting.default
    assert config.sources[setting.name] == "default"


@pytest.mark.parametrize(
    ("word", "meant"),
    [(word, True) for word in ("1", "true", "TRUE", "yes", " on ")]
    + [(word, False) for word in ("0", "False", "no", "off")],
)
def test_a_flag_may_be_a_word(word: str, meant: bool) -> None:
    config = resolve({"allow_insecure": word, "verify": word}, environ={})
    assert (config.allow_insecure, config.verify) == (meant, meant)


def test_what_a_client_is_set_to_unless_told_otherwise() -> None:
    given = {name: value for name, value in resolve({}, environ={}).values.items() if value is not None}
    assert given == {
        "region": "cn-beijing",
        "timeout": 30.0,
        "connect_timeout": 10.0,
        "headers": {},
        "pool_connections": 10,
        "pool_maxsize": 50,
        "verify": True,
        "plugins": (),
        "allow_insecure": False,
    }


@each_variable
def test_an_empty_variable_is_not_given_but_for_plugins(setting: Setting, variable: str) -> None:
    source = resolve({}, environ={variable: ""}).sources[setting.name]
    assert source == ("environment VIKINGDB_PLUGINS" if setting.name == "plugins" else "default")


def test_the_first_variable_of_a_setting_beats_the_second() -> None:
    config = resolve({}, environ={"VOLC_REGION": "second", "VIKINGDB_REGION": "first"})
    assert (config.region, config.sources["region"]) == ("first", "environment VIKINGDB_REGION")


def test_an_empty_list_of_plugins_in_the_environment_runs_none_of_the_profiles(tmp_path: Path) -> None:
    environ = profile_file(tmp_path, '[default]\nplugins = ["otel"]\n')
    assert resolve({}, environ=environ).plugins == ("otel",)
    silenced = resolve({}, environ={**environ, "VIKINGDB_PLUGINS": ""})
    assert (silenced.plugins, silenced.sources["plugins"]) == ((), "environment VIKINGDB_PLUGINS")
    assert resolve({"plugins": ["mine"]}, environ={"VIKINGDB_PLUGINS": ""}).plugins == ("mine",)


@pytest.mark.parametrize(
    ("given", "environ", "endpoint", "source"),
    [
        ({"host": "h.example"}, {}, "https://h.example", "host, argument"),
        ({"host": "h.example:8443", "scheme": "https"}, {}, "https://h.example:8443", "host, argument"),
        ({"host": "h.example", "scheme": "HTTP://"}, {}, "http://h.example", "host, argument"),
        ({"host": "h.example"}, {"VIKINGDB_SCHEME": "http"}, "http://h.example", "host, argument"),
        ({"host": "h.example"}, {"VIKINGDB_ENDPOINT": "https://e.example"}, "https://h.example", "host, argument"),
        ({"endpoint": "https://e.example"}, {"VIKINGDB_HOST": "h.example"}, "https://e.example", "argument"),
        ({}, {"VIKINGDB_HOST": "h.example"}, "https://h.example", "host, environment VIKINGDB_HOST"),
        ({"endpoint": "local://demo"}, {}, "local://demo", "argument"),
        ({"endpoint": "e.example"}, {}, "https://e.example", "argument"),
    ],
)
def test_host_and_scheme_become_an_endpoint_and_the_stronger_source_wins(
    given: dict[str, str], environ: dict[str, str], endpoint: str, source: str
) -> None:
    config = resolve(given, environ=environ)
    assert (str(config.endpoint), config.sources["endpoint"]) == (endpoint, source)


def test_a_host_in_the_environment_beats_an_endpoint_in_the_profile(tmp_path: Path) -> None:
    environ = profile_file(tmp_path, '[default]\nendpoint = "https://profile.example"\n')
    assert str(resolve({}, environ={**environ, "VIKINGDB_HOST": "h.example"}).endpoint) == "https://h.example"


@pytest.mark.parametrize(
    ("given", "environ"),
    [
        ({"endpoint": "https://e.example", "host": "h.example"}, {}),
        ({}, {"VIKINGDB_ENDPOINT": "https://e.example", "VIKINGDB_HOST": "h.example"}),
    ],
)
def test_endpoint_and_host_of_one_source_are_refused(given: dict[str, str], environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="endpoint or host, not both"):
        resolve(given, environ=environ)


WRONG: list[tuple[str, Any]] = [
    ("endpoint", ""),
    ("endpoint", 5),
    ("endpoint", "https://"),
    ("endpoint", "https://h.example:99999"),
    ("control_endpoint", "https://h.example?a=1"),
    ("host", "https://h.example"),
    ("host", " "),
    ("region", ""),
    ("region", 5),
    ("timeout", 0),
    ("timeout", -1),
    ("timeout", True),
    ("timeout", "soon"),
    ("timeout", float("nan")),
    ("timeout", float("inf")),
    ("timeout", 10**400),
    ("connect_timeout", "0"),
    ("deadline", [5]),
    ("user_agent", "two\nlines"),
    ("user_agent", ""),
    ("headers", 5),
    ("headers", {"X-A": 1}),
    ("headers", {"X A": "1"}),
    ("headers", {"X-A": "1\r\nX-B: 2"}),
    ("headers", {"authorization": "Bearer mine"}),
    ("headers", {"X-Tt-Logid": "mine"}),
    ("pool_connections", 0),
    ("pool_maxsize", 1.5),
    ("pool_maxsize", True),
    ("pool_maxsize", float("inf")),
    ("proxies", 5),
    ("verify", 0),
    ("verify", ""),
    ("plugins", 5),
    ("plugins", object()),
    ("allow_insecure", "perhaps"),
    ("allow_insecure", 1),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_argument_is_named(name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=name) as caught:
        resolve({name: value}, environ={})
    assert "argument" in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "name", "value"),
    [
        ("VIKINGDB_TIMEOUT", "timeout", "soon"),
        ("VIKINGDB_DEADLINE", "deadline", "-1"),
        ("VIKINGDB_ENDPOINT", "endpoint", "https://"),
        ("VIKINGDB_CONTROL_ENDPOINT", "control_endpoint", "https://a b"),
        ("VOLC_REGION", "region", " "),
        ("VIKINGDB_USER_AGENT", "user_agent", "数"),
    ],
)
def test_a_wrong_variable_is_named_with_its_setting(variable: str, name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{name} \(from environment {variable}\): "):
        resolve({}, environ={variable: value})


def test_a_wrong_value_of_a_profile_is_named_with_profile_and_file(tmp_path: Path) -> None:
    environ = profile_file(tmp_path, "[staging]\ntimeout = -1\n")
    with pytest.raises(ConfigError, match=r"^timeout \(from profile 'staging' in .*config\.toml\): must be a positive"):
        resolve({}, profile="staging", environ=environ)


def test_explain_shows_every_setting_with_value_and_source() -> None:
    config = resolve({"timeout": 5, "host": "h.example"}, environ={"VOLC_REGION": "cn-shanghai"})
    rows = {line.split()[0]: line.split(maxsplit=2)[1:] for line in config.explain().splitlines()}
    assert rows.keys() == {"setting", *(setting.name for setting in SETTINGS)}
    assert rows["timeout"] == ["5.0", "argument"]
    assert rows["region"] == ["cn-shanghai", "environment VOLC_REGION"]
    assert rows["endpoint"] == ["https://h.example", "host, argument"]
    assert rows["deadline"] == ["-", "default"]


def test_what_is_shown_of_a_config_has_no_secret() -> None:
    config = resolve(
        {
            "headers": {"X-Api-Key": "PLANTED", "X-Gateway-Token": "PLANTED", "X-Team": "search"},
            "proxies": {"https": "http://user:PLANTED@proxy.example:3128", "http": "http://open.example"},
        },
        environ={},
    )
    for shown in (config.explain(), repr(config), str(config)):
        assert "PLANTED" not in shown
        assert "http://***@proxy.example:3128" in shown
        assert "search" not in shown, "any header may be a secret of some gateway"


def test_explain_names_plugins_without_their_insides() -> None:
    class Meter:
        def __repr__(self) -> str:
            return "Meter(PLANTED)"

    assert "Meter, otel" in resolve({"plugins": [Meter(), "otel"]}, environ={}).explain()
    assert "PLANTED" not in resolve({"plugins": [Meter()]}, environ={}).explain()


def test_an_unknown_attribute_of_a_config_suggests_the_right_one() -> None:
    with pytest.raises(AttributeError, match=r"no setting named 'time_out'. Did you mean 'timeout'\?"):
        _ = resolve({}, environ={}).time_out


@pytest.mark.parametrize(
    ("option", "suggestion"),
    [
        ("timout", "timeout"),
        ("end_point", "endpoint"),
        ("plugin", "plugins"),
        ("ststoken", "sts_token"),
        ("verfy", "verify"),
        ("controlendpoint", "control_endpoint"),
    ],
)
def test_a_misspelt_option_of_a_client_suggests_the_right_one(option: str, suggestion: str) -> None:
    with pytest.raises(UnknownOption, match=rf"Toy has no option '{option}'. Did you mean '{suggestion}'\?") as caught:
        Toy(**{option: None})
    assert isinstance(caught.value, ConfigError)
    assert isinstance(caught.value, TypeError)


def test_an_option_like_none_there_is_lists_those_there_are() -> None:
    with pytest.raises(UnknownOption, match=r"no option 'xyzzy'. It has: allow_insecure, auth, .*, verify\."):
        Toy(xyzzy=1)  # type: ignore[arg-type]


def test_the_environment_is_read_when_a_client_is_built_and_never_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIKINGDB_ENDPOINT", "https://before.example")
    monkeypatch.setenv("VIKINGDB_TIMEOUT", "7")
    wire = FakeTransport()
    client = Toy(transport=wire, auth=NoAuth())
    monkeypatch.setenv("VIKINGDB_ENDPOINT", "https://after.example")
    monkeypatch.setenv("VIKINGDB_TIMEOUT", "8")
    client.call(Toy.domain.operations[0])
    assert str(wire.requests[0].endpoint) == "https://before.example"
    assert wire.timeouts[0].total == 7


def test_settings_reach_the_wire(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = """
        [default]
        endpoint = "https://profile.example/gateway"
        user_agent = "shop/1.2"
        connect_timeout = 2
        timeout = 4
        headers = {x-team = "search"}
        """
    for variable, value in profile_file(tmp_path, textwrap.dedent(text)).items():
        monkeypatch.setenv(variable, value)
    wire = FakeTransport()
    Toy(transport=wire, auth=NoAuth()).call(Toy.domain.operations[0])
    (request,) = wire.requests
    assert request.url == "https://profile.example/gateway/read"
    assert request.headers["User-Agent"] == "shop/1.2"
    assert request.headers["X-Team"] == "search"
    assert (wire.timeouts[0].connect, wire.timeouts[0].total) == (2, 4)


@pytest.mark.parametrize("url", ["http://u:SECRET@p:1", "u:SECRET@p:1", "http://u:SE@CRET@p:1", "socks5://u:SECRET@p"])
def test_a_proxys_password_is_shown_to_nobody_however_it_is_written(url: str) -> None:
    config = resolve({"proxies": {"https": url}}, environ={})
    assert "SE" not in repr(config) + config.explain()
    assert "***@p" in config.explain()
