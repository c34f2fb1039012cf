"""The main flows on real parts: Ready means real, drift is repaired, modes hold, secrets stay secret, and a kill loses nothing."""

import json
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError
from prometheus_client.parser import text_string_to_metric_families

from hack.tools.children import ToolError
from tests.e2e.actors import Actors
from tests.support.installation import NAMESPACE
from tests.support.manifests import a_domain, a_product, a_store

AT_ONCE = 8.0
"""Seconds on a machine that is busy, for what an event brings about; the schedule brings it about in minutes."""


def client_of(mesh: Actors, name: str, namespace: str = "sales") -> Any:
    """An S3 client with a producer's own Secret."""
    data = mesh.installed.secret(f"{name}-producer", namespace)
    return mesh.store.client("s3", access_key=data["access-key-id"], secret_key=data["secret-access-key"])


def test_ready_means_that_the_producer_can_write_and_nobody_else(mesh: Actors) -> None:
    mesh.make("real")
    mesh.make("other")
    bucket, own, other = mesh.bucket("real"), client_of(mesh, "real"), client_of(mesh, "other")
    own.put_object(Bucket=bucket, Key="daily/x", Body=b"x")
    assert own.get_object(Bucket=bucket, Key="daily/x")["Body"].read() == b"x"
    refused: tuple[Callable[[], object], ...] = (
        lambda: other.get_object(Bucket=bucket, Key="daily/x"),
        lambda: other.list_objects_v2(Bucket=bucket),
        lambda: own.put_bucket_policy(Bucket=bucket, Policy="{}"),
        lambda: own.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": []}),
        lambda: own.delete_bucket(Bucket=bucket),
        lambda: own.create_bucket(Bucket="acme-mine"),
    )
    for call in refused:
        with pytest.raises(ClientError, match="AccessDenied"):
            call()


def test_helm_waits_for_a_chart_of_mesh_objects(mesh: Actors, tmp_path: Path) -> None:
    chart = tmp_path / "mesh"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: mesh\nversion: 0.0.1\n")
    (chart / "templates" / "product.yaml").write_text(yaml.safe_dump(a_product("charted")))
    mesh.installed.cluster.helm("install", "mesh", str(chart), "--wait", "--timeout", "120s", "-n", "sales")
    assert mesh.condition("charted")["status"] == "True"
    assert mesh.bucket_exists(mesh.bucket("charted"))
    (chart / "templates" / "product.yaml").write_text(yaml.safe_dump(a_product("hopeless", storage={"bucketName": "foreign-name"})))
    with pytest.raises(ToolError):
        mesh.installed.cluster.helm("upgrade", "mesh", str(chart), "--wait", "--timeout", "5s", "-n", "sales")


def test_drift_in_the_store_is_found_repaired_and_told(mesh: Actors) -> None:
    product = mesh.make("drifting", storage={"tags": {"team": "a"}})
    bucket, principal = mesh.bucket("drifting"), product["status"]["producer"]["principal"]
    before = client_of(mesh, "drifting")
    mesh.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    mesh.s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [*_tag_set(mesh, bucket), {"Key": "theirs", "Value": "kept"}]})
    wide = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    mesh.iam.put_user_policy(UserName=principal, PolicyName="clouddatamesh", PolicyDocument=json.dumps(wide))
    mesh.iam.put_user_policy(UserName=principal, PolicyName="second", PolicyDocument=json.dumps(wide))
    mesh.iam.create_access_key(UserName=principal)
    mesh.nudge("drifting", token="1")
    assert mesh.s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert mesh.tags(bucket)["theirs"] == "kept"
    assert mesh.iam.list_user_policies(UserName=principal)["PolicyNames"] == ["clouddatamesh"]
    assert len(mesh.iam.list_access_keys(UserName=principal)["AccessKeyMetadata"]) == 1
    before.put_object(Bucket=bucket, Key="daily/still", Body=b"the key in the Secret still works")
    mesh.installed.until(lambda: "Repaired" in reasons_told(mesh, "drifting"), what="the event")


def reasons_told(mesh: Actors, product: str) -> list[str]:
    """By the events of a product of sales, which come after its status."""
    found = mesh.installed.all("events", "sales")
    return [str(event["reason"]) for event in found if event["involvedObject"]["name"] == product]


def _tag_set(mesh: Actors, bucket: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in mesh.tags(bucket).items()]


def test_a_lost_or_emptied_secret_comes_back_with_a_fresh_key(mesh: Actors) -> None:
    mesh.make("forgetful")
    old = client_of(mesh, "forgetful")
    bucket = mesh.bucket("forgetful")
    for number, harm in enumerate(
        (("delete", "secret", "forgetful-producer"), ("patch", "secret", "forgetful-producer", "-p", '{"data":null}'))
    ):
        mesh.installed.cluster.kubectl(*harm, "-n", "sales")
        mesh.nudge("forgetful", token=f"{number}")
        client_of(mesh, "forgetful").put_object(Bucket=bucket, Key="daily/x", Body=b"x")
    with pytest.raises(ClientError):
        old.put_object(Bucket=bucket, Key="daily/x", Body=b"x")


