"""What the page's own script works with: every volume in columns, packed."""

import gzip
import json
from base64 import b64encode
from collections.abc import Hashable
from datetime import datetime
from math import ceil, floor
from typing import Any

from scanner.inventory.arns import id_of
from scanner.inventory.records import TargetStatus, VerdictStatus, is_breach
from scanner.output.html.cells import NOT_READ, SIGNS
from scanner.output.html.facts import Facts
from scanner.output.text import printable, region_name
from scanner.policy.rater import CLOCK_TOLERANCE
from scanner.summary.past import key_of

STATUSES = (*(status.value for status in VerdictStatus), NOT_READ)
_NUMBER = {status: number for number, status in enumerate(STATUSES)}
_MIB = 1024 * 1024
_COLUMNS = (
    "id", "gateway", "size", "used", "status", "age", "rpo", "rule", "waived", "attached", "tags", "point", "most",
    "within", "since",
)  # fmt: skip


class _Index:
    """Numbers for values that repeat, in the order in which they are met."""

    def __init__(self) -> None:
        self.numbers: dict[Hashable, int] = {}

    def __call__(self, value: Hashable) -> int:
        return self.numbers.setdefault(value, len(self.numbers))

    def text(self, value: str | None) -> int | None:
        return None if value is None else self(value)

    @property
    def texts(self) -> list[str]:
        return [printable(str(value)) for value in self.numbers]


class _Tags:
    """Numbers for sets of tags."""

    def __init__(self) -> None:
        self.numbers: dict[tuple[tuple[str, str], ...], int] = {}

    def __call__(self, tags: dict[str, str] | None) -> int | None:
        if not tags:
            return None
        return self.numbers.setdefault(tuple(sorted(tags.items())), len(self.numbers))

    @property
    def texts(self) -> list[list[list[str]]]:
        return [[[printable(name), printable(value)] for name, value in tags] for tags in self.numbers]


def packed(text: str) -> str:
    """`text` gzipped, in characters that mean nothing to HTML; the browser inflates it."""
    # Without the time, the same inventory is the same page.
    return b64encode(gzip.compress(text.encode(), compresslevel=6, mtime=0)).decode()


def page_data(facts: Facts) -> str:
    """Everything for the script, as JSON; all text in it is printable."""
    data = {
        "statuses": STATUSES,
        "signs": SIGNS,
        "tolerance": round(CLOCK_TOLERANCE.total_seconds()),
        **_Volumes(facts).packed(),
    }
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


class _Volumes:
    """Every volume as a number in each column; what repeats stands once."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.known = {gateway.arn: gateway for gateway in facts.inventory.gateways}
        self.accounts, self.regions, self.partitions = _Index(), _Index(), _Index()
        self.rules, self.waivers, self.attached, self.tags = _Index(), _Index(), _Index(), _Tags()
        self.columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
        self.gateways: list[list[Any]] = []
        self.prefixes: list[str | None] = []
        self.numbers: dict[tuple[str, str, str | None, str], int] = {}
        self.arns: dict[int, str] = {}
        """The volumes whose ARN does not follow from their gateway's, by their row."""

    def packed(self) -> dict[str, Any]:
        # Accounts and Regions are numbered worst first, as the heat map has them.
        for row in self.facts.accounts:
            self.accounts(row.account)
        shown = [self.regions(region) for region in self.facts.regions]
        carried = self._fill()
        targets = [
            [
                self.accounts(one.account_id),
                self.regions(one.region),
                int(one.status is TargetStatus.COMPLETE),
            ]
            for one in self.facts.inventory.targets
            if one.status is not TargetStatus.SKIPPED
        ]
        return {
            "carried": carried,
            "past": bool(self.facts.danger),
            "shown": len(shown),
            "targets": targets,
            "accounts": [
                [account, *(printable(text or "") for text in self.facts.known.get(str(account), ("", "")))]
                for account in self.accounts.numbers
            ],
            "regions": [printable(region_name(str(region))) for region in self.regions.numbers],
            "partitions": self.partitions.texts,
            "rules": self.rules.texts,
            "waivers": self.waivers.texts,
            "attached": self.attached.texts,
            "tags": self.tags.texts,
            "gateways": self.gateways,
            "arns": self.arns,
            "columns": self.columns,
        }

    def _fill(self) -> int:
        """Adds every volume; says how many of them only earlier scans know."""
        last = {one.arn: one for one in self.facts.inventory.last_known}
        for volume in self.facts.inventory.volumes:
            verdict, one = volume.verdict, last.pop(volume.arn, None)
            danger = self.facts.danger.get(key_of(volume)) if is_breach(verdict) else None
            self._add(
                volume.arn,
                self._gateway(volume.account_id, volume.region, volume.gateway_arn, volume.arn),
                size=_mebibytes(volume.size_bytes),
                used=_mebibytes(volume.usage_bytes),
                status=_NUMBER[verdict.status.value],
                age=_whole(verdict.age_seconds),
                rpo=_whole(verdict.rpo_seconds if one is None else one.rpo_seconds),
                rule=self.rules.text(verdict.rule),
                waived=self.waivers.text(verdict.waived),
                attached=self.attached.text(volume.attachment_status),
                tags=self.tags(volume.tags),
                point=_moment(one.recovery_point_time) if one else None,
                most=_whole(one.at_most_age_seconds) if one else None,
                within=one.within_rpo if one else None,
                since=_moment(danger.since) if danger else None,
            )
        for one in last.values():
            self._add(
                one.arn,
                self._gateway(one.account_id, one.region, one.gateway_arn, one.arn),
                status=_NUMBER[NOT_READ],
                rpo=_whole(one.rpo_seconds),
                point=_moment(one.recovery_point_time),
                most=_whole(one.at_most_age_seconds),
                within=one.within_rpo,
            )
        return len(last)

    def _add(self, arn: str, gateway: int, **values: int | None) -> None:
        identifier = id_of(arn)
        if arn != f"{self.prefixes[gateway]}/volume/{identifier}":
            self.arns[len(self.columns["id"])] = arn
        self.columns["id"].append(identifier.removeprefix("vol-"))
        self.columns["gateway"].append(gateway)
        for name in _COLUMNS[2:]:
            self.columns[name].append(values.get(name))

    def _gateway(self, account: str, region: str, arn: str | None, volume: str) -> int:
        """The number of a gateway, also of one that no listing named, or of what has none in a target."""
        partition = volume.split(":", 2)[1]
        key = (account, region, arn, partition)
        if key not in self.numbers:
            self.numbers[key] = len(self.gateways)
            self.prefixes.append(arn)
            listed = self.known.get(arn or "")
            self.gateways.append(
                [
                    None if arn is None else id_of(arn),
                    printable(listed.name or "") if listed else "",
                    self.accounts(account),
                    self.regions(region),
                    _moment(listed.observed_at) if listed else None,
                    self.partitions(partition),
                    self.tags(listed.tags) if listed else None,
                ]
            )
        return self.numbers[key]


def _whole(seconds: float | None) -> int | None:
    # Away from zero: what is a little over a bound, or a little too far ahead, stays so in whole seconds.
    return None if seconds is None else ceil(seconds) if seconds > 0 else floor(seconds)


def _moment(time: datetime | None) -> int | None:
    return None if time is None else round(time.timestamp())


def _mebibytes(count: int | None) -> int | None:
    return None if count is None else round(count / _MIB)
