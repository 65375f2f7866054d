"""Clients: the base of every domain's client, sync and async. Building one does no I/O."""

from __future__ import annotations

import os
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Any, ClassVar, Generic, NoReturn, Self, TypeVar

from . import discovery
from .config import SETTINGS, ClientConfig, resolve
from .conflicts import warn_of_official_package
from .credentials.ambient import ResolvedCredentials, resolve_credentials
from .credentials.base import Auth, Scope
from .credentials.check import check_auth
from .credentials.surroundings import Surroundings
from .domain import Domain
from .drivers import SystemClock, arun, run
from .effects import AsyncTransport, Clock, Flow, Transport
from .endpoint import Endpoint
from .exceptions import InvalidRequest
from .flow import Runtime, execute
from .hooks.activate import activate
from .hooks.call import ClientInfo
from .masked import Masked, discreet
from .messages import Headers
from .models import RequestModel, ResponseModel
from .operation import Operation
from .profile import read_profile
from .request_options import RequestOptions, ensure_request_options, refuse_unknown
from .resource import RequestLike, merge_body
from .retry import RetryBudget, RetryStrategy, retry_strategy
from .routing import check_encryption, settle, warn_of_region
from .traits import Safety
from .transport.base import TransportSettings
from .transport.once import send_once
from .transport.select import AsyncSchemeTransport, SchemeTransport, check_scheme
from .version import __version__

T = TypeVar("T")
AnyTransport = TypeVar("AnyTransport")
Req = TypeVar("Req", bound=RequestModel)
Res = TypeVar("Res", bound=ResponseModel)

_NOTHING_GIVEN = RequestOptions()
"""What calls go by that are given no options. Calls only read it, and nobody else is given it."""

_SETTING_NAMES = tuple(setting.name for setting in SETTINGS)


class ClientCore(ABC, Generic[AnyTransport]):
    """What sync and async clients share: everything but the driver.

    Args:
        endpoint: URL of the data plane, ``local://…`` for the embedded engine, or left out for the region's own.
        region: part of the signature, and of the default endpoint.
        auth: ``IAM(…)``, ``APIKey(…)``, any :class:`Auth`, the name of an installed scheme, or ``None`` for what the
            environment, the profile and the platform's files offer; ``client.credentials.explain()`` says what that is.
        timeout: seconds one attempt may take, from sending to the last byte.
        user_agent: replaces the SDK's own.
        host: host of the data plane, in place of ``endpoint``.
        scheme: goes with ``host``; https unless given.
        sts_token: session token for IAM keys.
        pool_connections: how many hosts to keep connections to.
        pool_maxsize: how many idle connections to keep for each; of an async client, the most requests at once.
        control_endpoint: URL of the control plane. Otherwise it shares ``endpoint``, unless that is one of the managed
            service's own hosts: then the control host of the same region.
        connect_timeout: seconds to wait for a connection.
        deadline: seconds a whole call may take, retries and waits included; unlimited unless given.
        proxies: proxy URL, or scheme to proxy URL; otherwise the environment's.
        verify: check TLS certificates, or the path of a CA bundle.
        retry: a :class:`RetryPolicy`, a number of attempts, or a strategy of your own.
        plugins: hook plugins, by instance or name; they run in this order.
        headers: sent with every request.
        profile: name of a profile in the configuration file.
        allow_insecure: let API keys, headers and session tokens travel over plain http.
        transport: carries the requests in place of the endpoint's own transport.
        clock: tells and spends time; for tests.

    Raises:
        ConfigError: an option is wrong or unknown; nothing was opened.
        MissingCredentials: the endpoint needs credentials and none were found.
        ExtensionError: a plugin or an auth scheme does not fit, or cannot be loaded.
    """

    domain: ClassVar[Domain]

    @discreet
    def __init__(
        self,
        *,
        endpoint: str | None = None,
        region: str | None = None,
        auth: Auth | str | None = None,
        timeout: float | None = None,
        user_agent: str | None = None,
        host: str | None = None,
        scheme: str | None = None,
        sts_token: str | None = None,
        pool_connections: int | None = None,
        pool_maxsize: int | None = None,
        control_endpoint: str | None = None,
        connect_timeout: float | None = None,
        deadline: float | None = None,
        proxies: Mapping[str, str] | str | None = None,
        verify: bool | str | None = None,
        retry: RetryStrategy | int | None = None,
        plugins: Sequence[object] | None = None,
        headers: Mapping[str, str] | None = None,
        profile: str | None = None,
        allow_insecure: bool | None = None,
        transport: AnyTransport | None = None,
        clock: Clock | None = None,
        **unknown: NoReturn,
    ) -> None:
        arguments = locals()
        if unknown:
            options = [name for name in arguments if name not in ("self", "unknown", "__class__")]
            refuse_unknown(type(self).__name__, next(iter(unknown)), options)
        warn_of_official_package()
        read = read_profile(profile, os.environ)
        given = resolve({name: arguments[name] for name in _SETTING_NAMES}, profile=read)
        self.config: ClientConfig
        self.config, endpoints = settle(self.domain, given)
        if transport is None:
            for target in endpoints.values():
                check_scheme(target, self._transport_group)
        warn_of_region(self.domain, endpoints["data"], self.config.region)
        send = partial(send_once, settings=_transport_settings(self.config))
        around = Surroundings(Masked(os.environ), read, sts=send)
        self.credentials: ResolvedCredentials
        self.credentials = resolve_credentials(auth, endpoints, around).with_session_token(sts_token)
        resolved = self.credentials.auth
        for target in dict.fromkeys(endpoints.values()):  # planes that share an endpoint are warned of once
            check_encryption(target, resolved, self.config.allow_insecure)
        check_auth(resolved, endpoints["data"], Scope(self.domain.planes["data"], self.config.region))
        self._clock: Clock = clock or SystemClock()
        self._runtime = self._build_runtime(endpoints, resolved, retry_strategy(retry))
        self._owns_transport = transport is None
        self._transport: AnyTransport = transport if transport is not None else self._open_transport()

    _transport_group: ClassVar[str]

    @abstractmethod
    def _open_transport(self) -> AnyTransport: ...

    def _build_runtime(self, endpoints: Mapping[str, Endpoint], auth: Auth, retry: RetryStrategy) -> Runtime:
        from .hooks.manager import HookSet  # pluggy is loaded with the first client, not at import

        config = self.config
        hooks = HookSet(activate(config.plugins, config.plugin_settings))
        headers = Headers({"User-Agent": config.user_agent or f"vikingdb-python/{__version__}"})
        headers.update(config.headers)
        info = ClientInfo(
            self.domain.name, endpoints["data"], config.region, headers["User-Agent"], hooks.names, endpoints
        )
        hooks.observe("client_created", client_info=info)
        return Runtime(
            domain=self.domain,
            endpoints=endpoints,
            region=config.region,
            auth=auth,
            hooks=hooks,
            retry=retry,
            budget=RetryBudget(),
            headers=headers,
            timeout=config.timeout,
            connect_timeout=config.connect_timeout,
            deadline=config.deadline,
            info=info,
            monotonic=self._clock.monotonic,
            time=self._clock.time,
            random=random.random,
        )

    def _flow(
        self,
        operation: Operation[Req, Res],
        request: RequestLike,
        options: RequestOptions | None,
        locator: Mapping[str, str] | None = None,
        safety: Callable[[Mapping[str, Any]], Safety] | None = None,
    ) -> Flow[Res]:
        if not isinstance(operation, Operation):
            raise InvalidRequest(
                f"call() takes an Operation, such as Operation.raw('POST', '/api/…'), not {type(operation).__name__}"
            )
        body = merge_body(operation, request, locator or {})
        return execute(
            self._runtime,
            operation,
            body,
            _NOTHING_GIVEN if options is None else ensure_request_options(options),
            safety=safety(body) if safety else operation.safety,
            locator={name: str(body[name]) for name in operation.request.locators if body.get(name)},
        )

    def __repr__(self) -> str:
        endpoint, auth = str(self._runtime.endpoints["data"]), self._runtime.auth
        return f"{type(self).__name__}(endpoint={endpoint!r}, region={self._runtime.region!r}, auth={auth!r})"


