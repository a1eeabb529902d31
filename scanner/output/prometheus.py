"""A scan as Prometheus text, for node_exporter's textfile collector; the names end up in alert rules."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO

from scanner.inventory.arns import id_of
from scanner.inventory.contents import Contents
from scanner.inventory.records import (
    IN_DANGER,
    FailureKind,
    GatewayStatus,
    LastKnown,
    Outcome,
    TargetStatus,
    VerdictStatus,
    Volume,
    is_breach,
)
from scanner.inventory.spooled import SpooledRecords

Sample = tuple[str, float | int | None]
"""Labels as they are written, and a value; `None` is not known and stands nowhere."""

_BATCH = 4096


@dataclass(frozen=True)
class Metric:
    """A gauge: a scan is a snapshot, so nothing here only ever grows."""

    name: str
    help: str
    labels: tuple[str, ...] = ()

    def labelled(self, *values: str | None) -> str:
        """The labels with `values`, as they stand behind the name."""
        pairs = zip(self.labels, values, strict=True)
        return "{" + ",".join(f'{name}="{escaped(value or "")}"' for name, value in pairs) + "}"


def escaped(text: str) -> str:
    """`text` as a label's value: backslash, quote and newline are all that the format asks for."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


_TARGET = ("account_id", "region")
_VOLUME = (*_TARGET, "gateway_id", "volume_id")

AGE = Metric("sgw_volume_recovery_point_age_seconds", "Age of the recovery point when read.", _VOLUME)
RPO = Metric("sgw_volume_rpo_seconds", "Greatest age that the policy allows.", _VOLUME)
SIZE = Metric("sgw_volume_size_bytes", "Size of the volume.", _VOLUME)
USAGE = Metric("sgw_volume_usage_bytes", "How much of the volume is used.", _VOLUME)
WAIVED = Metric("sgw_volume_waived", "1 for each volume that a waiver excuses.", _VOLUME)
STALE = Metric(
    "sgw_volume_stale", "1 where a volume was not read, and its series are the last known.", _VOLUME
)
AT_MOST = Metric(
    "sgw_volume_last_known_age_seconds",
    "Greatest age that the point of a stale volume can have by now.",
    _VOLUME,
)
BREACHES = Metric("sgw_breaches", "Volumes in breach or without recovery point, not waived.", _TARGET)
STALE_BREACHES = Metric("sgw_breaches_stale", "Of which not read, and so when last seen.", _TARGET)
VOLUMES = Metric("sgw_volumes", "Volumes by verdict, waived ones included.", (*_TARGET, "verdict"))
COMPLETE = Metric("sgw_target_complete", "1 where an account's Region was read completely, else 0.", _TARGET)
TARGETS = Metric("sgw_targets", "Accounts in Regions, by what became of them.", ("status",))
GATEWAYS = Metric("sgw_gateways", "Gateways listed, by what became of them.", ("status",))
FAILURES = Metric("sgw_failures", "What could not be read and is not waived, by kind.", ("kind",))
OUTCOME = Metric("sgw_scan_outcome", "1 for the outcome of the last scan, 0 for the others.", ("outcome",))
DURATION = Metric("sgw_scan_duration_seconds", "How long the last scan took.")
FINISHED = Metric("sgw_scan_last_finish_timestamp_seconds", "When the last scan ended, however it ended.")
SUCCESS = Metric(
    "sgw_scan_last_success_timestamp_seconds", "When the last scan ended, if it was complete; else absent."
)
CALLS = Metric("sgw_scan_api_calls", "Storage Gateway calls sent.")
RETRIED = Metric("sgw_scan_api_calls_retried", "Of which beyond a call's first try.")
THROTTLED = Metric("sgw_scan_api_calls_throttled", "Of which the service throttled.")
GATEWAY = Metric("sgw_gateway_info", "A gateway's name.", (*_TARGET, "gateway_id", "gateway_name"))
ACCOUNT = Metric("sgw_account_info", "An account's name.", ("account_id", "account_name"))

