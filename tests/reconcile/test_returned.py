"""Requests that come back without their status, and Secrets that say what no store says, while nothing new may be given."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient
from clouddatamesh.model.evidence import Seen, Unknown
from clouddatamesh.model.identity import Principal
from clouddatamesh.model.objects import Key
from clouddatamesh.plan import marks
from clouddatamesh.storage.memory_identities import MemoryIdentities
from tests.reconcile.access_flows import REQUEST, a_port, asked
from tests.reconcile.flows import ENDPOINT
from tests.reconcile.test_access import granted
from tests.reconcile.test_keys_end import CONSUMER, active
from tests.reconcile.test_withheld import places, trouble
from tests.support.driven import Driven
from tests.support.manifests import a_domain, a_grant, a_policy, a_product, a_request, a_rule
from tests.support.mesh import Mesh

SECRET = Key("Secret", "inventory", "orders-access")
PRODUCT = Key("DataProduct", "sales", "orders")
GRANT = Key("AccessGrant", "sales", "inventory-forecast")
LONG = "x" * 5000

NO_GRANTS: dict[str, Any] = a_policy(
    "none", enforcement="Deny", targets={"kinds": ["AccessGrant"]}, rules=[a_rule("none", "object.metadata.name == 'nothing'")]
)
FROZEN: dict[str, list[dict[str, Any]]] = {
    "active": [],
    "deprecated": [a_product(outputPorts=[a_port()], lifecycle="deprecated")],
    "deprecated port": [a_product(outputPorts=[{**a_port(), "deprecated": True}])],
    "suspended": [a_product(outputPorts=[a_port()], suspend=True)],
    "observed": [a_product(outputPorts=[a_port()], mode="Observe")],
    "cordoned": [a_domain("sales", cordoned=True)],
    "refused grant": [NO_GRANTS],
    "refused request": [{**NO_GRANTS, "spec": {**NO_GRANTS["spec"], "targets": {"kinds": ["AccessRequest"]}}}],
    "refused grant of a deprecated product": [NO_GRANTS, a_product(outputPorts=[a_port()], lifecycle="deprecated")],
    "refused grant in a cordoned domain": [NO_GRANTS, a_domain("sales", cordoned=True)],
    "refused grant of a suspended product": [NO_GRANTS, a_product(outputPorts=[a_port()], suspend=True)],
    "refused grant and product": [{**NO_GRANTS, "spec": {**NO_GRANTS["spec"], "targets": {"kinds": ["AccessGrant", "DataProduct"]}}}],
    "unreadable domain": [a_domain("inventory", displayName=LONG)],
    "unreadable product": [a_product(outputPorts=[a_port()], displayName=LONG)],
}
TROUBLES = ("not allowed", "no marks", "no bucket", "store deleted", "store unable", "no domain", "no home")


def freeze(mesh: Mesh, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mesh.apply(*FROZEN.get(what, []))
    if what in TROUBLES:
        trouble(mesh, what, monkeypatch)
    if what == "no domain":
        mesh.apply(a_domain("inventory", namespaces=[{"name": "elsewhere"}]))


def make_again(mesh: Mesh) -> None:
    """The operator is down; the request goes without its finalizer and comes back as a backup has it."""
    mesh.cluster.user_finalize(REQUEST)
    mesh.cluster.user_delete(REQUEST)
    mesh.cluster.restart()
    mesh.apply(a_request())


def lose_status(mesh: Mesh) -> None:
    manifest = mesh.cluster.raw(REQUEST) or {}
    mesh.cluster.write_status(REQUEST, manifest["metadata"]["uid"], {"observedGeneration": -1})


def make_all_again(mesh: Mesh) -> None:
    """Also the product, whose bucket nobody but the store knows then."""
    product = mesh.cluster.raw(PRODUCT) or {}
    for key in (REQUEST, PRODUCT):
        mesh.cluster.user_finalize(key)
        mesh.cluster.user_delete(key)
    mesh.cluster.restart()
    mesh.apply(
        {"apiVersion": product["apiVersion"], "kind": "DataProduct", "metadata": _plain(product), "spec": product["spec"]}, a_request()
    )


def _plain(manifest: dict[str, Any] | Any) -> dict[str, Any]:
    return {"name": manifest["metadata"]["name"], "namespace": manifest["metadata"]["namespace"]}


@pytest.mark.parametrize("loses", [make_again, make_all_again, lose_status])
@pytest.mark.parametrize("what", [*FROZEN, *TROUBLES])
def test_access_that_runs_goes_on_with_its_key(what: str, loses: Callable[[Mesh], None], monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = granted()
    driven = Driven(mesh).run(minutes=6)
    freeze(mesh, what, monkeypatch)
    driven.run(minutes=20)
    keys, reach = active(mesh, CONSUMER), places(mesh)
    assert keys and reach
    loses(mesh)
    Driven(mesh).run(hours=2)
    assert keys[0] in active(mesh, CONSUMER)
    assert places(mesh) == reach


@pytest.mark.parametrize(
    "error", [Transient(reasons.THROTTLED, "GetUser failed: Throttling"), Terminal(reasons.ACCESS_DENIED, "GetUser was denied")]
)
@pytest.mark.parametrize("what", ["suspended", "deprecated", "cordoned"])
def test_nothing_is_decided_while_the_user_of_one_that_lost_its_status_cannot_be_read(
    what: str, error: MeshError, monkeypatch: pytest.MonkeyPatch
) -> None:
    mesh = granted()
    driven = Driven(mesh).run(minutes=6)
    freeze(mesh, what, monkeypatch)
    driven.run(minutes=20)
    keys, reach = active(mesh, CONSUMER), places(mesh)
    with monkeypatch.context() as unanswered:
        unread(unanswered, error)
        lose_status(mesh)
        driven = Driven(mesh).run(minutes=40)
        assert mesh.condition("AccessRequest", REQUEST.name, REQUEST.namespace)["reason"] == "Pending"
    driven.run(minutes=20)
    assert (active(mesh, CONSUMER), places(mesh)) == (keys, reach)
    assert (mesh.cluster.raw(REQUEST) or {})["status"]["principal"]


def unread(monkeypatch: pytest.MonkeyPatch, error: MeshError, reads: int = 1000) -> None:
    """The next reads of the consumer's user get no answer."""
    real, left = MemoryIdentities.observe, [reads]

    def observe(self: MemoryIdentities, name: str) -> Seen[Principal]:
        left[0] -= CONSUMER in name
        return Unknown(error) if left[0] >= 0 and CONSUMER in name else real(self, name)

    monkeypatch.setattr(MemoryIdentities, "observe", observe)


