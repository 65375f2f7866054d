"""The flow: everything between a client's method and the transport, written once.

A plain generator: ``encode → before_call → [throttle → before_request → respond? → sign → SEND → after_*] × attempts
→ decode → after_call``. Drivers perform what it yields. It catches ``Exception`` and never ``BaseException``, so that
cancellation falls through, and it yields nothing while unwinding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sized
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar, cast

from pydantic import ValidationError

from .credentials.base import Auth, Scope, with_deadline
from .credentials.check import signed
from .domain import Domain
from .effects import Block, Flow, Send, Sleep, Stream, StreamedResponse, Timeouts
from .encoding import encode
from .endpoint import Endpoint
from .envelope import ParsedEnvelope, read_envelope, retry_after, seconds_ahead
from .exceptions import (
    APIError,
    Attempt,
    AuthModeError,
    ConfigError,
    DeadlineExceeded,
    DecodeError,
    ExtensionError,
    InvalidRequest,
    MissingCredentials,
    PermissionDenied,
    TransportError,
    Unauthorized,
    VikingDBError,
    branch_for_status,
)
from .hooks.call import Call, ClientInfo
from .messages import REQUEST_ID_HEADER, Draft, Headers, Response
from .models import RequestModel, ResponseModel, explain_validation
from .operation import Operation
from .request_options import RESERVED_HEADERS, RequestOptions
from .retry import Outcome, Retry, RetryBudget, RetryStrategy, Stop, classify, may_resend
from .traits import AuthMode, Safety

if TYPE_CHECKING:
    from .hooks.manager import HookSet

CLOCK_TOLERANCE_SECONDS = 300.0
"""A clock further off than this explains a refused signature."""

Req = TypeVar("Req", bound=RequestModel)
Res = TypeVar("Res", bound=ResponseModel)


@dataclass(frozen=True)
class Runtime:
    """What a client's calls share. Built once, never changed; safe for many threads."""

    domain: Domain
    endpoints: Mapping[str, Endpoint]
    region: str
    auth: Auth
    hooks: HookSet
    retry: RetryStrategy
    budget: RetryBudget
    headers: Headers
    timeout: float
    connect_timeout: float
    deadline: float | None
    info: ClientInfo
    monotonic: Callable[[], float]
    time: Callable[[], float]
    random: Callable[[], float]


def execute(
    rt: Runtime,
    operation: Operation[Req, Res],
    body: Mapping[str, Any],
    options: RequestOptions,
    *,
    safety: Safety,
    locator: Mapping[str, str],
) -> Flow[Res]:
    """One call of an operation. Returns the decoded response (for streaming operations the ``StreamedResponse``)."""
    if rt.auth.mode not in operation.auth:
        accepted = ", ".join(sorted(mode.value for mode in operation.auth))
        raise AuthModeError(
            f"{operation.name} does not accept {rt.auth.mode.value} credentials; it takes: {accepted}",
            operation=operation.name,
        )
    if operation.plane not in rt.endpoints:
        raise InvalidRequest(
            f"{operation.name} uses plane {operation.plane!r}; this domain has {', '.join(rt.endpoints)}"
        )
    if operation.method == "GET" and body:
        raise InvalidRequest(f"{operation.name} is a GET, which carries no body; use RequestOptions(query=…)")
    for name, _ in operation.query:
        if name in options.query:
            raise InvalidRequest(f"query {name!r} is part of the address of {operation.name} and cannot be set by hand")
    payload = b"" if operation.method == "GET" else encode(body)
    started = rt.monotonic()
    seconds = options.deadline if options.deadline is not None else rt.deadline
    call = Call(
        operation,
        rt.info,
        _safety(safety, options),
        dict(locator),
        max_attempts=options.max_attempts or rt.retry.max_attempts,
        request_id=options.request_id,
        deadline=None if seconds is None else started + seconds,
        rows=_rows(operation, body),
    )
    earlier: list[Attempt] = []
    result: Any = None
    failure: BaseException | None = None
    try:
        rt.hooks.gate("before_call", call=call)
        result = yield from _attempts(rt, call, payload, options, earlier)
        return cast(Res, result)
    except BaseException as error:  # seen by after_call and let through, cancellation included
        failure = error
        if isinstance(error, VikingDBError):
            error.attempts = tuple(earlier)
            error.operation = error.operation or operation.name
        raise
    finally:
        rt.hooks.observe("after_call", call=call, result=result, error=failure)


