"""The flows of access over which every law is held: asking, granting, renewing, rotating, and each way in which access ends."""

from dataclasses import replace
from typing import Any, Final

from clouddatamesh.model.objects import Key
from tests.reconcile.flows import ENDPOINT, Act, Flow
from tests.support.manifests import a_domain, a_grant, a_product, a_request, a_store, annotated
from tests.support.mesh import Mesh

REQUEST: Final = Key("AccessRequest", "inventory", "orders-for-forecast")
SECRET: Final = Key("Secret", "inventory", "orders-access")


def a_port(version: str = "1.0.0", path: str = "daily/", **access: Any) -> dict[str, Any]:
    return {"name": "daily", "version": version, "path": path, "access": access}


def two_domains(mesh: Mesh, **access: Any) -> Mesh:
    """sales offers orders, inventory has forecast."""
    mesh.apply(a_store(), a_domain("sales"), a_domain("inventory")).settle()
    return mesh.apply(a_product(outputPorts=[a_port(**access)]), a_product("forecast", "inventory")).settle()


def asked(mesh: Mesh, **access: Any) -> Mesh:
    return two_domains(mesh, **access).apply(a_request()).settle()


def granted(mesh: Mesh, **access: Any) -> Mesh:
    return asked(mesh, **access).apply(a_grant(validUntil="2026-02-01T00:00:00Z")).settle()


def by(name: str, until: str = "2026-02-01T00:00:00Z") -> dict[str, Any]:
    """The approval of one person, named after that one."""
    return a_grant(f"by-{name}", approver=name, validUntil=until)


def approved_by_two(mesh: Mesh, **access: Any) -> Mesh:
    """A port that asks two people, and two of three have approved."""
    return asked(mesh, approvals=2, **access).apply(by("kim"), by("lee", "2026-03-01T00:00:00Z")).settle()


def principal(mesh: Mesh) -> str:
    return next(name for name in mesh.stores.at(ENDPOINT).users if "orders-for-forecast" in name)


def drift(mesh: Mesh) -> None:
    store, name = mesh.stores.at(ENDPOINT), principal(mesh)
    user = store.users[name]
    policy = tuple(replace(statement, resources=("arn:aws:s3:::*",)) for statement in user.policy or ())
    store.users[name] = replace(user, policy=policy, other_policies=("more",))


def change_product(**spec: Any) -> Act:
    return lambda mesh: mesh.apply(a_product(outputPorts=[a_port()], **spec))


def later(**delta: float) -> Act:
    return lambda mesh: mesh.clock.forward(**delta)


def renew(mesh: Mesh) -> Mesh:
    mesh.clock.forward(days=25)
    mesh.apply(a_request(renewal={"requestedAt": "2026-01-26T00:00:00Z"}))
    return mesh.apply(a_grant("again", validUntil="2026-04-01T00:00:00Z"))


def renew_auto(mesh: Mesh) -> Mesh:
    mesh.clock.forward(days=85)
    return mesh.apply(a_request(renewal={"requestedAt": "2026-03-27T00:00:00Z"}))


def force_product(mesh: Mesh) -> Mesh:
    mesh.apply(annotated(a_product(outputPorts=[a_port()]), force_delete="orders"))
    return mesh.delete("DataProduct", "orders", "sales")


def disown(mesh: Mesh) -> None:
    held = mesh.stores.at(ENDPOINT).buckets[mesh.bucket_of()]
    tags = dict(held.bucket.tags) | {"clouddatamesh.dev/name": "other", "clouddatamesh.dev/uid": "uid-other"}
    held.bucket = replace(held.bucket, tags=tuple(sorted(tags.items())))


