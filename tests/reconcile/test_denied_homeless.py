"""A namespace that has no Domain for a while: what its policies refused stays refused, and what is edited meanwhile is not judged."""

from typing import Any, Final

import pytest

from clouddatamesh.model.objects import Key
from tests.reconcile.access_flows import a_port, asked
from tests.reconcile.test_access import users
from tests.reconcile.test_denied_edits import EXPIRING
from tests.support.manifests import a_domain, a_grant, a_policy, a_product, a_request, a_rule, a_store
from tests.support.mesh import Mesh

LASTING: Final = "!has(object.spec.storage.lifecycleRules) || object.spec.storage.lifecycleRules.all(one, one.expireAfter != '1d')"
SHORT: Final = "object.spec.validUntil == '' || timestamp(object.spec.validUntil) < timestamp('2026-06-01T00:00:00Z')"
NAMESPACE: Final = Key("Namespace", "", "sales")


def deny(kind: str, rule: str) -> dict[str, Any]:
    return a_policy("no", enforcement="Deny", targets={"kinds": [kind]}, rules=[a_rule("held", rule)])


def sales(*namespaces: str) -> dict[str, Any]:
    return a_domain("sales", namespaces=[{"name": name} for name in namespaces])


def offered(*policies: dict[str, Any]) -> Mesh:
    """A product in the second namespace of its Domain."""
    mesh = Mesh().apply(a_store(), sales("sales", "sales-dev"), *policies).settle()
    return mesh.apply(a_product(namespace="sales-dev", outputPorts=[a_port()])).settle()


def rules(mesh: Mesh) -> Any:
    storage = mesh.product("orders", "sales-dev")["status"]["storage"]
    found = mesh.stores.at("https://s3.test").buckets[storage["bucket"]].bucket
    return found.lifecycle, found.versioning


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_no_data_expires_by_an_edit_that_is_refused_or_was_not_judged(when: str) -> None:
    mesh = offered(deny("DataProduct", LASTING))
    before, edit = rules(mesh), a_product(namespace="sales-dev", storage=EXPIRING, outputPorts=[a_port()])
    for applied in (edit, sales("sales")) if when == "before" else (sales("sales"), edit):
        mesh.apply(applied).settle()
    mesh.clock.forward(minutes=30)
    mesh.settle()
    assert mesh.condition("DataProduct", "orders", "sales-dev")["status"] != "True"
    assert rules(mesh) == before
    mesh.apply(sales("sales", "sales-dev")).settle()
    assert mesh.condition("DataProduct", "orders", "sales-dev")["reason"] == "PolicyViolation"
    assert rules(mesh) == before


def test_no_bucket_is_deleted_by_an_edit_that_was_refused_before() -> None:
    kept = "domain.metadata.name == '' || !has(object.spec.storage.deletionPolicy) || object.spec.storage.deletionPolicy == 'Retain'"
    mesh = offered(deny("DataProduct", kept)).apply(a_store(deletionEnabled=True)).settle()
    bucket = mesh.product("orders", "sales-dev")["status"]["storage"]["bucket"]
    destroys = {"deletionPolicy": "Delete", "forceDestroy": True}
    for applied in (a_product(namespace="sales-dev", storage=destroys), sales("sales"), sales("sales", "sales-dev")):
        mesh.apply(applied).settle()
    assert mesh.condition("DataProduct", "orders", "sales-dev")["reason"] == "PolicyViolation"
    mesh.delete("DataProduct", "orders", "sales-dev").settle()
    mesh.clock.forward(minutes=30)
    mesh.settle()
    assert bucket in mesh.stores.at("https://s3.test").buckets


def test_access_is_not_prolonged_by_a_grant_that_is_refused() -> None:
    mesh = offered(deny("AccessGrant", SHORT)).apply(a_domain("inventory"), a_product("forecast", "inventory")).settle()
    request = a_request(dataProductRef={"namespace": "sales-dev", "name": "orders"})
    mesh.apply(request, a_grant(namespace="sales-dev", validUntil="2026-03-01T00:00:00Z")).settle()
    assert users(mesh)
    mesh.apply(a_grant(namespace="sales-dev", validUntil="2099-01-01T00:00:00Z")).settle()
    for domain in (sales("sales"), sales("sales", "sales-dev")):
        mesh.apply(domain).settle()
        mesh.clock.forward(minutes=30)
        mesh.settle()
        assert mesh.get("AccessRequest", "orders-for-forecast", "inventory")["status"]["validUntil"] == "2026-03-01T00:00:00Z"
    assert users(mesh), "nothing is taken before its end"
    mesh.clock.forward(days=90)
    assert not users(mesh.settle())


def test_where_nothing_is_refused_all_goes_on_as_without_policies() -> None:
    mesh = asked(Mesh()).apply(a_grant(), deny("DataProduct", "true"), deny("AccessGrant", "true")).settle()
    given = users(mesh)
    found = mesh.cluster.raw(NAMESPACE) or {}
    labels = {name: said for name, said in found["metadata"]["labels"].items() if name != "clouddatamesh.dev/domain"}
    mesh.cluster.user_apply({**found, "metadata": {**found["metadata"], "labels": labels}})
    for _ in range(2):
        mesh.settle()
        assert users(mesh) == given
        mesh.clock.forward(minutes=30)
    assert mesh.condition("DataProduct", "orders", "sales")["status"] == "True"
