"""The promise: each cached volume stands in every output once, or its target says that it was not read."""

import csv
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from scanner.inventory.model import Inventory
from scanner.inventory.records import FailureKind, TargetStatus
from scanner.service.answers import GatewayPage, ListedVolume, RecoveryPoint, RecoveryPoints, VolumePage
from scanner.service.errors import CallFailed, GatewayVanished
from scanner.service.protocol import TargetKey
from tests.engine.simulated import NOW, SimulatedService, cached, config, inventory_of
from tests.output.fleet import written
from tests.virtual import run

PAGE = 3
"""Gateways and volumes on one page, so that small fleets have several."""


@dataclass
class Truth(SimulatedService):
    """A random fleet. Of each target: which gateway holds which volume, and what cannot be read."""

    seed: int = 0
    held: dict[TargetKey, dict[str, tuple[int | None, bool]]] = field(default_factory=dict)
    """Of each volume: the number of its gateway, None where it is detached, and whether it has a point."""
    broken: dict[tuple[TargetKey, object], CallFailed] = field(default_factory=dict)
    types: dict[TargetKey, list[str]] = field(default_factory=dict)
    moved: dict[TargetKey, set[str]] = field(default_factory=dict)

    def plan(self, place: TargetKey) -> None:
        if place in self.held:
            return
        dice = random.Random(f"{self.seed} {place}")
        self.types[place] = dice.choices(["CACHED", "STORED", "FILE_S3"], [6, 1, 1], k=dice.randint(0, 7))
        holders = [number for number, type in enumerate(self.types[place]) if type == "CACHED"]
        count = dice.randint(0, 12) if holders else 0
        self.held[place] = {
            f"vol-{number:08X}": (
                dice.choice([*holders, None]) if dice.random() < 0.9 else None,
                dice.random() < 0.7,
            )
            for number in range(count)
        }
        self.moved[place] = {name for name in self.held[place] if dice.random() < 0.1}
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

    def _page(self, place: TargetKey, listing: str, marker: str | None) -> int:
        error = self.broken.get((place, (listing, marker)))
        if error:
            raise error
        return int(marker or 0)

    async def list_gateways(self, place: TargetKey, marker: str | None) -> GatewayPage:
        self.plan(place)
        start = self._page(place, "gateways", marker)
        listed = [cached(place, number, type) for number, type in enumerate(self.types[place])]
        end = start + PAGE
        return GatewayPage(tuple(listed[start:end]), str(end) if end < len(listed) else None)

    async def list_volumes(self, place: TargetKey, marker: str | None) -> VolumePage:
        start = self._page(place, "volumes", marker)
        listed = []
        for name, (number, _) in self.held[place].items():
            told = 0 if name in self.moved[place] and number is not None else number
            holder = None if told is None else cached(place, told).arn
            if told is not None and self.types[place][told] != "CACHED":
                holder = None if number is None else cached(place, number).arn
            status = "DETACHED" if holder is None else "ATTACHED"
            arn = f"{holder or cached(place, 0).arn}/volume/{name}"
            listed.append(ListedVolume(arn, 2**30, status, holder, "CACHED"))
        end = start + PAGE
        return VolumePage(tuple(listed[start:end]), str(end) if end < len(listed) else None)

    async def list_recovery_points(self, place: TargetKey, gateway_arn: str) -> RecoveryPoints:
        number = int(gateway_arn[-8:], 16)
        error = self.broken.get((place, number))
        if error:
            raise error
        return RecoveryPoints(
            NOW,
            tuple(
                RecoveryPoint(f"{gateway_arn}/volume/{name}", 2**30, None, NOW - timedelta(hours=1))
                for name, (holder, has_point) in self.held[place].items()
                if holder == number and has_point
            ),
        )

    def verdict(self, place: TargetKey, name: str) -> str:
        holder, has_point = self.held[place][name]
        if holder is None or (place, holder) in self.broken:
            return "unknown"
        return "ok" if has_point else "no_recovery_point"


def found_in(whole: Inventory, suffix: str) -> Counter[tuple[str, str, str, str]]:
    """Account, Region, volume and verdict as an output has them."""
    text = written(whole, suffix).decode()
    rows: list[dict[str, Any]]
    if suffix == ".csv":
        rows = [row for row in csv.DictReader(StringIO(text, newline="")) if row["volume_id"]]
        return Counter((r["account_id"], r["region"], r["volume_id"], r["verdict"]) for r in rows)
    if suffix == ".json":
        rows = json.loads(text)["volumes"]
    else:
        lines = map(json.loads, text.splitlines())
        rows = [line for line in lines if line["record"] == "volume"]
    return Counter((r["account_id"], r["region"], r["id"], r["verdict"]["status"]) for r in rows)


@pytest.mark.parametrize("seed", range(60))
def test_every_volume_is_accounted_for_in_every_output(seed: int, tmp_path: Path) -> None:
    truth = Truth(seed=seed)
    asked = config(3, ("us-east-1", "eu-west-1"), list_volumes="with_gateways")
    policy = asked.policy.model_copy(update={"rpo": timedelta(hours=2)})
    whole, _ = run(inventory_of(asked.model_copy(update={"policy": policy}), truth))
    json_rows = found_in(whole, ".json")
    assert max(json_rows.values(), default=1) == 1
    assert json_rows == found_in(whole, ".ndjson") == found_in(whole, ".csv") == _in_parquet(whole, tmp_path)
    status = {target.key: target.status for target in whole.targets}
    shown = {row[:3]: row[3] for row in json_rows}
    for place, volumes in truth.held.items():
        for name in volumes:
            verdict = shown.get((*place, name))
            if verdict is None:
                assert status[place.account_id, place.region] in (TargetStatus.PARTIAL, TargetStatus.FAILED)
            elif verdict != "unknown":
                assert verdict == truth.verdict(place, name) or name in truth.moved[place]
            else:
                incomplete = status[place.account_id, place.region] is not TargetStatus.COMPLETE
                assert truth.verdict(place, name) == "unknown" or incomplete
    _check_metrics(whole, json_rows)


def _in_parquet(whole: Inventory, folder: Path) -> Counter[tuple[str, str, str, str]]:
    import pyarrow.parquet

    file = folder / "volumes.parquet"
    file.write_bytes(written(whole, ".parquet"))
    rows = pyarrow.parquet.read_table(file).to_pylist()
    return Counter(
        (r["account_id"], r["region"], r["volume_id"], r["verdict"]) for r in rows if r["volume_id"]
    )


def _check_metrics(whole: Inventory, rows: Counter[tuple[str, str, str, str]]) -> None:
    """No zero stands where not everything was read."""
    families = {
        family.name: family.samples
        for family in text_string_to_metric_families(written(whole, ".prom").decode())
    }
    counts = Counter((account, region, verdict) for account, region, _, verdict in rows)
    complete = {target.key for target in whole.targets if target.status is TargetStatus.COMPLETE}
    for sample in families.get("sgw_volumes", []):
        labels = sample.labels
        key = labels["account_id"], labels["region"], labels["verdict"]
        assert sample.value == counts.pop(key, 0)
        assert sample.value or key[:2] in complete
    assert not counts
