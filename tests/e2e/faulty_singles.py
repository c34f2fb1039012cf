"""Faults that each have a course of their own: races for a name, strangers, a probe's bad moment, a hundred things lost at once."""

import json
import time

from tests.e2e.access import Deal
from tests.e2e.faulty import GROUP, MESH, Faulty, Manifest, deal_on, product_on, store_at
from tests.support.fault_proxy import ANY, Rule
from tests.support.manifests import a_domain, annotated

DESTROYED = {"deletionPolicy": "Delete", "forceDestroy": True}
BRAKED = tuple(f"brake-{number}" for number in range(10))
"""All products of the store `brake`."""
LATE = ("late-object", "late-marker", "late-again", "late-answer")
FORGOTTEN = ("abandoned", "relabelled", "forsaken")
"""Their buckets are deleted; then somebody else makes one of the name, or tries to."""
KMS = {"kms-own": "aws:kms", "kms-dsse": "aws:kms:dsse", "kms-adopted": "aws:kms"}
PROBED = {"probe": "probed", "blocked": "passed", "absent": "reappeared"}
"""ObjectStores whose second probe meets something, and the product that is made on each after it."""
LOOKED_AT = (*BRAKED, "kms-own", "kms-dsse", "kms-adopted")
CONTESTED, ADOPTED = "f-main-contested", "f-kms-adopted"
STRANGERS_MARKS = {
    f"{GROUP}/{key}": value for key, value in (("mesh", "theirs"), ("namespace", "there"), ("name", "that"), ("uid", "1"), ("cluster", "2"))
}


def stores(mesh: Faulty) -> list[Manifest]:
    faulty = [store_at(name, mesh.proxy.endpoint, mesh.store.region) for name in PROBED]
    return [*faulty, *(store_at(name, mesh.store.endpoint, mesh.store.region) for name in ("brake", "wild"))]


def products() -> list[Manifest]:
    """What is Ready before anything happens."""
    adopted = {"bucketName": ADOPTED, "adoptionPolicy": "IfConsented"}
    return [
        *(product_on(name, "brake") for name in BRAKED),
        *(product_on(name, storage=DESTROYED) for name in LATE),
        product_on("forsaken", storage={"bucketName": "f-main-forsaken"}),
        *(product_on(name, "wild") for name in ("abandoned", "relabelled", "tame", "tended")),
        *(product_on(name, "kms") for name in KMS if name != "kms-adopted"),
        annotated(product_on("kms-adopted", "kms", storage=adopted), apply_plan=ADOPTED),
        product_on("released"),
        product_on("exposed"),
    ]


def deals() -> list[Deal]:
    return [deal_on(name, name) for name in ("abandoned", "relabelled", "released", BRAKED[0])]


def prepare(mesh: Faulty) -> None:
    """A bucket with its owner's own key, and a domain that is going to be suspended."""
    s3 = mesh.twin.client("s3")
    s3.create_bucket(Bucket=ADOPTED)
    s3.put_bucket_tagging(Bucket=ADOPTED, Tagging={"TagSet": [{"Key": f"{GROUP}/adopt-by", "Value": f"{MESH}/sales/kms-adopted"}]})
    encrypt(mesh, ADOPTED, KMS["kms-adopted"])
    mesh.installed.apply(a_domain("halted"))
    mesh.installed.wait("domain", "halted")


def encrypt(mesh: Faulty, bucket: str, algorithm: str) -> None:
    """The default encryption, with the account's own key."""
    default = {"SSEAlgorithm": algorithm, "KMSMasterKeyID": "arn:aws:kms:us-east-1:123456789012:key/own"}
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": algorithm == "aws:kms"}]}
    mesh.twin.client("s3").put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=rules)


