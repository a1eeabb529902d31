"""OpenTelemetry: spans and metrics of a scan, where the process has set OpenTelemetry up."""

from scanner.telemetry.observe import Observed, observe

__all__ = ["Observed", "observe"]
