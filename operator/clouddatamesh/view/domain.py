"""A Domain on one page: what it is about, how it is, its team and the team's training, from the Domain and from its profile."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.plan.references import named_namespaces
from clouddatamesh.view.health import Health, health_of
from clouddatamesh.view.mesh import Mesh
from clouddatamesh.view.naming import title_of
from clouddatamesh.view.product import Documentation, documentation_of
from clouddatamesh.view.raw import entries, text, value, words
from clouddatamesh.view.violations import Broken, violations_of


@dataclass(frozen=True)
class Member:
    """A member of the team; `first` and `last` are days, empty where there is none."""

    username: str
    name: str
    role: str
    first: str
    last: str


@dataclass(frozen=True)
class Trained:
    """The state of a training of a member: current, due or overdue. `until` is its last valid day."""

    training: str
    username: str
    state: str
    until: str


@dataclass(frozen=True)
class Course:
    """A training, and how many members are in which state; None where the operator has not judged it."""

    name: str
    url: str
    required_for: tuple[str, ...]
    valid_for: str
    current: int | None
    due: int | None
    overdue: int | None


@dataclass(frozen=True)
class DomainPage:
    """`profile` is the health of the profile; None where there is none that the reader may read, and `is_profile_hidden` says why."""

    key: Key
    title: str
    health: Health
    profile: Health | None
    is_profile_hidden: bool
    home: str
    """The namespace of the profile."""
    description: tuple[tuple[str, str], ...]
    facts: tuple[tuple[str, str], ...]
    team: str
    members: tuple[Member, ...]
    training: tuple[Course, ...]
    trained: tuple[Trained, ...]
    stakeholders: tuple[tuple[str, str, str], ...]
    data_sources: tuple[tuple[str, str, str, str], ...]
    data_models: tuple[tuple[str, str, str], ...]
    processing: tuple[tuple[str, str, str], ...]
    documentation: Documentation
    violations: tuple[Broken, ...]


_NOTHING: Final[Manifest] = {}


def profile_key(domain: Manifest) -> Key:
    """Where the profile of a Domain is: in its home namespace, under its name."""
    return Key("DomainProfile", named_namespaces(domain)[0], domain["metadata"]["name"])


def show_domain(mesh: Mesh, domain: Manifest) -> DomainPage:
    """The page of a Domain of the mesh, with its profile as far as that was read."""
    place = profile_key(domain)
    found = mesh.objects.get(place)
    profile = found or _NOTHING

    def rows(field: str, *columns: str) -> Iterator[tuple[str, ...]]:
        return (tuple(text(entry, column) for column in columns) for entry in entries(_winner(domain, profile, field), "spec", field))

    team = _winner(domain, profile, "team")
    shown: Any = {
        "stakeholders": tuple(rows("stakeholders", "name", "role", "email")),
        "data_sources": tuple(rows("dataSources", "name", "type", "owner", "description")),
        "data_models": tuple(rows("dataModels", "name", "version", "url")),
        "processing": tuple(rows("processing", "name", "type", "description")),
    }
    return DomainPage(
        key=key_of(domain),
        title=title_of(domain),
        health=health_of(domain),
        profile=health_of(found) if found is not None else None,
        is_profile_hidden=found is None and not mesh.may_list("DomainProfile", place.namespace),
        home=place.namespace,
        description=tuple(_description(_winner(domain, profile, "description"))),
        facts=tuple((name, said) for name, said in _facts(domain) if said),
        team=text(team, "spec", "team", "name"),
        members=tuple(_member(entry) for entry in entries(team, "spec", "team", "members")),
        training=tuple(_courses(profile)),
        violations=violations_of(domain),
        trained=tuple(_trained(entry) for entry in entries(profile, "status", "training", "people")),
        documentation=documentation_of(profile),
        **shown,
    )


def with_profile(mesh: Mesh, domain: Manifest) -> Manifest:
    """The Domain as readers see it: with the fields that its profile gives, where the reader may read that."""
    profile = mesh.objects.get(profile_key(domain), _NOTHING)
    given = {field: said for field in _SHARED if (said := value(profile, "spec", field))}
    return {**domain, "spec": {**(value(domain, "spec") or {}), **given}}


_SHARED: Final = ("description", "stakeholders", "dataSources", "dataModels", "processing", "team")


def _winner(domain: Manifest, profile: Manifest, field: str) -> Manifest:
    """The object whose field is shown: the profile where it gives the field, else the Domain."""
    return profile if value(profile, "spec", field) else domain


def _description(manifest: Manifest) -> Iterator[tuple[str, str]]:
    said = ((part, text(manifest, "spec", "description", part)) for part in ("purpose", "limitations", "usage"))
    return ((part, words) for part, words in said if words)


def _facts(domain: Manifest) -> tuple[tuple[str, str], ...]:
    lists = ("owners", "engineers", "viewers")
    subjects = (
        (people.title(), ", ".join(f"{text(one, 'kind')} {text(one, 'name')}" for one in entries(domain, "spec", "access", people)))
        for people in lists
    )
    return (
        ("Type", text(domain, "spec", "type")),
        ("Parent", text(domain, "spec", "parentRef", "name")),
        ("Namespaces", ", ".join(text(entry, "name") for entry in entries(domain, "status", "namespaces"))),
        ("Products", text(domain, "status", "dataProducts")),
        *subjects,
        ("From the team", "members of the Domain's own team have rights" if value(domain, "spec", "access", "fromTeam") is True else ""),
        ("Former members", next((text(one, "message") for one in _conditions(domain, "FormerMembers")), "")),
    )


def _conditions(manifest: Manifest, type_: str) -> Iterator[Manifest]:
    found = entries(manifest, "status", "conditions")
    return (one for one in found if text(one, "type") == type_ and text(one, "status") == "True")


def _member(entry: Manifest) -> Member:
    return Member(*(text(entry, field) for field in ("username", "name", "role", "dateIn", "dateOut")))


def _courses(profile: Manifest) -> Iterator[Course]:
    counts = {text(entry, "name"): entry for entry in entries(profile, "status", "training", "trainings")}
    for entry in entries(profile, "spec", "training"):
        found = counts.get(text(entry, "name"), _NOTHING)
        yield Course(
            text(entry, "name"),
            text(entry, "url"),
            words(entry, "requiredFor"),
            text(entry, "validFor"),
            *(value(found, state) for state in ("current", "due", "overdue")),
        )


def _trained(entry: Manifest) -> Trained:
    return Trained(*(text(entry, field) for field in ("training", "username", "state", "until")))
