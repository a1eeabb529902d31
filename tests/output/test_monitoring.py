"""Alert rules, dashboard and metrics speak of the same things."""

import importlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from scanner.inventory.records import (
    ANY_REGION,
    FailureKind,
    GatewayStatus,
    Outcome,
    TargetStatus,
    VerdictStatus,
)
from scanner.output.prometheus import METRICS
from tests.output.fleet import inventory, written

ROOT = Path(__file__).parents[2]
LABELS = {metric.name: set(metric.labels) for metric in METRICS}
SCRAPED = {"instance", "job", "fleet"}
"""What Prometheus adds to every sample, and the fleet, which we add."""
VALUES: dict[tuple[str, str], set[str]] = {
    ("sgw_volumes", "verdict"): set(VerdictStatus),
    ("sgw_targets", "status"): set(TargetStatus),
    ("sgw_gateways", "status"): set(GatewayStatus),
    ("sgw_failures", "kind"): set(FailureKind),
    ("sgw_scan_outcome", "outcome"): set(Outcome),
    # Of Regions the rules name only that of an account whose Regions are not known.
    ("sgw_target_complete", "region"): {ANY_REGION},
}
SELECTOR = re.compile(r"\b(sgw_\w+)\s*(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
GROUPED = re.compile(r"\b(?:by|on|ignoring|without|group_left|group_right)\s*\(([^)]*)\)")
PROMQL = {
    "absent", "absent_over_time", "and", "by", "count", "group_left", "last_over_time", "max", "max_over_time",
    "on", "or", "sum", "time", "topk", "unless", "vector", "min", "NaN", "Inf",
}  # fmt: skip
"""The functions and keywords that the rules and the dashboard get along with."""
FOREIGN = {"node_textfile_scrape_error", "up"}
"""Metrics of Prometheus and node_exporter."""


@dataclass(frozen=True)
class Query:
    """A PromQL expression, and the labels that a text beside it shows."""

    where: str
    expression: str
    shown: frozenset[str]

    @property
    def metrics(self) -> set[str]:
        return {name for name, _ in SELECTOR.findall(self.expression)}

    @property
    def known(self) -> set[str]:
        return SCRAPED.union(*(LABELS[name] for name in self.metrics))


def rules() -> list[dict[str, Any]]:
    yaml: Any = importlib.import_module("yaml")
    document = yaml.safe_load((ROOT / "scanner/deploy/prometheus-alerts.yml").read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((ROOT / "scanner/deploy/grafana-dashboard.json").read_text())
    return document


def queries() -> Iterator[Query]:
    for rule in rules():
        shown = re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values()))
        yield Query(rule["alert"], rule["expr"], frozenset(shown))
    for panel in dashboard()["panels"]:
        for target in panel["targets"]:
            shown = re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", ""))
            yield Query(panel["title"], target["expr"], frozenset(shown))


@cache
def real_samples() -> list[Any]:
    partial = inventory(whole=False)
    lost = tuple(
        each.model_copy(update={"region": ANY_REGION}) if each.status is TargetStatus.FAILED else each
        for each in partial.targets
    )
    fleets = inventory(), partial, partial.model_copy(update={"targets": lost})
    texts = [written(fleet, ".prom").decode() for fleet in fleets]
    return [s for text in texts for family in text_string_to_metric_families(text) for s in family.samples]


EVERY = [pytest.param(each, id=each.where) for each in queries()]


@pytest.mark.parametrize("query", EVERY)
def test_queries_name_only_metrics_and_labels_that_are_written(query: Query) -> None:
    """A misspelt name is no error to Prometheus: the alert would simply never fire."""
    assert query.metrics
    assert query.metrics <= set(LABELS)
    for name, matchers in SELECTOR.findall(query.expression):
        found = MATCHER.findall(matchers)
        assert ",".join("".join((n, op, f'"{v}"')) for n, op, v in found) == matchers.replace(", ", ",")
        for label, _, value in found:
            assert label in LABELS[name]
            if not value.startswith("$"):
                assert set(value.split("|")) <= VALUES[name, label]
    for grouped in GROUPED.findall(query.expression):
        assert set(re.findall(r"\w+", grouped)) <= query.known


@pytest.mark.parametrize("query", EVERY)
def test_queries_are_of_the_small_language_that_we_know(query: Query) -> None:
    """Brackets close, and every word is a function, a keyword, a metric or a label."""
    bare = re.sub(r'"[^"]*"', '""', query.expression)
    assert bare.count("(") == bare.count(")")
    assert bare.count("{") == bare.count("}")
    words = set(re.findall(r"[a-zA-Z_]\w*", re.sub(r"\[\d+[dhms]\]", "", bare)))
    assert words - query.metrics - query.known <= PROMQL | FOREIGN | {"sort_desc"}


@pytest.mark.parametrize("query", EVERY)
def test_what_a_text_shows_is_still_there_after_aggregation(query: Query) -> None:
    """`sum by (kind)` leaves nothing but the kind."""
    kept = re.search(r"\b(?:sum|max|count)(?: by \(([^)]*)\))?", query.expression)
    left = query.known if kept is None else set(re.findall(r"\w+", kept[1] or ""))
    assert query.shown <= left


@pytest.mark.parametrize("query", EVERY)
def test_every_selector_finds_a_sample_in_a_real_file(query: Query) -> None:
    """In that of a complete scan or of an incomplete one."""
    samples = real_samples()
    for name, matchers in SELECTOR.findall(query.expression):
        wanted = [(n, v) for n, _, v in MATCHER.findall(matchers) if not v.startswith("$")]
        assert [s for s in samples if s.name == name and all(s.labels[n] in v.split("|") for n, v in wanted)]


def test_alerts_say_what_happened_and_how_bad_it_is() -> None:
    """One name each, a severity, a sentence and what to do."""
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names)) > 8
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
        assert rule["annotations"]["description"].endswith(".")
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}


def test_the_dashboard_is_whole() -> None:
    """Panels have ids of their own and overlap nowhere; every variable used is there to choose."""
    board = dashboard()
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = [
        (panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y)
        for panel in panels
        for x in range(panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24
    defined = {variable["name"] for variable in board["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]\w*)", json.dumps(panels)))
    assert used == defined
    assert all(panel["description"] for panel in panels)


def test_every_metric_is_explained_and_nothing_else_is() -> None:
    """docs/metrics.md has a row for each, with its labels and its unit."""
    rows = re.findall(r"^\| `(sgw_\w+)` \| (.*?) \|", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE)
    assert {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows} == LABELS
    assert len(rows) == len(METRICS)


def test_units_stand_in_the_names() -> None:
    """As the conventions of Prometheus ask: seconds and bytes, nothing multiplied."""
    for metric in METRICS:
        if "age" in metric.name.split("_") or "rpo" in metric.name or "duration" in metric.name:
            assert metric.name.endswith("_seconds")
        if "size" in metric.name or "usage" in metric.name:
            assert metric.name.endswith("_bytes")
        assert metric.help.endswith(".")
        assert not metric.name.endswith(("_total", "_count", "_sum", "_bucket"))


def test_the_number_of_series_is_bounded() -> None:
    """Four or five for each volume, eight for each target, one for each gateway and account."""
    of = inventory(10, 20, whole=False)
    text = written(of, ".prom").decode()
    series = sum(len(family.samples) for family in text_string_to_metric_families(text))
    fixed = len(FailureKind) + len(Outcome) + len(TargetStatus) + len(GatewayStatus) + 6
    per_target = 2 + len(VerdictStatus)
    assert series <= 5 * len(of.volumes) + per_target * len(of.targets) + len(of.gateways) + 1 + fixed
