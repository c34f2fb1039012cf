"""What a change of one object makes due: the object itself, and whoever waits for it, keeps it or counts it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.plan import marks
from clouddatamesh.plan.access.consumers import standing_of
from clouddatamesh.plan.access.facts import asked_product, consumer_key
from clouddatamesh.ports import Cluster
from clouddatamesh.reconcile.domains import named_namespaces
from clouddatamesh.reconcile.pipeline import is_settled
from clouddatamesh.reconcile.siblings import is_in_doubt, store_name_of
from clouddatamesh.status.summarize import is_true


@dataclass(frozen=True)
class Wake:
    """A key that became due, after some seconds: what only counts others waits a moment, so that a burst counts once."""

    key: Key
    after: float = 0.0


@dataclass(frozen=True)
class Change:
    """One object before and after; None where there was or is none."""

    old: Manifest | None
    new: Manifest | None

    @property
    def manifest(self) -> Manifest:
        found = self.new or self.old
        assert found is not None  # noqa: S101 - a change has a before or an after
        return found

    @property
    def is_born_or_gone(self) -> bool:
        return self.old is None or self.new is None

    @property
    def is_news(self) -> bool:
        """Whether anything changed that a user writes. Our own writes are none; a status that lost all its conditions is not ours."""
        parts = ("uid", "generation", "deletionTimestamp", "annotations", "labels")
        if self.old is None or self.new is None or (_was_judged(self.old) and not _was_judged(self.new)):
            return True
        let_go = _is_held(self.old) and not _is_held(self.new)
        return let_go or any(self.old["metadata"].get(part) != self.new["metadata"].get(part) for part in parts)


_COUNTED_AFTER: Final = 1.0
_SIBLINGS: Final = 20


def wakes(old: Manifest | None, new: Manifest | None, cluster: Cluster) -> tuple[Wake, ...]:
    """What a change makes due, each key once, at the earliest moment that anybody asks for."""
    change = Change(old, new)
    read = _BY_KIND.get(change.manifest["kind"], _of_child)
    due: dict[Key, float] = {}
    for wake in read(change, cluster):
        due[wake.key] = min(wake.after, due.get(wake.key, wake.after))
    return tuple(Wake(key, after) for key, after in due.items())


def _at_once(keys: Iterable[Key]) -> Iterator[Wake]:
    return (Wake(key) for key in keys)


def _later(keys: Iterable[Key]) -> Iterator[Wake]:
    return (Wake(key, _COUNTED_AFTER) for key in keys)


def _itself(change: Change) -> Iterator[Wake]:
    if change.is_news:
        yield Wake(key_of(change.manifest))


def _of_store(change: Change, cluster: Cluster) -> Iterator[Wake]:
    yield from _itself(change)
    if _store_matters(change):
        store = key_of(change.manifest)
        yield from _at_once(_naming(store, "DataProduct", cluster))
        yield from _at_once(_naming(store, "AccessRequest", cluster))
        products = set(_naming(store, "DataProduct", cluster))
        yield from _at_once(key_of(r) for r in cluster.list("AccessRequest") if not is_settled(r) and asked_product(r) in products)


def _of_domain(change: Change, cluster: Cluster) -> Iterator[Wake]:
    yield from _itself(change)
    yield from _at_once(_family(change.manifest, cluster))
    if change.is_news or change.is_born_or_gone or _held_namespaces(change.old) != _held_namespaces(change.new):
        yield from _at_once(_waiting_inside(named_namespaces(change.manifest), cluster))


def _of_namespace(change: Change, cluster: Cluster) -> Iterator[Wake]:
    yield from _at_once(_domains_of_namespace(change.manifest, cluster))
    yield from _at_once(_waiting_inside((change.manifest["metadata"]["name"],), cluster))


def _of_product(change: Change, cluster: Cluster) -> Iterator[Wake]:
    yield from _itself(change)
    product = key_of(change.manifest)
    for request in cluster.referring(product, "AccessRequest"):
        if (asked_product(request) == product and _offer_matters(change)) or change.is_born_or_gone:
            yield Wake(key_of(request))
    if change.is_born_or_gone:
        yield from _later(_owners_of_product(change.manifest, cluster))
        yield from _at_once(_rivals(change.manifest, cluster))
    if change.new is not None and is_in_doubt(change.new) and not (change.old and is_in_doubt(change.old)):
        # Is it this bucket alone, or are all of them? That is known before anything is taken.
        yield from _at_once(_some_siblings(change.manifest, cluster))


def _rivals(product: Manifest, cluster: Cluster) -> Iterator[Key]:
    """Products that name the same bucket: the next one's turn comes when the first one goes."""
    bucket = ((product.get("spec") or {}).get("storage") or {}).get("bucketName")
    return (
        (key for key in _naming(Key("Bucket", "", str(bucket)), "DataProduct", cluster) if key != key_of(product)) if bucket else iter(())
    )


