"""Findings: what ``doctor`` found, as a page and as JSON."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import discovery
from ..config import ClientConfig, without_userinfo
from ..credentials.ambient import NOT_ASKED
from ..endpoint import Endpoint
from ..profile import profile_path
from ..transport.base import TransportSettings
from ..transport.https import RequestsTransport
from .diagnosis import Diagnosis, diagnose
from .distributions import Distribution, Library, damage, file_clashes, installed, libraries, misfits, name_clashes
from .page import Page
from .ping import Pinged, Sent, explain, ping


@dataclass
class Findings:
    """Everything there is to report.

    Attributes:
        distributions: the SDK's own and those that extend it.
        libraries: what they stand on.
        conflicts: what is installed and does not go together.
        diagnosis: settings, endpoints and credentials of a client.
        may_send: whether ``--ping`` was given.
        pinged: what was sent; ``None`` when nothing was to be, or could be.
        problems: everything that is wrong, in the order of the page.
    """

    distributions: Mapping[str, Distribution]
    libraries: list[Library]
    conflicts: list[str]
    diagnosis: Diagnosis
    may_send: bool
    pinged: Pinged | None = None
    problems: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """The findings for programs; keys stay as they are within a major version."""
        diagnosis = self.diagnosis
        return {
            "python": platform.python_version(),
            "implementation": platform.python_implementation(),
            "platform": platform.platform(),
            "executable": sys.executable,
            "distributions": [
                {"name": dist.name, "version": dist.version, "where": str(dist.where), "editable": dist.is_editable}
                for dist in self.distributions.values()
            ],
            "libraries": [
                {"name": lib.name, "version": lib.version, "needed": lib.is_needed, "wanted_by": list(lib.wanted_by)}
                for lib in self.libraries
            ],
            "conflicts": self.conflicts,
            "profile_file": str(profile_path(os.environ)),
            "configuration": {
                name: {"value": value, "source": source} for name, value, source in diagnosis.config.rows()
            },
            "credentials": {
                "source": diagnosis.credentials.source if diagnosis.credentials is not None else None,
                "reason": diagnosis.credentials.reason if diagnosis.credentials is not None else "",
                "looked_at": [{"source": source, "result": result} for source, result in diagnosis.looked_at],
            },
            "domain": diagnosis.domain.name if diagnosis.domain is not None else None,
            "endpoints": {
                plane: {
                    "url": str(endpoint),
                    "transport": _transport_of(endpoint),
                    "proxy": _proxy_of(endpoint, diagnosis.config),
                }
                for plane, endpoint in diagnosis.endpoints.items()
            },
            "ping": None if self.pinged is None else _pinged_document(self.pinged),
            "problems": self.problems,
        }

    def page(self) -> str:
        """The findings for people."""
        page = Page()
        page.heading("Versions")
        page.terms(_versions(self))
        page.heading("Conflicts")
        page.text(f"{len(self.conflicts)}, see below" if self.conflicts else "none")
        page.heading("Configuration")
        page.terms(_configuration(self.diagnosis))
        page.heading("Credentials")
        for line in _credentials(self.diagnosis):
            page.text(line)
        if self.diagnosis.domain is not None:
            page.heading(f"Endpoints of the {self.diagnosis.domain.name} domain")
            page.terms(_endpoints(self.diagnosis))
        page.heading("Ping")
        if self.pinged is not None and self.pinged.sent:
            page.terms(_ping(self.pinged))
        elif self.pinged is not None and self.diagnosis.domain is not None:
            page.text(f"nothing was sent: the {self.diagnosis.domain.name} domain names no probes")
        elif self.may_send:
            page.text("nothing was sent: no client can be built, see below")
        else:
            page.text("nothing was sent; --ping asks the service")
        page.verdict(self.problems)
        return str(page)


def gather(asked: Mapping[str, Any], *, profile: str | None, domain: str | None, may_send: bool) -> Findings:
    """Look at everything, and send the domain's probes if that is allowed."""
    ours = installed()
    conflicts = [*file_clashes(ours), *name_clashes(), *misfits(ours), *damage(ours.values())]
    diagnosis = diagnose(asked, profile=profile, domain=domain)
    found = Findings(ours, libraries(ours), conflicts, diagnosis, may_send)
    found.problems = [*conflicts, *diagnosis.problems]
    if may_send and diagnosis.may_ping:
        found.pinged = ping(diagnosis)
        found.problems.extend(found.pinged.problems())
    return found


