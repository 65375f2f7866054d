"""vikingdb-resilience: rate limits, a circuit breaker and idempotency keys, as plugins.

::

    from vikingdb_resilience import CircuitBreaker, RateLimit

    limits = RateLimit(search=200)
    client = VikingDB(..., plugins=[limits, CircuitBreaker()])

By name they are ``"ratelimit"``, ``"breaker"`` and ``"idempotency"``. Each is safe to share between clients, threads
and event loops; a client that names one has one of its own.
"""

from .breaker import CircuitBreaker
from .bucket import Limit
from .idempotency import IdempotencyKeys
from .ratelimit import RateLimit
from .version import __version__

__all__ = ["CircuitBreaker", "IdempotencyKeys", "Limit", "RateLimit", "__version__"]
