"""What the page is made of: its facts, its data, its bytes, and what it needs."""

import re
import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scanner.config.settings import ScannerConfig
from scanner.errors import OutputError
from scanner.iam.remedies import REASONS, REMEDIES
from scanner.inventory.model import Inventory
from scanner.inventory.records import (
    CallCounts,
    Failure,
    FailureKind,
    FailureScope,
    SkipReason,
    Target,
    TargetStatus,
    Verdict,
    VerdictStatus,
    Volume,
    is_breach,
)
from scanner.output import check_output, formats
from scanner.output.html import SCRIPTS
from scanner.output.html.facts import BARS, MOST_WORST, facts_of
from scanner.output.html.failures import Place
from tests.output.fleet import inventory, written
from tests.output.page import Page
from tests.strategies import scan_info

ROOT = Path(__file__).parents[2]


def with_scan(of: Inventory, **changes: Any) -> Inventory:
    return of.model_copy(update={"scan": of.scan.model_copy(update=changes)})


def without_volumes(targets: list[Target], failures: list[Failure]) -> Inventory:
    return Inventory.build(scan_info(), CallCounts(), targets, [], [], failures)


def target(account: str, region: str, status: TargetStatus, reason: SkipReason | None = None) -> Target:
    return Target(account_id=account, region=region, status=status, reason=reason)


def failure(account: str, region: str | None, kind: FailureKind) -> Failure:
    scope = FailureScope.TARGET if region else FailureScope.ACCOUNT
    return Failure(
        scope=scope, account_id=account, region=region, operation="ListGateways", kind=kind, message="no"
    )


@pytest.mark.parametrize(
    ("of", "whole"),
    [
        (inventory(), True),
        (inventory(0, 0), True),
        (inventory(whole=False), False),
        (with_scan(inventory(), deadline_reached=True), False),
        (with_scan(inventory(), interrupted=True), False),
        (without_volumes([], []), False),
    ],
)
def test_the_page_is_whole_only_when_nothing_may_be_missing(of: Inventory, whole: bool) -> None:
    """Also a deadline that came when everything seemed done makes one look twice."""
    assert facts_of(of).whole is whole
    page = written(of, ".html").decode()
    assert ("Incomplete." in page) is not whole
    assert ("INCOMPLETE: " in page) is not whole


@pytest.mark.parametrize(
    ("of", "says"),
    [
        (with_scan(inventory(), deadline_reached=True), "The deadline ended the scan."),
        (with_scan(inventory(), interrupted=True), "The scan was interrupted."),
        (inventory(whole=False), "Gateways that failed: 1."),
        (without_volumes([], []), "Nothing could be read."),
    ],
)
def test_the_banner_says_why(of: Inventory, says: str) -> None:
    """One sentence for each reason."""
    assert says in written(of, ".html").decode()


def test_every_target_that_was_not_read_has_a_reason() -> None:
    """Its own failures, else its account's; skipped ones say what they were skipped for."""
    one, other = "000000000001", "000000000002"
    facts = facts_of(
        without_volumes(
            [
                target(one, "eu-west-1", TargetStatus.FAILED),
                target(one, "us-east-1", TargetStatus.FAILED),
                target(other, "*", TargetStatus.FAILED),
                target(one, "us-east-2", TargetStatus.SKIPPED, SkipReason.NOT_ENABLED),
            ],
            [
                failure(one, "eu-west-1", FailureKind.ACCESS_DENIED),
                failure(one, "us-east-1", FailureKind.TIMEOUT),
                failure(one, "us-east-1", FailureKind.TIMEOUT),
                failure(other, None, FailureKind.CREDENTIALS),
            ],
        )
    )
    assert [(found.region, why) for found, why in facts.unread] == [
        ("eu-west-1", "access denied"),
        ("us-east-1", "timeout (2×)"),
        ("*", "credentials"),
    ]
    assert [(found.region, why) for found, why in facts.skipped] == [
        ("us-east-2", "not enabled for the account")
    ]
    assert [(group.kind, group.count) for group in facts.failures] == [
        (FailureKind.TIMEOUT, 2),
        (FailureKind.ACCESS_DENIED, 1),
        (FailureKind.CREDENTIALS, 1),
    ]
    assert facts.failures[-1].where == [Place(other, None, None, None)]


