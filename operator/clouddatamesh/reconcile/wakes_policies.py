"""What a change of a policy, a waiver or a Domain makes due: objects that are to be judged again, each once, without asking a store."""

from collections.abc import Iterator
from itertools import chain

from clouddatamesh import reasons
from clouddatamesh.governance import waivers
from clouddatamesh.model.judging import JUDGED
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.plan.references import named_namespaces
from clouddatamesh.ports import Cluster
from clouddatamesh.reconcile.changes import Change
from clouddatamesh.reconcile.domains import find_domain
from clouddatamesh.reconcile.judging import any_policies
from clouddatamesh.reconcile.review import review_of
from clouddatamesh.reconcile.verdicts import policies_in, policy_key
from clouddatamesh.status.summarize import condition_of


def judged_by(change: Change, cluster: Cluster) -> Iterator[Key]:
    """The objects that a policy has, or had, as targets."""
    kinds = dict.fromkeys(chain.from_iterable(_kinds(one) for one in (change.old, change.new) if one is not None))
    if change.manifest["kind"] == "GovernancePolicy":
        for kind in kinds:
            yield from chain.from_iterable(_judged(key, cluster) for key in (cluster.keys(kind) if kind in JUDGED else ()))
        return
    home = find_domain(change.manifest["metadata"]["namespace"], cluster)
    if home is not None:
        yield from judged_in(Key("Domain", "", home.name), cluster, tuple(kinds))


def judged_in(domain: Key, cluster: Cluster, kinds: tuple[str, ...] = JUDGED) -> Iterator[Key]:
    """A Domain and those below it, and what is in their namespaces."""
    for key in _with_descendants(domain, cluster):
        if "Domain" in kinds:
            yield from _judged(key, cluster)
        manifest = cluster.get(key)
        for namespace in named_namespaces(manifest) if manifest is not None else ():
            found = (one for kind in kinds if kind in JUDGED for one in cluster.keys(kind, namespace))
            yield from chain.from_iterable(_judged(one, cluster) for one in found)


def _judged(key: Key, cluster: Cluster) -> Iterator[Key]:
    """What judges an object again; the object as a whole too where it waits for a policy to be corrected."""
    yield review_of(key)
    ready = condition_of((cluster.get(key) or {}).get("status") or {}, "Ready") or {}
    if ready.get("reason") == reasons.INVALID_RULE:
        yield key


def _with_descendants(domain: Key, cluster: Cluster) -> tuple[Key, ...]:
    found = [domain]
    for key in found:
        found += [child for child in cluster.naming(key, "Domain") if child not in found]
    return tuple(found)


def excepted_by(waiver: Manifest) -> Iterator[Key]:
    """The object of a waiver."""
    key = waivers.excepted_by(waiver)
    if key is not None:
        yield review_of(key)


def counted_by(change: Change) -> Iterator[Key]:
    """The policies whose violations are others than they were."""
    differing = policies_in(change.old) ^ policies_in(change.new)
    yield from (policy_key(name) for name in sorted({counted.namespace for counted in differing}))


def everything(cluster: Cluster) -> Iterator[tuple[Key, str]]:
    """After a start, where there are policies: every object that is judged, with its uid."""
    if not any_policies(cluster):
        return
    for kind in JUDGED:
        for manifest in cluster.list(kind):
            yield review_of(key_of(manifest)), manifest["metadata"]["uid"]


def _kinds(policy: Manifest) -> tuple[str, ...]:
    targets = (policy.get("spec") or {}).get("targets") or {}
    return tuple(str(kind) for kind in targets.get("kinds") or ("DataProduct",))
