"""What a change of one object makes due: the object itself, and whoever waits for it, keeps it or counts it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from clouddatamesh.model.judging import JUDGED
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.plan import marks
from clouddatamesh.plan.access.consumers import standing_of
from clouddatamesh.plan.access.facts import asked_product, consumer_key
from clouddatamesh.plan.references import BUCKET, named_namespaces
from clouddatamesh.ports import Cluster
from clouddatamesh.reconcile.changes import Change
from clouddatamesh.reconcile.indexes import UNSETTLED
from clouddatamesh.reconcile.judging import any_policies
from clouddatamesh.reconcile.pipeline import is_settled
from clouddatamesh.reconcile.review import matters_to
from clouddatamesh.reconcile.siblings import is_in_doubt, store_name_of
from clouddatamesh.reconcile.wakes_domains import (
    blocked_domains,
    domain_around,
    domain_of_label,
    domains_of_namespace,
    family,
    held_namespaces,
    is_deleting,
    owners_of_product,
    waiting_inside,
)
from clouddatamesh.reconcile.wakes_policies import counted_by, excepted_by, judged_by, judged_in
from clouddatamesh.reconcile.wakes_teams import is_other_leaving, judged_by_training, profiles_of
from clouddatamesh.status.summarize import is_true


@dataclass(frozen=True)
class Wake:
    """A key that became due, after some seconds: what only counts others waits a moment, so that a burst counts once."""

    key: Key
    after: float = 0.0


_COUNTED_AFTER: Final = 1.0
_SIBLINGS: Final = 20


def wakes(old: Manifest | None, new: Manifest | None, cluster: Cluster) -> tuple[Wake, ...]:
    """What a change makes due, each key once, at the earliest moment that anybody asks for."""
    change = Change(old, new)
    read = _BY_KIND.get(change.manifest["kind"], _of_child)
    due: dict[Key, float] = {}
    for wake in chain(read(change, cluster), _of_verdicts(change, cluster)):
        due[wake.key] = min(wake.after, due.get(wake.key, wake.after))
    return tuple(Wake(key, after) for key, after in due.items())


def _at_once(keys: Iterable[Key]) -> Iterator[Wake]:
    return (Wake(key) for key in keys)


def _later(keys: Iterable[Key]) -> Iterator[Wake]:
    return (Wake(key, _COUNTED_AFTER) for key in keys)


def _itself(change: Change) -> Iterator[Wake]:
    if change.is_news:
        yield Wake(key_of(change.manifest))


def _of_verdicts(change: Change, cluster: Cluster) -> Iterator[Wake]:
    """An object that is refused, or is not any more; and who counts violations."""
    if change.manifest["kind"] not in JUDGED:
        return
    if change.new is not None and matters_to(change.old, change.new):
        yield Wake(key_of(change.new))
    counting = tuple(counted_by(change))
    yield from _later(counting)
    if counting and change.manifest["kind"] != "Domain":
        yield from _later(key for key in domain_around(change.manifest, cluster) if cluster.get(key))


def _of_policy(change: Change, cluster: Cluster) -> Iterator[Wake]:
    """Its own status; where it says something else, the objects, and the DomainPolicies that may be in conflict with it."""
    yield from _itself(change)
    if change.is_rewritten:
        yield from _later(judged_by(change, cluster))
        yield from _later(cluster.keys("DomainPolicy"))
        # The grants that their ports would make are judged when these are looked at.
        yield from _later(key for place in cluster.named(UNSETTLED) for key in cluster.naming(place, "AccessRequest"))
        yield from _later(cluster.naming(key_of(change.manifest), "PolicyWaiver"))


def _of_waiver(change: Change, _cluster: Cluster) -> Iterator[Wake]:
    yield from _itself(change)
    if change.is_rewritten:
        yield from _at_once(chain.from_iterable(excepted_by(one) for one in (change.old, change.new) if one is not None))


def _of_store(change: Change, cluster: Cluster) -> Iterator[Wake]:
    yield from _itself(change)
    if _store_matters(change):
        store = key_of(change.manifest)
        products = cluster.naming(store, "DataProduct")
        yield from _at_once(products)
        yield from _at_once(cluster.naming(store, "AccessRequest"))
        waiting = (cluster.naming(Key(UNSETTLED, product.namespace, product.name), "AccessRequest") for product in products)
        yield from _at_once(chain.from_iterable(waiting))


def _of_domain(change: Change, cluster: Cluster) -> Iterator[Wake]:
    yield from _itself(change)
    yield from _at_once(family(change.manifest, cluster))
    if change.is_news and any_policies(cluster):
        yield from _later(judged_in(key_of(change.manifest), cluster))
    if change.is_news or held_namespaces(change.old) != held_namespaces(change.new):
        yield from _at_once(profiles_of(change.manifest, cluster))
    if change.is_news or held_namespaces(change.old) != held_namespaces(change.new) or matters_to(change.old, change.new):
        yield from _at_once(waiting_inside(named_namespaces(change.manifest), cluster))


def _of_namespace(change: Change, cluster: Cluster) -> Iterator[Wake]:
    """An annotation may be somebody's consent, which Domains wait for."""
    if change.is_news:
        yield from _at_once(domains_of_namespace(change, cluster))
    if change.changes_namespace:
        yield from _at_once(waiting_inside((change.manifest["metadata"]["name"],), cluster))