class BaseClient(ClientCore[Transport]):
    """A synchronous client. Share it between threads; close it, or use it in a ``with`` statement."""

    _transport_group = discovery.TRANSPORTS

    def call(
        self,
        operation: Operation[Req, Res],
        request: RequestLike = None,
        *,
        request_options: RequestOptions | None = None,
    ) -> Res:
        """Call any operation, also one this SDK does not know: ``call(Operation.raw("POST", "/api/…"), {…})``."""
        return self._perform(self._flow(operation, request, request_options))

    def close(self) -> None:
        """Close idle connections. A transport passed in stays its owner's to close."""
        if self._owns_transport:
            self._transport.close()

    def _perform(self, flow: Flow[T]) -> T:
        return run(flow, self._transport, self._clock)

    def _open_transport(self) -> Transport:
        return SchemeTransport(_transport_settings(self.config))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncBaseClient(ClientCore[AsyncTransport]):
    """An asynchronous client: the same calls, awaited. May be built outside a running loop."""

    _transport_group = discovery.ASYNC_TRANSPORTS

    async def call(
        self,
        operation: Operation[Req, Res],
        request: RequestLike = None,
        *,
        request_options: RequestOptions | None = None,
    ) -> Res:
        """Call any operation, also one this SDK does not know."""
        return await self._perform(self._flow(operation, request, request_options))

    async def close(self) -> None:
        """Close idle connections. A transport passed in stays its owner's to close."""
        if self._owns_transport:
            await self._transport.close()

    async def _perform(self, flow: Flow[T]) -> T:
        return await arun(flow, self._transport, self._clock)

    def _open_transport(self) -> AsyncTransport:
        for endpoint in self._runtime.endpoints.values():
            discovery.lookup(discovery.ASYNC_TRANSPORTS, endpoint.scheme)  # imported now: later it would hold up a loop
        return AsyncSchemeTransport(_transport_settings(self.config))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _transport_settings(config: ClientConfig) -> TransportSettings:
    proxies = None if config.proxies is None else Masked(config.proxies)  # their URLs may hold a password
    return TransportSettings(config.pool_connections, config.pool_maxsize, proxies, config.verify)
