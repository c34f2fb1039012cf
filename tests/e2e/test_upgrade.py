"""A mesh made by an earlier version is taken on as it is, and can go back: no bucket foreign, no key issued again, no user swept, no
child written but Secrets once, no condition that flaps. On RGW.

The earlier version is its own commit: its chart, and its code from an archive beside the checkout.
"""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hack.tools.audit import Request
from hack.tools.controlplane import ControlPlane
from hack.tools.store import Store
from tests.e2e.access import Access, a_deal
from tests.e2e.actors import Actors
from tests.support.installation import CHART, ROOT, Installation
from tests.support.manifests import a_domain, a_product, a_store

EARLIER = "022ef9c"
PRODUCTS, READ, READERS = 200, 50, 2
"""The first `READ` products have two consumers each."""
ROBOT = {"serviceAccountRef": {"name": "robot"}}
BACK = 125.0
"""Seconds for which the earlier version runs again: four looks at the store, and two at every object."""
ALL_READY = "--timeout=180s"
OPERATOR = "system:serviceaccount:clouddatamesh-system:clouddatamesh"


class Upgraded(Installation):
    """An installation whose chart and code change: `run` another version of both."""

    chart = CHART
    code: Path | None = None

    def install(self) -> None:
        """Helm with the chart of now; the earlier code comes before the installed one on the Pod's path."""
        self.cluster.helm("upgrade", "--install", "clouddatamesh", str(self.chart), *self._flags())
        self.cluster.refresh_controllers()

    def _flags(self) -> list[str]:
        # Two slashes keep the stand-in for the kubelet from taking a path below /tmp for one in the container's own /tmp.
        path = {"extraEnv[0].name": "PYTHONPATH", "extraEnv[0].value": f"/{self.code}"} if self.code else {}
        values = [part for name, value in sorted({**self._values, **path}.items()) for part in ("--set", f"{name}={value}")]
        return ["--namespace", "clouddatamesh-system", "--create-namespace", "--wait", "--timeout", "60s", *values]

    def run(self, chart: Path, code: Path | None) -> None:
        self.chart, self.code = chart, code
        self.install()

    def roll_back(self) -> None:
        """To the first revision, as a user does: its chart, and by its environment its code."""
        self.cluster.helm("rollback", "clouddatamesh", "1", "--namespace", "clouddatamesh-system", "--wait", "--timeout", "60s")
        self.cluster.refresh_controllers()


