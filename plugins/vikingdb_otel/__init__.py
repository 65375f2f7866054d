"""vikingdb-otel: a span and two metrics for every call, by the stable database conventions of OpenTelemetry.

``plugins=["otel"]`` uses the program's own providers; ``OTelPlugin(tracer_provider=…)`` others.
"""

from .plugin import OTelPlugin
from .version import __version__

__all__ = ["OTelPlugin", "__version__"]
