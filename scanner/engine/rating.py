"""What is known of one gateway, as records of the inventory: the gateway, and its volumes with verdicts."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from scanner.engine.context import TargetContext
from scanner.engine.gateway import GatewayResult
from scanner.inventory.arns import id_of
from scanner.inventory.records import Gateway, Volume
from scanner.service.answers import RecoveryPoint


def gateway_of(target: TargetContext, result: GatewayResult) -> Gateway:
    """The gateway's record, from its listing, its description and its tags."""
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
    """The gateway's volumes: those with a recovery point, and those that only ListVolumes names."""
    points = result.points.volumes if result.points else ()
    read = {target.canonical(point.arn): point for point in points}
    listed = (volume.arn for volume in target.volumes.held_by(result.arn, result.listing.type))
    for arn in {**read, **dict.fromkeys(listed)}:
        yield _volume(target, arn, read.get(arn), result)


def volumes_outside(target: TargetContext, gateways: Iterable[str]) -> tuple[Volume, ...]:
    """The volumes that ListVolumes names and none of these gateways holds: nobody could be asked about them."""
    return tuple(_volume(target, volume.arn) for volume in target.volumes.take_outside(gateways))


def _volume(
    target: TargetContext, arn: str, point: RecoveryPoint | None = None, result: GatewayResult | None = None
) -> Volume:
    listed = target.volumes.find(arn)
    described = result.described.get(arn) if result else None
    gateway_arn = result.arn if result else listed.gateway_arn if listed else None
    observed_at = result.points.observed_at if result and result.points else None
    tags = (
        None
        if target.tags is None
        else _volume_tags(target.tags, arn, *(each.arn for each in (point, listed) if each))
    )
    sizes = [each.size_bytes for each in (point, described, listed) if each]
    usages = [each.usage_bytes for each in (point, described) if each]
    attachments = [each.attachment_status for each in (described, listed) if each]
    identifier = id_of(arn)
    return Volume(
        arn=arn,
        id=identifier,
        gateway_arn=gateway_arn,
        account_id=target.key.account_id,
        region=target.key.region,
        size_bytes=next((size for size in sizes if size is not None), None),
        usage_bytes=next((usage for usage in usages if usage is not None), None),
        recovery_point_time=point.time if point else None,
        attachment_status=next((status for status in attachments if status is not None), None),
        details=described.details if described else None,
        tags=tags,
        verdict=target.rater.verdict(
            volume_arn=arn,
            volume_id=identifier,
            volume_tags=tags,
            recovery_point_time=point.time if point else None,
            gateway_arn=gateway_arn,
            gateway_id=id_of(gateway_arn) if gateway_arn else None,
            gateway_name=result.listing.name if result else None,
            gateway_tags=_gateway_tags(target, result) if result else {},
            account_id=target.key.account_id,
            account_name=target.account_name,
            region=target.key.region,
            account_rpo=target.account_rpo,
            # Without an answer there is no service time, so waivers are judged by the local clock.
            observed_at=observed_at or datetime.now(UTC),
            gateway_failed=observed_at is None,
        ),
    )


def _volume_tags(tags: dict[str, dict[str, str]], *arns: str) -> dict[str, str]:
    return next((tags[arn] for arn in arns if arn in tags), {})


def _gateway_tags(target: TargetContext, result: GatewayResult) -> dict[str, str] | None:
    if target.tags is not None:
        return target.tags.get(result.arn, {})
    return result.description.tags if result.description else None
