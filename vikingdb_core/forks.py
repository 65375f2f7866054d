"""Forks: what the child of a fork has to make anew, such as locks that threads of its parent may have held.

Those threads are not there to let go of them. Transports that keep a lock register themselves.
"""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class SurvivesFork(Protocol):
    """Something that can be used on both sides of a fork."""

    def renew_after_fork(self) -> None:
        """Make new locks, and let go of what belongs to the parent. Called in the child, before anything else is."""


_survivors: WeakSet[SurvivesFork] = WeakSet()


def survives_forks(thing: SurvivesFork) -> None:
    """Have ``thing`` told of every fork, for as long as it is used."""
    _survivors.add(thing)


def _renew_all() -> None:
    errors: list[Exception] = []
    for thing in list(_survivors):
        try:
            thing.renew_after_fork()
        except Exception as error:
            errors.append(error)
    if errors:  # Python prints it and goes on
        raise errors[0]


if hasattr(os, "register_at_fork"):  # where there is no such thing, nothing is to be done
    os.register_at_fork(after_in_child=_renew_all)
