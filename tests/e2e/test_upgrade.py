"""A mesh made by an earlier version is taken on as it is, and can go back: no bucket foreign, no key issued again, no user swept, no
child written but Secrets once, no condition that flaps. On RGW.

The earlier versions are their own commits: chart and code of each from an archive outside the checkout. Two replicas run.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hack.tools.controlplane import ControlPlane
from hack.tools.store import Store
from tests.e2e.access import Access, a_deal
from tests.e2e.actors import Actors
from tests.support.installation import CHART, ROOT, Installation
from tests.support.manifests import a_domain, a_product, a_store
from tests.support.rollout import Moment, Tenure, Told, conditions_of, flaps, holders_of, longest_unheld

EARLIER, PREVIOUS = "022ef9c", "de7a277"
"""The first version whose meshes are upgraded, and the last one before this whose chart replaces Pods one after the other."""
PRODUCTS, READ, READERS = 200, 50, 2
"""The first `READ` products have two consumers each."""
ROBOT = {"serviceAccountRef": {"name": "robot"}}
BACK = 125.0
"""Seconds for which the earlier version runs again: four looks at the store, and two at every object."""
ALL_READY = "--timeout=180s"
BACK_ONE, ON = "back to the previous version", "and on to this one"
_REPAIRED = "its Secret gets keys that the earlier version did not write, which is told as a repair until the next look"
LEGITIMATE: dict[str, dict[tuple[str, str], str]] = {
    "upgrade": {
        ("AccessRequest", "DriftDetected"): _REPAIRED,
        ("DataProduct", "DriftDetected"): _REPAIRED,
        ("ObjectStore", "Identified"): "the earlier version did not tell whether the store is the one that it was",
    },
    BACK_ONE: {},
    ON: {},
}
"""Which conditions of which kind a step changes, and why it may."""


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
        return ["--namespace", "clouddatamesh-system", "--create-namespace", "--wait", "--timeout", "180s", *values]

    def run(self, chart: Path, code: Path | None) -> None:
        self.chart, self.code = chart, code
        self.install()

    def roll_back(self, revision: int) -> None:
        """As a user does: the chart of then, and by its environment its code."""
        self.cluster.helm("rollback", "clouddatamesh", str(revision), "--namespace", "clouddatamesh-system", "--wait", "--timeout", "180s")
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

    def conditions(self) -> dict[Told, str]:
        """All that objects of the mesh say."""
        return conditions_of(self.installed.all("datamesh"))

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
    with installed_earlier(EARLIER, rgw, tmp_path_factory.mktemp("earlier")) as (installation, mesh):
        _build(mesh)
        installation.rests()  # grants and domains tell of it after requests and products
        mesh.before.update({**mesh.everything(), "code": mesh.code_of_pod(), "conditions": mesh.conditions()})
        moment = Moment.of(installation.cluster)
        installation.run(CHART, None)
        mesh.again.update(unwatched=moment.unwatched(), allowed=moment.longest_gap())
        mesh.look("upgraded")
        installation.rests()
        mesh.again["children"] = moment.children()
        mesh.again["conditions"] = mesh.conditions()
        yield mesh


@contextmanager
def installed_earlier(commit: str, rgw: Store, place: Path) -> Iterator[tuple[Upgraded, Moving]]:
    """Two replicas of an earlier version, by its own chart, in a control plane of their own."""
    earlier = unpack(commit, place)
    with ControlPlane() as cluster:
        installation = Upgraded(cluster, mesh="moved", values={"driftInterval": "1m", "replicas": "2"})
        installation.chart, installation.code = earlier / "charts" / "clouddatamesh", earlier / "operator"
        with installation as installed:
            yield installation, Moving(installed, rgw, earlier)


def unpack(commit: str, place: Path) -> Path:
    """Chart and code of a commit."""
    archive = subprocess.run(["git", "-C", str(ROOT), "archive", commit, "charts", "operator"], capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", str(place)], input=archive.stdout, check=True)
    return place


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
    secrets = {("secrets", name, "patch"): 1 for name in moving.before["secrets"]}
    assert moving.again["children"] == secrets | {("namespaces", name, "patch"): 1 for name in ("sales", "inventory")}


def test_no_condition_of_any_object_is_other_than_before(moving: Moving) -> None:
    assert len(moving.before["conditions"]) > 2 * (PRODUCTS + 2 * READ * READERS)
    assert judged("upgrade", flaps(moving.before["conditions"], moving.again["conditions"])) == {}


def judged(step: str, found: Mapping[tuple[str, str], str]) -> dict[tuple[str, str], str]:
    """What changed and should not, and what should and did not."""
    missed = {told: f"expected: {why}" for told, why in LEGITIMATE[step].items() if told not in found}
    return {told: change for told, change in found.items() if told not in LEGITIMATE[step]} | missed


def test_no_kind_is_unwatched_meanwhile(moving: Moving) -> None:
    """Of two replicas one watches while the other is replaced, and the new one is Ready before an old one ends."""
    allowed = moving.again["allowed"]
    assert {kind: gap for kind, gap in moving.again["unwatched"].items() if gap > allowed} == {}, allowed


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


@pytest.mark.parametrize("way", [BACK_ONE, ON])
def test_one_version_back_and_on_touches_nothing(moving: Moving, way: str, tmp_path: Path) -> None:
    """Judged by the API server's log: no child is written, no kind unwatched, no key issued again, no condition other than before."""
    moving.installed.cluster.kubectl("delete", "areq", "product-000-0", "-n", "inventory", "--timeout=30s", "--ignore-not-found")
    moving.look(f"before {way.partition(' ')[0]}")  # a repair is told until the next look
    moving.installed.rests()
    moment, tenure, before = Moment.of(moving.installed.cluster), Tenure.of(moving.installed.cluster), moving.conditions()
    if way == ON:
        moving.upgraded.roll_back(2)
    else:
        place = unpack(PREVIOUS, tmp_path)
        moving.upgraded.run(place / "charts" / "clouddatamesh", place / "operator")
    unwatched, states, allowed = moment.unwatched(), tenure.states(), moment.longest_gap()
    unheld, holders = longest_unheld(states, datetime.now(UTC)), holders_of(states)
    print(f"{way}: at most {max(unwatched.values()):.1f} s unwatched, {unheld:.2f} s without a Lease, {allowed:.1f} s allowed")  # noqa: T201
    moving.look(way.partition(" ")[0])
    moving.installed.rests()
    assert moment.children() == {}
    assert judged(way, flaps(before, moving.conditions())) == {}
    assert {kind: gap for kind, gap in unwatched.items() if gap > allowed} == {}, allowed
    assert (unheld <= allowed, len(holders) <= 3) == (True, True), (unheld, holders)
    assert [moving.differences(moving.everything(), what) for what in ("secrets", "users", "keys", "buckets")] == [{}] * 4


@pytest.fixture(scope="module")
def returned(moving: Moving) -> Moving:
    """The earlier version again, for two minutes, with a product that this one made."""
    moving.make("newcomer")
    moving.again["newcomer"] = moving.installed.secret("newcomer-producer", "sales")
    moving.upgraded.roll_back(1)
    begun = time.monotonic()
    moving.look("earliest")
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
