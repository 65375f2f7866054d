"""Every Python block of the documentation runs, in order, on the embedded engine."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.inner import LOADED
from tests.support.installing import SitePackages
from vikingdb_core import discovery

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = [
    "docs/guide.md",
    "docs/python_sdk_design.md",
    "plugins/vikingdb_aio/README.md",
    "plugins/vikingdb_otel/README.md",
    "plugins/vikingdb_resilience/README.md",
]
EXTENDING = ["README", "auth", "middleware", "domain", "activation", "compatibility", "security"]
STRANGERS = ["vikingdb_audit", "vikingdb_response_cache", "vikingdb_token_auth"]
TOML = re.compile(r"^```toml\n(.*?)^```", re.MULTILINE | re.DOTALL)


def run_blocks(page: str, namespace: dict[str, object]) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = list(BLOCK.finditer(text))
    assert blocks
    for block in blocks:
        line = text.count("\n", 0, block.start(1))
        exec(compile("\n" * line + block.group(1), page, "exec"), namespace)


@pytest.fixture
def nothing_added(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page registers by hand is forgotten after it."""
    monkeypatch.setattr(discovery, "_added", {})


@pytest.mark.parametrize("page", PAGES)
def test_the_snippets_of_a_page_run(page: str) -> None:
    run_blocks(page, {"__name__": "snippets"})


@pytest.mark.parametrize("page", EXTENDING)
def test_the_snippets_for_authors_run(page: str, nothing_added: None, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("acme_notes")  # the page on domains is that module
    monkeypatch.setitem(sys.modules, module.__name__, module)
    run_blocks(f"docs/extending/{page}.md", vars(module))


@pytest.mark.parametrize("page", ["README", "auth", "middleware", "domain"])
def test_what_the_pages_for_authors_write_keeps_its_contract(
    page: str, nothing_added: None, pytester: pytest.Pytester
) -> None:
    text = (ROOT / "docs" / "extending" / f"{page}.md").read_text(encoding="utf-8")
    path = pytester.makepyfile(acme_notes="\n".join(BLOCK.findall(text)))
    outcomes = pytester.runpytest_inprocess(*LOADED, path).parseoutcomes()
    assert outcomes.keys() == {"passed"}
    assert outcomes["passed"] > 10


@pytest.mark.parametrize("page", EXTENDING)
def test_what_the_pages_for_authors_configure_is_read(page: str) -> None:
    text = (ROOT / "docs" / "extending" / f"{page}.md").read_text(encoding="utf-8")
    for block in TOML.findall(text):
        read = tomllib.loads(block)
        assert set(read.get("project", {}).get("entry-points", {})) <= set(discovery.GROUPS)
        assert set(read.get("default", {})) <= {"plugins", "plugin", "auth"}


@pytest.mark.parametrize("stranger", STRANGERS)
def test_the_snippets_of_a_stranger_run(
    stranger: str, nothing_added: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = ROOT / "examples" / "third_party" / stranger
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    site = SitePackages(tmp_path / "site", monkeypatch)
    site.install(project["name"], project["version"], entry_points=project["entry-points"])
    monkeypatch.syspath_prepend(str(folder / "src"))
    try:
        run_blocks(f"examples/third_party/{stranger}/README.md", {"__name__": "snippets"})
    finally:
        sys.modules.pop(stranger, None)
        site.forget()


def test_the_example_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    block = BLOCK.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert block is not None
    exec(compile(block.group(1), "README.md", "exec"), {"__name__": "snippet"})
    assert capsys.readouterr().out.splitlines()[0].startswith("Dune ")