def test_children_of_a_domain_are_repaired_within_a_second(mesh: Actors) -> None:
    limits = {"quota": {"pods": "3"}, "limitRange": {"default": {"cpu": "0.5"}}, "networkIsolation": {"mode": "Domain"}}
    mesh.installed.apply(a_domain("tidy", resources=limits))
    mesh.installed.wait("domain", "tidy")
    for kind in ("resourcequota", "limitrange", "networkpolicy"):
        mesh.installed.cluster.kubectl("delete", kind, "clouddatamesh", "-n", "tidy")
        mesh.installed.until(partial(mesh.installed.get, kind, "clouddatamesh", "tidy"), seconds=AT_ONCE, what=f"{kind} again")
    mesh.installed.cluster.kubectl("patch", "resourcequota", "clouddatamesh", "-n", "tidy", "-p", '{"spec":{"hard":{"pods":"99"}}}')
    mesh.installed.until(
        lambda: mesh.installed.get("resourcequota", "clouddatamesh", "tidy")["spec"]["hard"]["pods"] == "3", seconds=AT_ONCE
    )
    mesh.installed.apply(a_domain("tidy", resources={**limits, "quota": {"services": "5"}}))
    mesh.installed.until(
        lambda: mesh.installed.get("resourcequota", "clouddatamesh", "tidy")["spec"]["hard"] == {"services": "5"}, seconds=AT_ONCE
    )
    mesh.installed.cluster.kubectl("label", "rolebinding", "clouddatamesh-owners", "-n", "tidy", "app.kubernetes.io/managed-by-")
    mesh.installed.until(lambda: "managed-by" in _labels_of_owners(mesh), seconds=AT_ONCE, what="the label again")


def _labels_of_owners(mesh: Actors) -> str:
    return str(mesh.installed.get("rolebinding", "clouddatamesh-owners", "tidy")["metadata"]["labels"])


def test_a_counted_quota_refuses_the_product_too_many(mesh: Actors) -> None:
    mesh.installed.apply(a_domain("narrow", resources={"maxDataProducts": 1}))
    mesh.installed.wait("domain", "narrow", seconds=60)
    mesh.make("first", "narrow")
    with pytest.raises(ToolError, match="exceeded quota"):
        mesh.installed.apply(a_product("second", "narrow"))


def test_modes_and_suspend_write_nothing_and_say_what_they_would(mesh: Actors) -> None:
    mesh.installed.apply(a_product("planned", mode="Plan"))
    mesh.ends("planned", reason="Planned")
    assert any(line.startswith("create bucket acme-planned") for line in mesh.product("planned")["status"]["plan"])
    mesh.installed.apply(a_product("watched", mode="Observe"))
    mesh.ends("watched", reason="Observed")
    mesh.installed.apply(a_product("paused", suspend=True))
    mesh.ends("paused", reason="Suspended")
    for name in ("planned", "watched", "paused"):
        assert "storage" not in mesh.product(name)["status"]
        assert not mesh.installed.get("secret", f"{name}-producer", "sales")
    mesh.make("planned")
    mesh.make("paused")


def test_rotated_credentials_of_a_store_are_picked_up(mesh: Actors) -> None:
    user = "rotating"
    mesh.iam.create_user(UserName=user)
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*", "iam:*"], "Resource": "*"}]}
    mesh.iam.put_user_policy(UserName=user, PolicyName="all", PolicyDocument=json.dumps(allow))
    first, second = (mesh.iam.create_access_key(UserName=user)["AccessKey"] for _ in range(2))
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "rotating", "namespace": NAMESPACE}}

    def give(key: dict[str, str]) -> None:
        mesh.installed.apply({**secret, "stringData": {"access-key-id": key["AccessKeyId"], "secret-access-key": key["SecretAccessKey"]}})

    give(first)
    spec = {"endpointUrl": mesh.store.endpoint, "region": mesh.store.region, "credentialsSecretRef": {"name": "rotating"}}
    mesh.installed.apply(a_store("rotating", bucketPrefix="rotating", **spec))
    mesh.installed.wait("objectstore", "rotating")
    mesh.iam.delete_access_key(UserName=user, AccessKeyId=first["AccessKeyId"])
    give(second)
    started = time.monotonic()
    mesh.installed.until(lambda: _makes(mesh, "rotated"), seconds=60, what="the new key's use")
    assert time.monotonic() - started < 60


def _makes(mesh: Actors, name: str) -> bool:
    mesh.installed.apply(a_product(name, storage={"storeRef": {"name": "rotating"}}))
    return mesh.condition(name).get("status") == "True"


