"""The shell's way in: which kinds are watched, what an event wakes, and the reconciler of each kind."""

from collections.abc import Callable
from typing import Final

from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.model.settings import Next
from clouddatamesh.plan import marks
from clouddatamesh.plan.children import CHILD_KINDS
from clouddatamesh.ports import Cluster, Ports
from clouddatamesh.reconcile import dataproduct, domain, objectstore
from clouddatamesh.reconcile.objectstore import store_name_of

_RECONCILERS: Final[dict[str, Callable[[Key, Manifest, Ports], Next]]] = {
    "ObjectStore": objectstore.reconcile,
    "Domain": domain.reconcile,
    "DataProduct": dataproduct.reconcile,
}
RECONCILED: Final = tuple(_RECONCILERS)
WATCHED: Final = (*RECONCILED, "Namespace", *CHILD_KINDS)
LABELLED: Final = CHILD_KINDS
"""Kinds that are watched only where they carry our label."""


def reconcile(key: Key, ports: Ports) -> Next:
    """Reconcile one object; an object that is gone needs nothing more."""
    manifest = ports.cluster.get(key)
    return Next() if manifest is None else _RECONCILERS[key.kind](key, manifest, ports)


def wakes(manifest: Manifest, cluster: Cluster) -> tuple[Key, ...]:
    """The keys that an event on an object makes due: its own, and those of whoever waits for it or keeps it."""
    kind = manifest["kind"]
    own = (key_of(manifest),) if kind in _RECONCILERS else ()
    if kind == "ObjectStore":
        return (*own, *_products_of_store(manifest["metadata"]["name"], cluster))
    if kind == "Domain":
        return (*own, *_family(manifest, cluster), *_products_of_domain(manifest, cluster))
    if kind == "Namespace":
        return (*_domains_of_namespace(manifest, cluster), *_products_in(manifest["metadata"]["name"], cluster))
    if kind == "DataProduct":
        return (*own, *_owners_of_product(manifest, cluster))
    return _domain_of_label(manifest)


def urgent(key: Key, cluster: Cluster) -> bool:
    """Whether a key goes before all others: something is to be taken away."""
    manifest = cluster.get(key)
    return manifest is not None and bool(manifest["metadata"].get("deletionTimestamp"))


def lane(key: Key, cluster: Cluster) -> str:
    """Which outside system a key's work waits on, so that one that hangs does not take every worker."""
    if key.kind == "ObjectStore":
        return key.name
    manifest = cluster.get(key)
    return (store_name_of(manifest) or "") if key.kind == "DataProduct" and manifest is not None else ""


def _products_of_store(store: str, cluster: Cluster) -> tuple[Key, ...]:
    return tuple(key_of(product) for product in cluster.list("DataProduct") if store_name_of(product) == store)


def _products_in(namespace: str, cluster: Cluster) -> tuple[Key, ...]:
    return tuple(key_of(product) for product in cluster.list("DataProduct") if product["metadata"]["namespace"] == namespace)


def _named_namespaces(domain: Manifest) -> tuple[str, ...]:
    entries = (domain.get("spec") or {}).get("namespaces") or ({"name": domain["metadata"]["name"]},)
    return tuple(entry["name"] for entry in entries)


def _products_of_domain(domain: Manifest, cluster: Cluster) -> tuple[Key, ...]:
    return tuple(key for namespace in _named_namespaces(domain) for key in _products_in(namespace, cluster))


def _family(domain: Manifest, cluster: Cluster) -> tuple[Key, ...]:
    """Parent and children: a parent waits for its children to go, a child for its parent to come."""
    name = domain["metadata"]["name"]
    parent = ((domain.get("spec") or {}).get("parentRef") or {}).get("name")
    below = [d for d in cluster.list("Domain") if ((d.get("spec") or {}).get("parentRef") or {}).get("name") == name]
    return (*((Key("Domain", "", parent),) if parent else ()), *map(key_of, below))


def _domains_of_namespace(namespace: Manifest, cluster: Cluster) -> tuple[Key, ...]:
    name = namespace["metadata"]["name"]
    naming = [key_of(domain) for domain in cluster.list("Domain") if name in _named_namespaces(domain)]
    return tuple(dict.fromkeys((*naming, *_domain_of_label(namespace))))


def _domain_of_label(manifest: Manifest) -> tuple[Key, ...]:
    name = (manifest["metadata"].get("labels") or {}).get(marks.DOMAIN_LABEL)
    return (Key("Domain", "", str(name)),) if name else ()


def _owners_of_product(product: Manifest, cluster: Cluster) -> tuple[Key, ...]:
    """Domain and store count their products; while those live and nothing waits on their number, that can wait for the next resync."""
    namespace = cluster.get(Key("Namespace", "", product["metadata"]["namespace"]))
    store = store_name_of(product)
    stores = (Key("ObjectStore", "", store),) if store else ()
    owners = (*(_domain_of_label(namespace) if namespace else ()), *stores)
    return tuple(key for key in owners if _counts(key, cluster))


def _counts(key: Key, cluster: Cluster) -> bool:
    manifest = cluster.get(key)
    return manifest is not None and (key.kind == "Domain" or bool(manifest["metadata"].get("deletionTimestamp")))
