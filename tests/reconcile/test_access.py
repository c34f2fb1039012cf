"""Access asked for, granted, verified and taken away, on the fakes."""

from dataclasses import replace
from typing import Any

from clouddatamesh.model.objects import Key
from clouddatamesh.reconcile.dispatch import reconcile
from tests.reconcile.flows import ENDPOINT
from tests.support.manifests import a_domain, a_grant, a_product, a_request, a_store, annotated
from tests.support.mesh import Mesh

AGAIN = "checked again within 5m and when this object changes"
SECRET = Key("Secret", "inventory", "orders-access")


def two_domains(**port: object) -> Mesh:
    """sales offers orders, inventory has forecast and asks."""
    mesh = Mesh().apply(a_store(), a_domain("sales"), a_domain("inventory")).settle()
    daily = {"name": "daily", "version": "1.0.0", "path": "daily/", "access": port}
    return mesh.apply(a_product(outputPorts=[daily]), a_product("forecast", "inventory")).settle()


def granted(**port: object) -> Mesh:
    return two_domains(**port).apply(a_request(), a_grant()).settle()


def ready(mesh: Mesh, type_: str = "Ready") -> tuple[str, str]:
    found = mesh.condition("AccessRequest", "orders-for-forecast", "inventory", type_)
    return found.get("status", ""), found.get("reason", "")


def effect(mesh: Mesh, name: str = "inventory-forecast") -> tuple[str, str]:
    found = mesh.condition("AccessGrant", name, "sales", "InEffect")
    return found.get("status", ""), found.get("reason", "")


def users(mesh: Mesh) -> list[str]:
    """Principals of requests: those of producers have the product's name alone."""
    return [name for name in mesh.stores.at(ENDPOINT).users if "orders-for-forecast" in name]


def test_a_request_waits_for_its_grant_and_costs_the_store_nothing() -> None:
    mesh = two_domains().apply(a_request()).settle()
    assert ready(mesh) == ("Unknown", "AwaitingGrant")
    assert users(mesh) == []
    assert mesh.product()["status"]["pendingRequestCount"] == 1
    (asked,) = mesh.get("AccessInbox", "orders", "sales")["status"]["pending"]
    assert asked["purpose"] == "weekly stock forecast"
    assert ready(mesh.apply(a_grant(**asked["grant"]["spec"])).settle()) == ("True", "Granted")


def test_a_granted_request_gets_one_principal_for_exactly_its_path() -> None:
    mesh = granted()
    assert ready(mesh) == ("True", "Granted")
    assert effect(mesh) == ("True", "Granted")
    data = mesh.cluster.secret_data(SECRET)
    assert data["prefix"] == "daily/"
    user = mesh.stores.at(ENDPOINT).users[users(mesh)[0]]
    assert [key.id for key in user.keys] == [data["access-key-id"]]
    assert mesh.product()["status"]["outputPorts"][0]["consumers"] == 1
    assert mesh.product()["status"]["pendingRequestCount"] == 0


def test_deleting_the_grant_takes_everything_away_and_then_lets_it_go() -> None:
    mesh = granted().delete("AccessGrant", "inventory-forecast", "sales").settle()
    assert users(mesh) == []
    assert mesh.cluster.raw(SECRET) is None
    assert ready(mesh) == ("False", "Revoked")
    assert ready(mesh, "Provisioned") == ("False", "Revoked")
    assert mesh.product()["status"]["pendingRequestCount"] == 0
    told = mesh.condition("AccessRequest", "orders-for-forecast", "inventory")["message"]
    assert told == "Access was taken away, as its grant is gone. To ask the owners again, set spec.renewal; " + AGAIN
    assert not mesh.exists("AccessGrant", "inventory-forecast", "sales")


def test_a_request_that_was_revoked_asks_again_by_a_renewal() -> None:
    mesh = granted().delete("AccessGrant", "inventory-forecast", "sales").settle()
    mesh.clock.forward(days=1)
    mesh.apply(a_request(renewal={"requestedAt": "2026-01-02T00:00:00Z"})).settle()
    assert mesh.product()["status"]["pendingRequestCount"] == 1
    assert "they see the request in AccessInbox orders" in mesh.condition("AccessRequest", "orders-for-forecast", "inventory")["message"]
    assert ready(mesh.apply(a_grant("again")).settle()) == ("True", "Granted")


def test_a_renewal_shows_on_the_request_until_it_is_answered() -> None:
    mesh = granted()
    assert ready(mesh, "RenewalPending") == ("", "")
    mesh.clock.forward(days=1)
    mesh.apply(a_request(renewal={"requestedAt": "2026-01-02T00:00:00Z"})).settle()
    assert (ready(mesh), ready(mesh, "RenewalPending")) == (("True", "Granted"), ("True", "AwaitingGrant"))
    told = mesh.condition("AccessRequest", "orders-for-forecast", "inventory", "RenewalPending")["message"]
    assert told == "Renewal was requested at 2026-01-02T00:00:00Z; the owners of DataProduct sales/orders see it in AccessInbox orders"
    assert ready(mesh.apply(a_grant("again")).settle(), "RenewalPending") == ("", "")


