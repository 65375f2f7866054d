"""Discovery: a name becomes an object through installed metadata, and nothing is imported before it is named."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from tests.unit.vector.fakes import READ, FakeTransport, Toy
from vikingdb_core import discovery
from vikingdb_core.credentials import NoAuth
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.exceptions import ConfigError, PluginConflict, PluginLoadError, RequestError
from vikingdb_core.transport import TransportSettings

Install = Callable[..., None]

METER = """
    from vikingdb_core.hooks import hookimpl

    class Meter:
        hook_api = 1
        made = []

        def __init__(self, **settings):
            self.settings = settings
            Meter.made.append(self)

        @hookimpl
        def before_request(self, request):
            request.headers["X-Meter"] = "on"
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a distribution: its name, version, entry points by group, and the source of its modules."""
    before = set(sys.modules)

    def put(name: str, entry_points: dict[str, dict[str, str]], version: str = "0.3", **modules: str) -> None:
        site = tmp_path / name
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        groups = [
            f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in names.items()) for group, names in entry_points.items()
        ]
        (info / "entry_points.txt").write_text("\n".join(groups))
        for module, source in modules.items():
            (site / f"{module}.py").write_text(dedent(source))
        monkeypatch.syspath_prepend(str(site))
        discovery.forget()

    yield put
    monkeypatch.undo()
    for module in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[module], "__file__", "")):
            del sys.modules[module]
    discovery.forget()


def build(**options: Any) -> tuple[Toy, FakeTransport]:
    wire = FakeTransport()
    return Toy(endpoint="https://h.example", auth=NoAuth(), transport=wire, **options), wire


def meter(install: Install, **modules: str) -> None:
    install("vikingdb-meter", {"vikingdb.plugins": {"meter": "acme_meter:Meter"}}, acme_meter=METER, **modules)


def test_a_plugin_runs_by_its_name(install: Install) -> None:
    meter(install)
    client, wire = build(plugins=["meter"])
    client.call(READ)
    assert wire.requests[0].headers["X-Meter"] == "on"
    assert client._runtime.info.plugins == ("meter",)


def test_what_is_installed_is_not_imported_before_it_is_named(install: Install) -> None:
    meter(install)
    build(plugins=[])
    assert "meter" in discovery.names(discovery.PLUGINS)
    assert discovery.catalog(discovery.PLUGINS)["meter"][0].distribution == "vikingdb-meter 0.3"
    assert "acme_meter" not in sys.modules
    build(plugins=["meter"])
    assert "acme_meter" in sys.modules


def test_a_client_without_names_scans_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    discovery.forget()
    monkeypatch.setattr(discovery, "_scan", lambda: pytest.fail("scanned"))
    client, _ = build()
    client.call(READ)


def test_installed_distributions_are_scanned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    discovery.forget()
    scans: list[int] = []
    monkeypatch.setattr(discovery, "_scan", lambda: scans.append(1) or {})
    for _ in range(3):
        discovery.names(discovery.PLUGINS)
        discovery.catalog(discovery.AUTH)
    assert scans == [1]
    monkeypatch.undo()
    discovery.forget()


def test_a_name_nobody_offers_is_refused_with_those_there_are(install: Install) -> None:
    meter(install)
    with pytest.raises(
        PluginLoadError, match=r"nothing named 'metre' is installed\. Did you mean 'meter'\? Installed: .*meter"
    ):
        build(plugins=["metre"])


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("import no_such_module_anywhere\nclass Meter: ...", "No module named 'no_such_module_anywhere'"),
        ("class Other: ...", "has no attribute 'Meter'"),
        ("1 / 0", "ZeroDivisionError"),
        ("class Meter(", "SyntaxError"),
    ],
)
def test_a_plugin_that_cannot_be_imported_is_reported_with_its_distribution(
    install: Install, source: str, says: str
) -> None:
    install("vikingdb-broken", {"vikingdb.plugins": {"meter": "acme_broken:Meter"}}, "1.2.3", acme_broken=source)
    with pytest.raises(
        PluginLoadError, match=rf"'meter' \(vikingdb-broken 1\.2\.3\) cannot be loaded: .*{says}"
    ) as caught:
        build(plugins=["meter"])
    assert "Repair or uninstall" in str(caught.value)
    assert caught.value.__cause__ is not None


def test_a_broken_plugin_that_is_not_named_harms_nobody(install: Install) -> None:
    meter(install)
    install("vikingdb-broken", {"vikingdb.plugins": {"broken": "acme_broken:X"}}, acme_broken="1 / 0")
    client, wire = build(plugins=["meter"])
    client.call(READ)
    assert len(wire.requests) == 1


def test_two_distributions_with_one_name_are_refused(install: Install) -> None:
    meter(install)
    install("acme-meter", {"vikingdb.plugins": {"meter": "acme_other:Meter"}}, "2.0", acme_other=METER)
    with pytest.raises(PluginConflict) as caught:
        build(plugins=["meter"])
    for part in ("vikingdb-meter 0.3", "acme-meter 2.0", "both offer 'meter'; uninstall one of them"):
        assert part in str(caught.value)
    assert not {"acme_meter", "acme_other"} & set(sys.modules)


def test_one_name_in_two_groups_is_no_conflict(install: Install) -> None:
    install(
        "vikingdb-acme",
        {"vikingdb.plugins": {"acme": "acme_both:Meter"}, "vikingdb.auth": {"acme": "acme_both:Badge"}},
        acme_both=METER + "\n    class Badge: ...\n",
    )
    build(plugins=["acme"])
    with pytest.raises(ConfigError, match=r"auth='acme' needs an Auth"):
        Toy(endpoint="https://h.example", auth="acme")


@pytest.mark.parametrize(
    "plugins", [["meter", "-meter"], ["-meter", "meter"], ["-meter"], "meter,-meter", "-meter, meter", [], ""]
)
def test_a_name_with_a_dash_drops_the_plugin(install: Install, plugins: Any) -> None:
    meter(install)
    client, wire = build(plugins=plugins)
    client.call(READ)
    assert "X-Meter" not in wire.requests[0].headers
    assert "acme_meter" not in sys.modules


def test_plugins_are_named_by_the_environment(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    meter(install)
    monkeypatch.setenv("VIKINGDB_PLUGINS", " meter ,")
    assert build()[0]._runtime.info.plugins == ("meter",)
    assert build(plugins=[])[0]._runtime.info.plugins == ()
    monkeypatch.setenv("VIKINGDB_PLUGINS", "")
    assert build()[0]._runtime.info.plugins == ()


PROFILE = """
    [default]
    plugins = ["meter"]

    [default.plugin.meter]
    rate = 5
    tags = ["a", "b"]

    [default.plugin.unused]
    anything = 1
