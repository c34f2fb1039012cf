"""A Domain: the order of its steps. What it reads is in the cache, but for children that a close look reads live."""

from dataclasses import replace
from typing import TypeAlias

from clouddatamesh.api.v1alpha1.domain import Domain
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.model.settings import Next
from clouddatamesh.model.world import DomainWorld
from clouddatamesh.plan import domain as planning
from clouddatamesh.plan.namespaces import is_its_own
from clouddatamesh.ports import Cluster, Ports
from clouddatamesh.reconcile.children import RESYNC, Hidden, find_former, find_marked, find_orphaned, find_witnessed, is_close_look
from clouddatamesh.reconcile.execute import Executor, Target
from clouddatamesh.reconcile.indexes import UNHELD, find_newcomers, is_newcomer
from clouddatamesh.reconcile.parse import parse, read_leniently
from clouddatamesh.reconcile.pipeline import Flow, run
from clouddatamesh.reconcile.teams import find_leavers, read_profile
from clouddatamesh.reconcile.verdicts import count_in
from clouddatamesh.reconcile.visit import Visit
from clouddatamesh.status.domain import report, report_deletion

Looked: TypeAlias = tuple[Domain, DomainWorld]
"""A domain and its world, as one pass saw them."""


def reconcile(key: Key, manifest: Manifest, ports: Ports) -> Next:
    """Bring one domain to what it should be, or its deletion one step on."""
    visit, hidden = Visit.of(key, manifest, ports), Hidden(ports)
    deleting = bool(manifest["metadata"].get("deletionTimestamp"))

    def look() -> Looked:
        found = visit.manifest()
        domain = (read_leniently if deleting else parse)(Domain, found)
        world = gather(domain, hidden, is_close=is_close_look(found, ports.clock.now()))
        return domain, world if deleting else replace(world, denial=visit.judgement().denial)

    flow: Flow[Looked] = Flow(
        gather=look,
        plan=lambda seen: (planning.plan_deletion if deleting else planning.plan)(*seen),
        permitted=lambda seen, full: full if deleting else planning.permitted(seen[0], full),
        executor=lambda seen: Executor(Target(visit.key, visit.uid, ports.cluster, visit.write_record, seen[1].now)),
        report=lambda seen, full: report_deletion(*seen) if deleting else report(*seen, full),
    )
    return run(visit, flow, interval=RESYNC)


def gather(domain: Domain, hidden: Hidden, *, is_close: bool) -> DomainWorld:
    """Namespaces, children, products, and the domains around it. Before a namespace is let go it is always looked at closely."""
    ports = hidden.ports
    cluster, name, mesh = ports.cluster, domain.metadata.name, ports.settings.mesh
    own_key, named = key_of_domain(name), planning.namespaces_of(domain)
    marked = find_marked(name, cluster)
    former, doubtful = find_former(domain, marked, ports)
    known = {*named, *(seen.name for seen in domain.status.namespaces)}
    namespaces = _namespaces_of(name, known | former, cluster)
    # What is in a namespace that the domain never told of keeps nobody waiting: whoever may write there may have forged the child in it.
    own = sorted(place for place, found in namespaces.items() if place in former & known or is_its_own(domain, found, mesh))
    products = tuple(key for place in own for key in cluster.keys("DataProduct", place))
    access = tuple(key for kind in ("AccessRequest", "AccessGrant") for place in own for key in cluster.keys(kind, place))
    newcomers = frozenset(
        key for place in own for key in find_newcomers(Key(UNHELD, place, ""), domain.metadata.deletion_timestamp, cluster)
    )
    busy = {key.namespace for key in {*products, *access} - newcomers}
    kept = set() if domain.metadata.deletion_timestamp else set(named)
    places = sorted(({*own, *named} & set(namespaces)) if is_close else set(own) - kept - busy)
    lost, unread = hidden.find(domain, places)
    left = find_orphaned(domain, (place for place in own if place not in former), cluster)
    seen = (child for child in marked if child["metadata"]["namespace"] in set(namespaces) - set(doubtful))
    children = tuple({key_of(child): child for child in (*seen, *lost, *left)}.values())
    lineage = _lineage(domain, cluster)
    parent = cluster.get(key_of_domain(lineage[0])) if lineage else None
    return DomainWorld(
        now=ports.clock.now(),
        settings=ports.settings,
        namespaces=namespaces,
        children=children,
        witnessed=find_witnessed(children, name, cluster) | {child["metadata"]["uid"] for child in left},
        unread={**doubtful, **unread},
        former=former,
        claims=_claims(named, cluster),
        products=products,
        access=access,
        violations=sum(count_in(place, cluster) for place in own),
        newcomers=newcomers,
        subdomains=_subdomains(own_key, domain.metadata.deletion_timestamp, cluster),
        lineage=lineage,
        parent_missing=bool(lineage) and parent is None,
        parent_deleting=parent is not None and bool(parent["metadata"].get("deletionTimestamp")),
        is_time_trusted=ports.clock.is_trusted(),
        profile=read_profile(domain, ports),
        former_members=find_leavers(own, ports),
    )


def _namespaces_of(name: str, places: set[str], cluster: Cluster) -> dict[str, Manifest]:
    """These namespaces, and all whose label or marks name the domain."""
    wanted = (cluster.get(Key("Namespace", "", place)) for place in sorted(places))
    marked = cluster.referring(key_of_domain(name), "Namespace")
    return {found["metadata"]["name"]: found for found in (*wanted, *marked) if found is not None}


def key_of_domain(name: str) -> Key:
    """The key of a Domain."""
    return Key("Domain", "", name)


def _claims(named: tuple[str, ...], cluster: Cluster) -> dict[str, str]:
    """Who named each namespace first; the name decides between two of the same second."""
    rivals = {place: cluster.referring(Key("Namespace", "", place), "Domain") for place in named}
    born = {place: sorted((d["metadata"].get("creationTimestamp") or "", d["metadata"]["name"]) for d in rivals[place]) for place in named}
    return {place: found[0][1] for place, found in born.items() if found}


def _subdomains(own: Key, since: str | None, cluster: Cluster) -> tuple[str, ...]:
    """Those that name this one as their parent; of a domain that is being deleted not those that came later and hold nothing yet."""
    if since is None:
        return tuple(sorted(key.name for key in cluster.naming(own, "Domain") if key != own))
    found = (child for child in cluster.referring(own, "Domain") if not is_newcomer(child, since))
    return tuple(sorted(key.name for key in map(key_of, found) if key != own))


def _lineage(domain: Domain, cluster: Cluster) -> tuple[str, ...]:
    """The parents upwards, each once."""
    lineage: list[str] = []
    current = domain.spec.parent_ref.name if domain.spec.parent_ref else None
    while current is not None and current not in lineage:
        lineage.append(current)
        parent = cluster.get(key_of_domain(current)) or {}
        current = ((parent.get("spec") or {}).get("parentRef") or {}).get("name")
    return tuple(lineage)
