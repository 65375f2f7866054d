"""Profile: settings kept in a file, and every way such a file can be wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from vikingdb_core.config import resolve
from vikingdb_core.exceptions import ConfigError
from vikingdb_core.profile import Profile, profile_path, read_profile

TWO = """
[default]
region = "cn-beijing"

[staging]
region = "cn-shanghai"
plugins = ["otel", "ratelimit"]

[staging.plugin.otel]
capture_filters = true
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(TWO, encoding="utf-8")
    return path


def test_the_default_profile_is_read_unless_another_is_named(file: Path) -> None:
    environ = {"VIKINGDB_CONFIG_FILE": str(file)}
    assert read_profile(None, environ).settings == {"region": "cn-beijing"}
    assert read_profile(None, {**environ, "VIKINGDB_PROFILE": "staging"}).settings["region"] == "cn-shanghai"
    assert read_profile("default", {**environ, "VIKINGDB_PROFILE": "staging"}).settings["region"] == "cn-beijing"


def test_settings_of_plugins_stand_apart_from_those_of_the_client(file: Path) -> None:
    read = read_profile("staging", {"VIKINGDB_CONFIG_FILE": str(file)})
    assert read.plugins == {"otel": {"capture_filters": True}}
    assert "plugin" not in read.settings
    assert read.source == f"profile 'staging' in {file}"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"VIKINGDB_CONFIG_FILE": "/etc/vikingdb.toml", "XDG_CONFIG_HOME": "/elsewhere"}, "/etc/vikingdb.toml"),
        ({"XDG_CONFIG_HOME": "/elsewhere"}, "/elsewhere/vikingdb/config.toml"),
        ({}, "~/.config/vikingdb/config.toml"),
        ({"VIKINGDB_CONFIG_FILE": "~/my.toml"}, "~/my.toml"),
        ({"VIKINGDB_CONFIG_FILE": ""}, "~/.config/vikingdb/config.toml"),
    ],
)
def test_where_the_file_is(environ: dict[str, str], expected: str) -> None:
    assert profile_path(environ) == Path(expected).expanduser()


def test_no_file_at_the_usual_place_is_an_empty_profile(tmp_path: Path) -> None:
    assert read_profile(None, {"XDG_CONFIG_HOME": str(tmp_path)}) == Profile()


def test_a_file_without_a_default_profile_is_an_empty_profile(file: Path) -> None:
    file.write_text('[other]\nregion = "r"\n')
    assert read_profile(None, {"VIKINGDB_CONFIG_FILE": str(file)}) == Profile()


def test_a_file_asked_for_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no profile file .*nowhere\.toml"):
        read_profile(None, {"VIKINGDB_CONFIG_FILE": str(tmp_path / "nowhere.toml")})


@pytest.mark.parametrize("by_variable", [True, False])
def test_a_profile_asked_for_by_name_must_exist(file: Path, tmp_path: Path, by_variable: bool) -> None:
    def read(**environ: str) -> None:
        name = {"VIKINGDB_PROFILE": "stagin"} if by_variable else {}
        read_profile(None if by_variable else "stagin", {**environ, **name})

    with pytest.raises(ConfigError, match=r"has no profile 'stagin'. Did you mean 'staging'\?"):
        read(VIKINGDB_CONFIG_FILE=str(file))
    with pytest.raises(ConfigError, match=r"no profile file .* to read profile 'stagin' from"):
        read(XDG_CONFIG_HOME=str(tmp_path / "empty"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"[default\n", "cannot be read: .*line 1"),
        (b"region = \n", "cannot be read"),
        (b"[default]\nregion = '\xff'\n", "cannot be read: .*utf-8"),
        (b"default = 'cn-beijing'\n", r"'default' must be a table of settings, as in \[default\]"),
        (b"[default]\nplugin = 'otel'\n", r"plugin settings are tables, as in \[default.plugin.otel\]"),
        (b"[default.plugin]\notel = true\n", r"plugin settings are tables, as in \[default.plugin.otel\]"),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=says) as caught:
        resolve({}, environ={"VIKINGDB_CONFIG_FILE": str(path)})
    assert str(path) in str(caught.value)


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_profile(None, {"VIKINGDB_CONFIG_FILE": str(tmp_path)})


def test_an_unknown_setting_in_a_profile_suggests_the_right_one(file: Path) -> None:
    file.write_text("[default]\ntimeuot = 5\n")
    with pytest.raises(ConfigError, match=r"profile 'default' in .*no setting 'timeuot'. Did you mean 'timeout'\?"):
        resolve({}, environ={"VIKINGDB_CONFIG_FILE": str(file)})


def test_a_mistake_in_a_profile_that_is_not_used_is_no_error(file: Path) -> None:
    file.write_text('[default]\nregion = "r"\n\n[other]\ntimeuot = 5\n')
    assert resolve({}, environ={"VIKINGDB_CONFIG_FILE": str(file)}).region == "r"


def test_reserved_headers_are_refused_from_a_profile_too(file: Path) -> None:
    file.write_text('[default.headers]\nAuthorization = "Bearer mine"\n')
    with pytest.raises(ConfigError, match=r"headers \(from profile .*'Authorization' is written by the SDK"):
        resolve({}, environ={"VIKINGDB_CONFIG_FILE": str(file)})