def test_the_counts_are_those_of_the_inventory() -> None:
    """By verdict, by account, and what the waivers excuse."""
    of = inventory(3, 40)
    facts = facts_of(of)
    assert facts.total.volumes == len(of.volumes) == sum(row.total.volumes for row in facts.accounts)
    assert facts.total.breaches == sum(is_breach(v.verdict) for v in of.volumes)
    assert facts.total.waived.total() == sum(v.verdict.waived is not None for v in of.volumes)
    assert sum(row.total.size for row in facts.accounts) == sum(v.size_bytes or 0 for v in of.volumes)
    assert len(facts.worst) == MOST_WORST < facts.urgent
    assert facts.worst[0][0].verdict.status is VerdictStatus.NO_RECOVERY_POINT


@pytest.mark.parametrize(
    ("share", "bar"),
    [(-0.01, 0), (0.25, 0), (0.26, 1), (1, 3), (1.01, 4), (10, 7), (10.01, 8)],
)
def test_a_share_of_the_rpo_finds_its_bar(share: float, bar: int) -> None:
    """The bound belongs to the bar that it names."""
    assert _bar_of(Verdict(status=VerdictStatus.OK, age_seconds=share * 3600, rpo_seconds=3600)) == bar


@pytest.mark.parametrize(
    ("verdict", "bar"),
    [
        (Verdict(status=VerdictStatus.NO_RECOVERY_POINT, rpo_seconds=3600), len(BARS) - 1),
        (Verdict(status=VerdictStatus.UNRATED, age_seconds=1), None),
        (Verdict(status=VerdictStatus.UNKNOWN, age_seconds=-999, rpo_seconds=3600), None),
        (Verdict(status=VerdictStatus.UNKNOWN, rpo_seconds=3600), None),
    ],
)
def test_what_has_no_share_stands_beside_the_bars(verdict: Verdict, bar: int | None) -> None:
    """A volume without a point has a bar of its own; what cannot be measured has none."""
    assert _bar_of(verdict) == bar


def _bar_of(verdict: Verdict) -> int | None:
    base = inventory(1, 1)
    only: Volume = base.volumes[0].model_copy(update={"verdict": verdict})
    facts = facts_of(base.model_copy(update={"volumes": (only,)}))
    counted = facts.bars.get(verdict.status)
    return None if counted is None else counted.index(1)


