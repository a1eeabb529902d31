"""A service made of plain Python: a fleet, latencies and faults, and no network."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import anyio

from scanner.config.settings import AccountSettings, ScannerConfig
from scanner.engine.calls.scheduler import Limits
from scanner.engine.scan import Scan
from scanner.inventory.collect import Collector
from scanner.inventory.events import Event
from scanner.inventory.model import Inventory
from scanner.inventory.records import FailureKind
from scanner.service.answers import (
    GatewayDescription,
    GatewayPage,
    ListedGateway,
    OrganizationPage,
    RecoveryPoint,
    RecoveryPoints,
    RegionPage,
    TagPage,
    VolumeDescription,
    VolumePage,
)
from scanner.service.errors import CallFailed, RegionNotOffered
from scanner.service.protocol import OrganizationRequest, Service, SignIn, TargetKey

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
Fault = Callable[[str, TargetKey, str | None, int], CallFailed | None]


def no_fault(operation: str, target: TargetKey, gateway: str | None, nth: int) -> CallFailed | None:
    return None


def throttle() -> CallFailed:
    return CallFailed.of(FailureKind.THROTTLED, "Rate exceeded", code="ThrottlingException", retryable=True)


def denied() -> CallFailed:
    return CallFailed.of(FailureKind.ACCESS_DENIED, "not authorized", code="AccessDeniedException")


@dataclass
class SimulatedService:
    """Every target has `gateways` cached gateways of `volumes` volumes each; calls take `latency` seconds."""

    gateways: int = 2
    volumes: int = 2
    page_size: int = 100
    latency: float = 0.05
    fault: Fault = no_fault
    pages: Callable[[TargetKey, str | None], GatewayPage] | None = None
    points: Callable[[TargetKey, str], RecoveryPoints] | None = None
    organization_pages: Callable[[OrganizationRequest], OrganizationPage] = lambda inquiry: OrganizationPage()
    facts: Callable[[str], GatewayDescription] = lambda arn: GatewayDescription({"state": "RUNNING"}, {})
    listed: Callable[[str | None], VolumePage] = lambda marker: VolumePage(())
    tag_page: Callable[[str | None], TagPage] = lambda marker: TagPage({})
    regions: tuple[str, ...] = ("us-east-1", "eu-west-1")
    region_pages: Callable[[str | None], RegionPage] | None = None
    partition: str = "aws"
    not_offered: frozenset[str] = frozenset()
    signed: set[object] = field(default_factory=set)
    calls: Counter[str] = field(default_factory=Counter)
    tries: Counter[tuple[str, TargetKey, str | None]] = field(default_factory=Counter)
    in_flight: Counter[object] = field(default_factory=Counter)
    peak: Counter[object] = field(default_factory=Counter)

    async def _call(self, operation: str, target: TargetKey, key: str | None = None) -> None:
        self.calls[operation] += 1
        self.tries[operation, target, key] += 1
        nth = self.tries[operation, target, key]
        try:
            for scope in ("all", target):
                self.in_flight[scope] += 1
                self.peak[scope] = max(self.peak[scope], self.in_flight[scope])
            await anyio.sleep(self.latency)
        finally:
            for scope in ("all", target):
                self.in_flight[scope] -= 1
        error = self.fault(operation, target, key, nth)
        if error:
            raise error

    async def organization(self, inquiry: OrganizationRequest) -> OrganizationPage:
        await self._call(inquiry.operation, TargetKey("", ""), inquiry.parent)
        return self.organization_pages(inquiry)

    @property
    def most_connections(self) -> int:
        return 1000

    def sign_in_steps(self, account: AccountSettings | None) -> tuple[SignIn, ...]:
        identifier = account.id if account else "000000000001"
        return (SignIn("AssumeRole", identifier, ("STS", "aws"), account),)

    def base_steps(self) -> tuple[SignIn, ...]:
        return ()

    def signed_in(self, step: SignIn) -> bool:
        return step.identity in self.signed

    async def sign_in(self, step: SignIn) -> None:
        await self._call("open", TargetKey(str(step.identity), ""))
        self.signed.add(step.identity)

    def account_of(self, step: SignIn) -> str:
        return str(step.identity)

    def region_operation(self, account_id: str) -> str:
        return "ListRegions"

    async def list_regions(self, account_id: str, marker: str | None) -> RegionPage:
        await self._call("regions", TargetKey(account_id, ""), marker)
        return self.region_pages(marker) if self.region_pages else RegionPage(self.regions)

    async def describe_regions(self, account_id: str) -> RegionPage:
        await self._call("describe regions", TargetKey(account_id, ""))
        raise denied()

    def partition_of(self, region: str) -> str:
        return self.partition

    async def list_gateways(self, target: TargetKey, marker: str | None) -> GatewayPage:
        await self._call("list", target, marker)
        if target.region in self.not_offered:
            raise RegionNotOffered.of(FailureKind.NETWORK, "no such host", connected=False)
        if self.pages:
            return self.pages(target, marker)
        start = int(marker or 0)
        end = min(self.gateways, start + self.page_size)
        records = tuple(cached(target, number) for number in range(start, end))
        return GatewayPage(records, str(end) if end < self.gateways else None)

    async def list_recovery_points(self, target: TargetKey, gateway_arn: str) -> RecoveryPoints:
        await self._call("read", target, gateway_arn)
        if self.points:
            return self.points(target, gateway_arn)
        return RecoveryPoints(
            NOW,
            tuple(
                RecoveryPoint(
                    f"{gateway_arn}/volume/vol-{gateway_arn[-4:]}{number:04X}",
                    2**40,
                    2**30,
                    NOW - timedelta(hours=1),
                )
                for number in range(self.volumes)
            ),
        )

    async def describe_gateway(self, target: TargetKey, gateway_arn: str) -> GatewayDescription:
        await self._call("describe", target, gateway_arn)
        return self.facts(gateway_arn)

    async def list_volumes(self, target: TargetKey, marker: str | None) -> VolumePage:
        await self._call("list volumes", target, marker)
        return self.listed(marker)

    async def describe_volumes(
        self, target: TargetKey, volume_arns: tuple[str, ...]
    ) -> tuple[VolumeDescription, ...]:
        await self._call("describe volumes", target, volume_arns[0])
        return tuple(
            VolumeDescription(arn, {"status": "AVAILABLE"}, 2**40, None, "ATTACHED") for arn in volume_arns
        )

    async def list_tags(self, target: TargetKey, marker: str | None) -> TagPage:
        await self._call("tags", target, marker)
        return self.tag_page(marker)


def cached(target: TargetKey, number: int, type: str | None = "CACHED") -> ListedGateway:
    arn = f"arn:aws:storagegateway:{target.region}:{target.account_id}:gateway/sgw-{number:08X}"
    return ListedGateway(arn, f"gateway {number}", type, "ACTIVE")


def config(accounts: int = 1, regions: tuple[str, ...] = ("us-east-1",), **scan: object) -> ScannerConfig:
    """Settings of a scan, without ListVolumes unless it is asked for."""
    return ScannerConfig.model_validate(
        {
            "accounts": [{"id": f"{number:012d}"} for number in range(1, accounts + 1)],
            "scan": {"regions": regions, "list_volumes": "never", **scan},
        }
    )


async def events_of(config: ScannerConfig, source: Service) -> list[Event]:
    seen: list[Event] = []

    async def emit(event: Event) -> None:
        seen.append(event)

    limits = Limits(
        anyio.CapacityLimiter(config.scan.max_concurrency), config.scan.max_concurrency_per_target
    )
    await Scan(config, source, limits, "0.1.0", emit).run()
    return seen


async def inventory_of(config: ScannerConfig, source: Service) -> Inventory:
    collector = Collector()
    for event in await events_of(config, source):
        collector.add(event)
    return collector.inventory()
