"""What is known of one gateway, as records of the inventory: the gateway, and its volumes with verdicts."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scanner.inventory.records import Gateway, GatewayStatus, Verdict, Volume
from scanner.policy.rules import Rater
from scanner.service.answers import RecoveryPoint

if TYPE_CHECKING:
    from scanner.engine.gateway import GatewayScan


def gateway_of(scan: "GatewayScan") -> Gateway:
    """The gateway as its listing, its details and its tags tell."""
    record, facts = scan.record, scan.facts
    return Gateway(
        arn=scan.arn,
        id=_id(scan.arn),
        name=record.name,
        account_id=scan.target.place.account_id,
        region=scan.target.place.region,
        type=record.type,
        operational_state=record.operational_state,
        host_environment=record.host_environment,
        ec2_instance_id=record.ec2_instance_id,
        software_version=record.software_version,
        deprecation_date=record.deprecation_date,
        status=scan.status,
        observed_at=scan.observed_at,
        details=facts.details if facts else None,
        tags=_gateway_tags(scan),
    )


def volumes_of(scan: "GatewayScan", rater: Rater) -> Iterator[Volume]:
    """The gateway's volumes: those with a recovery point, and those that only the details know."""
    if scan.status in (GatewayStatus.VANISHED, GatewayStatus.NOT_APPLICABLE):
        return
    read = {record.arn: record for record in scan.points.volumes} if scan.points else {}
    for arn in {**read, **scan.listed}:
        yield _volume(scan, arn, read.get(arn), rater)


def _volume(scan: "GatewayScan", arn: str, record: RecoveryPoint | None, rater: Rater) -> Volume:
    listed, described = scan.listed.get(arn), scan.described.get(arn)
    tags = None if scan.target.tags is None else scan.target.tags.get(arn, {})
    sizes = [each.size_bytes for each in (record, described, listed) if each]
    usages = [each.usage_bytes for each in (record, described) if each]
    attachments = [each.attachment_status for each in (described, listed) if each]
    return Volume(
        arn=arn,
        id=_id(arn),
        gateway_arn=scan.arn,
        account_id=scan.target.place.account_id,
        region=scan.target.place.region,
        size_bytes=next((size for size in sizes if size is not None), None),
        usage_bytes=next((usage for usage in usages if usage is not None), None),
        recovery_point_time=record.time if record else None,
        attachment_status=next((status for status in attachments if status is not None), None),
        details=described.details if described else None,
        tags=tags,
        verdict=_verdict(scan, arn, record, tags, rater),
    )


def _verdict(
    scan: "GatewayScan", arn: str, record: RecoveryPoint | None, tags: dict[str, str] | None, rater: Rater
) -> Verdict:
    target = scan.target
    return rater.verdict(
        volume_arn=arn,
        volume_id=_id(arn),
        volume_tags=tags,
        recovery_point_time=record.time if record else None,
        gateway_arn=scan.arn,
        gateway_id=_id(scan.arn),
        gateway_name=scan.record.name,
        gateway_tags=_gateway_tags(scan),
        account_id=target.place.account_id,
        account_name=target.account_name,
        region=target.place.region,
        account_rpo=target.account_rpo,
        # Without an answer there is no moment of it; waivers then hold by the local clock.
        observed_at=scan.observed_at or datetime.now(UTC),
        gateway_failed=scan.points is None,
    )


def _gateway_tags(scan: "GatewayScan") -> dict[str, str] | None:
    if scan.target.tags is not None:
        return scan.target.tags.get(scan.arn, {})
    return scan.facts.tags if scan.facts else None


def _id(arn: str) -> str:
    return arn.rpartition("/")[2]
