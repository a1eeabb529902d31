"""Parts of a scan as one inventory, in memory that does not grow with them.

Every record becomes a line that begins with what it is sorted by. Sorted, the lines of a target stand side by side,
whichever part they come from: one reading of them finds what is claimed twice, and whether all is accounted for.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from pydantic import ValidationError

from scanner.errors import ConfigError, MergeError
from scanner.inventory.arns import GATEWAY_ARN, VOLUME_ARN
from scanner.inventory.audit import Audit, Counts
from scanner.inventory.joined import merged_calls, merged_scan
from scanner.inventory.line_sorter import LineSorter
from scanner.inventory.parts import records_of
from scanner.inventory.read import lacks_records, not_whole
from scanner.inventory.record_rules import problems_of
from scanner.inventory.records import (
    Coverage,
    Failure,
    Gateway,
    LastKnown,
    Record,
    ScanInfo,
    Target,
    Volume,
    as_json,
    is_excused,
    outcome_of,
)
from scanner.inventory.spooled import SpooledInventory

_CONTROL = re.compile("[\0-\n]")
_TEXT, _COUNT = rb'"[ !#-\[\]-~]*"', rb"(0|[1-9][0-9]{0,17})"
_TARGET_LINE = re.compile(
    rb'\{"record":"target",("account_id":"([0-9]{12})","account_name":(?:null|%b),(?:"ou_path":%b,)?'
    rb'"region":"([a-z0-9-]+)","status":"(complete|partial|failed)","reason":null,'
    rb'"gateways":%b,"volumes":%b,"volumes_listed":(true|false|null)\})\n' % (_TEXT, _TEXT, _COUNT, _COUNT)
)
"""One that was not skipped. Groups: all but the kind, account, Region, status, gateways, volumes, volumes_listed."""


def merge_parts(parts: Iterable[tuple[str, BinaryIO]]) -> SpooledInventory:
    """The inventory of different targets in these files, each with its name, as one; close it after use.

    Of an NDJSON part the suffix of its name tells. Raises MergeError when there is none, when two claim the same
    target or contradict each other, and ConfigError for a part that is no whole inventory. What the disk refuses to
    hold is an OSError.
    """
    with LineSorter() as sorter:
        taken = [
            _Part(f"{number:06d}", source).take(stream, sorter)
            for number, (source, stream) in enumerate(parts, 1)
        ]
        if not taken:
            raise MergeError("there is no inventory to merge")
        scan = merged_scan([part.whole_scan for part in taken])
        whole = SpooledInventory(scan, taken[0].whole_coverage)
        try:
            audit = Audit(whole, {part.name.encode(): part.counts for part in taken})
            audit.read(sorter.sorted())
            for part in taken:
                part.check()
            audit.check()
        except BaseException:
            whole.close()
            raise
    calls = merged_calls([part.whole_coverage.calls for part in taken])
    whole.coverage = audit.coverage(calls)
    outcome = outcome_of(whole.coverage.targets, scan.missing_shards)
    whole.scan = scan.model_copy(update={"outcome": outcome})
    return whole


@dataclass(slots=True)
class _Part:
    """One of the files, and what was counted in it so far."""

    name: str
    source: str
    counts: Counts = field(init=False)
    scan: list[ScanInfo] = field(default_factory=list)
    coverage: list[Coverage] = field(default_factory=list)
    _name: bytes = field(init=False)
    _volumes: int = 0

    def __post_init__(self) -> None:
        self._name = self.name.encode()
        self.counts = Counts(self.source)

    def take(self, stream: BinaryIO, sorter: LineSorter) -> "_Part":
        """Has all records of the part sorted."""
        lines: dict[str, Callable[[Any], bytes]] = {
            "target": self._target,
            "gateway": self._gateway,
            "volume": self._volume,
            "failure": self._failure,
            "last_known": self._last_known,
        }

        def take_as_written(line: bytes) -> bool:
            taken = self._as_written(line)
            if taken:
                sorter.add(taken)
            return taken is not None

        for kind, record in _reading(records_of(stream, self.source, take_as_written), self.source):
            if kind in lines:
                sorter.add(lines[kind](record))
            elif isinstance(record, ScanInfo):
                self.scan.append(record)
            elif isinstance(record, Coverage):
                self.coverage.append(record)
        if len(self.scan) != 1 or len(self.coverage) != 1:
            raise not_whole(self.source)
        self._check_alone(self.coverage[0])
        return self

    @property
    def whole_scan(self) -> ScanInfo:
        return self.scan[0]

    @property
    def whole_coverage(self) -> Coverage:
        return self.coverage[0]

    def check(self) -> None:
        """Raises ConfigError unless the part held all that its coverage counts."""
        try:
            counted = self.counts.coverage(self.whole_coverage.calls)
        except ValidationError:
            # Targets with fewer gateways than there are.
            counted = None
        if counted != self.whole_coverage:
            raise lacks_records(self.source)

    def _as_written(self, line: bytes) -> bytes | None:
        """A target's line as we write it: nearly all of a fleet, so it is not parsed. None for any other line."""
        found = _TARGET_LINE.fullmatch(line)
        if not found or (found[4] == b"failed" and found[5] != b"0"):
            return None
        text, account, region, status, gateways, volumes, listed = found.groups()
        unlisted = b"unlisted" if listed == b"false" else b""
        return b"1%b\0%b\0t\0%b\0%b\0%b\0%b\0%b\0{%b" % (
            account,
            region,
            self._name,
            status,
            unlisted,
            gateways,
            volumes,
            text,
        )

    def _target(self, target: Target) -> bytes:
        self._check_alone(target)
        unlisted = "unlisted" if target.volumes_listed is False else ""
        place = f"1{target.account_id}\0{_key(target.region)}\0t\0{self.name}\0{target.status}\0{unlisted}\0"
        return f"{place}{target.gateways}\0{target.volumes}\0".encode() + as_json(target)

    def _failure(self, failure: Failure) -> bytes:
        self._check_alone(failure)
        arn, operation = _key(failure.gateway_arn or ""), _key(failure.operation)
        place = f"1{failure.account_id}\0{_key(failure.region or '')}\0f\0{arn}\0{operation}\0"
        return place.encode() + as_json(failure)

    def _gateway(self, gateway: Gateway) -> bytes:
        self._check_alone(gateway)
        target = _target_in(GATEWAY_ARN, gateway.arn)
        place = f"2{target}\0g\0{gateway.arn}\0{self.name}\0{gateway.status}\0"
        return place.encode() + as_json(gateway)

    def _volume(self, volume: Volume) -> bytes:
        self._check_alone(volume)
        self._volumes += 1
        verdict = volume.verdict
        excused = "excused" if is_excused(verdict) else ""
        place = (
            f"2{_target_in(VOLUME_ARN, volume.arn)}\0v\0{volume.arn}\0{self.name}\0{self._volumes:012d}\0"
            f"{verdict.status}\0{excused}\0{_key(volume.gateway_arn or '')}\0"
        )
        return place.encode() + as_json(volume)

    def _last_known(self, known: LastKnown) -> bytes:
        return f"3{_key(known.arn)}\0".encode() + as_json(known)

    def _check_alone(self, record: Record) -> None:
        for problem in problems_of(record):
            raise ConfigError(f"{self.source}: is no inventory: {problem}")


def _reading(records: Iterator[tuple[str, Record]], source: str) -> Iterator[tuple[str, Record]]:
    try:
        yield from records
    except OSError as error:
        raise ConfigError(f"{source}: {error.strerror or error}") from None


def _target_in(pattern: re.Pattern[str], arn: str) -> str:
    """The part of a checked ARN that tells partition, Region and account, with the colon behind it."""
    found = pattern.fullmatch(arn)
    if not found:
        raise ValueError(f"{arn} is no ARN")
    return arn[: found.end(3) + 1]


def _key(text: str) -> str:
    """`text` without what separates fields and lines, in the same order as before."""
    return text if text.isprintable() else _CONTROL.sub(lambda found: "\1" + chr(32 + ord(found[0])), text)
