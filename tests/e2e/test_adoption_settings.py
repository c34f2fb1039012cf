"""Settings that others made are named where an adoption ends their effect, and kept: on RGW over https, and on moto with AWS's manners."""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from hack.tools.store import Store
from tests.e2e.access import a_deal
from tests.e2e.actors import Actors
from tests.e2e.lending import DESTROY, GROUP, SOON, Lent, store_at
from tests.support.aws_manners import AwsManners
from tests.support.manifests import a_product, annotated
from tests.support.tls_proxy import TlsProxy

CLOUD_KEY: Final = "cloud-s3"


@pytest.fixture(scope="module")
def sealed(mesh: Actors, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lent]:
    """RGW over https, where the operator writes policies; its administrator uses it too, as the policies ask for."""
    with TlsProxy(mesh.store.endpoint) as proxy:
        wish = store_at("sealed", proxy.endpoint, mesh.store.region, adoptableBuckets=["*"], caBundle=proxy.certificate)
        mesh.installed.apply(wish)
        mesh.installed.wait("objectstore", "sealed", seconds=60)
        ca = tmp_path_factory.mktemp("sealed") / "ca.pem"
        ca.write_text(proxy.certificate)
        home = replace(mesh.store, endpoint=proxy.endpoint)
        yield Lent(mesh.installed, mesh.store, "sealed", home, ca=str(ca))


@pytest.fixture(scope="module")
def cloud(mesh: Actors, moto: Store) -> Iterator[Lent]:
    """moto with the manners of AWS."""
    with AwsManners(moto.endpoint) as manners:
        mesh.installed.give_credentials(moto, CLOUD_KEY)
        reference = {"credentialsSecretRef": {"name": CLOUD_KEY}, "adoptableBuckets": ["*"]}
        mesh.installed.apply(store_at("cloud", manners.endpoint, moto.region, **reference))
        mesh.installed.wait("objectstore", "cloud", seconds=60)
        yield Lent(mesh.installed, mesh.store, "cloud", replace(moto, endpoint=manners.endpoint), manners)


def test_neither_the_meshs_nor_a_probes_nor_a_generated_bucket_is_adopted_whatever_a_pattern_says(sealed: Lent) -> None:
    named = [bucket["Name"] for bucket in sealed.s3.list_buckets()["Buckets"] if bucket["Name"].startswith("sealed-")]
    sealed.s3.create_bucket(Bucket="stranger-abcdefghijklmnop")
    assert any("-mesh-" in name for name in named) and any("-probe-" in name for name in named)
    for number, bucket in enumerate([*named, "stranger-abcdefghijklmnop"]):
        name = f"greedy-{number}"
        kept = sealed.tags(bucket)
        sealed.tag(bucket, {**kept, f"{GROUP}/adopt-by": f"{sealed.installed.mesh}/sales/{name}"})
        wanted = {"storeRef": {"name": "sealed"}, "bucketName": bucket, "adoptionPolicy": "IfConsented"}
        sealed.installed.apply(annotated(a_product(name, storage=wanted), apply_plan=bucket))
        assert "never adopted" in sealed.ends(name, reason="NotOwned")["message"]
        assert f"{GROUP}/uid" not in sealed.tags(bucket)
        sealed.delete(name)
        if kept:
            sealed.tag(bucket, kept)


# What is theirs, over https


def public(bucket: str) -> dict[str, Any]:
    return {"Sid": "PublicRead", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}


def private(bucket: str) -> dict[str, Any]:
    return {**public(bucket), "Sid": "NoWebsite", "Effect": "Deny", "Action": "s3:PutBucketWebsite", "Resource": f"arn:aws:s3:::{bucket}"}


def policy_of(lent: Lent, bucket: str) -> dict[str, Any]:
    return dict(json.loads(lent.s3.get_bucket_policy(Bucket=bucket)["Policy"]))


