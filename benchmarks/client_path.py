"""What the client itself costs per call, from the method to the transport and back, without network or engine.

    make bench

Ratios are against the same work done by hand in the same run: ``json.dumps``, ``json.loads``, and nothing else.
"""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Callable

from vikingdb_core.effects import Timeouts
from vikingdb_core.hooks import hookimpl
from vikingdb_core.messages import Headers, Request, Response
from vikingdb_vector import IAM, VikingDB

HITS = json.dumps(
    {
        "code": "Success",
        "message": "ok",
        "request_id": "r-1",
        "result": {
            "data": [{"id": n, "fields": {"title": "a title", "price": 9.5}, "score": 0.5} for n in range(10)],
            "total_return_count": 10,
        },
    }
).encode()


class InstantTransport:
    """Answers every request at once with the same bytes."""

    def send(self, request: Request, timeouts: Timeouts) -> Response:
        return Response(200, Headers(), HITS)

    def stream(self, request: Request, timeouts: Timeouts) -> Response:
        return self.send(request, timeouts)

    def close(self) -> None:
        pass


class Counter:
    """A plugin that does next to nothing, to show what hooks cost."""

    def __init__(self) -> None:
        self.calls = 0

    @hookimpl
    def before_call(self) -> None:
        self.calls += 1

    @hookimpl
    def after_call(self) -> None:
        self.calls -= 1


def main() -> None:
    vector = [random.random() for _ in range(1024)]
    search = {"dense_vector": vector, "limit": 10}
    rows = {"data": [{"id": n, "vector": [random.random() for _ in range(1024)]} for n in range(100)]}

    def client(**options: object) -> VikingDB:
        return VikingDB(endpoint="http://127.0.0.1:9", transport=InstantTransport(), **options)  # type: ignore[arg-type]

    plain, hooked = client(), client(plugins=[Counter() for _ in range(4)])
    signed = client(auth=IAM("AKDEMO", "SKDEMO"))
    baseline_search = measure(lambda: (json.dumps(search), json.loads(HITS)))
    baseline_upsert = measure(lambda: (json.dumps(rows), json.loads(HITS)), repeat=30)
    cases = {
        "search, 1024 dimensions": (baseline_search, lambda: _index(plain).search_by_vector(search), 2000),
        "… with four plugins": (baseline_search, lambda: _index(hooked).search_by_vector(search), 2000),
        "… signed (AK/SK)": (baseline_search, lambda: _index(signed).search_by_vector(search), 1000),
        "upsert, 100 × 1024": (baseline_upsert, lambda: plain.collection(collection_name="c").upsert(rows), 30),
    }
    print(f"{'per call':<28} {'client':>10} {'by hand':>10} {'ratio':>6}")
    for name, (baseline, work, repeat) in cases.items():
        taken = measure(work, repeat=repeat)
        print(f"{name:<28} {taken * 1e6:>8.0f}µs {baseline * 1e6:>8.0f}µs {taken / baseline:>6.2f}")


def _index(client: VikingDB):  # type: ignore[no-untyped-def]
    return client.index(collection_name="c", index_name="i")


def measure(work: Callable[[], object], repeat: int = 2000) -> float:
    """Median seconds of one run."""
    times = []
    for _ in range(repeat):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


if __name__ == "__main__":
    main()
