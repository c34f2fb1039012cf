"""What was there before and is not ours stays byte for byte as it was, and status says so. On RGW."""

import json
from typing import Any

from tests.e2e.actors import Actors
from tests.support.manifests import a_domain, a_product, annotated


def frozen(mesh: Actors, kind: str, name: str, namespace: str = "") -> str:
    """An object as it stands."""
    return json.dumps(mesh.installed.get(kind, name, namespace), sort_keys=True)


def foreign(kind: str, api: str, name: str, namespace: str, **body: Any) -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": namespace}, **body}


def test_a_namespace_without_consent(mesh: Actors) -> None:
    mesh.installed.cluster.kubectl("create", "namespace", "theirs")
    before = frozen(mesh, "namespace", "theirs")
    mesh.installed.apply(a_domain("theirs"))
    mesh.installed.until(lambda: "ConsentMissing" in str(mesh.installed.get("domain", "theirs").get("status")), what="the refusal")
    assert frozen(mesh, "namespace", "theirs") == before
    mesh.installed.apply(a_domain("theirs", namespaceAdoption="IfConsented"))
    mesh.installed.cluster.kubectl("annotate", "namespace", "theirs", "clouddatamesh.dev/adopt-by=theirs")
    mesh.installed.wait("domain", "theirs")
    assert mesh.installed.get("domain", "theirs")["status"]["namespaces"][0]["adopted"] is True


def test_children_of_our_names(mesh: Actors) -> None:
    mesh.installed.cluster.kubectl("create", "namespace", "shared")
    mesh.installed.cluster.kubectl("annotate", "namespace", "shared", "clouddatamesh.dev/adopt-by=shared")
    quota = foreign("ResourceQuota", "v1", "clouddatamesh", "shared", spec={"hard": {"pods": "7"}})
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    binding = foreign("RoleBinding", "rbac.authorization.k8s.io/v1", "clouddatamesh-owners", "shared", roleRef=reference, subjects=[])
    mesh.installed.apply(quota, binding)
    mesh.installed.until(lambda: mesh.installed.get("resourcequota", "clouddatamesh", "shared").get("status", {}).get("used"))
    before = [frozen(mesh, "resourcequota", "clouddatamesh", "shared"), frozen(mesh, "rolebinding", "clouddatamesh-owners", "shared")]
    mesh.installed.apply(a_domain("shared", namespaceAdoption="IfConsented", resources={"quota": {"pods": "1"}}))
    mesh.installed.until(lambda: "NotOwned" in str(mesh.installed.get("domain", "shared").get("status")), what="the refusal")
    after = [frozen(mesh, "resourcequota", "clouddatamesh", "shared"), frozen(mesh, "rolebinding", "clouddatamesh-owners", "shared")]
    assert after == before


def test_a_secret_of_the_producers_name(mesh: Actors) -> None:
    mesh.installed.apply(foreign("Secret", "v1", "taken", "sales", stringData={"access-key-id": "theirs"}))
    before = frozen(mesh, "secret", "taken", "sales")
    mesh.installed.apply(a_product("careful", producer={"secretName": "taken"}))
    assert "choose another" in mesh.ends("careful", reason="NotOwned", type_="CredentialsReady")["message"]
    assert frozen(mesh, "secret", "taken", "sales") == before
    mesh.nudge("careful", token="again")
    users = [user for user in mesh.store.users("/clouddatamesh/acme/") if "careful" in user]
    assert [mesh.iam.list_access_keys(UserName=user)["AccessKeyMetadata"] for user in users] == [[]]
    mesh.delete("careful")
    assert frozen(mesh, "secret", "taken", "sales") == before


def test_an_iam_user_of_our_name(mesh: Actors) -> None:
    first = mesh.make("namesake")
    name = first["status"]["producer"]["principal"]
    mesh.delete("namesake")
    mesh.iam.create_user(UserName=name, Path="/somebody/")
    mesh.installed.apply(a_product("namesake"))
    assert "not of this mesh" in mesh.ends("namesake", reason="NotOwned", type_="CredentialsReady")["message"]
    user = mesh.iam.get_user(UserName=name)["User"]
    assert user["Path"] == "/somebody/"
    assert mesh.iam.list_user_policies(UserName=name)["PolicyNames"] == []
    assert mesh.iam.list_access_keys(UserName=name)["AccessKeyMetadata"] == []


def test_a_bucket_of_our_name(mesh: Actors) -> None:
    mesh.s3.create_bucket(Bucket="acme-taken")
    mesh.put("acme-taken", "theirs")
    mesh.installed.apply(a_product("polite", storage={"bucketName": "acme-taken"}))
    assert "adopt-by=acme/sales/polite" in mesh.ends("polite", reason="NotOwned")["message"]
    assert mesh.tags("acme-taken") == {}
    assert mesh.s3.get_bucket_versioning(Bucket="acme-taken").get("Status") is None


def test_adoption_keeps_foreign_tags_rules_and_statements(mesh: Actors) -> None:
    bucket, consent = "acme-legacy", {"Key": "clouddatamesh.dev/adopt-by", "Value": "acme/sales/legacy:may-delete"}
    mesh.s3.create_bucket(Bucket=bucket)
    mesh.put(bucket, "daily/old")
    mesh.s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [consent, {"Key": "theirs", "Value": "kept"}]})
    rule = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "theirs/"}, "Expiration": {"Days": 9}}
    mesh.s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    storage = {"bucketName": bucket, "adoptionPolicy": "IfConsented", "lifecycleRules": [{"prefix": "tmp/", "expireAfter": "7d"}]}
    mesh.installed.apply(annotated(a_product("legacy", storage=storage), apply_plan=bucket))
    mesh.installed.wait("dataproduct", "legacy", "sales")
    adopted = mesh.product("legacy")
    assert adopted["status"]["storage"]["phase"] == "Adopted"
    assert mesh.tags(bucket)["theirs"] == "kept"
    rules = mesh.s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert sorted(found["ID"] == "theirs" for found in rules) == [False, False, True], "ours, the witness, theirs"
    assert mesh.s3.get_object(Bucket=bucket, Key="daily/old")["Body"].read() == b"x"
