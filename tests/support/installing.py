"""Distributions for tests: real metadata and real modules in a folder on the import path, as pip would leave them."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import dedent

import pytest

from vikingdb_core import discovery


class SitePackages:
    """A folder on ``sys.path`` to install into.

    Attributes:
        folder: where it is.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._before = set(sys.modules)
        monkeypatch.syspath_prepend(str(folder))

    def install(
        self,
        name: str,
        version: str = "0.3",
        *,
        entry_points: Mapping[str, Mapping[str, str]] | None = None,
        requires: Sequence[str] = (),
        editable: Path | None = None,
        **modules: str,
    ) -> Path:
        """Install a distribution: its entry points by group, and the source of its modules. Its metadata folder."""
        info = self.folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        needed = "".join(f"Requires-Dist: {line}\n" for line in requires)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needed}")
        groups = [
            f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in names.items())
            for group, names in (entry_points or {}).items()
        ]
        (info / "entry_points.txt").write_text("\n".join(groups))
        (info / "top_level.txt").write_text("\n".join({module.partition("/")[0] for module in modules}))
        if editable is not None:
            origin = {"url": editable.as_uri(), "dir_info": {"editable": True}}
            (info / "direct_url.json").write_text(json.dumps(origin))
        record = []
        for module, source in modules.items():
            path = self.folder / f"{module}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(dedent(source))
            digest = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode()
            record.append(f"{module}.py,sha256={digest},{path.stat().st_size}")
        (info / "RECORD").write_text("\n".join(record))
        discovery.forget()
        return info

    def forget(self) -> None:
        """Drop what was imported from the folder."""
        for module in set(sys.modules) - self._before:
            if str(self.folder) in str(getattr(sys.modules[module], "__file__", "")):
                del sys.modules[module]
        discovery.forget()
