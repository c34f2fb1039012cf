"""What a query asks for: a small reader of PromQL, enough to hold the chart's queries against what the operator exports."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from clouddatamesh.metrics.catalogue import METRICS, Metric

_SUFFIXES = ("_bucket", "_count", "_sum")
_SELECTOR = re.compile(r"\b((?:clouddatamesh|workqueue|controller_runtime|rest_client|leader_election|process)_\w+)\s*(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")
ADDED = frozenset({"instance", "pod", "job", "le", "alertname"})
"""Labels that Prometheus or a histogram adds."""


@dataclass(frozen=True)
class Selector:
    """One metric in a query, with what is asked of its labels: (label, values that are named)."""

    name: str
    matchers: tuple[tuple[str, tuple[str, ...]], ...]


def selectors_of(query: str) -> Iterator[Selector]:
    """Every metric of the operator's that a query names."""
    for name, inner in _SELECTOR.findall(query):
        matchers = tuple(
            (label, tuple(value.split("|")) if "~" in operator else (value,)) for label, operator, value in _MATCHER.findall(inner)
        )
        yield Selector(name, matchers)


def grouping_of(query: str) -> frozenset[str]:
    """Every label by which a query groups."""
    return frozenset(label.strip() for labels in _GROUPING.findall(query) for label in labels.split(",") if label.strip())


def metric_of(name: str) -> Metric | None:
    """The metric of the catalogue that a series belongs to."""
    by_name = {metric.name: metric for metric in METRICS}
    base = next((name.removesuffix(suffix) for suffix in _SUFFIXES if name.endswith(suffix)), name)
    found = by_name.get(name) or by_name.get(base)
    return found if found is None or (found.type == "histogram") is (base != name) else None