def _versions(found: Findings) -> Iterator[tuple[str, list[str]]]:
    yield "python", [f"{platform.python_version()} ({sys.executable})", platform.platform()]
    for dist in found.distributions.values():
        yield dist.name, [f"{dist.version} ({'editable, ' if dist.is_editable else ''}{dist.where})"]
    present = [f"{lib.name}=={lib.version}" for lib in found.libraries if lib.version is not None]
    if present:
        yield "they use", [", ".join(present)]
    for lib in found.libraries:
        if lib.version is None:
            by = " and ".join(lib.wanted_by)
            yield lib.name, [f"not installed; {by} {'needs' if lib.is_needed else 'would bring'} it"]


def _configuration(diagnosis: Diagnosis) -> Iterator[tuple[str, list[str]]]:
    defaults = []
    for name, value, source in diagnosis.config.rows():
        if source == "default":
            defaults.extend([f"{name}={value}"] if value != "-" else [])
        elif not (diagnosis.endpoints and name.endswith("endpoint")):  # these have a section of their own
            yield name, [value, f"({source})"] if len(value) + len(source) > 40 else [f"{value} ({source})"]
    yield "by default", [", ".join(defaults)]
    path = profile_path(os.environ)
    yield "profile file", [str(path) if path.exists() else f"{path} (there is none)"]


def _credentials(diagnosis: Diagnosis) -> Iterator[str]:
    if diagnosis.credentials is not None and diagnosis.credentials.reason:
        yield diagnosis.credentials.reason
    elif diagnosis.lacks_credentials:
        yield "none"
    elif diagnosis.credentials is None:
        yield "not known: no client can be built, see below"
    for source, result in diagnosis.looked_at:
        if result != NOT_ASKED:
            yield f"{source}: {result}"


def _endpoints(diagnosis: Diagnosis) -> Iterator[tuple[str, list[str]]]:
    sources = diagnosis.config.sources
    for plane, endpoint in diagnosis.endpoints.items():
        source = sources.get("endpoint" if plane == "data" else f"{plane}_endpoint")
        proxy = _proxy_of(endpoint, diagnosis.config)
        way = f"by {_transport_of(endpoint)}" + (f", through the proxy {proxy}" if proxy else "")
        yield plane, [str(endpoint), f"{source}; {way}" if source else way]


def _transport_of(endpoint: Endpoint) -> str:
    if endpoint.is_http:
        return "the built-in transport"
    offered = discovery.catalog(discovery.TRANSPORTS).get(endpoint.scheme, [])
    return " and ".join(extension.distribution for extension in offered) or "nothing that is installed"


def _proxy_of(endpoint: Endpoint, config: ClientConfig) -> str | None:
    if not endpoint.is_http:
        return None
    proxy = RequestsTransport(TransportSettings(proxies=config.proxies)).proxy_for(endpoint.origin)
    return without_userinfo(proxy) if proxy else None


def _ping(pinged: Pinged) -> Iterator[tuple[str, list[str]]]:
    for sent in pinged.sent:
        yield sent.plane, _outcome(sent)
    yield "clock", [pinged.clock()]


def _outcome(sent: Sent) -> list[str]:
    if sent.address is None:
        return [f"{sent.operation} was not sent: {sent.says}"]
    method, _, url = sent.address.partition(" ")
    path = "/" + url.partition("://")[2].partition("/")[2]
    timing = f" (status {sent.status} in {sent.seconds * 1000:.0f} ms)" if sent.seconds is not None else ""
    return [f"{method} {path}", sent.says + timing]


def _pinged_document(pinged: Pinged) -> dict[str, Any]:
    return {
        "sent": [
            {
                "operation": sent.operation,
                "plane": sent.plane,
                "address": sent.address,
                "status": sent.status,
                "seconds": sent.seconds,
                "says": sent.says,
                "error": None
                if sent.error is None
                else {
                    "class": type(sent.error).__name__,
                    "code": sent.error.code,
                    "request_id": sent.error.request_id,
                    "message": explain(sent.error),
                },
            }
            for sent in pinged.sent
        ],
        "seconds_ahead": pinged.seconds_ahead,
    }
