"""Domains, namespaces and data come back: pruned and reverted, released and named again, restored; and for nobody else. On RGW."""

import json
from collections.abc import Iterator

import pytest

from hack.tools.controlplane import ControlPlane
from hack.tools.store import Store
from tests.e2e.actors import Actors
from tests.e2e.retail import CHILDREN, DOMAINS, Folder, Manifest, documents, restorable, shuffled
from tests.support.installation import Installation
from tests.support.manifests import a_domain, a_product

LABEL, HELD, RELEASED, CONSENT, OWNER = (f"clouddatamesh.dev/{name}" for name in ("domain", "held-by", "released-by", "adopt-by", "owner"))
BODY = b"kept"
ODD = a_domain("odd", resources={"quota": {"count/widgets.example.com": "5", "pods": "9"}, "maxDataProducts": 5})
"""Applied first of all, since a minute passes before a limit that nobody counts is a fault."""


@pytest.fixture(scope="module")
def folder(rgw: Store) -> Iterator[Folder]:
    """The retail mesh, Ready."""
    with ControlPlane() as cluster, Installation(cluster, mesh="retail", values={"driftInterval": "1m"}) as installed:
        installed.give_credentials(rgw)
        folder = Folder(Actors(installed, rgw))
        installed.apply(ODD)
        folder.comes_back(documents(rgw.endpoint, rgw.region))
        yield folder


@pytest.fixture(scope="module")
def retail(folder: Folder) -> list[Manifest]:
    return documents(folder.mesh.store.endpoint, folder.mesh.store.region)


@pytest.fixture(scope="module")
def bucket(folder: Folder) -> str:
    """The bucket of sales/orders, with an object in it."""
    name = folder.mesh.bucket("orders")
    folder.mesh.s3.put_object(Bucket=name, Key="daily/kept", Body=BODY)
    return name


def assert_kept(folder: Folder, name: str, bucket: str, namespace: str = "sales", key: str = "daily/kept") -> None:
    """The product has its bucket, and what was in it."""
    assert folder.mesh.bucket(name, namespace) == bucket
    assert folder.mesh.s3.get_object(Bucket=bucket, Key=key)["Body"].read() == BODY


@pytest.mark.parametrize("seed", range(10))
def test_the_mesh_is_removed_and_applied_again_in_any_order(folder: Folder, retail: list[Manifest], bucket: str, seed: int) -> None:
    """The first as `delete -f` and `apply -f` do it; every other one is reverted while the objects still go, and then removed once more."""
    last, first = (retail, retail) if seed == 0 else (shuffled(retail, seed), shuffled(retail, 100 + seed))
    if seed % 2:
        folder.delete(last, wait=False)
        folder.comes_back(first)
    folder.delete(last)
    assert folder.residue() == []
    assert folder.apply(first) == "", "one apply is enough, in any order"
    folder.is_whole(retail)
    assert_kept(folder, "orders", bucket)
    assert folder.mesh.installed.get("secret", "stock-access", "sales")


@pytest.mark.parametrize("seed", range(2))
def test_what_is_removed_with_its_namespaces_ends(folder: Folder, retail: list[Manifest], bucket: str, seed: int) -> None:
    namespaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in DOMAINS]
    folder.delete(shuffled([*retail, *namespaces], seed))
    folder.mesh.installed.until(
        lambda: not any(folder.mesh.installed.get("namespace", name) for name in DOMAINS), seconds=120, what="their end"
    )
    assert folder.residue() == []
    folder.comes_back(retail)
    assert_kept(folder, "orders", bucket)


def made(folder: Folder, name: str, *namespaces: str, **spec: object) -> Manifest:
    """A Domain of its own, Ready."""
    domain = a_domain(name, **({"namespaces": [{"name": one} for one in namespaces]} if namespaces else {}), **spec)
    folder.mesh.installed.apply(domain)
    folder.mesh.installed.wait("domain", name)
    return domain


