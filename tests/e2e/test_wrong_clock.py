"""A node whose clock is a day ahead of the API server's and of the store's, while the operator runs: the shipped process on RGW."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hack.tools.controlplane import ControlPlane
from hack.tools.faketime import Faketime, faketime
from hack.tools.store import Store
from tests.e2e.access import BODY, Access, a_deal, condition_of
from tests.e2e.actors import Actors
from tests.support.installation import Installation
from tests.support.manifests import a_domain, a_product, a_profile, a_store, a_team

DAY = timedelta(days=1)
CONSUMER = {"dataProductRef": {"name": "drinker"}}


@dataclass(frozen=True)
class Node:
    """A mesh whose operator has a clock of its own, and access of three kinds on it."""

    mesh: Actors
    clock: Faketime
    short: Access
    """It ends in three hours, which by the wrong clock are over."""
    gone: Access
    """Its owner takes it away."""
    kept: Access
    """Its Secret is deleted."""

    def asks(self, kind: str, name: str, namespace: str) -> dict[str, Any]:
        """Have an object looked at now; the object after that look."""
        installed, token = self.mesh.installed, datetime.now(UTC).isoformat()
        note = f"clouddatamesh.dev/reconcile-requested-at={token}"
        installed.cluster.kubectl("annotate", kind, name, "-n", namespace, "--overwrite", note)
        installed.until(
            lambda: installed.get(kind, name, namespace)["status"].get("lastHandledReconcileAt") == token, what=f"a look at {name}"
        )
        return installed.get(kind, name, namespace)


def in_time(**delta: float) -> str:
    return f"{datetime.now(UTC) + timedelta(**delta):%Y-%m-%dT%H:%M:%SZ}"


def deal(name: str, **terms: Any) -> Any:
    return a_deal(name, "sales/wells", consumer=CONSUMER, **terms)


@pytest.fixture(scope="module")
def node(rgw: Store) -> Iterator[Node]:
    with faketime() as clock, ControlPlane() as cluster, Installation(cluster, mesh="tick", env=clock.env) as installed:
        mesh = Actors(installed, rgw)
        installed.give_credentials(rgw)
        store = a_store(endpointUrl=rgw.endpoint, region=rgw.region, bucketPrefix="tick")
        installed.apply(store, a_domain("sales"), a_domain("inventory"))
        for kind, name in (("objectstore", "main"), ("domain", "sales"), ("domain", "inventory")):
            installed.wait(kind, name, seconds=90)
        installed.apply(a_product("wells"), a_product("drinker", "inventory"))
        installed.wait("dataproduct", "wells", "sales", seconds=60)
        installed.wait("dataproduct", "drinker", "inventory", seconds=60)
        mesh.s3.put_object(Bucket=mesh.bucket("wells"), Key="daily/seed", Body=BODY)
        ends = {"short": in_time(hours=3), "gone": in_time(days=30), "kept": in_time(days=30)}
        given = {name: Access.given(mesh, deal(name, validUntil=end)) for name, end in ends.items()}
        yield Node(mesh, clock, **given)


def test_a_day_ahead_nothing_is_given_or_ends_by_time_and_an_owner_is_obeyed(node: Node) -> None:
    installed = node.mesh.installed
    node.clock.set(DAY)

    late = deal("late", validUntil=in_time(days=30))
    installed.apply(late.request, late.grant)
    installed.until(
        lambda: condition_of(installed.get("areq", "late", "inventory")).get("reason") == "ClockSkewed", what="the word on new access"
    )
    assert "principal" not in installed.get("areq", "late", "inventory")["status"]

    for kind, name, namespace in (("areq", "short", "inventory"), ("agrant", "for-short", "sales"), ("dataproduct", "wells", "sales")):
        found = node.asks(kind, name, namespace)
        assert condition_of(found)["status"] == "True", found["status"]
        assert condition_of(found, "Expiring") == condition_of(found, "Expired") == {}
    assert node.short.reads()

    installed.cluster.kubectl("delete", "agrant", "for-gone", "-n", "sales", "--wait=false")
    node.gone.ends(seconds=20)

    installed.cluster.kubectl("delete", "secret", "kept", "-n", "inventory")
    asked = node.asks("areq", "kept", "inventory")
    assert asked["status"]["rotation"] == {"accessKeyId": node.kept.secret["access-key-id"]}, "a former key without an end yet"
    fresh = Access.of(node.mesh, node.kept.deal)
    assert fresh.secret["access-key-id"] != node.kept.secret["access-key-id"]
    assert (fresh.reads(), node.kept.reads()) == (True, True)

    node.clock.set(timedelta())
    installed.until(lambda: condition_of(node.asks("areq", "late", "inventory"))["reason"] == "Granted", seconds=130, what="trust again")
    until = node.asks("areq", "kept", "inventory")["status"]["rotation"]["until"]
    assert in_time(minutes=55) < until < in_time(minutes=62)
    assert (node.kept.reads(), node.short.reads()) == (True, True)


def test_a_month_ahead_no_member_loses_a_right_and_no_training_is_overdue(node: Node) -> None:
    installed, today, soon = node.mesh.installed, in_time()[:10], in_time(days=10)[:10]
    team = a_team(("kim", "owner", "", soon), ("lee", "owner", soon, ""))
    training = [{"name": "gdpr", "validFor": "20d", "completedBy": [{"username": "kim", "date": today}]}]
    installed.apply(a_domain("sales", team=team, access={"fromTeam": True}), a_profile(training=training))

    def bound() -> list[str]:
        return [subject["name"] for subject in installed.get("rolebinding", "clouddatamesh-owners", "sales").get("subjects", ())]

    installed.until(lambda: bound() == ["kim"], what="the member's right")
    installed.until(lambda: installed.get("dprof", "sales", "sales").get("status", {}).get("training"), what="the training")
    node.clock.set(timedelta(days=30))
    node.asks("domain", "sales", "")
    found = node.asks("dprof", "sales", "sales")["status"]
    node.clock.set(timedelta())
    assert bound() == ["kim"]
    assert (found["training"]["due"], found["training"]["overdue"]) == (1, 0)