def test_a_policys_id_version_and_statements_stay(sealed: Lent) -> None:
    bucket = "framed"
    sealed.lend(bucket)
    theirs = {"Version": "2008-10-17", "Id": "theirs", "Statement": [private(bucket)]}
    sealed.s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(theirs))
    sealed.adopt(bucket)
    found = policy_of(sealed, bucket)
    assert (found["Version"], found["Id"]) == ("2008-10-17", "theirs")
    assert found["Statement"][0] == private(bucket)
    assert any(str(statement["Sid"]).startswith("clouddatamesh") for statement in found["Statement"])


def test_a_public_statement_is_named_kept_and_of_no_effect_and_named_again_where_it_stands_against_a_repair(sealed: Lent) -> None:
    bucket = "published"
    sealed.lend(bucket)
    sealed.s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [public(bucket)]}))
    plan = sealed.planned(bucket)
    assert "cuts off everybody, whom the bucket's policy lets in: statement PublicRead" in plan
    sealed.say_yes(bucket)
    sids = [statement["Sid"] for statement in policy_of(sealed, bucket)["Statement"]]
    assert "PublicRead" in sids and any(sid.startswith("clouddatamesh") for sid in sids)
    refused = refused_after(sealed, bucket, partial(publish, sealed, bucket))
    assert "PublicRead" in refused["message"] and "checked again within" in refused["message"]
    sealed.s3.delete_bucket_policy(Bucket=bucket)
    sealed.nudge(bucket, token="repaired")
    sealed.installed.wait("dataproduct", bucket, "sales")


def publish(lent: Lent, bucket: str) -> None:
    """Its policy is the public one alone, and public access is blocked, as the store itself does not let anybody write it."""
    lent.s3.delete_public_access_block(Bucket=bucket)
    lent.s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [public(bucket)]}))
    lent.s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(
        ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True))  # fmt: skip


def refused_after(lent: Lent, product: str, spoil: Callable[[], object]) -> dict[str, Any]:
    """The condition of a product whose repair the store refuses. Done again where a look falls between the calls, and repairs the half."""
    tokens = map(str, count(1))

    def is_refused() -> bool:
        with contextlib.suppress(ClientError):
            spoil()
            lent.nudge(product, token=next(tokens))
        return lent.condition(product).get("reason") == "StoreRefused"

    lent.installed.until(is_refused, seconds=60, what=f"the refusal of {product}")
    return lent.ends(product, reason="StoreRefused")


# What is theirs, where AWS has it


def test_a_bucket_of_another_region_is_told_of_in_plan_status_and_every_secret(cloud: Lent) -> None:
    bucket = "abroad"
    cloud.lend(bucket)
    assert cloud.manners is not None
    cloud.manners.regions[bucket] = "eu-west-1"
    assert any("the bucket is in region eu-west-1" in line for line in cloud.planned(bucket))
    cloud.say_yes(bucket)
    storage = cloud.product(bucket)["status"]["storage"]
    assert (storage["region"], storage["regionFrom"]) == ("eu-west-1", "Bucket")
    assert cloud.installed.secret(f"{bucket}-producer", "sales")["region"] == "eu-west-1"
    deal = a_deal("traveller", f"sales/{bucket}", consumer={"serviceAccountRef": {"name": "default"}})
    cloud.installed.apply(deal.request, deal.grant)
    cloud.installed.wait("areq", "traveller", "inventory", seconds=SOON)
    assert cloud.installed.secret("traveller", "inventory")["region"] == "eu-west-1"


def test_what_the_mesh_makes_is_in_the_stores_region(cloud: Lent) -> None:
    made = cloud.make("local", storage={"storeRef": {"name": "cloud"}})
    assert made["status"]["storage"]["region"] == cloud.installed.get("objectstore", "cloud")["spec"]["region"]


def test_encryption_with_a_key_of_its_own_stays(cloud: Lent) -> None:
    bucket = "vault"
    cloud.lend(bucket)
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "arn:aws:kms:us-east-1:123456789012:key/own"}
    rules = [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]
    cloud.s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
    assert not any("encrypt" in line for line in cloud.planned(bucket))
    cloud.say_yes(bucket)
    found = cloud.s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert found["ApplyServerSideEncryptionByDefault"] == default
    assert found["BucketKeyEnabled"] is True


