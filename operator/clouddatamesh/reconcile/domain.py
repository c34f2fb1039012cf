"""A Domain: the order of its steps. Everything it reads stands in the cache."""

from datetime import timedelta
from typing import Final, TypeAlias

from clouddatamesh.api.v1alpha1.domain import Domain
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.settings import Next
from clouddatamesh.model.world import DomainWorld
from clouddatamesh.plan import domain as planning
from clouddatamesh.plan import marks
from clouddatamesh.plan.children import CHILD_KINDS
from clouddatamesh.ports import Cluster, Ports
from clouddatamesh.reconcile.execute import Executor, Target
from clouddatamesh.reconcile.parse import parse, read_leniently
from clouddatamesh.reconcile.pipeline import Flow, Visit, run
from clouddatamesh.status.domain import report, report_deletion

_RESYNC: Final = timedelta(minutes=10)
Looked: TypeAlias = tuple[Domain, DomainWorld]
"""A domain and its world, as one pass saw them."""


def reconcile(key: Key, manifest: Manifest, ports: Ports) -> Next:
    """Bring one domain to what it should be, or its deletion one step on."""
    visit = Visit.of(key, manifest, ports)
    deleting = bool(manifest["metadata"].get("deletionTimestamp"))

    def look() -> Looked:
        domain = (read_leniently if deleting else parse)(Domain, visit.manifest())
        return domain, gather(domain, ports)

    flow: Flow[Looked] = Flow(
        gather=look,
        plan=lambda seen: (planning.plan_deletion if deleting else planning.plan)(*seen),
        permitted=lambda seen, full: full if deleting else planning.permitted(seen[0], full),
        executor=lambda seen: Executor(Target(visit.key, visit.uid, ports.cluster, visit.write_record, seen[1].now)),
        report=lambda seen, full: report_deletion(*seen) if deleting else report(*seen, full),
    )
    return run(visit, flow, interval=_RESYNC)


def gather(domain: Domain, ports: Ports) -> DomainWorld:
    """Namespaces, children, products, and the domains above, below and beside."""
    cluster, name = ports.cluster, domain.metadata.name
    own_key, named = key_of_domain(name), planning.namespaces_of(domain)
    found = (cluster.get(Key("Namespace", "", place)) for place in named)
    labelled = cluster.referring(own_key, "Namespace")
    namespaces = {one["metadata"]["name"]: one for one in (*found, *labelled) if one is not None}
    children = tuple(
        child for kind in CHILD_KINDS for child in cluster.referring(own_key, kind) if child["metadata"]["namespace"] in namespaces
    )
    own = sorted(place for place, namespace in namespaces.items() if _label(namespace) == name)
    products = tuple(key for place in own for key in cluster.keys("DataProduct", place))
    access = tuple(key for kind in ("AccessRequest", "AccessGrant") for place in own for key in cluster.keys(kind, place))
    lineage = _lineage(domain, cluster)
    return DomainWorld(
        now=ports.clock.now(),
        settings=ports.settings,
        namespaces=namespaces,
        children=children,
        claims=_claims(named, cluster),
        products=products,
        access=access,
        subdomains=tuple(sorted(key.name for key in cluster.naming(own_key, "Domain") if key != own_key)),
        lineage=lineage,
        parent_missing=bool(lineage) and cluster.get(key_of_domain(lineage[0])) is None,
    )


def _label(manifest: Manifest) -> str | None:
    found = (manifest["metadata"].get("labels") or {}).get(marks.DOMAIN_LABEL)
    return str(found) if found is not None else None


def key_of_domain(name: str) -> Key:
    """The key of a Domain."""
    return Key("Domain", "", name)


def _claims(named: tuple[str, ...], cluster: Cluster) -> dict[str, str]:
    """Who named each namespace first; the name decides between two of the same second."""
    rivals = {place: cluster.referring(Key("Namespace", "", place), "Domain") for place in named}
    born = {place: sorted((d["metadata"].get("creationTimestamp") or "", d["metadata"]["name"]) for d in rivals[place]) for place in named}
    return {place: found[0][1] for place, found in born.items() if found}


def _lineage(domain: Domain, cluster: Cluster) -> tuple[str, ...]:
    """The parents upwards, each once."""
    lineage: list[str] = []
    current = domain.spec.parent_ref.name if domain.spec.parent_ref else None
    while current is not None and current not in lineage:
        lineage.append(current)
        parent = cluster.get(key_of_domain(current)) or {}
        current = ((parent.get("spec") or {}).get("parentRef") or {}).get("name")
    return tuple(lineage)
