"""Environment: credentials in variables."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ..exceptions import MissingCredentials
from ..masked import Masked, discreet
from .base import Credentials
from .lack import Lack, PairNames, pair_of, text_of

PAIRS: tuple[PairNames, ...] = (
    ("VIKINGDB_AK", "VIKINGDB_SK", "VIKINGDB_SESSION_TOKEN"),
    ("VOLCENGINE_ACCESS_KEY", "VOLCENGINE_SECRET_KEY", "VOLCENGINE_SESSION_TOKEN"),
    ("VOLC_ACCESSKEY", "VOLC_SECRETKEY", "VOLC_SESSIONTOKEN"),
)
API_KEY = "VIKINGDB_API_KEY"


class EnvProvider:
    """The first complete pair of keys in the environment, looked up whenever keys are asked for.

    ``VIKINGDB_AK`` and ``VIKINGDB_SK``, else ``VOLCENGINE_ACCESS_KEY`` and ``VOLCENGINE_SECRET_KEY``, else
    ``VOLC_ACCESSKEY`` and ``VOLC_SECRETKEY``; with ``VIKINGDB_SESSION_TOKEN``, ``VOLCENGINE_SESSION_TOKEN`` or
    ``VOLC_SESSIONTOKEN`` of the same family. Keys of two families are never joined.

    Args:
        environ: what to read instead of the process's environment.

    Raises:
        MissingCredentials: on ``load``: no pair is complete, or the first that is has something that is no key.
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = Masked(os.environ if environ is None else environ)

    @discreet
    def load(self) -> Credentials:
        lacks = []
        for names in PAIRS:
            try:
                return pair_in_environment(self._environ, names)
            except Lack as lack:
                lacks.append(f"{name_of(names)}: {lack}")
        raise MissingCredentials(f"the environment holds no pair of keys ({'; '.join(lacks)})")

    def __repr__(self) -> str:
        return "EnvProvider()"


def name_of(names: PairNames) -> str:
    """What a pair of variables is called where it is listed."""
    return f"{names[0]} + {names[1]}"


def pair_in_environment(environ: Mapping[str, str], names: PairNames) -> Credentials:
    """The pair of one family.

    Raises:
        Lack: it is not complete.
        MissingCredentials: it is, and has something that is no key.
    """
    if not any(text_of(environ, name) for name in names[:2]):
        raise Lack("not set")
    return pair_of(environ, names)
