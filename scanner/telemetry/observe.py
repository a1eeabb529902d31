"""Whether a scan is observed at all. Nothing here imports OpenTelemetry before it is known to be in use."""

import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass

from scanner.inventory.events import Emit
from scanner.service.protocol import Service, TargetKey

LOG = logging.getLogger("scanner.telemetry")
RateOf = Callable[[TargetKey], float | None]
"""The learnt rate of a target in calls a second; None where nothing has throttled it."""


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Observed:
    """What a scan is to ask and to tell so that it is observed; `end` ends what a cancelled scan leaves open."""

    service: Service
    emit: Emit
    end: Callable[[], None] = _nothing


def observe(service: Service, emit: Emit, rate_of: RateOf, version: str, *, gateways: bool) -> Observed:
    """`service` and `emit`, watched; both as they are where nobody has set up OpenTelemetry in this process.

    `gateways`: each gateway has a span of its own.
    """
    # Whoever sets it up has imported it: an application, or `opentelemetry-instrument`.
    if "opentelemetry" not in sys.modules:
        return Observed(service, emit)
    try:
        from scanner.telemetry import providers
        from scanner.telemetry.attempts import ObservedService
        from scanner.telemetry.spans import Spans
    except ImportError as error:
        LOG.warning(
            "no spans and metrics, for this release of opentelemetry-api lacks what they need (%s):"
            " install a newer one",
            error,
        )
        return Observed(service, emit)
    if not providers.set_up():
        return Observed(service, emit)
    instruments = providers.instruments(version)
    spans = Spans(providers.tracer(version), instruments, emit, rate_of, each_gateway=gateways)
    return Observed(ObservedService(service, spans, instruments), spans.take, spans.end)
