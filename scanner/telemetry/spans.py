"""The spans of one scan: of the scan itself, of each target, and of each gateway by choice."""

from collections.abc import Mapping
from dataclasses import replace

from opentelemetry import context, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.util.types import AttributeValue

from scanner.inventory.events import (
    CallRetried,
    Emit,
    Event,
    FailureSeen,
    GatewayEnded,
    ScanEnded,
    ScanStarted,
    TargetEnded,
    TargetPlanned,
)
from scanner.inventory.records import Failure, GatewayStatus, Outcome, TargetStatus
from scanner.service.protocol import TargetKey
from scanner.telemetry.methods import rpc_method
from scanner.telemetry.observe import RateOf
from scanner.telemetry.providers import Instruments

ERROR_TYPE = "error.type"
CANCELLED, OTHER = "cancelled", "_OTHER"
Attributes = Mapping[str, AttributeValue]


def fail(span: Span, kind: str, message: str | None = None) -> None:
    """Marks a span as one of something that failed, in the way `kind`."""
    span.set_attribute(ERROR_TYPE, kind)
    span.set_status(Status(StatusCode.ERROR, message))


class Spans:
    """Makes spans of the events of one scan, and hands each event on."""

    def __init__(
        self, tracer: Tracer, instruments: Instruments, emit: Emit, rate_of: RateOf, *, each_gateway: bool
    ) -> None:
        self.tracer = tracer
        self._instruments = instruments
        self._emit = emit
        self._rate_of = rate_of
        self._each_gateway = each_gateway
        self.scan: Span | None = None
        self._targets: dict[TargetKey, Span] = {}
        self._gateways: dict[str, Span] = {}
        self._failed: dict[tuple[str, str | None], str] = {}
        """What the first failure of each target was, and of each account as a whole."""

    async def take(self, event: Event) -> None:
        """An event of the scan, in the task that runs it."""
        match event:
            case ScanStarted():
                event = self._start(event)
            case TargetPlanned(account_id, _, region):
                key = TargetKey(account_id, region)
                self._targets[key] = self._open("target", self.scan, _place(key))
            case FailureSeen(failure):
                self._note(failure)
            case CallRetried():
                self._instruments.retries.add(
                    1, {"rpc.method": rpc_method(event.operation), ERROR_TYPE: event.code or event.kind.value}
                )
            case GatewayEnded(gateway):
                self._end_gateway(gateway.arn, gateway.status)
            case TargetEnded():
                self._end_target(event)
            case ScanEnded():
                self._end_scan(event)
            case _:
                pass
        await self._emit(event)

    def of_target(self, target: TargetKey) -> Span | None:
        """The span of a target, else that of the scan."""
        return self._targets.get(target, self.scan)

    def of_gateway(self, target: TargetKey, gateway_arn: str) -> Span | None:
        """The span of a gateway, which begins with its first call; that of its target where gateways have none."""
        parent = self.of_target(target)
        if not self._each_gateway:
            return parent
        if gateway_arn not in self._gateways:
            attributes = {**_place(target), "cloud.resource_id": gateway_arn}
            self._gateways[gateway_arn] = self._open("gateway", parent, attributes)
        return self._gateways[gateway_arn]

    def end(self) -> None:
        """Ends what is still open: the scan was cancelled."""
        open_spans = [*self._gateways.values(), *self._targets.values()]
        if self.scan:
            open_spans.append(self.scan)
        for span in open_spans:
            fail(span, CANCELLED)
            span.end()
        self._gateways, self._targets, self.scan = {}, {}, None

    def _open(self, name: str, parent: Span | None, attributes: Attributes) -> Span:
        within = trace.set_span_in_context(parent) if parent else None
        return self.tracer.start_span(name, within, SpanKind.INTERNAL, attributes)

    def _start(self, event: ScanStarted) -> ScanStarted:
        self.scan = span = self._open("scan", None, {"sgw_scanner.scan.id": event.scan_id})
        # For as long as the scan's own task and those that it starts live: their logs belong to it.
        context.attach(trace.set_span_in_context(span))
        ids = span.get_span_context()
        if not ids.is_valid:
            return event
        return replace(
            event,
            trace_id=trace.format_trace_id(ids.trace_id),
            span_id=trace.format_span_id(ids.span_id),
        )

    def _note(self, failure: Failure) -> None:
        if failure.gateway_arn in self._gateways:
            fail(self._gateways[failure.gateway_arn], failure.kind.value)
        if failure.waived is None:
            self._failed.setdefault((failure.account_id, failure.region), failure.kind.value)

    def _end_gateway(self, arn: str, status: GatewayStatus) -> None:
        span = self._gateways.pop(arn, None)
        if span:
            span.set_attribute("sgw_scanner.gateway.status", status.value)
            span.end()

    def _end_target(self, event: TargetEnded) -> None:
        target = event.target
        key = TargetKey(target.account_id, target.region)
        rate = self._rate_of(key)
        if rate is not None:
            self._instruments.rate.set(rate, _place(key))
        failed = self._failed.pop(key, None) or self._failed.get((key.account_id, None), OTHER)
        span = self._targets.pop(key, None)
        if span:
            span.set_attribute("sgw_scanner.target.status", target.status.value)
            span.set_attribute("sgw_scanner.target.gateways", target.gateways)
            span.set_attribute("sgw_scanner.target.volumes", target.volumes)
            if target.status in (TargetStatus.FAILED, TargetStatus.PARTIAL):
                fail(span, failed)
            span.end()

    def _end_scan(self, event: ScanEnded) -> None:
        scan, calls = event.scan, event.calls
        seconds = (scan.finished_at - scan.started_at).total_seconds()
        self._instruments.scans.record(seconds, {"sgw_scanner.scan.outcome": scan.outcome.value})
        span, self.scan = self.scan, None
        if span:
            span.set_attribute("sgw_scanner.scan.outcome", scan.outcome.value)
            span.set_attribute("sgw_scanner.calls.attempted", calls.attempted)
            span.set_attribute("sgw_scanner.calls.retried", calls.retried)
            span.set_attribute("sgw_scanner.calls.throttled", calls.throttled)
            if scan.outcome is Outcome.FAILED:
                fail(span, scan.outcome.value)
            span.end()


def _place(key: TargetKey) -> dict[str, AttributeValue]:
    return {"cloud.provider": "aws", "cloud.account.id": key.account_id, "cloud.region": key.region}