def metadata_of(folder: Folder, namespace: str) -> Manifest:
    return dict(folder.mesh.installed.get("namespace", namespace)["metadata"])


def status_of(folder: Folder, domain: str) -> Manifest:
    return dict(folder.mesh.installed.get("domain", domain)["status"])


def namespaces_of(folder: Folder, domain: str) -> tuple[list[str], list[str]]:
    """Those that it released, and those that it has."""
    status = status_of(folder, domain)
    return status.get("releasedNamespaces", []), [one["name"] for one in status["namespaces"]]


def bindings(folder: Folder, namespace: str) -> list[str]:
    items = folder.mesh.installed.all("rolebindings", namespace)
    return sorted(one["metadata"]["name"] for one in items)


def ends(folder: Folder, domain: str, reason: str, *, seconds: float = 30) -> str:
    """Wait for the reason of a Domain's Ready; its message."""

    def ready() -> Manifest:
        conditions = (folder.mesh.installed.get("domain", domain).get("status") or {}).get("conditions") or ()
        return next((dict(one) for one in conditions if one["type"] == "Ready"), {})

    folder.mesh.installed.until(lambda: ready().get("reason") == reason, seconds=seconds, what=f"{domain} {reason}")
    return str(ready()["message"])


def test_an_entry_that_is_removed_is_told_and_comes_back_until_it_is_forgotten(folder: Folder) -> None:
    made(folder, "lists", "lists", "lists-lab")
    made(folder, "lists", "lists")
    folder.mesh.installed.until(lambda: not bindings(folder, "lists-lab"), what="the end of the rights")
    folder.mesh.installed.until(lambda: RELEASED in (metadata_of(folder, "lists-lab").get("annotations") or {}), what="the release")
    assert LABEL not in metadata_of(folder, "lists-lab").get("labels", {})
    folder.mesh.installed.until(lambda: folder.events("lists", "NamespaceReleased"), what="the event")
    folder.mesh.installed.until(lambda: namespaces_of(folder, "lists") == (["lists-lab"], ["lists"]), what="the status")
    made(folder, "lists", "lists", "lists-lab")
    folder.mesh.installed.until(lambda: folder.events("lists", "TakenBack"), what="the event")
    folder.mesh.installed.until(lambda: "clouddatamesh-owners" in bindings(folder, "lists-lab"), what="the rights")
    made(folder, "lists", "lists")
    folder.mesh.installed.until(lambda: RELEASED in (metadata_of(folder, "lists-lab").get("annotations") or {}), what="the release")
    folder.mesh.installed.until(lambda: namespaces_of(folder, "lists") == (["lists-lab"], ["lists"]), what="the status")
    folder.kubectl("annotate", "namespace", "lists-lab", f"{RELEASED}-")
    folder.mesh.installed.until(lambda: "releasedNamespaces" not in status_of(folder, "lists"), what="forgetting")
    folder.mesh.installed.apply(a_domain("lists", namespaces=[{"name": "lists"}, {"name": "lists-lab"}]))
    assert f"{CONSENT}=lists" in ends(folder, "lists", "ConsentMissing")
    assert bindings(folder, "lists-lab") == []


def test_an_adopted_namespace_comes_back_by_its_consent_alone(folder: Folder) -> None:
    folder.kubectl("create", "namespace", "elders")
    folder.kubectl("annotate", "namespace", "elders", f"{CONSENT}=elders")
    domain = made(folder, "elders", namespaceAdoption="IfConsented")
    for _ in range(2):
        folder.delete([domain])
        assert RELEASED not in metadata_of(folder, "elders")["annotations"]
        assert bindings(folder, "elders") == []
        made(folder, "elders", namespaceAdoption="IfConsented")
    folder.delete([domain])
    folder.kubectl("annotate", "namespace", "elders", f"{CONSENT}-")
    await_news_of_namespaces(folder)
    folder.mesh.installed.apply(domain)
    ends(folder, "elders", "ConsentMissing")
    assert bindings(folder, "elders") == []


