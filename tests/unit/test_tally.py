"""The count of the mesh, moved by each change, is what counting everything again would give, in whatever order changes are told."""

import random
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from clouddatamesh.kube.cache import Cache
from clouddatamesh.metrics import catalogue as c
from clouddatamesh.metrics.tally import OTHER, TYPES, Reading, Tally
from clouddatamesh.model.objects import Manifest
from clouddatamesh.plan.sweep import ORPHANED
from clouddatamesh.plan.takeover import UNCLAIMED
from clouddatamesh.reconcile.dispatch import RECONCILED
from tests.support.manifests import a_product, a_request, a_store

OPERATOR = Path(__file__).parents[2] / "operator" / "clouddatamesh"
NOW = datetime(2026, 1, 10, tzinfo=UTC)
REASONS = ("Ready", "StoreUnavailable", "NotOwned", "AwaitingGrant", "Granted")


def same(namespace: str) -> str:
    return namespace


def read(tally: Tally, now: datetime = NOW) -> set[Reading]:
    return {reading for reading in tally.read(now, same) if reading[2]}


def an_object(kind: str, name: str, version: int, draw: random.Random) -> dict[str, Any]:
    ready = {"type": "Ready", "status": draw.choice(("True", "False", "Unknown")), "reason": draw.choice(REASONS)}
    effect = {"type": "InEffect", "status": draw.choice(("True", "False")), "reason": "Granted"}
    moment = f"2026-01-0{draw.randint(1, 9)}T00:00:00Z"
    escalated = {"type": "Escalated", "status": draw.choice(("True", "False")), "reason": "NotAnswered"}
    further = {"AccessGrant": [effect], "AccessRequest": [escalated]}.get(kind, [])
    conditions = [{**one, "lastTransitionTime": moment} for one in (ready, *further)]
    metadata = {"name": name, "namespace": draw.choice(("sales", "inventory")), "uid": name, "resourceVersion": str(version)}
    spec = {"dataProductRef": {"namespace": "sales", "name": "orders"}}
    status: dict[str, Any] = {"conditions": conditions, "validUntil": f"2026-01-{draw.randint(10, 28)}T00:00:00Z"}
    broken = {"policy": "GovernancePolicy/x", "rule": "y", "enforcement": draw.choice(("Audit", "Deny")), "severity": "high"}
    status |= {"compliance": {"violations": [broken] * draw.randint(0, 2)}}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec, "status": status}


