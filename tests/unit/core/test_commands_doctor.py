"""``vikingdb doctor``: what keeps a client from working is found and explained, and nothing is sent unasked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Ran, Run
from tests.support.installing import SitePackages
from tests.support.server import LoopbackServer
from vikingdb_core import conflicts, discovery
from vikingdb_core.commands import FOUND_TROUBLE, OK
from vikingdb_core.config import SETTINGS
from vikingdb_core.discovery import Extension

PLANTED = "PLANTEDSECRET"
ACCESS_KEY = "AKLTPLANTEDKEY"

DOMAIN = """
    from vikingdb_core.domain import Domain, Site

    DOMAIN = Domain(
        "notes", "Notes", "acme_notes", (), {"data": "notes"}, (Site("moon", {"data": "notes.moon.example"}),)
    )
"""


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials in the environment."""
    monkeypatch.setenv("VIKINGDB_AK", ACCESS_KEY)
    monkeypatch.setenv("VIKINGDB_SK", PLANTED)


def profile(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setenv("VIKINGDB_CONFIG_FILE", str(path))
    return path


def section(ran: Ran, heading: str) -> str:
    """The lines below a heading, joined."""
    lines = ran.out.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(heading)) + 1
    end = next((number for number in range(start, len(lines)) if not lines[number].startswith(" ")), len(lines))
    return " ".join(" ".join(lines[start:end]).split())


@pytest.mark.usefixtures("keys")
def test_a_client_that_can_be_built_is_no_trouble(run: Run) -> None:
    ran = run("doctor")
    assert ran.code == OK
    assert ran.err == ""
    assert "vikingdb-core 0.1.0" in section(ran, "Versions")
    assert "requests==" in section(ran, "Versions")
    assert section(ran, "Conflicts") == "none"
    assert "VIKINGDB_AK + VIKINGDB_SK: used: access key AKLT***" in section(ran, "Credentials")
    endpoints = section(ran, "Endpoints of the vector domain")
    assert "data https://api-vikingdb.vikingdb.cn-beijing.volces.com the region's own; by the built-in" in endpoints
    assert "control https://vikingdb.cn-beijing.volcengineapi.com follows endpoint" in endpoints
    assert section(ran, "Ping") == "nothing was sent; --ping asks the service"
    assert ran.out.endswith("\n\nNo problems found.\n")


@pytest.mark.usefixtures("keys")
def test_the_document_has_the_same_for_programs(run: Run) -> None:
    ran = run("doctor", "--json")
    assert ran.code == OK
    document = ran.document
    assert set(document) == {
        *("python", "implementation", "platform", "executable", "distributions", "libraries", "conflicts"),
        *("profile_file", "configuration", "credentials", "domain", "endpoints", "ping", "problems"),
    }
    assert {frozenset(each) for each in document["distributions"]} == {
        frozenset({"name", "version", "where", "editable"})
    }
    assert {frozenset(each) for each in document["libraries"]} == {
        frozenset({"name", "version", "needed", "wanted_by"})
    }
    assert list(document["configuration"]) == [setting.name for setting in SETTINGS]
    assert document["configuration"]["timeout"] == {"value": "30.0", "source": "default"}
    assert document["credentials"]["source"] == "VIKINGDB_AK + VIKINGDB_SK"
    assert document["credentials"]["looked_at"][0] == {
        "source": "VIKINGDB_AK + VIKINGDB_SK",
        "result": "used: access key AKLT***",
    }
    assert document["domain"] == "vector"
    assert document["endpoints"]["data"] == {
        "url": "https://api-vikingdb.vikingdb.cn-beijing.volces.com",
        "transport": "the built-in transport",
        "proxy": None,
    }
    assert (document["conflicts"], document["ping"], document["problems"]) == ([], None, [])


def test_nothing_is_sent_unless_it_is_asked_for(run: Run) -> None:
    with LoopbackServer() as server:
        assert run("doctor", "--endpoint", server.url).code == OK
        assert server.connections == 0


def test_without_credentials_the_places_that_were_looked_at_are_listed(run: Run) -> None:
    ran = run("doctor")
    assert ran.code == FOUND_TROUBLE
    assert "VIKINGDB_AK + VIKINGDB_SK: not set" in section(ran, "Credentials")
    assert "needs credentials: pass auth=IAM" in section(ran, "1 problem")