ACCESS_FLOWS: Final = (
    Flow("a request is made", two_domains, lambda m: m.apply(a_request())),
    Flow("a request is granted", asked, lambda m: m.apply(a_grant())),
    Flow("request and grant come at once", two_domains, lambda m: m.apply(a_grant(), a_request())),
    Flow("an open port answers by itself", lambda m: two_domains(m, approval="Auto"), lambda m: m.apply(a_request())),
    Flow("one of two people approves", lambda m: asked(m, approvals=2), lambda m: m.apply(by("kim"))),
    Flow("two people approve", lambda m: asked(m, approvals=2), lambda m: m.apply(by("kim"), by("lee"))),
    Flow("one of two approvals is deleted", approved_by_two, lambda m: m.delete("AccessGrant", "by-lee", "sales")),
    Flow("one of two approvals is renewed", approved_by_two, lambda m: m.apply(a_grant("again", approver="kim"))),
    Flow("one of two approvals is renamed", approved_by_two,
         lambda m: m.apply(a_grant("again", approver="lee", validUntil="2026-03-01T00:00:00Z")).delete("AccessGrant", "by-lee", "sales")),
    Flow("a port asks for more people", granted, lambda m: m.apply(a_product(outputPorts=[a_port(approvals=2)]))),
    Flow("a port asks for fewer people", approved_by_two, lambda m: m.apply(a_product(outputPorts=[a_port()]))),
    Flow("a request is not answered in time", lambda m: asked(m, answerWithin="3d"), later(days=4)),
    Flow("data is classified higher", granted, change_product(classification="restricted")),
    Flow("write access is granted", lambda m: two_domains(m, modes=["WriteOnly"]),
         lambda m: m.apply(a_request(mode="WriteOnly"), a_grant(mode="WriteOnly"))),
    Flow("a grant is deleted", granted, lambda m: m.delete("AccessGrant", "inventory-forecast", "sales")),
    Flow("a grant is changed to Deny", granted, lambda m: m.apply(a_grant(decision="Deny", validUntil="2026-02-01T00:00:00Z"))),
    Flow("a whole namespace is refused", granted, lambda m: m.apply(
        a_grant("no", decision="Deny", consumerNamespace="inventory", requestRef=None, consumer=None, mode=None, validUntil=None))),
    Flow("a grant is shortened into the past", granted, lambda m: m.apply(a_grant(validUntil="2025-12-31T00:00:00Z"))),
    Flow("a grant ends by time", granted, later(days=40)),
    Flow("a grant nears its end", granted, later(days=20)),
    Flow("a grant is renewed", granted, renew),
    Flow("an open port renews by itself", lambda m: asked(m, approval="Auto"), renew_auto),
    Flow("a request is deleted", granted, lambda m: m.delete("AccessRequest", "orders-for-forecast", "inventory")),
    Flow("an answered request is deleted", lambda m: asked(m, approval="Auto"),
         lambda m: m.delete("AccessRequest", "orders-for-forecast", "inventory")),
    Flow("a consumer is deleted", granted, lambda m: m.delete("DataProduct", "forecast", "inventory")),
    Flow("a product is retired", granted, change_product(lifecycle="retired")),
    Flow("a product is deprecated", granted, change_product(lifecycle="deprecated")),
    Flow("a port is deprecated", granted, lambda m: m.apply(a_product(outputPorts=[{**a_port(), "deprecated": True}]))),
    Flow("a product is suspended", granted, change_product(suspend=True)),
    Flow("a port is removed", granted, lambda m: m.apply(a_product(outputPorts=[]))),
    Flow("a port gets a new major version", granted, lambda m: m.apply(a_product(outputPorts=[a_port("2.0.0", "v2/")]))),
    Flow("a port moves", granted, lambda m: m.apply(a_product(outputPorts=[a_port("1.0.1", "moved/")]))),
    Flow("a product with consumers is deleted", granted, lambda m: m.delete("DataProduct", "orders", "sales")),
    Flow("a product with consumers is deleted by force", granted, force_product),
    Flow("a product lost its bucket to another", lambda m: disown(granted(m)), later(minutes=1)),
    Flow("a domain is cordoned", granted, lambda m: m.apply(a_domain("sales", cordoned=True))),
    Flow("the consumer's namespace is deleted", granted, lambda m: m.delete("Namespace", "inventory")),
    Flow("the producer's namespace is deleted", granted, lambda m: m.delete("Namespace", "sales")),
    Flow("the access Secret is deleted", granted, lambda m: m.cluster.user_delete(SECRET)),
    Flow("policies of a principal drift", granted, drift),
    Flow("a key is rotated", granted, lambda m: m.apply(annotated(a_request(), rotate="1"))),
    Flow("a key is rotated by age", lambda m: granted(m, rotateAfter="5d"), later(days=6)),
    Flow("an old key ends", lambda m: granted(m).apply(annotated(a_request(), rotate="1")).settle(), later(hours=2)),
    Flow("access is revoked during a rotation", lambda m: granted(m).apply(annotated(a_request(), rotate="1")).settle(),
         lambda m: m.delete("AccessGrant", "inventory-forecast", "sales")),
)  # fmt: skip
