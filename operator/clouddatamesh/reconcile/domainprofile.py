"""A DomainProfile: which Domain it belongs to, and whose training is due. It is read and reported on; nothing is made for it."""

from datetime import timedelta
from typing import Final, TypeAlias

from clouddatamesh.api.v1alpha1.domain import Domain
from clouddatamesh.api.v1alpha1.domainprofile import DomainProfile
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.settings import Next
from clouddatamesh.model.world import ProfileWorld
from clouddatamesh.plan import domainprofile as planning
from clouddatamesh.plan.domain import namespaces_of
from clouddatamesh.ports import Ports
from clouddatamesh.reconcile.domains import find_domain
from clouddatamesh.reconcile.execute import Executor, Target
from clouddatamesh.reconcile.parse import parse, read_leniently
from clouddatamesh.reconcile.pipeline import Flow, run
from clouddatamesh.reconcile.visit import Visit
from clouddatamesh.status.domainprofile import report

_RESYNC: Final = timedelta(minutes=10)
Looked: TypeAlias = tuple[DomainProfile, ProfileWorld]
"""A profile and its world, as one pass saw them."""


def reconcile(key: Key, manifest: Manifest, ports: Ports) -> Next:
    """Report on one profile."""
    visit = Visit.of(key, manifest, ports)

    def look() -> Looked:
        return parse(DomainProfile, visit.manifest()), _gather(key.namespace, ports)

    flow: Flow[Looked] = Flow(
        gather=look,
        plan=lambda seen: planning.plan(*seen),
        executor=lambda seen: Executor(Target(visit.key, visit.uid, ports.cluster, visit.write_record, seen[1].now)),
        report=lambda seen, _: report(*seen),
    )
    return run(visit, flow, interval=_RESYNC)


def _gather(namespace: str, ports: Ports) -> ProfileWorld:
    found = find_domain(namespace, ports.cluster)
    manifest = ports.cluster.get(Key("Domain", "", found.name)) if found is not None else None
    domain = read_leniently(Domain, manifest) if manifest is not None else None
    return ProfileWorld(
        now=ports.clock.now(),
        is_time_trusted=ports.clock.is_trusted(),
        domain=domain,
        home=namespaces_of(domain)[0] if domain is not None else "",
    )
