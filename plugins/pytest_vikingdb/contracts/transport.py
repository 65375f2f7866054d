"""TransportContract: what every transport promises, sync or async."""

from __future__ import annotations

from .carrying import answer
from .delivering import Delivering
from .failing import Failing
from .streaming import Streaming

__all__ = ["TransportContract", "answer"]


class TransportContract(Streaming, Failing, Delivering, contract=True):
    """What every transport promises: bytes as they were signed, responses as they were sent, failures as they happened.

    A subclass gives :meth:`make_transport`; whether that is sync or async, the contract sees for itself. It brings a
    server on 127.0.0.1, to which the transport is asked to send.

    A transport that uses no network says why in ``no_network``, and in ``endpoint`` where it sends. It then also gives
    :meth:`make_request` and :meth:`make_refused_request`, unless it can be made to answer like the contract's server,
    as :func:`answer` does.
    """
