"""SteppedFlow: a call carried out by hand, one effect at a time, with no transport and no clock."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from copy import copy
from typing import Any

from vikingdb_core.client import BaseClient
from vikingdb_core.effects import Effect, Flow, Send, Stream
from vikingdb_core.resource import Resource

from .wire import _json


class SteppedFlow:
    """A call that stands still at each effect until it is answered.

    Attributes:
        effects: all effects so far, the current one last.
    """

    def __init__(self, flow: Flow[Any]) -> None:
        self.effects: list[Effect] = []
        self._flow = flow
        self._done = False
        self._result: Any = None
        self._step(lambda: next(flow))

    @property
    def effect(self) -> Effect | None:
        """What the flow waits for, or ``None`` when it is over."""
        return None if self._done else self.effects[-1]

    @property
    def done(self) -> bool:
        return self._done

    @property
    def result(self) -> Any:
        """What the call returned."""
        if not self._done:
            raise AssertionError(f"the flow is not over; it waits for {self.effects[-1]!r}")
        return self._result

    def answer(self, value: Any = None) -> Effect | None:
        """Answer the current effect and go on to the next; ``None`` when there is none.

        Raises:
            Exception: what the call raises, if it ends so.
        """
        return self._go_on(lambda: self._flow.send(value))

    def reply(self, status: int = 200, body: Any = None, *, headers: Mapping[str, str] | None = None) -> Effect | None:
        """Answer a ``Send`` or ``Stream`` with a JSON response, as ``viking_wire.reply`` would."""
        if not isinstance(self.effect, Send | Stream):
            raise AssertionError(f"nothing was sent that could be replied to; the flow waits for {self.effect!r}")
        return self.answer(_json(status, body, headers))

    def throw(self, error: BaseException) -> Effect | None:
        """Let the current effect fail."""
        return self._go_on(lambda: self._flow.throw(error))

    def close(self) -> None:
        """Abandon the call where it stands, as a driver that is torn down would."""
        self._done = True
        self._flow.close()

    def _go_on(self, advance: Callable[[], Effect]) -> Effect | None:
        if self._done:
            raise AssertionError("the flow is over; there is nothing to answer")
        return self._step(advance)

    def _step(self, advance: Callable[[], Effect]) -> Effect | None:
        try:
            effect = advance()
        except StopIteration as end:
            self._done, self._result = True, end.value
            return None
        except BaseException:
            self._done = True
            raise
        self.effects.append(effect)
        return effect

    def __repr__(self) -> str:
        return f"SteppedFlow({'over' if self._done else f'waits for {type(self.effects[-1]).__name__}'})"


class FlowStepper:
    """Begins a call to be stepped by hand: ``viking_flow(db.collection(collection_name="books").fetch, {"ids": [1]})``.

    Takes a method of a sync client or of one of its handles with its arguments, or a flow itself. What hooks and the
    client refuse before the first effect is raised here.
    """

    def __init__(self) -> None:
        self._begun: list[SteppedFlow] = []

    def __call__(self, method: Callable[..., Any] | Flow[Any], *args: Any, **kwargs: Any) -> SteppedFlow:
        flow = method if isinstance(method, Generator) else _flow_of(method, *args, **kwargs)
        stepped = SteppedFlow(flow)
        self._begun.append(stepped)
        return stepped

    def close(self) -> None:
        """Abandon every flow that is not over."""
        for flow in self._begun:
            if not flow.done:
                flow.close()


def _flow_of(method: Callable[..., Any], *args: Any, **kwargs: Any) -> Flow[Any]:
    """The flow a method would have had carried out: the method runs on a twin whose client hands its flow back."""
    owner = getattr(method, "__self__", None)
    if isinstance(owner, BaseClient):
        twin: Any = _handing_back(owner)
    elif isinstance(owner, Resource) and isinstance(owner._client, BaseClient):
        twin = copy(owner)
        twin._client = _handing_back(owner._client)
    else:
        raise TypeError(f"viking_flow takes a method of a sync client or of one of its handles, not {method!r}")
    flow = method.__func__(twin, *args, **kwargs)  # type: ignore[attr-defined]  # a bound method, as its owner shows
    if not isinstance(flow, Generator):
        raise TypeError(f"{method.__name__} is not a single call, so it has no flow to step")
    return flow


def _handing_back(client: BaseClient) -> BaseClient:
    twin = copy(client)
    vars(twin)["_perform"] = lambda flow: flow
    return twin
