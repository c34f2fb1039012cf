"""What people do so that access does not end, or comes back, on the fakes: deletions, finalizers, ports, teams, ends by time."""

from dataclasses import replace
from typing import Any, Final

from tests.reconcile.access_flows import REQUEST, a_port, asked, granted
from tests.reconcile.flows import ENDPOINT
from tests.security.hostile import GRANT, NO, Act, Hostile, deny, product, revoke, shielded
from tests.support.manifests import a_domain, a_grant, a_product, a_request, a_store, annotated
from tests.support.mesh import Mesh

TAGS, ENDED = "the ownership tags", "what status remembers of the end"


def release(mesh: Mesh) -> None:
    """The platform team lets the bucket go."""
    held = mesh.stores.at(ENDPOINT).buckets[mesh.bucket_of()]
    held.bucket = replace(held.bucket, tags=(*held.bucket.tags, ("clouddatamesh.dev/released", "sales/orders")))


def delete_product(mesh: Mesh) -> None:
    mesh.delete("DataProduct", "orders", "sales")


def suspend_and_delete(mesh: Mesh) -> None:
    product(suspend=True)(mesh)
    delete_product(mesh)


def against_release(what: str, shield: Act) -> Hostile:
    """Something that holds the product up, and then its bucket is let go."""

    def act(mesh: Mesh) -> None:
        shield(mesh)
        mesh.settle()
        release(mesh)

    return Hostile(what, granted, act, TAGS)


def hold_request(mesh: Mesh) -> None:
    """A finalizer of the consumer's own, and the request is deleted: the grant goes all the same."""
    mesh.cluster.user_finalize(REQUEST, "clouddatamesh.dev/finalizer", "example.com/mine")
    mesh.delete(REQUEST.kind, REQUEST.name, REQUEST.namespace).settle()
    revoke(mesh)
    mesh.settle()
    assert not mesh.exists(GRANT.kind, GRANT.name, GRANT.namespace)


def port_added_again(mesh: Mesh) -> None:
    """The owner forces a port out, and somebody who may change products adds it again."""
    mesh.apply(annotated(a_product(outputPorts=[]), force_delete="daily/1.0.0")).settle()
    mesh.apply(a_product(outputPorts=[a_port()]))


def port_drained_and_added_again(mesh: Mesh) -> None:
    """The port leaves the spec, is served on for its consumer, is forced out, and comes back."""
    mesh.apply(a_product(outputPorts=[])).settle()
    mesh.apply(annotated(a_product(outputPorts=[]), force_delete="daily/1.0.0")).settle()
    mesh.apply(a_product(outputPorts=[a_port()]))


def port_cut_off_and_removed(mesh: Mesh) -> None:
    """The owner cuts the port's consumers off first, removes it later, and then takes the annotation off."""
    mesh.apply(annotated(a_product(outputPorts=[a_port()]), force_delete="daily/1.0.0")).settle()
    mesh.apply(annotated(a_product(outputPorts=[]), force_delete="daily/1.0.0")).settle()
    mesh.apply(a_product(outputPorts=[])).settle()
    mesh.apply(a_product(outputPorts=[a_port()]))


def cap_taken_off(mesh: Mesh) -> None:
    """The owner shortens the cap, which ends access; the port is removed, and added again without one."""
    mesh.clock.forward(days=10)
    mesh.apply(a_product(outputPorts=[a_port(maxDuration="5d")])).settle()
    mesh.apply(a_product(outputPorts=[])).settle()
    mesh.apply(a_product(outputPorts=[a_port()]))


def inherit_namespace(mesh: Mesh) -> None:
    """The consumer's team goes, and another Domain gets a namespace of that name, with a request and a consumer of the same names."""
    mesh.delete(REQUEST.kind, REQUEST.name, REQUEST.namespace).delete("DataProduct", "forecast", "inventory").settle()
    mesh.delete("Domain", "inventory").settle().delete("Namespace", "inventory").settle()
    mesh.apply(a_domain("interns", namespaces=[{"name": "inventory"}])).settle()
    mesh.apply(a_product("forecast", "inventory"), a_request())


