"""Nobody waits for good: a product, or a port, whose last consumer is gone goes, and one that waits says by which way it goes now."""

from typing import Any, Final

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import Terminal, Transient
from clouddatamesh.kube.memory import MemoryCluster
from clouddatamesh.model.evidence import Unknown
from clouddatamesh.model.objects import Key
from tests.reconcile.access_flows import REQUEST, SECRET, a_port, granted
from tests.reconcile.test_takeover import a_mesh, inventory, lost_mesh, users
from tests.support.driven import Driven
from tests.support.manifests import a_product, annotated
from tests.support.mesh import Mesh

GRANT: Final = ("AccessGrant", "inventory-forecast", "sales")
PRODUCT: Final = ("DataProduct", "orders", "sales")


WAYS: Final = ("deleting is refused", "reading is refused")


def stick(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy of the consumer's namespace, or its roles, keep the operator from the Secret."""
    delete, read = MemoryCluster.delete, MemoryCluster.read_metadata

    def refused(self: MemoryCluster, key: Key, uid: str) -> Any:
        if key == SECRET:
            raise Terminal(reasons.ADMISSION_REFUSED, f"Deleting {key} failed: a webhook denied the request")
        return delete(self, key, uid)

    def unread(self: MemoryCluster, key: Key) -> Any:
        return Unknown(Transient(reasons.CLUSTER_UNAVAILABLE, f"Reading {key} failed: 403")) if key == SECRET else read(self, key)

    if how == "deleting is refused":
        monkeypatch.setattr(MemoryCluster, "delete", refused)
    else:
        monkeypatch.setattr(MemoryCluster, "read_metadata", unread)


def revoked(how: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Mesh, Driven]:
    mesh = granted(Mesh())
    driven = Driven(mesh).run(minutes=5)
    stick(how, monkeypatch)
    mesh.delete(*GRANT)
    driven.run(minutes=20)
    assert not users(mesh, "orders-for-forecast") and mesh.cluster.raw(SECRET) is not None
    return mesh, driven


@pytest.mark.parametrize("how", WAYS)
def test_a_consumers_secret_that_cannot_go_holds_up_no_product(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mesh, driven = revoked(how, monkeypatch)
    told = {one["type"]: one for one in mesh.get("AccessRequest", REQUEST.name, REQUEST.namespace)["status"]["conditions"]}
    assert (told["Provisioned"]["status"], told["Provisioned"]["reason"]) == ("False", "Revoked")
    assert "Secret inventory/orders-access failed" in told["Provisioned"]["message"] + told["Ready"]["message"]
    mesh.delete(*PRODUCT)
    driven.run(minutes=30)
    assert not mesh.exists(*PRODUCT)


@pytest.mark.parametrize("how", WAYS)
def test_a_consumers_secret_that_cannot_go_keeps_no_port_that_left(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mesh, driven = revoked(how, monkeypatch)
    mesh.apply(a_product(outputPorts=[{**a_port(path="raw/"), "name": "raw"}]))
    driven.run(minutes=30)
    assert [port["name"] for port in mesh.product()["status"]["outputPorts"]] == ["raw"]


@pytest.mark.parametrize("way", ["cut_off", "orphan"])
def test_a_product_that_waits_for_what_a_lost_cluster_gave_names_the_ways_out(way: str) -> None:
    old = lost_mesh()
    new = inventory(a_mesh(1, after=old, lost=(0,))).apply(a_product(outputPorts=[a_port()]))
    driven = Driven(new).run(minutes=30)
    new.delete(*PRODUCT)
    driven.run(hours=1)
    told = new.condition(*PRODUCT, "DeletionBlocked")
    assert told["reason"] == "InUse" and f"clouddatamesh.dev/{way.replace('_', '-')}=orders" in told["message"]
    assert len(users(new, "orders-for-forecast")) == 1
    new.apply(annotated(a_product(outputPorts=[a_port()]), **{way: "orders"}))
    driven.run(minutes=30)
    assert not new.exists(*PRODUCT)
    assert len(users(new, "orders-for-forecast")) == (way == "orphan")
