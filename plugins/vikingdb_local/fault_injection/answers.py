"""Answers: what a service in trouble says in place of the engine."""

from __future__ import annotations

from vikingdb_core.messages import Headers, Response

from ..envelope import Address, fail
from ..errors import ServiceError
from .plan import Fault, Kind

_CODES = {
    401: "AccessDenied",
    403: "AccessDenied",
    404: "NotFound.VikingdbCollection",
    409: "AlreadyExists.VikingdbCollection",
    429: "TooManyRequests",
}
_HTML = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
    b"<hr><center>gateway</center>\r\n</body>\r\n</html>\r\n"
)


def refusal(fault: Fault, address: Address) -> Response | None:
    """The answer of a fault that takes the engine's place; ``None`` for the others."""
    match fault.kind:
        case Kind.HTML:
            return Response(502, Headers({"Content-Type": "text/html"}), _HTML)
        case Kind.EXPIRED:
            return fail(address, ServiceError("AccessDenied", "the credentials have expired (injected fault)"))
        case int() as status:
            why = f"status {status} was asked for (injected fault)"
            response = fail(address, ServiceError(_code(status), why, status=status))
            if fault.retry_after is not None:
                response.headers["Retry-After"] = fault.retry_after
            return response
    return None


def halved(response: Response) -> Response:
    """An answer with half a document in it."""
    return Response(response.status, response.headers, response.body[: len(response.body) // 2])


def _code(status: int) -> str:
    return _CODES.get(status, "InternalError" if status >= 500 else "InvalidParameter")