def test_access_ends_by_time() -> None:
    mesh = two_domains().apply(a_request(), a_grant(validUntil="2026-01-03T00:00:00Z")).settle()
    mesh.clock.forward(days=1)
    assert ready(mesh.settle(), "Expiring") == ("True", "Expiring")
    mesh.clock.forward(days=1)
    assert ready(mesh.settle()) == ("False", "Expired")
    assert effect(mesh) == ("False", "Expired")
    assert users(mesh) == []


def test_an_auto_port_answers_by_itself() -> None:
    mesh = two_domains(approval="Auto", maxDuration="10d").apply(a_request()).settle()
    assert ready(mesh) == ("True", "Granted")
    (grant,) = mesh.cluster.list("AccessGrant")
    assert grant["spec"]["validUntil"] == "2026-01-11T00:00:00Z"
    mesh.delete("AccessRequest", "orders-for-forecast", "inventory").settle()
    assert mesh.cluster.list("AccessGrant") == ()
    assert users(mesh) == []


def test_a_rotation_leaves_a_working_key_at_every_moment() -> None:
    mesh = granted()
    before = mesh.cluster.secret_data(SECRET)["access-key-id"]
    mesh.apply(annotated(a_request(), rotate="1")).settle()
    after = mesh.cluster.secret_data(SECRET)["access-key-id"]
    assert after != before
    keys = {key.id for key in mesh.stores.at(ENDPOINT).users[users(mesh)[0]].keys}
    assert keys == {before, after}
    mesh.clock.forward(hours=2)
    mesh.settle()
    assert {key.id for key in mesh.stores.at(ENDPOINT).users[users(mesh)[0]].keys} == {after}
    assert "rotation" not in mesh.get("AccessRequest", "orders-for-forecast", "inventory")["status"]


def test_a_deny_wins() -> None:
    mesh = granted().apply(a_grant("no", decision="Deny", validUntil=None)).settle()
    assert ready(mesh) == ("False", "Denied")
    assert users(mesh) == []


def test_a_product_with_consumers_waits_and_counts_them() -> None:
    mesh = granted().delete("DataProduct", "orders", "sales").settle()
    blocked = mesh.condition("DataProduct", "orders", "sales", "DeletionBlocked")
    assert "1 requests still have access, which AccessInbox orders lists" in blocked["message"]
    assert "forecast" not in blocked["message"]
    assert ready(mesh) == ("True", "Granted")


def vanish(mesh: Mesh) -> None:
    """The request goes without its finalizer."""
    key = Key("AccessRequest", "inventory", "orders-for-forecast")
    mesh.cluster.user_finalize(key)
    mesh.cluster.user_delete(key)


def test_what_a_request_that_vanished_left_is_taken_at_once() -> None:
    mesh = granted()
    vanish(mesh)
    assert users(mesh.settle()) == []


def test_a_request_that_vanished_while_nobody_looked_leaves_a_principal_that_is_swept() -> None:
    mesh = granted()
    vanish(mesh)
    mesh.cluster.restart()
    mesh.settle()
    (orphan,) = users(mesh)
    store = mesh.stores.at(ENDPOINT)
    assert [found["name"] for found in mesh.get("ObjectStore", "main")["status"]["orphans"]] == [orphan]
    assert store.users[orphan].keys[0].active
    mesh.clock.forward(minutes=5)
    mesh.settle()
    assert [held.active for held in store.users[orphan].keys] == [False]
    mesh.clock.forward(minutes=1)
    mesh.settle()
    assert users(mesh) == []
    assert "orphans" not in mesh.get("ObjectStore", "main")["status"]


def test_a_request_that_lost_its_status_and_its_grant_leaves_a_principal_that_is_swept() -> None:
    mesh = granted()
    request = mesh.get("AccessRequest", "orders-for-forecast", "inventory")
    mesh.cluster.write_status(Key("AccessRequest", "inventory", "orders-for-forecast"), request["metadata"]["uid"], {})
    mesh.delete("AccessGrant", "inventory-forecast", "sales").settle()
    assert ready(mesh) == ("Unknown", "AwaitingGrant")
    for minutes in (5, 1):
        mesh.clock.forward(minutes=minutes)
        mesh.settle()
    assert users(mesh) == []
    mesh.apply(a_grant()).settle()
    assert ready(mesh) == ("True", "Granted")


def test_many_orphans_at_once_are_left_alone_and_told() -> None:
    mesh = granted()
    store = mesh.stores.at(ENDPOINT)
    plain = store.users[users(mesh)[0]]
    for number in range(21):
        store.users[f"stray-{number}"] = replace(plain, name=f"stray-{number}")
    mesh.settle()
    mesh.clock.forward(hours=1)
    mesh.settle()
    assert mesh.condition("ObjectStore", "main", type_="PrincipalsOrphaned")["status"] == "True"
    assert sum(name.startswith("stray") and user.keys[0].active for name, user in store.users.items()) == 21


