"""A Domain: the order of its steps. Everything it reads stands in the cache."""

from datetime import timedelta
from typing import Final, TypeAlias

from clouddatamesh.api.v1alpha1.domain import Domain
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.model.settings import Next
from clouddatamesh.model.world import DomainWorld
from clouddatamesh.plan import domain as planning
from clouddatamesh.plan import marks
from clouddatamesh.plan.children import CHILD_KINDS
from clouddatamesh.ports import Ports
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
    named = planning.namespaces_of(domain)
    namespaces = {
        namespace["metadata"]["name"]: namespace
        for namespace in cluster.list("Namespace")
        if namespace["metadata"]["name"] in named or _label(namespace) == name
    }
    children = tuple(
        child
        for kind in CHILD_KINDS
        for child in cluster.list(kind)
        if child["metadata"]["namespace"] in namespaces and _label(child) == name
    )
    own = {place for place, namespace in namespaces.items() if _label(namespace) == name}
    products = tuple(key_of(product) for product in cluster.list("DataProduct") if product["metadata"]["namespace"] in own)
    access = tuple(
        key_of(one) for kind in ("AccessRequest", "AccessGrant") for one in cluster.list(kind) if one["metadata"]["namespace"] in own
    )
    parents = _parents(cluster.list("Domain"))
    lineage = _lineage(domain, parents)
    return DomainWorld(
        now=ports.clock.now(),
        settings=ports.settings,
        namespaces=namespaces,
        children=children,
        claims=_claims(named, cluster.list("Domain")),
        products=products,
        access=access,
        subdomains=_below(name, parents),
        lineage=lineage,
        parent_missing=bool(lineage) and lineage[0] not in parents,
    )


def _label(manifest: Manifest) -> str | None:
    found = (manifest["metadata"].get("labels") or {}).get(marks.DOMAIN_LABEL)
    return str(found) if found is not None else None


def _claims(named: tuple[str, ...], domains: tuple[Manifest, ...]) -> dict[str, str]:
    """Who named each namespace first; the name decides between two of the same second."""
    first: dict[str, str] = {}
    for manifest in sorted(domains, key=lambda d: (d["metadata"].get("creationTimestamp") or "", d["metadata"]["name"])):
        entries = (manifest.get("spec") or {}).get("namespaces") or ({"name": manifest["metadata"]["name"]},)
        for entry in entries:
            if entry["name"] in named:
                first.setdefault(entry["name"], manifest["metadata"]["name"])
    return first


def _parents(domains: tuple[Manifest, ...]) -> dict[str, str | None]:
    return {d["metadata"]["name"]: ((d.get("spec") or {}).get("parentRef") or {}).get("name") for d in domains}


def _below(name: str, parents: dict[str, str | None]) -> tuple[str, ...]:
    return tuple(sorted(child for child, parent in parents.items() if parent == name and child != name))


def _lineage(domain: Domain, parents: dict[str, str | None]) -> tuple[str, ...]:
    """The parents upwards, each once."""
    lineage: list[str] = []
    current = domain.spec.parent_ref.name if domain.spec.parent_ref else None
    while current is not None and current not in lineage:
        lineage.append(current)
        current = parents.get(current)
    return tuple(lineage)
