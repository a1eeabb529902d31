"""When the alerts fire, by Prometheus's own tool: a breach holds while nobody can read what is in breach."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

RULES = Path(__file__).parents[2] / "scanner/deploy/prometheus-alerts.yml"
PROMTOOL = shutil.which("promtool")
FLEET = {"fleet": "f", "instance": "i"}
TARGET = {**FLEET, "account_id": "1", "region": "r"}
SCANNED = "sgw_scan_last_finish_timestamp_seconds"

pytestmark = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not installed: apt-get install prometheus"
)


def of_target(name: str, values: str, **labels: str) -> dict[str, str]:
    """A series of samples, one an hour; `_` where there is none."""
    return of_fleet(name, values, **{**TARGET, **labels})


def of_fleet(name: str, values: str, **labels: str) -> dict[str, str]:
    named = ",".join(f'{key}="{value}"' for key, value in {**FLEET, **labels}.items())
    return {"series": f"{name}{{{named}}}", "values": values}


def course(tmp_path: Path, alert: str, hours: str, *samples: dict[str, str]) -> None:
    """Asserts in which hours an alert fires: `!`, and in which it does not: `.`. Of `?` it says nothing."""
    firing = f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) or vector(0)'
    asked = [
        {
            "expr": firing,
            "eval_time": f"{hour}h",
            "exp_samples": [{"labels": "{}", "value": int(said == "!")}],
        }
        for hour, said in enumerate(hours)
        if said != "?"
    ]
    test = {"interval": "1h", "input_series": list(samples), "promql_expr_test": asked}
    file = tmp_path / "test.yml"
    file.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1h", "tests": [test]}))
    assert PROMTOOL
    done = subprocess.run([PROMTOOL, "test", "rules", str(file)], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stdout + done.stderr


# The states of a target, and what its metrics are then. With a history `sgw_breaches` holds what was last known, and
# without one it is absent.
BREACHES = {
    "breach, then well": ("!!..", "2 2 0 0", "1 1 1 1"),
    "gateway offline, with a history": ("!!!!!.", "2 2 2 2 2 0", "1 1 0 0 0 1"),
    "gateway offline, without one": ("!!!!!.", "2 2 _ _ _ 0", "1 1 0 0 0 1"),
    "gateway excused by a waiver, whose target is complete": ("!!!!!.", "2 2 _ _ _ 0", "1 1 1 1 1 1"),
    "target failed, with a history": ("!!!!.", "2 2 2 2 0", "1 1 0 0 1"),
    "target failed, without one": ("!!!!.", "2 2 _ _ 0", "1 1 0 0 1"),
    "offline, and nothing was wrong": ("......", "0 0 _ _ _ 0", "1 1 0 0 0 1"),
    "account that left the fleet": ("!!....", "2 2 _ _ _ _", "1 1 _ _ _ _"),
}


@pytest.mark.parametrize("name", BREACHES)
def test_a_breach_fires_until_it_was_seen_to_be_over(tmp_path: Path, name: str) -> None:
    fires, breaches, complete = BREACHES[name]
    scanned = of_fleet(SCANNED, "0x9")
    samples = of_target("sgw_breaches", breaches), of_target("sgw_target_complete", complete)
    course(tmp_path, "SgwBreach", fires, scanned, *samples)


def test_a_breach_in_an_account_that_cannot_be_entered_stays(tmp_path: Path) -> None:
    """Such an account has one target, whose Region is not known."""
    course(
        tmp_path,
        "SgwBreach",
        "!!!!.",
        of_fleet(SCANNED, "0x9"),
        of_target("sgw_breaches", "2 2 _ _ 0"),
        of_target("sgw_target_complete", "1 1 _ _ 1"),
        of_target("sgw_target_complete", "_ _ 0 0 _", region="*"),
    )


def test_a_breach_stays_while_no_scan_reports_and_others_end_as_they_should(tmp_path: Path) -> None:
    samples = (
        of_fleet(SCANNED, "0 0 _ _ 0 0"),
        of_target("sgw_breaches", "2 2 _ _ 2 0"),
        of_target("sgw_target_complete", "1 1 _ _ 1 1"),
        of_fleet(SCANNED, "0x9", fleet="other"),
    )
    course(tmp_path, "SgwBreach", "!!!!!.", *samples)


def test_a_breach_of_which_nothing_is_heard_for_a_week_is_forgotten(tmp_path: Path) -> None:
    samples = of_target("sgw_breaches", "2 _x180"), of_target("sgw_target_complete", "1 0x180")
    course(tmp_path, "SgwBreach", "!" * 168 + "?..", *samples)


# Each of the other alerts: when it fires, and that it ends.
OTHERS: dict[str, tuple[str, list[dict[str, str]]]] = {
    "SgwScanMissing": ("..!!!.", [of_fleet(SCANNED, "0 _ _ _ _ 0")]),
    "SgwFleetMissing": (
        "...!!.",
        [of_fleet(SCANNED, "0 0 _ _ _ 0"), of_fleet(SCANNED, "0x9", fleet="other")],
    ),
    "SgwScrapeError": (
        "..!!.",
        [of_fleet(SCANNED, "0 _ _ _ 0"), of_fleet("node_textfile_scrape_error", "0 1 1 1 0")],
    ),
    "SgwScanStale": ("." * 27 + "!!.", [of_fleet(SCANNED, "0x28 104400")]),
    "SgwNoCompleteScan": (
        "." * 48 + "?!.",
        [of_fleet("sgw_scan_last_success_timestamp_seconds", "0 _x49 0")],
    ),
    "SgwScanFailed": (".!!.", [of_fleet("sgw_scan_outcome", "0 1 1 0", outcome="failed")]),
    "SgwTargetNotRead": (".......!!.", [of_target("sgw_target_complete", "1 0x7 1")]),
    "SgwAccessRefused": (".!!.", [of_fleet("sgw_failures", "0 3 1 0", kind="access_denied")]),
    "SgwGatewayUnreachable": (
        ".......!!.",
        [of_fleet("sgw_failures", "0 1x7 0", kind="gateway_unreachable")],
    ),
    "SgwAtRisk": (".......!!.", [of_target("sgw_volumes", "0 1x7 0", verdict="at_risk")]),
    "SgwVerdictUnknown": (".!!.", [of_target("sgw_volumes", "0 1 1 0", verdict="unknown")]),
    "SgwThrottled": (
        "." * 25 + "!!.",
        [
            of_fleet("sgw_scan_api_calls", "100x30"),
            of_fleet("sgw_scan_api_calls_throttled", "0 30x25 0"),
        ],
    ),
}


@pytest.mark.parametrize("alert", OTHERS)
def test_each_alert_fires_and_ends(tmp_path: Path, alert: str) -> None:
    hours, samples = OTHERS[alert]
    course(tmp_path, alert, hours, *samples)


def test_every_alert_is_tried() -> None:
    assert set(re.findall(r"- alert: (\w+)", RULES.read_text())) == {"SgwBreach", *OTHERS}


def test_a_host_that_cannot_be_scraped_is_told_if_scans_came_from_it(tmp_path: Path) -> None:
    """And no other one."""
    down = of_fleet("up", "1 0 0 0 1")
    course(tmp_path, "SgwScrapeError", "..!!.", of_fleet(SCANNED, "0 _ _ _ 0"), down)
    course(tmp_path, "SgwScrapeError", ".....", of_fleet(SCANNED, "0x9", instance="another"), down)


def panel(title: str) -> str:
    """The query of the dashboard's first panel of this name, for every account and Region."""
    document = json.loads((RULES.parent / "grafana-dashboard.json").read_text())
    found = next(each for each in document["panels"] if each["title"] == title)
    query: str = found["targets"][0]["expr"]
    return query.replace("$account", ".*").replace("$region", ".*")


