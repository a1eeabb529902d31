"""When the alerts fire, by Prometheus's own tool: a breach holds while nobody can read what is in breach."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

RULES = Path(__file__).parents[2] / "scanner/deploy/prometheus-alerts.yml"
PROMTOOL = shutil.which("promtool")
LABELS = {"account_id": "1", "region": "r", "instance": "i"}

pytestmark = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not installed: apt-get install prometheus"
)


def series(name: str, values: str, **labels: str) -> dict[str, str]:
    named = ",".join(f'{key}="{value}"' for key, value in {**LABELS, **labels}.items())
    return {"series": f"{name}{{{named}}}", "values": values}


def firing(tmp_path: Path, alert: str, *samples: dict[str, str], hours: int) -> bool:
    """Whether an alert fires after so many hours of samples, one an hour."""
    asked = {"expr": f'ALERTS{{alertname="{alert}",alertstate="firing"}}', "eval_time": f"{hours}h"}
    test: dict[str, Any] = {"interval": "1h", "input_series": list(samples)}
    for expected in ([], [{"labels": "{}", "value": 1}]):
        test["promql_expr_test"] = [{**asked, "expr": f"count({asked['expr']})", "exp_samples": expected}]
        file = tmp_path / "test.yml"
        file.write_text(
            json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1h", "tests": [test]})
        )
        assert PROMTOOL
        if not subprocess.run(
            [PROMTOOL, "test", "rules", str(file)], capture_output=True, check=False
        ).returncode:
            return bool(expected)
    raise AssertionError("promtool takes the rules for wrong")


def test_a_breach_fires_and_ends_with_the_breach(tmp_path: Path) -> None:
    samples = series("sgw_breaches", "2 2 0 0"), series("sgw_target_complete", "1 1 1 1")
    assert firing(tmp_path, "SgwBreach", *samples, hours=1)
    assert not firing(tmp_path, "SgwBreach", *samples, hours=3)


def test_a_breach_whose_gateway_goes_away_stays(tmp_path: Path) -> None:
    """Its series is absent then, as nobody can tell; only what was seen to be well ends the alert."""
    samples = series("sgw_breaches", "2 2 _ _ _ 0"), series("sgw_target_complete", "1 1 0 0 0 1")
    assert firing(tmp_path, "SgwBreach", *samples, hours=4)
    assert not firing(tmp_path, "SgwBreach", *samples, hours=5)


def test_a_breach_whose_gateway_is_known_to_be_away_stays(tmp_path: Path) -> None:
    """A waiver makes its target complete, and says nothing of the volume."""
    samples = series("sgw_breaches", "2 2 _ _ _ 0"), series("sgw_target_complete", "1 1 1 1 1 1")
    assert firing(tmp_path, "SgwBreach", *samples, hours=4)
    assert not firing(tmp_path, "SgwBreach", *samples, hours=5)


def test_an_account_that_left_the_fleet_fires_no_more(tmp_path: Path) -> None:
    samples = series("sgw_breaches", "2 2 _ _ _ _ _"), series("sgw_target_complete", "1 1 _ _ _ _ _")
    assert not firing(tmp_path, "SgwBreach", *samples, hours=6)


def test_a_breach_in_an_account_that_cannot_be_entered_stays(tmp_path: Path) -> None:
    """Such an account has one target, whose Region is not known."""
    samples = (
        series("sgw_breaches", "2 2 _ _"),
        series("sgw_target_complete", "1 1 _ _"),
        series("sgw_target_complete", "_ _ 0 0", region="*"),
    )
    assert firing(tmp_path, "SgwBreach", *samples, hours=3)


def test_a_failed_scan_and_an_absent_one_fire(tmp_path: Path) -> None:
    failed = series("sgw_scan_outcome", "1 1", outcome="failed")
    assert firing(tmp_path, "SgwScanFailed", failed, hours=1)
    assert firing(tmp_path, "SgwScanMissing", failed, hours=3)
