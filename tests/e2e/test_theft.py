"""Nobody gets at a bucket that is not theirs, living or retained, by any name, mark, time or place. On RGW."""

import pytest

from hack.tools.store import Store
from tests.e2e.actors import Actors
from tests.support.manifests import a_domain, a_product, a_store

VICTIM = "strongroom"


@pytest.fixture(scope="module")
def bucket(mesh: Actors) -> str:
    """A product of sales with an object in its bucket."""
    mesh.make(VICTIM)
    name = mesh.bucket(VICTIM)
    mesh.put(name, "daily/secret")
    return name


def assert_untouched(mesh: Actors, bucket: str) -> None:
    assert mesh.tags(bucket)["clouddatamesh.dev/namespace"] == "sales"
    assert mesh.s3.get_object(Bucket=bucket, Key="daily/secret")["Body"].read() == b"x"


def test_naming_a_generated_bucket_of_another_namespace(mesh: Actors, bucket: str) -> None:
    mesh.installed.apply(a_product("thief", "inventory", storage={"bucketName": bucket}))
    assert "belongs to another product" in mesh.ends("thief", "inventory", reason="NotOwned")["message"]
    assert_untouched(mesh, bucket)
    assert not mesh.installed.get("secret", "thief-producer", "inventory")


@pytest.mark.parametrize("policy", ["Never", "IfOwned", "IfConsented"])
def test_no_adoption_policy_gets_at_a_living_bucket(mesh: Actors, bucket: str, policy: str) -> None:
    name = f"thief-{policy.lower()}"
    mesh.installed.apply(a_product(name, "inventory", storage={"bucketName": bucket, "adoptionPolicy": policy}))
    mesh.ends(name, "inventory", reason="NotOwned")
    assert_untouched(mesh, bucket)


def test_a_product_of_the_same_name_elsewhere_has_another_bucket(mesh: Actors, bucket: str) -> None:
    mesh.make(VICTIM, "inventory")
    assert mesh.bucket(VICTIM, "inventory") != bucket
    assert_untouched(mesh, bucket)


def test_deleting_a_thief_leaves_what_it_named(mesh: Actors, bucket: str) -> None:
    mesh.installed.apply(a_product("eraser", "inventory", storage={"bucketName": bucket, "deletionPolicy": "Delete", "forceDestroy": True}))
    mesh.ends("eraser", "inventory", reason="NotOwned")
    mesh.delete("eraser", "inventory")
    assert_untouched(mesh, bucket)


def test_a_retained_bucket_is_taken_by_nobody_else(mesh: Actors) -> None:
    mesh.make("heirloom")
    bucket = mesh.bucket("heirloom")
    mesh.put(bucket, "daily/secret")
    mesh.delete("heirloom")
    mesh.installed.apply(a_product("heir", "inventory", storage={"bucketName": bucket, "adoptionPolicy": "IfOwned"}))
    mesh.ends("heir", "inventory", reason="NotOwned")
    assert_untouched(mesh, bucket)
    mesh.make("heirloom")
    assert mesh.bucket("heirloom") == bucket
    assert mesh.product("heirloom")["status"]["storage"]["phase"] == "Adopted"
    assert_untouched(mesh, bucket)


def test_the_platform_team_can_transfer_a_bucket(mesh: Actors) -> None:
    mesh.make("moving")
    bucket = mesh.bucket("moving")
    mesh.delete("moving")
    tags = {**mesh.tags(bucket), "clouddatamesh.dev/transfer-to": "inventory/moved"}
    mesh.s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]})
    mesh.installed.apply(a_product("moved", "inventory", storage={"bucketName": bucket}))
    mesh.installed.wait("dataproduct", "moved", "inventory")
    assert mesh.tags(bucket)["clouddatamesh.dev/namespace"] == "inventory"
    assert "clouddatamesh.dev/transfer-to" not in mesh.tags(bucket)


def test_a_product_whose_finalizer_was_stripped_gets_its_own_bucket_back_and_no_other(mesh: Actors) -> None:
    mesh.make("ghost")
    bucket, uid = mesh.bucket("ghost"), mesh.product("ghost")["metadata"]["uid"]
    with mesh.stopped():
        mesh.delete("ghost", wait=False)
        mesh.strip("ghost")
    mesh.make("ghost")
    assert mesh.bucket("ghost") == bucket
    assert mesh.tags(bucket)["clouddatamesh.dev/uid"] not in (uid, "")


def test_a_changed_endpoint_makes_nothing_anew(mesh: Actors, moto: Store) -> None:
    mesh.installed.apply(a_store("fickle", endpointUrl=mesh.store.endpoint, region=mesh.store.region, bucketPrefix="fickle"))
    mesh.installed.wait("objectstore", "fickle", seconds=60)
    mesh.make("rooted", storage={"storeRef": {"name": "fickle"}})
    mesh.installed.apply(a_store("fickle", endpointUrl=moto.endpoint, region=mesh.store.region, bucketPrefix="fickle"))

    def stalled() -> bool:
        conditions = mesh.installed.get("objectstore", "fickle")["status"]["conditions"]
        return any(found["type"] == "Stalled" for found in conditions)

    mesh.installed.until(stalled, what="the store's stall")
    mesh.installed.apply(a_store("fickle", endpointUrl=mesh.store.endpoint, region=mesh.store.region, bucketPrefix="fickle"))
    mesh.installed.wait("objectstore", "fickle", seconds=60)
    mesh.installed.wait("dataproduct", "rooted", "sales", seconds=60)


def test_a_namespace_of_another_domain_is_refused(mesh: Actors) -> None:
    mesh.installed.apply(a_domain("usurper", namespaces=[{"name": "sales"}]))
    mesh.installed.until(
        lambda: "belongs to Domain sales" in str(mesh.installed.get("domain", "usurper").get("status")), what="the refusal"
    )
    mesh.installed.cluster.kubectl("delete", "domain", "usurper", "--timeout=60s")
    labels = mesh.installed.get("namespace", "sales")["metadata"]["labels"]
    assert labels["clouddatamesh.dev/domain"] == "sales"