@dataclass(frozen=True)
class Moving(Actors):
    """A mesh between two versions, and what was held under the first."""

    earlier: Path
    before: dict[str, Any] = field(default_factory=dict)
    again: dict[str, Any] = field(default_factory=dict)

    @property
    def upgraded(self) -> Upgraded:
        assert isinstance(self.installed, Upgraded)
        return self.installed

    def code_of_pod(self) -> Path:
        """The file that is imported with the environment of the operator's process."""
        words = Path(f"/proc/{self.installed.kubelet.pods()[0].pid}/environ").read_bytes().decode().split("\0")
        env = dict(word.split("=", 1) for word in words if word)
        ask = [sys.executable, "-c", "import clouddatamesh; print(clouddatamesh.__file__)"]
        said = subprocess.run(ask, capture_output=True, check=True, env=env, cwd="/", text=True).stdout
        return Path(said.strip()).resolve()

    def listed(self, kind: str, namespace: str) -> list[dict[str, Any]]:
        return self.installed.all(kind, namespace)

    def everything(self) -> dict[str, Any]:
        """Secrets by name, users with their keys, and which bucket is whose."""
        secrets = [found for namespace in ("sales", "inventory") for found in self.listed("secret", namespace)]
        iam = self.iam
        pages = iam.get_paginator("list_users").paginate(PathPrefix="/clouddatamesh/moved/")
        users = {user["UserName"]: user["Path"] for page in pages for user in page["Users"]}
        keys = {u: [(k["AccessKeyId"], k["Status"]) for k in iam.list_access_keys(UserName=u)["AccessKeyMetadata"]] for u in users}
        return {
            "secrets": {found["metadata"]["name"]: found.get("data") for found in secrets},
            "users": users,
            "keys": keys,
            "buckets": {p["metadata"]["name"]: p["status"]["storage"]["bucket"] for p in self.listed("dataproduct", "sales")},
        }

    def transitions(self) -> dict[str, str]:
        """Since when each product and each request is Ready."""
        objects = [found for kind, namespace in (("dataproduct", "sales"), ("areq", "inventory")) for found in self.listed(kind, namespace)]
        ready = {found["metadata"]["name"]: [c for c in found["status"]["conditions"] if c["type"] == "Ready"] for found in objects}
        return {name: f"{one['status']} since {one['lastTransitionTime']}" for name, (one,) in ready.items()}

    def look(self, token: str) -> None:
        """Every object is reconciled once more by whoever runs now, and then is Ready."""
        kubectl = self.installed.cluster.kubectl
        annotation = f"clouddatamesh.dev/reconcile-requested-at={token}"
        for kind, namespace in (("dataproduct", "sales"), ("areq", "inventory")):
            kubectl("annotate", "--overwrite", kind, "--all", "-n", namespace, annotation)
            seen = lambda k=kind, n=namespace: self._have_seen(k, n, token)  # noqa: E731
            self.installed.until(seen, seconds=120, what=f"{kind}: looked at")
            kubectl("wait", kind, "--all", "-n", namespace, "--for=condition=Ready", ALL_READY)

    def _have_seen(self, kind: str, namespace: str, token: str) -> bool:
        return all(found.get("status", {}).get("lastHandledReconcileAt") == token for found in self.listed(kind, namespace))

    def differences(self, now: Mapping[str, Any], what: str) -> dict[str, Any]:
        """What was there before and is not as it was. A Secret may tell more than it did."""
        found = now[what]
        if what == "secrets":
            found = {
                name: {field: data[field] for field in self.before[what].get(name) or {} if field in (data or {})}
                for name, data in found.items()
            }
        return {name: found.get(name) for name, value in self.before[what].items() if found.get(name) != (value or {})}


