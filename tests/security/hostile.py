"""Hostile acts against access, on the fakes and so without any admission policy: what is done to a settled world, and what stops it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from clouddatamesh.model.identity import AccessKey
from clouddatamesh.model.objects import Key
from tests.reconcile.access_flows import REQUEST, SECRET, a_port, asked, drift, granted, principal
from tests.reconcile.flows import ENDPOINT
from tests.support.manifests import a_domain, a_grant, a_product, a_request, annotated
from tests.support.mesh import Mesh

Act = Callable[[Mesh], object]
GRANT = Key("AccessGrant", "sales", "inventory-forecast")
OTHER: dict[str, Any] = {"dataProductRef": {"name": "other"}}
NO: dict[str, Any] = {"decision": "Deny", "validUntil": None}
REPAIR, FRESH = "what is effective, read and repaired", "a fresh key, and the end of the old one within the hour"
WATCH = "the watch, and the record in the request's status"
WHOLE_NAMESPACE: dict[str, Any] = {**NO, "consumerNamespace": "inventory", "requestRef": None, "consumer": None, "mode": None}


@dataclass(frozen=True)
class Hostile:
    """What somebody does to a settled world, and how much access there may be afterwards."""

    what: str
    before: Act
    act: Act
    by: str = "the decision"
    """What stops it, as docs/security.md names it."""
    left: int = 0
    """Principals of requests that may still have policy and key: 0, or 1 as it was granted."""


def refused(what: str, **grant: Any) -> Hostile:
    """A grant that does not say what was asked."""
    return Hostile(what, asked, lambda mesh: mesh.apply(a_grant(**grant)))


def withheld(what: str, **product: Any) -> Hostile:
    """A grant that fits, for a product that is not to be given."""

    def act(mesh: Mesh) -> None:
        mesh.apply(a_product(**{"outputPorts": [a_port()], **product})).settle().apply(a_grant())

    return Hostile(what, asked, act)


def remade(what: str, **spec: Any) -> Hostile:
    """The request is deleted after approval and made again for something else."""

    def act(mesh: Mesh) -> None:
        mesh.delete("AccessRequest", REQUEST.name, REQUEST.namespace).settle().apply(a_request(**spec))

    return Hostile(what, granted, act)


def shielded(what: str, shield: Act, end: Act) -> Hostile:
    """Something that stops giving is put on, and then access is revoked."""

    def act(mesh: Mesh) -> None:
        shield(mesh)
        mesh.settle()
        end(mesh)

    return Hostile(what, granted, act, "taking away, which heeds no shield")


def product(**spec: Any) -> Act:
    return lambda mesh: mesh.apply(a_product(outputPorts=[a_port()], **spec))


def revoke(mesh: Mesh) -> None:
    mesh.delete("AccessGrant", GRANT.name, GRANT.namespace)


def deny(mesh: Mesh) -> None:
    mesh.apply(a_grant("no", **NO))


def strip(mesh: Mesh, key: Key) -> None:
    mesh.cluster.user_finalize(key)
    mesh.cluster.user_delete(key)


def restore(mesh: Mesh) -> None:
    """A backup brings the request back as its manifest is, while its grant is gone and the user still stands."""
    request = mesh.get("AccessRequest", REQUEST.name, REQUEST.namespace)
    mesh.cluster.write_status(REQUEST, request["metadata"]["uid"], {})
    revoke(mesh)
    sweep(mesh)


def strip_request(mesh: Mesh) -> None:
    strip(mesh, REQUEST)
    sweep(mesh)


def sweep(mesh: Mesh) -> None:
    for minutes in (0, 5, 2):
        mesh.clock.forward(minutes=minutes)
        mesh.settle()


def outside(mesh: Mesh) -> None:
    """A namespace that no domain has, with a consumer, a request and a grant for it."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "reader", "namespace": "wild"}}
    consumer = {"serviceAccountRef": {"name": "reader"}}
    mesh.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "wild"}}, account, a_request(namespace="wild", consumer=consumer)
    )
    mesh.apply(a_grant(requestRef={"namespace": "wild", "name": REQUEST.name}, consumer=consumer))


def with_secret(namespace_owner: str) -> Act:
    """The Secret's name is taken already, by a stranger or by a product."""

    def act(mesh: Mesh) -> None:
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "orders-access", "namespace": "inventory"}}
        if namespace_owner == "stranger":
            mesh.apply({**secret, "stringData": {"a": "theirs"}})
        else:
            mesh.apply(a_product("forecast", "inventory", producer={"secretName": "orders-access"})).settle()
        mesh.apply(a_grant())

    return act


def change_user(**changes: Any) -> Act:
    """Somebody with rights in the store changes the principal."""

    def act(mesh: Mesh) -> None:
        store = mesh.stores.at(ENDPOINT)
        store.users[principal(mesh)] = replace(store.users[principal(mesh)], **changes)

    return act


