"""The retail mesh on a cluster that is lost: rebuilt from Git, and from Git and restored Secrets. Nothing is lost or orphaned. On RGW."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import pytest

from hack.tools.controlplane import ControlPlane
from hack.tools.store import Store
from tests.e2e.access import is_allowed
from tests.e2e.actors import Actors
from tests.e2e.retail import Folder, Manifest, documents, restorable
from tests.support.installation import Installation

MESH: Final = "rebuilt-retail"
DOMAINS: Final = ("customer", "inventory", "sales")
KEY, BODY = "daily/kept", b"kept"
NO_KEY: Final = {"access-key-id": "", "secret-access-key": ""}


@dataclass(frozen=True)
class Cluster:
    """One of the clusters that had the mesh one after the other, and what was there when it was whole."""

    mesh: Actors
    manifests: list[Manifest]
    uid: str
    end: contextlib.ExitStack
    """To lose it: nothing of it runs then, and nothing is left but what is in the store."""
    stored: set[str] = field(default_factory=set)
    buckets: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, Mapping[str, str]] = field(default_factory=dict)
    backup: list[Manifest] = field(default_factory=list)

    @property
    def folder(self) -> Folder:
        return Folder(self.mesh)

    def becomes_whole(self) -> None:
        """Git is applied. Remembered are the buckets, the Secrets that the operator wrote, and a backup of these and their namespaces."""
        self.mesh.installed.give_credentials(self.mesh.store)
        self.folder.comes_back(self.manifests)
        self.stored.update(self.all_buckets())
        for one in self.mesh.installed.all("dataproducts"):
            self.buckets[f"{one['metadata']['namespace']}/{one['metadata']['name']}"] = one["status"]["storage"]["bucket"]
        for domain in DOMAINS:
            self.backup.append(restorable(self.mesh.installed.get("namespace", domain)))
            for one in self.mesh.installed.all("secrets", domain):
                self.backup.append(restorable(one))
                self.secrets[f"{domain}/{one['metadata']['name']}"] = self.mesh.installed.secret(one["metadata"]["name"], domain)

    def all_buckets(self) -> set[str]:
        """The products' and those of the mesh itself, without one that is there for a moment while the store is probed."""
        names = [str(one["Name"]) for one in self.mesh.s3.list_buckets()["Buckets"]]
        return {name for name in names if name.startswith(MESH) and not name.startswith(f"{MESH}-probe-")}

    def users(self) -> set[str]:
        """Those in the store that are an object's, whatever their cluster."""
        return {one for one in self.mesh.store.users(f"/clouddatamesh/{MESH}/") if not one.startswith("mesh.marker")}

    def unclaimed(self) -> dict[str, int]:
        """Of each lost cluster the number of users that no object owns."""
        found = self.mesh.installed.get("objectstore", "main")["status"].get("takenOver", [])
        return {one["cluster"]: one["unclaimed"] for one in found}

    def lists(self, secret: Mapping[str, str]) -> bool:
        """Whether a key works."""
        s3 = self.mesh.store.client("s3", access_key=secret["access-key-id"], secret_key=secret["secret-access-key"])
        return is_allowed(lambda: s3.list_objects_v2(Bucket=secret["bucket"], Prefix=secret.get("prefix", "")))


@contextlib.contextmanager
def a_cluster(store: Store, *lost: Cluster) -> Iterator[Cluster]:
    """An installation with nothing of the mesh but the store's Secret."""
    with contextlib.ExitStack() as stack:
        plane = stack.enter_context(ControlPlane())
        installed = stack.enter_context(Installation(plane, mesh=MESH, values={"driftInterval": "1m"}))
        uid = installed.get("namespace", "kube-system")["metadata"]["uid"]
        yield Cluster(Actors(installed, store), a_folder(store, *lost), uid, stack)


def a_folder(store: Store, *lost: Cluster) -> list[Manifest]:
    """The retail mesh, without the one product whose bucket goes with it."""
    manifests = documents(store.endpoint, store.region)
    for one in manifests:
        if one["kind"] == "ObjectStore":
            one["spec"].update(bucketPrefix=MESH, takeOverFrom=[cluster.uid for cluster in lost])
        if one["kind"] == "DataProduct":
            one["spec"]["storage"]["deletionPolicy"] = "Retain"
    return manifests