def test_half_a_pair_of_keys_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIKINGDB_SK", PLANTED)
    assert "VIKINGDB_AK + VIKINGDB_SK: lacks VIKINGDB_AK" in section(run("doctor"), "Credentials")


def test_settings_are_shown_with_where_they_come_from(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = profile(monkeypatch, tmp_path, '[mine]\ntimeout = 7\ncontrol_endpoint = "https://control.example"\n')
    monkeypatch.setenv("VIKINGDB_CONNECT_TIMEOUT", "3")
    ran = run("doctor", "--profile", "mine", "--endpoint", "https://data.example", "--region", "moon")
    settings = section(ran, "Configuration")
    assert f"timeout 7.0 (profile 'mine' in {path})" in settings
    assert "connect_timeout 3.0 (environment VIKINGDB_CONNECT_TIMEOUT)" in settings
    assert "region moon (command line)" in settings
    assert "by default pool_connections=10" in settings
    assert f"profile file {path}" in settings
    endpoints = section(ran, "Endpoints")
    assert "data https://data.example command line;" in endpoints
    assert f"control https://control.example profile 'mine' in {path};" in endpoints


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("this is no TOML", "cannot be read"),
        ("[default]\ntimeuot = 3\n", "there is no setting 'timeuot'. Did you mean 'timeout'?"),
        ('[default]\ntimeout = "soon"\nregion = "cn-shanghai"\n', "timeout (from profile 'default' in"),
    ],
)
def test_a_broken_profile_is_reported_and_everything_else_is_still_looked_at(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, says: str
) -> None:
    path = profile(monkeypatch, tmp_path, text)
    ran = run("doctor")
    assert ran.code == FOUND_TROUBLE
    problems = section(ran, "1 problem")
    assert says in problems
    assert str(path) in problems
    region = "cn-shanghai" if "shanghai" in text else "cn-beijing"
    assert f"https://api-vikingdb.vikingdb.{region}.volces.com" in section(ran, "Endpoints")


@pytest.mark.usefixtures("keys")
def test_every_wrong_setting_is_reported_at_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIKINGDB_TIMEOUT", "soon")
    monkeypatch.setenv("VIKINGDB_DEADLINE", "-1")
    monkeypatch.setenv("VIKINGDB_ENDPOINT", "https://user@host.example")
    ran = run("doctor", "--json")
    assert ran.code == FOUND_TROUBLE
    assert [problem.partition(" ")[0] for problem in ran.document["problems"]] == ["timeout", "deadline", "endpoint"]


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--region", "moon"), "no data endpoint is known for region 'moon'"),
        (("--endpoint", "lokal://"), "no transport for lokal:// is installed"),
        (("--profile", "none"), "to read profile 'none' from"),
        (("--domain", "vektor"), "nothing named 'vektor' is installed. Did you mean 'vector'?"),
        (
            ("--endpoint", "https://api-vikingdb.vikingdb.cn-shanghai.volces.com", "--region", "cn-beijing"),
            "is in region cn-shanghai, and requests are signed for cn-beijing",
        ),
        (("--endpoint", "http://elsewhere.example"), "travel unencrypted"),
    ],
)
def test_a_setup_that_does_not_work_is_explained(run: Run, words: tuple[str, ...], says: str) -> None:
    ran = run("doctor", "--json", *words)
    assert ran.code == FOUND_TROUBLE
    assert len(ran.document["problems"]) == 1
    assert says in ran.problems


