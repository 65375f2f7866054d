"""Every Python block of the documentation runs, in order, on the embedded engine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = [
    "docs/guide.md",
    "docs/python_sdk_design.md",
    "plugins/vikingdb_otel/README.md",
    "plugins/vikingdb_resilience/README.md",
]


@pytest.mark.parametrize("page", PAGES)
def test_the_snippets_of_a_page_run(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    namespace: dict[str, object] = {"__name__": "snippets"}
    blocks = list(BLOCK.finditer(text))
    assert blocks
    for block in blocks:
        line = text.count("\n", 0, block.start(1))
        exec(compile("\n" * line + block.group(1), page, "exec"), namespace)


def test_the_example_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    block = BLOCK.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert block is not None
    exec(compile(block.group(1), "README.md", "exec"), {"__name__": "snippet"})
    assert capsys.readouterr().out.splitlines()[0].startswith("Dune ")
