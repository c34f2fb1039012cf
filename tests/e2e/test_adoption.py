"""Buckets that others made, on RGW: adopted by a plan that names who is cut off, and never destroyed without their owner's word."""

import urllib.error
import urllib.request

import pytest

from tests.e2e.actors import Actors
from tests.e2e.lending import DESTROY, GROUP, Lent, store_at


@pytest.fixture(scope="module")
def lent(mesh: Actors) -> Lent:
    """RGW, where buckets whose names begin with `legacy-` may be adopted."""
    mesh.installed.apply(store_at("lending", mesh.store.endpoint, mesh.store.region, adoptableBuckets=["legacy-*"]))
    mesh.installed.wait("objectstore", "lending", seconds=60)
    return Lent(mesh.installed, mesh.store, "lending")


# The plan first


def is_open(endpoint: str, bucket: str) -> bool:
    """Whether anybody may list a bucket."""
    try:
        with urllib.request.urlopen(f"{endpoint}/{bucket}?list-type=2") as answer:  # noqa: S310 - the store's own endpoint
            return bool(answer.status == 200)
    except urllib.error.HTTPError:
        return False


def test_nothing_changes_before_somebody_agrees_and_who_is_cut_off_is_named(lent: Lent) -> None:
    bucket = "legacy-open"
    lent.lend(bucket)
    lent.s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    assert is_open(lent.store.endpoint, bucket)
    before = lent.settings(bucket)
    plan = lent.planned(bucket)
    assert "cuts off those who read by the bucket's ACL: READ to AllUsers" in plan
    assert any("set versioning from Off to Enabled" in line for line in plan)
    assert any("never emptied or deleted" in line for line in plan)
    ready = lent.condition(bucket)
    assert (ready["status"], f"{GROUP}/apply-plan={bucket}" in ready["message"]) == ("False", True)
    assert "READ to AllUsers" in ready["message"]
    lent.nudge(bucket, token="again")
    assert lent.settings(bucket) == before
    assert is_open(lent.store.endpoint, bucket)
    assert "storage" not in lent.product(bucket)["status"]
    assert not lent.installed.get("secret", f"{bucket}-producer", "sales")
    lent.say_yes(bucket)
    status = lent.product(bucket)["status"]
    assert (status["storage"]["phase"], status["storage"]["mayDelete"]) == ("Adopted", False)
    assert not {"plan", "adoption"} & set(status)
    assert not is_open(lent.store.endpoint, bucket)
    assert lent.tags(bucket)["theirs"] == "kept"
    assert lent.keys(bucket) == ["daily/a", "daily/b", "theirs/c"]


def test_time_agrees_where_a_delay_is_given(lent: Lent) -> None:
    bucket = "legacy-slow"
    lent.lend(bucket)
    lent.planned(bucket, adoptionDelay="1m")
    since = lent.product(bucket)["status"]["adoption"]["plannedAt"]
    lent.nudge(bucket, token="not yet")
    assert lent.product(bucket)["status"]["adoption"]["plannedAt"] == since
    lent.installed.wait("dataproduct", bucket, "sales", seconds=120)
    assert lent.product(bucket)["status"]["storage"]["phase"] == "Adopted"


def test_a_product_that_goes_while_its_adoption_is_planned_leaves_no_trace(lent: Lent) -> None:
    bucket = "legacy-declined"
    lent.lend(bucket)
    before = lent.settings(bucket)
    lent.planned(bucket)
    lent.delete(bucket)
    assert lent.settings(bucket) == before


# Which names


def test_a_name_is_adoptable_once_the_platform_team_lists_it(lent: Lent) -> None:
    bucket = "heritage"
    lent.lend(bucket)
    lent.installed.apply(lent.wish(bucket, apply=True))
    assert "spec.adoptableBuckets" in lent.ends(bucket, reason="NotOwned")["message"]
    assert f"{GROUP}/uid" not in lent.tags(bucket)
    patterns = ["legacy-*", "herit*"]
    lent.installed.apply(store_at("lending", lent.store.endpoint, lent.store.region, adoptableBuckets=patterns))
    lent.installed.wait("dataproduct", bucket, "sales", seconds=60)  # the store is probed first
    assert lent.tags(bucket)[f"{GROUP}/name"] == bucket


def test_a_name_without_the_prefix_is_never_made(lent: Lent) -> None:
    lent.installed.apply(lent.wish("legacy-absent", apply=True))
    assert "adopted, never made" in lent.ends("legacy-absent", reason="InvalidSpec")["message"]
    assert not lent.bucket_exists("legacy-absent")


# For good


@pytest.mark.parametrize("leave", ["", ";may-delete", ":may-delete"])
def test_an_adopted_bucket_is_destroyed_only_where_its_owner_says_so(lent: Lent, leave: str) -> None:
    bucket = "legacy-" + {"": "kept", ";": "given", ":": "lawful"}[leave[:1]]
    lent.lend(bucket, consent=f"{lent.installed.mesh}/sales/{bucket}{leave}")
    adopted = lent.adopt(bucket, **DESTROY)
    assert adopted["status"]["storage"]["mayDelete"] is bool(leave)
    lent.delete(bucket)
    assert lent.bucket_exists(bucket) is not bool(leave)
    if not leave:
        assert len(lent.keys(bucket)) == 3
        assert lent.tags(bucket)["theirs"] == "kept"


def test_it_stays_lent_through_a_lost_status_and_another_product(lent: Lent) -> None:
    bucket = "legacy-heirloom"
    lent.lend(bucket)
    lent.adopt(bucket, **DESTROY)
    lent.strip(bucket)
    lent.delete(bucket)
    assert lent.tags(bucket)[f"{GROUP}/adopted"] == "keep"
    lent.installed.until(lambda: not lent.product(bucket), what="the end of the stripped product")
    again = lent.adopt(bucket, **DESTROY)
    assert again["status"]["storage"]["mayDelete"] is False
    lent.tag(bucket, {**lent.tags(bucket), f"{GROUP}/transfer-to": "sales/heir"})
    wanted = {"storeRef": {"name": "lending"}, "bucketName": bucket, **DESTROY}
    heir = lent.make("heir", storage=wanted)
    assert heir["status"]["storage"]["mayDelete"] is False
    lent.delete("heir")
    assert len(lent.keys(bucket)) == 3
    lent.delete(bucket)


def test_a_bucket_that_is_handed_over_outlives_its_present_product(mesh: Actors) -> None:
    mesh.make("giver", storage=DESTROY)
    bucket = mesh.bucket("giver")
    mesh.put(bucket, "daily/a")
    tags = {**mesh.tags(bucket), f"{GROUP}/transfer-to": "inventory/taker"}
    mesh.s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": k, "Value": v} for k, v in tags.items()]})
    mesh.delete("giver")
    assert [item["Key"] for item in mesh.s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["daily/a"]