def ended_and(pause: Act, resume: Act) -> Act:
    """Access at a port that approves by itself ends by time; something comes, and goes again."""

    def act(mesh: Mesh) -> None:
        mesh.clock.forward(days=60)
        mesh.settle()
        for step in (pause, resume):
            step(mesh)
            mesh.settle()

    return act


def at_open_port(mesh: Mesh) -> Mesh:
    return asked(mesh, approval="Auto", maxDuration="10d")


def open_product(**spec: Any) -> Act:
    return lambda mesh: mesh.apply(a_product(outputPorts=[a_port(approval="Auto", maxDuration="10d")], **spec))


def cut_off(*names: str) -> Act:
    """Set or, without names, removed."""
    whole = a_product(outputPorts=[a_port(approval="Auto", maxDuration="10d")])
    return lambda mesh: mesh.apply(annotated(whole, cut_off=",".join(names)) if names else whole)


def refusing(*calls: str) -> Act:
    return lambda mesh: mesh.stores.at(ENDPOINT).refuse(*calls)


def superseded(mesh: Mesh) -> None:
    """A newer approval comes into effect and is deleted: the older one does not come back."""
    mesh.clock.forward(minutes=1)
    mesh.apply(a_grant("newer", validUntil="2026-03-01T00:00:00Z")).settle()
    mesh.delete("AccessGrant", "newer", "sales")


def renewed_in_future(mesh: Mesh) -> None:
    mesh.clock.forward(days=60)
    mesh.settle().apply(a_request(renewal={"requestedAt": "2027-01-01T00:00:00Z"}))


ENDINGS: Final = (
    against_release("a suspended product under deletion against the release of its bucket", suspend_and_delete),
    against_release("a deletion that waits for consumers against the release of the bucket", delete_product),
    against_release("a store that serves the domain no more against the release of a bucket",
                    lambda m: m.apply(a_store(allowedDomains={"matchLabels": {"tier": "gold"}}))),
    against_release("a suspended product against the release of its bucket", product(suspend=True)),
    Hostile("a finalizer of the consumer's own on its request", granted, hold_request, "the record, which goes with the access"),
    Hostile("a port that was forced out and is added again", granted, port_added_again, ENDED),
    Hostile("a port that drained, was forced out, and is added again", granted, port_drained_and_added_again, ENDED),
    Hostile("a port that was cut off, removed later, and is added again", granted, port_cut_off_and_removed, ENDED),
    Hostile("a port whose cap ended access, removed and added again without it", granted, cap_taken_off, ENDED),
    Hostile("a namespace of the consumer's name in the hands of another Domain", granted, inherit_namespace,
            "what the grant remembers of whom it served"),
    Hostile("ended access at an open port, after a suspension", at_open_port, ended_and(open_product(suspend=True), open_product()), ENDED),
    Hostile("ended access at an open port, after mode Observe", at_open_port,
            ended_and(open_product(mode="Observe"), open_product()), ENDED),
    Hostile("ended access at an open port, after its domain was cordoned", at_open_port,
            ended_and(lambda m: m.apply(a_domain("sales", cordoned=True)), lambda m: m.apply(a_domain("sales"))), ENDED),
    Hostile("ended access at an open port, after a cut-off that was lifted", at_open_port, ended_and(cut_off("orders"), cut_off()), ENDED),
    Hostile("a renewal that is dated into the future, at an open port", at_open_port, renewed_in_future, ENDED),
    Hostile("an older approval, once the newer one is deleted", granted, superseded),
    shielded("a store that refuses to remove policies against the deletion of the grant", refusing("delete policy"), revoke),
    shielded("a store that refuses to remove keys against Deny", refusing("delete key"), deny),
    shielded("a request that cannot be read against Deny", lambda m: m.apply(a_request(purpose="x" * 5000)), deny),
    shielded("a product under deletion against Deny of the whole namespace", delete_product,
             lambda m: m.apply(a_grant("all", **NO, consumerNamespace="inventory", requestRef=None, consumer=None, mode=None))),
    shielded("a cut-off of another port against the deletion of the grant",
             lambda m: m.apply(annotated(a_product(outputPorts=[a_port()]), cut_off="weekly/1.0.0")), revoke),
)  # fmt: skip
