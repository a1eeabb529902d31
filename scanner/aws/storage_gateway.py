"""The engine's Service over the real service."""

from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from scanner.aws import fleet
from scanner.aws.clients import Answer, Clients
from scanner.aws.credentials.identities import Identities
from scanner.aws.credentials.sessions import Sessions
from scanner.aws.parse.answers import gateway_page, recovery_points
from scanner.aws.parse.details import gateway_facts, tag_page, volume_facts, volume_page
from scanner.aws.regions import SERVICE, Regions
from scanner.config.settings import AccountSettings, ScannerConfig
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
from scanner.service.errors import CallFailed, RegionNotEnabled
from scanner.service.protocol import OrganizationRequest, TargetKey

PAGE = 100
TAGGING = "resourcegroupstaggingapi"
STRANGERS = frozenset({"UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure"})
"""What a Region answers to an account that has not enabled it, and to keys that are worth nothing."""


class AwsService:
    """Storage Gateway in every account of a configuration; owns the connections. Use with `async with`.

    Raises ConfigError for a profile or Region that does not exist, and for a clash of partitions.
    """

    def __init__(self, config: ScannerConfig, user_agent: str) -> None:
        sessions = Sessions(
            config.credentials.profile,
            {
                account.profile: config.place(f"accounts[{number}].profile")
                for number, account in enumerate(config.accounts, 1)
                if account.profile
            },
            config.scan.call_timeout.total_seconds(),
        )
        self._regions = Regions(sessions.base._session, sessions.regions())
        self._regions.check(config)
        self._clients = Clients(
            sessions.base,
            call_timeout=config.scan.call_timeout,
            connect_timeout=config.scan.connect_timeout,
            connections=config.scan.max_concurrency,
            user_agent=user_agent,
        )
        self._identities = Identities(config, sessions, self._clients, self._regions)
        self._config = config
        self._enabled: dict[str, RegionPage] = {}

    async def __aenter__(self) -> Self:
        await self._clients.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._clients.__aexit__(kind, error, trace)

    async def sign_in(self, account: AccountSettings | None) -> str:
        return await self._identities.open(account)

    async def enabled_regions(self, account_id: str, marker: str | None) -> RegionPage:
        page = await fleet.region_page(self._identities, self._regions, account_id, marker)
        if marker is None:
            self._enabled[account_id] = page
        return page

    def partition_of(self, region: str) -> str:
        return self._regions.partition_of(region)

    def offered(self, region: str) -> bool:
        return self._regions.offered(region)

    async def organization(self, inquiry: OrganizationRequest) -> OrganizationPage:
        partition = self._regions.partition(self._config, None)
        return await fleet.organization_page(self._identities, self._regions.home(partition), inquiry)

    async def list_gateways(self, target: TargetKey, marker: str | None) -> GatewayPage:
        parameters: dict[str, Any] = {"Limit": PAGE}
        if marker:
            parameters["Marker"] = marker
        answer = await self._ask(target, "ListGateways", **parameters)
        return replace(answer.read(gateway_page), request_id=answer.request_id)

    async def list_recovery_points(self, target: TargetKey, gateway_arn: str) -> RecoveryPoints:
        answer = await self._ask(target, "ListVolumeRecoveryPoints", GatewayARN=gateway_arn)
        points = answer.read(lambda body: recovery_points(body, gateway_arn, answer.at))
        return replace(points, request_id=answer.request_id)

    async def describe_gateway(self, target: TargetKey, gateway_arn: str) -> GatewayDescription:
        answer = await self._ask(target, "DescribeGatewayInformation", GatewayARN=gateway_arn)
        return answer.read(lambda body: gateway_facts(body, gateway_arn))

    async def list_volumes(self, target: TargetKey, gateway_arn: str, marker: str | None) -> VolumePage:
        parameters: dict[str, Any] = {"GatewayARN": gateway_arn, "Limit": PAGE}
        if marker:
            parameters["Marker"] = marker
        return (await self._ask(target, "ListVolumes", **parameters)).read(volume_page)

    async def describe_volumes(
        self, target: TargetKey, volume_arns: tuple[str, ...]
    ) -> tuple[VolumeDescription, ...]:
        answer = await self._ask(target, "DescribeCachediSCSIVolumes", VolumeARNs=list(volume_arns))
        return answer.read(volume_facts)

    async def list_tags(self, target: TargetKey, marker: str | None) -> TagPage:
        parameters: dict[str, Any] = {"ResourcesPerPage": PAGE, "ResourceTypeFilters": [SERVICE]}
        if marker:
            parameters["PaginationToken"] = marker
        identity = self._identities.of(target.account_id)
        answer = await self._identities.ask(identity, TAGGING, target.region, "GetResources", **parameters)
        return answer.read(tag_page)

    async def _ask(self, target: TargetKey, operation: str, **parameters: Any) -> Answer:
        identity = self._identities.of(target.account_id)
        try:
            return await self._identities.ask(identity, SERVICE, target.region, operation, **parameters)
        except CallFailed as failure:
            if failure.facts.code in STRANGERS and failure.facts.sent:
                await self._tell_not_enabled(target, failure)
            raise

    async def _tell_not_enabled(self, target: TargetKey, failure: CallFailed) -> None:
        try:
            known = self._enabled.get(target.account_id) or await self.enabled_regions(
                target.account_id, None
            )
        except CallFailed:
            # Whether it is enabled cannot be known; the failure itself says what to look at.
            return
        if target.region not in known.regions and known.marker is None:
            raise RegionNotEnabled.of(
                failure.facts.kind, failure.facts.message, code=failure.facts.code
            ) from None
