"""The accounting of an inventory: what must add up, and what must name what."""

from collections import Counter
from collections.abc import Iterator
from itertools import chain

from scanner.inventory.contents import Contents
from scanner.inventory.record_rules import problems_of
from scanner.inventory.records import (
    ANY_REGION,
    IN_DANGER,
    SCHEMA_VERSION,
    FailureKind,
    FailureScope,
    GatewayStatus,
    TargetStatus,
    VerdictStatus,
    outcome_of,
)


def unbalanced(inventory: Contents) -> Iterator[str]:
    """What contradicts itself in `inventory`, one sentence each; nothing when the books balance."""
    if inventory.schema_version != SCHEMA_VERSION:
        yield f"schema_version {inventory.schema_version!r} is not {SCHEMA_VERSION!r}"
    for record in chain(
        [inventory.coverage], inventory.targets, inventory.gateways, inventory.volumes, inventory.failures
    ):
        yield from problems_of(record)
    yield from _counts(inventory)
    yield from _targets(inventory)
    yield from _gateways(inventory)
    yield from _volumes(inventory)
    yield from _failures(inventory)


def _counts(inventory: Contents) -> Iterator[str]:
    targets, gateways = inventory.coverage.targets, inventory.coverage.gateways
    if targets.planned != targets.complete + targets.partial + targets.failed + targets.skipped:
        yield "targets planned is not complete + partial + failed + skipped"
    if gateways.listed != gateways.scanned + gateways.not_applicable + gateways.failed + gateways.vanished:
        yield "gateways listed is not scanned + not_applicable + failed + vanished"
    if inventory.scan.outcome != outcome_of(targets, inventory.scan.missing_shards):
        yield f"outcome {inventory.scan.outcome} does not follow from the targets"
    statuses = Counter(target.status for target in inventory.targets)
    for status in TargetStatus:
        if getattr(targets, status.value) != statuses[status]:
            yield f"coverage counts other {status.value} targets than the inventory holds"
    fates = Counter(gateway.status for gateway in inventory.gateways)
    for fate in (GatewayStatus.SCANNED, GatewayStatus.NOT_APPLICABLE, GatewayStatus.VANISHED):
        if getattr(gateways, fate.value) != fates[fate]:
            yield f"coverage counts other {fate.value} gateways than the inventory holds"
    if gateways.failed < fates[GatewayStatus.FAILED]:
        yield "coverage counts fewer failed gateways than the inventory holds"
    yield from _volume_counts(inventory)


def _volume_counts(inventory: Contents) -> Iterator[str]:
    volumes = inventory.coverage.volumes
    if volumes.known != sum(getattr(volumes, status.value) for status in VerdictStatus):
        yield "volumes known is not the sum of the verdicts"
    verdicts = Counter(volume.verdict.status for volume in inventory.volumes)
    waived = sum(
        volume.verdict.status in IN_DANGER and volume.verdict.waived is not None
        for volume in inventory.volumes
    )
    for status in VerdictStatus:
        if getattr(volumes, status.value) != verdicts[status]:
            yield f"coverage counts other {status.value} volumes than the inventory holds"
    if volumes.waived != waived or volumes.need_action != volumes.breach + volumes.no_recovery_point - waived:
        yield "coverage counts other volumes that are waived or need action than the inventory holds"