def _some_siblings(product: Manifest, cluster: Cluster) -> tuple[Key, ...]:
    """Those of its store first; a mesh may have a store for each domain, so others follow."""
    near = _naming(Key("ObjectStore", "", store_name_of(product) or ""), "DataProduct", cluster)[:_SIBLINGS]
    far = (key_of(other) for other in islice(cluster.list("DataProduct"), _SIBLINGS))
    return tuple(dict.fromkeys((*near, *far)))[:_SIBLINGS]


def _of_inbox(change: Change, _cluster: Cluster) -> Iterator[Wake]:
    """Its product keeps it; that the product made it, and our own writes of its status, are no news."""
    if change.old is not None and change.is_news:
        key = key_of(change.manifest)
        yield Wake(Key("DataProduct", key.namespace, key.name), _COUNTED_AFTER)


def _of_request(change: Change, cluster: Cluster) -> Iterator[Wake]:
    yield from _itself(change)
    before, after = standing_of(change.old), standing_of(change.new)
    if before == after and not change.is_news:
        return
    yield from _at_once(key_of(grant) for grant in cluster.referring(key_of(change.manifest), "AccessGrant"))
    yield from _later(key for key in (asked_product(change.manifest), consumer_key(change.manifest)) if key.kind == "DataProduct")
    yield from _later(_blocked_domains(change, cluster))


def is_superseded(grant: Manifest) -> bool:
    """Whether its status says that a newer one came into effect."""
    return is_true(grant.get("status") or {}, "Superseded")


def _of_grant(change: Change, cluster: Cluster) -> Iterator[Wake]:
    yield from _itself(change)
    if change.new is not None and is_superseded(change.new) and not (change.old and is_superseded(change.old)):
        yield Wake(key_of(change.new))  # an answer of ours that gives no more is cleared away
    if not change.is_news:
        return
    spec, namespace = change.manifest.get("spec") or {}, change.manifest["metadata"]["namespace"]
    request = spec.get("requestRef") or {}
    if request.get("namespace") and request.get("name"):
        yield Wake(Key("AccessRequest", request["namespace"], request["name"]))
    product = Key("DataProduct", namespace, str((spec.get("dataProductRef") or {}).get("name")))
    yield from _at_once(k for k in _naming(product, "AccessRequest", cluster) if k.namespace == spec.get("consumerNamespace"))
    yield from _later(_blocked_domains(change, cluster))


def _of_account(change: Change, cluster: Cluster) -> Iterator[Wake]:
    if change.is_born_or_gone:
        yield from _at_once(_naming(key_of(change.manifest), "AccessRequest", cluster))


def _of_child(change: Change, _cluster: Cluster) -> Iterator[Wake]:
    for manifest in (change.new, change.old):
        yield from _at_once(_domain_of_label(manifest) if manifest else ())


def _is_held(manifest: Manifest) -> bool:
    return marks.FINALIZER in (manifest["metadata"].get("finalizers") or ())


def _was_judged(manifest: Manifest) -> bool:
    status = manifest.get("status") or {}
    return bool(status.get("conditions")) and status.get("observedGeneration", -1) >= 0


_BY_KIND: Final = {
    "ObjectStore": _of_store,
    "Domain": _of_domain,
    "Namespace": _of_namespace,
    "DataProduct": _of_product,
    "AccessRequest": _of_request,
    "AccessGrant": _of_grant,
    "AccessInbox": _of_inbox,
    "ServiceAccount": _of_account,
}


def _store_matters(change: Change) -> bool:
    """Products look again when a store becomes usable, or usable in another way; not when it is merely probed once more."""
    old, new = change.old, change.new
    if old is None or new is None or _is_given_up(old) != _is_given_up(new) or (_answers(new) and not _answers(old)):
        return True
    return is_settled(new) and (not is_settled(old) or _abilities(old) != _abilities(new) or change.is_news)


def _answers(store: Manifest) -> bool:
    return is_true(store.get("status") or {}, "CredentialsValid")