def more_keys(mesh: Mesh) -> None:
    user = mesh.stores.at(ENDPOINT).users[principal(mesh)]
    change_user(keys=(*user.keys, AccessKey("STRANGE")))(mesh)


def cut_off(mesh: Mesh) -> None:
    mesh.apply(annotated(a_product(outputPorts=[a_port()]), cut_off="orders"))


def unreadable_grant(mesh: Mesh) -> None:
    """A grant that this version cannot read, and that is deleted then."""
    mesh.apply(a_grant(note="x" * 5000)).settle()
    revoke(mesh)


def denied_then_remade(mesh: Mesh) -> None:
    mesh.apply(a_grant("no", **NO)).settle().delete("AccessRequest", REQUEST.name, REQUEST.namespace).settle().apply(a_request())


def refused_then_renamed(mesh: Mesh) -> None:
    mesh.apply(a_grant("no", **WHOLE_NAMESPACE)).settle().apply(a_request("another", secretName="another"))


def expired_then_remade(mesh: Mesh) -> None:
    mesh.clock.forward(days=60)
    mesh.settle().delete("AccessRequest", REQUEST.name, REQUEST.namespace).settle().apply(a_request())


def disown(mesh: Mesh) -> None:
    held = mesh.stores.at(ENDPOINT).buckets[mesh.bucket_of()]
    held.bucket = replace(held.bucket, tags=tuple(sorted((dict(held.bucket.tags) | {"clouddatamesh.dev/name": "theirs"}).items())))


def disowned_for_long(mesh: Mesh) -> None:
    """Somebody else's marks are believed when they were seen twice, half a minute apart."""
    disown(mesh)
    mesh.settle()
    mesh.clock.forward(minutes=6)


def disowned_then_granted(mesh: Mesh) -> None:
    disown(mesh)
    mesh.settle().apply(a_grant())