"""


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(dedent(PROFILE))
    monkeypatch.setenv("VIKINGDB_CONFIG_FILE", str(path))
    return path


def test_a_plugin_gets_its_settings_from_the_profile(profile: Path, install: Install) -> None:
    meter(install)
    client, _ = build()
    assert client._runtime.info.plugins == ("meter",)
    (made,) = sys.modules["acme_meter"].Meter.made
    assert made.settings == {"rate": 5, "tags": ["a", "b"]}


def test_settings_go_to_a_plugin_named_elsewhere_too(profile: Path, install: Install) -> None:
    meter(install)
    build(plugins=["meter"])
    assert sys.modules["acme_meter"].Meter.made[0].settings["rate"] == 5


def test_settings_do_not_reach_a_plugin_passed_as_an_object(profile: Path, install: Install) -> None:
    meter(install)
    build(plugins=[discovery.lookup(discovery.PLUGINS, "meter")()])
    assert sys.modules["acme_meter"].Meter.made[0].settings == {}


def test_a_plugin_that_cannot_be_built_is_named_without_the_values_of_its_settings(
    profile: Path, install: Install
) -> None:
    profile.write_text('[default]\nplugins = ["strict"]\n[default.plugin.strict]\nrate = 5\napi_key = "PLANTED"\n')
    strict = "class Strict:\n        hook_api = 1\n        def __init__(self, *, rate): ...\n"
    install("vikingdb-strict", {"vikingdb.plugins": {"strict": "acme_strict:Strict"}}, acme_strict="\n    " + strict)
    with pytest.raises(
        PluginLoadError, match=r"plugin 'strict' cannot be built .*api_key.*Drop it with plugins="
    ) as caught:
        build()
    assert "PLANTED" not in str(caught.value)


STRICT = """
    from vikingdb_core.exceptions import ConfigError

    class Strict:
        hook_api = 1

        def __init__(self, *, rate, burst=1):
            if rate <= 0:
                raise ConfigError("rate must be above 0")
            raise OSError(rate)
