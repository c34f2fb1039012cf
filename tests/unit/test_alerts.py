"""The chart's alerts and dashboard ask for what the operator exports, with values that it can have, and each alert has its runbook."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from clouddatamesh.metrics.catalogue import METRICS
from clouddatamesh.metrics.tally import REASONS
from clouddatamesh.metrics.tally import TYPES as CONDITIONS
from clouddatamesh.reconcile.dispatch import RECONCILED
from tests.support.promql import ADDED, Selector, grouping_of, metric_of, selectors_of

ROOT = Path(__file__).parents[2]
FILES = ROOT / "charts/clouddatamesh/files"
GROUPS: list[dict[str, Any]] = yaml.safe_load((FILES / "alerts.yaml").read_text())["groups"]
RULES = {rule["alert"]: rule for group in GROUPS for rule in group["rules"]}
DASHBOARD: dict[str, Any] = json.loads((FILES / "dashboards" / "clouddatamesh.json").read_text())
PAGE = (ROOT / "docs" / "metrics.md").read_text()
VALUES = {
    "kind": RECONCILED,
    "type": CONDITIONS | {"Normal", "Warning"},
    "status": {"True", "False", "Unknown"},
    "reason": REASONS,
    "name": {"clouddatamesh"},
    "result": {"success", "not_found", "refused", "conflict", "throttled", "unavailable", "error", "requeue_after"},
    "code": {"5..", "429", "<error>"},
    "domain": {"$domain"},
}


def queries_of_dashboard() -> list[str]:
    return [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]


QUERIES = {**{name: rule["expr"] for name, rule in RULES.items()}, **{f"panel {n}": q for n, q in enumerate(queries_of_dashboard())}}


def faults_of(selector: Selector) -> list[str]:
    metric = metric_of(selector.name)
    if metric is None:
        return [] if selector.name.startswith("process_") else [f"nothing exports {selector.name}"]
    missing = [f"{metric.name} has no label {label}" for label, _ in selector.matchers if label not in metric.labels]
    return missing + [
        f"{label} of {metric.name} is never {value}"
        for label, values in selector.matchers
        for value in values
        if value not in VALUES[label]
    ]


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_what_a_query_asks_for_is_exported(query: str) -> None:
    selectors = tuple(selectors_of(query))
    assert selectors
    assert [fault for selector in selectors for fault in faults_of(selector)] == []
    labels = {label for selector in selectors for label in getattr(metric_of(selector.name), "labels", ())}
    assert grouping_of(query) <= labels | ADDED


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("max(clouddatamesh_unheard_of) > 0", "nothing exports clouddatamesh_unheard_of"),
        ("workqueue_depth_total", "nothing exports workqueue_depth_total"),
        ('max(clouddatamesh_objects{reason="Ready"})', "clouddatamesh_objects has no label reason"),
        ('max(clouddatamesh_objects{kind=~"Domain|Bucket"})', "kind of clouddatamesh_objects is never Bucket"),
        ("rate(workqueue_queue_duration_seconds[5m])", "nothing exports workqueue_queue_duration_seconds"),
    ],
)
def test_a_query_for_what_is_not_exported_is_found(query: str, fault: str) -> None:
    assert [found for selector in selectors_of(query) for found in faults_of(selector)] == [fault]


@pytest.mark.parametrize("name", RULES)
def test_an_alert_says_what_happens_and_where_its_runbook_is(name: str) -> None:
    rule = RULES[name]
    assert re.fullmatch(r"Clouddatamesh[A-Z]\w+", name)
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert rule["annotations"]["runbook"] == f"docs/metrics.md#{name.lower()}"
    assert re.search(rf"^### {name}$", PAGE, re.MULTILINE)
    told = " ".join(rule["annotations"].values())
    assert set(re.findall(r"\$labels\.(\w+)", told)) <= grouping_of(rule["expr"])
    assert rule["annotations"]["description"].endswith(".")


def test_the_page_has_no_runbook_of_an_alert_that_is_not_there() -> None:
    assert re.findall(r"^### (Clouddatamesh\w+)$", PAGE, re.MULTILINE) == list(RULES)


def test_the_page_asks_for_what_is_exported() -> None:
    queries = [query.replace("\\|", "|") for query in re.findall(r"`([^`]*(?:clouddatamesh|controller_runtime)_[^`]*[)\]a-z}])`", PAGE)]
    named = {query for query in queries if query.isidentifier()}
    assert named <= {metric.name for metric in METRICS}
    assert len(queries) - len(named) > 6
    assert [fault for query in queries if query not in named for selector in selectors_of(query) for fault in faults_of(selector)] == []