def answers(
    tmp_path: Path, query: str, hour: int, expected: list[tuple[str, float]], *samples: dict[str, str]
) -> None:
    """Asserts what a query answers after so many hours, as labels and values."""
    wanted = [{"labels": labels, "value": value} for labels, value in expected]
    asked = [{"expr": query, "eval_time": f"{hour}h", "exp_samples": wanted}]
    test = {"interval": "1h", "input_series": list(samples), "promql_expr_test": asked}
    file = tmp_path / "test.yml"
    file.write_text(json.dumps({"rule_files": [], "evaluation_interval": "1h", "tests": [test]}))
    assert PROMTOOL
    done = subprocess.run([PROMTOOL, "test", "rules", str(file)], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("title", ["Breaches", "Not read completely"])
def test_the_dashboard_has_a_number_for_a_fresh_scan_only(tmp_path: Path, title: str) -> None:
    """What is not a number is grey there: neither an old scan nor a dead exporter looks well."""
    number = f"({panel(title)})"
    target = of_target("sgw_breaches", "0x40"), of_target("sgw_target_complete", "1x40")
    answers(tmp_path, f"{number} >= 0", 25, [("{}", 0.0)], of_fleet(SCANNED, "0x40"), *target)
    grey = f"count({number} != {number})"
    answers(tmp_path, grey, 27, [("{}", 1.0)], of_fleet(SCANNED, "0x40"), *target)
    answers(tmp_path, grey, 27, [("{}", 1.0)], of_fleet(SCANNED, "0x3"))


@pytest.mark.parametrize("named", [False, True], ids=["without a name", "named"])
def test_the_worst_volumes_have_names_and_those_without_a_point_are_infinite(
    tmp_path: Path, named: bool
) -> None:
    """The account's name where it is known; without it the volume is there all the same."""
    job = {"job": "j", "gateway_id": "g"}
    samples = [
        of_target("sgw_volume_rpo_seconds", "10", volume_id="none", **job),
        of_target("sgw_volume_rpo_seconds", "10", volume_id="old", **job),
        of_target("sgw_volume_recovery_point_age_seconds", "30", volume_id="old", **job),
        of_target("sgw_gateway_info", "1", gateway_name="db", **job),
    ]
    if named:
        samples.append(of_fleet("sgw_account_info", "1", account_id="1", account_name="prod"))
    labels = {"account_id": "1", **({"account_name": "prod"} if named else {}), "gateway_name": "db"}

    def labelled(volume: str) -> str:
        every = {**labels, **TARGET, **job, "volume_id": volume}
        return "{" + ", ".join(f'{key}="{value}"' for key, value in every.items() if key != "fleet") + "}"

    # The tool's YAML has no infinity.
    query = f"max without (fleet) (clamp_max({panel('Worst volumes')}, 1000))"
    answers(tmp_path, query, 0, [(labelled("none"), 1000.0), (labelled("old"), 3.0)], *samples)