def test_secrets_show_in_no_log_event_or_status(mesh: Actors) -> None:
    mesh.make("discreet")
    secrets = {mesh.store.secret_key, mesh.installed.secret("discreet-producer", "sales")["secret-access-key"]}
    planted = {"access-key-id": "PLANTEDKEY0123456789", "secret-access-key": "planted-secret-in-a-wrong-credential"}
    metadata = {"name": "planted", "namespace": NAMESPACE}
    mesh.installed.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": planted})
    spec = {"endpointUrl": mesh.store.endpoint, "region": mesh.store.region, "credentialsSecretRef": {"name": "planted"}}
    mesh.installed.apply(a_store("planted", bucketPrefix="planted", **spec))
    mesh.installed.until(
        lambda: "CredentialsInvalid" in str(mesh.installed.get("objectstore", "planted").get("status")), what="the refusal"
    )
    seen = mesh.installed.log()
    seen += mesh.installed.cluster.kubectl("get", "events,objectstores,domains,dataproducts", "-A", "-o", "json")
    for secret in (*secrets, *planted.values()):
        assert secret not in seen
    mesh.installed.cluster.kubectl("delete", "objectstore", "planted", "--timeout=60s")


def rests(mesh: Actors, name: str) -> None:
    """Wait until the operator has written nothing of it for two seconds."""

    def is_quiet() -> bool:
        mark = mesh.installed.cluster.audit.mark()
        time.sleep(2)
        return not writes_of(mesh, name, mark)

    mesh.installed.until(is_quiet, what=f"{name} rests")


def test_an_unchanged_mesh_is_written_to_no_more(mesh: Actors) -> None:
    mesh.make("calm")
    rests(mesh, "calm")
    mark = mesh.installed.cluster.audit.mark()
    for n in range(3):
        mesh.nudge("calm", token=str(n))
    mesh.installed.until(lambda: len(writes_of(mesh, "calm", mark)) >= 3, what="the last write, which is shown before it is logged")
    time.sleep(1)
    assert writes_of(mesh, "calm", mark) == ["patch dataproducts/status sales/calm"] * 3


def writes_of(mesh: Actors, name: str, mark: int) -> list[str]:
    """What the operator wrote about something since a mark."""
    return [write for write in mesh.writes_since(mark) if name in write]


def test_a_look_that_finds_nothing_writes_nothing(mesh: Actors) -> None:
    mesh.make("still")
    rests(mesh, "still")
    mark, before = mesh.installed.cluster.audit.mark(), mesh.store.requests()
    mesh.installed.cluster.kubectl("label", "dataproduct", "still", "-n", "sales", "touched=yes")
    mesh.installed.until(lambda: mesh.store.requests() >= before + 8, what="the look")
    time.sleep(1)
    assert writes_of(mesh, "still", mark) == []


def test_the_operator_counts_what_it_does(mesh: Actors) -> None:
    mesh.make("counted")
    mesh.installed.until(lambda: scrape(mesh)[PRODUCTS_READY] == ready_products(mesh), what="the count of Ready products")
    seen = scrape(mesh)
    assert seen["leader_election_master_status", ("clouddatamesh",)] == 1
    assert seen["clouddatamesh_missing_permissions", ()] == 0
    assert seen["clouddatamesh_access_overdue_seconds", ()] == 0
    assert abs(seen["clouddatamesh_clock_skew_seconds", ()]) < 5
    assert max(age for (name, _), age in seen.items() if name == "clouddatamesh_watch_age_seconds") < 80
    for call in (("CreateBucket", "success", "s3"), ("PutBucketTagging", "success", "s3"), ("CreateAccessKey", "success", "iam")):
        assert seen["clouddatamesh_store_requests_total", call] >= 1
    assert seen["clouddatamesh_drift_repaired_total", ("DataProduct",)] >= 1
    for method, code in (("GET", "200"), ("POST", "201"), ("PATCH", "200")):
        assert seen["rest_client_requests_total", (code, method)] >= 1
    assert seen["controller_runtime_reconcile_total", ("dataproduct", "requeue_after")] >= 1


PRODUCTS_READY = ("clouddatamesh_products", ("sales", "Ready", "True"))


def ready_products(mesh: Actors) -> int:
    items = json.loads(mesh.installed.cluster.kubectl("get", "dataproducts", "-n", "sales", "-o", "json"))["items"]
    found = [condition for item in items for condition in item["status"]["conditions"] if condition["type"] == "Ready"]
    return sum((condition["status"], condition["reason"]) == ("True", "Ready") for condition in found)


def scrape(mesh: Actors) -> Counter[tuple[str, tuple[str, ...]]]:
    """What Prometheus would see: by name and values of labels, in the order of their names."""
    families = text_string_to_metric_families(mesh.installed.page("/metrics"))
    samples = (sample for family in families for sample in family.samples)
    return Counter({(sample.name, tuple(sample.labels[label] for label in sorted(sample.labels))): sample.value for sample in samples})
