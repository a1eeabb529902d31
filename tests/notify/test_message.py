"""A digest as text and data: short, worst first, and harmless whatever things are called."""

import json

from scanner.notify.alerts import digest
from scanner.notify.message import MOST_DATA, MOST_LINES, Message, message_of
from tests.history.scans import HOUR, ONE, TWO, Seen, scan

NAMES = {ONE: "prod\x1b[31m\n<script>", TWO: None}


def message(seen: Seen, **options: object) -> Message:
    inventory = scan(0, [seen, Seen(TWO, ages={1: None})])
    found = digest(inventory, (), None)
    return message_of(found, inventory, fleet="fleet\nx", names=NAMES, outputs=["s3://b/report.html"])


def test_it_tells_the_worst_first_by_account_and_region_and_where_the_report_is() -> None:
    found = message(Seen(ages={1: 30 * HOUR}))
    assert found.text.splitlines() == [
        "sgw-scanner fleet\\nx: 2 open at the first scan",
        "",
        "Open:",
        f"  {TWO}, us-east-1",
        "    no recovery point: gateway/sgw-00000001/volume/vol-00000001: has no recovery point",
        f"  prod\\x1b[31m\\n<script> ({ONE}), us-east-1",
        "    breach: gateway/sgw-00000001/volume/vol-00000001: its last recovery point is of 2024-10-30 21:00 UTC",
        "",
        "Scan complete: 2 of 2 targets read completely.",
        "Report: s3://b/report.html",
    ]
    assert "\n" not in found.subject
    assert found.wrong


def test_of_many_twenty_lines_are_told_and_then_how_many_more() -> None:
    found = message(Seen(ages=dict.fromkeys(range(1, 301), 30 * HOUR)))
    assert found.text.count("breach: ") + found.text.count("no recovery point: ") == MOST_LINES
    assert "... and 281 more" in found.text
    data = json.loads(found.json())
    assert (len(data["opened"]), data["counts"]["opened"]) == (MOST_DATA, 301)
    assert len(found.json()) < 256 * 1024


def test_where_all_is_well_it_says_so() -> None:
    inventory = scan(0)
    found = message_of(digest(inventory, (), None), inventory, fleet="f", names={})
    assert found.subject == "sgw-scanner f: nothing needs action"
    assert not found.wrong
