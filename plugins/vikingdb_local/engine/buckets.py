"""Buckets: a folder that stands for object storage. ``tos://bucket/path`` is a path in it, and nothing leads out."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ..errors import invalid, shown
from .cachefile import force_folder

_SCHEME = "tos://"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", re.ASCII)
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|]')
"""What means something else than itself in the paths of one system or another."""


def locate(folder: Path, tos_path: str) -> Path:
    """Where ``bucket/path``, with or without ``tos://`` before it, is in the folder.

    Raises:
        ServiceError: it is no such path, or leads out of the folder.
    """
    text = tos_path.removeprefix(_SCHEME)
    bucket, *parts = text.removesuffix("/").split("/")
    if not _BUCKET.fullmatch(bucket):
        raise invalid(
            f"TosPath {shown(tos_path, 80)} must be bucket/path; a bucket's name is 3 to 63 small letters, digits and "
            "hyphens, and begins and ends with none"
        )
    for part in parts:
        if part in ("", ".", "..") or _FORBIDDEN.search(part):
            raise invalid(f"TosPath {shown(tos_path, 80)}: {shown(part)} cannot be a part of a path here")
    path = folder.joinpath(bucket, *parts)
    _require_inside(folder, path)
    return path


def files_at(folder: Path, path: Path, suffixes: Collection[str]) -> list[Path]:
    """The file at a path, or those with one of the suffixes in the folder that is there, by name.

    Raises:
        ServiceError: there is none, or one leads out of the folder.
    """
    if path.is_file():
        return [path]
    found = sorted(each for each in path.iterdir() if each.suffix in suffixes) if path.is_dir() else []
    if not found:
        raise invalid(
            f"TosPath: {_named(folder, path)} is neither a file nor a folder with {' or '.join(suffixes)} in it"
        )
    for each in found:
        _require_inside(folder, each)
        if not each.is_file():
            raise invalid(f"TosPath: {_named(folder, each)} is no file")
    return found


def refuse_existing(folder: Path, path: Path) -> None:
    """Refuse to write where something is.

    Raises:
        ServiceError: there is.
    """
    if os.path.lexists(path):
        raise invalid(
            f"TosPath: {_named(folder, path)} exists already; an export overwrites nothing. Name another path"
        )


@contextmanager
def writing_whole(folder: Path, path: Path) -> Iterator[BinaryIO]:
    """A file to write. When the block ends it is there under its name, on the disk; if it fails, nothing is.

    Raises:
        ServiceError: something is there already.
    """
    refuse_existing(folder, path)
    _require_inside(folder, path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.writing")
    try:
        with partial.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(partial, path)  # unlike a rename it never replaces what came there meanwhile
        except FileExistsError:
            refuse_existing(folder, path)
            raise
        except OSError:  # a file system without links
            refuse_existing(folder, path)
            partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)
    force_folder(path.parent)


def _require_inside(folder: Path, path: Path) -> None:
    """Refuse what leads out of the folder by symbolic links."""
    if not path.resolve().is_relative_to(folder.resolve()):
        raise invalid(f"TosPath: {_named(folder, path)} is a link that leads out of the folder of the buckets")


def _named(folder: Path, path: Path) -> str:
    return _SCHEME + path.relative_to(folder).as_posix()