def test_a_secret_that_would_travel_unencrypted_is_a_problem(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIKINGDB_API_KEY", PLANTED)
    ran = run("doctor", "--json", "--ping", "--endpoint", "http://elsewhere.example")
    assert ran.code == FOUND_TROUBLE
    assert "APIKey would send a secret to http://elsewhere.example unencrypted" in ran.problems
    assert ran.document["ping"] is None


@pytest.mark.usefixtures("keys")
def test_a_proxy_on_the_way_is_shown_without_its_password(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{PLANTED}@proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "volcengineapi.com")
    endpoints = run("doctor", "--json").document["endpoints"]
    assert endpoints["data"]["proxy"] == "http://***@proxy.example:3128"
    assert endpoints["control"]["proxy"] is None
    assert "through the proxy http://***@proxy.example:3128" in section(run("doctor"), "Endpoints")


def test_the_official_package_beside_ours_is_a_conflict_told_once(
    run: Run, site: SitePackages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conflicts, "_checked", False)
    site.install("vikingdb-python-sdk", "0.1.35")
    ran = run("doctor", "--endpoint", "local://", "--json")
    assert ran.code == FOUND_TROUBLE
    assert len(ran.document["problems"]) == 1
    assert "vikingdb-python-sdk 0.1.35 is installed beside vikingdb" in ran.problems
    assert "pip uninstall vikingdb-python-sdk" in ran.problems


def test_two_distributions_with_one_module_are_a_conflict_and_what_was_overwritten_is_named(
    run: Run, site: SitePackages
) -> None:
    site.install("vikingdb-one", acme_both="ONE = 1")
    site.install("vikingdb-two", "2.0", acme_both="TWO = 2")
    ran = run("doctor", "--endpoint", "local://", "--json")
    assert ran.code == FOUND_TROUBLE
    assert ran.document["problems"] == ran.document["conflicts"]
    both, overwritten = ran.document["problems"]
    assert both.startswith("vikingdb-one 0.3 and vikingdb-two 2.0 both install acme_both.py: one has overwritten")
    assert overwritten.startswith("files of vikingdb-one 0.3 are missing or changed: acme_both.py. Reinstall it")


def test_a_module_in_front_of_a_working_copy_is_a_conflict(run: Run, site: SitePackages, tmp_path: Path) -> None:
    info = site.install("vikingdb-acme", editable=tmp_path)
    (info / "top_level.txt").write_text("acme_package")
    site.install("other", **{"acme_package/__init__": ""})
    ran = run("doctor", "--endpoint", "local://", "--json")
    assert "vikingdb-acme 0.3 and other 0.3 both install acme_package/__init__.py" in ran.problems


def test_distributions_that_share_a_namespace_are_no_conflict(run: Run, site: SitePackages) -> None:
    site.install("vikingdb-one", **{"acme_space/one": ""})
    site.install("other", **{"acme_space/other": ""})
    assert run("doctor", "--endpoint", "local://").code == OK


def test_two_distributions_with_one_name_are_a_conflict(run: Run, site: SitePackages) -> None:
    for name in ("acme-one", "acme-two"):
        module = name.replace("-", "_")
        site.install(name, entry_points={"vikingdb.transports": {"acme": f"{module}:X"}}, **{module: "1 / 0"})
    ran = run("doctor", "--endpoint", "local://", "--json")
    assert ran.code == FOUND_TROUBLE
    assert "vikingdb.transports: " in ran.problems
    assert "both offer 'acme'. Uninstall one of them" in ran.problems


def test_a_file_that_is_gone_is_named(run: Run, site: SitePackages) -> None:
    site.install("vikingdb-acme", acme_left="", acme_gone="")
    (site.folder / "acme_gone.py").unlink()
    ran = run("doctor", "--endpoint", "local://", "--json")
    assert ran.code == FOUND_TROUBLE
    assert "files of vikingdb-acme 0.3 are missing or changed: acme_gone.py. Reinstall it" in ran.problems


def test_versions_that_do_not_go_together_are_problems(run: Run, site: SitePackages) -> None:
    requires = ["requests>=2", "pydantic>=99", "vikingdb-core<0.1", "no-such-thing>=1", "nor-this; extra == 'more'"]
    site.install("vikingdb-acme", requires=requires)
    ran = run("doctor", "--endpoint", "local://", "--json")
    assert ran.code == FOUND_TROUBLE
    first, second, third = ran.document["problems"]
    assert first.startswith("vikingdb-acme 0.3 needs pydantic>=99, but ")
    assert second.startswith("vikingdb-acme 0.3 needs vikingdb-core<0.1, but 0.1.0 is installed. Run: pip install")
    assert third == (
        "vikingdb-acme 0.3 needs no-such-thing>=1, which is not installed. Run: pip install 'no-such-thing>=1'"
    )
    (library,) = [each for each in ran.document["libraries"] if each["name"] == "nor-this"]
    assert library == {"name": "nor-this", "version": None, "needed": False, "wanted_by": ["vikingdb-acme[more]"]}
    assert "nor-this not installed; vikingdb-acme[more] would bring it" in section(run("doctor"), "Versions")


def test_what_an_extra_brings_is_needed_once_somebody_asks_for_the_extra(run: Run, site: SitePackages) -> None:
    site.install("vikingdb-acme", requires=["no-such-thing>=1; extra == 'more'"])
    assert run("doctor", "--endpoint", "local://").code == OK
    site.install("vikingdb-user", requires=["vikingdb-acme[more]>=0.1"])
    ran = run("doctor", "--endpoint", "local://", "--json")
    assert ran.code == FOUND_TROUBLE
    assert "vikingdb-acme 0.3 needs no-such-thing>=1, which is not installed" in ran.problems


def test_every_distribution_of_the_sdk_and_around_it_is_listed(run: Run, site: SitePackages, tmp_path: Path) -> None:
    site.install("acme-badge", entry_points={"vikingdb.auth": {"badge": "acme_badge:X"}}, acme_badge="")
    site.install("unrelated", unrelated="")
    site.install("vikingdb-acme", "2.0", editable=tmp_path)
    (site.folder / "left_behind-1.0.dist-info").mkdir()
    listed = {each["name"]: each for each in run("doctor", "--json").document["distributions"]}
    assert {"vikingdb-core", "vikingdb-vector", "acme-badge", "vikingdb-acme"} <= set(listed)
    assert "unrelated" not in listed
    assert listed["vikingdb-acme"] == {
        "name": "vikingdb-acme",
        "version": "2.0",
        "where": str(tmp_path),
        "editable": True,
    }


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("1 / 0", "'meter' (vikingdb-meter 0.3) cannot be loaded: ZeroDivisionError"),
        ("class Meter:\n    hook_api = 99\n", "plugin 'meter' was written for hook API 99"),
    ],
)
def test_an_active_plugin_that_does_not_fit_keeps_a_client_from_being_built(
    run: Run, site: SitePackages, monkeypatch: pytest.MonkeyPatch, source: str, says: str
) -> None:
    site.install("vikingdb-meter", entry_points={"vikingdb.plugins": {"meter": "acme_meter:Meter"}}, acme_meter=source)
    assert run("doctor", "--endpoint", "local://").code == OK
    monkeypatch.setenv("VIKINGDB_PLUGINS", "meter")
    ran = run("doctor", "--endpoint", "local://", "--ping")
    assert ran.code == FOUND_TROUBLE
    assert says in section(ran, "1 problem")
    assert section(ran, "Ping") == "nothing was sent: no client can be built, see below"
    assert section(ran, "Credentials") == "not known: no client can be built, see below"