"""


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ("", "from no settings: missing a required (keyword-only )?argument: 'rate'"),
        ("rate = 5\nbirst = 3\n", r"from birst, rate: got an unexpected keyword argument 'birst'\. Did .* 'burst'\?"),
        ("rate = 0\n", "from rate: rate must be above 0"),
        ("rate = 5\n", "from rate: OSError"),
    ],
)
def test_a_setting_that_does_not_fit_is_refused_with_a_sentence_about_it(
    profile: Path, install: Install, settings: str, says: str
) -> None:
    profile.write_text(f'[default]\nplugins = ["strict"]\n[default.plugin.strict]\n{settings}')
    install("vikingdb-strict", {"vikingdb.plugins": {"strict": "acme_strict:Strict"}}, acme_strict=STRICT)
    with pytest.raises(PluginLoadError, match=rf"plugin 'strict' cannot be built {says}.*Drop it with plugins="):
        build()


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("class P: ...", "does not say which hook API it was written for: hook_api = 1"),
        (
            "class P:\n    hook_api = 99\n    def __init__(self): 1 / 0",
            "written for hook API 99, .*upgrade vikingdb-core",
        ),
        ("def P(): return object()\nP.hook_api = 0", "written for hook API 0, .*upgrade the plugin"),
        ("class P:\n    hook_api = 1", "implements no hook"),
        ("class P:\n    hook_api = 1\n    def __init__(self): 1 / 0", "cannot be built .*ZeroDivisionError"),
    ],
)
def test_a_named_plugin_that_does_not_fit_is_refused(install: Install, source: str, says: str) -> None:
    install("vikingdb-p", {"vikingdb.plugins": {"p": "acme_p:P"}}, acme_p=source)
    with pytest.raises(PluginLoadError, match=rf"plugin 'p' .*{says}"):
        build(plugins=["p"])


def test_an_entry_point_may_be_an_object(install: Install) -> None:
    install("vikingdb-p", {"vikingdb.plugins": {"p": "acme_p:it"}}, acme_p=METER + "\n    it = Meter()\n")
    assert build(plugins=["p"])[0]._runtime.info.plugins == ("p",)


def test_a_transport_is_chosen_by_the_scheme_of_the_endpoint_and_built_at_the_first_request(install: Install) -> None:
    carrier = """
        from tests.unit.vector.fakes import FakeTransport
        built = []

        def open(endpoint, settings):
            built.append((endpoint, settings))
            made = FakeTransport()
            made.close = lambda: built.append("closed")
            return made
    """
    install("vikingdb-pigeon", {"vikingdb.transports": {"pigeon": "acme_pigeon:open"}}, acme_pigeon=carrier)
    client = Toy(endpoint="pigeon://loft?speed=3", pool_maxsize=3)
    assert "acme_pigeon" not in sys.modules
    client.call(READ)
    client.call(READ)
    client.close()
    with pytest.raises(RequestError, match="this client was closed"):
        client.call(READ)
    endpoint = Endpoint("pigeon", "loft", None, "", (("speed", "3"),))
    assert sys.modules["acme_pigeon"].built == [(endpoint, TransportSettings(pool_maxsize=3)), "closed"]


def test_an_unknown_scheme_names_the_installed_ones(install: Install) -> None:
    install("vikingdb-pigeon", {"vikingdb.transports": {"pigeon": "acme_pigeon:open"}}, acme_pigeon="1 / 0")
    with pytest.raises(ConfigError, match=r"no transport for pidgeon:// .* http://, https://, .*pigeon://"):
        Toy(endpoint="pidgeon://loft")


def test_what_is_added_by_hand_needs_no_metadata() -> None:
    discovery.add(discovery.PLUGINS, "by-hand", int)
    try:
        assert discovery.lookup(discovery.PLUGINS, "by-hand") is int
        assert "by-hand" in discovery.names(discovery.PLUGINS)
        assert "by-hand" not in discovery.names(discovery.AUTH)
    finally:
        discovery.remove(discovery.PLUGINS, "by-hand")
    discovery.remove(discovery.PLUGINS, "by-hand")
    with pytest.raises(PluginLoadError):
        discovery.lookup(discovery.PLUGINS, "by-hand")


def test_only_the_groups_there_are_can_be_added_to() -> None:
    with pytest.raises(
        PluginLoadError, match=r"no extension group 'vikingdb.plugin'; the groups are: vikingdb\.domains"
    ):
        discovery.add("vikingdb.plugin", "x", int)


def test_one_distribution_seen_twice_on_the_path_is_no_conflict(install: Install, tmp_path: Path) -> None:
    meter(install)
    target = tmp_path / "copy" / "vikingdb-meter"
    target.mkdir(parents=True)
    info = "vikingdb_meter-0.3.dist-info"
    (target / info).mkdir()
    for name in ("METADATA", "entry_points.txt"):
        (target / info / name).write_text((tmp_path / "vikingdb-meter" / info / name).read_text())
    sys.path.append(str(target))
    try:
        discovery.forget()
        assert discovery.lookup(discovery.PLUGINS, "meter").hook_api == 1
    finally:
        sys.path.remove(str(target))


def test_what_is_left_of_a_removed_distribution_stops_nobody(install: Install, tmp_path: Path) -> None:
    meter(install)
    left = tmp_path / "vikingdb-meter" / "gone-0.1.dist-info"
    left.mkdir()
    (left / "entry_points.txt").write_text("[vikingdb.plugins]\nghost = gone:Ghost\n")
    discovery.forget()
    assert {"meter", "ghost"} <= set(discovery.names(discovery.PLUGINS))
    assert discovery.lookup(discovery.PLUGINS, "meter").hook_api == 1
    with pytest.raises(PluginLoadError, match="a nameless distribution"):
        discovery.lookup(discovery.PLUGINS, "ghost")