def _of_product(change: Change, cluster: Cluster) -> Iterator[Wake]:
    yield from _itself(change)
    product = key_of(change.manifest)
    if change.is_born_or_gone:
        yield from _at_once(cluster.naming(product, "AccessRequest"))
    elif _offer_matters(change):
        yield from _at_once(key_of(r) for r in cluster.referring(product, "AccessRequest") if asked_product(r) == product)
    if change.is_news:
        yield from _later(_bans(product, cluster))
    if not change.is_born_or_gone and _data_of(change.old) != _data_of(change.new):
        yield from _later(key_of(grant) for grant in cluster.referring(product, "AccessGrant"))  # owners are to look at them again
    if change.is_born_or_gone:
        yield from _later(owners_of_product(change.manifest, cluster))
        yield from _at_once(_rivals(change.manifest, cluster))
    elif is_other_leaving(change):
        yield from _later(domain_around(change.manifest, cluster))
    if change.new is not None and is_in_doubt(change.new) and not (change.old and is_in_doubt(change.old)):
        # Is it this bucket alone, or are all of them? That is known before anything is taken.
        yield from _at_once(_some_siblings(change.manifest, cluster))


def _bans(product: Key, cluster: Cluster) -> Iterator[Key]:
    """Refusals of whole namespaces, which name the product and no request."""
    grants = cluster.referring(product, "AccessGrant")
    return (key_of(grant) for grant in grants if (grant.get("spec") or {}).get("consumerNamespace"))


def _rivals(product: Manifest, cluster: Cluster) -> Iterator[Key]:
    """Products that name the same bucket: the next one's turn comes when the first one goes."""
    bucket = ((product.get("spec") or {}).get("storage") or {}).get("bucketName")
    rivals = cluster.naming(Key(BUCKET, "", str(bucket)), "DataProduct") if bucket else ()
    return (key for key in rivals if key != key_of(product))


def _some_siblings(product: Manifest, cluster: Cluster) -> tuple[Key, ...]:
    """Those of its store first; a mesh may have a store for each domain, so others follow."""
    near = cluster.naming(Key("ObjectStore", "", store_name_of(product) or ""), "DataProduct")[:_SIBLINGS]
    far = cluster.keys("DataProduct")[:_SIBLINGS]
    return tuple(dict.fromkeys((*near, *far)))[:_SIBLINGS]


def _of_profile(change: Change, cluster: Cluster) -> Iterator[Wake]:
    """Its Domain tells whom the team has let go, and is judged by rules on training."""
    yield from _itself(change)
    domains = domain_around(change.manifest, cluster)
    if change.is_news:
        yield from _later(domains)
    yield from _later(judged_by_training(change, domains, cluster))


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
    yield from _at_once(cluster.naming(key_of(change.manifest), "AccessGrant"))
    namespace = Key("Namespace", "", change.manifest["metadata"]["namespace"])
    home = asked_product(change.manifest).namespace
    yield from _later(key for key in cluster.naming(namespace, "AccessGrant") if key.namespace == home)
    yield from _later(key for key in (asked_product(change.manifest), consumer_key(change.manifest)) if key.kind == "DataProduct")
    yield from _later(blocked_domains(change, cluster))


