"""Effects on stores and Domains."""

from collections.abc import Iterator
from typing import Final

from clouddatamesh.model.objects import Manifest
from clouddatamesh.plan.references import named_namespaces
from clouddatamesh.view.effects.effect import Effect, Sign, becomes
from clouddatamesh.view.mesh import Mesh
from clouddatamesh.view.raw import entries, text, value, words

_ROLES: Final = ("owners", "engineers", "viewers")
_TEAM: Final = ("owners", "engineers")
"""Who has an additional role where it names nobody."""


def of_store(old: Manifest, new: Manifest, mesh: Mesh) -> Iterator[Effect]:
    if old and new and value(old, "spec", "allowedDomains") != value(new, "spec", "allowedDomains"):
        yield Effect(Sign.TAKE, "new products and new access of Domains that are no longer selected")
    if not old:
        yield Effect(Sign.MAKE, f"a bucket and a user that mark the mesh in {text(new, 'spec', 'endpointUrl') or 'AWS'}")
    if not new:
        name = old["metadata"]["name"]
        users = sum(text(product, "spec", "storage", "storeRef", "name") == name for product in mesh.all("DataProduct"))
        yield Effect(Sign.TAKE, f"the marks of the mesh in the store, after the {users} products that use it are gone; their data stays")


def of_domain(old: Manifest, new: Manifest, _mesh: Mesh) -> Iterator[Effect]:
    had, has = (set(named_namespaces(one)) if one else set() for one in (old, new))
    for name in sorted(has - had):
        yield Effect(Sign.MAKE, f"namespace {name}, or it is adopted where it consents, with roles and limits")
    for name in sorted(had - has):
        yield Effect(Sign.TAKE, f"namespace {name} leaves the domain: the team's roles and limits there go, objects and data stay")
    where = ", ".join(sorted(has or had))
    before, after = ({*_subjects(one)} for one in (old, new))
    yield from (Effect(Sign.GIVE, f"{who} is {role} in {where}") for role, who in sorted(after - before))
    yield from (Effect(Sign.TAKE, f"{who} is no longer {role} in {where}") for role, who in sorted(before - after))
    if old and new and value(old, "metadata", "labels") != value(new, "metadata", "labels"):
        yield Effect(
            Sign.TAKE, "the ObjectStores whose allowedDomains no longer select the domain: no new products and no new access there"
        )
    if old and becomes(old, new, "Domain", "spec", "resources", "networkIsolation", "mode"):
        yield Effect(Sign.TAKE, "connections to its Pods from other namespaces, except those that allowFrom selects")
    if becomes(old, new, "true", "spec", "cordoned"):
        yield Effect(Sign.TAKE, "no new products and no new access; what there is goes on")


def _subjects(domain: Manifest) -> Iterator[tuple[str, str]]:
    """Role and who has it."""
    for role in _ROLES:
        yield from ((role.removesuffix("s"), _who(subject)) for subject in entries(domain, "spec", "access", role))
    for more in entries(domain, "spec", "access", "additionalRoles"):
        for role in words(more, "subjects") or _TEAM:
            yield from ((text(more, "role"), _who(subject)) for subject in entries(domain, "spec", "access", role))


def _who(subject: Manifest) -> str:
    place = text(subject, "namespace")
    return f"{text(subject, 'kind')} {f'{place}/' if place else ''}{text(subject, 'name')}"