def test_rules_by_size_and_the_least_size_of_transitions_stay(cloud: Lent) -> None:
    bucket = "measured"
    cloud.lend(bucket)
    rule = {"ID": "theirs", "Status": "Enabled", "Filter": {"ObjectSizeGreaterThan": 500}, "Expiration": {"Days": 400}}
    minimum = "varies_by_storage_class"
    cloud.s3.put_bucket_lifecycle_configuration(
        Bucket=bucket, LifecycleConfiguration={"Rules": [rule]}, TransitionDefaultMinimumObjectSize=minimum
    )
    cloud.adopt(bucket)
    found = cloud.s3.get_bucket_lifecycle_configuration(Bucket=bucket)
    assert found["TransitionDefaultMinimumObjectSize"] == minimum
    theirs = next(one for one in found["Rules"] if one["ID"] == "theirs")
    assert theirs["Filter"] == {"ObjectSizeGreaterThan": 500}
    assert len(found["Rules"]) == 2, "theirs and the witness"


def test_tags_of_the_clouds_own_are_sent_back(cloud: Lent) -> None:
    bucket = "stacked"
    assert cloud.manners is not None
    system = {"aws:cloudformation:stack-name": "theirs"}
    cloud.lend(bucket)
    lent = cloud.tags(bucket)
    cloud.manners.system_tags[bucket] = system
    cloud.tag(bucket, {**lent, **system})
    cloud.adopt(bucket)
    assert system.items() <= cloud.tags(bucket).items()


def test_grants_of_an_acl_stand_against_an_adoption_before_anything_is_done(cloud: Lent) -> None:
    bucket = "granted"
    cloud.lend(bucket)
    cloud.s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    before = cloud.settings(bucket)
    cloud.installed.apply(cloud.wish(bucket, apply=True))
    blocked = cloud.ends(bucket, reason="AdoptionBlocked")
    assert "READ to AllUsers" in blocked["message"] and "checked again within" in blocked["message"]
    assert cloud.settings(bucket) == before
    cloud.s3.put_bucket_acl(Bucket=bucket, ACL="private")
    cloud.nudge(bucket, token="freed")
    cloud.installed.wait("dataproduct", bucket, "sales")


def test_grants_that_appear_later_are_named_where_ownership_is_repaired(cloud: Lent) -> None:
    cloud.make("regranted", storage={"storeRef": {"name": "cloud"}})
    bucket = cloud.bucket("regranted")

    def grant() -> None:
        cloud.s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
        cloud.s3.put_bucket_acl(Bucket=bucket, ACL="log-delivery-write")

    assert "grants" in refused_after(cloud, "regranted", grant)["message"]
    cloud.s3.put_bucket_acl(Bucket=bucket, ACL="private")
    cloud.nudge("regranted", token="repaired")
    cloud.installed.wait("dataproduct", "regranted", "sales")


def test_a_website_is_named(cloud: Lent) -> None:
    bucket = "homepage"
    cloud.lend(bucket)
    cloud.s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    assert "cuts off those who read the bucket's website" in cloud.planned(bucket)


def test_leave_to_delete_is_given_where_a_tag_takes_no_semicolon(cloud: Lent) -> None:
    bucket = "colon"
    word = f"{cloud.installed.mesh}/sales/{bucket}"
    cloud.lend(bucket)
    with pytest.raises(cloud.s3.exceptions.ClientError, match="InvalidTag"):
        cloud.tag(bucket, {f"{GROUP}/adopt-by": f"{word};may-delete"})
    cloud.tag(bucket, {f"{GROUP}/adopt-by": f"{word}:may-delete"})
    assert cloud.adopt(bucket, **DESTROY)["status"]["storage"]["mayDelete"] is True
