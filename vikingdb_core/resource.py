"""Resources: handles on one thing of the service (a collection, an index), sync and async.

A method is one sentence, ``return self._call(OPERATION, request, request_options)``. The async class derives it:
``upsert = awaitable(CollectionClient.upsert)``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from pydantic import BaseModel

from .effects import Flow, Sleep
from .exceptions import InvalidRequest
from .models import AnyRequest, RequestModel, ResponseModel
from .operation import Operation
from .plans import Emit, Pause, Plan, Step
from .request_options import RequestOptions
from .traits import Safety

if TYPE_CHECKING:
    from .client import AsyncBaseClient, BaseClient

P = ParamSpec("P")
R = TypeVar("R")
Req = TypeVar("Req", bound=RequestModel)
Res = TypeVar("Res", bound=ResponseModel)

RequestLike = RequestModel | Mapping[str, Any] | None


class Resource:
    """A handle that calls operations through a synchronous client."""

    def __init__(self, service: BaseClient, locator: Mapping[str, str | None] | None = None) -> None:
        self._client = service
        self._locator = clean_locator(locator)

    def _call(self, operation: Operation[Req, Res], request: RequestLike, options: RequestOptions | None) -> Res:
        return self._client._perform(
            self._client._flow(operation, request, options, self._locator, lambda body: self._safety(operation, body))
        )

    def _run(self, plan: Plan[R]) -> R:
        """Carry out a plan and return its aggregate. What a call raises is raised inside the plan."""
        answer: Any = None
        error: Exception | None = None
        while True:
            try:
                step = plan.send(answer) if error is None else plan.throw(error)
            except StopIteration as end:
                return cast(R, end.value)
            answer = error = None
            try:
                answer = self._take(step)
            except Exception as raised:
                error = raised

    def _iterate(self, plan: Plan[Any]) -> Iterator[Any]:
        """Carry out a plan as its items are asked for."""
        answer: Any = None
        while True:
            try:
                step = plan.send(answer)
            except StopIteration:
                return
            if isinstance(step, Emit):
                yield step.item
            answer = self._take(step)

    def _take(self, step: Step | Emit[Any] | Pause) -> Any:
        match step:
            case Step(operation, request, options):
                return self._call(operation, request, options)
            case Pause(seconds):
                return self._client._perform(_paused(seconds, self._client))
        return None

    def _safety(self, operation: Operation[Any, Any], body: Mapping[str, Any]) -> Safety:
        """How safe it is to resend this very request; the operation's own word unless the handle knows better."""
        return operation.safety

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._locator.items())})"


class AsyncResource(Resource):
    """The same, through an asynchronous client."""

    _client: AsyncBaseClient  # type: ignore[assignment]  # the async twin of what the sync handle holds

    def __init__(self, service: AsyncBaseClient, locator: Mapping[str, str | None] | None = None) -> None:
        super().__init__(service, locator)  # type: ignore[arg-type]

    async def _call(  # type: ignore[override]  # awaited by awaitable()
        self, operation: Operation[Req, Res], request: RequestLike, options: RequestOptions | None
    ) -> Res:
        return await self._client._perform(
            self._client._flow(operation, request, options, self._locator, lambda body: self._safety(operation, body))
        )

    async def _run(self, plan: Plan[R]) -> R:  # type: ignore[override]
        answer: Any = None
        error: Exception | None = None
        while True:
            try:
                step = plan.send(answer) if error is None else plan.throw(error)
            except StopIteration as end:
                return cast(R, end.value)
            answer = error = None
            try:
                answer = await self._take(step)
            except Exception as raised:
                error = raised

    async def _iterate(self, plan: Plan[Any]) -> AsyncIterator[Any]:  # type: ignore[override]
        answer: Any = None
        while True:
            try:
                step = plan.send(answer)
            except StopIteration:
                return
            if isinstance(step, Emit):
                yield step.item
            answer = await self._take(step)

    async def _take(self, step: Step | Emit[Any] | Pause) -> Any:
        match step:
            case Step(operation, request, options):
                return await self._call(operation, request, options)
            case Pause(seconds):
                return await self._client._perform(_paused(seconds, self._client))
        return None


def _paused(seconds: float, client: BaseClient | AsyncBaseClient) -> Flow[float]:
    if seconds > 0:
        yield Sleep(seconds)
    return client._clock.monotonic()


def awaitable(method: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]:
    """The async form of a resource's method: same name, arguments and docstring; its result is awaited.

    The sync body runs on the async resource, where ``_call`` returns an awaitable.
    """

    @wraps(method)
    async def derived(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await cast(Coroutine[Any, Any, R], method(self, *args, **kwargs))

    return derived


def aiterable(method: Callable[Concatenate[Any, P], Iterator[R]]) -> Callable[Concatenate[Any, P], AsyncIterator[R]]:
    """The async form of a method that iterates: use it in ``async for``."""

    @wraps(method)
    def derived(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[R]:
        return cast(AsyncIterator[R], method(self, *args, **kwargs))

    return derived


def clean_locator(locator: Mapping[str, str | None] | None) -> dict[str, str]:
    """A locator without its empty parts.

    Raises:
        InvalidRequest: a part is not a string.
    """
    for name, value in (locator or {}).items():
        if value is not None and not isinstance(value, str):
            raise InvalidRequest(f"{name} must be a string, not {type(value).__name__}")
    return {name: value for name, value in (locator or {}).items() if value}


def merge_body(operation: Operation[Any, Any], request: RequestLike, locator: Mapping[str, str]) -> dict[str, Any]:
    """The request's body with the handle's locator.

    Raises:
        InvalidRequest: the request is no model or mapping, has a wrong field, or addresses something else than the
            handle does.
    """
    body = _read(operation, request).to_wire()
    for name, bound in locator.items():
        named = body.get(name)
        if named not in (None, "", bound):
            raise InvalidRequest(
                f"the request says {name}={named!r}, but this handle is bound to {name}={bound!r}; "
                "drop it from the request, or make a handle for it"
            )
    merged = {**locator, **{name: value for name, value in body.items() if name not in locator}}
    for alternatives in operation.request.required:
        if not any(merged.get(name) for name in alternatives):
            raise InvalidRequest(f"{operation.name} does not say which: name {' or '.join(alternatives)} on the handle")
        added = [name for name in alternatives if body.get(name) and name not in locator]
        if added and any(name in locator for name in alternatives):
            raise InvalidRequest(
                f"the request adds {added[0]}={body[added[0]]!r} to a bound handle; make a handle for it"
            )
    return merged


def _read(operation: Operation[Any, Any], request: RequestLike) -> RequestModel:
    expected = operation.request
    if request is None:
        return cast(RequestModel, expected.read({}))
    if isinstance(request, expected):
        return cast(RequestModel, request)
    if isinstance(request, RequestModel) and expected is not AnyRequest:
        raise InvalidRequest(f"{operation.name} takes {expected.__name__} or a mapping, not {type(request).__name__}")
    if isinstance(request, BaseModel):
        return cast(RequestModel, expected.read(request.model_dump(by_alias=True, exclude_none=True)))
    if isinstance(request, Mapping):
        return cast(RequestModel, expected.read(request))
    raise InvalidRequest(f"{operation.name} takes {expected.__name__} or a mapping, not {type(request).__name__}")
