"""An object and everything that was made for it, with how each is."""

from collections.abc import Iterator
from dataclasses import dataclass

from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.plan import marks
from clouddatamesh.plan.access.facts import asked_product, consumer_key
from clouddatamesh.view.health import Health, health_of
from clouddatamesh.view.mesh import Mesh
from clouddatamesh.view.product import ports_of
from clouddatamesh.view.raw import entries, text


@dataclass(frozen=True)
class Node:
    """`kind` and `name` as people call them; `health` is None for what has no conditions; `note` is a remark."""

    kind: str
    name: str
    health: Health | None = None
    note: str = ""
    children: tuple["Node", ...] = ()


def show_tree(mesh: Mesh, found: Manifest) -> Node:
    """The tree of an object of any kind of the mesh."""
    children = {"Domain": _of_domain, "DataProduct": _of_product, "AccessRequest": _of_request, "ObjectStore": _of_store}.get(found["kind"])
    return _node(found, tuple(children(mesh, found)) if children else ())


def _node(found: Manifest, children: tuple[Node, ...] = ()) -> Node:
    key = key_of(found)
    return Node(key.kind, f"{key.namespace}/{key.name}" if key.namespace else key.name, health_of(found), children=children)


def _of_domain(mesh: Mesh, domain: Manifest) -> Iterator[Node]:
    for entry in entries(domain, "status", "namespaces"):
        name = text(entry, "name")
        note = "adopted" if entry.get("adopted") is True else ""
        products = tuple(_node(product, tuple(_of_product(mesh, product))) for product in mesh.all("DataProduct", name))
        yield Node("Namespace", name, note=note, children=(*_children(mesh, domain, name), *_hidden(mesh, "DataProduct", name), *products))


def _children(mesh: Mesh, domain: Manifest, namespace: str) -> Iterator[Node]:
    """What the operator keeps in a namespace for a Domain, by its mark."""
    mark = marks.owner_reference(Key("Domain", "", domain["metadata"]["name"]), "")
    for key, found in sorted(mesh.objects.items()):
        annotations = found["metadata"].get("annotations") or {}
        if key.namespace == namespace and str(annotations.get(marks.OWNER_ANNOTATION, "")).startswith(mark):
            yield Node(key.kind, key.name)


def _of_product(mesh: Mesh, product: Manifest) -> Iterator[Node]:
    key = key_of(product)
    bucket = text(product, "status", "storage", "bucket")
    if bucket:
        yield Node("Bucket", bucket, note=text(product, "status", "storage", "phase"))
    secret = text(product, "status", "binding", "name")
    if secret:
        yield Node("Secret", secret, note="producer")
    for port in ports_of(product):
        users = "1 consumer" if port.consumers == 1 else f"{port.consumers} consumers"
        yield Node("Port", f"{port.name}/{port.version}", note=f"{users}, leaves" if port.draining else users)
    yield from (_node(request, tuple(_of_request(mesh, request))) for request in mesh.all("AccessRequest") if asked_product(request) == key)
    for grant in mesh.all("AccessGrant", key.namespace):
        if text(grant, "spec", "dataProductRef", "name") == key.name:
            yield _node(grant)
    yield from _hidden(mesh, "AccessGrant", key.namespace)
    for request in mesh.all("AccessRequest", key.namespace):
        if consumer_key(request) == key:
            yield _node(request, tuple(_of_request(mesh, request)))


def _of_request(mesh: Mesh, request: Manifest) -> Iterator[Node]:
    grant = Key("AccessGrant", text(request, "status", "grantRef", "namespace"), text(request, "status", "grantRef", "name"))
    if grant.name:
        found = mesh.objects.get(grant)
        yield Node("AccessGrant", f"{grant.namespace}/{grant.name}", health_of(found) if found else None)
    for kind, name in (("User", text(request, "status", "principal")), ("Secret", text(request, "status", "binding", "name"))):
        if name:
            yield Node(kind, name)


def _of_store(mesh: Mesh, store: Manifest) -> Iterator[Node]:
    for product in mesh.all("DataProduct"):
        if text(product, "spec", "storage", "storeRef", "name") == store["metadata"]["name"]:
            yield _node(product)


def _hidden(mesh: Mesh, kind: str, namespace: str) -> Iterator[Node]:
    if not mesh.may_list(kind, namespace):
        yield Node(kind, "?", note="you may not list these")
