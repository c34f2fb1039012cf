"""Every deletion ends or waits as it says; none hangs silently, none loses what was to stay. On RGW."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.actors import Actors
from tests.support.manifests import a_domain, a_product, a_store, annotated

VERSIONS = 5000


def test_a_retained_bucket_stays_with_its_objects_and_marks(mesh: Actors) -> None:
    mesh.make("keep")
    bucket = mesh.bucket("keep")
    mesh.put(bucket, "daily/a")
    mesh.delete("keep")
    assert mesh.bucket_exists(bucket)
    assert mesh.tags(bucket)["clouddatamesh.dev/name"] == "keep"
    assert not mesh.installed.get("secret", "keep-producer", "sales")


def test_credentials_are_dead_after_deletion(mesh: Actors) -> None:
    product = mesh.make("mortal")
    principal = product["status"]["producer"]["principal"]
    assert mesh.iam.get_user(UserName=principal)["User"]["Path"].startswith("/clouddatamesh/acme/")
    mesh.delete("mortal")
    with pytest.raises(mesh.iam.exceptions.NoSuchEntityException):
        mesh.iam.get_user(UserName=principal)


def test_an_empty_bucket_goes_with_its_product(mesh: Actors) -> None:
    mesh.make("brief", storage={"deletionPolicy": "Delete"})
    bucket = mesh.bucket("brief")
    mesh.delete("brief")
    assert not mesh.bucket_exists(bucket)


def test_a_full_bucket_blocks_and_says_the_counts_until_it_is_forced_or_emptied(mesh: Actors) -> None:
    mesh.make("full", storage={"deletionPolicy": "Delete"})
    bucket = mesh.bucket("full")
    mesh.put(bucket, "daily/a", "daily/b")
    mesh.delete("full", wait=False)
    blocked = mesh.ends("full", reason="BucketNotEmpty", type_="DeletionBlocked")
    assert "holds 2 versions" in blocked["message"]
    assert mesh.condition("full", type_="Stalled")["status"] == "True"
    assert mesh.installed.get("secret", "full-producer", "sales"), "nothing is taken away while it is blocked"
    mesh.installed.apply(annotated(a_product("full", storage={"deletionPolicy": "Delete"}), force_delete="full"))
    mesh.installed.until(lambda: not mesh.product("full"), what="the forced end")
    assert mesh.bucket_exists(bucket)


def test_a_versioned_bucket_with_thousands_of_versions_markers_and_uploads_is_emptied_across_a_kill(mesh: Actors) -> None:
    mesh.make("crowded", storage={"deletionPolicy": "Delete", "forceDestroy": True})
    bucket = mesh.bucket("crowded")
    fill(mesh, bucket)
    first = first_key(mesh, bucket)
    mesh.delete("crowded", wait=False)
    mesh.installed.until(lambda: first_key(mesh, bucket) != first, what="the end of the first page")
    mesh.installed.kill()
    mesh.installed.until(lambda: not mesh.product("crowded"), seconds=120, what="the end of the emptied product")
    assert not mesh.bucket_exists(bucket)
    mesh.installed.until(mesh.installed.is_ready, seconds=90, what="the operator is there for the tests that follow")


def first_key(mesh: Actors, bucket: str) -> str:
    """The first key that has a version; empty where there is none, or no bucket."""
    try:
        found = mesh.s3.list_object_versions(Bucket=bucket, MaxKeys=1)
    except mesh.s3.exceptions.NoSuchBucket:
        return ""
    return str(next((item["Key"] for item in found.get("Versions", ())), ""))


def fill(mesh: Actors, bucket: str) -> None:
    s3 = mesh.s3
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: s3.put_object(Bucket=bucket, Key=f"daily/{n % 500}", Body=b""), range(VERSIONS)))
        list(pool.map(lambda n: s3.delete_object(Bucket=bucket, Key=f"daily/{n}"), range(50)))
    for n in range(5):
        s3.create_multipart_upload(Bucket=bucket, Key=f"daily/upload-{n}")


def test_the_platforms_own_lock_keeps_a_bucket(mesh: Actors) -> None:
    mesh.installed.apply(
        a_store("locked", endpointUrl=mesh.store.endpoint, region=mesh.store.region, bucketPrefix="locked", deletionEnabled=False)
    )
    mesh.installed.wait("objectstore", "locked")
    mesh.make("held", storage={"storeRef": {"name": "locked"}, "deletionPolicy": "Delete"})
    bucket = mesh.bucket("held")
    mesh.delete("held", wait=False)
    assert "deletionEnabled: false" in mesh.ends("held", reason="DeletionDisabled", type_="DeletionBlocked")["message"]
    mesh.installed.apply(a_product("held", storage={"storeRef": {"name": "locked"}, "deletionPolicy": "Retain"}))
    mesh.installed.until(lambda: not mesh.product("held"), what="the end of the retained product")
    assert mesh.bucket_exists(bucket)


def test_a_bucket_that_was_never_made_blocks_nothing(mesh: Actors) -> None:
    mesh.installed.apply(a_product("dream", storage={"storeRef": {"name": "nowhere"}}))
    mesh.ends("dream", reason="StoreNotFound")
    mesh.delete("dream")


def test_a_missing_bucket_is_said_and_made_anew_only_on_request(mesh: Actors) -> None:
    mesh.make("lost")
    bucket = mesh.bucket("lost")
    mesh.s3.delete_bucket(Bucket=bucket)
    mesh.installed.cluster.kubectl("annotate", "dataproduct", "lost", "-n", "sales", "clouddatamesh.dev/reconcile-requested-at=1")
    assert "recreate" in mesh.ends("lost", reason="BucketMissing")["message"]
    assert not mesh.bucket_exists(bucket)
    mesh.installed.cluster.kubectl("annotate", "dataproduct", "lost", "-n", "sales", f"clouddatamesh.dev/recreate={bucket}")
    mesh.installed.wait("dataproduct", "lost", "sales")
    assert mesh.bucket_exists(bucket)


def test_a_store_that_is_away_blocks_until_it_is_forced(mesh: Actors) -> None:
    mesh.installed.apply(a_store("remote", endpointUrl=mesh.store.endpoint, region=mesh.store.region, bucketPrefix="remote"))
    mesh.installed.wait("objectstore", "remote")
    mesh.make("far", storage={"storeRef": {"name": "remote"}})
    mesh.installed.apply(a_store("remote", endpointUrl="http://127.0.0.1:9", region=mesh.store.region, bucketPrefix="remote"))
    mesh.installed.until(lambda: mesh.is_noticed("objectstore", "remote"), what="the store's other endpoint is seen")
    mesh.delete("far", wait=False)
    mesh.ends("far", reason="StoreUnavailable", type_="DeletionBlocked")
    mesh.installed.cluster.kubectl("annotate", "dataproduct", "far", "-n", "sales", "clouddatamesh.dev/force-delete=far")
    mesh.installed.until(lambda: not mesh.product("far"), what="the forced end")


def test_a_store_waits_for_its_users_and_a_domain_for_its_products(mesh: Actors) -> None:
    mesh.installed.apply(a_domain("short"))
    mesh.installed.wait("domain", "short")
    mesh.make("tenant", "short")
    mesh.installed.cluster.kubectl("delete", "domain", "short", "--wait=false")
    blocked = lambda: "DataProduct short/tenant" in str(mesh.installed.get("domain", "short").get("status"))  # noqa: E731
    mesh.installed.until(blocked, what="the domain's block")
    mesh.delete("tenant", "short")
    mesh.installed.until(lambda: not mesh.installed.get("domain", "short"), what="the domain's end")
    namespace = mesh.installed.get("namespace", "short")
    assert "deletionTimestamp" not in namespace["metadata"]
    assert "clouddatamesh.dev/domain" not in namespace["metadata"].get("labels", {})
    for kind in ("rolebinding", "resourcequota", "networkpolicy"):
        assert "clouddatamesh" not in mesh.installed.cluster.kubectl("get", kind, "-n", "short", "-o", "name")


def test_a_namespace_that_is_deleted_whole_keeps_its_buckets(mesh: Actors) -> None:
    mesh.installed.apply(a_domain("doomed"))
    mesh.installed.wait("domain", "doomed")
    mesh.make("inside", "doomed", storage={"deletionPolicy": "Delete", "forceDestroy": True})
    bucket = mesh.bucket("inside", "doomed")
    mesh.put(bucket, "daily/a")
    mesh.installed.cluster.kubectl("delete", "namespace", "doomed", "--timeout=120s")
    assert mesh.bucket_exists(bucket)
