"""What is known of one gateway, as records of the inventory: the gateway, and its volumes with verdicts."""

from collections.abc import Iterator
from datetime import UTC, datetime

from scanner.engine.context import TargetContext
from scanner.engine.gateway import GatewayResult
from scanner.inventory.arns import id_of
from scanner.inventory.records import Gateway, GatewayStatus, Verdict, Volume
from scanner.service.answers import RecoveryPoint


def gateway_of(target: TargetContext, result: GatewayResult) -> Gateway:
    """The gateway as its listing, its description and its tags tell."""
    listing, description = result.listing, result.description
    return Gateway(
        arn=result.arn,
        id=id_of(result.arn),
        name=listing.name,
        account_id=target.key.account_id,
        region=target.key.region,
        type=listing.type,
        operational_state=listing.operational_state,
        host_environment=listing.host_environment,
        ec2_instance_id=listing.ec2_instance_id,
        software_version=listing.software_version,
        deprecation_date=listing.deprecation_date,
        status=result.status,
        observed_at=result.observed_at,
        details=description.details if description else None,
        tags=_gateway_tags(target, result),
    )


def volumes_of(target: TargetContext, result: GatewayResult) -> Iterator[Volume]:
    """The gateway's volumes: those with a recovery point, and those that only the details know."""
    if result.status in (GatewayStatus.VANISHED, GatewayStatus.NOT_APPLICABLE):
        return
    points = result.points.volumes if result.points else ()
    read = {target.canonical(point.arn): point for point in points}
    for arn in {**read, **result.listed}:
        yield _volume(target, result, arn, read.get(arn))


def _volume(target: TargetContext, result: GatewayResult, arn: str, point: RecoveryPoint | None) -> Volume:
    listed, described = result.listed.get(arn), result.described.get(arn)
    tags = (
        None
        if target.tags is None
        else _volume_tags(target.tags, arn, *(each.arn for each in (point, listed) if each))
    )
    sizes = [each.size_bytes for each in (point, described, listed) if each]
    usages = [each.usage_bytes for each in (point, described) if each]
    attachments = [each.attachment_status for each in (described, listed) if each]
    return Volume(
        arn=arn,
        id=id_of(arn),
        gateway_arn=result.arn,
        account_id=target.key.account_id,
        region=target.key.region,
        size_bytes=next((size for size in sizes if size is not None), None),
        usage_bytes=next((usage for usage in usages if usage is not None), None),
        recovery_point_time=point.time if point else None,
        attachment_status=next((status for status in attachments if status is not None), None),
        details=described.details if described else None,
        tags=tags,
        verdict=_verdict(target, result, arn, point, tags),
    )


def _volume_tags(tags: dict[str, dict[str, str]], *arns: str) -> dict[str, str]:
    return next((tags[arn] for arn in arns if arn in tags), {})


def _verdict(
    target: TargetContext,
    result: GatewayResult,
    arn: str,
    point: RecoveryPoint | None,
    tags: dict[str, str] | None,
) -> Verdict:
    return target.rater.verdict(
        volume_arn=arn,
        volume_id=id_of(arn),
        volume_tags=tags,
        recovery_point_time=point.time if point else None,
        gateway_arn=result.arn,
        gateway_id=id_of(result.arn),
        gateway_name=result.listing.name,
        gateway_tags=_gateway_tags(target, result),
        account_id=target.key.account_id,
        account_name=target.account_name,
        region=target.key.region,
        account_rpo=target.account_rpo,
        # Without an answer there is no moment of it; waivers then hold by the local clock.
        observed_at=result.observed_at or datetime.now(UTC),
        gateway_failed=result.points is None,
    )


def _gateway_tags(target: TargetContext, result: GatewayResult) -> dict[str, str] | None:
    if target.tags is not None:
        return target.tags.get(result.arn, {})
    return result.description.tags if result.description else None
