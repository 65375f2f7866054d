"""Routing: which endpoint each plane of a domain uses, and whether secrets may travel there."""

from __future__ import annotations

import warnings

from .config import ClientConfig
from .credentials.base import Auth
from .domain import Domain
from .endpoint import Endpoint
from .exceptions import ConfigError
from .hints import outside_stacklevel
from .traits import AuthMode


class InsecureTransportWarning(UserWarning):
    """Requests travel unencrypted."""


class RegionMismatchWarning(UserWarning):
    """The region and the endpoint do not go together."""


def resolve_endpoints(domain: Domain, config: ClientConfig) -> dict[str, Endpoint]:
    """The endpoint of every plane.

    The data plane: as configured, else the region's own. The others: as configured; else the data plane's, when that
    is embedded, this machine, or any host that is not the managed service's; else the region's own.

    Raises:
        ConfigError: no endpoint was given and the region is not a known one.
    """
    data: Endpoint = config.endpoint or _documented(domain, "data", config.region)
    site = domain.site_of_host(data.host)
    endpoints = {"data": data}
    for plane in domain.planes:
        if plane == "data":
            continue
        if plane == "control" and config.control_endpoint is not None:
            endpoints[plane] = config.control_endpoint
        elif site is None:
            endpoints[plane] = data
        else:
            endpoints[plane] = Endpoint("https", site.hosts[plane])
    return endpoints


def settle(domain: Domain, config: ClientConfig) -> tuple[ClientConfig, dict[str, Endpoint]]:
    """The endpoint of every plane, and the configuration with what follows from them.

    Raises:
        ConfigError: no endpoint was given and the region is not a known one.
    """
    endpoints = resolve_endpoints(domain, config)
    config = config.with_derived("endpoint", endpoints["data"], "the region's own")
    config = config.with_derived("control_endpoint", endpoints.get("control"), "follows endpoint")
    return config.with_derived("region", region_of(domain, endpoints["data"]), "the endpoint's own"), endpoints


def region_of(domain: Domain, endpoint: Endpoint) -> str | None:
    """The region of a host of the managed service: signatures for another region are refused there."""
    site = domain.site_of_host(endpoint.host)
    return site.region if site else None


def warn_of_region(domain: Domain, endpoint: Endpoint, region: str) -> None:
    """Warn when requests will be signed for another region than the one they go to."""
    own = region_of(domain, endpoint)
    if own is not None and own != region:
        warnings.warn(
            f"{endpoint.host} is in region {own}, and requests are signed for {region}: the service will refuse them",
            RegionMismatchWarning,
            stacklevel=outside_stacklevel(),
        )


def _documented(domain: Domain, plane: str, region: str) -> Endpoint:
    site = domain.site_of_region(region)
    if site is None:
        known = ", ".join(sorted({site.region for site in domain.sites}))
        if not known:
            raise ConfigError(f"the {domain.name} domain names no place where its service runs; pass endpoint=…")
        raise ConfigError(
            f"no {plane} endpoint is known for region {region!r}; pass endpoint=…, or one of the regions: {known}"
        )
    return Endpoint("https", site.hosts[plane])


def check_encryption(endpoint: Endpoint, auth: Auth, allow_insecure: bool) -> None:
    """Refuse to send a secret over plain http to another machine; warn when only signatures travel that way.

    Raises:
        ConfigError: a secret would be readable on the way.
    """
    if endpoint.scheme != "http" or endpoint.is_loopback or auth.mode is AuthMode.NONE:
        return
    if auth.sends_secret and not allow_insecure:
        raise ConfigError(
            f"{type(auth).__name__} would send a secret to {endpoint.origin} unencrypted; use https, or say "
            "allow_insecure=True"
        )
    warnings.warn(
        f"requests to {endpoint.origin} travel unencrypted; use https",
        InsecureTransportWarning,
        stacklevel=outside_stacklevel(),
    )
