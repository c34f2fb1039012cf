"""The release is upgraded with another mesh name, as a typo does it: refused before anything is made, marked or missed. On RGW."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from hack.tools.controlplane import ControlPlane
from hack.tools.store import Store
from tests.e2e.access import a_deal
from tests.e2e.actors import Actors
from tests.support.installation import CHART, NAMESPACE, RELEASE, Installation
from tests.support.manifests import a_domain, a_product, a_store

RIGHT, TYPO = "harbour", "harbor"
ROBOT = {"serviceAccountRef": {"name": "robot"}}
PRODUCTS = ("orders", "returns", "prices")
LOOKED = 40.0
"""Seconds in which the operator of the other name has started, and looked at every store and product."""
PREFIX = "harb"


@dataclass(frozen=True)
class Harbour(Actors):
    """The mesh, and what there was before its name was mistyped."""

    before: dict[str, Any] = field(default_factory=dict)

    def everything(self) -> dict[str, Any]:
        """Buckets with their tags, users with their keys and policies, Secrets, namespaces: all that an operator makes or marks."""
        buckets = [bucket["Name"] for bucket in self.s3.list_buckets()["Buckets"] if bucket["Name"].startswith(PREFIX)]
        iam = self.iam
        pages = iam.get_paginator("list_users").paginate(PathPrefix="/clouddatamesh/")
        users = sorted(user["UserName"] for page in pages for user in page["Users"] if user["Path"].split("/")[2] in (RIGHT, TYPO))
        keys = {u: sorted(key["AccessKeyId"] for key in iam.list_access_keys(UserName=u)["AccessKeyMetadata"]) for u in users}
        return {
            "buckets": {bucket: self.tags(bucket) for bucket in buckets},
            "users": keys,
            "policies": {user: iam.list_user_policies(UserName=user)["PolicyNames"] for user in users},
            "secrets": self._data("secret", "data"),
            "labels": {name: (found.get("labels"), found.get("annotations")) for name, found in self._metadata("namespace").items()},
        }

    def _list(self, kind: str) -> list[dict[str, Any]]:
        return self.installed.all(kind)

    def _data(self, kind: str, part: str) -> dict[str, Any]:
        ours = [found for found in self._list(kind) if found["metadata"]["namespace"] in ("sales", "inventory")]
        return {f"{found['metadata']['namespace']}/{found['metadata']['name']}": found.get(part) for found in ours}

    def _metadata(self, kind: str) -> dict[str, Any]:
        return {found["metadata"]["name"]: found["metadata"] for found in self._list(kind) if found["metadata"]["name"] != NAMESPACE}

    def said(self) -> list[str]:
        """Every condition of every object of the mesh, one line each."""
        found = self._list("objectstore") + self._list("domain") + self._list("dataproduct") + self._list("areq")
        conditions = [(o["metadata"]["name"], c) for o in found for c in o.get("status", {}).get("conditions", ())]
        return [f"{name} {c['type']}={c['status']} {c['reason']}: {c.get('message', '')}" for name, c in conditions]

    def rename(self, mesh: str) -> None:
        """`helm upgrade --set mesh=`, without waiting: an operator that refuses may never be ready."""
        values = ("--reuse-values", "--set", f"mesh={mesh}")
        self.installed.cluster.helm("upgrade", RELEASE, str(CHART), "--namespace", NAMESPACE, *values)


@pytest.fixture(scope="module")
def typo(rgw: Store) -> Iterator[Harbour]:
    """A mesh with products and access, under its right name; then the same under another, with new objects to act on."""
    with ControlPlane() as cluster, Installation(cluster, mesh=RIGHT, values={"driftInterval": "1m"}) as installed:
        mesh = Harbour(installed, rgw)
        _build(mesh)
        installed.rests()
        mesh.before.update(mesh.everything())
        mesh.rename(TYPO)
        begun = lambda: any(f"mesh {TYPO}" in pod.log.read_text() for pod in _running(mesh))  # noqa: E731
        installed.until(begun, seconds=120, what="the operator of the other name")
        installed.apply(_store(mesh, "fresh"), a_product("new"), a_product("elsewhere", storage={"storeRef": {"name": "fresh"}}))
        token = "clouddatamesh.dev/reconcile-requested-at=typo"
        cluster.kubectl("annotate", "dataproduct", *PRODUCTS, "-n", "sales", token)
        time.sleep(LOOKED)
        yield mesh


def _running(mesh: Harbour) -> list[Any]:
    return [pod for pod in mesh.installed.kubelet.pods() if pod.log.exists()]


def _store(mesh: Harbour, name: str) -> dict[str, Any]:
    return a_store(name, endpointUrl=mesh.store.endpoint, region=mesh.store.region, bucketPrefix=f"{PREFIX}-{name}")


def _build(mesh: Harbour) -> None:
    installed = mesh.installed
    installed.give_credentials(mesh.store)
    installed.apply(_store(mesh, "main"), a_domain("sales"), a_domain("inventory"))
    for kind, name in (("objectstore", "main"), ("domain", "sales"), ("domain", "inventory")):
        installed.wait(kind, name, seconds=60)
    installed.cluster.kubectl("create", "serviceaccount", "robot", "-n", "inventory")
    deals = [a_deal(f"{name}-access", f"sales/{name}", consumer=ROBOT) for name in PRODUCTS]
    installed.apply(*(a_product(name) for name in PRODUCTS), *(d.request for d in deals), *(d.grant for d in deals))
    for d in deals:
        installed.wait("areq", d.name, "inventory", seconds=60)
    for name in PRODUCTS:
        installed.wait("dataproduct", name, "sales", seconds=60)


@pytest.mark.parametrize("what", ["buckets", "users", "policies", "secrets", "labels"])
def test_nothing_is_made_or_marked_or_taken_under_another_name(typo: Harbour, what: str) -> None:
    assert typo.everything()[what] == typo.before[what]


def test_nothing_is_said_to_be_missing_or_somebody_elses(typo: Harbour) -> None:
    wrong = ("BucketMissing", "NotOwned", "MarksMissing", "Revoked", "DomainNotFound")
    assert [line for line in typo.said() if any(reason in line for reason in wrong)] == []


def test_it_is_said_who_must_do_what(typo: Harbour) -> None:
    """The operator that has not begun says so in its log, and is not ready, so that the upgrade does not go through."""
    said = lambda: [line for pod in _running(typo) for line in pod.log.read_text().splitlines() if RIGHT in line and TYPO in line]  # noqa: E731
    typo.installed.until(said, seconds=60, what="a line of the log with both names")


def test_the_right_name_goes_on_with_every_key_as_it_was(typo: Harbour) -> None:
    typo.rename(RIGHT)
    for name in (*PRODUCTS, "new", "elsewhere"):
        typo.installed.wait("dataproduct", name, "sales", seconds=75)
    for name in PRODUCTS:
        typo.installed.wait("areq", f"{name}-access", "inventory", seconds=30)
    after = typo.everything()
    for what in ("secrets", "users"):
        assert {name: after[what].get(name) for name in typo.before[what]} == typo.before[what]
    assert not any(TYPO in str(tags) for tags in after["buckets"].values())
