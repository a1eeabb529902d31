"""What an inventory remembers of the configuration that it was scanned with."""

from datetime import date
from pathlib import Path

import pytest

from scanner.config.asked import asked_of
from scanner.config.select import select
from scanner.config.settings import ScannerConfig, Selection
from scanner.inventory.model import Inventory
from scanner.inventory.records import Asked
from tests.output.fleet import judged
from tests.output.html.fleets import OK, with_scan

POLICY = """
[policy]
rpo = "24h"
rules = [{ name = "tier-1", rpo = "1h", match = { gateways = ["db-*"] } }]
waivers = [{ reason = "migration", until = 2027-01-31, match = { gateways = ["lab-*"] } }]
"""


def test_the_policy_is_remembered_with_the_place_that_set_it(tmp_path: Path) -> None:
    """The file, and the flags and variables that say otherwise; never what a rule matches, nor any secret."""
    file = tmp_path / "fleet.toml"
    file.write_text(POLICY)
    variables = {"SGW_SCANNER_POLICY__WARN_AT": "0.5"}
    asked = asked_of(ScannerConfig.load(file, environ=variables, flags={"policy.rpo": "2h"}))
    assert asked.source == f"{file}, $SGW_SCANNER_POLICY__WARN_AT, --rpo"
    assert (asked.rpo_seconds, asked.warn_at) == (7200, 0.5)
    assert [(rule.name, rule.rpo_seconds) for rule in asked.rules] == [("tier-1", 3600)]
    (waiver,) = asked.waivers
    assert (waiver.reason, waiver.until, waiver.excuses) == ("migration", date(2027, 1, 31), ("breach",))


def test_what_a_scan_was_narrowed_to_is_remembered() -> None:
    config = select(ScannerConfig(), Selection(("111122223333",), ("us-east-1",)))
    asked = asked_of(config)
    assert (asked.source, asked.accounts, asked.regions) == (None, ("111122223333",), ("us-east-1",))


@pytest.mark.parametrize(
    ("one", "other", "whole"),
    [
        (Asked(rpo_seconds=1), Asked(rpo_seconds=1), Asked(rpo_seconds=1)),
        (Asked(rpo_seconds=1), Asked(rpo_seconds=2), None),
        (Asked(rpo_seconds=1), None, None),
        (Asked(accounts=("1",)), Asked(accounts=("2",)), Asked(accounts=("1", "2"))),
        (Asked(accounts=("1",)), Asked(), Asked()),
    ],
)
def test_merged_scans_remember_the_policy_that_they_share(
    one: Asked | None, other: Asked | None, whole: Asked | None
) -> None:
    """And no policy where they were judged by several."""
    parts = [
        with_scan(judged(OK, account="000000000001"), asked=one),
        with_scan(judged(OK, account="000000000002"), asked=other),
    ]
    assert Inventory.merge(parts).scan.asked == whole