@pytest.fixture(scope="module")
def first(rgw: Store) -> Iterator[Cluster]:
    """Every bucket holds an object."""
    with a_cluster(rgw) as cluster:
        cluster.becomes_whole()
        for bucket in cluster.buckets.values():
            cluster.mesh.s3.put_object(Bucket=bucket, Key=KEY, Body=BODY)
        yield cluster


@pytest.fixture(scope="module")
def second(first: Cluster) -> Iterator[Cluster]:
    """Rebuilt from Git alone."""
    first.end.close()
    with a_cluster(first.mesh.store, first) as cluster:
        cluster.becomes_whole()
        yield cluster


@pytest.fixture(scope="module")
def third(first: Cluster, second: Cluster) -> Iterator[Cluster]:
    """Namespaces and Secrets are restored as backup tools do it, before the custom resources; then Git is applied."""
    second.end.close()
    with a_cluster(first.mesh.store, first, second) as cluster:
        restored = {"apiVersion": "v1", "kind": "List", "items": second.backup}
        cluster.folder.kubectl("create", "-f", "-", stdin=json.dumps(restored))
        cluster.becomes_whole()
        yield cluster


def assert_whole(now: Cluster, before: Cluster) -> None:
    """Every bucket is adopted with its objects, every Secret is there with a key of this cluster, the former key works for an hour."""
    assert (now.buckets, now.stored) == (before.buckets, before.stored)
    for owner, bucket in now.buckets.items():
        assert now.mesh.s3.get_object(Bucket=bucket, Key=KEY)["Body"].read() == BODY, owner
        assert now.mesh.tags(bucket)["clouddatamesh.dev/cluster"] == now.uid, owner
    assert now.secrets.keys() == before.secrets.keys()
    for name, secret in now.secrets.items():
        former = before.secrets[name]
        assert {**secret, **NO_KEY} == {**former, **NO_KEY}, "applications find all but the key as it was"
        assert secret["access-key-id"] != former["access-key-id"], name
        assert now.lists(secret) and now.lists(former), name


def assert_nothing_is_orphaned(now: Cluster, *lost: Cluster) -> None:
    """Each object has one user of each cluster, and the store says so of each lost one as soon as it looks again."""
    assert len(now.users()) == len(now.secrets) * (1 + len(lost))
    installed, all_claimed = now.mesh.installed, {cluster.uid: 0 for cluster in lost}
    installed.cluster.kubectl("annotate", "objectstore", "main", "clouddatamesh.dev/reconcile-requested-at=count")
    installed.until(lambda: now.unclaimed() == all_claimed, seconds=70, what="the count of what nobody owns")
    said = str(now.mesh.installed.get("objectstore", "main")["status"]["conditions"])
    assert "PrincipalsOrphaned" not in said


def test_the_first_cluster_is_whole(first: Cluster) -> None:
    assert (len(first.buckets), len(first.secrets), len(first.users())) == (5, 7, 7)


def test_a_cluster_that_is_rebuilt_from_git_has_every_bucket_object_and_secret(first: Cluster, second: Cluster) -> None:
    assert_whole(second, first)
    assert_nothing_is_orphaned(second, first)


def test_secrets_of_a_backup_are_taken_back_and_get_keys_of_the_new_cluster(first: Cluster, second: Cluster, third: Cluster) -> None:
    assert_whole(third, second)
    assert all(third.lists(secret) for secret in first.secrets.values()), "also the keys of the cluster before"
    assert_nothing_is_orphaned(third, first, second)


def test_what_is_deleted_ends_the_keys_of_every_cluster_and_keeps_the_data(first: Cluster, second: Cluster, third: Cluster) -> None:
    third.folder.delete(third.manifests)
    assert third.users() == set()
    for cluster in (first, second, third):
        assert not any(cluster.lists(secret) for secret in cluster.secrets.values())
    assert third.all_buckets() >= set(third.buckets.values())
    for bucket in third.buckets.values():
        assert third.mesh.s3.get_object(Bucket=bucket, Key=KEY)["Body"].read() == BODY