def _rows(operation: Operation[Any, Any], body: Mapping[str, Any]) -> int | None:
    listed = None if operation.rows is None else body.get(operation.rows)
    return len(listed) if isinstance(listed, Sized) else None


def _safety(safety: Safety, options: RequestOptions) -> Safety:
    if options.idempotent is None:
        return safety
    return Safety.IDEMPOTENT if options.idempotent else Safety.UNSAFE


def _attempts(rt: Runtime, call: Call, payload: bytes, options: RequestOptions, earlier: list[Attempt]) -> Flow[Any]:
    refused: APIError | None = None
    taken = 0
    for number in count(1):
        call.begin(number)
        wait = rt.hooks.throttle(call)
        if wait > 0:
            _require_time(rt, call, wait, "the rate limit asks to wait longer than the deadline allows")
            yield Sleep(wait)
        try:
            result = yield from _attempt(rt, call, payload, options)
            rt.budget.refund(taken)
            return result
        except MissingCredentials as trouble:
            if refused is None:
                raise
            refused.add_note(f"and no fresh credentials could be had: {trouble}")
            raise refused from trouble
        except (TransportError, APIError) as error:
            error.attempts = tuple(earlier)
            outcome = classify(error, rt.domain.throttle_codes)
            if number >= call.max_attempts or not may_resend(call.safety, outcome):
                raise
            if outcome is Outcome.EXPIRED:
                if refused is not None or not rt.auth.invalidate():
                    raise
                refused, wait = cast(APIError, error), 0.0
            else:
                verdict = _verdict(rt, call, error)
                if isinstance(verdict, Stop):
                    raise
                wait = verdict.after
                if call.deadline is not None and rt.monotonic() + wait >= call.deadline:
                    error.add_note("not tried again: the call's deadline would have passed")
                    raise
                taken = rt.budget.take(error)
                if not taken:
                    error.add_note("not tried again: this client's retry budget is used up")
                    raise
            earlier.append(Attempt(number, _summary(error), wait))
        if wait > 0:
            yield Sleep(wait)
    raise AssertionError("unreachable")


def _attempt(rt: Runtime, call: Call, payload: bytes, options: RequestOptions) -> Flow[Any]:
    operation = call.operation
    draft = _draft(rt, call, payload, options)
    if rt.hooks.listens("before_request"):
        own = _reserved(draft)
        rt.hooks.gate("before_request", call=call, request=draft)
        if _reserved(draft) != own:
            changed = sorted(name for name, _ in _reserved(draft) ^ own)[0]
            raise ExtensionError(f"a plugin set header {changed} in before_request; it is the SDK's to write")
    response: Response | StreamedResponse | None = rt.hooks.respond(call, draft)
    if response is None:
        if rt.auth.is_stale():
            try:
                yield Block(with_deadline(rt.auth.refresh, call.deadline, rt.monotonic))
            except VikingDBError:
                raise
            except Exception as error:
                raise MissingCredentials(f"{rt.auth!r} could not load credentials: {type(error).__name__}") from error
        scope = Scope(rt.domain.planes[operation.plane], rt.region)
        request = signed(rt.auth, draft.freeze(), scope)  # anew for every attempt: signatures age
        timeouts = _timeouts(rt, call, options)
        try:
            response = yield Stream(request, timeouts) if operation.streaming else Send(request, timeouts)
        except TransportError as error:
            error.request_id = options.request_id or "unknown"
            rt.hooks.observe("after_error", call=call, request=draft, error=error)
            raise
    if isinstance(response, StreamedResponse):
        return response
    rt.hooks.observe("after_response", call=call, request=draft, response=response)
    return _decode(rt, operation, response, options)


def _draft(rt: Runtime, call: Call, payload: bytes, options: RequestOptions) -> Draft:
    operation = call.operation
    endpoint = rt.endpoints[operation.plane]
    headers = rt.headers.copy()
    headers["Host"] = endpoint.netloc
    headers["Accept"] = "text/event-stream" if operation.streaming else "application/json"
    if operation.method != "GET":
        headers["Content-Type"] = "application/json"
    if options.request_id:
        headers[REQUEST_ID_HEADER] = options.request_id
    if options.headers:
        headers.update(options.headers)
    query = (*operation.query, *options.query.items())
    return Draft(operation.method, endpoint, endpoint.join(operation.path), query, headers, payload)