def encryption_of(mesh: Faulty, bucket: str) -> str:
    found = mesh.twin.client("s3").get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    return str(found[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"])


def spoil(mesh: Faulty) -> None:
    for name in BRAKED:
        mesh.kept[name] = mesh.tags(mesh.held[name].bucket)
        mesh.put_tags(mesh.held[name].bucket, {**STRANGERS_MARKS, f"{GROUP}/name": name})
    for name, algorithm in KMS.items():
        encrypt(mesh, mesh.held[name].bucket, algorithm)
    for name in FORGOTTEN:
        mesh.erase(mesh.held[name].bucket)
    mesh.touch("dataproduct", *FORGOTTEN, token="lost")
    mesh.put_tags(mesh.held["released"].bucket, {**mesh.tags(mesh.held["released"].bucket), f"{GROUP}/released": "sales/released"})
    _spoil_probes(mesh)
    _delete_late(mesh)
    _race(mesh)
    _expose(mesh)
    _halt(mesh)


def _spoil_probes(mesh: Faulty) -> None:
    """Each store is probed again, as its generation is a new one; meanwhile it answers as stores do in a bad moment."""
    once = (
        ("PutBucketVersioning", (409, "OperationAborted")),
        ("PutPublicAccessBlock", (404, "NoSuchBucket")),
        ("PutBucketPolicy", (403, "AccessDenied")),
    )
    for action, refusal in once:
        mesh.proxy.add(Rule(action, "f-probe-probe-*", refuses=refusal, times=1))
    mesh.proxy.add(Rule("PutUserPolicy", user="f-probe-probe-*", refuses=(404, "NoSuchEntity"), times=1))
    mesh.kept["blocked"] = mesh.proxy.add(Rule(ANY, "f-blocked-probe-*", refuses=(409, "OperationAborted")))
    for action in ("GetBucketVersioning", "GetPublicAccessBlock"):
        mesh.proxy.add(Rule(action, "f-absent-probe-*", refuses=(404, "NoSuchBucket"), times=2))
    for name in PROBED:
        mesh.installed.apply(store_at(name, mesh.proxy.endpoint, mesh.store.region, deletionEnabled=False))


def _delete_late(mesh: Faulty) -> None:
    """A producer is still writing while its bucket goes; and an answer to the deletion is lost."""

    def write(name: str, *, marker: bool) -> None:
        bucket = mesh.held[name].bucket
        mesh.put(bucket, "daily/late")
        if marker:
            mesh.s3.delete_object(Bucket=bucket, Key="daily/late")

    for name, marker, times in (("late-object", False, 1), ("late-marker", True, 1), ("late-again", False, 2)):
        happens = lambda n=name, m=marker: write(n, marker=m)  # noqa: E731
        mesh.proxy.add(Rule("DeleteBucket", mesh.held[name].bucket, does=happens, times=times))
    mesh.proxy.add(Rule("DeleteBucket", mesh.held["late-answer"].bucket, loses_answer=True, times=1))
    mesh.installed.cluster.kubectl("delete", "dataproduct", *LATE, "-n", "sales", "--wait=false")


def _race(mesh: Faulty) -> None:
    """Two products of two domains name one bucket; the younger one comes while the store is still making it for the older."""
    storage = {"bucketName": CONTESTED}
    mesh.proxy.add(Rule("CreateBucket", CONTESTED, delays=4))
    mesh.installed.apply(product_on("older", storage=storage))
    mesh.installed.until(lambda: mesh.proxy.is_asked("CreateBucket", bucket=CONTESTED), what="the older one's bucket is being made")
    time.sleep(1.1)  # so that the API server's clock of seconds tells which is the older
    mesh.installed.apply(product_on("younger", namespace="inventory", storage=storage))


def _expose(mesh: Faulty) -> None:
    """A product is Stalled for its Secret's name; then somebody opens its bucket by hand."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "theirs", "namespace": "sales"}, "stringData": {"a": "x"}}
    mesh.installed.apply(secret, product_on("exposed", producer={"secretName": "theirs"}))
    mesh.ends("exposed", reason="NotOwned", type_="CredentialsReady")
    bucket = mesh.held["exposed"].bucket
    mesh.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    mesh.s3.delete_public_access_block(Bucket=bucket)


def _halt(mesh: Faulty) -> None:
    """A suspended domain's binding points at another role: what is not to be made again must not be taken away."""
    kubectl = mesh.installed.cluster.kubectl
    kubectl("patch", "domain", "halted", "--type=merge", "-p", '{"spec":{"suspend":true}}')
    mesh.installed.until(lambda: mesh.is_noticed("domain", "halted"), what="the Domain's suspension is seen")
    binding = mesh.installed.get("rolebinding", "clouddatamesh-owners", "halted")
    metadata = {key: value for key, value in binding["metadata"].items() if key in ("name", "namespace", "labels", "annotations")}
    kubectl("delete", "rolebinding", "clouddatamesh-owners", "-n", "halted")
    kubectl("create", "-f", "-", stdin=json.dumps({**binding, "metadata": metadata, "roleRef": {**binding["roleRef"], "name": "view"}}))


def go_on(mesh: Faulty) -> None:
    """Buckets of the lost names are made by others, after the loss was seen; and products after the probes."""
    for name in FORGOTTEN:
        mesh.ends(name, reason="BucketMissing")
    s3, bucket = mesh.stranger.client("s3"), mesh.held["abandoned"].bucket
    s3.create_bucket(Bucket=bucket)
    resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": resources}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [everybody]}))
    mesh.s3.create_bucket(Bucket=mesh.held["relabelled"].bucket)
    mesh.put_tags(mesh.held["relabelled"].bucket, STRANGERS_MARKS)
    mesh.installed.apply(product_on("squatter", namespace="inventory", storage={"bucketName": mesh.held["forsaken"].bucket}))
    mesh.installed.apply(*(product_on(product, store) for store, product in PROBED.items()))


def heal(mesh: Faulty) -> None:
    mesh.proxy.lift(mesh.kept["blocked"])
    for name in BRAKED:
        mesh.put_tags(mesh.held[name].bucket, mesh.kept[name])
