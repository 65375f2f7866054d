"""Three strangers, installed as anybody would: found by name, not imported before, removed without trace, and in
nobody's way when they are broken or claim a name twice."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.building import LEFTOVERS, ROOT, Environment, build_wheels

pytestmark = pytest.mark.packaging

STRANGERS = ROOT / "examples" / "third_party"
OURS = ("vikingdb", "vikingdb_core", "vikingdb_vector", "pytest_vikingdb")
PACKAGES = ("vikingdb_audit", "vikingdb_response_cache", "vikingdb_token_auth")
PROGRAMS = Path(__file__).with_name("programs")
NAMES = ("response_cache", "rotating_token", "audit")
VERSIONS = {
    "response_cache": "vikingdb-response-cache 0.4.0",
    "rotating_token": "vikingdb-token-auth 1.2.0",
    "audit": "vikingdb-audit 2.0.1",
}
BROKEN = ("broken_cache", "broken_token", "broken_audit")
HOOKS = "hooks: respond, after_response, after_call; hook API 1"
PLUGINS = ("-m", "vikingdb", "plugins")
DOCTOR = ("-m", "vikingdb", "doctor", "--endpoint", "http://127.0.0.1:9")


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheels of the three; of one that cannot be imported; and of a copycat, which claims the names of all."""
    folder = tmp_path_factory.mktemp("strangers")
    projects = [shutil.copytree(STRANGERS / package, folder / package, ignore=LEFTOVERS) for package in PACKAGES]
    broken, copycat = _copied(folder, "acme-broken", BROKEN), _copied(folder, "acme-copycat", NAMES)
    module = broken / "src" / "acme_broken" / "__init__.py"
    source = module.read_text(encoding="utf-8")
    module.write_text(source.replace("import threading\n", "import a_module_nobody_has\n"), encoding="utf-8")
    return build_wheels(folder / "wheels", [*projects, broken, copycat])


def _copied(folder: Path, name: str, names: tuple[str, str, str]) -> Path:
    """The response cache as another distribution, with a name in each group."""
    package = name.replace("-", "_")
    copy = shutil.copytree(STRANGERS / "vikingdb_response_cache", folder / package, ignore=LEFTOVERS)
    (copy / "src" / "vikingdb_response_cache").rename(copy / "src" / package)
    text = (copy / "pyproject.toml").read_text(encoding="utf-8")
    claims = [
        f'[project.entry-points."vikingdb.{group}"]\n{claimed} = "{package}:ResponseCache"\n'
        for group, claimed in zip(("plugins", "auth", "domains"), names, strict=True)
    ]
    text = re.sub(r"\[project\.entry-points.*\n.*\n", "\n".join(claims), text)
    text = text.replace("vikingdb-response-cache", name).replace("vikingdb_response_cache", package)
    (copy / "pyproject.toml").write_text(text, encoding="utf-8")
    return copy


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory, wheels: dict[str, Path]) -> Environment:
    """An environment with nothing of a stranger's."""
    made = Environment(tmp_path_factory.mktemp("environment"))
    made.install(*(wheels[name] for name in OURS), dependencies=True)
    return made


@pytest.fixture
def environment(bare: Environment, strangers: dict[str, Path]) -> Iterator[Environment]:
    """The three installed; uninstalled again afterwards, with whatever a test has added."""
    bare.install(*(strangers[package] for package in PACKAGES))
    yield bare
    bare.uninstall(*strangers)


def test_they_are_found_by_name_and_not_imported_before(environment: Environment) -> None:
    found = environment.ask(PROGRAMS / "use_all.py", *PACKAGES)
    names = {group: set(offered) for group, offered in found.pop("names").items()}
    assert names["vikingdb.auth"] == {"rotating_token"}
    assert names["vikingdb.domains"] == {"audit", "vector"}
    assert "response_cache" in names["vikingdb.plugins"]
    assert found == {
        "after import": [],
        "after a client and a look": [],
        "after an auth scheme was named": ["vikingdb_token_auth"],
        "after a plugin was named": ["vikingdb_response_cache", "vikingdb_token_auth"],
        "read": ["Dune", "Dune"],
        "sent": ["Bearer opensesame"],
        "recorded": "ada",
        "in the end": list(PACKAGES),
    }


