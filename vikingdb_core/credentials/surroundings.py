"""Surroundings: everything outside a program that its credentials may be found in, to be replaced in a test."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..masked import Masked
from ..profile import Profile
from ..transport.once import send_once
from .ecs import send_directly
from .network import Sender

VEFAAS_FILE = Path("/var/run/secrets/iam/credential")


def _vefaas_file() -> Path:
    return VEFAAS_FILE


def _environment() -> Masked:
    return Masked(os.environ)


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # a user without one
        return Path("~")


@dataclass(frozen=True)
class Surroundings:
    """What of it a client looks at.

    Attributes:
        environ: the environment.
        profile: the profile of the client.
        home: the folder ``.volcengine`` and ``.volc`` are in.
        vefaas_file: where the platform of functions keeps keys.
        sts: carries what is asked of the token service.
        metadata: carries what is asked of the metadata service; past every proxy.
    """

    environ: Mapping[str, str] = field(default_factory=_environment, repr=False)
    profile: Profile = field(default_factory=Profile)
    home: Path = field(default_factory=_home)
    vefaas_file: Path = field(default_factory=_vefaas_file)
    sts: Sender = send_once
    metadata: Sender = send_directly

    @property
    def ve_config(self) -> Path:
        """The file of the ``ve`` command."""
        named = self.environ.get("VOLCENGINE_CLI_CONFIG_FILE")
        return Path(named).expanduser() if named else self.home / ".volcengine/config.json"

    @property
    def ve_profile(self) -> str | None:
        """Which of its profiles the environment asks for."""
        return self.environ.get("VOLCENGINE_PROFILE") or None