def is_superseded(grant: Manifest) -> bool:
    """Whether its status says that a newer one came into effect."""
    return is_true(grant.get("status") or {}, "Superseded")


def _of_grant(change: Change, cluster: Cluster) -> Iterator[Wake]:
    yield from _itself(change)
    if change.new is not None and is_superseded(change.new) and not (change.old and is_superseded(change.old)):
        yield Wake(key_of(change.new))  # an answer of ours that gives no more is cleared away
    if not change.is_news and not matters_to(change.old, change.new):
        return
    spec, namespace = change.manifest.get("spec") or {}, change.manifest["metadata"]["namespace"]
    request = spec.get("requestRef") or {}
    if request.get("namespace") and request.get("name"):
        yield Wake(Key("AccessRequest", request["namespace"], request["name"]))
    if spec.get("consumerNamespace"):
        product = Key("DataProduct", namespace, str((spec.get("dataProductRef") or {}).get("name")))
        yield from _at_once(key for key in cluster.naming(product, "AccessRequest") if key.namespace == spec["consumerNamespace"])
    yield from _later(blocked_domains(change, cluster))


def _of_account(change: Change, cluster: Cluster) -> Iterator[Wake]:
    if change.is_born_or_gone:
        yield from _at_once(cluster.naming(key_of(change.manifest), "AccessRequest"))


def _of_child(change: Change, _cluster: Cluster) -> Iterator[Wake]:
    if change.is_news_of_child:
        for manifest in (change.new, change.old):
            yield from _at_once(domain_of_label(manifest) if manifest else ())


_BY_KIND: Final = {
    "ObjectStore": _of_store,
    "Domain": _of_domain,
    "Namespace": _of_namespace,
    "DataProduct": _of_product,
    "AccessRequest": _of_request,
    "AccessGrant": _of_grant,
    "AccessInbox": _of_inbox,
    "DomainProfile": _of_profile,
    "ServiceAccount": _of_account,
    "GovernancePolicy": _of_policy,
    "DomainPolicy": _of_policy,
    "PolicyWaiver": _of_waiver,
}


def _store_matters(change: Change) -> bool:
    """Products look again when a store becomes usable, or usable in another way; not when it is merely probed once more."""
    old, new = change.old, change.new
    if old is None or new is None or _is_given_up(old) != _is_given_up(new) or (_answers(new) and not _answers(old)):
        return True
    return is_settled(new) and (not is_settled(old) or _abilities(old) != _abilities(new) or change.is_rewritten)


def _answers(store: Manifest) -> bool:
    return is_true(store.get("status") or {}, "CredentialsValid")


def _is_given_up(store: Manifest) -> bool:
    return marks.is_let_go(store) and is_deleting(store)


def _abilities(store: Manifest) -> list[tuple[str, bool]]:
    return [(found["name"], found["supported"]) for found in (store.get("status") or {}).get("capabilities") or ()]


def _offer_matters(change: Change) -> bool:
    """Requests look again when a product is offered in another way: its spec, its bucket, or a port that drains."""
    return change.is_news or _offered(change.old) != _offered(change.new)


def _offered(product: Manifest | None) -> tuple[Any, ...]:
    status = (product or {}).get("status") or {}
    owned = [(c["status"], c["reason"]) for c in status.get("conditions") or () if c["type"] == "StorageReady"]
    ports = [(port["name"], port["version"], port.get("path")) for port in status.get("outputPorts") or ()]
    return status.get("storage"), owned, ports, (status.get("compliance") or {}).get("denied")


def _data_of(product: Manifest | None) -> tuple[Any, Any]:
    spec = (product or {}).get("spec") or {}
    return spec.get("classification"), spec.get("personalData")
