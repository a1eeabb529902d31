"""How well RPOs were kept, for a terminal or a program."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from itertools import groupby
from typing import Any

from scanner.cli.terminal.tables import TableFormat, print_rows
from scanner.history.trend import Trend
from scanner.inventory.records import rfc3339
from scanner.summary.past import Compliance


def print_trend(trend: Trend, format: TableFormat) -> None:
    """Prints the trend to stdout: a line for each day, then the minutes in danger; or all of it as JSON."""
    if format is TableFormat.JSON:
        whole = asdict(trend) | {"scans": [_scan(each) for each in trend.scans]}
        sys.stdout.write(json.dumps(whole, indent=2) + "\n")
        return
    columns = ("day", "scans", "within RPO", "beyond", "unknown", "compliance")
    print_rows(columns, list(_days(trend)))
    print()  # noqa: T201 - a line between two parts of what is printed
    for line in _lines(trend):
        print(line)  # noqa: T201


def _scan(scan: Compliance) -> dict[str, Any]:
    return asdict(scan) | {"scanned_at": rfc3339(scan.scanned_at), "share": scan.share}


def _days(trend: Trend) -> Iterator[tuple[Any, ...]]:
    """The last scan of each day stands for it."""

    def day(scan: Compliance) -> date:
        return scan.scanned_at.date()

    for each, group in groupby(trend.scans, key=day):
        scans = list(group)
        last = scans[-1]
        share = "" if last.share is None else f"{100 * last.share:.2f} %"
        yield each.isoformat(), len(scans), last.within_rpo, last.beyond_rpo, last.unknown, share


def _lines(trend: Trend) -> Iterator[str]:
    yield f"Minutes in danger: {trend.certain_minutes:.0f} for certain, {trend.possible_minutes:.0f} at most."
    for days, burn in ((3, trend.burn_3_days), (30, trend.burn_30_days)):
        if burn is None:
            yield f"Over the last {days} days: not known, as the history is shorter or nothing was rated."
        else:
            yield f"Over the last {days} days: at most {burn:.1f} minutes in danger a volume and day."
