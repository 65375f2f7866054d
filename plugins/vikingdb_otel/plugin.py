"""The plugin: a span for each call, an event for each attempt, trace context in the headers, two metrics.

Spans take their parent from the context of the caller. They are not made current while a call runs: a call is a
generator, and two that are carried out in turns in one context would each leave the other's span behind. So what an
instrumented HTTP library adds is a sibling of the call's span, not its child; the service sees the call's.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from opentelemetry import metrics, propagate, trace
from opentelemetry.metrics import MeterProvider
from opentelemetry.propagators.textmap import Setter
from opentelemetry.trace import Span, SpanKind, StatusCode, TracerProvider

from vikingdb_core.exceptions import ConfigError, InvalidRequest, TransportError
from vikingdb_core.hooks import Call, hookimpl
from vikingdb_core.messages import Draft, Headers, Response
from vikingdb_core.traits import Safety

from . import conventions as c
from .query import query_text
from .version import __version__

P = ParamSpec("P")

_log = logging.getLogger("vikingdb.plugins")


@dataclass
class _Open:
    """A call under way."""

    span: Span
    began_at: float
    attributes: c.Attributes


class _HeaderSetter(Setter[Headers]):
    """Puts trace context into headers. Baggage that no header can carry stays behind."""

    def set(self, carrier: Headers, key: str, value: str) -> None:
        try:
            carrier[key] = value
        except InvalidRequest:
            _log.warning("%s could not be sent: it has a character that no header may have", key)


_SETTER = _HeaderSetter()


def _harmless(hook: Callable[Concatenate[OTelPlugin, P], None]) -> Callable[Concatenate[OTelPlugin, P], None]:
    """A gate that cannot stop a call: providers and propagators are a program's own, and may raise anything."""

    @wraps(hook)
    def guarded(self: OTelPlugin, /, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            hook(self, *args, **kwargs)
        except Exception:
            self._report_once(hook.__name__)

    return guarded


class OTelPlugin:
    """Telemetry for calls: ``plugins=["otel"]``.

    Args:
        capture_query: record ``db.query.text``, the filter of a read with its values masked.
        propagate: put the trace context into request headers, baggage too if the program's propagator does that.
        tracer_provider: makes the spans; otherwise the program's own.
        meter_provider: makes the metrics; otherwise the program's own.
        clock: tells seconds; for tests.

    Raises:
        ConfigError: a setting that is none.
    """

    name = "otel"
    hook_api = 1

    def __init__(
        self,
        *,
        capture_query: bool = False,
        propagate: bool = True,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._capture_query = _flag("capture_query", capture_query)
        self._propagate = _flag("propagate", propagate)
        for name, provider, kind in (
            ("tracer_provider", tracer_provider, TracerProvider),
            ("meter_provider", meter_provider, MeterProvider),
        ):
            if provider is not None and not isinstance(provider, kind):
                raise ConfigError(f"{name} must be a {kind.__name__} of OpenTelemetry, not {type(provider).__name__}")
        if not callable(clock):
            raise ConfigError(f"clock must be a function, not {type(clock).__name__}")
        self._clock = clock
        self._tracer = trace.get_tracer("vikingdb_otel", __version__, tracer_provider, c.SCHEMA_URL)
        meter = metrics.get_meter("vikingdb_otel", __version__, meter_provider, c.SCHEMA_URL)
        self._duration = meter.create_histogram(
            c.DURATION,
            unit="s",
            description="Duration of database client operations.",
            explicit_bucket_boundaries_advisory=c.DURATION_BUCKETS,
        )
        self._returned_rows = meter.create_histogram(
            c.RETURNED_ROWS,
            unit="{row}",
            description="The number of rows returned by operations.",
            explicit_bucket_boundaries_advisory=c.RETURNED_ROWS_BUCKETS,
        )
        self._reported: set[str] = set()

    @hookimpl
    @_harmless
    def before_call(self, call: Call) -> None:
        attributes = c.of_call(call)
        span = self._tracer.start_span(
            str(attributes[c.DB_QUERY_SUMMARY]),
            kind=SpanKind.CLIENT,
            attributes={**attributes, **c.of_this_call(call)},
            record_exception=False,
        )
        call.state[self.name] = _Open(span, self._clock(), attributes)

    @hookimpl
    @_harmless
    def before_request(self, call: Call, request: Draft) -> None:
        opened = self._opened(call)
        if opened is None:
            return
        span = opened.span
        if self._propagate:
            propagate.inject(request.headers, trace.set_span_in_context(span), _SETTER)
        if not span.is_recording():
            return
        span.add_event(c.ATTEMPT, _resend(call))
        if self._capture_query and call.attempt == 1 and call.operation.safety is Safety.READ:
            text = query_text(request.body)
            if text is not None:
                span.set_attribute(c.DB_QUERY_TEXT, text)

    @hookimpl
    def after_response(self, call: Call, response: Response) -> None:
        opened = self._opened(call)
        if opened is not None and not response.ok:
            opened.span.add_event(
                c.ATTEMPT_FAILED,
                {c.HTTP_STATUS_CODE: response.status, c.ERROR_TYPE: str(response.status), **_resend(call)},
            )

    @hookimpl
    def after_error(self, call: Call, error: TransportError) -> None:
        opened = self._opened(call)
        if opened is not None:
            opened.span.add_event(c.ATTEMPT_FAILED, {c.ERROR_TYPE: type(error).__name__, **_resend(call)})

    @hookimpl
    def after_call(self, call: Call, result: Any, error: BaseException | None) -> None:
        opened: _Open | None = call.state.pop(self.name, None)
        if opened is None:  # refused by another plugin before it began here, or over already
            return
        span, seconds = opened.span, self._clock() - opened.began_at
        outcome = c.of_failure(error) if error is not None else {}
        span.set_attributes(outcome)
        if error is not None:
            span.set_status(StatusCode.ERROR)  # without the service's words, which may quote the request
        request_id = getattr(result if error is None else error, "request_id", None) or call.request_id
        if request_id and request_id != "unknown":
            span.set_attribute(c.REQUEST_ID, request_id)
        measured = {**opened.attributes, **outcome}
        rows = c.returned_rows(call, result) if error is None else None
        if rows is not None:
            span.set_attribute(c.DB_RESPONSE_RETURNED_ROWS, rows)
        span.end()
        context = trace.set_span_in_context(span)  # so that a metric can name this span as its example
        self._duration.record(seconds, measured, context)
        if rows is not None:
            self._returned_rows.record(rows, measured, context)

    def _opened(self, call: Call) -> _Open | None:
        return call.state.get(self.name)

    def _report_once(self, hook: str) -> None:
        if hook not in self._reported:
            self._reported.add(hook)
            _log.exception(
                "plugin %r raised in %s; the call goes on, further errors there stay silent", self.name, hook
            )


def _resend(call: Call) -> c.Attributes:
    """Which repetition of the request this is; nothing for the first."""
    return {c.HTTP_RESEND_COUNT: call.attempt - 1} if call.attempt > 1 else {}


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{name} must be True or False, not {value!r}")
    return value