def reads(name: str, product: str, namespace: str) -> dict[str, object]:
    """An input port that reads the port daily of another product."""
    source = {"namespace": namespace, "dataProduct": product, "outputPort": {"name": "daily", "version": "1.0.0"}}
    return {"name": name, "from": source}


def test_an_input_port_is_satisfied_by_a_request_in_effect_and_says_how_to_ask() -> None:
    mesh = two_domains().apply(a_product("forecast", "inventory", inputPorts=[reads("orders", "orders", "sales")])).settle()
    missing = mesh.condition("DataProduct", "forecast", "inventory", "InputsReady")
    assert (missing["status"], missing["reason"]) == ("False", "InputsMissing")
    assert "apply an AccessRequest for outputPort daily 1.0.0 with consumer.dataProductRef.name: forecast" in missing["message"]
    mesh.apply(a_request(), a_grant()).settle()
    assert mesh.condition("DataProduct", "forecast", "inventory", "InputsReady")["status"] == "True"
    mesh.delete("AccessGrant", "inventory-forecast", "sales").settle()
    left = mesh.condition("DataProduct", "forecast", "inventory", "InputsReady")
    assert "the AccessRequest for it is not in effect" in left["message"]


def test_lineage_follows_access_and_tells_a_cycle() -> None:
    mesh = granted()
    assert mesh.get("AccessInbox", "orders", "sales")["status"]["lineage"] == {
        "downstream": [{"namespace": "inventory", "name": "forecast", "distance": 1}]
    }
    assert mesh.get("AccessInbox", "forecast", "inventory")["status"]["lineage"]["upstream"][0]["name"] == "orders"
    mesh.apply(
        a_request(
            "forecast-for-orders", "sales", dataProductRef={"namespace": "inventory", "name": "forecast"},
            consumer={"dataProductRef": {"name": "orders"}}, secretName="forecast-access",
        ),
        a_grant(
            "sales-orders", "inventory", dataProductRef={"name": "forecast"}, consumer={"dataProductRef": {"name": "orders"}},
            requestRef={"namespace": "sales", "name": "forecast-for-orders"},
        ),
    ).settle()  # fmt: skip
    assert mesh.get("AccessInbox", "orders", "sales")["status"]["lineage"]["cyclic"] is True


def test_a_port_that_left_the_spec_is_served_until_its_consumers_end_and_nobody_else_gets_it() -> None:
    mesh = granted().apply(a_product(outputPorts=[])).settle()
    (port,) = mesh.product()["status"]["outputPorts"]
    assert (port["draining"], port["consumers"]) == (True, 1)
    assert ready(mesh) == ("True", "Granted")
    second: dict[str, Any] = {"name": "other-request", "consumer": {"dataProductRef": {"name": "forecast"}}, "secretName": "other-access"}
    mesh.apply(a_request(**second)).apply(a_grant("other", requestRef={"namespace": "inventory", "name": "other-request"})).settle()
    assert mesh.condition("AccessRequest", "other-request", "inventory")["reason"] == "NoNewGrants"
    mesh.delete("AccessGrant", "inventory-forecast", "sales").settle()
    assert mesh.product()["status"]["outputPorts"] == []
    assert users(mesh) == []


def test_a_port_that_drains_is_ended_by_force() -> None:
    mesh = granted().apply(annotated(a_product(outputPorts=[]), force_delete="daily/1.0.0")).settle()
    assert users(mesh) == []
    assert ready(mesh)[1] == "PortNotFound"


def test_a_domain_waits_for_requests_and_counts_them() -> None:
    mesh = granted().delete("DataProduct", "forecast", "inventory").delete("Domain", "inventory").settle()
    blocked = mesh.condition("Domain", "inventory", type_="DeletionBlocked")
    assert "1 AccessRequest in namespace inventory" in blocked["message"]
    mesh.delete("AccessRequest", "orders-for-forecast", "inventory").settle()
    assert not mesh.exists("Domain", "inventory")


def test_a_service_account_is_a_consumer_until_it_is_deleted() -> None:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "loader", "namespace": "inventory"}}
    consumer = {"serviceAccountRef": {"name": "loader"}}
    mesh = two_domains().apply(account, a_request(consumer=consumer), a_grant(consumer=consumer)).settle()
    assert ready(mesh) == ("True", "Granted")
    mesh.delete("ServiceAccount", "loader", "inventory").settle()
    assert ready(mesh) == ("Unknown", "ConsumerNotFound")
    assert users(mesh) == []


def test_repaired_drift_shows_until_the_next_look() -> None:
    mesh = granted()
    store = mesh.stores.at(ENDPOINT)
    name = users(mesh)[0]
    store.users[name] = replace(store.users[name], other_policies=("more",))
    key = Key("AccessRequest", "inventory", "orders-for-forecast")
    reconcile(key, mesh.ports)
    assert store.users[name].other_policies == ()
    assert mesh.condition("AccessRequest", "orders-for-forecast", "inventory", "DriftDetected")["reason"] == "Repaired"
    assert any(event.reason == "Repaired" for where, event in mesh.cluster.events if where == key)
    mesh.settle()
    assert mesh.condition("AccessRequest", "orders-for-forecast", "inventory", "DriftDetected")["status"] == "False"