def _targets(inventory: Contents) -> Iterator[str]:
    keys = Counter(target.key for target in inventory.targets)
    yield from (f"target {account} {region} stands twice" for (account, region), n in keys.items() if n > 1)
    if sum(target.gateways for target in inventory.targets) != inventory.coverage.gateways.listed:
        yield "the targets' gateways do not add up to those listed"
    gateways = Counter((gateway.account_id, gateway.region) for gateway in inventory.gateways)
    volumes = Counter((volume.account_id, volume.region) for volume in inventory.volumes)
    counting = [failure for failure in inventory.failures if failure.waived is None]
    accounts = {f.account_id for f in counting if f.scope is FailureScope.ACCOUNT}
    regions = {(f.account_id, f.region) for f in counting}
    broken = Counter(
        (failure.account_id, failure.region)
        for failure in inventory.failures
        if failure.scope is FailureScope.TARGET and failure.kind is FailureKind.INVALID_RESPONSE
    )
    for target in inventory.targets:
        place = f"target {target.account_id} {target.region}"
        known = target.account_id in accounts or target.key in regions
        if target.status in (TargetStatus.FAILED, TargetStatus.PARTIAL) and not known:
            yield f"{place} is {target.status.value} but has no failure"
        # A listed entry with a broken ARN is no gateway, but it is a failure of its target.
        unnamed = target.gateways - gateways[target.key]
        if not 0 <= unnamed <= broken[target.key] or target.volumes != volumes[target.key]:
            yield f"{place} counts other gateways or volumes than the inventory or its failures name"
        if target.status is TargetStatus.COMPLETE and (
            target.key in regions or target.volumes_listed is False
        ):
            yield f"{place} is complete but has a failure"


def _gateways(inventory: Contents) -> Iterator[str]:
    targets = {target.key: target.status for target in inventory.targets}
    failed = {failure.gateway_arn for failure in inventory.failures}
    counting = {failure.gateway_arn for failure in inventory.failures if failure.waived is None}
    seen = set()
    for gateway in inventory.gateways:
        if gateway.arn in seen:
            yield f"gateway {gateway.arn} stands twice"
        seen.add(gateway.arn)
        if (gateway.account_id, gateway.region) not in targets:
            yield f"gateway {gateway.arn} has no target"
        if gateway.status is GatewayStatus.FAILED:
            if gateway.arn not in failed:
                yield f"gateway {gateway.arn} is failed but has no failure"
            complete = targets.get((gateway.account_id, gateway.region)) is TargetStatus.COMPLETE
            if complete and gateway.arn in counting:
                yield f"gateway {gateway.arn} is failed but its target is complete"


def _volumes(inventory: Contents) -> Iterator[str]:
    gateways = {gateway.arn: gateway for gateway in inventory.gateways}
    targets = {target.key: target.status for target in inventory.targets}
    seen = set()
    for volume in inventory.volumes:
        # An ARN has two forms, and may name a gateway that held the volume before: the id alone tells.
        key = volume.account_id, volume.region, volume.id
        if key in seen:
            yield f"volume {volume.arn} stands twice"
        seen.add(key)
        status = targets.get((volume.account_id, volume.region))
        gateway = gateways.get(volume.gateway_arn) if volume.gateway_arn else None
        if status is None:
            yield f"volume {volume.arn} has no target"
        elif gateway and (gateway.account_id, gateway.region) != (volume.account_id, volume.region):
            yield f"volume {volume.arn} belongs to another target than its gateway"
        elif gateway is None:
            if volume.gateway_arn and status is TargetStatus.COMPLETE:
                yield f"volume {volume.arn} has no gateway"
            if volume.verdict.status is not VerdictStatus.UNKNOWN:
                yield f"volume {volume.arn} is {volume.verdict.status.value}, but no gateway answered for it"


def _failures(inventory: Contents) -> Iterator[str]:
    gateways = {gateway.arn: (gateway.account_id, gateway.region) for gateway in inventory.gateways}
    targets = {target.key for target in inventory.targets}
    accounts = {target.account_id for target in inventory.targets}
    for failure in inventory.failures:
        place = f"failure of {failure.operation} in {failure.account_id} {failure.region or ANY_REGION}"
        if failure.region is not None and (failure.account_id, failure.region) not in targets:
            yield f"{place} has no target"
        elif failure.gateway_arn and gateways.get(failure.gateway_arn) != (
            failure.account_id,
            failure.region,
        ):
            yield f"{place} is of a gateway that its target does not hold"
        if failure.account_id not in accounts:
            yield f"{place} has no account in the inventory"
