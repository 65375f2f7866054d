"""HTTP over requests.

Prepared requests go straight to the adapter. A requests *session* would follow redirects, keep cookies, and let
``~/.netrc`` replace a signed ``Authorization``; the adapter does none of it.
"""

from __future__ import annotations

import os
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.hooks import default_hooks
from requests.structures import CaseInsensitiveDict
from requests.utils import get_environ_proxies, select_proxy
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationParseError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
)

from ..effects import StreamedResponse, Timeouts
from ..exceptions import (
    ConfigError,
    ConnectError,
    ConnectionLost,
    DecodeError,
    RequestError,
    RequestTimeout,
    TransportError,
)
from ..forks import notice_fork, survives_forks
from ..messages import Headers, Request, Response
from .base import LONGEST_BODY_BYTES, TransportSettings

_CHUNK_BYTES = 64 * 1024


class RequestsTransport:
    """Pools connections to any number of hosts. Safe for many threads; survives ``fork``."""

    def __init__(self, settings: TransportSettings | None = None) -> None:
        self._settings = settings or TransportSettings()
        self._lock = threading.Lock()
        self._adapter: HTTPAdapter | None = None
        self._closed = False
        survives_forks(self)

    def send(self, request: Request, timeouts: Timeouts) -> Response:
        """Send and read the whole response."""
        ends = time.monotonic() + timeouts.total
        raw = self._open(request, timeouts)
        try:
            return _whole(raw, request, ends)
        finally:
            raw.close()

    def stream(self, request: Request, timeouts: Timeouts) -> StreamedResponse | Response:
        """Send, and leave a 2xx response open. ``timeouts.total`` then bounds the wait for each chunk."""
        raw = self._open(request, timeouts)
        if not raw.ok:
            try:
                return _whole(raw, request, time.monotonic() + timeouts.total)
            finally:
                raw.close()
        return StreamedResponse(raw.status_code, _headers(raw), _chunks(raw, request), raw.close)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._adapter is not None:
                self._adapter.close()
                self._adapter = None

    def proxy_for(self, url: str) -> str | None:
        """The proxy by which requests to a URL travel, if any: of the settings, else of the environment."""
        chosen: str | None = select_proxy(url, self._proxies(url))
        return chosen

    def _open(self, request: Request, timeouts: Timeouts) -> requests.Response:
        try:
            return self._current_adapter().send(
                _prepare(request),
                stream=True,
                timeout=(timeouts.connect, timeouts.total),
                verify=self._verify(),
                proxies=self._proxies(request.url),
            )
        except (requests.RequestException, HTTPError) as error:
            if isinstance(error, requests.exceptions.SSLError):
                self._check_bundle(request)
            raise _translate(error, request) from _without_frames(error)
        except UnicodeEncodeError:  # the error has the password
            raise ConfigError(
                "the user name or password of the proxy has characters that no header can hold; it is Latin-1 only"
            ) from None
        except OSError as error:  # what requests says of verify= when there is no such file
            raise _unverifiable(request, error) from error

    def renew_after_fork(self) -> None:
        self._lock, self._adapter = threading.Lock(), None  # the connections are the parent's

    def _current_adapter(self) -> HTTPAdapter:
        notice_fork()
        with self._lock:
            if self._closed:
                raise RequestError("this transport was closed; build a new one")
            if self._adapter is None:
                self._adapter = _Adapter(
                    pool_connections=self._settings.pool_connections,
                    pool_maxsize=self._settings.pool_maxsize,
                    max_retries=0,
                )
            return self._adapter

    def _proxies(self, url: str) -> dict[str, str]:
        if self._settings.proxies is not None:
            return dict(self._settings.proxies)
        found: dict[str, str] = get_environ_proxies(url, no_proxy=None)
        return found

    def _verify(self) -> bool | str:
        if self._settings.verify is not True:
            return self._settings.verify
        return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True

    def _check_bundle(self, request: Request) -> None:
        """After trouble with TLS: refuse a file of certificates that is none."""
        bundle = self._verify()
        if isinstance(bundle, str) and not os.path.isdir(bundle):
            try:
                ssl.create_default_context(cafile=bundle)
            except OSError as error:
                raise _unverifiable(request, f"{bundle}: {error}") from error


