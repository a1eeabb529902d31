"""What the page says of a scan: its one sentence, its three numbers, and what is beside them."""

import re
from datetime import date
from html import unescape

import pytest

from scanner.inventory.model import Inventory
from scanner.inventory.records import (
    Asked,
    AskedRule,
    AskedWaiver,
    FailureKind,
    SkipReason,
    TargetStatus,
    VerdictStatus,
    is_breach,
)
from scanner.output.html.facts import MOST_ACCOUNTS, MOST_ROWS, facts_of
from tests.output.fleet import inventory, judged, sized, written
from tests.output.html import fleets
from tests.output.html.fleets import AT_RISK, BREACH, NONE, OK, UNKNOWN, UNRATED, excused, with_scan


def text_of(of: Inventory) -> str:
    """The words of the page, without its data."""
    page = written(of, ".html").decode().partition("<body>")[2].partition('<script type="app')[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


@pytest.mark.parametrize(
    ("of", "says"),
    [
        (judged(OK, OK), "All is well: everything was read, and none of 2 volumes needs action."),
        (judged(OK), "All is well: everything was read, and the one volume needs no action."),
        (judged(BREACH), "1 of 1 volume needs action; everything was read."),
        (judged(NONE, BREACH, OK), "2 of 3 volumes need action; everything was read."),
        (
            judged(excused(BREACH), OK),
            "All is well: everything was read, and none of 2 volumes needs action.",
        ),
        (judged(UNKNOWN, OK), "Of 2 volumes none is known to need action; everything was read."),
        (judged(UNRATED), "The one volume is not known to need action; everything was read."),
        (inventory(0, 0), "There are no volumes."),
        (
            fleets.unreachable(),
            "Of 2 volumes none is known to need action; 2 gateways or targets were not read.",
        ),
        (
            fleets.unreachable(waived="lab"),
            "Of 2 volumes none is known to need action; everything but what a waiver excuses was read.",
        ),
        (
            with_scan(judged(BREACH), interrupted=True),
            "1 of 1 volume needs action; the scan is not complete.",
        ),
        (
            fleets.without_volumes(
                [fleets.target("0" * 12, "us-east-1", TargetStatus.FAILED)],
                [fleets.failure("0" * 12, "us-east-1", FailureKind.TIMEOUT)],
            ),
            "Nothing was read: of no volume is anything known.",
        ),
    ],
)
def test_the_first_sentence_is_true(of: Inventory, says: str) -> None:
    """Danger first, then coverage, whatever is waived, unknown or not read."""
    assert facts_of(of).heading == says
    assert says in text_of(of)


@pytest.mark.parametrize(
    ("of", "well"),
    [
        (judged(OK, AT_RISK), True),
        (judged(OK, excused(BREACH)), True),
        (fleets.with_detached(judged(OK)), True),
        (judged(OK, BREACH), False),
        (judged(OK, NONE), False),
        (judged(OK, UNKNOWN), False),
        (judged(OK, UNRATED), False),
        (inventory(0, 0), False),
        (fleets.unreachable(), False),
        (fleets.unreachable(waived="lab"), False),
        (with_scan(judged(OK), deadline_reached=True), False),
        (with_scan(judged(OK), interrupted=True), False),
        (with_scan(judged(OK), missing_shards=(2,), outcome="partial"), False),
    ],
)
def test_the_page_is_green_only_when_all_is_known_and_well(of: Inventory, well: bool) -> None:
    """One number that is zero is not enough; a detached volume takes no writes, and spoils nothing."""
    assert facts_of(of).well is well
    page = written(of, ".html").decode()
    assert page.count('class="good"') == (3 if well else 0)
    assert ("<title>All well" in page) is well


@pytest.mark.parametrize(
    ("of", "title"),
    [
        (judged(BREACH, NONE, OK), "2 need action, 0 not read – "),
        (fleets.unreachable(), "0 need action, 2 not read – "),
        (judged(OK), "All well – "),
    ],
)
def test_the_tab_says_how_many(of: Inventory, title: str) -> None:
    assert f"<title>{title}" in written(of, ".html").decode()


@pytest.mark.parametrize(
    ("of", "says"),
    [
        (with_scan(judged(OK), deadline_reached=True), "The deadline ended the scan"),
        (with_scan(judged(OK), interrupted=True), "The scan was interrupted"),
        (with_scan(judged(OK), missing_shards=(2, 5), outcome="partial"), "Shards are missing: 2, 5."),
        (fleets.unreachable(waived="lab"), "A waiver excuses 1 more that could not be read."),
        (judged(excused(BREACH), BREACH), "A waiver excuses 1 more that would need action."),
        (judged(UNKNOWN), "1 could not be asked about, or not judged: unknown is not well."),
        (judged(UNRATED), "No RPO applies to 1: not rated."),
        (fleets.with_detached(judged(OK), 3), "3 detached from any gateway: not rated."),
    ],
)
def test_what_one_must_know_beside_the_numbers_is_said(of: Inventory, says: str) -> None:
    """Each in a sentence; none where there is nothing to say."""
    assert says in text_of(of)
    assert facts_of(judged(OK)).remarks == []


def test_the_counts_are_those_of_the_inventory() -> None:
    """By verdict, by account, and what the waivers excuse."""
    of = inventory(3, 40)
    facts = facts_of(of)
    counts = of.coverage.volumes
    assert facts.total.volumes == counts.known == sum(row.total.volumes for row in facts.accounts)
    assert facts.action == counts.need_action == sum(is_breach(v.verdict) for v in of.volumes)
    assert facts.total.waived.total() == counts.waived
    assert sum(row.total.size for row in facts.accounts) == sum(v.size_bytes or 0 for v in of.volumes)


def test_detached_volumes_are_counted_apart_from_other_unknown_ones() -> None:
    facts = facts_of(fleets.with_detached(judged(OK, UNKNOWN), 2))
    assert facts.total.verdicts[VerdictStatus.UNKNOWN] == 3
    assert (facts.total.detached, facts.undecided) == (2, 1)


def test_every_target_that_was_not_read_has_a_reason() -> None:
    """Its own failures, else its account's; skipped ones say what they were skipped for."""
    one, other = "000000000001", "000000000002"
    facts = facts_of(
        fleets.without_volumes(
            [
                fleets.target(one, "eu-west-1", TargetStatus.FAILED),
                fleets.target(one, "us-east-1", TargetStatus.FAILED),
                fleets.target(other, "*", TargetStatus.FAILED),
                fleets.target(one, "us-east-2", TargetStatus.SKIPPED, SkipReason.NOT_ENABLED),
            ],
            [
                fleets.failure(one, "eu-west-1", FailureKind.ACCESS_DENIED),
                fleets.failure(one, "us-east-1", FailureKind.TIMEOUT),
                fleets.failure(one, "us-east-1", FailureKind.TIMEOUT),
                fleets.failure(other, None, FailureKind.CREDENTIALS),
            ],
        )
    )
    assert [(found.region, why) for found, why in facts.targets] == [
        ("eu-west-1", "access denied"),
        ("us-east-1", "timeout (2×)"),
        ("*", "credentials"),
    ]
    assert [(found.region, why) for found, why in facts.skipped] == [
        ("us-east-2", "not enabled for the account")
    ]


def test_rules_and_waivers_say_how_many_volumes_each_matched() -> None:
    """A rule by its name and RPO; of a waiver also what it excuses, which is not all that it matches."""
    named = BREACH.model_copy(update={"rule": "tier-1"})
    facts = facts_of(judged(named, named, excused(OK), excused(BREACH)))
    assert [(each.name, each.rpo, each.volumes, each.danger) for each in facts.rules] == [
        ("tier-1", 3600, 2, 2),
        (None, 3600, 2, 1),
    ]
    assert [(each.reason, each.volumes, each.danger) for each in facts.waivers] == [("ticket 4711", 2, 1)]
    said = text_of(judged(named, excused(BREACH)))
    assert "tier-1 1h 1 1" in said
    assert "ticket 4711 not known 1 1 0" in said


def test_the_policy_stands_with_its_source_its_rules_and_the_ends_of_its_waivers() -> None:
    """Rules in their order, those that matched nothing, too; waivers that have ended excuse nothing any more."""
    asked = Asked(
        source="fleet.toml, --rpo",
        accounts=("000000000001",),
        regions=("us-east-1",),
        rpo_seconds=86400,
        warn_at=0.75,
        rules=(AskedRule(name="none-such", rpo_seconds=600), AskedRule(name="tier-1", rpo_seconds=3600)),
        waivers=(
            AskedWaiver(reason="old", until=date(2026, 11, 23), excuses=("breach",)),
            AskedWaiver(reason="ticket 4711", until=date(2026, 11, 24), excuses=("breach",)),
        ),
    )
    tier = OK.model_copy(update={"rule": "tier-1"})
    rest = BREACH.model_copy(update={"rule": "default", "rpo_seconds": 86400})
    said = text_of(fleets.with_scan(judged(tier, rest, excused(rest)), asked=asked))
    assert "Policy RPO 1d where no rule says otherwise, at risk from 75 %; set by fleet.toml, --rpo" in said
    assert "Narrowed to account 000000000001 ; Region us-east-1" in said
    rules = ["none-such 10m 0 0", "tier-1 1h 1 0", "default 1d 2 2"]
    waivers = [
        "ticket 4711 2026-11-24 1 1 0",
        "old 2026-11-23 ended: it excuses nothing any more 0 0 0",
    ]
    assert " ".join(rules) in said
    assert " ".join(waivers) in said


def test_a_waiver_of_gateways_says_how_many_it_excuses() -> None:
    """Each gateway counts once, however many of its calls failed."""
    (waiver,) = facts_of(fleets.unreachable(waived="moving")).waivers
    assert (waiver.reason, waiver.volumes, waiver.gateways) == ("moving", 0, 1)


def test_regions_without_volumes_are_folded_away_but_not_those_that_were_not_read() -> None:
    """The heat map's columns are those with anything to see, the worst first."""
    parts = [judged(OK, region="ap-south-1"), judged(BREACH, OK, region="eu-west-1")]
    parts.append(judged(region="us-west-2"))
    denied = fleets.without_volumes(
        [fleets.target("000000000001", "us-east-1", TargetStatus.FAILED)],
        [fleets.failure("000000000001", "us-east-1", FailureKind.TIMEOUT)],
    )
    facts = facts_of(Inventory.merge([*parts, denied]))
    assert facts.regions == ["eu-west-1", "us-east-1", "ap-south-1"]
    assert facts.empty == ["us-west-2"]


def test_a_cell_says_how_many_of_all_need_action() -> None:
    """Not how many have its worst verdict: one without a point must not hide two breaches."""
    said = text_of(judged(NONE, BREACH, BREACH, OK))
    assert "⊘ no recovery point 3/4" in said
    assert "? unknown 1/2" in text_of(judged(UNKNOWN, OK))
    assert "✓ ok 2 " in text_of(judged(OK, OK))
    assert "◌ not read" in text_of(fleets.unreachable())


def test_capacity_names_the_largest_accounts_and_says_how_many_it_leaves_out() -> None:
    """Wherever their breaches put them."""
    of = sized({f"{number:012d}": number * 2**30 for number in range(1, MOST_ROWS + 8)})
    assert [row.account for row in facts_of(of).largest] == sorted(
        (target.account_id for target in of.targets), reverse=True
    )
    said = text_of(of)
    assert f"The {MOST_ACCOUNTS} worst of 207 accounts." in said
    assert "7 more accounts are in the inventory, not on this page." in said


def test_the_time_of_the_scan_is_shown_in_utc_with_what_it_asked_for() -> None:
    of = with_scan(judged(OK), details=("gateway", "tags"))
    said = text_of(of)
    assert "Scanned 2026-11-24 03:00 UTC" in said
    assert "gateway , tags ; volumes listed: with gateways" in said
    assert 'data-rpo="3600.0"' in written(of, ".html").decode()
