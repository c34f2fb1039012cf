"""What is due when the operator starts after it was away: what must not stand goes first, and what nobody looked at does not wait."""

from typing import Any

import pytest

from clouddatamesh.model.objects import Key, key_of
from clouddatamesh.plan.marks import DOMAIN_LABEL, MANAGED_LABEL
from clouddatamesh.reconcile.dispatch import first_due, overdue, reconcile, urgent
from tests.reconcile.access_flows import a_port
from tests.reconcile.test_access import granted, two_domains
from tests.support.manifests import a_domain, a_grant, a_product, a_request
from tests.support.mesh import Mesh

REQUEST = Key("AccessRequest", "inventory", "orders-for-forecast")
WHOLE: dict[str, Any] = {"requestRef": None, "consumer": None, "mode": None, "validUntil": None, "consumerNamespace": "inventory"}
OTHER_PORT = {"name": "weekly", "version": "1.0.0"}
INTERVAL = 300.0


def due(mesh: Mesh) -> float:
    return first_due(mesh.get("AccessRequest", REQUEST.name, "inventory"), INTERVAL, mesh.clock.now(), mesh.cluster)


def test_what_is_ready_waits_for_its_turn() -> None:
    mesh = granted()
    assert overdue(mesh.cluster, mesh.clock) == ()
    assert due(mesh) > 0


@pytest.mark.parametrize(
    "answer",
    [
        a_grant(decision="Deny"),
        a_grant(validUntil="2025-12-31T00:00:00Z"),
        a_grant("against", decision="Deny"),
        a_grant("nobody", decision="Deny", **{**WHOLE, "outputPort": None}),
        a_grant("nobody", decision="Deny", **WHOLE),
    ],
    ids=["deny", "shortened", "another-deny", "whole-namespace", "whole-namespace-at-the-port"],
)
def test_what_an_owner_took_away_meanwhile_goes_first(answer: dict[str, object]) -> None:
    mesh = granted().apply(answer)
    assert overdue(mesh.cluster, mesh.clock) == (REQUEST,)
    assert urgent(REQUEST, mesh.cluster, mesh.clock)
    assert overdue(mesh.settle().cluster, mesh.clock) == ()


@pytest.mark.parametrize(
    "answer",
    [
        a_grant("against", decision="Deny", mode="ReadWrite"),
        a_grant("against", decision="Deny", consumer={"dataProductRef": {"name": "report"}}),
        a_grant("nobody", decision="Deny", **{**WHOLE, "outputPort": OTHER_PORT}),
        a_grant("nobody", decision="Deny", **{**WHOLE, "dataProductRef": {"name": "stock"}}),
    ],
    ids=["mode", "consumer", "port", "product"],
)
def test_a_refusal_of_something_else_is_none(answer: dict[str, object]) -> None:
    mesh = granted().apply(answer)
    assert overdue(mesh.cluster, mesh.clock) == ()


@pytest.mark.parametrize(("domain", "ends"), [("inventory", False), ("other", True)])
def test_access_ends_where_its_namespace_was_made_again_for_another_domain(domain: str, ends: bool) -> None:
    mesh = granted().apply(a_domain("other", namespaces=[{"name": "inventory"}]))
    place, owner = Key("Namespace", "", "inventory"), Key("Domain", "", domain)
    found = mesh.get("Namespace", "inventory")
    metadata = {**found["metadata"], "uid": "again", "labels": {**found["metadata"]["labels"], DOMAIN_LABEL: domain}}
    mesh.cluster._objects.put(place, {**found, "metadata": metadata})
    held = {"namespaces": [{"name": "inventory", "uid": "again", "adopted": False}]}
    mesh.cluster.write_status(owner, mesh.get("Domain", domain)["metadata"]["uid"], held)
    assert overdue(mesh.cluster, mesh.clock) == ((REQUEST,) if ends else ())


def test_what_its_product_offers_now_is_looked_at_without_waiting() -> None:
    port = {"name": "daily", "version": "1.0.0", "path": "daily/", "access": {"modes": ["WriteOnly"]}}
    mesh = granted().apply(a_product(outputPorts=[port]))
    assert due(mesh) == 0.0


def test_a_request_that_waits_is_looked_at_at_once() -> None:
    mesh = granted().apply(a_request("another", secretName="another"))
    assert first_due(mesh.get("AccessRequest", "another", "inventory"), INTERVAL, mesh.clock.now(), mesh.cluster) == 0.0


def grants(mesh: Mesh) -> list[Key]:
    return [key_of(grant) for grant in mesh.cluster.list("AccessGrant")]


def due_grants(mesh: Mesh) -> list[bool]:
    return [first_due(grant, INTERVAL, mesh.clock.now(), mesh.cluster) == 0.0 for grant in mesh.cluster.list("AccessGrant")]


@pytest.mark.parametrize(("approval", "answers"), [("Auto", []), ("Manual", [a_grant()])])
def test_a_grant_whose_request_ended_while_nobody_looked_is_looked_at_without_waiting(approval: str, answers: list[dict[str, Any]]) -> None:
    mesh = two_domains(approval=approval).apply(a_request(), *answers).settle()
    assert due_grants(mesh) == [False]
    mesh.delete(REQUEST.kind, REQUEST.name, REQUEST.namespace)
    reconcile(REQUEST, mesh.ports)
    assert not mesh.exists(REQUEST.kind, REQUEST.name, REQUEST.namespace) and due_grants(mesh) == [True]


@pytest.mark.parametrize("labels", [{}, {MANAGED_LABEL: "argocd"}], ids=["taken off", "overwritten"])
def test_an_approval_of_ours_is_nobodys_yes_whatever_labels_it_carries(labels: dict[str, str]) -> None:
    """The port was Auto, and its owners made it Manual."""
    mesh = two_domains(approval="Auto").apply(a_request()).settle()
    (grant,) = mesh.cluster.list("AccessGrant")
    mesh.apply({**grant, "metadata": {**grant["metadata"], "labels": labels}}, a_product(outputPorts=[a_port()])).settle()
    mesh.delete(REQUEST.kind, REQUEST.name, REQUEST.namespace).settle()
    assert not grants(mesh)
    mesh.apply(a_request()).settle()
    assert mesh.condition(REQUEST.kind, REQUEST.name, REQUEST.namespace)["reason"] == "AwaitingGrant"


def test_an_approval_of_ours_is_cleared_away_by_one_deletion() -> None:
    mesh = two_domains(approval="Auto").apply(a_request()).settle()
    (grant,) = grants(mesh)
    mesh.delete(REQUEST.kind, REQUEST.name, REQUEST.namespace)
    reconcile(REQUEST, mesh.ports)
    before = len(mesh.trap.seen)
    reconcile(grant, mesh.ports)
    assert not grants(mesh) and mesh.trap.seen[before:].count(f"delete {grant}") == 1


def test_a_request_that_went_without_its_finalizer_takes_its_principal_with_it() -> None:
    mesh = granted()
    mesh.cluster.user_finalize(REQUEST)
    mesh.cluster.user_delete(REQUEST)
    assert urgent(REQUEST, mesh.cluster, mesh.clock)
    reconcile(REQUEST, mesh.ports)
    assert not [name for name in mesh.stores.at("https://s3.test").users if "orders-for-forecast" in name]
