"""The nine hooks. Their docstrings are the plugin author's manual.

A plugin is any object whose methods carry ``@hookimpl`` and a hook's name::

    from vikingdb_core.hooks import hookimpl

    class Timer:
        hook_api = 1

        @hookimpl
        def before_request(self, call, request):
            request.headers["X-Team"] = "search"

    client = VikingDB(..., plugins=[Timer()])

A method names only the arguments it wants. Hooks are synchronous and do no I/O: they say what they want (a delay, a
response, a verdict), and the flow sees to it.

Two kinds. A **gate** can stop the call: its exception reaches the caller, as ``PluginError`` unless it is one of the
SDK's own. An **observer** cannot: what it raises is logged once and swallowed.

``plugins=[A, B]`` runs ``before_*`` and the other gates A first, and ``after_*`` B first.
Hooks run before the request is signed. No plugin sees a signature or a secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from ..exceptions import TransportError, VikingDBError
    from ..messages import Draft, Response
    from ..retry import Retry, Stop
    from .call import Call, ClientInfo

hookspec = pluggy.HookspecMarker("vikingdb")
hookimpl = pluggy.HookimplMarker("vikingdb")

OBSERVERS = frozenset({"client_created", "after_response", "after_error", "after_call"})


class HookSpecs:
    """Namespace for the specifications."""

    @hookspec
    def client_created(self, client_info: ClientInfo) -> None:
        """Observer. A client with this plugin was built. For meters and notices."""

    @hookspec
    def before_call(self, call: Call) -> None:
        """Gate. A call begins; nothing has been sent. Raise to refuse it: policy, circuit breaker."""

    @hookspec
    def throttle(self, call: Call) -> float | None:
        """Gate. Before every attempt: seconds to wait first, or ``None``. The longest answer counts: rate limits."""

    @hookspec
    def before_request(self, call: Call, request: Draft) -> None:
        """Gate. Before every attempt: add to ``request.headers``, in place. Everything else is read-only."""

    @hookspec(firstresult=True)
    def respond(self, call: Call, request: Draft) -> Response | None:
        """Gate. Answer in the network's place: cache, replay, fault injection. The first answer wins."""

    @hookspec
    def after_response(self, call: Call, request: Draft, response: Response) -> None:
        """Observer. A whole response arrived, good or bad."""

    @hookspec
    def after_error(self, call: Call, request: Draft, error: TransportError) -> None:
        """Observer. An attempt ended without a response."""

    @hookspec(firstresult=True)
    def should_retry(self, call: Call, outcome: VikingDBError) -> Retry | Stop | None:
        """Gate. An attempt failed, resending is harmless and attempts are left: ``Retry(after=seconds)``, ``STOP``,
        or ``None`` to leave it to the client's strategy. The caps on attempts, deadline and budget hold regardless,
        and what may have been processed is not resent unless the operation allows it."""

    @hookspec
    def after_call(self, call: Call, result: Any, error: BaseException | None) -> None:
        """Observer. The call is over: exactly once for every ``before_call``, on cancellation too."""
