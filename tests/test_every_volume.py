"""The promise: each cached volume stands in every output once, or its target says that it was not read."""

import csv
import json
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import pytest
from prometheus_client.parser import text_string_to_metric_families

from scanner.config.settings import ScannerConfig
from scanner.inventory.collect import Collector
from scanner.inventory.model import Inventory
from scanner.inventory.records import FailureKind, TargetStatus
from scanner.output.outputs import Outputs
from scanner.service.answers import GatewayPage, ListedVolume, RecoveryPoint, RecoveryPoints, VolumePage
from scanner.service.errors import CallFailed, GatewayVanished
from scanner.service.protocol import TargetKey
from scanner.summary.statistics import Statistics
from tests.engine.simulated import NOW, SimulatedService, cached, config, events_of
from tests.output.fleet import written
from tests.virtual import run

PAGE = 3
"""Gateways and volumes on one page, so that small fleets have several."""


NO_POINT = 99
VERDICTS = {1: "ok", 3: "breach", NO_POINT: "no_recovery_point"}
"""By age in hours, for an RPO of two hours."""


class Held(NamedTuple):
    """What each may say of one volume, whose gateways are numbers. One that did not move is told of by one only."""

    listed_under: int | None
    """The gateway that ListVolumes names; None where it is detached."""
    ages: dict[int, int]
    """By gateway that has a record of it: its recovery point's age in hours, `NO_POINT` for a record without one."""
    new: bool = False
    """It came after ListVolumes, which does not name it."""


@dataclass
class Truth(SimulatedService):
    """A random fleet. Of each target: which gateway tells what of which volume, and what cannot be read."""

    seed: int = 0
    held: dict[TargetKey, dict[str, Held]] = field(default_factory=dict)
    broken: dict[tuple[TargetKey, object], CallFailed] = field(default_factory=dict)
    types: dict[TargetKey, list[str]] = field(default_factory=dict)

    def plan(self, place: TargetKey) -> None:
        if place in self.held:
            return
        dice = random.Random(f"{self.seed} {place}")
        self.types[place] = dice.choices(["CACHED", "STORED", "FILE_S3"], [6, 1, 1], k=dice.randint(0, 7))
        holders = [number for number, type in enumerate(self.types[place]) if type == "CACHED"]
        count = dice.randint(0, 12) if holders else 0
        self.held[place] = {f"vol-{number:08X}": self._volume(dice, holders) for number in range(count)}
        for number in holders:
            if dice.random() < 0.2:
                kind = dice.choice([FailureKind.GATEWAY_UNREACHABLE, FailureKind.ACCESS_DENIED])
                self.broken[place, number] = CallFailed.of(kind, "as injected")
            elif dice.random() < 0.1:
                self.broken[place, number] = GatewayVanished.of(FailureKind.INVALID_REQUEST, "gone")
        for listing in ("gateways", "volumes"):
            if dice.random() < 0.1:
                error = CallFailed.of(FailureKind.ACCESS_DENIED, "as injected")
                self.broken[place, (listing, dice.choice([None, str(PAGE)]))] = error

    @staticmethod
    def _volume(dice: random.Random, holders: list[int]) -> Held:
        if dice.random() < 0.1:
            return Held(None, {})
        holder = dice.choice(holders)
        ages = {holder: 1} if dice.random() < 0.7 else {}
        if dice.random() < 0.1:
            return Held(None, {holder: dice.choice([1, 3, NO_POINT])}, new=True)
        if dice.random() < 0.7:
            return Held(holder, ages)
        # Moved during the scan: ListVolumes names either gateway, and the other may know the same point, an older
        # one, or none.
        other = dice.choice(holders)
        if dice.random() < 0.6:
            ages.setdefault(other, dice.choice([1, 3, NO_POINT]))
        return Held(dice.choice([holder, other]), ages)

    def named(self, place: TargetKey) -> list[str]:
        """The volumes that ListVolumes names, on all of its pages."""
        return [name for name, volume in self.held[place].items() if not volume.new]

    def _page(self, place: TargetKey, listing: str, marker: str | None) -> int:
        error = self.broken.get((place, (listing, marker)))
        if error:
            raise error
        return int(marker or 0)

    def _read(self, place: TargetKey, listing: str, length: int) -> int:
        """So many entries of a listing are read before it breaks off."""
        if (place, (listing, None)) in self.broken:
            return 0
        return min(length, PAGE) if (place, (listing, str(PAGE))) in self.broken else length

    async def list_gateways(self, place: TargetKey, marker: str | None) -> GatewayPage:
        self.plan(place)
        start = self._page(place, "gateways", marker)
        listed = [cached(place, number, type) for number, type in enumerate(self.types[place])]
        end = start + PAGE
        return GatewayPage(tuple(listed[start:end]), str(end) if end < len(listed) else None)

    async def list_volumes(self, place: TargetKey, marker: str | None) -> VolumePage:
        start = self._page(place, "volumes", marker)
        listed = []
        for name in self.named(place):
            volume = self.held[place][name]
            holder = None if volume.listed_under is None else cached(place, volume.listed_under).arn
            status = "DETACHED" if holder is None else "ATTACHED"
            arn = f"{holder or cached(place, 0).arn}/volume/{name}"
            listed.append(ListedVolume(arn, 2**30, status, holder, "CACHED"))
        end = start + PAGE
        return VolumePage(tuple(listed[start:end]), str(end) if end < len(listed) else None)

    async def list_recovery_points(self, place: TargetKey, gateway_arn: str) -> RecoveryPoints:
        number = int(gateway_arn[-8:], 16)
        # Gateways answer in any order: none may win by being the last.
        await anyio.sleep(random.Random(f"{self.seed} {gateway_arn}").random())
        error = self.broken.get((place, number))
        if error:
            raise error
        return RecoveryPoints(
            NOW,
            tuple(
                RecoveryPoint(f"{gateway_arn}/volume/{name}", 2**30, None, _hours_ago(volume.ages[number]))
                for name, volume in self.held[place].items()
                if number in volume.ages
            ),
        )

    def expected(self, place: TargetKey) -> dict[str, tuple[str, str | None]]:
        """Verdict and gateway of every volume that can be known; there is no other right answer.

        Of what gateways answered the newest recovery point stands, and names its gateway. One that answered without a
        recovery point, be it that only ListVolumes puts the volume there, counts as older than any, and the last by
        ARN stands. Where none answered, nothing is known of the volume but where ListVolumes puts it.
        """
        listed = self.types[place][: self._read(place, "gateways", len(self.types[place]))]
        answered = {n for n, type in enumerate(listed) if type == "CACHED" and (place, n) not in self.broken}
        asked = any(type in ("CACHED", "STORED") for type in listed)
        names = self.named(place)
        names = names[: self._read(place, "volumes", len(names)) if asked else 0]
        found: dict[str, tuple[str, str | None]] = {}
        for name, (listed_under, ages, _) in self.held[place].items():
            said = [(-age, number) for number, age in ages.items() if number in answered]
            if name in names and listed_under in answered and listed_under is not None:
                said.append((-ages.get(listed_under, NO_POINT), listed_under))
            if said:
                age, number = max(said)
                found[name] = VERDICTS[-age], cached(place, number).arn
            elif name in names:
                found[name] = "unknown", None if listed_under is None else cached(place, listed_under).arn
        return found

    def missing(self, place: TargetKey) -> set[str]:
        """Volumes that nothing that could be read names, less those that came and went with their gateway."""
        gone = {
            name
            for name, volume in self.held[place].items()
            if volume.new
            and all(isinstance(self.broken.get((place, n)), GatewayVanished) for n in volume.ages)
        }
        return self.held[place].keys() - self.expected(place).keys() - gone