def _reserved(draft: Draft) -> set[tuple[str, str]]:
    return {(name, value) for name, value in draft.headers.items() if name.lower() in RESERVED_HEADERS}


def _timeouts(rt: Runtime, call: Call, options: RequestOptions) -> Timeouts:
    total = options.timeout if options.timeout is not None else rt.timeout
    connect = options.connect_timeout if options.connect_timeout is not None else rt.connect_timeout
    if call.deadline is not None:
        left = call.deadline - rt.monotonic()
        if left <= 0:
            raise DeadlineExceeded("the call's deadline passed before this attempt could be sent")
        total = min(total, left)
    return Timeouts(connect=min(connect, total), total=total)


def _require_time(rt: Runtime, call: Call, wait: float, why: str) -> None:
    if call.deadline is not None and rt.monotonic() + wait >= call.deadline:
        raise DeadlineExceeded(why)


def _verdict(rt: Runtime, call: Call, error: VikingDBError) -> Retry | Stop:
    answers = rt.hooks.gate("should_retry", call=call, outcome=error)
    verdict = answers[0] if answers else _decide(rt, call, error)
    if not isinstance(verdict, Retry | Stop):
        raise ConfigError(f"a retry strategy must answer Retry(after=…) or STOP, not {verdict!r}")
    return verdict


def _decide(rt: Runtime, call: Call, error: VikingDBError) -> Retry | Stop:
    try:
        return rt.retry.decide(call, error, rt.random)
    except VikingDBError:
        raise
    except Exception as trouble:
        raise ExtensionError(
            f"the retry strategy {type(rt.retry).__name__} raised {type(trouble).__name__}"
        ) from trouble


def _summary(error: VikingDBError) -> str:
    return f"{type(error).__name__}({error.code})" if error.code is not None else type(error).__name__


def _decode(rt: Runtime, operation: Operation[Any, Any], response: Response, options: RequestOptions) -> Any:
    envelope = read_envelope(response)
    if not response.ok or not (operation.opaque or envelope.is_success):
        raise _api_error(rt, envelope, response, options)
    request_id = envelope.request_id or options.request_id
    if envelope.body is None and not operation.opaque:
        raise DecodeError(
            f"the service answered {response.status} with a body that is no JSON object",
            body=response.body,
            status_code=response.status,
            request_id=request_id,
        )
    try:
        return operation.response.model_validate(envelope.body or {})
    except ValidationError as error:
        raise DecodeError(
            f"the service answered {response.status}, but {explain_validation(operation.response.__name__, error)}",
            body=response.body,
            status_code=response.status,
            request_id=request_id,
        ) from error


def _api_error(rt: Runtime, envelope: ParsedEnvelope, response: Response, options: RequestOptions) -> APIError:
    cls = rt.domain.error_for(envelope.code) or branch_for_status(response.status)
    error = cls(
        envelope.message or f"the service answered {response.status} without a message",
        code=envelope.code,
        status_code=response.status,
        request_id=envelope.request_id or options.request_id,
        retry_after=retry_after(response.headers, rt.time()),
        headers={name.lower(): value for name, value in response.headers.items() if name != "Set-Cookie"},
        body=response.body,
    )
    if isinstance(error, PermissionDenied | Unauthorized):
        error.add_note(_what_to_check(rt, response))
    return error


def _what_to_check(rt: Runtime, response: Response) -> str:
    """The service does not say why it refused a call; these are the reasons there are."""
    ahead = seconds_ahead(response.headers, rt.time())
    if ahead is not None and abs(ahead) > CLOCK_TOLERANCE_SECONDS:
        direction = "ahead of" if ahead > 0 else "behind"
        return f"this machine's clock is {abs(ahead) / 60:.0f} minutes {direction} the service's; set it right"
    if rt.auth.mode is AuthMode.NONE:
        return "no credentials were sent; pass auth=… to send some, also to this machine, where a client looks for none"
    return f"check the keys, their rights on the resource, and that region={rt.region!r} is the endpoint's"
