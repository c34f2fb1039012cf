"""Every way in which access ends: the next read with the old key is refused, status says why, and nothing is left. On RGW."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from tests.e2e.access import BODY, Access, a_deal, condition_of
from tests.e2e.actors import Actors
from tests.support.manifests import a_domain, a_grant, a_product, annotated

SOURCE, CONSUMER = "wells", {"dataProductRef": {"name": "drinker"}}
LASTS = 25
"""Seconds of a grant that ends by time: it has to be given before, however busy the machine is."""


@pytest.fixture(scope="module")
def ready(mesh: Actors) -> Iterator[Actors]:
    """A product that is read by many, and the product that they read it for."""
    sources(mesh, f"sales/{SOURCE}", "inventory/drinker")
    yield mesh


def sources(mesh: Actors, *products: str) -> None:
    """Products, and an object in the port of each."""
    places = [name.split("/") for name in products]
    mesh.installed.apply(*(a_product(name, namespace) for namespace, name in places))
    for namespace, name in places:
        mesh.installed.wait("dataproduct", name, namespace)
        mesh.s3.put_object(Bucket=mesh.bucket(name, namespace), Key="daily/seed", Body=BODY)


def give(mesh: Actors, name: str, product: str = f"sales/{SOURCE}", **terms: Any) -> Access:
    """Access by a grant of its own, which stands."""
    return Access.given(mesh, a_deal(name, product, **{"consumer": CONSUMER, **terms}))


def own(mesh: Actors, name: str, **terms: Any) -> Access:
    """Access to a product of its own, which the test may spoil."""
    sources(mesh, f"sales/{name}")
    return give(mesh, name, f"sales/{name}", **terms)


def change(mesh: Actors, access: Access, **spec: Any) -> None:
    """The owner edits the grant."""
    mesh.installed.apply({**access.deal.grant, "spec": {**access.deal.grant["spec"], **spec}})


def in_seconds(seconds: float) -> str:
    return f"{datetime.now(UTC) + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


def delete(mesh: Actors, kind: str, name: str, namespace: str) -> None:
    mesh.installed.cluster.kubectl("delete", kind, name, "-n", namespace, "--wait=false")


# By the owner.


def test_the_grant_is_deleted(ready: Actors) -> None:
    access = give(ready, "ungranted")
    delete(ready, "agrant", "for-ungranted", "sales")
    access.ends()
    access.says("Revoked")
    assert access.condition("Provisioned")["status"] == "False"
    ready.installed.until(lambda: not ready.installed.get("agrant", "for-ungranted", "sales"), what="the end of the grant")


def test_the_grant_becomes_a_refusal(ready: Actors) -> None:
    access = give(ready, "refused")
    change(ready, access, decision="Deny")
    access.ends()
    access.says("Denied", type_="Denied")
    ready.installed.until(lambda: reason(ready, "agrant", "for-refused") == "Denied", what="the grant's word")


def test_a_whole_namespace_is_refused(ready: Actors) -> None:
    access = own(ready, "choosy")
    denial = a_grant("no-inventory", dataProductRef={"name": "choosy"}, decision="Deny", consumerNamespace="inventory",
                     outputPort=None, requestRef=None, consumer=None, mode=None, validUntil=None)  # fmt: skip
    ready.installed.apply(denial)
    access.ends()
    access.says("Denied")


def test_the_end_is_moved_into_the_past(ready: Actors) -> None:
    access = give(ready, "shortened")
    change(ready, access, validUntil=in_seconds(-60))
    access.ends()
    access.says("Expired", type_="Expired")
    ready.installed.until(lambda: reason(ready, "agrant", "for-shortened") == "Expired", what="the grant's word")


def test_the_time_is_over(ready: Actors) -> None:
    access = give(ready, "brief", validUntil=in_seconds(LASTS))
    access.ends(seconds=LASTS + 10)
    access.says("Expired", type_="Expired")
    assert datetime.now(UTC) >= datetime.fromisoformat(access.deal.grant["spec"]["validUntil"])


def test_the_product_is_retired(ready: Actors) -> None:
    access = own(ready, "retiring")
    ready.installed.apply(a_product("retiring", lifecycle="retired"))
    access.ends()
    access.says("NotOffered")
    assert ready.bucket_exists(access.secret["bucket"])


def test_the_product_is_deleted_by_force(ready: Actors) -> None:
    access = own(ready, "forced")
    delete(ready, "dataproduct", "forced", "sales")
    ready.ends("forced", reason="InUse", type_="DeletionBlocked")
    assert access.reads()
    ready.installed.apply(annotated(a_product("forced"), force_delete="forced"))
    access.ends()
    access.says("ProductNotFound")
    assert ready.bucket_exists(access.secret["bucket"])


def test_a_port_that_leaves_is_served_to_those_who_use_it_and_to_nobody_else(ready: Actors) -> None:
    access = own(ready, "leaving")
    ready.installed.apply(a_product("leaving", outputPorts=[{"name": "weekly", "version": "1.0.0", "path": "weekly/"}]))
    ready.installed.until(lambda: drains(ready, "leaving"), what="the port drains")
    late = a_deal("too-late", "sales/leaving", consumer=CONSUMER)
    ready.installed.apply(late.request, late.grant)
    ready.installed.until(lambda: reason(ready, "areq", "too-late", "inventory") == "NoNewGrants", what="the refusal")
    assert access.reads()
    assert not ready.installed.get("secret", "too-late", "inventory")
    delete(ready, "agrant", "for-leaving", "sales")
    access.ends()
    access.says("PortNotFound")
    ready.installed.until(lambda: not drains(ready, "leaving"), what="the port is gone")


def drains(mesh: Actors, name: str) -> bool:
    return any(port.get("draining") for port in mesh.product(name)["status"]["outputPorts"])


def reason(mesh: Actors, kind: str, name: str, namespace: str = "sales") -> object:
    return condition_of(mesh.installed.get(kind, name, namespace)).get("reason")


# By the consumer.


def test_the_request_is_deleted(ready: Actors) -> None:
    access = give(ready, "withdrawn")
    delete(ready, "areq", "withdrawn", "inventory")
    access.ends()
    ready.installed.until(lambda: not access.request(), what="the end of the request")
    ready.installed.until(lambda: reason(ready, "agrant", "for-withdrawn") == "RequestNotFound", what="the grant's word")


def test_the_consumer_is_deleted(ready: Actors) -> None:
    ready.make("leaver", "inventory")
    access = give(ready, "of-leaver", consumer={"dataProductRef": {"name": "leaver"}})
    delete(ready, "dataproduct", "leaver", "inventory")
    access.ends()
    access.says("ConsumerNotFound")


def test_the_service_account_is_deleted(ready: Actors) -> None:
    ready.installed.cluster.kubectl("create", "serviceaccount", "robot", "-n", "inventory")
    access = give(ready, "of-robot", consumer={"serviceAccountRef": {"name": "robot"}})
    delete(ready, "serviceaccount", "robot", "inventory")
    access.ends()
    access.says("ConsumerNotFound")


# With a namespace.


def test_namespaces_are_deleted_whole(ready: Actors) -> None:
    """The consumer's and, beside it, the producer's, whose product's deletionPolicy is Retain."""
    places = ("consumers", "producers")
    ready.installed.apply(*(a_domain(place) for place in places))
    for place in places:
        ready.installed.wait("domain", place)
    sources(ready, *(f"{place}/inside" for place in places))
    from_there = give(ready, "from-there", namespace="consumers", consumer={"dataProductRef": {"name": "inside"}})
    of_there = give(ready, "of-there", "producers/inside")
    before = [uid_of(ready, place) for place in places]
    ready.installed.cluster.kubectl("delete", "namespace", *places, "--wait=false")
    for access in (from_there, of_there):
        access.ends(seconds=30)
    for place, uid in zip(places, before, strict=True):
        ready.installed.until(partial(is_gone, ready, place, uid), seconds=120, what=f"the end of {place}")
    of_there.says("ProductNotFound")
    assert all(ready.bucket_exists(access.secret["bucket"]) for access in (from_there, of_there))


