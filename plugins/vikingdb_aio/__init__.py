"""vikingdb-aio: what carries the requests of asynchronous clients over HTTP, on aiohttp.

Once it is installed, ``AsyncVikingDB(region=…)`` and the async clients of every other domain find it by the scheme of
their endpoint.
"""

from .transport import AiohttpTransport
from .version import __version__

__all__ = ["AiohttpTransport", "__version__"]
