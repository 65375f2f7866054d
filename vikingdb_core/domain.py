"""Domain: one product of the service (vector, memory, knowledge, or a stranger's), as a record core can work with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .exceptions import APIError, ExtensionError
from .operation import Operation
from .traits import Safety
from .version import DOMAIN_API


@dataclass(frozen=True)
class Site:
    """One place the managed service runs: a region, and the host of each plane there."""

    region: str
    hosts: Mapping[str, str]


@dataclass(frozen=True)
class Domain:
    """What a domain brings.

    Attributes:
        name: entry-point name, and the attribute of the facade.
        title: for people.
        package: import package.
        operations: every API.
        planes: ``data`` and perhaps ``control``, each with its signing name.
        sites: where the managed service is; of several in one region the first is the default.
        errors: service code (whole, or its part before the dot) to exception class.
        throttle_codes: codes that mean "slow down", beside status 429.
        client: ``module:Class`` of the client.
        async_client: likewise, or ``None``.
        probes: names of READ operations that need no argument and cost nothing. ``doctor --ping`` sends them in this
            order, so first what asks for no rights.
        domain_api: version of this contract it was written for.
    """

    name: str
    title: str
    package: str
    operations: tuple[Operation[Any, Any], ...]
    planes: Mapping[str, str]
    sites: tuple[Site, ...] = ()
    errors: Mapping[str, type[APIError]] = field(default_factory=dict)
    throttle_codes: frozenset[str] = frozenset()
    client: str | None = None
    async_client: str | None = None
    probes: tuple[str, ...] = ()
    domain_api: int = DOMAIN_API

    def __post_init__(self) -> None:
        if self.domain_api != DOMAIN_API:
            raise ExtensionError(
                f"domain {self.name!r} was written for domain API {self.domain_api}; this core has {DOMAIN_API}, "
                "so one of the two must be upgraded"
            )
        if "data" not in self.planes:
            raise ExtensionError(
                f"domain {self.name!r} has no plane 'data', where operations go unless they say otherwise; "
                "planes={'data': '<its signing name>'}"
            )
        for code, cls in self.errors.items():
            if not (isinstance(cls, type) and issubclass(cls, APIError)):
                raise ExtensionError(
                    f"domain {self.name!r}: errors[{code!r}] is {cls!r}; give a subclass of APIError, such as NotFound"
                )
        if isinstance(self.throttle_codes, str):
            raise ExtensionError(f"domain {self.name!r}: throttle_codes is one string; give frozenset({{'…'}})")
        names: set[str] = set()
        owners: dict[object, str] = {}
        for operation in self.operations:
            if operation.name in names:
                raise ExtensionError(
                    f"domain {self.name!r} has two operations named {operation.name}; rename one: the name is what "
                    "logs, limits and telemetry know an operation by"
                )
            names.add(operation.name)
            address = (operation.method, operation.path, frozenset(operation.query))
            owner = owners.setdefault(address, operation.name)
            if owner != operation.name:
                raise ExtensionError(
                    f"domain {self.name!r}: {owner} and {operation.name} are both {operation.method} {operation.path}"
                    f"{_shown(operation.query)}; correct one path, or tell them apart by query=, as in "
                    "query=(('Action', 'GetThing'),)"
                )
            if operation.plane not in self.planes:
                raise ExtensionError(
                    f"operation {operation.name} uses plane {operation.plane!r}, which {self.name!r} lacks; add it to "
                    f"planes= with its signing name, or use one of: {', '.join(self.planes)}"
                )
        harmless = {operation.name for operation in self.operations if operation.safety is Safety.READ}
        for probe in self.probes:
            if probe not in harmless:
                raise ExtensionError(f"domain {self.name!r} probes with {probe!r}, which is no READ operation of it")

    def error_for(self, code: str | int | None) -> type[APIError] | None:
        """The exception class of a service code: the whole code's, else that of its part before the dot."""
        if code is None:
            return None
        text = str(code)
        return self.errors.get(text) or self.errors.get(text.partition(".")[0])

    def site_of_host(self, host: str) -> Site | None:
        """The site a host belongs to, or ``None`` when it is not the managed service's."""
        return next((site for site in self.sites if host in site.hosts.values()), None)

    def site_of_region(self, region: str) -> Site | None:
        """The default site of a region."""
        return next((site for site in self.sites if site.region == region), None)


def _shown(query: tuple[tuple[str, str], ...]) -> str:
    return "?" + "&".join(f"{name}={value}" for name, value in query) if query else ""
