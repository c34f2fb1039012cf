"""A mesh with what came after access: a team with rights by its list, a profile, policies, a waiver, a port that asks two people.

It is made by an earlier version, taken on by this one, and can go back: nothing is written, issued or decided again. On RGW.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from hack.tools.store import Store
from tests.e2e.access import BODY, Access, a_deal
from tests.e2e.test_upgrade import Moving, installed_earlier
from tests.support.installation import CHART
from tests.support.manifests import a_domain, a_policy, a_profile, a_rule, a_store, a_team, a_waiver
from tests.support.rollout import Moment, flaps

EARLIER = "051e98e"
"""The first version that has all of it."""
ROBOT = {"serviceAccountRef": {"name": "robot"}}
OWNERS = ("kim", "lee")
PORTS = [
    {
        "name": "daily",
        "version": "1.0.0",
        "path": "daily/",
        "format": "parquet",
        "access": {"approvals": 2, "maxDuration": "90d", "keepGiven": True},
    },
    {"name": "open", "version": "1.0.0", "path": "open/", "format": "parquet", "access": {"approval": "Auto", "maxDuration": "30d"}},
]
TWO = a_deal("two", "sales/orders", consumer=ROBOT)
AUTO = a_deal("auto", "sales/orders", consumer=ROBOT, port={"name": "open", "version": "1.0.0"})


@pytest.fixture(scope="module")
def moving(rgw: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moving]:
    with installed_earlier(EARLIER, rgw, tmp_path_factory.mktemp("earlier")) as (installation, mesh):
        _build(mesh)
        mesh.before.update({**mesh.everything(), "conditions": mesh.conditions(), "decided": decided(mesh)})
        moment = Moment.of(installation.cluster)
        installation.run(CHART, None)
        mesh.look("upgraded")
        installation.rests()
        mesh.again.update(children=moment.children(), conditions=mesh.conditions(), decided=decided(mesh))
        moment.longest_gap()
        yield mesh


def _build(mesh: Moving) -> None:
    installed, kubectl = mesh.installed, mesh.installed.cluster.kubectl
    installed.give_credentials(mesh.store)
    store = a_store(endpointUrl=mesh.store.endpoint, region=mesh.store.region, bucketPrefix="rules")
    team = a_team(("kim", "owner", "", ""), ("nia", "engineer", "", "2099-01-01"))
    owners = {"owners": [{"kind": "User", "name": name} for name in OWNERS], "fromTeam": True}
    installed.apply(store, a_domain("sales", access=owners, team=team), a_domain("inventory"))
    for kind, name in (("objectstore", "main"), ("domain", "sales"), ("domain", "inventory")):
        installed.wait(kind, name, seconds=60)
    kubectl("create", "serviceaccount", "robot", "-n", "inventory")
    training = [{"name": "gdpr", "completedBy": [{"username": "kim", "date": "2026-01-01"}]}]
    installed.apply(a_profile(team=team, training=training))
    installed.apply(
        a_policy("audited", rules=[a_rule("never", "false")]),
        a_policy("denied", enforcement="Deny", rules=[a_rule("active", "object.spec.lifecycle != 'draft'")]),
        a_policy("own", "sales", rules=[a_rule("mine", "false")]),
        a_waiver("excused", policyRef={"kind": "GovernancePolicy", "name": "audited"}, rule="never", validUntil="2099-01-01T00:00:00Z"),
    )
    mesh.make("orders", outputPorts=PORTS)
    mesh.make("returns")
    for port in ("daily", "open"):
        mesh.s3.put_object(Bucket=mesh.bucket("orders"), Key=f"{port}/seed", Body=BODY)
    installed.apply(TWO.request, AUTO.request)
    for person in OWNERS:
        grant = {
            **TWO.grant,
            "metadata": {"name": f"two-{person}", "namespace": "sales"},
            "spec": {**TWO.grant["spec"], "approver": person},
        }
        kubectl("apply", "--server-side", "-f", "-", f"--as={person}", stdin=json.dumps(grant))
    for deal in (TWO, AUTO):
        installed.wait("areq", deal.name, deal.namespace, seconds=60)
        assert Access.of(mesh, deal).reads()
    told = lambda: all({"never", "mine"} <= rules_of(mesh, name) for name in ("orders", "returns"))  # noqa: E731
    installed.until(told, seconds=60, what="the violations")
    installed.until(lambda: installed.get("dprof", "sales", "sales").get("status", {}).get("training"), seconds=60, what="the training")
    mesh.look("made")
    installed.rests()


def compliance(mesh: Moving, name: str) -> Any:
    return mesh.product(name).get("status", {}).get("compliance")


def rules_of(mesh: Moving, name: str) -> set[str]:
    """The rules that a product violates."""
    return {one["rule"] for one in (compliance(mesh, name) or {}).get("violations", ())}


def said_of(violation: dict[str, Any]) -> str:
    """Versions count more than the earlier one did, and have an order of their own."""
    return f"{violation['policy']}/{violation['rule']}: {violation['enforcement']}, {violation['message']}, {violation.get('waiver')}"


def decided(mesh: Moving) -> dict[str, Any]:
    """Who has which right, what approved what, and what is violated."""
    subjects = {
        one["metadata"]["name"]: sorted(who["name"] for who in one.get("subjects") or ())
        for one in mesh.installed.all("rolebindings", "sales")
    }
    requests = {
        one["metadata"]["name"]: {
            part: one["status"].get(part) for part in ("approvals", "grantRef", "validUntil", "principal", "rotation")
        }
        for one in mesh.installed.all("areq", "inventory")
    }
    grants = {one["metadata"]["name"]: one["metadata"]["uid"] for one in mesh.installed.all("agrant", "sales")}
    profile = mesh.installed.get("dprof", "sales", "sales")["status"].get("training")
    violated = {name: sorted(said_of(one) for one in compliance(mesh, name)["violations"]) for name in ("orders", "returns")}
    return {"subjects": subjects, "requests": requests, "grants": grants, "training": profile, "violated": violated}


def test_the_earlier_version_had_all_of_it(moving: Moving) -> None:
    found = moving.before["decided"]
    assert found["requests"]["two"]["approvals"] == {"required": 2, "given": 2, "approvedBy": list(OWNERS)}
    assert len(found["grants"]) == 3 and found["training"]
    assert "nia" in str(found["subjects"])
    assert "never" in str(found["violated"]["returns"]) and "mine" in str(found["violated"]["orders"])


@pytest.mark.parametrize("what", ["secrets", "users", "keys", "buckets"])
def test_nothing_is_issued_again_nor_foreign_after_the_upgrade(moving: Moving, what: str) -> None:
    now = moving.again.setdefault("upgraded", moving.everything())
    found = moving.differences(now, what)
    assert {name: said for name, said in found.items() if not name.startswith("mesh.marker")} == {}, "the marker has no key to compare"
    assert now[what].keys() == moving.before[what].keys()


@pytest.mark.parametrize("what", ["subjects", "requests", "grants", "training", "violated"])
def test_nothing_is_decided_otherwise(moving: Moving, what: str) -> None:
    assert moving.again["decided"][what] == moving.before["decided"][what]


def test_no_child_is_written(moving: Moving) -> None:
    assert moving.again["children"] == {}


def test_no_condition_is_other_than_before(moving: Moving) -> None:
    assert flaps(moving.before["conditions"], moving.again["conditions"]) == {}


def test_one_of_two_who_approved_under_the_earlier_version_ends_it_under_this_one(moving: Moving) -> None:
    access = Access.of(moving, TWO)
    moving.installed.cluster.kubectl("delete", "agrant", "two-lee", "-n", "sales", "--as=lee", "--timeout=30s")
    access.ends(seconds=20)
    assert Access.of(moving, AUTO).reads()


def test_the_earlier_version_takes_it_back_as_it_is(moving: Moving) -> None:
    moving.installed.cluster.kubectl("delete", "areq", "two", "-n", "inventory", "--timeout=30s")
    moving.installed.rests()
    before = {**moving.everything(), "decided": decided(moving)}
    moving.upgraded.roll_back(1)
    moving.look("back")
    moving.installed.rests()
    now = {**moving.everything(), "decided": decided(moving)}
    assert now == before
    assert Access.of(moving, AUTO).reads()
