"""Our own plugins keep the contract of all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from pytest_vikingdb import PluginContract, Recorder
from vikingdb_core.call_log import LoggingPlugin
from vikingdb_otel.plugin import OTelPlugin
from vikingdb_resilience.breaker import CircuitBreaker
from vikingdb_resilience.idempotency import IdempotencyKeys
from vikingdb_resilience.ratelimit import RateLimit


class TestLogging(PluginContract):
    entry_point = "logging"

    def make_plugin(self) -> LoggingPlugin:
        return LoggingPlugin(headers=["X-Gateway-Token", "Set-Cookie", "X-Tt-Logid"])


class TestOTel(PluginContract):
    entry_point = "otel"

    def make_plugin(self) -> OTelPlugin:
        self.spans, self.metrics = InMemorySpanExporter(), InMemoryMetricReader()
        tracers = TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        return OTelPlugin(
            capture_query=True, tracer_provider=tracers, meter_provider=MeterProvider(metric_readers=[self.metrics])
        )

    def told(self, plugin: object) -> Iterable[str]:
        yield from (span.to_json() for span in self.spans.get_finished_spans())
        measured = self.metrics.get_metrics_data()
        yield measured.to_json() if measured is not None else ""


class TestRateLimit(PluginContract):
    entry_point = "ratelimit"
    may = frozenset({"delay"})

    def make_plugin(self) -> RateLimit:
        return RateLimit(other=0.5, clock=lambda: 0.0)  # no time passes, so every call after the first waits


class TestCircuitBreaker(PluginContract):
    entry_point = "breaker"
    may = frozenset({"refuse", "retry"})

    def make_plugin(self) -> CircuitBreaker:
        return CircuitBreaker(failures=2, clock=lambda: 0.0)


class TestIdempotencyKeys(PluginContract):
    entry_point = "idempotency"
    settings: ClassVar[dict[str, str]] = {"header": "X-Idempotency-Key"}

    def make_plugin(self) -> IdempotencyKeys:
        return IdempotencyKeys("X-Idempotency-Key")


class TestRecorder(PluginContract):
    def make_plugin(self) -> Recorder:
        return Recorder()
