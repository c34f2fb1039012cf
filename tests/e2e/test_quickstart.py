"""docs/getting-started.md on a real node: from two images to a granted read by the page's own commands, and what else it promises.

At the end README's own way to install, on what is left then.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hack.tools.children import ToolError
from hack.tools.controlplane import ControlPlane
from hack.tools.engines import OPERATOR, QUICKSTART
from hack.tools.images import get_image, get_pause
from hack.tools.node import Node
from hack.tools.store import Store
from tests.e2e.test_pod import need_node
from tests.support.installation import CHART, NAMESPACE, RELEASE, ROOT, Installation, has_condition
from tests.support.manifests import a_store
from tests.support.pages import Reader

pytestmark = pytest.mark.real
PAGE = ROOT / "docs" / "getting-started.md"
SECRET = STORE = "clouddatamesh-quickstart"
REQUEST = ("accessrequest", "profiles-for-deliveries", "inventory")


class Quickstart(Installation):
    """What the page installs."""

    def log(self) -> str:
        """What the Pods of the namespace wrote."""
        return self.cluster.kubectl("logs", "--namespace", NAMESPACE, "--selector=app.kubernetes.io/instance", "--tail=40", "--prefix")

    def upgrade(self, *flags: str) -> str:
        """`helm upgrade` with the same values and some more."""
        return self.cluster.helm(
            "upgrade", RELEASE, str(CHART), "--namespace", NAMESPACE, "--reuse-values", "--wait", "--timeout=120s", *flags
        )

    def list(self, kind: str, *flags: str) -> list[dict[str, Any]]:
        return list(json.loads(self.cluster.kubectl("get", kind, "-o", "json", *flags))["items"])

    def events(self) -> int:
        """How many starts of the store were warned of."""
        return len(self.list("events", "--namespace", NAMESPACE, "--field-selector=reason=NotPersistent,type=Warning"))


@pytest.fixture(scope="module")
def node(pytestconfig: pytest.Config) -> Iterator[Node]:
    """A control plane with a node that has both images, and nothing else."""
    need_node(pytestconfig)
    images = (get_pause(), get_image(OPERATOR), get_image(QUICKSTART))
    with ControlPlane(runs_pods=True) as cluster, Node(cluster, images=images) as found:
        yield found


@pytest.fixture(scope="module")
def reader(node: Node) -> Reader:
    """Whoever follows the page; the tests of this file are in its order."""
    return Reader(node.cluster, PAGE)


@pytest.fixture(scope="module")
def mesh(node: Node) -> Quickstart:
    return Quickstart(node.cluster, mesh="retail")


def store_of(mesh: Quickstart, secret: str, namespace: str) -> tuple[Store, str]:
    """The store by the address of its Service, which a node of ours shows to this machine too, and the Secret's bucket."""
    held = mesh.secret(secret, namespace)
    address = mesh.get("service", STORE, NAMESPACE)["spec"]["clusterIP"]
    return Store(
        f"http://{address}:9000", held.get("access-key-id", "none"), held.get("secret-access-key", "none"), "us-east-1", "moto", lambda: 0
    ), held.get("bucket", "")


def test_one_command_brings_operator_store_and_mesh(reader: Reader, mesh: Quickstart) -> None:
    try:
        said = reader.follow("Install")
    except AssertionError as error:
        raise AssertionError(f"{error}\n{mesh.cluster.kubectl('get', 'pods,events', '-A')}\n{mesh.log()}") from None
    assert "a restart of its Pod loses all" in " ".join(said.split())
    shown = reader.follow("Look around")
    assert all(name in shown for name in ("main", "customer", "stock-levels", "stock-for-forecast"))
    for kind in ("objectstores", "domains", "dataproducts"):
        found = mesh.all(kind)
        assert found
        assert [one["metadata"]["name"] for one in found if not has_condition(one, "Ready")] == []


def test_the_jobs_leave_their_work_and_none_of_their_rights(mesh: Quickstart) -> None:
    assert not mesh.list("jobs", "--namespace", NAMESPACE)
    for kind in ("serviceaccounts", "roles", "rolebindings", "clusterroles", "clusterrolebindings"):
        names = {found["metadata"]["name"] for found in mesh.list(kind, "--all-namespaces")}
        assert not names & {"clouddatamesh-quickstart-credentials", "clouddatamesh-quickstart-mesh"}, kind


def test_the_key_of_the_store_is_in_its_secret_alone(mesh: Quickstart) -> None:
    key = mesh.secret(SECRET, NAMESPACE)["secret-access-key"]
    assert len(key) == 40
    release = mesh.cluster.helm("get", "all", RELEASE, "--namespace", NAMESPACE)
    assert SECRET in release
    assert key not in release + mesh.log() + mesh.cluster.kubectl("get", "deployments,pods,events,objectstores", "-A", "-o", "yaml")


def test_each_start_of_the_store_is_warned_of(mesh: Quickstart) -> None:
    mesh.until(lambda: mesh.events() == 1, what="one event NotPersistent")


