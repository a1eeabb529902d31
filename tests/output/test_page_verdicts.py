"""What the page says of verdicts, accounts and failures: in its lead, its tiles, its cells and its lists."""

import re
from html import unescape

import pytest

from scanner.inventory.model import Inventory
from scanner.inventory.records import (
    CallCounts,
    FailureKind,
    GatewayStatus,
    Target,
    TargetStatus,
    Verdict,
    VerdictStatus,
)
from scanner.output.html.cells import SIGNS, SYMBOLS, WAIVED, Cell
from scanner.output.html.facts import MOST_ACCOUNTS, MOST_ROWS, facts_of
from tests.output.fleet import inventory, judged, sized, written
from tests.output.page import Page
from tests.strategies import failure_of, gateway, scan_info

OK = Verdict(status=VerdictStatus.OK, age_seconds=60, rpo_seconds=3600)
BREACH = Verdict(status=VerdictStatus.BREACH, age_seconds=7200, rpo_seconds=3600)
NONE = Verdict(status=VerdictStatus.NO_RECOVERY_POINT, rpo_seconds=3600)
UNKNOWN = Verdict(status=VerdictStatus.UNKNOWN)


def excused(verdict: Verdict) -> Verdict:
    return verdict.model_copy(update={"waived": "ticket 4711"})


def text_of(of: Inventory) -> str:
    """The words of the page, without its data."""
    page = written(of, ".html").decode().partition("<script")[0].partition("<body>")[2]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


@pytest.mark.parametrize(
    ("verdicts", "lead"),
    [
        ([], "There are no volumes."),
        ([OK], "No volume is known to breach its RPO or to lack a recovery point."),
        ([BREACH], "1 of 1 volume breaches its RPO or has no recovery point."),
        ([NONE, OK], "1 of 2 volumes breaches its RPO or has no recovery point."),
        ([NONE, BREACH], "2 of 2 volumes breach their RPO or have no recovery point."),
        (
            [excused(BREACH), OK],
            "1 of 2 volumes breaches its RPO or has no recovery point. "
            "It is waived and counts for no breach.",
        ),
        (
            [NONE, BREACH, excused(BREACH), OK, OK, OK, UNKNOWN],
            "3 of 7 volumes breach their RPO or have no recovery point. "
            "1 of them is waived and counts for no breach. 1 more is unknown.",
        ),
        (
            [NONE, excused(NONE), excused(BREACH), UNKNOWN, UNKNOWN],
            "3 of 5 volumes breach their RPO or have no recovery point. "
            "2 of them are waived and count for no breach. 2 more are unknown.",
        ),
        (
            [excused(NONE), excused(BREACH)],
            "2 of 2 volumes breach their RPO or have no recovery point. "
            "All of them are waived and count for no breach.",
        ),
        ([excused(OK)], "No volume is known to breach its RPO or to lack a recovery point."),
        (
            [OK, UNKNOWN],
            "No volume is known to breach its RPO or to lack a recovery point. 1 is unknown.",
        ),
    ],
)
def test_the_lead_is_a_true_sentence(verdicts: list[Verdict], lead: str) -> None:
    """Whatever is waived; a waiver that matches a volume that is ok excuses nothing."""
    assert facts_of(judged(*verdicts)).lead == lead
    assert lead in text_of(judged(*verdicts))


def test_the_lead_and_the_tiles_say_the_same_numbers() -> None:
    """The breaches of the sentence are those of the tiles, and so are the waived ones."""
    said = text_of(judged(NONE, BREACH, excused(BREACH), excused(OK), OK))
    assert "3 of 5 volumes breach their RPO or have no recovery point. 1 of them is waived" in said
    tiles = said.partition("counts for no breach.")[2].partition("By account and Region")[0]
    assert "1 ⊘ no recovery point 2 ✖ breach of which 1 waived" in tiles
    assert tiles.count("waived") == 1


def test_a_scan_that_read_nothing_does_not_say_that_there_is_nothing() -> None:
    denied = Target(account_id="0" * 12, region="us-east-1", status=TargetStatus.FAILED)
    of = Inventory.build(scan_info(), CallCounts(), [denied], [], [], [failure_of(denied)])
    assert facts_of(of).lead == "No volume was read."


@pytest.mark.parametrize("status", VerdictStatus)
def test_a_cell_tells_its_worst_verdict_first(status: VerdictStatus) -> None:
    """Every verdict, not breaches alone; each volume is counted once."""
    (row,) = facts_of(judged(OK, Verdict(status=status), OK)).accounts
    states = row.regions["us-east-1"].states
    assert states == ([("ok", 3)] if status is VerdictStatus.OK else [(status, 1), ("ok", 2)])


def test_what_a_waiver_excuses_is_neither_a_breach_nor_ok() -> None:
    (row,) = facts_of(judged(OK, excused(BREACH), excused(OK), UNKNOWN)).accounts
    assert row.regions["us-east-1"].states == [("unknown", 1), (WAIVED, 1), ("ok", 2)]


