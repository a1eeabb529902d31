"""Sorted lines of several parts, read once: what is claimed twice, what is missing, and the records that stand."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

from scanner.errors import MergeError
from scanner.inventory.records import (
    ANY_REGION,
    CallCounts,
    Coverage,
    Failure,
    FailureKind,
    FailureScope,
    GatewayStatus,
    TargetStatus,
    VerdictStatus,
    coverage_of,
)
from scanner.inventory.spooled import SpooledInventory

SEPARATOR = b"\0"
Fields = list[bytes]
_ANY_REGION = ANY_REGION.encode()
_TARGET, _GATEWAY = b"t", b"g"
_TARGETS, _GATEWAYS, _LAST_KNOWN = b"123"


@dataclass(slots=True)
class Counts:
    """What one part holds, counted as it is read.

    `gateways_left` and `volumes_left` are sums over its targets of a hash of each, as often as the target counts
    gateways and volumes, less that of each record's target: zero where every target has as many as it counts.
    """

    source: str
    targets: Counter[bytes] = field(default_factory=Counter)
    listed: int = 0
    gateways: Counter[bytes] = field(default_factory=Counter)
    verdicts: Counter[bytes] = field(default_factory=Counter)
    waived: int = 0
    gateways_left: int = 0
    volumes_left: int = 0

    def coverage(self, calls: CallCounts) -> Coverage:
        """What follows from the counts."""
        return coverage_of(
            {TargetStatus(status.decode()): count for status, count in self.targets.items()},
            self.listed,
            {GatewayStatus(status.decode()): count for status, count in self.gateways.items()},
            {VerdictStatus(status.decode()): count for status, count in self.verdicts.items()},
            self.waived,
            calls,
        )


@dataclass(slots=True)
class _Open:
    """Of the account and the Region whose lines are being read: what came so far."""

    operations: set[tuple[str, FailureKind]] = field(default_factory=set)
    account_failed: bool = False
    targets: int = 0
    failed: bool = False
    counting: bool = False
    broken: int = 0
    target: Fields | None = None

    def begin_region(self) -> None:
        self.failed = self.counting = False
        self.broken, self.target = 0, None


@dataclass(slots=True)
class Audit:
    """Puts what stands into `whole`; raises MergeError for a target that two parts claim, and `check` for the rest.

    It holds what is of one target, and what failed: never all of a fleet.
    """

    whole: SpooledInventory
    parts: dict[bytes, Counts]
    _dropped: Counter[bytes] = field(default_factory=Counter)
    """Targets that stand for Regions which are not known, and that another part has, too."""
    _failed_gateways: set[bytes] = field(default_factory=set)
    _met: int = 0
    _problem: str | None = None
    """The first; it is told once every part is known to be whole."""
    _short: dict[tuple[bytes, bytes], list[int]] = field(default_factory=dict)
    """Targets with broken entries in their listing: gateways that are not met yet, and how many may stay so."""
    _without_gateway: dict[tuple[bytes, bytes], bytes] = field(default_factory=dict)
    """Targets of volumes whose gateway is not there, which only a target that is not complete may have."""

    def read(self, lines: Iterable[bytes]) -> None:
        for area, group in groupby(lines, itemgetter(0)):
            if area == _TARGETS:
                self._read_targets(group)
            elif area == _GATEWAYS:
                self._read_gateways(group)
            else:
                for line in group:
                    self.whole.last_known.append(line.rpartition(SEPARATOR)[2])

    def check(self) -> None:
        """Raises MergeError unless all that was read agrees, and every target has what it counts."""
        for counts in self.parts.values():
            for left, name in ((counts.gateways_left, "gateways"), (counts.volumes_left, "volumes")):
                if left:
                    self._note(f"the targets of {counts.source} count other {name} than it holds")
        for (region, account), (left, broken) in self._short.items():
            if not 0 <= left <= broken:
                place = f"{account.decode()} {region.decode()}"
                self._note(f"target {place} counts other gateways than its failures name")
        if self._met < len(self._failed_gateways):
            self._note("a failure is of a gateway that its target does not hold")
        if self._without_gateway:
            self._check_incomplete()
        if self._problem:
            raise MergeError(f"the inventories contradict each other: {self._problem}")

    def coverage(self, calls: CallCounts) -> Coverage:
        """That of the whole."""
        whole = Counts("the whole")
        for counts in self.parts.values():
            whole.targets.update(counts.targets)
            whole.gateways.update(counts.gateways)
            whole.verdicts.update(counts.verdicts)
            whole.listed += counts.listed
            whole.waived += counts.waived
        whole.targets.subtract(self._dropped)
        return whole.coverage(calls)

    def _read_targets(self, lines: Iterator[bytes]) -> None:
        """Of each account its failures and then, by Region, failures before the target."""
        account = region = b""
        now = _Open()
        for line in lines:
            fields = line.split(SEPARATOR)
            if fields[0] != account:
                self._end_region(account, region, now)
                self._end_account(account, now)
                account, region, now = fields[0], fields[1], _Open()
            elif fields[1] != region:
                self._end_region(account, region, now)
                region = fields[1]
                now.begin_region()
            if fields[2] == _TARGET:
                self._take_target(fields, now)
            else:
                self._take_failure(fields, now)
        self._end_region(account, region, now)
        self._end_account(account, now)

    def _take_target(self, fields: Fields, now: _Open) -> None:
        account, region, _, part, status, unlisted, gateways, volumes, payload = fields
        counts = self.parts[part]
        counts.targets[status] += 1
        other, now.target = now.target, fields
        if other:
            if region != _ANY_REGION or other[3] == part:
                raise self._claimed(account, region, other[3], part)
            # Where they differ, the one that failed stands, whatever the order of the parts.
            now.target = max(other, fields, key=lambda one: (one[4] == b"failed", one[-1]))
            self._dropped[(other if now.target is fields else fields)[4]] += 1
            return
        now.targets += 1
        complete = status == b"complete"
        if not complete and status != b"skipped" and not (now.account_failed or now.counting):
            self._note(f"{_place(account, region)} is {status.decode()} but has no failure")
        if complete and (now.counting or unlisted):
            self._note(f"{_place(account, region)} is complete but has a failure")
        if gateways != b"0" or volumes != b"0":
            counts.listed += int(gateways)
            key = region, account[1:]
            if now.broken:
                self._short[key] = [int(gateways), now.broken]
            else:
                counts.gateways_left += int(gateways) * hash(key)
            counts.volumes_left += int(volumes) * hash(key)
        if region != _ANY_REGION:
            self.whole.targets.append(payload)

    def _take_failure(self, fields: Fields, now: _Open) -> None:
        failure = Failure.__pydantic_validator__.validate_json(fields[-1])
        if failure.scope is FailureScope.ACCOUNT:
            # It stands for all targets of the account, so each part that holds some of them carries it.
            cause = failure.operation, failure.kind
            if cause in now.operations:
                return
            now.operations.add(cause)
            now.account_failed |= failure.waived is None
        else:
            now.failed = True
            now.counting |= failure.waived is None
            now.broken += (
                failure.scope is FailureScope.TARGET and failure.kind is FailureKind.INVALID_RESPONSE
            )
            if failure.gateway_arn:
                self._failed_gateways.add(failure.gateway_arn.encode())
        self.whole.failures.append(fields[-1])

    def _end_account(self, account: bytes, now: _Open) -> None:
        if now.operations and not now.targets:
            self._note(f"a failure of {account[1:].decode()} has no account in the inventory")

    def _end_region(self, account: bytes, region: bytes, now: _Open) -> None:
        if now.failed and not now.target:
            self._note(f"a failure in {account[1:].decode()} {region.decode()} has no target")
        if now.target and region == _ANY_REGION:
            self.whole.targets.append(now.target[-1])

    def _read_gateways(self, lines: Iterator[bytes]) -> None:
        """Of each target its gateways and then its volumes."""
        for place, group in groupby(lines, lambda line: line.partition(SEPARATOR)[0]):
            region, account = place.split(b":")[3:5]
            self._read_target(group, place[1:], (region, account))

    def _read_target(self, lines: Iterator[bytes], place: bytes, key: tuple[bytes, bytes]) -> None:
        gateways: set[bytes] = set()
        ids: set[bytes] = set()
        hashed, short, held = hash(key), self._short.get(key), None
        for line in lines:
            fields = line.split(SEPARATOR)
            if fields[1] == _GATEWAY:
                _, _, arn, part, status, payload = fields
                if arn in gateways:
                    self._note(f"gateway {arn.decode()} stands twice")
                gateways.add(arn)
                counts = self.parts[part]
                counts.gateways[status] += 1
                self._check_failed(arn, status)
                if short:
                    short[0] -= 1
                else:
                    counts.gateways_left -= hashed
                self.whole.gateways.append(payload)
                continue
            # A volume that was moved during a scan was written twice: the later line stands.
            if held and (held[2] != fields[2] or held[3] != fields[3]):
                self._keep_volume(held, gateways, ids, place, key)
            held = fields
        if held:
            self._keep_volume(held, gateways, ids, place, key)

    def _check_failed(self, arn: bytes, status: bytes) -> None:
        if arn in self._failed_gateways:
            self._met += 1
        elif status == b"failed":
            self._note(f"gateway {arn.decode()} is failed but has no failure")

    def _keep_volume(
        self, fields: Fields, gateways: set[bytes], ids: set[bytes], place: bytes, key: tuple[bytes, bytes]
    ) -> None:
        _, _, arn, part, _, status, excused, gateway_arn, payload = fields
        # An ARN has two forms, and may name a gateway that held the volume before: the id alone tells.
        volume_id = arn.rpartition(b"/")[2]
        if volume_id in ids:
            self._note(f"volume {arn.decode()} stands twice")
        ids.add(volume_id)
        if gateway_arn not in gateways:
            if status != b"unknown":
                self._note(f"volume {arn.decode()} is {status.decode()}, but no gateway answered for it")
            if gateway_arn and not gateway_arn.startswith(place):
                self._note(f"volume {arn.decode()} belongs to another target than its gateway")
            if gateway_arn:
                self._without_gateway[key] = arn
        counts = self.parts[part]
        counts.verdicts[status] += 1
        counts.waived += bool(excused)
        counts.volumes_left -= hash(key)
        self.whole.volumes.append(payload)

    def _check_incomplete(self) -> None:
        for target in self.whole.targets:
            arn = self._without_gateway.get((target.region.encode(), target.account_id.encode()))
            if arn and target.status is TargetStatus.COMPLETE:
                self._note(f"volume {arn.decode()} has no gateway")

    def _note(self, problem: str) -> None:
        self._problem = self._problem or problem

    def _claimed(self, account: bytes, region: bytes, one: bytes, other: bytes) -> MergeError:
        sources = " and ".join(dict.fromkeys((self.parts[one].source, self.parts[other].source)))
        return MergeError(
            f"two inventories claim the target {account[1:].decode()} in {region.decode()}, "
            f"{sources}; merge only one of them"
        )


def _place(account: bytes, region: bytes) -> str:
    return f"target {account[1:].decode()} {region.decode()}"
