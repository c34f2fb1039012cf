"""Which Domains, and which objects in their namespaces, a change concerns."""

from collections.abc import Iterator
from typing import Any

from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.plan import marks
from clouddatamesh.plan.references import references
from clouddatamesh.ports import Cluster
from clouddatamesh.reconcile.changes import Change
from clouddatamesh.reconcile.indexes import UNSETTLED
from clouddatamesh.reconcile.siblings import store_name_of


def held_namespaces(domain: Manifest | None) -> Any:
    """The namespaces that a Domain has, as its status says."""
    return ((domain or {}).get("status") or {}).get("namespaces")


def waiting_inside(namespaces: tuple[str, ...], cluster: Cluster) -> Iterator[Key]:
    """What is not settled in these namespaces, and requests for products there: the others need nothing of it."""
    for namespace in namespaces:
        for kind in ("DataProduct", "DomainProfile", "AccessRequest"):
            yield from cluster.naming(Key(UNSETTLED, namespace, ""), kind)


def family(domain: Manifest, cluster: Cluster) -> tuple[Key, ...]:
    """Parent and children: a parent waits for its children to go, a child for its parent to come."""
    parent = ((domain.get("spec") or {}).get("parentRef") or {}).get("name")
    return (*((Key("Domain", "", parent),) if parent else ()), *cluster.naming(key_of(domain), "Domain"))


def domains_of_namespace(change: Change, cluster: Cluster) -> tuple[Key, ...]:
    """Those that name it, and those that its label and marks name or named."""
    naming = cluster.naming(key_of(change.manifest), "Domain")
    marked = [key for manifest in (change.new, change.old) if manifest for key in references(manifest)]
    return tuple(dict.fromkeys((*naming, *marked)))


def domain_of_label(manifest: Manifest) -> tuple[Key, ...]:
    """The Domain that the label of an object names."""
    name = (manifest["metadata"].get("labels") or {}).get(marks.DOMAIN_LABEL)
    return (Key("Domain", "", str(name)),) if name else ()


def owners_of_product(product: Manifest, cluster: Cluster) -> tuple[Key, ...]:
    """Domain and store count their products; a store that lives and waits for nothing can do so at its next look."""
    store = store_name_of(product)
    stores = (Key("ObjectStore", "", store),) if store else ()
    domains = domain_around(product, cluster)
    return (*(key for key in domains if cluster.get(key)), *(key for key in stores if is_deleting(cluster.get(key))))


def domain_around(manifest: Manifest, cluster: Cluster) -> tuple[Key, ...]:
    """The Domain that the namespace of an object names."""
    namespace = cluster.get(Key("Namespace", "", manifest["metadata"]["namespace"]))
    return domain_of_label(namespace) if namespace else ()


def blocked_domains(change: Change, cluster: Cluster) -> Iterator[Key]:
    """A request or grant that goes may be what a domain or a store waits for."""
    if change.new is not None:
        return
    for key in domain_around(change.manifest, cluster):
        domain = cluster.get(key)
        conditions = ((domain or {}).get("status") or {}).get("conditions") or ()
        if any(found["type"] == "DeletionBlocked" for found in conditions):
            yield key
    place = ((change.manifest.get("status") or {}).get("place") or {}).get("store")
    if place and is_deleting(cluster.get(Key("ObjectStore", "", place))):
        yield Key("ObjectStore", "", place)


def is_deleting(manifest: Manifest | None) -> bool:
    """Whether an object is there and goes."""
    return manifest is not None and bool(manifest["metadata"].get("deletionTimestamp"))
