"""The vector domain, as core and the entry point see it."""

from __future__ import annotations

from vikingdb_core.domain import Domain, Site

from . import operations, operations_admin
from .exceptions import ERRORS


def _site(region: str) -> Site:
    return Site(
        region,
        {"data": f"api-vikingdb.vikingdb.{region}.volces.com", "control": f"vikingdb.{region}.volcengineapi.com"},
    )


DOMAIN = Domain(
    name="vector",
    title="VikingDB vector database",
    package="vikingdb_vector",
    operations=operations.OPERATIONS + operations_admin.OPERATIONS,
    planes={"data": "vikingdb", "control": "vikingdb"},
    sites=(
        _site("cn-beijing"),
        _site("cn-shanghai"),
        _site("cn-guangzhou"),
        _site("ap-southeast-1"),
        Site(  # BytePlus shares the region's name
            "ap-southeast-1",
            {
                "data": "api-vikingdb.vikingdb.ap-southeast-1.bytepluses.com",
                "control": "vikingdb.ap-southeast-1.byteplusapi.com",
            },
        ),
    ),
    errors=ERRORS,
    throttle_codes=frozenset({"TooManyRequests"}),
    client="vikingdb_vector.client:VikingDB",
    async_client="vikingdb_vector.client:AsyncVikingDB",
    probes=(operations.PING.name, operations_admin.LIST_COLLECTIONS.name),
)