def test_the_data_holds_every_volume() -> None:
    """Columns of one length, that lead back to each volume's gateway, account and Region."""
    of = inventory(2, 5, whole=False)
    data = Page(written(of, ".html")).data
    volumes = data["volumes"]
    columns = volumes["columns"]
    assert {len(column) for column in columns.values()} == {len(of.volumes)}
    for row, volume in enumerate(of.volumes):
        gateway = volumes["gateways"][columns["gateway"][row]]
        assert volume.id == f"vol-{columns['id'][row]}"
        assert (volume.gateway_arn or "").endswith(gateway[0])
        assert volumes["accounts"][gateway[2]] == [volume.account_id, "prod", "Root/Workloads/Prod"]
        assert volumes["regions"][gateway[3]] == volume.region
        assert data["statuses"][columns["status"][row]] == volume.verdict.status
        assert columns["used"][row] == (volume.usage_bytes and volume.usage_bytes // 2**20)
    cells = data["charts"]["heat"]["cells"][0]
    read = dict(zip(data["charts"]["heat"]["regions"], cells, strict=True))
    assert read["ap-south-1"] == [0, []]
    assert read["us-east-1"][0] == 1
    assert sum(count for _, count in read["us-east-1"][1]) == 10


def test_the_same_inventory_is_the_same_page() -> None:
    """So that two reports can be compared, and kept once."""
    assert written(inventory(), ".html") == written(inventory(), ".html")


def test_the_policy_of_the_page_allows_two_scripts_and_nothing_else() -> None:
    """Everything that is not allowed by hash is refused, and there is nowhere to send anything."""
    policy = dict(part.strip().split(" ", 1) for part in _policy().split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert [source.startswith("'sha256-") for source in policy["script-src"].split()] == [True, True]
    assert set(policy) == {"default-src", "script-src", "style-src", "img-src", "base-uri", "form-action"}


def _policy() -> str:
    tags = Page(written(inventory(), ".html")).tags
    found = [given for _, given in tags if given.get("http-equiv") == "Content-Security-Policy"]
    return str(found[0]["content"])


@pytest.mark.parametrize("missing", ["jinja2", "plotly"])
def test_a_missing_library_names_the_install_command(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found out before the scan."""
    monkeypatch.setattr(formats, "find_spec", lambda name: None if name == missing else object())
    with pytest.raises(OutputError, match=rf'needs {missing}; .*pip install "sgw-scanner\[report\]"'):
        check_output(str(tmp_path / "a.html"))


def test_heavy_libraries_are_loaded_only_when_used() -> None:
    """A scan that writes JSON does not pay for the page."""
    code = (
        "import sys, scanner.output;"
        "print([name for name in ('jinja2', 'plotly', 'pyarrow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_wheel_carries_the_page(tmp_path: Path) -> None:
    """Its style, its scripts and its template are no Python, and go along all the same."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    assert {f"scanner/output/html/{name}" for name in ("page.css", "page.html.j2", *SCRIPTS)} <= inside


def test_every_failure_has_a_remedy_and_every_skip_a_reason() -> None:
    """Sentences, and only commands and settings that there are."""
    assert set(REMEDIES) == set(FailureKind)
    assert set(REASONS) == set(SkipReason)
    assert all(remedy.endswith((".", "iam policy")) for remedy in REMEDIES.values())
    named = set(re.findall(r"\b([a-z]+)\.([a-z_]+)\b", " ".join(REMEDIES.values())))
    assert named
    for section, key in named:
        assert key in type(getattr(ScannerConfig(), section)).model_fields


def test_a_page_without_an_observation_time_can_be_written() -> None:
    """Not known is not an error, in any column."""
    base = inventory(1, 1)
    blank = base.volumes[0].model_copy(
        update={"size_bytes": None, "usage_bytes": None, "verdict": Verdict(status=VerdictStatus.UNRATED)}
    )
    bare = base.gateways[0].model_copy(update={"observed_at": None, "name": None})
    of = base.model_copy(update={"volumes": (blank,), "gateways": (bare, *base.gateways[1:])})
    columns = Page(written(of, ".html")).data["volumes"]["columns"]
    assert {name: column[0] for name, column in columns.items() if column[0] is None} == dict.fromkeys(
        ("size", "used", "age", "rpo", "rule", "waived")
    )


def test_long_lists_are_cut_and_say_by_how_much() -> None:
    """A thousand accounts denied must not bury the rest of the page."""
    targets = [target(f"{n:012d}", "eu-west-1", TargetStatus.FAILED) for n in range(1, 251)]
    failures = [failure(each.account_id, each.region, FailureKind.ACCESS_DENIED) for each in targets]
    page = written(without_volumes(targets, failures), ".html").decode()
    assert "50 more targets are in the inventory, not on this page." in page
    assert "and 247 more" in page
    assert "50 more accounts are in the inventory, not on this page." in page


def test_the_time_of_the_scan_is_shown_in_utc() -> None:
    """Whatever zone it was given in."""
    of = with_scan(inventory(), finished_at=inventory().scan.finished_at + timedelta(seconds=61))
    assert "2026-11-24 03:01:01 UTC" in written(of, ".html").decode()
