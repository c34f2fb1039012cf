"""A DomainProfile's plan: nothing is made for it. Whether it is its Domain's, or why it is ignored."""

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.domainprofile import DomainProfile
from clouddatamesh.errors import MeshError, Terminal, Waiting
from clouddatamesh.model.plan import Part, Plan, stopped
from clouddatamesh.model.world import ProfileWorld
from clouddatamesh.plan.namespaces import why_homeless


def plan(profile: DomainProfile, world: ProfileWorld) -> Plan:
    """Only the reason why the profile does not count, if there is one."""
    error = find_obstacle(profile, world)
    return Plan((Part("profile", stopped(error)),) if error is not None else ())


def find_obstacle(profile: DomainProfile, world: ProfileWorld) -> MeshError | None:
    """Why a profile does not count, or not yet."""
    namespace = profile.metadata.namespace
    if world.domain is None:
        return Waiting(reasons.DOMAIN_NOT_FOUND, why_homeless(namespace))
    misplaced = find_misplaced(profile.metadata.name, namespace, world.domain.metadata.name, world.home)
    if misplaced:
        return Terminal(reasons.PROFILE_IGNORED, misplaced)
    if profile.spec.training and not world.is_time_trusted and not _is_judged(profile):
        return Waiting(reasons.CLOCK_SKEWED, "The clock differs from the API server's, so no training is judged until both agree")
    return None


def _is_judged(profile: DomainProfile) -> bool:
    """Whether status tells of the spec as it is."""
    ready = any(found.type == "Ready" and found.status == "True" for found in profile.status.conditions)
    return ready and profile.status.observed_generation == profile.metadata.generation


def find_misplaced(name: str, namespace: str, domain: str, home: str) -> str:
    """Why a profile in a namespace of a Domain is not that Domain's; empty where it is."""
    if namespace != home:
        return f"Namespace {namespace} is not the home of Domain {domain}, so this profile is ignored; create it in namespace {home}"
    if name != domain:
        return f"The profile of Domain {domain} is named {domain}, so this one is ignored; name it {domain}, or remove it"
    return ""