def test_they_are_listed_with_where_they_are_from(environment: Environment) -> None:
    page = _page(environment, *PLUGINS, "--load")
    for name, version in VERSIONS.items():
        assert f"{name} {version} (" in page
    assert f"not active {HOOKS}" in page
    assert page.endswith("No problems found.")
    assert f"active: environment VIKINGDB_PLUGINS {HOOKS}" in _page(
        environment, *PLUGINS, VIKINGDB_PLUGINS="response_cache"
    )


@pytest.mark.parametrize("package", PACKAGES)
def test_their_own_tests_pass(environment: Environment, package: str) -> None:
    said = environment.python("-m", "pytest", "-p", "no:cacheprovider", cwd=STRANGERS / package)
    assert re.search(r"\d\d passed in", said)


@pytest.mark.parametrize("package", PACKAGES)
def test_one_that_is_removed_leaves_no_trace(bare: Environment, strangers: dict[str, Path], package: str) -> None:
    before = bare.files()
    bare.install(strangers[package])
    try:
        assert [path for path in bare.files() - before if f"/{package}/" in path]
    finally:
        bare.uninstall(package)
    assert bare.files() == before


def test_what_is_not_there_any_more_is_no_longer_found_and_the_rest_works(
    bare: Environment, strangers: dict[str, Path]
) -> None:
    bare.install(*(strangers[package] for package in PACKAGES))
    bare.uninstall(*PACKAGES)
    said = bare.ask(PROGRAMS / "be_refused.py", *NAMES)
    assert "nothing named 'response_cache' is installed" in said["response_cache"]
    assert "names no installed auth scheme" in said["rotating_token"]
    assert said["audit"].startswith("AttributeError: module 'vikingdb' has no attribute 'audit'")
    assert bare.ask(PROGRAMS / "use_none.py") == "Dune"
    page = _page(bare, *PLUGINS, "--load")
    assert page.endswith("No problems found.")
    assert not [version for version in VERSIONS.values() if version in page]


def test_a_broken_one_is_reported_with_its_distribution_and_everything_else_works(
    environment: Environment, strangers: dict[str, Path]
) -> None:
    environment.install(strangers["acme_broken"])

    said = environment.ask(PROGRAMS / "be_refused.py", *BROKEN)
    for name in BROKEN:
        assert said[name].startswith(f"PluginLoadError: {name!r} (acme-broken 0.4.0) cannot be loaded: ")
        assert "No module named 'a_module_nobody_has'" in said[name]
    assert "3 problems" in (page := _page(environment, *PLUGINS, "--load", code=1))
    assert page.count("(acme-broken 0.4.0) cannot be loaded") == 3
    page = _page(environment, *DOCTOR, VIKINGDB_PLUGINS="broken_cache", code=1)
    assert "1 problem 1. 'broken_cache' (acme-broken 0.4.0) cannot be loaded" in page

    assert environment.ask(PROGRAMS / "use_all.py", *PACKAGES)["sent"] == ["Bearer opensesame"]
    for command in (PLUGINS, DOCTOR):
        assert _page(environment, *command).endswith("No problems found.")


def test_two_that_claim_one_name_are_both_refused_by_it_and_nothing_else_is(
    environment: Environment, strangers: dict[str, Path]
) -> None:
    environment.install(strangers["acme_copycat"])

    said = environment.ask(PROGRAMS / "be_refused.py", *NAMES)
    for name in NAMES:
        assert said[name].startswith("PluginConflict: ")
        assert VERSIONS[name] in said[name]
        assert "acme-copycat 0.4.0" in said[name]
        assert f"both offer {name!r}" in said[name]
    for command in (PLUGINS, DOCTOR):
        page = _page(environment, *command, code=1)
        assert "3 problems" in page
        assert [name for name in NAMES if f"both offer {name!r}" in page] == list(NAMES)

    assert environment.ask(PROGRAMS / "use_none.py") == "Dune"


def _page(environment: Environment, *command: str, code: int = 0, **environ: str) -> str:
    """What a command printed, as one line."""
    return " ".join(environment.python(*command, code=code, **environ).split())
