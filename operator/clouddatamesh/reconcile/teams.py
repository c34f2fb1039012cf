"""What teams say of a Domain's people besides its own list: its profile, and members who left products. Nobody gets a right by it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from clouddatamesh.api.v1alpha1.domain import Domain
from clouddatamesh.api.v1alpha1.domainprofile import DomainProfile
from clouddatamesh.api.v1alpha1.team import TeamMember
from clouddatamesh.errors import MeshError
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.plan.domain import namespaces_of
from clouddatamesh.plan.namespaces import is_its_own
from clouddatamesh.plan.references import named_namespaces
from clouddatamesh.ports import Cluster, Ports
from clouddatamesh.reconcile.domains import find_domain
from clouddatamesh.reconcile.parse import read_leniently

LEAVERS: Final = "Leavers"
"""Products whose team has a member with a last day: by their namespace."""


def find_profile(domain: Domain, ports: Ports) -> Manifest | None:
    """The profile of a Domain: named as it, in its home namespace, while it has that namespace."""
    home = namespaces_of(domain)[0]
    namespace = ports.cluster.get(Key("Namespace", "", home))
    if namespace is None or not is_its_own(domain, namespace, ports.settings.mesh):
        return None
    return ports.cluster.get(Key("DomainProfile", home, domain.metadata.name))


_NO_TRAINING: Final[Mapping[str, Any]] = {"current": 0, "due": 0, "overdue": 0, "trainings": [], "people": []}


def training_of(domain: Manifest, cluster: Cluster) -> Mapping[str, Any]:
    """What rules find under domain.training: the status of the Domain's profile; without training that nothing is due."""
    home, name = named_namespaces(domain)[0], domain["metadata"]["name"]
    holder = find_domain(home, cluster)
    found = cluster.get(Key("DomainProfile", home, name)) if holder is not None and holder.name == name else None
    training = ((found or {}).get("status") or {}).get("training")
    return {**_NO_TRAINING, **training} if isinstance(training, Mapping) else _NO_TRAINING


def read_profile(domain: Domain, ports: Ports) -> DomainProfile | None:
    """The same as a model, without what cannot be read of it."""
    found = find_profile(domain, ports)
    try:
        return read_leniently(DomainProfile, found) if found is not None else None
    except MeshError:
        return None


def find_leavers(namespaces: Iterable[str], ports: Ports) -> tuple[TeamMember, ...]:
    """Members of products' teams who have a last day, the latest one of each person."""
    products = (product for place in namespaces for product in ports.cluster.referring(Key(LEAVERS, place, ""), "DataProduct"))
    members = sorted((member for product in products for member in leavers_of(product)), key=lambda one: (one.username, one.date_out or ""))
    return tuple({member.username: member for member in members}.values())


def leavers_of(product: Manifest) -> Iterator[TeamMember]:
    """The members of one product's team who have a last day; what is malformed names nobody."""
    team = (product.get("spec") or {}).get("team")
    members = team.get("members") if isinstance(team, Mapping) else None
    for member in members if isinstance(members, list) else ():
        found = _read(member)
        if found is not None and found.date_out:
            yield found


def _read(member: Any) -> TeamMember | None:
    try:
        return TeamMember.model_validate(member)
    except ValidationError:
        return None
