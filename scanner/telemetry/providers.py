"""The tracer and the instruments of the providers that the process has set up."""

from functools import lru_cache

from opentelemetry import metrics, trace
from opentelemetry.metrics import Meter, MeterProvider

NAME = "sgw_scanner"
SCHEMA = "https://opentelemetry.io/schemas/1.45.0"
"""The edition of the semantic conventions that names of attributes are taken from."""
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0)


def set_up() -> bool:
    """Whether a provider of traces or of metrics has been set that does anything with them."""
    providers = trace.get_tracer_provider(), metrics.get_meter_provider()
    # Those of the API itself pass nothing on.
    own = ("opentelemetry.trace", "opentelemetry.metrics")
    return any(not type(provider).__module__.startswith(own) for provider in providers)


def tracer(version: str) -> trace.Tracer:
    return trace.get_tracer_provider().get_tracer(NAME, version, SCHEMA)


class Instruments:
    """What is measured, whoever scans."""

    def __init__(self, meter: Meter) -> None:
        self.attempts = meter.create_histogram(
            "rpc.client.call.duration",
            "s",
            "Attempts of calls to AWS.",
            explicit_bucket_boundaries_advisory=SECONDS,
        )
        self.retries = meter.create_counter(
            "sgw_scanner.calls.retried", "{call}", "Calls that are tried again."
        )
        self.throttles = meter.create_counter(
            "sgw_scanner.calls.throttled", "{call}", "Answers that throttled."
        )
        self.rate = meter.create_gauge(
            "sgw_scanner.target.rate", "{call}/s", "The rate that a target which throttles is asked at."
        )
        self.scans = meter.create_histogram(
            "sgw_scanner.scan.duration", "s", "Scans from their start to their end."
        )


def instruments(version: str) -> Instruments:
    return _instruments(metrics.get_meter_provider(), version)


@lru_cache(maxsize=4)
def _instruments(provider: MeterProvider, version: str) -> Instruments:
    # Once for each provider: an instrument that is made twice is warned of.
    return Instruments(provider.get_meter(NAME, version, SCHEMA))