def test_a_lack_of_credentials_does_not_hide_a_broken_plugin(
    run: Run, site: SitePackages, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install("vikingdb-meter", entry_points={"vikingdb.plugins": {"meter": "acme_meter:X"}}, acme_meter="1 / 0")
    monkeypatch.setenv("VIKINGDB_PLUGINS", "meter")
    ran = run("doctor", "--ping", "--json")
    assert ran.code == FOUND_TROUBLE
    credentials, plugin = ran.document["problems"]
    assert "needs credentials" in credentials
    assert "'meter' (vikingdb-meter 0.3) cannot be loaded" in plugin
    assert ran.document["ping"] is None


@pytest.fixture
def without_vector(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment in which the vector domain is not installed."""
    scan = discovery._scan

    def less() -> dict[str, dict[str, list[Extension]]]:
        found = scan()
        found.get(discovery.DOMAINS, {}).pop("vector", None)
        return found

    monkeypatch.setattr(discovery, "_scan", less)
    discovery.forget()


@pytest.mark.usefixtures("without_vector", "keys")
def test_without_any_domain_it_says_what_to_install_and_reports_the_rest(run: Run, site: SitePackages) -> None:
    ran = run("doctor", "--ping")
    assert ran.code == FOUND_TROUBLE
    assert "vikingdb.vector needs the vector domain: pip install 'vikingdb[vector]'" in section(ran, "1 problem")
    assert "region=cn-beijing" in section(ran, "Configuration")
    assert "Endpoints" not in ran.out
    assert run("plugins").code == OK


@pytest.mark.usefixtures("without_vector", "keys")
def test_without_the_vector_domain_another_is_looked_at(run: Run, site: SitePackages) -> None:
    site.install("acme-notes", entry_points={"vikingdb.domains": {"notes": "acme_notes:DOMAIN"}}, acme_notes=DOMAIN)
    ran = run("doctor", "--region", "moon", "--ping")
    assert ran.code == OK
    assert "data https://notes.moon.example" in section(ran, "Endpoints of the notes domain")
    assert section(ran, "Ping") == "nothing was sent: the notes domain names no probes"


@pytest.mark.usefixtures("keys")
def test_the_client_of_any_domain_can_be_looked_at(run: Run, site: SitePackages) -> None:
    site.install("acme-notes", entry_points={"vikingdb.domains": {"notes": "acme_notes:DOMAIN"}}, acme_notes=DOMAIN)
    ran = run("doctor", "--domain", "notes", "--region", "moon", "--json")
    assert (ran.code, ran.document["domain"]) == (OK, "notes")
    assert ran.document["endpoints"]["data"]["url"] == "https://notes.moon.example"


@pytest.mark.parametrize("words", [(), ("--json",), ("--ping",), ("--ping", "--json")])
@pytest.mark.parametrize("holder", ["pair", "token", "api key", "profile", "broken profile", "proxy", "header", "half"])
def test_no_secret_is_printed(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, holder: str, words: tuple[str, ...]
) -> None:
    if holder in ("pair", "token", "proxy", "header"):
        monkeypatch.setenv("VIKINGDB_AK", ACCESS_KEY)
        monkeypatch.setenv("VIKINGDB_SK", PLANTED)
    if holder == "token":
        monkeypatch.setenv("VIKINGDB_SESSION_TOKEN", PLANTED)
    if holder == "api key":
        monkeypatch.setenv("VIKINGDB_API_KEY", PLANTED)
    if holder == "half":
        monkeypatch.setenv("VIKINGDB_SK", PLANTED)
    if holder == "profile":
        profile(monkeypatch, tmp_path, f'[default]\naccess_key = "{ACCESS_KEY}"\nsecret_key = "{PLANTED}"\n')
    if holder == "broken profile":
        profile(monkeypatch, tmp_path, f'[default]\nsecret_key = "{PLANTED}\n')
    if holder == "header":
        profile(monkeypatch, tmp_path, f'[default.headers]\nX-Gateway-Token = "{PLANTED}"\n')
    with LoopbackServer(lambda connection: None) as proxy:  # closes every connection, so that calls fail
        userinfo = f"user:{PLANTED}@" if holder == "proxy" else ""
        monkeypatch.setenv("HTTPS_PROXY", f"http://{userinfo}127.0.0.1:{proxy.port}")
        ran = run("doctor", *words)
    assert PLANTED not in ran.out + ran.err
    assert ACCESS_KEY not in ran.out + ran.err
    assert ran.code == (FOUND_TROUBLE if "--ping" in words or holder in ("broken profile", "half") else OK)


def clean_python(home: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """An interpreter in an environment with next to nothing in it."""
    needed = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    return subprocess.run(
        [sys.executable, *words],
        cwd=home,
        env={**needed, "HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_it_works_in_a_clean_environment(tmp_path: Path) -> None:
    done = clean_python(tmp_path, "-m", "vikingdb", "doctor")
    assert (done.returncode, done.stderr) == (FOUND_TROUBLE, "")
    assert "1 problem\n  1. https://api-vikingdb.vikingdb.cn-beijing.volces.com needs credentials" in done.stdout
    assert max(map(len, done.stdout.splitlines())) < 80 or str(tmp_path) in done.stdout
    done = clean_python(tmp_path, "-m", "vikingdb", "doctor", "--json", VIKINGDB_AK=ACCESS_KEY, VIKINGDB_SK=PLANTED)
    assert (done.returncode, done.stderr) == (OK, "")
    document: Any = json.loads(done.stdout)
    assert document["problems"] == []
    assert document["profile_file"] == str(tmp_path / ".config/vikingdb/config.toml")


def test_the_embedded_engine_is_pinged_in_a_clean_environment(tmp_path: Path) -> None:
    done = clean_python(tmp_path, "-m", "vikingdb", "doctor", "--endpoint", "local://", "--ping", "--json")
    assert (done.returncode, done.stderr) == (OK, "")
    assert [each["says"] for each in json.loads(done.stdout)["ping"]["sent"]] == ["answered", "answered"]