@pytest.fixture(scope="module")
def moving(rgw: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moving]:
    """200 products and 100 grants under the earlier version; then this one is installed over it."""
    earlier = tmp_path_factory.mktemp("earlier")
    archive = subprocess.run(["git", "-C", str(ROOT), "archive", EARLIER, "charts", "operator"], capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", str(earlier)], input=archive.stdout, check=True)
    with ControlPlane() as cluster:
        installation = Upgraded(cluster, mesh="moved", values={"driftInterval": "1m"})
        installation.chart, installation.code = earlier / "charts" / "clouddatamesh", earlier / "operator"
        with installation as installed:
            mesh = Moving(installed, rgw, earlier)
            _build(mesh)
            mesh.before.update({**mesh.everything(), "code": mesh.code_of_pod(), "transitions": mesh.transitions()})
            mark = cluster.audit.mark()
            installation.run(CHART, None)
            mesh.look("upgraded")
            mesh.again["writes"] = [found for found in cluster.audit.read(since=mark, user=OPERATOR) if found.writes]
            mesh.again["transitions"] = mesh.transitions()
            yield mesh


def _build(mesh: Moving) -> None:
    installed = mesh.installed
    installed.give_credentials(mesh.store)
    store = a_store(endpointUrl=mesh.store.endpoint, region=mesh.store.region, bucketPrefix="moved")
    installed.apply(store, a_domain("sales"), a_domain("inventory"))
    for kind, name in (("objectstore", "main"), ("domain", "sales"), ("domain", "inventory")):
        installed.wait(kind, name, seconds=60)
    installed.cluster.kubectl("create", "serviceaccount", "robot", "-n", "inventory")
    names = [f"product-{number:03}" for number in range(PRODUCTS)]
    deals = [a_deal(f"{name}-{reader}", f"sales/{name}", consumer=ROBOT) for name in names[:READ] for reader in range(READERS)]
    installed.apply(*(a_product(name) for name in names), *(d.request for d in deals), *(d.grant for d in deals))
    installed.cluster.kubectl("wait", "dataproduct", "--all", "-n", "sales", "--for=condition=Ready", ALL_READY)
    installed.cluster.kubectl("wait", "areq", "--all", "-n", "inventory", "--for=condition=Ready", ALL_READY)
    assert len(mesh.listed("areq", "inventory")) == READ * READERS


def test_the_earlier_version_made_them(moving: Moving) -> None:
    """Otherwise nothing here says anything of it."""
    assert moving.before["code"] == (moving.earlier / "operator" / "clouddatamesh" / "__init__.py").resolve()
    assert moving.code_of_pod() == ROOT / "operator" / "clouddatamesh" / "__init__.py"
    assert len(moving.before["users"]) == PRODUCTS + READ * READERS
    assert set(moving.before["users"].values()) == {"/clouddatamesh/moved/"}


@pytest.mark.parametrize("what", ["secrets", "users", "keys", "buckets"])
def test_nothing_is_issued_again_nor_foreign_after_the_upgrade(moving: Moving, what: str) -> None:
    now = moving.again.setdefault("upgraded", moving.everything())
    assert moving.differences(now, what) == {}


def test_no_child_is_written_but_secrets_and_namespaces_once(moving: Moving) -> None:
    """Secrets get keys and namespaces get marks that the earlier version did not write; nothing else is written, and nothing deleted."""
    children = Counter((found.resource, found.name, found.verb) for found in moving.again["writes"] if not is_own(found))
    secrets = {("secrets", name, "patch"): 1 for name in moving.before["secrets"]}
    assert children == secrets | {("namespaces", name, "patch"): 1 for name in ("sales", "inventory")}


def is_own(found: Request) -> bool:
    """A write of an object of the mesh, of an event or of a Lease; AccessInboxes are a kind that the earlier version did not have."""
    return found.group in ("clouddatamesh.dev", "events.k8s.io", "coordination.k8s.io")


def test_no_object_was_other_than_ready_meanwhile(moving: Moving) -> None:
    assert len(moving.before["transitions"]) == PRODUCTS + READ * READERS
    before, now = moving.before["transitions"], moving.again["transitions"]
    assert {name: now.get(name) for name, ready in before.items() if now.get(name) != ready} == {}


def test_marks_are_those_of_this_version(moving: Moving) -> None:
    for name in ("product-000", "product-199"):
        uid = moving.product(name)["metadata"]["uid"]
        assert moving.tags(moving.bucket(name))["clouddatamesh.dev/uid"] == uid


def test_access_that_the_earlier_version_gave_is_taken_away(moving: Moving) -> None:
    deal = a_deal("product-000-0", "sales/product-000", consumer=ROBOT)
    access = Access.of(moving, deal)
    moving.put(access.secret["bucket"], "daily/seed")
    assert access.reads()
    moving.installed.cluster.kubectl("delete", "agrant", "for-product-000-0", "-n", "sales", "--timeout=30s")
    access.ends()
    for what, name in (("secrets", deal.name), ("users", access.principal), ("keys", access.principal)):
        moving.before[what].pop(name)


@pytest.fixture(scope="module")
def returned(moving: Moving) -> Moving:
    """The earlier version again, for two minutes, with a product that this one made."""
    moving.make("newcomer")
    moving.again["newcomer"] = moving.installed.secret("newcomer-producer", "sales")
    moving.upgraded.roll_back()
    begun = time.monotonic()
    moving.installed.cluster.kubectl("delete", "areq", "product-000-0", "-n", "inventory", "--timeout=30s")
    moving.look("back")
    time.sleep(max(begun + BACK - time.monotonic(), 0.0))
    moving.again["returned"] = moving.everything()
    return moving


@pytest.mark.parametrize("what", ["secrets", "users", "keys", "buckets"])
def test_nothing_is_swept_nor_issued_again_on_the_way_back(returned: Moving, what: str) -> None:
    assert returned.differences(returned.again["returned"], what) == {}


def test_the_earlier_version_calls_none_of_them_an_orphan(returned: Moving) -> None:
    said = json.dumps(returned.installed.get("objectstore", "main")["status"])
    assert [name for name in returned.before["users"] if name in said] == []


def test_a_product_that_this_version_made_works_under_the_earlier_one(returned: Moving) -> None:
    assert returned.condition("newcomer")["status"] == "True"
    secret = returned.installed.secret("newcomer-producer", "sales")
    s3 = returned.store.client("s3", access_key=secret["access-key-id"], secret_key=secret["secret-access-key"])
    s3.put_object(Bucket=secret["bucket"], Key="daily/seed", Body=b"x")
