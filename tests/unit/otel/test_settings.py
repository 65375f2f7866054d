"""The plugin: found by its name, set from the profile, and refused when set wrongly."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

from pytest_vikingdb import Wire
from vikingdb_core.exceptions import ConfigError, PluginLoadError
from vikingdb_otel import OTelPlugin
from vikingdb_vector import VikingDB

Build = Callable[..., Any]


def test_it_runs_by_its_name_with_settings_of_the_profile(
    viking_client: Build, viking_wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = tmp_path / "config.toml"
    monkeypatch.setenv("VIKINGDB_CONFIG_FILE", str(profile))
    profile.write_text("[default.plugin.otel]\ncapture_query = true\npropagate = false\n")
    viking_wire.reply()
    viking_client(VikingDB, plugins=["otel"]).ping()
    profile.write_text('[default.plugin.otel]\ncapture_query = "yes"\n')
    with pytest.raises(
        PluginLoadError, match="'otel' cannot be built from capture_query: capture_query must be True or"
    ):
        viking_client(VikingDB, plugins=["otel"])
    profile.write_text("[default.plugin.otel]\ncapture_queries = true\n")
    with pytest.raises(PluginLoadError, match=r"'otel' cannot be built .*Did you mean 'capture_query'\?"):
        viking_client(VikingDB, plugins=["otel"])


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"capture_query": 1}, "^capture_query must be True or False, not 1"),
        ({"propagate": None}, "^propagate must be True or False, not None"),
        ({"tracer_provider": 5}, "^tracer_provider must be a TracerProvider of OpenTelemetry, not int"),
        ({"meter_provider": TracerProvider()}, "^meter_provider must be a MeterProvider of OpenTelemetry, not Tracer"),
        ({"clock": 5}, "^clock must be a function, not int"),
    ],
)
def test_a_setting_that_is_none_is_refused_by_name(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        OTelPlugin(**settings)


def test_a_span_processor_that_raises_stops_no_call(
    viking_client: Build, viking_wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(SpanProcessor):
        def on_start(self, span: Any, parent_context: Any = None) -> None:
            raise ZeroDivisionError("broken")

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(Broken())
    viking_wire.reply()
    viking_client(VikingDB, plugins=[OTelPlugin(tracer_provider=provider)]).ping()
    assert "'otel' raised in before_call" in caplog.text


def test_with_the_api_alone_calls_go_on_and_nothing_is_sent_along() -> None:
    script = """
import sys
sys.modules["opentelemetry.sdk"] = None
from vikingdb_vector import VikingDB
from pytest_vikingdb import Recorder
seen = Recorder()
with VikingDB(endpoint="local://", plugins=["otel", seen]) as db:
    db.ping()
print("Traceparent" in seen.of("respond")[0].headers)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("False\n", "")