def test_access_is_granted_read_and_revoked_as_the_page_says(reader: Reader, mesh: Quickstart) -> None:
    reader.follow("Write data as the producer")
    assert "profiles-for-deliveries" in reader.follow("Grant access as the owner")
    assert reader.follow("Read data as the consumer").endswith("name,city\nAda,London\nGrace,New York\n")
    store, bucket = store_of(mesh, "profiles-access", "inventory")
    assert store.client("s3").get_object(Bucket=bucket, Key="profiles/2026.csv")
    assert "Revoked" in reader.follow("Revoke access")
    assert not mesh.secret("profiles-access", "inventory")
    with pytest.raises(Exception, match=r"InvalidAccessKeyId|AccessDenied"):
        store.client("s3").get_object(Bucket=bucket, Key="profiles/2026.csv")


def test_an_upgrade_keeps_the_key_and_what_exists(mesh: Quickstart) -> None:
    before = mesh.get("secret", SECRET, NAMESPACE), mesh.get("dataproduct", "orders", "sales")["metadata"]["uid"]
    mesh.cluster.kubectl("label", "dataproduct", "orders", "--namespace", "sales", "mine=true")
    mesh.upgrade()
    product = mesh.get("dataproduct", "orders", "sales")["metadata"]
    assert (mesh.get("secret", SECRET, NAMESPACE), product["uid"]) == before
    assert product["labels"]["mine"] == "true"
    assert mesh.events() == 1, "the store was restarted"


def test_it_is_refused_beside_another_store(mesh: Quickstart) -> None:
    mesh.apply(a_store("other", endpointUrl="http://127.0.0.1:1", bucketPrefix="other"))
    try:
        with pytest.raises(ToolError, match="ObjectStore other exists, and the quickstart is for a cluster without a mesh"):
            mesh.upgrade()
    finally:
        mesh.cluster.kubectl("delete", "objectstore", "other", "--timeout=60s")


def test_a_restart_of_the_store_is_told_and_overcome_as_the_page_says(reader: Reader, mesh: Quickstart) -> None:
    mesh.cluster.kubectl("delete", "pod", "--namespace", NAMESPACE, "--selector=app.kubernetes.io/component=store", "--wait")
    mesh.cluster.kubectl("rollout", "status", f"deployment/{STORE}", "--namespace", NAMESPACE, "--timeout=120s")
    mesh.until(lambda: mesh.events() == 2, what="a second event NotPersistent")
    try:
        assert "NotTheSameStore" in reader.follow("When the store restarts")
    except AssertionError as error:
        raise AssertionError(f"{error}\n{mesh.describe()}") from None
    mesh.until(lambda: writes(mesh, "orders-producer", "sales"), seconds=60, what="a bucket and a key that were made again")
    mesh.until(lambda: reads(mesh, "stock-access", "sales"), seconds=60, what="access in the new store")


def writes(mesh: Quickstart, secret: str, namespace: str) -> bool:
    store, bucket = store_of(mesh, secret, namespace)
    return serves(lambda: store.client("s3").put_object(Bucket=bucket, Key="daily/again", Body=b"1"))


def reads(mesh: Quickstart, secret: str, namespace: str) -> bool:
    store, bucket = store_of(mesh, secret, namespace)
    return serves(lambda: store.client("s3").list_objects_v2(Bucket=bucket, Prefix="daily/"))


def serves(call: Callable[[], object]) -> bool:
    try:
        call()
    except ClientError:
        return False
    return True


def test_the_mesh_is_cleaned_up_as_the_page_says(reader: Reader, mesh: Quickstart) -> None:
    try:
        reader.follow("Clean up")
    except AssertionError as error:
        raise AssertionError(f"{error}\n{mesh.describe()}") from None
    assert not mesh.cluster.kubectl("get", "namespaces", "-o", "name", "--selector=clouddatamesh.dev/domain").split()
    assert reader.unread == []


def test_readme_installs_on_a_cluster(node: Node) -> None:
    """As it is written, but for the registry. Its store exists nowhere, which the operator says."""
    Reader(node.cluster, ROOT / "README.md", filled={"<your registry>": "localhost"}).follow("Install on a cluster")
    installed = Quickstart(node.cluster, mesh="acme")
    assert node.cluster.kubectl("get", "deployment", "clouddatamesh", "-n", NAMESPACE, "-o=jsonpath={.status.readyReplicas}") == "2"

    def ready() -> dict[str, Any]:
        found = installed.get("objectstore", "main").get("status", {}).get("conditions", [])
        return next((one for one in found if one["type"] == "Ready"), {})

    installed.until(lambda: ready().get("reason") == "StoreUnavailable", what="a look at a store that is not there")
    assert ready()["status"] != "True"
    assert "the store does not answer" in ready()["message"]
    assert "check the ObjectStore's spec.endpointUrl" in ready()["message"]
