"""``vikingdb plugins``: everything that is installed, where from, what is active, and what is broken."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Ran, Run
from tests.support.installing import SitePackages
from vikingdb_core import discovery
from vikingdb_core.commands import FOUND_TROUBLE, OK
from vikingdb_core.version import HOOK_API

METER = """
    from vikingdb_core.hooks import hookimpl

    class Meter:
        hook_api = 1

        def __init__(self, **settings):
            raise AssertionError("built")

        @hookimpl
        def before_request(self, request): ...

        @hookimpl(specname="after_call")
        def count(self): ...
"""
GROUPS = set(discovery.GROUPS)


def install_meter(site: SitePackages, source: str = METER, *, distribution: str = "acme-meter", **options: Any) -> None:
    module = distribution.replace("-", "_")
    names = {"vikingdb.plugins": {"meter": f"{module}:Meter"}}
    site.install(distribution, entry_points=names, **{module: source}, **options)


def item(ran: Ran, name: str) -> Any:
    (found,) = [each for each in ran.document["items"] if each["name"] == name]
    return found


def test_a_plugin_that_is_not_named_is_listed_and_not_imported(run: Run, site: SitePackages) -> None:
    install_meter(site)
    ran = run("plugins", "--json")
    assert ran.code == OK
    assert item(ran, "meter") == {
        "group": "vikingdb.plugins",
        "name": "meter",
        "distribution": "acme-meter 0.3",
        "target": "acme_meter:Meter",
        "where": str(site.folder),
        "editable": False,
        "active": None,
        "loaded": False,
        "hooks": None,
        "hook_api": None,
        "problem": None,
    }
    assert "acme_meter" not in sys.modules
    text = run("plugins").text
    assert f"meter acme-meter 0.3 ({site.folder}) not active" in text


@pytest.mark.parametrize("how", ["environment", "profile"])
def test_an_active_plugin_is_shown_with_who_named_it_and_its_hooks(
    run: Run, site: SitePackages, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str
) -> None:
    install_meter(site)
    if how == "environment":
        monkeypatch.setenv("VIKINGDB_PLUGINS", "meter")
        source = "environment VIKINGDB_PLUGINS"
    else:
        path = tmp_path / "config.toml"
        path.write_text('[mine]\nplugins = ["meter"]\n')
        monkeypatch.setenv("VIKINGDB_CONFIG_FILE", str(path))
        source = f"profile 'mine' in {path}"
    options = ("--profile", "mine") if how == "profile" else ()
    ran = run("plugins", "--json", *options)
    assert ran.code == OK
    found = item(ran, "meter")
    assert (found["active"], found["hooks"], found["hook_api"]) == (source, ["before_request", "after_call"], HOOK_API)
    assert "hooks: before_request, after_call; hook API 1" in run("plugins", *options).text


def test_a_plugin_that_is_named_and_dropped_is_not_active(
    run: Run, site: SitePackages, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_meter(site)
    monkeypatch.setenv("VIKINGDB_PLUGINS", "meter,-meter")
    assert item(run("plugins", "--json"), "meter")["active"] is None
    assert "acme_meter" not in sys.modules


def test_load_imports_what_is_not_active_to_show_its_hooks(run: Run, site: SitePackages) -> None:
    install_meter(site)
    found = item(run("plugins", "--load", "--json"), "meter")
    assert (found["active"], found["loaded"]) == (None, True)
    assert found["hooks"] == ["before_request", "after_call"]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("import no_such_module_anywhere", "No module named 'no_such_module_anywhere'"),
        ("class Other: ...", "has no attribute 'Meter'"),
        (METER.replace("hook_api = 1", "hook_api = 99"), "was written for hook API 99"),
        (METER.replace("hook_api = 1", ""), "does not say its hook_api"),
        (METER.replace("before_request", "before_reqest"), "'before_reqest'. Did you mean 'before_request'?"),
    ],
)
def test_a_broken_plugin_is_found_when_it_is_loaded(run: Run, site: SitePackages, source: str, says: str) -> None:
    install_meter(site, source)
    assert run("plugins").code == OK
    ran = run("plugins", "--load", "--json")
    assert ran.code == FOUND_TROUBLE
    assert says in ran.problems
    assert "acme-meter 0.3" in ran.problems
    assert item(ran, "plugins")["problem"] is None


def test_a_hook_of_a_newer_core_is_no_problem_when_the_plugin_says_so(run: Run, site: SitePackages) -> None:
    newer = METER.replace('specname="after_call"', "optionalhook=True")
    install_meter(site, newer)
    assert item(run("plugins", "--load", "--json"), "meter")["hooks"] == ["before_request"]


def test_the_hooks_of_a_function_that_builds_a_plugin_are_not_known(run: Run, site: SitePackages) -> None:
    install_meter(site, "def Meter(): raise AssertionError('built')\nMeter.hook_api = 1\n")
    ran = run("plugins", "--load", "--json")
    assert (ran.code, item(ran, "meter")["hooks"]) == (OK, None)
    assert "hooks: known when it is built; hook API 1" in run("plugins", "--load").text


def test_a_distribution_without_its_modules_is_found_without_importing(run: Run, site: SitePackages) -> None:
    site.install("acme-gone", entry_points={"vikingdb.auth": {"gone": "acme_gone:Badge"}})
    ran = run("plugins", "--json")
    assert ran.code == FOUND_TROUBLE
    assert "'gone' (acme-gone 0.3) is in acme_gone:Badge, and there is no module 'acme_gone'" in ran.problems


def test_a_plugin_that_is_named_and_not_installed_is_a_problem(
    run: Run, site: SitePackages, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_meter(site)
    monkeypatch.setenv("VIKINGDB_PLUGINS", "metre")
    ran = run("plugins", "--json")
    assert ran.code == FOUND_TROUBLE
    assert "'metre' is named in environment VIKINGDB_PLUGINS, and nothing installed offers it" in ran.problems
    assert "Did you mean 'meter'?" in ran.problems


def test_two_distributions_with_one_name_are_shown_and_neither_is_imported(
    run: Run, site: SitePackages, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_meter(site)
    install_meter(site, distribution="other-meter", version="2.0")
    monkeypatch.setenv("VIKINGDB_PLUGINS", "meter")
    ran = run("plugins", "--load", "--json")
    assert ran.code == FOUND_TROUBLE
    owners = [each["distribution"] for each in ran.document["items"] if each["name"] == "meter"]
    assert sorted(owners) == ["acme-meter 0.3", "other-meter 2.0"]
    assert "both offer 'meter'. Uninstall one of them" in ran.problems
    assert not {"acme_meter", "other_meter"} & set(sys.modules)


@pytest.mark.parametrize(
    ("group", "source", "kind"),
    [
        ("vikingdb.domains", "ODD = 3", "Domain"),
        ("vikingdb.domains", "from vikingdb_core import Domain as ODD", "Domain"),
        ("vikingdb.commands", "ODD = 3", "Command"),
        ("vikingdb.commands", "from vikingdb_core.commands.doctor import Doctor as ODD", "Command"),
    ],
)
def test_what_is_not_of_its_groups_kind_is_found(
    run: Run, site: SitePackages, group: str, source: str, kind: str
) -> None:
    site.install("acme-odd", entry_points={group: {"odd": "acme_odd:ODD"}}, acme_odd=source)
    ran = run("plugins", "--load", "--json")
    assert ran.code == FOUND_TROUBLE
    assert f"'odd' (acme-odd 0.3) is no {kind}: acme_odd:ODD" in ran.problems


def test_everything_of_this_installation_loads(run: Run) -> None:
    ran = run("plugins", "--load", "--json")
    assert ran.document["problems"] == []
    assert {each["group"] for each in ran.document["items"]} <= GROUPS
    assert all(each["loaded"] for each in ran.document["items"] if each["distribution"] != "built in")


def test_what_is_built_in_is_listed_too(run: Run) -> None:
    built_in = {
        (each["group"], each["name"])
        for each in run("plugins", "--json").document["items"]
        if each["distribution"] == "built in"
    }
    assert built_in == {
        ("vikingdb.transports", "http"),
        ("vikingdb.transports", "https"),
        *(("vikingdb.auth", name) for name in ("IAM", "APIKey", "HeaderAuth", "NoAuth")),
    }


def test_an_editable_install_is_shown_with_its_working_copy(run: Run, site: SitePackages, tmp_path: Path) -> None:
    install_meter(site, editable=tmp_path / "clone")
    found = item(run("plugins", "--json"), "meter")
    assert (found["editable"], found["where"]) == (True, str(site.folder))
    assert f"acme-meter 0.3 (editable, {site.folder})" in run("plugins").text


def test_what_the_program_added_itself_is_shown(run: Run) -> None:
    discovery.add(discovery.AUTH, "badge", object())
    try:
        assert item(run("plugins", "--json"), "badge")["distribution"] == "added by this process"
    finally:
        discovery.remove(discovery.AUTH, "badge")


def test_a_broken_profile_is_reported_and_the_list_goes_on(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "config.toml"
    path.write_text("this is no TOML")
    monkeypatch.setenv("VIKINGDB_CONFIG_FILE", str(path))
    ran = run("plugins")
    assert ran.code == FOUND_TROUBLE
    assert f"the profile file {path} cannot be read" in ran.text
    assert "vector vikingdb-vector" in ran.text
