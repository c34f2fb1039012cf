"""Two clusters with one mesh name in one store: the second touches nothing until it is told that the first is gone. On RGW."""

import json

from hack.tools.controlplane import ControlPlane
from tests.e2e.actors import Actors
from tests.support.installation import Installation
from tests.support.manifests import a_domain, a_product, a_store


def test_a_second_cluster_touches_nothing_until_it_takes_over(mesh: Actors) -> None:
    mesh.make("twice")
    try:
        take_over(mesh, mesh.bucket("twice"))
    finally:
        give_back(mesh)


def take_over(mesh: Actors, bucket: str) -> None:
    """By a second cluster, which ends with this."""
    before, made = snapshot(mesh, bucket), mesh.product("twice")["status"]["storage"]
    with ControlPlane() as cluster, Installation(cluster, mesh="acme") as second:
        store = a_store(endpointUrl=mesh.store.endpoint, region=mesh.store.region)
        second.give_credentials(mesh.store)
        second.apply(store, a_domain("sales"))
        second.wait("domain", "sales", seconds=90)
        second.apply(a_product("twice", storage={"deletionPolicy": "Delete", "forceDestroy": True}))
        second.until(lambda: "StoreInUseByOtherCluster" in str(second.get("objectstore", "main")["status"]), seconds=90, what="the refusal")
        second.until(lambda: "StoreNotReady" in str(second.get("dataproduct", "twice", "sales")["status"]), what="the wait")
        second.cluster.kubectl("delete", "dataproduct", "twice", "-n", "sales", "--timeout=60s")
        assert snapshot(mesh, bucket) == before

        first = mesh.installed.get("namespace", "kube-system")["metadata"]["uid"]
        assert first in str(second.get("objectstore", "main")["status"])
        store["spec"]["takeOverFrom"] = [first]
        second.apply(store)
        second.wait("objectstore", "main", seconds=60)
        second.apply(a_product("twice"))
        second.wait("dataproduct", "twice", "sales")
        # Whose record it is, and how it came to the bucket, are each cluster's own; the first one may notice its loss at any look.
        differs = {"phase": "", "uid": ""}
        known = second.get("dataproduct", "twice", "sales")["status"]["storage"]
        assert known | differs == made | differs


def snapshot(mesh: Actors, bucket: str) -> str:
    """Everything that a second cluster could have touched."""
    principal = mesh.product("twice")["status"]["producer"]["principal"]
    keys = [key["AccessKeyId"] for key in mesh.iam.list_access_keys(UserName=principal)["AccessKeyMetadata"]]
    buckets = sorted(found["Name"] for found in mesh.s3.list_buckets()["Buckets"])
    return json.dumps([mesh.tags(bucket), keys, buckets], sort_keys=True)


def give_back(mesh: Actors) -> None:
    """The first cluster takes its store back, for the tests that follow."""
    owner = next(found["Name"] for found in mesh.s3.list_buckets()["Buckets"] if found["Name"].startswith("acme-mesh-"))
    uid = mesh.installed.get("namespace", "kube-system")["metadata"]["uid"]
    tags = {**mesh.tags(owner), "clouddatamesh.dev/cluster": uid}
    mesh.s3.put_bucket_tagging(Bucket=owner, Tagging={"TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]})
    mesh.installed.annotate("objectstore", "main", reconcile_requested_at="back")

    def is_told() -> bool:
        return bool(mesh.installed.get("objectstore", "main")["status"].get("lastHandledReconcileAt") == "back")

    mesh.installed.until(is_told, seconds=60, what="a look at the store that was taken")
    mesh.installed.wait("objectstore", "main", seconds=60)
    mesh.nudge("twice", token="back")