def test_signs_stand_worst_first_and_each_once() -> None:
    assert len(set(SIGNS.values())) == len(SIGNS) == len(SYMBOLS) + 1
    assert [state for state in SIGNS if state != WAIVED] == list(SYMBOLS)


def test_the_table_of_cells_has_every_verdict_of_every_cell() -> None:
    """What the heat map says in colours, it says in numbers."""
    said = text_of(judged(UNKNOWN, UNKNOWN, OK))
    heads = "Worst no recovery point breach unknown at risk unrated ok of which waived Volumes Read"
    assert f"Account Region {heads}" in said
    assert "us-east-1 ? unknown 0 0 2 0 0 1 0 3 completely" in said
    assert "ap-south-1 not known 0 0 0 0 0 0 0 0 not completely *" in text_of(inventory(whole=False))


def test_the_table_of_cells_is_cut_at_200_rows_and_says_by_how_much() -> None:
    """Not at the accounts of the chart."""
    of = sized({f"{number:012d}": 1 for number in range(1, MOST_ROWS + 12)})
    page = written(of, ".html").decode()
    table = page.partition('aria-label="Verdicts by account and Region"')[2].partition("</table>")[0]
    assert table.count("<tr>") == MOST_ROWS + 1
    assert "11 more targets are in the inventory, not on this page." in page


def test_the_capacity_chart_has_the_largest_accounts_and_says_how_many_it_leaves_out() -> None:
    """Wherever their breaches put them."""
    sizes = {f"{number:012d}": number * 2**30 for number in range(1, MOST_ACCOUNTS + 8)}
    of = sized(sizes)
    chart = Page(written(of, ".html")).data["charts"]["capacity"]
    assert chart["size"] == sorted(sizes.values(), reverse=True)[:MOST_ACCOUNTS]
    assert [account for account, *_ in chart["accounts"]] == sorted(sizes, reverse=True)[:MOST_ACCOUNTS]
    assert "the 40 largest. 7 smaller accounts are left out here" in text_of(of)
    assert "left out here" not in text_of(inventory())
    assert [row.account for row in facts_of(of).largest] == sorted(sizes, reverse=True)


def test_sizes_and_usage_that_nobody_knows_are_not_nothing() -> None:
    """Zero bytes used is an answer; no answer is none."""
    blank = judged(UNKNOWN).volumes[0].model_copy(update={"size_bytes": None, "usage_bytes": None})
    cell = Cell()
    cell.add(blank)
    assert (cell.known_size, cell.known_usage) == (None, None)
    cell.add(blank.model_copy(update={"size_bytes": 5, "usage_bytes": 0}))
    assert (cell.known_size, cell.known_usage) == (5, 0)
    assert Cell(read=False).known_size is None
    assert Cell().known_size == 0


def test_what_is_not_known_of_a_volume_is_not_said_to_be_none() -> None:
    """A failed gateway could not be asked; that a volume has no point is known."""
    worst = text_of(judged(UNKNOWN, NONE)).partition("Worst volumes The worst")[2]
    assert re.search(r"⊘ no recovery point vol-00000001 none 1h ", worst)
    assert re.search(r"\? unknown vol-00000000 not known not known ", worst)


def test_a_failed_gateway_is_named_by_its_name_and_its_id() -> None:
    """Whoever is to start it again must know which it is."""
    said = text_of(inventory(whole=False))
    assert "gateway gateway 999 sgw-000003E7 in prod 000000000001 eu-west-1" in said
    nameless = inventory(whole=False)
    gateways = tuple(one.model_copy(update={"name": None}) for one in nameless.gateways)
    assert "gateway sgw-000003E7 in" in text_of(nameless.model_copy(update={"gateways": gateways}))


def test_all_gateways_that_failed_are_named_not_only_the_first() -> None:
    """As far as any list goes; the count says how many there are."""
    account, region = "000000000001", "us-east-1"
    broken = [gateway(account, region, number, GatewayStatus.FAILED) for number in range(MOST_ROWS + 5)]
    failures = [failure_of(one, FailureKind.GATEWAY_UNREACHABLE) for one in broken]
    target = Target(
        account_id=account, region=region, status=TargetStatus.PARTIAL, gateways=len(broken), volumes=0
    )
    said = text_of(Inventory.build(scan_info(), CallCounts(), [target], broken, [], failures))
    named = set(re.findall(r"sgw-[0-9A-F]{8}", said))
    assert named == {one.id for one in broken[:MOST_ROWS]}
    assert "and 202 more" in said
    assert "5 more places are in the inventory, not on this page." in said


def test_the_organizational_units_stand_beside_the_account() -> None:
    """Where they are known, and nothing in their place where not."""
    assert "prod 000000000001 Root/Workloads/Prod us-east-1" in text_of(inventory())
    assert "units" not in written(judged(OK), ".html").decode().partition("<main>")[2].partition("<script")[0]
