"""Diagnosis: what a client would be with these settings, worked out as far as it goes where one cannot be built."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .. import discovery
from ..client import BaseClient
from ..config import ClientConfig, examine
from ..conflicts import PackageConflictWarning
from ..credentials.ambient import ResolvedCredentials
from ..credentials.base import Auth
from ..credentials.token import NoAuth
from ..domain import Domain
from ..endpoint import Endpoint
from ..exceptions import MissingCredentials, VikingDBError
from ..routing import settle

DEFAULT_DOMAIN = "vector"


@dataclass
class Diagnosis:
    """What was found.

    Attributes:
        asked: the settings given on the command line.
        profile: the profile asked for by name.
        domain: whose client it is about; ``None`` when no domain can be loaded.
        config: the settings, with their sources.
        endpoints: where each plane goes; empty when that cannot be said.
        credentials: those a client uses; ``None`` when none can be built.
        lacks_credentials: that is so because there are no credentials.
        looked_at: where credentials were looked for, and what came of it.
        may_ping: a client can be built, if only one without credentials.
        problems: what stands in the way of a client, and what to do.
    """

    asked: Mapping[str, Any]
    profile: str | None
    domain: Domain | None
    config: ClientConfig
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    credentials: ResolvedCredentials | None = None
    lacks_credentials: bool = False
    looked_at: Sequence[tuple[str, str]] = ()
    may_ping: bool = False
    problems: list[str] = field(default_factory=list)

    def build(self, *, plugins: Sequence[object] | None = None, auth: Auth | None = None) -> BaseClient:
        """A client as a program would get it, with plugins or credentials of our own."""
        assert self.domain is not None
        client_class = type("Client", (BaseClient,), {"domain": self.domain})
        built: BaseClient = client_class(**self.asked, profile=self.profile, plugins=plugins, auth=auth)
        return built


def diagnose(asked: Mapping[str, Any], *, profile: str | None, domain: str | None) -> Diagnosis:
    """Resolve the settings and build a client. Nothing is sent.

    Args:
        asked: settings that beat those of the environment and the profile.
        profile: name of a profile.
        domain: name of a domain; otherwise ``vector``, or one that is installed when that is not.
    """
    config, troubles = examine(asked, profile=profile)
    config = _as_called(config)
    found = Diagnosis(asked, profile, None, config, problems=[trouble.message for trouble in troubles])
    try:
        found.domain = _domain(domain)
        found.config, found.endpoints = settle(found.domain, config)
    except VikingDBError as error:
        found.problems.append(error.message)
    if not found.endpoints:
        return found
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            with found.build() as client:
                found.credentials, found.looked_at = client.credentials, client.credentials.rows()
                found.may_ping = True
        except MissingCredentials as error:
            found.lacks_credentials, found.looked_at = True, error.looked_at
            found.problems.append(error.message.partition("\n")[0].rstrip(":"))  # the list has a section of its own
            found.may_ping = _builds_without(found)
        except VikingDBError as error:
            if error.message not in found.problems:
                found.problems.append(error.message)
    found.problems.extend(
        str(warning.message) for warning in warned if not issubclass(warning.category, PackageConflictWarning)
    )
    return found


def _builds_without(found: Diagnosis) -> bool:
    """Whether credentials are all that is missing: a client looks for them before it looks at its plugins."""
    try:
        with found.build(auth=NoAuth()):
            return True
    except VikingDBError as error:
        found.problems.append(error.message)
        return False


def _as_called(config: ClientConfig) -> ClientConfig:
    """What a program would give as arguments was given on the command line here."""
    sources = {name: "command line" if source == "argument" else source for name, source in config.sources.items()}
    return replace(config, sources=sources)


def _domain(name: str | None) -> Domain:
    names = discovery.names(discovery.DOMAINS)
    if name is None:
        name = DEFAULT_DOMAIN if DEFAULT_DOMAIN in names or not names else names[0]
    if name not in names and name == DEFAULT_DOMAIN:
        raise discovery.missing_domain(name)
    loaded: Domain = discovery.lookup(discovery.DOMAINS, name)
    return loaded
