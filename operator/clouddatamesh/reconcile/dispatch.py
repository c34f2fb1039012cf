"""The shell's way in: which kinds are watched, what an event wakes, and the reconciler of each kind."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.model.settings import Next
from clouddatamesh.plan import marks, names
from clouddatamesh.plan.children import CHILD_KINDS
from clouddatamesh.ports import Cluster, Ports
from clouddatamesh.reconcile import dataproduct, domain, objectstore
from clouddatamesh.reconcile.objectstore import store_name_of
from clouddatamesh.reconcile.pipeline import is_settled

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


@dataclass(frozen=True)
class Wake:
    """A key that became due, after some seconds: what only counts others waits a moment, so that a burst counts once."""

    key: Key
    after: float = 0.0


_COUNTED_AFTER: Final = 1.0


def wakes(old: Manifest | None, new: Manifest | None, cluster: Cluster) -> tuple[Wake, ...]:
    """What a change makes due: the object itself, and whoever waits for it or keeps it. Our own status writes are no news."""
    manifest = new or old
    assert manifest is not None  # noqa: S101 - a change has a before or an after
    kind = manifest["kind"]
    own = (key_of(manifest),) if kind in _RECONCILERS and _is_news(old, new) else ()
    if kind == "ObjectStore":
        return _at_once(own, _products_of_store(manifest, cluster) if _store_matters(old, new) else ())
    if kind == "Domain":
        return _at_once(own, _family(manifest, cluster), _products_of_domain(manifest, cluster) if _domain_matters(old, new) else ())
    if kind == "Namespace":
        return _at_once(_domains_of_namespace(manifest, cluster), _waiting_products((manifest["metadata"]["name"],), cluster))
    if kind == "DataProduct":
        born_or_gone = old is None or new is None
        return (*_at_once(own), *(Wake(key, _COUNTED_AFTER) for key in _owners_of_product(manifest, cluster) if born_or_gone))
    return _at_once(_domain_of_label(manifest), _domain_of_label(old) if old else ())


def _at_once(*groups: tuple[Key, ...]) -> tuple[Wake, ...]:
    return tuple(Wake(key) for key in dict.fromkeys(key for group in groups for key in group))


def _is_news(old: Manifest | None, new: Manifest | None) -> bool:
    """Whether anything changed that a user writes."""
    if old is None or new is None:
        return True
    return any(
        old["metadata"].get(part) != new["metadata"].get(part)
        for part in ("uid", "generation", "deletionTimestamp", "annotations", "labels")
    )


def _store_matters(old: Manifest | None, new: Manifest | None) -> bool:
    """Products look again when a store becomes usable, or usable in another way; not when it is merely probed once more."""
    if old is None or new is None:
        return True
    return is_settled(new) and (not is_settled(old) or _abilities(old) != _abilities(new) or _is_news(old, new))


def _abilities(store: Manifest) -> list[tuple[str, bool]]:
    return [(found["name"], found["supported"]) for found in (store.get("status") or {}).get("capabilities") or ()]


def _domain_matters(old: Manifest | None, new: Manifest | None) -> bool:
    if old is None or new is None or _is_news(old, new):
        return True
    return (old.get("status") or {}).get("namespaces") != (new.get("status") or {}).get("namespaces")


def first_due(manifest: Manifest, interval: float) -> float:
    """Seconds after a start until an object is looked at. A product that is Ready waits for its turn in the drift schedule."""
    metadata = manifest["metadata"]
    token = (metadata.get("annotations") or {}).get(marks.RECONCILE_ANNOTATION)
    asked = token is not None and token[:256] != (manifest.get("status") or {}).get("lastHandledReconcileAt")
    if manifest["kind"] != "DataProduct" or asked or metadata.get("deletionTimestamp") or not is_settled(manifest):
        return 0.0
    return names.spread(metadata["uid"]) * interval


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


def _products_of_store(store: Manifest, cluster: Cluster) -> tuple[Key, ...]:
    name = store["metadata"]["name"]
    return tuple(key_of(product) for product in cluster.list("DataProduct") if store_name_of(product) == name)


def _waiting_products(namespaces: tuple[str, ...], cluster: Cluster) -> tuple[Key, ...]:
    """Products in these namespaces that are not settled: the others need nothing of a domain."""
    found = (product for product in cluster.list("DataProduct") if product["metadata"]["namespace"] in namespaces)
    return tuple(key_of(product) for product in found if not is_settled(product))


def _named_namespaces(domain: Manifest) -> tuple[str, ...]:
    entries = (domain.get("spec") or {}).get("namespaces") or ({"name": domain["metadata"]["name"]},)
    return tuple(entry["name"] for entry in entries)


def _products_of_domain(domain: Manifest, cluster: Cluster) -> tuple[Key, ...]:
    return _waiting_products(_named_namespaces(domain), cluster)


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
