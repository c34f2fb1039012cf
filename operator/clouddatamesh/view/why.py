"""Why an object is as it is: from object to object, to the one on which somebody must act."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from clouddatamesh import reasons as r
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.plan.access.facts import asked_product, consumer_key, part_of
from clouddatamesh.plan.references import named_namespaces
from clouddatamesh.view.health import Health, health_of
from clouddatamesh.view.mesh import Mesh
from clouddatamesh.view.naming import owner_of, title_of
from clouddatamesh.view.raw import entries, text, value


@dataclass(frozen=True)
class Link:
    """One object of the chain. `health` is None where it was not read; then `note` says why."""

    key: Key
    health: Health | None
    note: str = ""


@dataclass(frozen=True)
class Chain:
    """From the object that was asked about to the cause. `who` may act on the last link, `advice` is what to do there.

    `next` is an object that has to be read before the chain can go on.
    """

    links: tuple[Link, ...]
    who: str = ""
    advice: str = ""
    next: Key | None = None


def find_cause(mesh: Mesh, key: Key) -> Chain:
    """Follow what each reason names, as far as the mesh was read."""
    links: list[Link] = []
    while True:
        found = mesh.objects.get(key)
        if found is None:
            return _unread(mesh, key, links)
        health = health_of(found)
        links.append(Link(key, health))
        following = None if health.is_well else _following(mesh, found, health.reason)
        if following is None or any(link.key == following for link in links):
            return Chain(tuple(links), _who(mesh, found, health), health.advice)
        key = following


def _unread(mesh: Mesh, key: Key, links: list[Link]) -> Chain:
    if not mesh.may_list(key.kind, key.namespace):
        said = (
            "You may not read it; ask the platform team" if not key.namespace else f"You may not read it; ask the team of {key.namespace}"
        )
        return Chain((*links, Link(key, None, said)))
    if key in mesh.absent:
        return Chain((*links, Link(key, None, "It does not exist")), advice=f"Create {key}, or correct the reference to it")
    return Chain(tuple(links), next=key)


def _following(mesh: Mesh, found: Manifest, reason: str) -> Key | None:
    follow = _BY_REASON.get((found["kind"], reason))
    return follow(mesh, found) if follow else None


def _store(_mesh: Mesh, product: Manifest) -> Key | None:
    name = text(product, "spec", "storage", "storeRef", "name")
    return Key("ObjectStore", "", name) if name else None


def _domain(mesh: Mesh, found: Manifest) -> Key | None:
    """The Domain that names the namespace, whether or not it has it."""
    namespace = found["metadata"]["namespace"]
    return next((key_of(domain) for domain in mesh.all("Domain") if namespace in named_namespaces(domain)), None)


def _product(_mesh: Mesh, request: Manifest) -> Key:
    return asked_product(request)


def _input(mesh: Mesh, product: Manifest) -> Key | None:
    """The request of this product for its first input that is not satisfied; without a request somebody has to make one."""
    missing = {text(state, "name") for state in entries(product, "status", "inputPorts") if state.get("satisfied") is False}
    for port in entries(product, "spec", "inputPorts"):
        if text(port, "name") in missing and value(port, "from"):
            wanted = Key("DataProduct", text(port, "from", "namespace"), text(port, "from", "dataProduct"))
            return next((key_of(request) for request in _requests_of(mesh, product) if asked_product(request) == wanted), None)
    return None


def _requests_of(mesh: Mesh, product: Manifest) -> Iterator[Manifest]:
    key = key_of(product)
    return (request for request in mesh.all("AccessRequest", key.namespace) if consumer_key(request) == key)


def _parent(_mesh: Mesh, domain: Manifest) -> Key:
    return Key("Domain", "", text(domain, "spec", "parentRef", "name"))


def _request(_mesh: Mesh, grant: Manifest) -> Key | None:
    asked = part_of(part_of(grant, "spec"), "requestRef")
    return Key("AccessRequest", text(asked, "namespace"), text(asked, "name")) if asked else None


_Follow = Callable[[Mesh, Manifest], Key | None]
_BY_REASON: Final[Mapping[tuple[str, str], _Follow]] = {
    ("DataProduct", r.DOMAIN_NOT_FOUND): _domain,
    ("DataProduct", r.STORE_NOT_FOUND): _store,
    ("DataProduct", r.STORE_NOT_READY): _store,
    ("DataProduct", r.INPUTS_MISSING): _input,
    ("AccessRequest", r.DOMAIN_NOT_FOUND): _domain,
    ("AccessRequest", r.CONSUMER_NOT_FOUND): lambda _mesh, request: consumer_key(request),
    ("AccessRequest", r.PRODUCT_NOT_FOUND): _product,
    ("AccessRequest", r.PRODUCT_NOT_READY): _product,
    ("AccessRequest", r.NOT_OFFERED): _product,
    ("AccessRequest", r.STORE_NOT_READY): _product,
    ("Domain", r.PARENT_NOT_FOUND): _parent,
    ("AccessGrant", r.STORE_NOT_READY): _request,
    ("AccessGrant", r.PENDING): _request,
}
"""Which object to look at next. Where a reason is not named, somebody acts on the object itself."""


def _who(mesh: Mesh, found: Manifest, health: Health) -> str:
    """Who can act: those whose object it is; of a request that waits for an answer, the owners of the product."""
    if health.is_well:
        return ""
    if found["kind"] == "AccessRequest" and health.reason in (r.AWAITING_GRANT, r.DENIED):
        product = asked_product(found)
        return _team(mesh, product.namespace, mesh.objects.get(product))
    namespace = found["metadata"].get("namespace", "")
    return _team(mesh, namespace, found if found["kind"] == "DataProduct" else None) if namespace else "the platform team"


def _team(mesh: Mesh, namespace: str, product: Manifest | None) -> str:
    domain = mesh.domain_of(namespace)
    owners = ", ".join(f"{text(owner, 'kind')} {text(owner, 'name')}" for owner in entries(domain or {}, "spec", "access", "owners"))
    named = (owner_of(product) if product else "", f"the owners of Domain {title_of(domain)} ({owners})" if domain and owners else "")
    return ", or ".join(part for part in named if part) or f"the team of namespace {namespace}"