def await_news_of_namespaces(folder: Folder) -> None:
    """What changed in a namespace comes by one watch, in its order, and a Domain by another: the last change is seen to be repaired."""
    made(folder, "witness")
    folder.kubectl("label", "namespace", "witness", f"{LABEL}-")
    folder.mesh.installed.until(lambda: metadata_of(folder, "witness")["labels"].get(LABEL) == "witness", what="the label again")


@pytest.mark.parametrize("way", ["without status", "with status", "with its children alone"])
def test_what_a_backup_restores_is_the_domains_again(folder: Folder, way: str) -> None:
    """Namespaces first, then their children with the marks of the Domain that was, then the Domain and its products."""
    name = f"archive-{len(way)}"
    made(folder, name, name, f"{name}-lab", resources={"maxDataProducts": 9, "networkIsolation": {"mode": "Domain"}})
    folder.mesh.make("papers", name)
    bucket = folder.mesh.bucket("papers", name)
    folder.mesh.s3.put_object(Bucket=bucket, Key="daily/kept", Body=BODY)
    domain = folder.mesh.installed.get("domain", name)
    namespaces = [restorable(folder.mesh.installed.get("namespace", one)) for one in (name, f"{name}-lab")]
    children = [one for place in (name, f"{name}-lab") for one in folder.saved(CHILDREN, place)]
    products = folder.saved(("dataproducts",), name)
    folder.mesh.delete("papers", name)
    folder.delete([domain])
    folder.kubectl("delete", "namespace", name, f"{name}-lab", "--timeout=120s")
    with_marks = "children" not in way
    bare = [{**one, "metadata": {"name": one["metadata"]["name"]}} for one in namespaces]
    folder.kubectl("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": namespaces if with_marks else bare}))
    folder.kubectl("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": [*children, restorable(domain)]}))
    if way == "with status":
        folder.restore_status(domain)
    folder.kubectl("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": products}))
    if not with_marks:
        ends(folder, name, "ConsentMissing")
        assert "clouddatamesh-owners" in bindings(folder, name), "what is not known to be the domain's is left alone"
        return
    folder.is_whole([domain, *products])
    assert_kept(folder, "papers", bucket, name)
    uid = folder.mesh.installed.get("domain", name)["metadata"]["uid"]
    owners = {child["metadata"]["annotations"][OWNER] for place in (name, f"{name}-lab") for child in folder.saved(CHILDREN, place)}
    assert owners == {f"Domain//{name}/{uid}"}


STRIPPED = {
    "the label": (("label", f"{LABEL}-"),),
    "the mark": (("annotate", f"{HELD}-"),),
    "the label, for another domain's": (("label", "--overwrite", f"{LABEL}=sales"),),
}


@pytest.mark.parametrize("what", list(STRIPPED))
def test_label_and_mark_are_restored_whoever_removed_them(folder: Folder, what: str) -> None:
    """The operator's own guard does not keep it from that, and nothing in the namespace is disturbed."""
    name = f"stripped-{list(STRIPPED).index(what)}"
    made(folder, name)
    folder.mesh.make("steady", name)
    secret = folder.mesh.installed.secret("steady-producer", name)
    for verb, *args in STRIPPED[what]:
        folder.kubectl(verb, "namespace", name, *args)

    def is_restored() -> bool:
        metadata = metadata_of(folder, name)
        return (metadata.get("labels") or {}).get(LABEL) == name and (metadata.get("annotations") or {}).get(HELD) == f"retail/{name}"

    folder.mesh.installed.until(is_restored, seconds=15, what="label and mark")
    folder.mesh.installed.wait("domain", name)
    folder.mesh.installed.wait("dataproduct", "steady", name)
    folder.mesh.installed.wait("domain", "sales")
    assert folder.mesh.installed.secret("steady-producer", name) == secret


