"""The engine's Service over the real one."""

import os
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from scanner.aws import fleet
from scanner.aws.clients import Answer, Clients
from scanner.aws.connections import SPARE_CONNECTIONS, Connections, most_connections
from scanner.aws.credentials.identities import Identities
from scanner.aws.credentials.sessions import Sessions
from scanner.aws.lean import SERVICE, LeanCalls
from scanner.aws.parse.answers import gateway_page, recovery_points
from scanner.aws.parse.details import gateway_description, tag_page, volume_descriptions, volume_page
from scanner.aws.regions import Regions
from scanner.aws.sdk.session import core_of
from scanner.config.settings import AccountSettings, ScannerConfig
from scanner.iam.permissions import region_operation
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
from scanner.service.errors import CallFailed, FailureFacts, RegionNotOffered
from scanner.service.protocol import OrganizationRequest, SignIn, TargetKey
from scanner.service.secrets import remember, remember_environment

PAGE = 100
TAGGING = "resourcegroupstaggingapi"
UNKNOWN_OPERATION = "UnknownOperationException"


class AwsService:
    """Storage Gateway in every account of a configuration; owns the connections. Use with `async with`.

    Raises ConfigError for a profile or Region that does not exist, and for a clash of partitions.
    """

    def __init__(self, config: ScannerConfig, user_agent: str) -> None:
        remember_environment(os.environ)
        remember(account.external_id for account in config.accounts)
        remember([config.organization.external_id] if config.organization else ())
        settings = config.scan
        self.most_connections = most_connections(settings.max_concurrency)
        self._connections = Connections(
            connect_timeout=settings.connect_timeout.total_seconds(),
            read_timeout=settings.call_timeout.total_seconds(),
            limit=self.most_connections + SPARE_CONNECTIONS,
        )
        sessions = Sessions(
            config.credentials.profile,
            {
                account.profile: config.origin_of(f"accounts[{number}].profile")
                for number, account in enumerate(config.accounts, 1)
                if account.profile
            },
            settings.call_timeout.total_seconds(),
            self._connections,
        )
        self._regions = Regions(core_of(sessions.base), sessions.regions())
        self._regions.check(config)
        self._clients = Clients(
            sessions.of,
            self._connections,
            call_timeout=settings.call_timeout,
            connect_timeout=settings.connect_timeout,
            user_agent=user_agent,
        )
        self._lean = LeanCalls(
            self._clients, self._connections, call_timeout=settings.call_timeout, user_agent=user_agent
        )
        self._identities = Identities(config, sessions, self._clients, self._regions)
        self._config = config

    async def __aenter__(self) -> Self:
        await self._clients.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._clients.__aexit__(kind, error, trace)
        finally:
            await self._connections.close()

    def sign_in_steps(self, account: AccountSettings | None) -> tuple[SignIn, ...]:
        return self._identities.steps(account)

    def base_steps(self) -> tuple[SignIn, ...]:
        return self._identities.base_steps()

    def signed_in(self, step: SignIn) -> bool:
        return self._identities.signed_in(step)

    async def sign_in(self, step: SignIn) -> None:
        await self._identities.sign_in(step)

    def account_of(self, step: SignIn) -> str:
        return self._identities.account_of(step)

    def region_operation(self, account_id: str) -> str:
        return region_operation(self._identities.partition_of(account_id))

    async def list_regions(self, account_id: str, marker: str | None) -> RegionPage:
        return await fleet.list_regions(self._identities, self._regions, account_id, marker)

    async def describe_regions(self, account_id: str) -> RegionPage:
        return await fleet.describe_regions(self._identities, self._regions, account_id)

    def partition_of(self, region: str) -> str:
        return self._regions.partition_of(region)

    async def organization(self, request: OrganizationRequest) -> OrganizationPage:
        partition = self._regions.partition(self._config, None)
        return await fleet.organization_page(self._identities, self._regions.home(partition), request)

    async def list_gateways(self, target: TargetKey, marker: str | None) -> GatewayPage:
        parameters: dict[str, Any] = {"Limit": PAGE}
        if marker:
            parameters["Marker"] = marker
        answer = await self._ask(target, "ListGateways", parameters)
        return replace(answer.read(gateway_page), request_id=answer.request_id)

    async def list_recovery_points(self, target: TargetKey, gateway_arn: str) -> RecoveryPoints:
        answer = await self._ask(target, "ListVolumeRecoveryPoints", {"GatewayARN": gateway_arn})
        points = answer.read(recovery_points, gateway_arn, answer.at)
        return replace(points, request_id=answer.request_id)

    async def describe_gateway(self, target: TargetKey, gateway_arn: str) -> GatewayDescription:
        answer = await self._ask(target, "DescribeGatewayInformation", {"GatewayARN": gateway_arn})
        return answer.read(gateway_description, gateway_arn)

    async def list_volumes(self, target: TargetKey, marker: str | None) -> VolumePage:
        parameters: dict[str, Any] = {"Limit": PAGE}
        if marker:
            parameters["Marker"] = marker
        answer = await self._ask(target, "ListVolumes", parameters)
        return replace(answer.read(volume_page), request_id=answer.request_id)

    async def describe_volumes(
        self, target: TargetKey, volume_arns: tuple[str, ...]
    ) -> tuple[VolumeDescription, ...]:
        answer = await self._ask(target, "DescribeCachediSCSIVolumes", {"VolumeARNs": list(volume_arns)})
        return answer.read(volume_descriptions)

    async def list_tags(self, target: TargetKey, marker: str | None) -> TagPage:
        parameters: dict[str, Any] = {"ResourcesPerPage": PAGE, "ResourceTypeFilters": [SERVICE]}
        if marker:
            parameters["PaginationToken"] = marker
        answer = await self._identities.ask(
            target.account_id, TAGGING, target.region, "GetResources", **parameters
        )
        return answer.read(tag_page)

    async def _ask(self, target: TargetKey, operation: str, parameters: dict[str, Any]) -> Answer:
        credentials = self._identities.credentials(target.account_id)
        try:
            return await self._lean.call(target.region, operation, credentials, parameters)
        except CallFailed as failure:
            if not self._regions.known_to_offer(target.region) and _is_unknown(failure.facts):
                raise RegionNotOffered(replace(failure.facts, retryable=False)) from None
            raise self._identities.refuse(target.account_id, credentials, failure) from None


def _is_unknown(facts: FailureFacts) -> bool:
    """Whether there is no such service: its name does not resolve, or it does not know the operation."""
    return facts.unresolved or facts.code == UNKNOWN_OPERATION
