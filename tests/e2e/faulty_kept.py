"""Faults that say nothing about whose a bucket is, each with what puts it right: nobody's credentials may go for any of them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hack.tools.store import Store
from tests.e2e.faulty import GROUP, MESH, Faulty
from tests.e2e.table_s3 import remove_traces
from tests.support.fault_proxy import ANY, Rule

Act = Callable[[Faulty, str], None]
FOREIGN_TAGS = {"cost-center": "4711", "scanned-by": "inventory-tool"}
OFFICE = ("s3:GetBucketTagging", "s3:GetBucketVersioning", "s3:ListBucket", "s3:PutBucketTagging")


def nothing(_mesh: Faulty, _name: str) -> None:
    """It heals by itself."""


def bucket_of(mesh: Faulty, name: str) -> str:
    return mesh.held[name].bucket


# A policy that locks out


def deny(*actions: str) -> Act:
    """A statement of the security office beside all that stands in the bucket's policy."""

    def act(mesh: Faulty, name: str) -> None:
        bucket = bucket_of(mesh, name)
        before = policy_of(mesh, bucket)
        resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/office/*"]
        lock = {"Sid": "office", "Effect": "Deny", "Principal": "*", "Action": list(actions), "Resource": resources}
        put_policy(mesh, bucket, [*before, lock])

    return act


def undo_deny(mesh: Faulty, name: str) -> None:
    bucket = bucket_of(mesh, name)
    put_policy(mesh, bucket, [found for found in policy_of(mesh, bucket) if found.get("Sid") != "office"])


def policy_of(mesh: Faulty, bucket: str) -> list[dict[str, Any]]:
    try:
        found = mesh.s3.get_bucket_policy(Bucket=bucket)["Policy"]
    except mesh.s3.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "NoSuchBucketPolicy", error
        return []
    return list(json.loads(found)["Statement"])


def put_policy(mesh: Faulty, bucket: str, statements: list[dict[str, Any]]) -> None:
    if not statements:
        mesh.s3.delete_bucket_policy(Bucket=bucket)
        return
    mesh.s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))


# A store, or what stands before it, that refuses


def refuse(action: str) -> Act:
    def act(mesh: Faulty, name: str) -> None:
        mesh.kept[name] = mesh.proxy.add(Rule(action, bucket_of(mesh, name), refuses=(403, "AccessDenied")))

    return act


def lift(mesh: Faulty, name: str) -> None:
    mesh.proxy.lift(mesh.kept[name])


def tighten(mesh: Faulty, _name: str) -> None:
    """The operator's own user may not read tags any more."""
    put_operators_policy(mesh.twin, {"Effect": "Deny", "Action": "s3:GetBucketTagging", "Resource": "*"})


def relax(mesh: Faulty, _name: str) -> None:
    put_operators_policy(mesh.twin)


def put_operators_policy(twin: Store, *further: Mapping[str, str]) -> None:
    everything = {"Effect": "Allow", "Action": ["s3:*", "iam:*", "sts:*"], "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [everything, *further]})
    twin.client("iam").put_user_policy(UserName="tightened", PolicyName="operator", PolicyDocument=document)


# Tags that another tool writes


def empty_tags(mesh: Faulty, name: str) -> None:
    mesh.s3.delete_bucket_tagging(Bucket=bucket_of(mesh, name))


def rewrite_tags(mesh: Faulty, name: str) -> None:
    mesh.put_tags(bucket_of(mesh, name), FOREIGN_TAGS)


def keep_only(*fields: str) -> Act:
    """The tool writes its own tags and takes some of ours over."""

    def act(mesh: Faulty, name: str) -> None:
        bucket = bucket_of(mesh, name)
        ours = {key: value for key, value in mesh.tags(bucket).items() if key.removeprefix(f"{GROUP}/") in fields}
        mesh.put_tags(bucket, {**FOREIGN_TAGS, **ours})

    return act


def remove_every_trace(mesh: Faulty, name: str) -> None:
    """Tags, rules and policy go, so that nothing in the bucket is a witness."""
    mesh.kept[name] = remove_traces(mesh.s3, bucket_of(mesh, name))


def put_marks_back(mesh: Faulty, name: str) -> None:
    mesh.put_tags(bucket_of(mesh, name), mesh.kept[name])


def consent(mesh: Faulty, name: str) -> None:
    mesh.put_tags(bucket_of(mesh, name), {**FOREIGN_TAGS, f"{GROUP}/adopt-by": f"{MESH}/sales/{name}"})


# A bucket that is gone for a while, and a product that its team has suspended


def lose(mesh: Faulty, name: str) -> None:
    bucket = bucket_of(mesh, name)
    mesh.kept[name] = mesh.tags(bucket)
    mesh.erase(bucket)


def restore(mesh: Faulty, name: str) -> None:
    """From a backup, marks included."""
    mesh.s3.create_bucket(Bucket=bucket_of(mesh, name))
    put_marks_back(mesh, name)


def suspend_and_edit(patch: Mapping[str, Any]) -> Act:
    def act(mesh: Faulty, name: str) -> None:
        suspend(mesh, name, value=True)
        kubectl = mesh.installed.cluster.kubectl
        kubectl("patch", "secret", f"{name}-producer", "-n", "sales", "--type=merge", "-p", json.dumps(patch))

    return act


def suspend(mesh: Faulty, name: str, *, value: bool) -> None:
    patch = json.dumps({"spec": {"suspend": value}})
    mesh.installed.cluster.kubectl("patch", "dataproduct", name, "-n", "sales", "--type=merge", "-p", patch)


@dataclass(frozen=True)
class Case:
    """A product with one reader, what happens to it, and what puts it right."""

    name: str
    breaks: Act
    heals: Act = nothing
    store: str = "main"
    spec: Mapping[str, Any] = field(default_factory=dict)
    says: str = ""
    """A reason that Ready may not have while it lasts."""


KEPT = (
    Case("denied", deny("s3:GetBucketTagging"), undo_deny, says="NotOwned"),
    Case("locked-out", deny(*OFFICE), undo_deny, says="NotOwned"),
    Case("forbidden", refuse("GetBucketTagging"), lift, says="NotOwned"),
    Case("unreachable", refuse(ANY), lift, says="NotOwned"),
    Case("tightened", tighten, relax, store="tight", says="NotOwned"),
    Case("emptied", empty_tags, says="NotOwned"),
    Case("rewritten", rewrite_tags, says="NotOwned"),
    Case("halved", keep_only("mesh", "namespace"), says="NotOwned"),
    Case("without-uid", keep_only("mesh", "namespace", "name"), says="NotOwned"),
    Case("traceless", remove_every_trace, put_marks_back, says="NotOwned"),
    Case("consenting", remove_every_trace, consent, says="NotOwned"),
    Case("missing", lose, restore),
)
SUSPENDED = (
    Case("paused", suspend_and_edit({"stringData": {"note": "written by hand"}})),
    Case("paused-marks", suspend_and_edit({"metadata": {"annotations": {f"{GROUP}/content": None}}})),
    Case("paused-key", suspend_and_edit({"metadata": {"annotations": {f"{GROUP}/access-key-id": "AKIARESTORED"}}})),
)
"""The key stays though the Secret is not as it was written: making a fresh one is what a suspended product must not do."""
