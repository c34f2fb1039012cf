"""etcd is restored from a backup while the operator runs: versions begin lower, and what happens then is seen all the same. On RGW."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from hack.tools.controlplane import ControlPlane
from hack.tools.store import Store
from tests.e2e.access import Access, a_deal
from tests.e2e.actors import Actors
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import a_domain, a_product, a_store

ROBOT = {"serviceAccountRef": {"name": "robot"}}
SEEN = 15.0
"""Seconds after the return of the API server."""
LATER = "clouddatamesh.dev/reconcile-requested-at"
BUSY = 300
"""Writes after the backup: the API server's version falls behind what the operator knows, and stays there."""


@dataclass(frozen=True)
class Restored(Actors):
    """A mesh whose readers had access at the time of the backup."""

    readers: dict[str, Access] = field(default_factory=dict)

    def refuse(self, name: str) -> None:
        deal = self.readers[name].deal
        self.installed.apply({**deal.grant, "spec": {**deal.grant["spec"], "decision": "Deny"}})


@pytest.fixture(scope="module")
def restored(rgw: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restored]:
    """The backup is a while old: every object was written since, and one product was made."""
    place = tmp_path_factory.mktemp("backup") / "etcd"
    with ControlPlane() as cluster, Installation(cluster, mesh="older") as installed:
        mesh = Restored(installed, rgw)
        _build(mesh)
        cluster.back_up(place)
        _go_on(mesh)
        cluster.restore(place)
        yield mesh


def _build(mesh: Restored) -> None:
    installed = mesh.installed
    installed.give_credentials(mesh.store)
    installed.apply(a_store(endpointUrl=mesh.store.endpoint, region=mesh.store.region, bucketPrefix="older"))
    installed.apply(a_domain("sales"), a_domain("inventory"))
    for kind, name in (("objectstore", "main"), ("domain", "sales"), ("domain", "inventory")):
        installed.wait(kind, name, seconds=60)
    installed.cluster.kubectl("create", "serviceaccount", "robot", "-n", "inventory")
    mesh.make("orders")
    mesh.put(mesh.bucket("orders"), "daily/seed")
    for name in ("refused", "withdrawn", "left"):
        mesh.readers[name] = Access.given(mesh, a_deal(name, "sales/orders", consumer=ROBOT))


def _go_on(mesh: Restored) -> None:
    """What the backup knows nothing of: everything is looked at, and the operator's cache is of this time."""
    installed = mesh.installed
    installed.until(lambda: all(reader.reads() for reader in mesh.readers.values()), what="access after the backup")
    for number in range(BUSY // 30):
        for kind, name, place in (("dataproduct", "orders", "sales"), ("areq", "refused", "inventory"), ("agrant", "for-refused", "sales")):
            installed.cluster.kubectl("annotate", "--overwrite", kind, name, "-n", place, f"{LATER}={number}")
        installed.cluster.kubectl("label", "--overwrite", "agrant", "--all", "-n", "sales", f"number=n{number}")
        installed.cluster.kubectl("label", "--overwrite", "areq", "--all", "-n", "inventory", f"number=n{number}")
    mesh.make("newer")
    mesh.nudge("newer", token="seen")


def test_what_is_refused_after_the_restore_ends(restored: Restored) -> None:
    restored.refuse("refused")
    restored.readers["refused"].ends(seconds=SEEN)


def test_what_is_deleted_after_the_restore_ends(restored: Restored) -> None:
    restored.installed.cluster.kubectl("delete", "agrant", "for-withdrawn", "-n", "sales", "--wait=false")
    restored.readers["withdrawn"].ends(seconds=SEEN)


def test_what_stands_goes_on_with_the_same_key(restored: Restored) -> None:
    assert restored.readers["left"].reads()
    assert restored.installed.secret("left", "inventory") == restored.readers["left"].secret


def test_it_is_ready_again_and_was_never_started_again(restored: Restored) -> None:
    (pod,) = restored.installed.kubelet.pods()
    restored.installed.until(lambda: pod.is_ready, seconds=SEEN, what="a ready operator")
    assert pod.restarts == 0
    assert "the API server was restored" in restored.installed.log()


def test_new_objects_are_made(restored: Restored) -> None:
    restored.installed.apply(a_product("after"))
    restored.installed.wait("dataproduct", "after", "sales", seconds=SEEN)
    assert restored.installed.get("lease", "clouddatamesh", NAMESPACE)["spec"]["holderIdentity"]
