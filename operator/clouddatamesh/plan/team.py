"""Who is in a team on a day, and what follows of it: rights of a Domain's own members, and who left and is named still.

Days are UTC. Only the Domain's own list gives rights: who writes a profile or a product must not be able to.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final

from clouddatamesh.api.v1alpha1.domain import Domain
from clouddatamesh.api.v1alpha1.domainaccess import AccessSubject
from clouddatamesh.api.v1alpha1.team import Team, TeamMember
from clouddatamesh.model.objects import Key, key_of
from clouddatamesh.model.world import DomainWorld
from clouddatamesh.plan.children import NAME, is_child_of

ROLES: Final = {
    "owners": frozenset({"owner", "dataProductOwner", "dataOwner"}),
    "engineers": frozenset({"engineer", "dataEngineer"}),
}
"""List of spec.access -> roles of the Domain's team whose members are in it by access.fromTeam. Words are compared as they are written."""
_LISTS: Final = ("owners", "engineers", "viewers")
_RESERVED: Final = "system:"
_LONGEST: Final = 253
"""As long as the name of a subject of spec.access."""


def day_of(now: datetime) -> str:
    """The UTC day of a moment, as a team's dates are written."""
    return now.astimezone(UTC).date().isoformat()


def is_member(member: TeamMember, day: str) -> bool:
    """Whether somebody is in the team on a day; the first and the last day count."""
    return (member.date_in is None or member.date_in <= day) and not has_left(member, day)


def has_left(member: TeamMember, day: str) -> bool:
    """Whether the last day of somebody has passed."""
    return member.date_out is not None and member.date_out < day


def enroll(domain: Domain, namespace: str, world: DomainWorld) -> Domain:
    """The Domain with the members of its team among the subjects of spec.access, where access.fromTeam says so."""
    if not domain.spec.access.from_team or domain.spec.team is None:
        return domain
    access = domain.spec.access.model_copy(update={people: _with_members(domain, people, namespace, world) for people in ROLES})
    return domain.model_copy(update={"spec": domain.spec.model_copy(update={"access": access})})


def _with_members(domain: Domain, people: str, namespace: str, world: DomainWorld) -> tuple[AccessSubject, ...]:
    named: tuple[AccessSubject, ...] = getattr(domain.spec.access, people)
    already = {subject.name for subject in named if subject.kind == "User"}
    bound = _bound_users(domain, people, namespace, world)
    found = (member.username for member in _entitled(domain, people) if _counts(member, bound, world))
    return (*named, *(AccessSubject(kind="User", name=name) for name in dict.fromkeys(found) if name not in already))


def _entitled(domain: Domain, people: str) -> Iterator[TeamMember]:
    """Members of the Domain's own team whose role leads to a list of spec.access."""
    for member in _members(domain.spec.team):
        if member.role in ROLES[people] and not member.username.startswith(_RESERVED) and len(member.username) <= _LONGEST:
            yield member


def _counts(member: TeamMember, bound: frozenset[str], world: DomainWorld) -> bool:
    """Whether a member has the right now. A clock that is not trusted gives nothing by a date, and takes nothing."""
    if world.is_time_trusted or not (member.date_in or member.date_out):
        return is_member(member, day_of(world.now))
    return member.username in bound


def _bound_users(domain: Domain, people: str, namespace: str, world: DomainWorld) -> frozenset[str]:
    key = Key("RoleBinding", namespace, f"{NAME}-{people}")
    found = next((child for child in world.children if key_of(child) == key), None)
    if found is None or not (is_child_of(found, domain.metadata.name) or found["metadata"]["uid"] in world.witnessed):
        return frozenset()
    return frozenset(str(subject.get("name")) for subject in found.get("subjects") or () if subject.get("kind") == "User")


def _members(team: Team | None) -> tuple[TeamMember, ...]:
    return team.members if team is not None else ()


def find_former(domain: Domain, world: DomainWorld) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Users whose last day in the team has passed and who are named in spec.access still, each with the lists that name him."""
    last_words, day = _last_words(domain, world), day_of(world.now)
    named = {name: lists for name, lists in _named_users(domain).items() if name in last_words}
    return tuple((name, named[name]) for name in sorted(named) if has_left(last_words[name], day))


def _named_users(domain: Domain) -> dict[str, tuple[str, ...]]:
    lists = {people: {subject.name for subject in getattr(domain.spec.access, people) if subject.kind == "User"} for people in _LISTS}
    return {name: tuple(people for people in _LISTS if name in lists[people]) for name in sorted(set().union(*lists.values()))}


def _last_words(domain: Domain, world: DomainWorld) -> dict[str, TeamMember]:
    """What counts of each person: the Domain's own list before the profile's, and that before those of products."""
    profile = world.profile.spec.team if world.profile is not None else None
    said = (*_members(domain.spec.team), *_members(profile), *world.former_members)
    return {member.username: member for member in reversed(said)}


def next_change(domain: Domain, world: DomainWorld) -> datetime | None:
    """The beginning of the next day on which a date changes rights or what is told; None where none does."""
    if not world.is_time_trusted:
        return None
    dates: list[date | None] = []
    if domain.spec.access.from_team:
        members = [member for people in ROLES for member in _entitled(domain, people)]
        dates = [moment for member in members for moment in (begins(member), ends(member))]
    last_words = _last_words(domain, world)
    dates += [ends(last_words[name]) for name in _named_users(domain) if name in last_words]
    return earliest(dates, world.now)


def begins(member: TeamMember) -> date | None:
    """The first day of somebody in the team."""
    return first_from(member.date_in) if member.date_in else None


def ends(member: TeamMember) -> date | None:
    """The first day on which somebody is not in the team any more."""
    last = first_from(member.date_out) if member.date_out else None
    return later(last, 1) if last is not None and last.isoformat() == member.date_out else last


def first_from(text: str) -> date | None:
    """The day of a text, or the next one that there is: the schema takes the 31st of every month. None after the end of time."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        year, month = int(text[:4]), int(text[5:7])
    try:
        return date(year + month // 12, month % 12 + 1, 1)
    except ValueError:
        return None


def later(day: date, days: int) -> date | None:
    """So many days later; None after the end of time."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return None


def earliest(dates: list[date | None], now: datetime) -> datetime | None:
    """The beginning of the first of these days that is still to come."""
    today = now.astimezone(UTC).date()
    coming = [day for day in dates if day is not None and day > today]
    return datetime.combine(min(coming), datetime.min.time(), tzinfo=UTC) if coming else None
