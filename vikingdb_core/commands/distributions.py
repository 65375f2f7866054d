"""Distributions: what is installed of the SDK and under it, whether it fits together and is still whole."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from .. import discovery
from ..conflicts import OFFICIAL, official_package_beside_ours
from .requirements import Requirement, normalise, parse_requirement, satisfies


@dataclass(frozen=True)
class Distribution:
    """An installed distribution.

    Attributes:
        name: as its metadata spells it.
        version: of the distribution.
        where: the folder it is imported from.
        is_editable: whether that folder is a working copy.
        requires: its requirements, those that cannot be judged left out.
        files: its modules, relative to the folder distributions are installed into.
    """

    name: str
    version: str
    where: Path
    is_editable: bool
    requires: tuple[Requirement, ...]
    files: frozenset[str]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True)
class Library:
    """Something our distributions stand on.

    Attributes:
        name: of the distribution.
        version: ``None`` when it is not installed.
        wanted_by: each distribution that asks for it, as ``name``, or ``name[extra]`` where an extra does.
        is_needed: whether something installed cannot do without.
    """

    name: str
    version: str | None
    wanted_by: tuple[str, ...]
    is_needed: bool


def installed() -> dict[str, Distribution]:
    """The SDK's distributions and those that extend it, by normalised name. Nothing of them is imported."""
    extending = {
        normalise(extension.distribution.partition(" ")[0])
        for group in discovery.GROUPS
        for same in discovery.catalog(group).values()
        for extension in same
    }
    found: dict[str, Distribution] = {}
    for name, dist in _everything():
        key = normalise(name)
        if key == OFFICIAL or not (key in extending or "vikingdb" in key.split("-")):
            continue
        read = _read(name, dist)
        # The earliest on the path is what is imported. In a clone that is often the metadata of the build, which does
        # not say that the folder is an editable install; the metadata of the install does.
        if key not in found or (read.is_editable and read.version == found[key].version):
            found[key] = read
    return dict(sorted(found.items()))


def _everything() -> Iterator[tuple[str, Any]]:
    """Everything on the path that has a name, in the order of the path."""
    import importlib_metadata

    for dist in importlib_metadata.distributions():
        try:
            name = dist.metadata.get("Name")
        except (FileNotFoundError, TypeError):  # a folder that pip left behind has no metadata
            continue
        if name:
            yield name, dist


def _read(name: str, dist: Any) -> Distribution:
    folder = _editable_folder(dist)
    lines = [parse_requirement(line) for line in dist.requires or ()]
    files = {path for path, _ in _modules(dist)}
    if folder is not None:  # its modules are elsewhere, and these would stand in front of them
        files = {f"{package}/__init__.py" for package in (dist.read_text("top_level.txt") or "").split()}
    return Distribution(
        name,
        dist.version,
        folder or Path(dist.locate_file("")),
        folder is not None,
        tuple(line for line in lines if line is not None),
        frozenset(files),
    )


def _modules(dist: Any) -> Iterator[tuple[str, str]]:
    """The modules a distribution was installed with, and the hash of each."""
    for path, digest, _ in csv.reader((dist.read_text("RECORD") or "").splitlines()):
        if path.endswith(".py"):
            yield path, digest


def _editable_folder(dist: Any) -> Path | None:
    try:
        origin = json.loads(dist.read_text("direct_url.json") or "{}")
        if not origin.get("dir_info", {}).get("editable"):
            return None
        return Path(url2pathname(urlsplit(origin["url"]).path))
    except (ValueError, KeyError, AttributeError):
        return None


def libraries(ours: dict[str, Distribution]) -> list[Library]:
    """Everything our distributions ask for that is not one of them."""
    asked: dict[str, list[tuple[str, bool]]] = {}
    for owner, requirement, is_needed in _requirements(ours):
        if requirement.name not in ours:
            extra = f"[{requirement.extra}]" if requirement.extra else ""
            asked.setdefault(requirement.name, []).append((f"{owner.name}{extra}", is_needed))
    return [
        Library(name, _version(name), tuple(who for who, _ in wanted), any(is_needed for _, is_needed in wanted))
        for name, wanted in sorted(asked.items())
    ]


def misfits(ours: dict[str, Distribution]) -> Iterator[str]:
    """What is installed in a version somebody excludes, and what is needed but missing."""
    for owner, requirement, is_needed in _requirements(ours):
        version = ours[requirement.name].version if requirement.name in ours else _version(requirement.name)
        if version is None:
            if is_needed:
                yield f"{owner} needs {requirement}, which is not installed. Run: pip install '{requirement}'"
        elif satisfies(version, requirement.range) is False:
            yield (
                f"{owner} needs {requirement}, but {version} is installed. "
                f"Run: pip install '{requirement}', or upgrade {owner.name}"
            )


def _requirements(ours: dict[str, Distribution]) -> Iterator[tuple[Distribution, Requirement, bool]]:
    """Each requirement with its owner, and whether it is needed: always, or for an extra that one of ours asks for."""
    extras = {(line.name, extra) for owner in ours.values() for line in owner.requires for extra in line.extras}
    for key, owner in ours.items():
        for line in owner.requires:
            yield owner, line, line.extra is None or (key, line.extra) in extras


def _version(name: str) -> str | None:
    import importlib_metadata

    try:
        return importlib_metadata.version(name)
    except importlib_metadata.PackageNotFoundError:
        return None


def file_clashes(ours: dict[str, Distribution]) -> Iterator[str]:
    """Modules of ours that another distribution installs too."""
    official = official_package_beside_ours()
    if official:
        yield official
    for key, mine in ours.items():
        for name, dist in _everything():
            other = normalise(name)
            # Told once of a pair; and the official package has had its say.
            if other in (key, OFFICIAL) or (other in ours and other < key):
                continue
            both = sorted(mine.files.intersection(path for path, _ in _modules(dist)))
            if both:
                yield (
                    f"{mine} and {name} {dist.version} both install {_some(both)}: one has overwritten the other's. "
                    "Uninstall one of them, then reinstall the other with --force-reinstall"
                )


def name_clashes() -> Iterator[str]:
    """Names that two distributions offer in one entry-point group."""
    for group in discovery.GROUPS:
        for name, same in discovery.catalog(group).items():
            if len(same) > 1:
                owners = [extension.distribution for extension in same]
                yield f"{group}: {' and '.join(owners)} both offer {name!r}. Uninstall one of them"


def damage(ours: Iterable[Distribution]) -> Iterator[str]:
    """Installed files that are missing or are no longer what was installed: another distribution's, or edited."""
    import importlib_metadata

    for dist in ours:
        if dist.is_editable:
            continue
        modules = _modules(importlib_metadata.distribution(dist.name))
        wrong = [path for path, digest in modules if _differs(dist.where / path, digest)]
        if wrong:
            yield f"files of {dist} are missing or changed: {_some(wrong)}. Reinstall it with pip's --force-reinstall"


def _some(paths: list[str]) -> str:
    return ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")


def _differs(path: Path, digest: str) -> bool:
    algorithm, _, expected = digest.partition("=")
    if algorithm != "sha256":
        return False
    try:
        found = hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return True
    return base64.urlsafe_b64encode(found).rstrip(b"=").decode() != expected.rstrip("=")