@pytest.mark.parametrize("seed", range(8))
def test_it_is_what_counting_again_would_give(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - an order, no secret
    changes: list[tuple[Manifest | None, Manifest | None]] = []
    cache = Cache(lambda old, new: changes.append((old, new)))
    kinds = ("DataProduct", "AccessRequest", "AccessGrant", "Domain", "Namespace")
    for version in range(1, 300):
        found = an_object(draw.choice(kinds), f"n{draw.randint(0, 9)}", version, draw)
        cache.remove(found) if draw.random() < 0.3 else cache.put(found)
    draw.shuffle(changes)
    moved, afresh = Tally(), Tally()
    for old, new in changes:
        moved.take(old, new)
    for kind in kinds:
        for manifest in cache.list(kind):
            afresh.take(None, manifest)
    assert read(moved) == read(afresh)
    assert len(read(moved)) > 10
    assert (moved._counts, moved._times) == (afresh._counts, afresh._times)


def test_nothing_is_left_of_what_is_gone() -> None:
    tally = Tally()
    found = an_object("AccessGrant", "one", 1, random.Random(1))  # noqa: S311 - no secret
    tally.take(None, found)
    tally.take(found, None)
    assert not tally._counts
    assert not tally._times


@pytest.mark.parametrize("conditions", [None, {}, "text", [None], [{}], [{"type": "Ready"}], [{"type": 3, "status": [], "reason": {}}]])
def test_a_status_that_somebody_else_wrote_is_counted_and_names_nothing(conditions: Any) -> None:
    tally = Tally()
    tally.take(None, {**a_product(), "status": {"conditions": conditions}})
    labels = {label for _, names, _ in tally.read(NOW, same) for label in names}
    assert labels <= {*RECONCILED, "sales", "Ready", OTHER}


def test_a_manifest_that_cannot_be_counted_leaves_nothing_behind() -> None:
    tally = Tally()
    found = {**a_request(), "status": {"conditions": [{"type": ["Ready"], "status": "True"}]}}
    tally.take(None, found)
    tally.take(found, None)
    assert not tally._counts


def test_a_moment_that_is_none_counts_as_now() -> None:
    tally = Tally()
    ready = {"type": "Ready", "status": "False", "reason": "NotOwned", "lastTransitionTime": "soon"}
    tally.take(None, {**a_product(), "status": {"conditions": [ready]}})
    assert [value for metric, _, value in tally.read(NOW, same) if metric is c.NOT_READY] == [0.0]


def test_what_nobody_judged_yet_counts_from_its_creation() -> None:
    tally = Tally()
    pending = {"type": "Ready", "status": "Unknown", "reason": "Pending", "lastTransitionTime": "1970-01-01T00:00:00Z"}
    store = a_store()
    metadata = {**store["metadata"], "creationTimestamp": f"{NOW - timedelta(minutes=2):%Y-%m-%dT%H:%M:%SZ}"}
    tally.take(None, {**store, "metadata": metadata, "status": {"conditions": [pending]}})
    assert [value for metric, _, value in tally.read(NOW, same) if metric is c.NOT_READY] == [120.0]


def test_every_condition_that_the_operator_writes_is_known() -> None:
    source = "\n".join(path.read_text() for path in OPERATOR.rglob("*.py") if path.parent.name != "metrics")
    written = {*re.findall(r'Finding\(\s*"(\w+)"', source), *re.findall(r'Part\([^)]*?, "([A-Z]\w+)"', source), ORPHANED, UNCLAIMED}
    named = dict(re.findall(r'^([A-Z_]+): Final = "(\w+)"$', source, re.MULTILINE))
    written |= {named[name] for name in re.findall(r"Finding\(\s*([A-Z_]+),", source) if name in named}
    assert len(written) > 15
    assert written <= TYPES


def test_every_reading_has_the_labels_of_its_metric() -> None:
    draw, tally = random.Random(4), Tally()  # noqa: S311 - no secret
    for kind in ("DataProduct", "AccessRequest", "AccessGrant", "ObjectStore", "Domain"):
        for n in range(40):
            tally.take(None, an_object(kind, f"n{n}", 1, draw))
    seen = Counter(metric for metric, names, _ in tally.read(NOW, same) if len(names) == len(metric.labels))
    assert sum(seen.values()) == len(list(tally.read(NOW, same)))
    assert set(seen) == {metric for metric in c.METRICS if metric.of_mesh} - {c.OVERDUE}


def test_violations_without_a_waiver_are_counted_by_domain_severity_and_enforcement() -> None:
    def broken(name: str, **entry: str) -> dict[str, str]:
        return {"policy": "GovernancePolicy/x", "rule": name, "enforcement": "Audit", "severity": "high", **entry}

    entries = [broken("a"), broken("b"), broken("c", enforcement="Deny"), broken("d", waiver="w"), broken("e", enforcement="forged")]
    product = {**a_product(), "status": {"compliance": {"violations": entries}}}
    tally = Tally()
    tally.take(None, product)
    found = {reading[1:] for reading in read(tally) if reading[0] is c.VIOLATIONS}
    assert found == {(("sales", "high", "Audit"), 2.0), (("sales", "high", "Deny"), 1.0), (("sales", "high", OTHER), 1.0)}
    tally.take(product, a_product())
    assert not {reading for reading in read(tally) if reading[0] is c.VIOLATIONS}
