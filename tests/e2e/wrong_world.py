"""The surroundings that make the manifests of stalls.py wrong: foreign namespaces, children, Secrets, buckets and users."""

from collections.abc import Iterator
from typing import Any

from clouddatamesh.model.objects import Key
from clouddatamesh.plan import names
from hack.tools.store import Store
from tests.e2e.stalls import EXPECTED, MESH, OTHER_CLUSTER, STALLS, Manifest
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import a_domain, a_product, a_store

GROUP = "clouddatamesh.dev"
GOOD = (a_store(), a_store("exclusive", bucketPrefix="exclusive", allowedDomains={"matchLabels": {"tier": "gold"}}),
        a_domain(), a_domain("cordoned", cordoned=True), a_domain("full", resources={"maxDataProducts": 0}))  # fmt: skip
GOOD_PRODUCT = a_product("good", storage={"bucketName": "acme-good"})


def placed(manifest: Manifest, store: Store) -> Manifest:
    """The manifest with the running store in the place of https://s3.test."""
    if manifest["kind"] != "ObjectStore":
        return manifest
    host = store.endpoint.partition("://")[2]
    place = {"https://s3.test": store.endpoint, "https://plain.test": f"https://{host}"}
    endpoint = manifest["spec"]["endpointUrl"]
    return {**manifest, "spec": {**manifest["spec"], "endpointUrl": place.get(endpoint, endpoint), "region": store.region}}


def build(mesh: Installation, store: Store) -> None:
    """First what is good, then what is foreign, then everything wrong at once."""
    mesh.give_credentials(store)
    mesh.apply(*(placed(manifest, store) for manifest in GOOD))
    for manifest in GOOD:
        mesh.wait(manifest["kind"], manifest["metadata"]["name"], seconds=90)
    mesh.apply(GOOD_PRODUCT)
    mesh.wait("dataproduct", "good", "sales", seconds=90)
    mesh.apply(*_foreign_objects())
    used = lambda: mesh.get("resourcequota", "clouddatamesh", "counted").get("status", {}).get("used")  # noqa: E731
    mesh.until(used, seconds=60, what="the foreign quota")
    _make_foreign_buckets(store.client("s3"))
    store.client("iam").create_user(UserName=principal_of(mesh, "namesake"), Path="/somebody/")
    mesh.apply(*(placed(stall.manifest, store) for stall in STALLS))


def principal_of(mesh: Installation, product: str) -> str:
    """The name that the user of a product of sales is to have."""
    cluster = mesh.get("namespace", "kube-system")["metadata"]["uid"]
    return names.principal_name(MESH, cluster, Key("DataProduct", "sales", product))


def _foreign_objects() -> Iterator[Manifest]:
    consents = {"promised": "somebody", "willing": "shy", "counted": "counted", "bound": "bound"}
    for name in ("theirs", "theirs-too", "wild", *consents):
        annotations = {f"{GROUP}/adopt-by": consents[name]} if name in consents else {}
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "annotations": annotations}}
    yield _object("v1", "ResourceQuota", "clouddatamesh", "counted", spec={"hard": {"pods": "7"}})
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    yield _object("rbac.authorization.k8s.io/v1", "RoleBinding", "clouddatamesh-owners", "bound", roleRef=role, subjects=[])
    yield _object("v1", "Secret", "taken", "sales", stringData={"theirs": "x"})
    yield _object("v1", "Secret", "wrong-key", NAMESPACE, stringData={"access-key-id": "AKIAWRONG", "secret-access-key": "wrong"})
    yield _object("v1", "Secret", "half", NAMESPACE, stringData={"access-key-id": "AKIAHALF"})


def _object(api: str, kind: str, name: str, namespace: str, **body: Any) -> Manifest:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": namespace}, **body}


def _make_foreign_buckets(s3: Any) -> None:
    other = {f"{GROUP}/mesh": MESH, f"{GROUP}/cluster": OTHER_CLUSTER}
    former = {f"{GROUP}/{key}": value for key, value in (("mesh", MESH), ("namespace", "sales"), ("name", "former"), ("uid", "gone"))}
    buckets: dict[str, dict[str, str]] = {
        "acme-theirs": {},
        "acme-willing": {f"{GROUP}/adopt-by": f"{MESH}/sales/hesitant"},
        "acme-promised": {f"{GROUP}/adopt-by": f"{MESH}/sales/somebody"},
        "acme-lent": {f"{GROUP}/adopt-by": f"{MESH}/sales/patient"},
        "legacy-lent": {f"{GROUP}/adopt-by": f"{MESH}/sales/outsider"},
        "acme-other-mesh": {f"{GROUP}/mesh": "other", f"{GROUP}/namespace": "sales", f"{GROUP}/name": "raider"},
        "acme-former": former,
        EXPECTED: {},
        names.mesh_bucket_name("lost", MESH): other,
        names.mesh_bucket_name("lost-too", MESH): other,
        names.mesh_bucket_name("alien", MESH): {"owner": "somebody"},
        names.scratch_bucket_name("clutter", MESH, "clutter"): {},
    }
    for bucket, tags in buckets.items():
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="theirs", Body=b"x")
        if tags:
            s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]})
