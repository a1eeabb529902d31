"""For each alert and each exit code docs/operations.md says what to do."""

import importlib
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/operations.md").read_text()
HEADINGS = [heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", PAGE, re.M)]


def test_each_alert_links_to_a_heading_of_its_own() -> None:
    yaml: Any = importlib.import_module("yaml")
    (group,) = yaml.safe_load((ROOT / "scanner/deploy/prometheus-alerts.yml").read_text())["groups"]
    links = {rule["alert"]: rule["annotations"]["runbook_url"] for rule in group["rules"]}
    assert links == {name: f"operations.html#{name.lower()}" for name in links}
    assert {name.lower() for name in links} == {name for name in HEADINGS if name.startswith("sgw")}


def test_each_exit_code_has_a_heading() -> None:
    table = (ROOT / "docs/cli.md").read_text().partition("## Exit codes")[2].partition("\n## ")[0]
    codes = re.findall(r"^\| (\d+) \|", table, re.M)
    assert [f"exit-{code}" for code in codes] == [name for name in HEADINGS if re.match(r"exit-\d", name)]
