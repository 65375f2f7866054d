"""Journal: whether SQLite's write-ahead log is as it was written.

After a crash SQLite reads the log up to the first frame that is not whole and forgets what comes behind it. Of a write
that was cut short that is right: nobody was told that it was kept. Of a damaged log it forgets writes that were
acknowledged, says nothing, and removes the file. So the log is looked at first.

At most the last write of a log was not acknowledged. Two commits behind the first frame that cannot be read are one
too many.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

_HEAD, _FRAME_HEAD = 32, 24
_MAGIC = {0x377F0682: "<u4", 0x377F0683: ">u4"}
_FRAMES_AT_ONCE = 1024
_MASK = 0xFFFFFFFF

Words = NDArray[np.uint32]
State = tuple[int, int]


def journal_of(database: Path) -> Path:
    """The log that goes with a database's file."""
    return database.with_name(f"{database.name}-wal")


def find_damage(journal: Path) -> str | None:
    """What is wrong with a log, and how to go on without what it lost; ``None`` when nothing is."""
    try:
        with journal.open("rb") as file:
            return _find_damage(file)
    except FileNotFoundError:
        return None


def _find_damage(file: BinaryIO) -> str | None:
    head = file.read(_HEAD)
    if len(head) < _HEAD or not any(head + file.read(_FRAME_HEAD)):
        return None  # begun and no more: the first write that went to it was not acknowledged
    file.seek(_HEAD)
    order = _MAGIC.get(int.from_bytes(head[:4], "big"))
    if order is None or _state(head[24:]) != _add((0, 0), head[:24], order):
        return "its head cannot be read; remove it to go on without the writes it holds"
    page = int.from_bytes(head[8:12], "big")
    state: State | None = _state(head[24:])
    readable = lost = 0
    for frame, sums in _frames(file, page, order):
        is_current = frame[8:16] == head[16:24]
        if state is not None and is_current and sums.after(state) == _state(frame[16:]):
            readable, state = readable + 1, _state(frame[16:])
            continue
        state = None
        lost += is_current and any(frame[4:8])
    if lost < 2:
        return None
    whole = _HEAD + readable * (_FRAME_HEAD + page)
    return f"{lost} writes in it cannot be read; cut it to {whole} bytes to go on without them"


class _Sums:
    """What a frame adds to the checksum of the log, whatever it was before."""

    def __init__(self, power: tuple[int, int, int, int], added: tuple[int, int]) -> None:
        self._power, self._added = power, added

    def after(self, state: State) -> State:
        a, b, c, d = self._power
        return (
            (a * state[0] + b * state[1] + self._added[0]) & _MASK,
            (c * state[0] + d * state[1] + self._added[1]) & _MASK,
        )


def _frames(file: BinaryIO, page: int, order: str) -> Iterator[tuple[bytes, _Sums]]:
    """The heads of all whole frames, and what each adds to the checksum."""
    size = _FRAME_HEAD + page
    weights, power = _weights((8 + page) // 8)
    while len(data := file.read(_FRAMES_AT_ONCE * size)) >= size:
        frames = np.frombuffer(data[: len(data) // size * size], np.uint8).reshape(-1, size)
        summed = np.concatenate((frames[:, :8], frames[:, _FRAME_HEAD:]), axis=1)
        pairs = np.ascontiguousarray(summed).view(order).astype(np.uint32).reshape(len(frames), -1, 2)
        first, both = pairs[:, :, 0], pairs[:, :, 0] + pairs[:, :, 1]
        sums = [
            (first * weights[row, 0] + both * weights[row, 1]).sum(axis=1, dtype=np.uint32).tolist() for row in (0, 1)
        ]
        for frame, *added in zip(frames, *sums, strict=True):
            yield frame[:_FRAME_HEAD].tobytes(), _Sums(power, (added[0], added[1]))


def _weights(pairs: int) -> tuple[Words, tuple[int, int, int, int]]:
    """How much each pair of words counts, for all words of a frame at once.

    SQLite adds a pair ``x, y`` by ``a += x + b; b += y + a``: the state is multiplied by ((1, 1), (1, 2)), and
    ``(x, x + y)`` is added. So a pair counts as often as that matrix is applied after it.
    """
    weights = np.empty((2, 2, pairs), np.uint32)
    a, b, c, d = 1, 0, 0, 1
    for place in range(pairs - 1, -1, -1):
        weights[:, :, place] = (a, b), (c, d)
        a, b, c, d = (a + b) & _MASK, (a + 2 * b) & _MASK, (c + d) & _MASK, (c + 2 * d) & _MASK
    return weights, (a, b, c, d)


def _add(state: State, data: bytes, order: str) -> State:
    a, b = state
    words = np.frombuffer(data, order).tolist()
    for x, y in zip(words[::2], words[1::2], strict=True):
        a = (a + x + b) & _MASK
        b = (b + y + a) & _MASK
    return a, b


def _state(data: bytes) -> State:
    return int.from_bytes(data[:4], "big"), int.from_bytes(data[4:8], "big")