HOSTILE = (
    refused("a grant in the consumer's own namespace", namespace="inventory"),
    refused("a grant in a third namespace", namespace="clouddatamesh-system"),
    refused("a grant for another product", **OTHER),
    refused("a grant for another port", outputPort={"name": "weekly", "version": "1.0.0"}),
    refused("a grant for another major version", outputPort={"name": "daily", "version": "2.0.0"}),
    refused("a grant for another consumer", consumer={"dataProductRef": {"name": "other"}}),
    refused("a grant for a ServiceAccount of the consumer's name", consumer={"serviceAccountRef": {"name": "forecast"}}),
    refused("a grant for a wider mode", mode="ReadWrite"),
    refused("a grant for another mode", mode="WriteOnly"),
    refused("a grant for a request of another namespace", requestRef={"namespace": "sales", "name": REQUEST.name}),
    refused("a grant for a request of another name", requestRef={"namespace": "inventory", "name": "orders"}),
    refused("a grant that ended before it was made", validUntil="2025-01-01T00:00:00Z"),
    refused("a grant without end where the port allows none", validUntil=None, permanent=True),
    refused("a grant that approves a whole namespace", consumerNamespace="inventory", requestRef=None, consumer=None, mode=None),
    refused("a grant that says neither yes nor no", decision="Maybe"),
    withheld("a grant for a draft", lifecycle="draft"),
    withheld("a grant for a proposal", lifecycle="proposed"),
    withheld("a grant for a retired product", lifecycle="retired"),
    withheld("a new grant for a deprecated product", lifecycle="deprecated"),
    withheld("a new grant for a deprecated port", outputPorts=[{**a_port(), "deprecated": True}]),
    withheld("a grant for a suspended product", suspend=True),
    withheld("a grant for a product that is only observed", mode="Observe"),
    withheld("a grant for a product that is only planned", mode="Plan"),
    Hostile("a new grant in a cordoned domain", asked, lambda m: m.apply(a_domain("sales", cordoned=True)).settle().apply(a_grant())),
    Hostile("a grant for a mode that the port does not offer", asked, lambda m: m.apply(
        a_request("more", mode="ReadWrite", secretName="more"),
        a_grant(mode="ReadWrite", requestRef={"namespace": "inventory", "name": "more"}))),
    Hostile("a grant for a consumer that does not exist", asked, lambda m: m.apply(
        a_request("ghost", consumer={"dataProductRef": {"name": "ghost"}}, secretName="ghost"),
        a_grant(consumer={"dataProductRef": {"name": "ghost"}}, requestRef={"namespace": "inventory", "name": "ghost"}))),
    Hostile("a grant for a product whose bucket is not its own", asked, disowned_then_granted, by="the ownership tags"),
    Hostile("a bucket that is lost to another after the grant", granted, disowned_for_long, by="the ownership tags, seen twice"),
    Hostile("a request from a namespace outside any domain", asked, outside),
    Hostile("a stranger's Secret of the wanted name", asked, with_secret("stranger"), by="creation by POST only"),
    Hostile("a product's Secret of the wanted name", asked, with_secret("product"), by="creation by POST only"),
    remade("a request recreated with a wider mode", mode="ReadWrite"),
    remade("a request recreated for another product", dataProductRef={"namespace": "inventory", "name": "forecast"}),
    remade("a request recreated for another port", outputPort={"name": "weekly", "version": "1.0.0"}),
    remade("a request recreated for another major version", outputPort={"name": "daily", "version": "2.0.0"}),
    remade("a request recreated for another consumer", consumer={"serviceAccountRef": {"name": "default"}}),
    Hostile("an expired request applied again", granted, expired_then_remade),
    Hostile("a refused request recreated at an open port", lambda m: asked(m, approval="Auto"), denied_then_remade),
    Hostile("another request of a refused namespace at an open port", lambda m: asked(m, approval="Auto"), refused_then_renamed),
    Hostile("a grant whose finalizer is stripped", granted, lambda m: strip(m, GRANT), by=WATCH),
    Hostile("a request whose finalizer is stripped", granted, strip_request, by="the sweep"),
    Hostile("a request that is restored without its status, after revocation", granted, restore, by="the sweep"),
    Hostile("a consumer whose finalizer is stripped", granted, lambda m: strip(m, Key("DataProduct", "inventory", "forecast")), by=WATCH),
    Hostile("a product whose finalizer is stripped", granted, lambda m: strip(m, Key("DataProduct", "sales", "orders")), by=WATCH),
    shielded("suspend against the deletion of the grant", product(suspend=True), revoke),
    shielded("suspend against Deny", product(suspend=True), deny),
    shielded("mode Observe against the deletion of the grant", product(mode="Observe"), revoke),
    shielded("mode Observe against Deny", product(mode="Observe"), deny),
    shielded("mode Plan against the deletion of the grant", product(mode="Plan"), revoke),
    shielded("mode Plan against Deny", product(mode="Plan"), deny),
    shielded("a suspended domain against the deletion of the grant", lambda m: m.apply(a_domain("sales", suspend=True)), revoke),
    shielded("a suspended domain of the consumer against Deny", lambda m: m.apply(a_domain("inventory", suspend=True)), deny),
    shielded("a cordoned domain against Deny", lambda m: m.apply(a_domain("sales", cordoned=True)), deny),
    shielded("a port taken out of the spec against the deletion of the grant", lambda m: m.apply(a_product(outputPorts=[])), revoke),
    shielded("a port taken out of the spec against Deny", lambda m: m.apply(a_product(outputPorts=[])), deny),
    shielded("a product under deletion against the deletion of the grant", lambda m: m.delete("DataProduct", "orders", "sales"), revoke),
    shielded("a product that cannot be read against the deletion of the grant", product(classification="cosmic"), revoke),
    shielded("a product that cannot be read against Deny", product(owner={"name": "Kim", "email": "kim"}), deny),
    shielded("a lifecycle of a later version against Deny", product(lifecycle="paused"), deny),
    shielded("a request that cannot be read against the deletion of the grant", lambda m: m.apply(a_request(purpose="x" * 5000)), revoke),
    shielded("a domain that cannot be read against Deny", lambda m: m.apply(a_domain("sales", cordoned="maybe")), deny),
    shielded("a clock that is not trusted against the deletion of the grant", lambda m: setattr(m.clock, "trusted", False), revoke),
    shielded("a clock that is not trusted against Deny", lambda m: setattr(m.clock, "trusted", False), deny),
    Hostile("a grant that cannot be read, and is deleted", granted, unreadable_grant),
    Hostile("a grant that neither approves nor denies, after an approval", granted, lambda m: m.apply(a_grant("hm", decision="Perhaps"))),
    Hostile("a product whose consumers are cut off", granted, cut_off),
    shielded("a rotation under way against the deletion of the grant", lambda m: m.apply(
        {**a_request(), "metadata": {**a_request()["metadata"], "annotations": {"clouddatamesh.dev/rotate": "1"}}}), revoke),
    Hostile("a clock that jumps over the end", granted, lambda m: m.clock.forward(days=400), by="the end of the grant, by the clock"),
    Hostile("a key more, by somebody with rights in the store", granted, more_keys, by=REPAIR, left=1),
    Hostile("a second policy, by somebody with rights in the store", granted, change_user(other_policies=("more",)), by=REPAIR, left=1),
    Hostile("a wider policy, by somebody with rights in the store", granted, drift, by=REPAIR, left=1),
    Hostile("a Secret that its consumer deletes", granted, lambda m: m.cluster.user_delete(SECRET), by=FRESH, left=1),
)  # fmt: skip