def _hours_ago(age: int) -> datetime | None:
    return None if age == NO_POINT else NOW - timedelta(hours=age)


def found_in(whole: Inventory, suffix: str) -> Counter[tuple[str | None, ...]]:
    """Account, Region, volume, verdict and gateway as an output has them."""
    text = written(whole, suffix).decode()
    rows: list[dict[str, Any]]
    if suffix == ".csv":
        return _of_table(csv.DictReader(StringIO(text, newline="")))
    if suffix == ".json":
        rows = json.loads(text)["volumes"]
    else:
        lines = map(json.loads, text.splitlines())
        rows = [line for line in lines if line["record"] == "volume"]
    return Counter(
        (r["account_id"], r["region"], r["id"], r["verdict"]["status"], r["gateway_arn"]) for r in rows
    )


def _of_table(rows: Iterable[dict[str, Any]]) -> Counter[tuple[str | None, ...]]:
    return Counter(
        (r["account_id"], r["region"], r["volume_id"], r["verdict"], r["gateway_arn"] or None)
        for r in rows
        if r["volume_id"]
    )


@pytest.mark.parametrize("seed", range(60))
def test_every_volume_is_accounted_for_in_every_output(seed: int, tmp_path: Path) -> None:
    truth = Truth(seed=seed)
    asked = config(3, ("us-east-1", "eu-west-1"), list_volumes="with_gateways")
    policy = asked.policy.model_copy(update={"rpo": timedelta(hours=2)})
    whole, _ = run(_scanned(asked.model_copy(update={"policy": policy}), truth, tmp_path / "along.ndjson"))
    assert Inventory.read(tmp_path / "along.ndjson") == whole
    json_rows = found_in(whole, ".json")
    assert json_rows == Counter(
        (place.account_id, place.region, name, *told)
        for place in truth.held
        for name, told in truth.expected(place).items()
    )
    assert json_rows == found_in(whole, ".ndjson") == found_in(whole, ".csv") == _in_parquet(whole, tmp_path)
    status = {target.key: target.status for target in whole.targets}
    for place in truth.held:
        if truth.missing(place):
            assert status[place.account_id, place.region] in (TargetStatus.PARTIAL, TargetStatus.FAILED)
    _check_metrics(whole, json_rows)


async def _scanned(asked: ScannerConfig, truth: Truth, along: Path) -> Inventory:
    """The inventory of a scan, which writes its lines as it goes."""
    outputs, statistics, collector = Outputs([str(along)], asked, pytest.fail), Statistics(), Collector()
    async with outputs.opened():
        for event in await events_of(asked, truth):
            for reader in (outputs, statistics, collector):
                reader.add(event)
        assert statistics.scan
        outputs.write((statistics.coverage(), statistics.scan))
        outputs.finish()
    return collector.inventory()


def _in_parquet(whole: Inventory, folder: Path) -> Counter[tuple[str | None, ...]]:
    import pyarrow.parquet

    file = folder / "volumes.parquet"
    file.write_bytes(written(whole, ".parquet"))
    return _of_table(pyarrow.parquet.read_table(file).to_pylist())


def _check_metrics(whole: Inventory, rows: Counter[tuple[str | None, ...]]) -> None:
    """No zero stands where not everything was read."""
    families = {
        family.name: family.samples
        for family in text_string_to_metric_families(written(whole, ".prom").decode())
    }
    counts = Counter((account, region, verdict) for account, region, _, verdict, _ in rows)
    complete = {target.key for target in whole.targets if target.status is TargetStatus.COMPLETE}
    for sample in families.get("sgw_volumes", []):
        labels = sample.labels
        key = labels["account_id"], labels["region"], labels["verdict"]
        assert sample.value == counts.pop(key, 0)
        assert sample.value or key[:2] in complete
    assert not counts