METRICS = (
    OUTCOME, DURATION, FINISHED, SUCCESS, CALLS, RETRIED, THROTTLED, TARGETS, GATEWAYS, FAILURES,
    COMPLETE, BREACHES, STALE_BREACHES, VOLUMES, AGE, RPO, SIZE, USAGE, WAIVED, STALE, AT_MOST, GATEWAY, ACCOUNT,
)  # fmt: skip


def write(
    inventory: Contents, stream: BinaryIO, *, fleet: str | None = None, each_volume: bool = True
) -> None:
    """Writes every metric with its HELP and TYPE, without timestamps, ending in a newline.

    `fleet` is a label of each: two files in one folder of a collector then hide nothing of each other.
    `each_volume`: those that have a series for each volume, too.
    """
    of = f'fleet="{escaped(fleet)}"' if fleet else ""
    for metric, samples in _samples(inventory, each_volume):
        # A family without samples is left out: HELP alone would promise what is not there.
        lines: list[str] = []
        named = False
        for labels, value in samples:
            if value is None:
                continue
            if not named:
                lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} gauge"]
                named = True
            lines.append(f"{metric.name}{_joined_labels(of, labels)} {value}")
            if len(lines) >= _BATCH:
                stream.write(_joined(lines))
                lines.clear()
        stream.write(_joined(lines))


def _joined_labels(of: str, labels: str) -> str:
    if not of:
        return labels
    return f"{{{of},{labels[1:]}" if labels else f"{{{of}}}"


