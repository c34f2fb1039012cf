"""Teams on the real API server: who writes a profile, whom the Domain's own list gives rights until when, and whose training is due.

The days are far enough from today that no test minds midnight.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from hack.tools.children import ToolError
from tests.e2e.access import condition_of
from tests.e2e.actors import Actors
from tests.e2e.people import ENGINEER, HOME, OWNER, VIEWER, Guild, Person
from tests.e2e.people import may as may_in
from tests.support.manifests import a_domain, a_profile, a_team

CREW, ANNEX = "crew", "crew-annex"
KIM, LEE, RAY = (Person(f"{name}@crew.test") for name in ("kim", "lee", "ray"))


def day(days: int) -> str:
    """A UTC day so many days from today."""
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


def asking(*members: tuple[str, str, str, str], **access: Any) -> dict[str, Any]:
    return a_domain(CREW, namespaces=[{"name": CREW}, {"name": ANNEX}], team=a_team(*members), access=access)


@pytest.fixture(scope="module")
def crew(mesh: Actors) -> Iterator[Actors]:
    """A Domain of two namespaces whose team has no rights."""
    mesh.installed.apply(asking())
    mesh.installed.wait("domain", CREW)
    yield mesh
    mesh.installed.cluster.kubectl("delete", "domain", CREW, "--wait=true", "--timeout=60s")


def may(mesh: Actors, person: Person, verb: str, what: str, namespace: str = CREW) -> bool:
    return may_in(mesh, person, verb, what, namespace)


def condition(mesh: Actors, kind: str, name: str, namespace: str = "", *, type_: str = "Ready") -> dict[str, Any]:
    return condition_of(mesh.installed.get(kind, name, namespace), type_)


def events(mesh: Actors, reason: str) -> list[dict[str, Any]]:
    """Of the Domain. The operator writes them a moment after the status that they tell of."""
    return [one for one in mesh.installed.all("events.events.k8s.io") if (one["reason"], one["regarding"].get("name")) == (reason, CREW)]


def test_an_owner_writes_the_profile_and_nobody_else(guild: Guild) -> None:
    profile = a_profile(HOME, training=[{"name": "gdpr"}])
    for person in (ENGINEER, VIEWER):
        assert "cannot create resource" in guild.says(person, "create", "-f", "-", manifest=profile)
    assert guild.says(OWNER, "create", "-f", "-", manifest=profile) == ""
    guild.installed.wait("domainprofile", HOME, HOME)
    assert guild.says(OWNER, "patch", "dprof", HOME, "-n", HOME, "--type=merge", "-p", '{"spec":{"team":{"name":"Guild"}}}') == ""
    assert "cannot patch resource" in guild.says(ENGINEER, "patch", "dprof", HOME, "-n", HOME, "--type=merge", "-p", '{"spec":null}')
    assert "cannot delete resource" in guild.says(VIEWER, "delete", "dprof", HOME, "-n", HOME)
    for person in (ENGINEER, VIEWER):
        assert "Guild" in guild.kubectl(person, "get", "dprof", "-n", HOME)
    assert "is forbidden" in guild.says(OWNER, "patch", "domain", HOME, "--type=merge", "-p", '{"spec":{"displayName":"x"}}')
    assert guild.says(OWNER, "delete", "dprof", HOME, "-n", HOME) == ""


@pytest.mark.parametrize(("name", "namespace"), [(CREW, ANNEX), ("other", CREW), (CREW, "sales")])
def test_a_foreign_profile_is_ignored(crew: Actors, name: str, namespace: str) -> None:
    installed = crew.installed
    installed.apply(a_profile(name, namespace, training=[{"name": "gdpr"}], team=a_team(("kim", "owner", "", day(-2)))))
    try:
        installed.wait("domainprofile", name, namespace, condition="Stalled")
        assert condition(crew, "domainprofile", name, namespace)["reason"] == "ProfileIgnored"
        assert "training" not in installed.get("domainprofile", name, namespace)["status"]
    finally:
        installed.cluster.kubectl("delete", "dprof", name, "-n", namespace)


def test_the_team_has_rights_by_the_domains_own_list_and_its_dates(crew: Actors) -> None:
    members = (
        (KIM.user, "dataProductOwner", day(-10), day(2)),
        (LEE.user, "engineer", day(2), ""),
        (RAY.user, "engineer", "", ""),
    )
    crew.installed.apply(asking(*members, fromTeam=False))
    crew.installed.apply(a_profile(CREW, team=a_team((LEE.user, "owner", "", ""))))
    crew.installed.wait("domain", CREW)
    assert not any(may(crew, person, "get", "dataproducts") for person in (KIM, LEE, RAY))
    crew.installed.apply(asking(*members, fromTeam=True))
    crew.installed.until(lambda: may(crew, KIM, "create", "accessgrants"), what="the owner's right")
    for namespace in (CREW, ANNEX):
        crew.installed.until(partial(may, crew, RAY, "create", "dataproducts", namespace), what="the engineer's right")
        assert not may(crew, RAY, "create", "accessgrants", namespace)
        assert not may(crew, LEE, "get", "dataproducts", namespace), "it begins later, and a profile gives nothing"
    assert not may(crew, KIM, "get", "dataproducts", "sales")
    crew.installed.apply(asking((KIM.user, "dataProductOwner", day(-10), day(-2)), *members[1:], fromTeam=True))
    crew.installed.until(lambda: not may(crew, KIM, "get", "dataproducts", ANNEX), what="the end of the last day")
    crew.installed.until(lambda: not may(crew, KIM, "get", "dataproducts"), what="the same in the other namespace")
    crew.installed.apply(asking(*members))
    crew.installed.until(lambda: not may(crew, RAY, "get", "dataproducts"), what="the end of fromTeam")


def test_a_reserved_name_gets_nothing(crew: Actors) -> None:
    with pytest.raises(ToolError, match=r"A member of spec.team is named system:\*, which is reserved"):
        crew.installed.apply(asking(("system:masters", "owner", "", ""), fromTeam=True))


def test_who_left_is_reported_and_keeps_the_right(crew: Actors) -> None:
    crew.installed.apply(asking((KIM.user, "steward", "", day(-2)), owners=[{"kind": "User", "name": KIM.user}]))
    crew.installed.wait("domain", CREW, condition="FormerMembers")
    assert f"has passed: {KIM.user} (owners)" in condition(crew, "domain", CREW, type_="FormerMembers")["message"]
    crew.installed.until(lambda: may(crew, KIM, "create", "accessgrants"), what="the right of an owner")
    assert condition(crew, "domain", CREW)["status"] == "True"
    crew.installed.until(lambda: events(crew, "FormerMembers"), what="the event")
    crew.installed.apply(asking((KIM.user, "steward", "", day(2)), owners=[{"kind": "User", "name": KIM.user}]))
    crew.installed.until(lambda: not condition(crew, "domain", CREW, type_="FormerMembers"), what="the end of the report")


@pytest.mark.parametrize(
    ("done", "counts"),
    [(None, (0, 0, 1)), (day(-101), (0, 0, 1)), (day(-98), (0, 1, 0)), (day(-71), (0, 1, 0)), (day(-60), (1, 0, 0)), (day(3), (0, 0, 1))],
)
def test_training_is_judged_by_the_day(crew: Actors, done: str | None, counts: tuple[int, int, int]) -> None:
    completed = [{"username": "kim", "date": done}] if done else []
    training = [{"name": "gdpr", "requiredFor": ["steward"], "validFor": "100d", "completedBy": completed}]
    crew.installed.apply(a_profile(CREW, team=a_team(("kim", "steward", "", ""), ("lee", "engineer", "", "")), training=training))

    def found() -> tuple[int, ...]:
        profile = crew.installed.get("domainprofile", CREW, CREW)
        seen = profile.get("status", {}).get("training") or {}
        is_new = profile["status"].get("observedGeneration") == profile["metadata"]["generation"]
        return tuple(seen.get(state, -1) for state in ("current", "due", "overdue")) if is_new else ()

    crew.installed.until(lambda: found() == counts, what=f"{counts}")
    assert bool(condition(crew, "domainprofile", CREW, CREW, type_="TrainingOverdue")) == bool(counts[2])