def is_gone(mesh: Actors, namespace: str, uid: str) -> bool:
    return uid_of(mesh, namespace) != uid


def uid_of(mesh: Actors, namespace: str) -> str:
    """Empty where it is gone; a domain makes its namespace again."""
    return str(mesh.installed.get("namespace", namespace).get("metadata", {}).get("uid", ""))


# What is no end.


@pytest.mark.parametrize("spec", [{"lifecycle": "deprecated"}, {"suspend": True}], ids=lambda spec: next(iter(spec)))
def test_it_goes_on_where_only_new_grants_are_refused(ready: Actors, spec: dict[str, Any]) -> None:
    name = f"frozen-{next(iter(spec))}"
    access = own(ready, name)
    ready.installed.apply(a_product(name, **spec))
    ready.installed.until(lambda: ready.is_noticed("dataproduct", name, "sales"), what=f"the change of {name} is seen")
    goes_on(ready, access, name)


def test_it_goes_on_in_a_domain_that_is_cordoned(ready: Actors) -> None:
    ready.installed.apply(a_domain("cordons"))
    ready.installed.wait("domain", "cordons")
    sources(ready, "cordons/frozen")
    access = give(ready, "frozen-domain", "cordons/frozen")
    ready.installed.apply(a_domain("cordons", cordoned=True))
    ready.installed.until(lambda: ready.is_noticed("domain", "cordons"), what="the cordon is seen")
    goes_on(ready, access, "frozen", "cordons")


def goes_on(mesh: Actors, access: Access, name: str, namespace: str = "sales") -> None:
    """A later request is refused by its status, and meanwhile the key goes on; a deletion of the grant ends it all the same."""
    late = a_deal(f"late-{name}", f"{namespace}/{name}", consumer=CONSUMER)
    mesh.installed.apply(late.request, late.grant)
    mesh.installed.until(lambda: reason(mesh, "areq", late.name, "inventory") == "NoNewGrants", what=f"{late.name} is refused")
    assert access.reads()
    assert access.condition()["status"] == "True"
    delete(mesh, "agrant", f"for-{access.deal.name}", namespace)
    access.ends()


def test_a_renewal_keeps_principal_secret_and_key(ready: Actors) -> None:
    access = give(ready, "renewed", validUntil=in_seconds(LASTS))
    renewal = {"reason": "it goes on", "requestedAt": in_seconds(0)}
    ready.installed.apply({**access.deal.request, "spec": {**access.deal.request["spec"], "renewal": renewal}})
    longer = {**access.deal.grant, "metadata": {"name": "for-renewed-again", "namespace": "sales"}}
    longer["spec"] = {**longer["spec"], "validUntil": "2099-01-01T00:00:00Z"}
    ready.installed.apply(longer)
    ready.installed.until(lambda: access.request()["status"]["grantRef"]["name"] == "for-renewed-again", what="the longer grant")
    over = datetime.fromisoformat(access.deal.grant["spec"]["validUntil"]) + timedelta(seconds=1)
    ready.installed.until(lambda: datetime.now(UTC) > over, what="the first grant's end")
    assert access.reads()
    again = Access.of(ready, access.deal)
    assert (again.principal, again.secret) == (access.principal, access.secret)
    assert access.condition()["status"] == "True"