def test_what_lost_label_and_marks_is_named_with_what_to_do(folder: Folder) -> None:
    made(folder, "wiped")
    found = folder.mesh.installed.get("namespace", "wiped")
    folder.kubectl("replace", "-f", "-", stdin=json.dumps({**found, "metadata": {"name": "wiped"}}))
    assert f"annotate it {CONSENT}=wiped" in ends(folder, "wiped", "ConsentMissing")
    folder.kubectl("annotate", "namespace", "wiped", f"{CONSENT}=wiped")
    folder.mesh.installed.wait("domain", "wiped")
    assert folder.mesh.installed.get("domain", "wiped")["status"]["namespaces"][0]["adopted"] is False


def test_a_namespace_of_an_old_name_gets_the_old_data_only_in_a_domain_of_the_old_name(folder: Folder) -> None:
    """payroll is closed with everything in it; interns get a namespace of that name later."""
    payroll = made(folder, "payroll")
    folder.mesh.make("salaries", "payroll")
    bucket = folder.mesh.bucket("salaries", "payroll")
    folder.mesh.s3.put_object(Bucket=bucket, Key="daily/kept", Body=BODY)

    def close(domain: Manifest) -> None:
        folder.mesh.delete("salaries", "payroll")
        folder.delete([domain])
        folder.kubectl("delete", "namespace", "payroll", "--timeout=120s")

    close(payroll)
    made(folder, "payroll")
    folder.mesh.make("salaries", "payroll")
    assert_kept(folder, "salaries", bucket, "payroll")
    close(payroll)
    made(folder, "interns", "interns", "payroll")
    folder.mesh.installed.apply(a_product("salaries", "payroll"))
    said = folder.mesh.ends("salaries", "payroll", reason="NotOwned")["message"]
    assert "belonged to Domain payroll" in said
    assert "transfer-to=payroll/salaries" in said
    assert not folder.mesh.installed.get("secret", "salaries-producer", "payroll")
    tags = {**folder.mesh.tags(bucket), "clouddatamesh.dev/transfer-to": "payroll/salaries"}
    folder.mesh.s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]})
    folder.mesh.nudge("salaries", "payroll", token="handed")
    folder.mesh.installed.wait("dataproduct", "salaries", "payroll", seconds=60)
    assert folder.mesh.tags(bucket)["clouddatamesh.dev/domain"] == "interns"


def test_a_copy_with_our_labels_is_left_alone(folder: Folder) -> None:
    made(folder, "copied", resources={"networkIsolation": {"mode": "Domain"}, "quota": {"pods": "9"}})
    copies = [one for one in folder.saved(CHILDREN, "copied") if one["metadata"]["name"].startswith("clouddatamesh")]
    assert len(copies) == 4
    for one in copies:
        one["metadata"]["name"] = f"theirs-{one['metadata']['name']}"
        folder.kubectl("create", "-f", "-", stdin=json.dumps(one))
    uids = {f"{one['kind']}/{one['metadata']['name']}": uid_of(folder, one) for one in copies}
    domain = made(folder, "copied")
    folder.delete([domain])
    assert {f"{one['kind']}/{one['metadata']['name']}": uid_of(folder, one) for one in copies} == uids


def uid_of(folder: Folder, manifest: Manifest) -> str:
    return str(folder.mesh.installed.get(manifest["kind"], manifest["metadata"]["name"], "copied")["metadata"]["uid"])


def test_a_limit_that_nobody_counts_is_named_and_everything_else_is_served(folder: Folder) -> None:
    folder.mesh.installed.wait("domain", "odd", condition="Stalled", seconds=100)
    said = ends(folder, "odd", "QuotaNotCounted")
    assert "count/widgets.example.com" in said
    assert "pods" not in said
    folder.mesh.make("served", "odd")


def test_cordoned_is_shown(folder: Folder) -> None:
    made(folder, "closed", cordoned=True)
    assert folder.kubectl("get", "domain", "closed").split("\n")[1].split()[:5] == ["closed", "True", "0", "1", "True"]