def _joined(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _samples(inventory: Contents, each_volume: bool) -> Iterator[tuple[Metric, Iterable[Sample]]]:
    yield from _scan(inventory)
    yield from _coverage(inventory)
    yield from _verdicts(inventory)
    if each_volume:
        yield from _volumes(inventory)
    # Names stand apart: a renamed gateway then breaks no series of its volumes. A gateway without one has
    # an empty name rather than no series, or whoever joins the names would lose its volumes.
    gateways = inventory.gateways
    yield GATEWAY, ((GATEWAY.labelled(one.account_id, one.region, one.id, one.name), 1) for one in gateways)
    names = {target.account_id: target.account_name for target in inventory.targets}
    yield ACCOUNT, ((ACCOUNT.labelled(*each), 1) for each in names.items() if each[1] is not None)


def _volumes(inventory: Contents) -> Iterator[tuple[Metric, Iterable[Sample]]]:
    series = _series(inventory)
    stale = {_stale_labels(known): known for known in inventory.last_known}
    # Of what was not read the last known stands, and two samples of one series would spoil the file.
    ages = ((label, each.verdict.age_seconds) for label, each in series() if label not in stale)
    yield AGE, chain(ages, ((label, _age_when_seen(known)) for label, known in stale.items()))
    rpos = ((label, each.verdict.rpo_seconds) for label, each in series() if label not in stale)
    yield RPO, chain(rpos, ((label, known.rpo_seconds) for label, known in stale.items()))
    yield SIZE, ((label, each.size_bytes) for label, each in series())
    yield USAGE, ((label, each.usage_bytes) for label, each in series())
    yield WAIVED, ((label, None if each.verdict.waived is None else 1) for label, each in series())
    yield STALE, ((label, 1) for label in stale)
    yield AT_MOST, ((label, known.at_most_age_seconds) for label, known in stale.items())


def _series(inventory: Contents) -> Callable[[], Iterable[tuple[str, Volume]]]:
    """What gives each volume with its labels, as often as it is called."""
    if isinstance(inventory.volumes, SpooledRecords):
        return lambda: ((_labels(volume), volume) for volume in inventory.volumes)
    # All families of a volume have the same labels: written once, they cost a quarter.
    pairs = [(_labels(volume), volume) for volume in inventory.volumes]
    return lambda: pairs


def _labels(volume: Volume) -> str:
    gateway_id = id_of(volume.gateway_arn) if volume.gateway_arn else ""
    return AGE.labelled(volume.account_id, volume.region, gateway_id, volume.id)


def _stale_labels(known: LastKnown) -> str:
    gateway_id = id_of(known.gateway_arn) if known.gateway_arn else ""
    return AGE.labelled(known.account_id, known.region, gateway_id, id_of(known.arn))


def _age_when_seen(known: LastKnown) -> float | None:
    point = known.recovery_point_time
    return (known.observed_at - point).total_seconds() if point else None


def _stale_breaches(inventory: Contents) -> Iterator[LastKnown]:
    """Volumes that needed action when they were last seen, and of which nobody knows whether they still do.

    Those that were seen to be detached, or whose gateway is gone, take no writes.
    """
    gone = {each.arn for each in inventory.gateways if each.status is GatewayStatus.VANISHED}
    idle = {
        (volume.account_id, volume.region, volume.id)
        for volume in inventory.volumes
        if volume.gateway_arn is None or volume.gateway_arn in gone
    }
    for known in inventory.last_known:
        in_danger = known.verdict in IN_DANGER and known.waived is None
        if in_danger and (known.account_id, known.region, id_of(known.arn)) not in idle:
            yield known


def _scan(inventory: Contents) -> Iterator[tuple[Metric, Iterable[Sample]]]:
    scan, calls = inventory.scan, inventory.coverage.calls
    finished = scan.finished_at.timestamp()
    yield OUTCOME, [(OUTCOME.labelled(outcome), int(outcome is scan.outcome)) for outcome in Outcome]
    yield DURATION, [("", (scan.finished_at - scan.started_at).total_seconds())]
    yield FINISHED, [("", finished)]
    yield SUCCESS, [("", finished if scan.outcome is Outcome.COMPLETE else None)]
    yield CALLS, [("", calls.attempted)]
    yield RETRIED, [("", calls.retried)]
    yield THROTTLED, [("", calls.throttled)]


def _coverage(inventory: Contents) -> Iterator[tuple[Metric, Iterable[Sample]]]:
    targets, gateways = inventory.coverage.targets, inventory.coverage.gateways
    kinds = Counter(failure.kind for failure in inventory.failures if failure.waived is None)
    yield TARGETS, [(TARGETS.labelled(status), getattr(targets, status)) for status in TargetStatus]
    yield GATEWAYS, [(GATEWAYS.labelled(status), getattr(gateways, status)) for status in GatewayStatus]
    # Kinds that did not occur are zero, so that an alert can tell their end from their absence.
    yield FAILURES, [(FAILURES.labelled(kind), kinds[kind]) for kind in FailureKind]
    asked = (target for target in inventory.targets if target.status is not TargetStatus.SKIPPED)
    yield COMPLETE, ((COMPLETE.labelled(*one.key), int(one.status is TargetStatus.COMPLETE)) for one in asked)


def _verdicts(inventory: Contents) -> Iterator[tuple[Metric, Iterable[Sample]]]:
    counts: Counter[tuple[str, str, VerdictStatus]] = Counter()
    breaches: Counter[tuple[str, str]] = Counter()
    for volume in inventory.volumes:
        counts[volume.account_id, volume.region, volume.verdict.status] += 1
        breaches[volume.account_id, volume.region] += is_breach(volume.verdict)
    # Where not every gateway was read, if only one that a waiver excuses, none found does not mean that there is
    # none: no zero stands there.
    found = {
        one.key: one.status is TargetStatus.COMPLETE
        for one in inventory.targets
        if one.gateways or one.volumes
    }
    unread = {
        (one.account_id, one.region)
        for one in inventory.gateways
        if one.status in (GatewayStatus.FAILED, GatewayStatus.VANISHED)
    }
    complete = {key for key, whole in found.items() if whole} - unread
    # A volume that cannot be read any more is not well because of that: it counts as it did when last seen.
    stale = Counter((known.account_id, known.region) for known in _stale_breaches(inventory))
    held = {key: breaches[key] + stale[key] for key in [*found, *sorted(stale.keys() - found.keys())]}
    yield (
        BREACHES,
        [(BREACHES.labelled(*key), number) for key, number in held.items() if number or key in complete],
    )
    yield STALE_BREACHES, [(STALE_BREACHES.labelled(*key), number) for key, number in sorted(stale.items())]
    yield (
        VOLUMES,
        [
            (VOLUMES.labelled(*key, status), counts[*key, status])
            for key in found
            for status in VerdictStatus
            if counts[*key, status] or key in complete
        ],
    )
