"""What the tests of telemetry share: providers that keep everything in memory, and what came of a call in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from pytest_vikingdb import VirtualClock
from vikingdb_otel import OTelPlugin


class Telemetry:
    """Makes plugins, and has what they told."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.tracer_provider = TracerProvider(shutdown_on_exit=False)
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meter_provider = MeterProvider([self._reader], shutdown_on_exit=False)

    def plugin(self, **settings: Any) -> OTelPlugin:
        providers = {"tracer_provider": self.tracer_provider, "meter_provider": self.meter_provider}
        return OTelPlugin(**{**providers, "clock": self._clock.monotonic, **settings})

    @property
    def spans(self) -> list[ReadableSpan]:
        """The spans that have ended, in that order."""
        return list(self._exporter.get_finished_spans())

    @property
    def span(self) -> ReadableSpan:
        """The only one."""
        (span,) = self.spans
        return span

    def points(self, metric: str) -> list[Any]:
        """The data points of a metric."""
        return [point for made in self._metrics() if made.name == metric for point in made.data.data_points]

    def units(self) -> dict[str, str]:
        """The unit of each metric."""
        return {made.name: made.unit for made in self._metrics()}

    def _metrics(self) -> list[Any]:
        data = self._reader.get_metrics_data()
        resources = data.resource_metrics if data else ()
        return [made for resource in resources for scope in resource.scope_metrics for made in scope.metrics]

    def close(self) -> None:
        self.tracer_provider.shutdown()
        self.meter_provider.shutdown()


@pytest.fixture
def telemetry(viking_clock: VirtualClock) -> Iterator[Telemetry]:
    made = Telemetry(viking_clock)
    yield made
    made.close()


@pytest.fixture
def traced(viking_client: Callable[..., Any], telemetry: Telemetry) -> Callable[..., Any]:
    """Builds clients with telemetry."""

    def build(client_class: type[Any], *, settings: dict[str, Any] | None = None, **options: Any) -> Any:
        return viking_client(client_class, **{"plugins": [telemetry.plugin(**(settings or {}))], **options})

    return build
