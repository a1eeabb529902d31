"""What the page's own script works with: the charts' numbers, and every volume in columns, packed."""

import gzip
import json
from base64 import b64encode
from collections.abc import Hashable
from typing import Any

from scanner.inventory.arns import id_of
from scanner.inventory.records import VerdictStatus, Volume
from scanner.output.html.cells import SIGNS, Cell, Row
from scanner.output.html.facts import BARS, MOST_ACCOUNTS, Facts
from scanner.output.text import printable, region_name
from scanner.policy.rater import CLOCK_TOLERANCE

STATUSES = tuple(status.value for status in VerdictStatus)
_NUMBER = {status: number for number, status in enumerate(VerdictStatus)}
_STATE = {state: number for number, state in enumerate(SIGNS)}
_MIB = 1024 * 1024


class _Index:
    """Numbers for values that repeat, in the order in which they are met."""

    def __init__(self) -> None:
        self.numbers: dict[Hashable, int] = {}

    def __call__(self, value: Hashable) -> int:
        return self.numbers.setdefault(value, len(self.numbers))


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
        "charts": _charts(facts),
        "volumes": _volumes(facts),
    }
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _charts(facts: Facts) -> dict[str, Any]:
    worst, largest = facts.accounts[:MOST_ACCOUNTS], facts.largest[:MOST_ACCOUNTS]
    return {
        "heat": {
            "accounts": [_account(row) for row in worst],
            "regions": [printable(region_name(region)) for region in facts.regions],
            "cells": [[_cell(row.regions.get(region)) for region in facts.regions] for row in worst],
        },
        "ages": {"bars": BARS, "counts": {status.value: counts for status, counts in facts.bars.items()}},
        "capacity": {
            "accounts": [_account(row) for row in largest],
            "size": [row.total.size for row in largest],
            "used": [row.total.used for row in largest],
        },
    }


def _cell(cell: Cell | None) -> tuple[int, list[tuple[int, int]]] | None:
    if cell is None:
        return None
    return int(cell.read), [(_STATE[state], count) for state, count in cell.states]


def _account(row: Row) -> tuple[str, str, str]:
    return row.account, printable(row.name or ""), printable(row.ou_path or "")


def _volumes(facts: Facts) -> dict[str, Any]:
    inventory = facts.inventory
    accounts, regions, rules, waivers = _Index(), _Index(), _Index(), _Index()
    numbers = {gateway.arn: number for number, gateway in enumerate(inventory.gateways)}
    gateways = [
        [
            gateway.id,
            printable(gateway.name or ""),
            accounts(gateway.account_id),
            regions(gateway.region),
            None if gateway.observed_at is None else round(gateway.observed_at.timestamp()),
        ]
        for gateway in inventory.gateways
    ]
    elsewhere = {
        (volume.account_id, volume.region, volume.gateway_arn): None
        for volume in inventory.volumes
        if volume.gateway_arn not in numbers
    }
    # Each volume finds its account and Region through its gateway; one without a gateway needs a stand-in.
    stand_ins = {key: len(gateways) + number for number, key in enumerate(elsewhere)}
    gateways += [
        [id_of(arn) if arn else "", "", accounts(account), regions(region), None]
        for account, region, arn in elsewhere
    ]
    columns: dict[str, list[Any]] = {
        name: [] for name in ("id", "gateway", "size", "used", "status", "age", "rpo", "rule", "waived")
    }
    add = [column.append for column in columns.values()]
    for volume in inventory.volumes:
        verdict, age, rpo = volume.verdict, volume.verdict.age_seconds, volume.verdict.rpo_seconds
        row = (
            volume.id.removeprefix("vol-"),
            _gateway_number(volume, numbers, stand_ins),
            _mebibytes(volume.size_bytes),
            _mebibytes(volume.usage_bytes),
            _NUMBER[verdict.status],
            None if age is None else round(age),
            None if rpo is None else round(rpo),
            None if verdict.rule is None else rules(verdict.rule),
            None if verdict.waived is None else waivers(verdict.waived),
        )
        for append, value in zip(add, row, strict=True):
            append(value)
    return {
        "accounts": [
            [account, *(printable(text or "") for text in facts.known[str(account)])]
            for account in accounts.numbers
        ],
        "regions": list(regions.numbers),
        "rules": [printable(str(rule)) for rule in rules.numbers],
        "waivers": [printable(str(reason)) for reason in waivers.numbers],
        "gateways": gateways,
        "columns": columns,
    }


def _gateway_number(
    volume: Volume, numbers: dict[str, int], stand_ins: dict[tuple[str, str, str | None], int]
) -> int:
    if volume.gateway_arn in numbers:
        return numbers[volume.gateway_arn]
    return stand_ins[volume.account_id, volume.region, volume.gateway_arn]


def _mebibytes(count: int | None) -> int | None:
    return None if count is None else round(count / _MIB)
