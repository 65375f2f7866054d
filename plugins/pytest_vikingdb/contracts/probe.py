"""Probe: the domain by which contracts make calls. It has one operation of every kind."""

from __future__ import annotations

from vikingdb_core.client import AsyncBaseClient, BaseClient
from vikingdb_core.domain import Domain
from vikingdb_core.exceptions import NotFound
from vikingdb_core.models import AnyRequest, AnyResponse
from vikingdb_core.operation import Operation
from vikingdb_core.traits import Safety


class ProbeNotFound(NotFound):
    """``NotFound.Probe``."""


READ = Operation("probe.read", "/api/probe/read", AnyRequest, AnyResponse, safety=Safety.READ)
PUT = Operation("probe.put", "/api/probe/put", AnyRequest, AnyResponse, safety=Safety.IDEMPOTENT)
ADD = Operation("probe.add", "/api/probe/add", AnyRequest, AnyResponse)
WATCH = Operation("probe.watch", "/api/probe/watch", AnyRequest, AnyResponse, safety=Safety.READ, streaming=True)
PING = Operation(
    "probe.ping", "/api/probe/ping", AnyRequest, AnyResponse, method="GET", safety=Safety.READ, opaque=True
)

DOMAIN = Domain(
    name="probe",
    title="Probe of the contracts",
    package="pytest_vikingdb",
    operations=(READ, PUT, ADD, WATCH, PING),
    planes={"data": "probe"},
    errors={"NotFound.Probe": ProbeNotFound},
)


class ProbeClient(BaseClient):
    """Calls the probe."""

    domain = DOMAIN


class AsyncProbeClient(AsyncBaseClient):
    """The same, awaited."""

    domain = DOMAIN
