"""The service, with a span and a measurement for each attempt of each call."""

import asyncio
import time
from collections.abc import Awaitable
from typing import TypeVar

from opentelemetry import context, trace
from opentelemetry.trace import Span, SpanKind

from scanner.config.settings import AccountSettings
from scanner.inventory.records import FailureKind
from scanner.service.answers import (
    GatewayDescription,
    GatewayPage,
    OrganizationPage,
    RecoveryPoints,
    RegionPage,
    TagPage,
    VolumeDescription,
    VolumePage,
)
from scanner.service.errors import CallFailed, FailureFacts
from scanner.service.protocol import OrganizationRequest, Service, SignIn, TargetKey
from scanner.service.secrets import hidden
from scanner.telemetry.methods import rpc_method
from scanner.telemetry.providers import Instruments
from scanner.telemetry.spans import CANCELLED, ERROR_TYPE, OTHER, Spans, fail

CREDENTIALS = "GetCredentials"
"""No call to a service: the SDK's chain looks for credentials in files, processes and over HTTP."""
SUPPRESSED = "suppress_instrumentation"
"""Instrumentations of aiobotocore and aiohttp make no spans where this is set: each attempt has one already."""
SYSTEM = "aws-api"
PROVIDER = {"cloud.provider": "aws"}
REQUEST_ID = "aws.request_id"
Answer = TypeVar("Answer")


class ObservedService:
    """Asks `service`, and tells `spans` and `instruments` of each attempt."""

    def __init__(self, service: Service, spans: Spans, instruments: Instruments) -> None:
        self._service = service
        self._spans = spans
        self._instruments = instruments

    @property
    def most_connections(self) -> int:
        return self._service.most_connections

    def sign_in_steps(self, account: AccountSettings | None) -> tuple[SignIn, ...]:
        return self._service.sign_in_steps(account)

    def base_steps(self) -> tuple[SignIn, ...]:
        return self._service.base_steps()

    def signed_in(self, step: SignIn) -> bool:
        return self._service.signed_in(step)

    def account_of(self, step: SignIn) -> str:
        return self._service.account_of(step)

    def region_operation(self, account_id: str) -> str:
        return self._service.region_operation(account_id)

    def partition_of(self, region: str) -> str:
        return self._service.partition_of(region)

    async def sign_in(self, step: SignIn) -> None:
        account_id = step.account.id if step.account else None
        await self._observe(step.operation, self._service.sign_in(step), account_id)

    async def organization(self, request: OrganizationRequest) -> OrganizationPage:
        return await self._observe(request.operation, self._service.organization(request))

    async def list_regions(self, account_id: str, marker: str | None) -> RegionPage:
        call = self._service.list_regions(account_id, marker)
        return await self._observe("ListRegions", call, account_id)

    async def describe_regions(self, account_id: str) -> RegionPage:
        return await self._observe("DescribeRegions", self._service.describe_regions(account_id), account_id)

    async def list_gateways(self, target: TargetKey, marker: str | None) -> GatewayPage:
        return await self._of_target("ListGateways", self._service.list_gateways(target, marker), target)

    async def list_recovery_points(self, target: TargetKey, gateway_arn: str) -> RecoveryPoints:
        call = self._service.list_recovery_points(target, gateway_arn)
        return await self._of_target("ListVolumeRecoveryPoints", call, target, gateway_arn)

    async def describe_gateway(self, target: TargetKey, gateway_arn: str) -> GatewayDescription:
        call = self._service.describe_gateway(target, gateway_arn)
        return await self._of_target("DescribeGatewayInformation", call, target, gateway_arn)

    async def list_volumes(self, target: TargetKey, marker: str | None) -> VolumePage:
        return await self._of_target("ListVolumes", self._service.list_volumes(target, marker), target)

    async def describe_volumes(
        self, target: TargetKey, volume_arns: tuple[str, ...]
    ) -> tuple[VolumeDescription, ...]:
        # Of no gateway's span: the ARNs may name one that held the volumes before.
        call = self._service.describe_volumes(target, volume_arns)
        return await self._of_target("DescribeCachediSCSIVolumes", call, target)

    async def list_tags(self, target: TargetKey, marker: str | None) -> TagPage:
        return await self._of_target("GetResources", self._service.list_tags(target, marker), target)

    async def _of_target(
        self, operation: str, call: Awaitable[Answer], target: TargetKey, gateway_arn: str | None = None
    ) -> Answer:
        parent = self._spans.of_gateway(target, gateway_arn) if gateway_arn else self._spans.of_target(target)
        return await self._observe(operation, call, target.account_id, target.region, parent)

    async def _observe(
        self,
        operation: str,
        call: Awaitable[Answer],
        account_id: str | None = None,
        region: str | None = None,
        parent: Span | None = None,
    ) -> Answer:
        attempt = _Attempt(self._spans, self._instruments, operation, account_id, region, parent)
        try:
            answer = await call
            attempt.answered(getattr(answer, "request_id", None))
        except CallFailed as error:
            attempt.refused(error.facts)
            raise
        except asyncio.CancelledError:
            attempt.error = CANCELLED
            raise
        finally:
            attempt.end()
        return answer


class _Attempt:
    """One attempt under way; its span is the current one meanwhile."""

    def __init__(
        self,
        spans: Spans,
        instruments: Instruments,
        operation: str,
        account_id: str | None,
        region: str | None,
        parent: Span | None,
    ) -> None:
        self.error: str | None = OTHER
        """What went wrong; whatever is not told otherwise did."""
        self._message: str | None = None
        self._instruments = instruments
        self._called = operation != CREDENTIALS
        self._measured = {"rpc.system.name": SYSTEM, "rpc.method": rpc_method(operation)}
        attributes = {**self._measured, **PROVIDER} if self._called else {**PROVIDER}
        if region:
            self._measured["cloud.region"] = attributes["cloud.region"] = region
        if account_id:
            attributes["cloud.account.id"] = account_id
        parent = parent or spans.scan
        self._span = spans.tracer.start_span(
            self._measured["rpc.method"] if self._called else operation,
            trace.set_span_in_context(parent) if parent else None,
            SpanKind.CLIENT if self._called else SpanKind.INTERNAL,
            attributes,
        )
        within = trace.set_span_in_context(self._span)
        self._token = context.attach(context.set_value(SUPPRESSED, True, within) if self._called else within)
        self._began = time.perf_counter()

    def answered(self, request_id: str | None) -> None:
        self.error = None
        if request_id:
            self._span.set_attribute(REQUEST_ID, request_id)

    def refused(self, facts: FailureFacts) -> None:
        self.error = facts.code or facts.kind.value
        if facts.code:
            self._span.set_attribute("rpc.response.status_code", facts.code)
        if facts.request_id:
            self._span.set_attribute(REQUEST_ID, facts.request_id)
        self._message = hidden(facts.message)
        if facts.kind is FailureKind.THROTTLED:
            self._instruments.throttles.add(1, self._measured)

    def end(self) -> None:
        context.detach(self._token)
        if self._called:
            measured = {**self._measured, ERROR_TYPE: self.error} if self.error else self._measured
            self._instruments.attempts.record(time.perf_counter() - self._began, measured)
        if self.error:
            fail(self._span, self.error, self._message)
        self._span.end()
