"""Who may find a product sees nothing of who asks for it and who uses it; its own team does. On the real API server and RGW."""

import json
from typing import Any

import pytest

from tests.e2e.actors import Actors
from tests.support.manifests import a_grant, a_product, a_request

PURPOSE, CONSUMER, PENDING = "a purpose that is nobody else's concern", "secretive", "curious"
REF = {"namespace": "sales", "name": "seen"}


@pytest.fixture(scope="module")
def asked(mesh: Actors) -> Actors:
    """Product `seen` of sales has one consumer in inventory, and one who waits."""
    mesh.make("seen")
    mesh.installed.apply(a_product(CONSUMER, "inventory", outputPorts=[]))
    for name in (CONSUMER, PENDING):
        consumer = {"dataProductRef": {"name": CONSUMER}}
        mesh.installed.apply(a_request(name, dataProductRef=REF, consumer=consumer, purpose=PURPOSE, secretName=f"{name}-access"))
    answers: dict[str, Any] = {"dataProductRef": {"name": "seen"}, "requestRef": {"namespace": "inventory", "name": CONSUMER}}
    mesh.installed.apply(a_grant("to-secretive", consumer={"dataProductRef": {"name": CONSUMER}}, **answers))
    mesh.installed.wait("accessrequest", CONSUMER, "inventory")
    mesh.installed.until(lambda: inbox(mesh).get("pendingCount") == inbox(mesh).get("consumerCount") == 1, what="the inbox")
    return mesh


def inbox(mesh: Actors) -> dict[str, Any]:
    return dict(mesh.installed.get("accessinbox", "seen", "sales").get("status") or {})


def counts(mesh: Actors) -> tuple[int, int]:
    """Of those who use the product, and of those who wait; the product's status is written a moment after its inbox."""
    status = mesh.product("seen")["status"]
    return status["outputPorts"][0]["consumers"], status["pendingRequestCount"]


def test_the_product_and_its_domain_tell_counts_alone(asked: Actors) -> None:
    """What ClusterRole clouddatamesh-discover shows: products, but for the consumer's own, and domains."""
    asked.installed.until(lambda: counts(asked) == (1, 1), what="the counts")
    told = json.dumps([asked.product("seen"), *(asked.installed.get("domain", name) for name in ("sales", "inventory"))])
    key = asked.installed.secret(f"{CONSUMER}-access", "inventory")["access-key-id"]
    own = asked.installed.secret("seen-producer", "sales")["access-key-id"]
    assert [word for word in (PURPOSE, CONSUMER, PENDING, key, own, "lineage") if word in told] == []


def test_its_own_team_sees_both_and_the_answer_that_says_yes(asked: Actors) -> None:
    asked.installed.until(lambda: inbox(asked).get("lineage", {}).get("downstream"), what="the lineage")
    (pending,), (used,) = inbox(asked)["pending"], inbox(asked)["consumers"]
    assert (pending["name"], pending["purpose"]) == (PENDING, PURPOSE)
    assert (used["name"], used["grant"]) == (CONSUMER, "to-secretive")
    assert [node["name"] for node in inbox(asked)["lineage"]["downstream"]] == [CONSUMER]
    grant = {**pending["grant"], "spec": {**pending["grant"]["spec"], "validUntil": "2099-01-01T00:00:00Z"}}
    asked.installed.apply(grant)
    asked.installed.wait("accessrequest", PENDING, "inventory")


def test_an_inbox_that_is_deleted_is_back(asked: Actors) -> None:
    asked.installed.cluster.kubectl("delete", "accessinbox", "seen", "-n", "sales")
    asked.installed.until(lambda: inbox(asked).get("consumerCount"), what="the inbox")
