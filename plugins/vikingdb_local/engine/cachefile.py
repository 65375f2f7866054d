"""Cache file: arrays and lists of texts by name, in one file that is whole or is not used.

A file begins with a head that says where everything is and what its checksum is. It is written under another name,
forced to the disk and renamed. Reading maps it into memory; what is not as it was written is refused.
"""

from __future__ import annotations

import mmap
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from .growing import Matrix

_MAGIC = b"VKLC0001"
_ALIGNMENT = 64


class DamagedCache(Exception):
    """A cache file is not as it was written, or belongs to something else."""


def write_cache(path: Path, about: Mapping[str, Any], parts: Mapping[str, Any]) -> None:
    """Write a file that ``read_cache`` reads.

    Args:
        path: where; nothing there is ever half a file.
        about: what it is of, in JSON.
        parts: arrays, matrices (read back as one array) and lists of texts.
    """
    sections, chunks, offset = {}, [], 0
    for name, value in parts.items():
        kind, arrays = _stored(value)
        first = np.ascontiguousarray(arrays[0])
        size, checksum, rows = 0, 0, 0
        for array in arrays:
            data = memoryview(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
            checksum, size, rows = zlib.crc32(data, checksum), size + len(data), rows + len(array)
            chunks.append(data)
        padding = -size % _ALIGNMENT
        chunks.append(memoryview(bytes(padding)))
        sections[name] = {
            "kind": kind,
            "dtype": first.dtype.str,
            "shape": [rows, *first.shape[1:]],
            "at": offset,
            "size": size,
            "crc": checksum,
        }
        offset += size + padding
    head = orjson.dumps({"about": about, "sections": sections, "size": offset})
    start = _padded(len(_MAGIC) + 12 + len(head))
    written = path.with_suffix(".writing")
    try:
        with written.open("wb") as file:
            file.write(_MAGIC + len(head).to_bytes(8, "little") + zlib.crc32(head).to_bytes(4, "little") + head)
            file.write(bytes(start - file.tell()))
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        written.replace(path)
    except BaseException:
        written.unlink(missing_ok=True)  # on a full disk half a file would take the room of rows
        raise
    force_folder(path.parent)


def read_cache(path: Path, about: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a file, mapped into memory.

    Raises:
        DamagedCache: it is of something else, or not as it was written.
    """
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise DamagedCache(str(error)) from error
    whole = memoryview(mapped)
    length = int.from_bytes(whole[8:16], "little")
    head = whole[20 : 20 + length]
    if whole[:8] != _MAGIC or len(head) != length or zlib.crc32(head) != int.from_bytes(whole[16:20], "little"):
        raise DamagedCache("its head is damaged")
    described = orjson.loads(head)
    if described["about"] != about:
        raise DamagedCache("it is of another state")
    body = whole[_padded(20 + length) :]
    if len(body) != described["size"]:
        raise DamagedCache(f"it has {len(body)} bytes, not {described['size']}")
    return {name: _read(name, section, body) for name, section in described["sections"].items()}


def force_folder(folder: Path) -> None:
    """Let a renamed file be on the disk under its new name. Not everywhere can a folder be forced."""
    if os.name != "nt":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _stored(value: Any) -> tuple[str, list[NDArray[Any]]]:
    if isinstance(value, Matrix):
        return "array", list(value.blocks)
    if isinstance(value, list):
        return "texts", [np.frombuffer(orjson.dumps(value), np.uint8)]
    return "array", [value]


def _read(name: str, section: Mapping[str, Any], body: memoryview) -> Any:
    data = body[section["at"] : section["at"] + section["size"]]
    if zlib.crc32(data) != section["crc"]:
        raise DamagedCache(f"its part {name!r} is damaged")
    if section["kind"] == "texts":
        return orjson.loads(data)
    return np.frombuffer(data, section["dtype"]).reshape(section["shape"])


def _padded(size: int) -> int:
    return size + -size % _ALIGNMENT