class _Adapter(HTTPAdapter):
    """requests' own, which also verifies a proxy that is spoken to by TLS on behalf of a service that is not."""

    def cert_verify(self, conn: Any, url: str, verify: bool | str, cert: Any) -> None:
        super().cert_verify(conn, f"{conn.scheme}://", verify, cert)  # type: ignore[no-untyped-call]


def _unverifiable(request: Request, why: object) -> ConfigError:
    return ConfigError(f"no connection to {request.endpoint.origin} can be verified: {why}")


def _prepare(request: Request) -> requests.PreparedRequest:
    # Field by field: prepare() would re-quote the URL that has been signed.
    prepared = requests.PreparedRequest()
    prepared.method = request.method
    prepared.url = request.url
    prepared.headers = CaseInsensitiveDict(request.headers)
    if request.method != "GET":
        prepared.headers["Content-Length"] = str(len(request.body))
        prepared.body = request.body
    prepared.hooks = default_hooks()
    return prepared


def _whole(raw: requests.Response, request: Request, ends: float) -> Response:
    received: list[bytes] = []
    size = 0
    for chunk in _chunks(raw, request):
        received.append(chunk)
        size += len(chunk)
        if size > LONGEST_BODY_BYTES:
            raise DecodeError(f"the answer is longer than {LONGEST_BODY_BYTES} bytes; ask for less", body=received[0])
        # The socket's timeout restarts with every chunk; a server that trickles must not outlast the attempt.
        if time.monotonic() > ends:
            raise RequestTimeout(
                f"{request.endpoint.origin} was still sending its answer when the attempt's time was up"
            )
    return Response(raw.status_code, _headers(raw), b"".join(received))


def _headers(raw: requests.Response) -> Headers:
    # A server may fold a header over lines; read, it has none.
    return Headers((name, " ".join(value.split())) for name, value in raw.headers.items())


def _chunks(raw: requests.Response, request: Request) -> Iterator[bytes]:
    # iter_content() waits for a whole chunk: it would hold back events, and sit through a trickle of bytes.
    body: Any = raw.raw
    try:
        while chunk := body.read1(_CHUNK_BYTES, decode_content=True):
            yield chunk
    except HTTPError as error:
        raise _translate(error, request, answered=True) from _without_frames(error)


def _translate(
    error: requests.RequestException | HTTPError, request: Request, *, answered: bool = False
) -> TransportError:
    where = request.endpoint.origin
    if isinstance(error, requests.ConnectTimeout):
        return ConnectError(f"could not connect to {where} in time")
    reason = _reason(error)
    if isinstance(error, requests.ReadTimeout) or isinstance(reason, ReadTimeoutError):
        return RequestTimeout(f"{where} did not answer in time")
    if not answered and _is_certainly_unsent(error, reason):
        by_way_of = " through the proxy" if isinstance(reason, ProxyError) else ""
        return ConnectError(f"could not connect to {where}{by_way_of}: {_behind_proxy(reason)}")
    return ConnectionLost(f"the connection to {where} broke before the answer was complete: {_behind_proxy(reason)}")


def _is_certainly_unsent(error: requests.RequestException | HTTPError, reason: BaseException) -> bool:
    # By kind, not by stage: urllib3 also says ProxyError or SSLError of what broke after the request had gone out.
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return True
    cause = _behind_proxy(reason)
    return (
        isinstance(cause, NewConnectionError | ConnectTimeoutError | LocationParseError)
        or isinstance(_innermost(cause), ssl.CertificateError)
        or str(cause).startswith("Tunnel connection failed")
    )


def _behind_proxy(reason: BaseException) -> BaseException:
    return reason.original_error if isinstance(reason, ProxyError) else reason


def _without_frames(error: requests.RequestException | HTTPError) -> requests.RequestException | HTTPError:
    """The error without tracebacks: urllib3's frames hold the signed headers, and error reporters print locals."""
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    return error


def _innermost(error: BaseException) -> BaseException:
    while error.args and isinstance(error.args[0], BaseException):
        error = error.args[0]
    return error


def _reason(error: requests.RequestException | HTTPError) -> BaseException:
    cause: BaseException = error.args[0] if error.args and isinstance(error.args[0], BaseException) else error
    inner = getattr(cause, "reason", None)
    return inner if isinstance(inner, HTTPError) else cause
