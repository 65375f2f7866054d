"""What the ready-made plugins cost: to find them, to build a client with them, and per call.

    make bench-plugins

Needs vikingdb-otel with the OpenTelemetry SDK, and vikingdb-resilience. What they tell is made and thrown away.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Sequence
from functools import partial

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider

from benchmarks.client_path import InstantTransport, measure
from vikingdb_vector import VikingDB

NAMES = ("otel", "logging", "breaker", "ratelimit")

FIRST = """
import time
from vikingdb_vector import VikingDB
from vikingdb_core import discovery
import pluggy, importlib_metadata, vikingdb_core.hooks.manager
begun = time.perf_counter()
discovery.names(discovery.PLUGINS)
scanned = time.perf_counter()
for name in {names!r}:
    discovery.lookup(discovery.PLUGINS, name)
print(scanned - begun, time.perf_counter() - scanned)
"""


def main() -> None:
    trace.set_tracer_provider(TracerProvider(shutdown_on_exit=False))
    metrics.set_meter_provider(MeterProvider(shutdown_on_exit=False))
    calls = logging.getLogger("vikingdb.calls")
    calls.addHandler(logging.NullHandler())
    calls.setLevel(logging.INFO)
    scan, load = (min(times) * 1e3 for times in zip(*(_first() for _ in range(5)), strict=True))
    print(f"once per process: {scan:.1f} ms to scan what is installed, {load:.1f} ms to import the four\n")
    print(f"{'plugins':<36} {'build client':>13} {'one search':>12}")
    for names in ((), *((name,) for name in NAMES), NAMES):
        search = _client(names).index(collection_name="c", index_name="i").search_by_vector
        built = measure(partial(_client, names), repeat=100)
        took = measure(partial(search, {"dense_vector": [0.5] * 8}))
        print(f"{', '.join(names) or 'none':<36} {built * 1e3:>10.2f} ms {took * 1e6:>9.0f} µs")


def _client(names: Sequence[str]) -> VikingDB:
    return VikingDB(endpoint="http://127.0.0.1:9", transport=InstantTransport(), plugins=names)


def _first() -> tuple[float, float]:
    """Seconds of the scan and of the import, in a process that has done neither."""
    done = subprocess.run([sys.executable, "-c", FIRST.format(names=NAMES)], capture_output=True, text=True, check=True)
    scan, load = done.stdout.split()
    return float(scan), float(load)


if __name__ == "__main__":
    main()