THROTTLED = Transient(reasons.THROTTLED, "GetUser failed: Throttling")


def test_the_user_of_one_that_lost_its_status_is_not_swept_while_it_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = granted()
    Driven(mesh).run(minutes=6)
    keys = active(mesh, CONSUMER)
    lose_status(mesh)
    with monkeypatch.context() as throttled:
        unread(throttled, THROTTLED)
        driven = Driven(mesh).run(minutes=40)
        assert mesh.condition("AccessRequest", REQUEST.name, REQUEST.namespace)["reason"] == "Throttled"
    driven.run(minutes=20)
    assert active(mesh, CONSUMER) == keys


@pytest.mark.parametrize("loses", [lose_status, make_again])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("reads", [0, 2])
def test_a_port_drains_on_while_its_consumers_record_is_lost(
    loses: Callable[[Mesh], None], seed: int, reads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    mesh = granted()
    Driven(mesh.apply(a_product(outputPorts=[]))).run(minutes=20)
    keys = active(mesh, CONSUMER)
    assert keys
    unread(monkeypatch, THROTTLED, reads)
    loses(mesh)
    Driven(mesh, seed=seed).run(hours=1)
    assert (active(mesh, CONSUMER), [port["draining"] for port in mesh.product()["status"]["outputPorts"]]) == (keys, [True])


@pytest.mark.parametrize("loses", [lose_status, make_again])
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("reads", [0, 2])
def test_a_deletion_waits_for_a_consumer_whose_record_is_lost(
    loses: Callable[[Mesh], None], seed: int, reads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    mesh = granted().apply(a_product(outputPorts=[a_port()], storage={"deletionPolicy": "Delete", "forceDestroy": True}))
    driven, bucket = Driven(mesh).run(minutes=6), mesh.bucket_of()
    mesh.stores.at(ENDPOINT).put_object(bucket, count=3)
    mesh.delete("DataProduct", "orders", "sales")
    driven.run(minutes=10)
    keys = active(mesh, CONSUMER)
    assert keys
    unread(monkeypatch, THROTTLED, reads)
    loses(mesh)
    Driven(mesh, seed=seed).run(hours=1)
    assert bucket in mesh.stores.at(ENDPOINT).buckets and active(mesh, CONSUMER) == keys


@pytest.mark.parametrize("what", ["suspended", "cordoned", "unreadable domain", "no marks", "not allowed"])
@pytest.mark.parametrize("end", ["no grant", "a refusal"])
def test_access_without_an_approval_ends_all_the_same(what: str, end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = granted()
    driven = Driven(mesh).run(minutes=6)
    freeze(mesh, what, monkeypatch)
    driven.run(minutes=20)
    make_again(mesh)
    if end == "no grant":
        mesh.cluster.user_finalize(GRANT)
        mesh.cluster.user_delete(GRANT)
    else:
        mesh.apply(a_grant("no", decision="Deny", validUntil=None))
    Driven(mesh).run(hours=2)
    assert not active(mesh, CONSUMER)


def test_a_port_that_was_widened_meanwhile_is_not_given_with_the_record() -> None:
    mesh = granted()
    driven = Driven(mesh.apply(a_product(outputPorts=[a_port(path="daily/eu/")]))).run(minutes=6)
    mesh.apply(a_product(outputPorts=[a_port(path="daily/eu/")], suspend=True))
    driven.run(minutes=6)
    make_again(mesh)
    mesh.apply(a_product(outputPorts=[a_port()], suspend=True))
    Driven(mesh).run(hours=1)
    assert places(mesh)
    assert all("daily/eu/" in place for place in places(mesh))


def test_a_path_that_is_no_longer_the_port_s_is_not_found_again() -> None:
    """A request that is made again under its name may be for another port."""
    mesh = granted()
    Driven(mesh.apply(a_product(outputPorts=[a_port()], suspend=True))).run(minutes=6)
    make_again(mesh)
    mesh.apply(a_product(outputPorts=[a_port(path="weekly/")], suspend=True))
    Driven(mesh).run(hours=1)
    assert not active(mesh, CONSUMER)


FORGED: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Secret",
    "type": "Opaque",
    "metadata": {
        "name": SECRET.name,
        "namespace": SECRET.namespace,
        "finalizers": ["inventory/hold"],
        "annotations": {marks.OWNER_ANNOTATION: "AccessRequest/inventory/orders-for-forecast/x", marks.KEY_ID_ANNOTATION: "KEY99"},
    },
    "data": {"a": "Yg=="},
}


@pytest.mark.parametrize("issued", ["", "2026-01-01T01:00:00Z", "9999-12-31T23:59:59Z"], ids=["never", "of now", "of a later time"])
@pytest.mark.parametrize("what", ["deprecated", "deprecated port", "suspended", "observed", "cordoned"])
def test_no_first_key_comes_of_a_secret_that_says_there_was_one(what: str, issued: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever edits Secrets in the consumer's namespace writes such a one."""
    mesh = asked(Mesh())
    driven = Driven(mesh).run(minutes=1)
    mesh.cluster.user_apply(deepcopy(FORGED))
    mesh.cluster.user_delete(SECRET)
    mesh.apply(a_grant())
    driven.run(minutes=5)
    freeze(mesh, what, monkeypatch)
    driven.run(hours=1)
    assert not active(mesh, CONSUMER)
    mesh.cluster.user_finalize(SECRET)
    again = deepcopy(FORGED)
    del again["metadata"]["finalizers"]
    again["metadata"]["annotations"][marks.ISSUED_ANNOTATION] = issued
    mesh.cluster.user_apply(again)
    driven.run(hours=1)
    assert not active(mesh, CONSUMER)
    assert mesh.condition("AccessRequest", REQUEST.name, REQUEST.namespace)["status"] != "True"


@pytest.mark.parametrize("what", ["grant", "product", "domain"])
def test_a_store_that_is_given_up_goes_whatever_cannot_be_read(what: str) -> None:
    mesh = granted()
    driven = Driven(mesh).run(minutes=5)
    unreadable = {
        "grant": a_grant(note=LONG),
        "product": a_product(outputPorts=[a_port()], displayName=LONG),
        "domain": a_domain("sales", displayName=LONG),
    }
    mesh.apply(unreadable[what])
    driven.run(minutes=15)
    store = mesh.cluster.raw(Key("ObjectStore", "", "main")) or {}
    mesh.cluster.user_apply({**store, "metadata": {**store["metadata"], "annotations": {marks.ORPHAN_ANNOTATION: "main"}}})
    mesh.delete("ObjectStore", "main")
    driven.run(hours=1)
    assert not mesh.exists("ObjectStore", "main")
    assert active(mesh, CONSUMER), "what is left in a store that is given up is the platform team's"
