"""Conflicts: the official distribution beside ours. Both install the import package ``vikingdb``."""

from __future__ import annotations

import warnings

from .hints import outside_stacklevel

OFFICIAL = "vikingdb-python-sdk"
OURS = "vikingdb"

_checked = False


class PackageConflictWarning(UserWarning):
    """Two distributions own one import package, so that each has overwritten files of the other."""


def warn_of_official_package() -> None:
    """Warn once, at the first client of the process, when both are installed."""
    global _checked
    if _checked:
        return
    _checked = True
    trouble = official_package_beside_ours()
    if trouble:
        warnings.warn(trouble, PackageConflictWarning, stacklevel=outside_stacklevel())


def official_package_beside_ours() -> str | None:
    """What is wrong and what to do, when both are installed."""
    import importlib_metadata

    try:
        official = importlib_metadata.version(OFFICIAL)
        importlib_metadata.version(OURS)
    except importlib_metadata.PackageNotFoundError:
        return None
    return (
        f"{OFFICIAL} {official} is installed beside {OURS}, and both own the import package 'vikingdb': each has "
        f"overwritten files of the other. Run: pip uninstall {OFFICIAL}; then reinstall {OURS} with --force-reinstall"
    )