def _is_given_up(store: Manifest) -> bool:
    annotations = store["metadata"].get("annotations") or {}
    named = store["metadata"]["name"] in (annotations.get(marks.ORPHAN_ANNOTATION), annotations.get(marks.FORCE_ANNOTATION))
    return named and _is_deleting(store)


def _abilities(store: Manifest) -> list[tuple[str, bool]]:
    return [(found["name"], found["supported"]) for found in (store.get("status") or {}).get("capabilities") or ()]


def _offer_matters(change: Change) -> bool:
    """Requests look again when a product is offered in another way: its spec, its bucket, or a port that drains."""
    return change.is_news or _offered(change.old) != _offered(change.new)


def _offered(product: Manifest | None) -> tuple[Any, ...]:
    status = (product or {}).get("status") or {}
    owned = [(c["status"], c["reason"]) for c in status.get("conditions") or () if c["type"] == "StorageReady"]
    ports = [(port["name"], port["version"], port.get("path")) for port in status.get("outputPorts") or ()]
    return status.get("storage"), owned, ports


def _held_namespaces(domain: Manifest | None) -> Any:
    return ((domain or {}).get("status") or {}).get("namespaces")


def _naming(key: Key, kind: str, cluster: Cluster) -> tuple[Key, ...]:
    return tuple(key_of(manifest) for manifest in cluster.referring(key, kind))


def _waiting_inside(namespaces: tuple[str, ...], cluster: Cluster) -> Iterator[Key]:
    """Products and requests in these namespaces, and requests for products there, that are not settled: the others need nothing of it."""
    for product in cluster.list("DataProduct"):
        if product["metadata"]["namespace"] in namespaces and not is_settled(product):
            yield key_of(product)
    for request in cluster.list("AccessRequest"):
        around = {request["metadata"]["namespace"], asked_product(request).namespace}
        if around & set(namespaces) and not is_settled(request):
            yield key_of(request)


def _family(domain: Manifest, cluster: Cluster) -> tuple[Key, ...]:
    """Parent and children: a parent waits for its children to go, a child for its parent to come."""
    name = domain["metadata"]["name"]
    parent = ((domain.get("spec") or {}).get("parentRef") or {}).get("name")
    below = [d for d in cluster.list("Domain") if ((d.get("spec") or {}).get("parentRef") or {}).get("name") == name]
    return (*((Key("Domain", "", parent),) if parent else ()), *map(key_of, below))


def _domains_of_namespace(namespace: Manifest, cluster: Cluster) -> tuple[Key, ...]:
    name = namespace["metadata"]["name"]
    naming = [key_of(domain) for domain in cluster.list("Domain") if name in named_namespaces(domain)]
    return tuple(dict.fromkeys((*naming, *_domain_of_label(namespace))))


def _domain_of_label(manifest: Manifest) -> tuple[Key, ...]:
    name = (manifest["metadata"].get("labels") or {}).get(marks.DOMAIN_LABEL)
    return (Key("Domain", "", str(name)),) if name else ()


def _owners_of_product(product: Manifest, cluster: Cluster) -> tuple[Key, ...]:
    """Domain and store count their products; a store that lives and waits for nothing can do so at its next look."""
    store = store_name_of(product)
    stores = (Key("ObjectStore", "", store),) if store else ()
    domains = _domain_around(product, cluster)
    return (*(key for key in domains if cluster.get(key)), *(key for key in stores if _is_deleting(cluster.get(key))))


def _domain_around(manifest: Manifest, cluster: Cluster) -> tuple[Key, ...]:
    namespace = cluster.get(Key("Namespace", "", manifest["metadata"]["namespace"]))
    return _domain_of_label(namespace) if namespace else ()


def _blocked_domains(change: Change, cluster: Cluster) -> Iterator[Key]:
    """A request or grant that goes may be what a domain or a store waits for."""
    if change.new is not None:
        return
    for key in _domain_around(change.manifest, cluster):
        domain = cluster.get(key)
        conditions = ((domain or {}).get("status") or {}).get("conditions") or ()
        if any(found["type"] == "DeletionBlocked" for found in conditions):
            yield key
    place = ((change.manifest.get("status") or {}).get("place") or {}).get("store")
    if place and _is_deleting(cluster.get(Key("ObjectStore", "", place))):
        yield Key("ObjectStore", "", place)


def _is_deleting(manifest: Manifest | None) -> bool:
    return manifest is not None and bool(manifest["metadata"].get("deletionTimestamp"))
