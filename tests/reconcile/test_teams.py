"""Teams: rights that a Domain's own members have while they are in it, people who left and are named still, and training by the day."""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from clouddatamesh.model.objects import Event, Key
from clouddatamesh.reconcile.review import review_of
from clouddatamesh.reconcile.wakes import wakes
from tests.support.manifests import a_domain, a_product, a_profile, a_store, a_team
from tests.support.mesh import Mesh

GROUP: Final = [{"kind": "Group", "name": "sales-owners"}]
KIM: Final = {"kind": "User", "name": "kim"}
YEARLY: Final = {"name": "gdpr", "validFor": "365d"}


def users(mesh: Mesh, people: str, namespace: str = "sales") -> list[str]:
    found = mesh.cluster.get(Key("RoleBinding", namespace, f"clouddatamesh-{people}"))
    return [subject["name"] for subject in (found or {}).get("subjects") or () if subject["kind"] == "User"]


def training(mesh: Mesh, name: str = "sales", namespace: str = "sales") -> Mapping[str, Any]:
    found: Mapping[str, Any] = mesh.get("DomainProfile", name, namespace)["status"].get("training") or {}
    return found


def a_mesh(*members: tuple[str, str, str, str], access: dict[str, Any] | None = None, **spec: Any) -> Mesh:
    return Mesh().apply(a_store(), a_domain(team=a_team(*members), access={"owners": GROUP, **(access or {})}, **spec)).settle()


def later(mesh: Mesh, **delta: float) -> Mesh:
    mesh.clock.forward(**delta)
    return mesh.settle()


@pytest.mark.parametrize(
    ("role", "people"),
    [
        ("owner", "owners"),
        ("dataProductOwner", "owners"),
        ("dataOwner", "owners"),
        ("engineer", "engineers"),
        ("dataEngineer", "engineers"),
        ("steward", ""),
        ("Owner", ""),
        ("", ""),
    ],
)
def test_members_have_the_rights_of_their_role_where_the_domain_says_so(role: str, people: str) -> None:
    without = a_mesh(("kim", role, "", ""))
    assert not any(users(without, one) for one in ("owners", "engineers", "viewers"))
    mesh = a_mesh(("kim", role, "", ""), access={"fromTeam": True}, namespaces=[{"name": "sales"}, {"name": "sales-lab"}])
    for namespace in ("sales", "sales-lab"):
        assert {one: users(mesh, one, namespace) for one in ("owners", "engineers", "viewers")} == {
            one: ["kim"] if one == people else [] for one in ("owners", "engineers", "viewers")
        }


def test_who_is_a_subject_already_is_bound_once_and_reserved_names_never() -> None:
    mesh = a_mesh(("kim", "owner", "", ""), ("system:admin", "owner", "", ""), access={"fromTeam": True, "owners": [KIM]})
    assert users(mesh, "owners") == ["kim"]


def test_additional_roles_are_for_members_too() -> None:
    mesh = Mesh()
    mesh.settings = type(mesh.settings)(mesh="acme", namespace="clouddatamesh-system", version="test", bindable_roles=("workloads",))
    roles = [{"role": "workloads", "subjects": ["engineers"]}]
    mesh.apply(a_domain(team=a_team(("kim", "engineer", "", "2026-01-31")), access={"fromTeam": True, "additionalRoles": roles})).settle()
    assert users(mesh, "role-workloads") == ["kim"]
    assert users(later(mesh, days=31), "role-workloads") == []


def test_a_member_has_the_rights_from_the_first_to_the_end_of_the_last_day() -> None:
    mesh = a_mesh(("kim", "owner", "2026-01-02", "2026-01-03"), access={"fromTeam": True})
    seen = [users(mesh, "owners"), *(users(later(mesh, hours=12), "owners") for _ in range(7))]
    assert seen == [[], [], ["kim"], ["kim"], ["kim"], ["kim"], [], []]


def test_the_look_at_which_that_changes_is_due_when_the_day_begins() -> None:
    mesh = a_mesh(("kim", "owner", "", "2026-01-01"), access={"fromTeam": True})
    mesh.clock.forward(hours=23, minutes=59, seconds=30)
    assert mesh.settle().last[Key("Domain", "", "sales")].after == 30


def test_a_clock_that_is_not_trusted_gives_and_takes_nothing() -> None:
    mesh = a_mesh(("kim", "owner", "", "2026-01-31"), ("lee", "owner", "2026-02-01", ""), access={"fromTeam": True, "viewers": [KIM]})
    mesh.clock.trusted = False
    assert users(later(mesh, days=60), "owners") == ["kim"]
    assert mesh.condition("Domain", "sales", type_="FormerMembers") == {}
    mesh.clock.trusted = True
    assert users(mesh.settle(), "owners") == ["lee"]
    assert mesh.condition("Domain", "sales", type_="FormerMembers")["status"] == "True"
    mesh.clock.trusted = False
    assert mesh.settle().condition("Domain", "sales", type_="FormerMembers")["status"] == "True"
    assert users(later(mesh, days=-60), "owners") == ["lee"]


def test_what_is_edited_counts_whatever_the_clock() -> None:
    mesh = a_mesh(("kim", "owner", "", "2026-01-31"), access={"fromTeam": True})
    mesh.clock.trusted = False
    mesh.apply(a_domain(team=a_team(("ray", "owner", "", ""), ("new", "owner", "2026-01-01", "")), access={"fromTeam": True})).settle()
    assert users(mesh, "owners") == ["ray"]


def test_a_suspended_domain_takes_from_who_left_and_gives_to_nobody() -> None:
    people = ("kim", "owner", "", "2026-01-31"), ("lee", "owner", "2026-02-01", "")
    mesh = a_mesh(*people, access={"fromTeam": True}, suspend=True)
    assert users(mesh, "owners") == []
    mesh = a_mesh(*people, access={"fromTeam": True})
    mesh.apply(a_domain(team=a_team(*people), access={"owners": GROUP, "fromTeam": True}, suspend=True)).settle()
    assert users(later(mesh, days=40), "owners") == []


def test_no_profile_and_no_product_gives_a_right() -> None:
    mesh = a_mesh(access={"fromTeam": True})
    team = a_team(("kim", "owner", "", ""), ("lee", "engineer", "", ""))
    mesh.apply(a_profile(team=team), a_product(team=team)).settle()
    assert not any(users(mesh, one) for one in ("owners", "engineers", "viewers"))


LEFT: Final = a_team(("kim", "owner", "", "2025-12-31"))
STAYS: Final = a_team(("kim", "owner", "", ""))


@pytest.mark.parametrize(
    ("domain", "profile", "product", "told"),
    [
        (LEFT, None, None, True),
        (None, LEFT, None, True),
        (None, None, LEFT, True),
        (STAYS, LEFT, LEFT, False),
        (LEFT, STAYS, None, True),
        (None, STAYS, LEFT, False),
        (a_team(("kim", "owner", "", "2026-01-01")), None, None, False),
        (a_team(("lee", "owner", "", "2025-12-31")), None, None, False),
        (None, None, None, False),
    ],
)
def test_who_left_and_is_named_still_is_reported_and_keeps_his_rights(
    domain: dict[str, Any] | None, profile: dict[str, Any] | None, product: dict[str, Any] | None, told: bool
) -> None:
    spec: dict[str, Any] = {"team": domain} if domain else {}
    wish: dict[str, Any] = {"team": product} if product else {}
    mesh = Mesh().apply(a_store(), a_domain(access={"owners": [*GROUP, KIM], "engineers": [KIM]}, **spec)).settle()
    mesh.apply(a_profile(team=profile), a_product(**wish)).settle()
    found = mesh.condition("Domain", "sales", type_="FormerMembers")
    assert bool(found) == told
    assert users(mesh, "owners") == ["kim"]
    assert mesh.condition("Domain", "sales")["status"] == "True"
    if told:
        assert "has passed: kim (owners, engineers); remove them there" in found["message"]
        assert events(mesh, Key("Domain", "", "sales"), "FormerMembers") == [found["message"]]


def events(mesh: Mesh, key: Key, reason: str) -> list[str]:
    found: list[tuple[Key, Event]] = mesh.cluster.events
    return [event.note for where, event in found if where == key and event.reason == reason]


def test_he_is_reported_as_soon_as_the_day_has_passed_and_no_more_once_he_is_not_named() -> None:
    mesh = a_mesh(("kim", "owner", "", "2026-01-01"), access={"viewers": [KIM]})
    assert mesh.condition("Domain", "sales", type_="FormerMembers") == {}
    assert mesh.last[Key("Domain", "", "sales")].after is not None
    assert later(mesh, days=1).condition("Domain", "sales", type_="FormerMembers")["reason"] == "FormerMembers"
    mesh.apply(a_domain(team=a_team(("kim", "owner", "", "2026-01-01")), access={"owners": GROUP})).settle()
    assert mesh.condition("Domain", "sales", type_="FormerMembers") == {}


def test_training_is_current_due_and_overdue_by_the_day() -> None:
    done = [{"username": "kim", "date": "2025-03-02"}]
    mesh = a_mesh(("kim", "owner", "", ""), ("lee", "engineer", "2026-01-03", "2026-01-04"))
    mesh.apply(a_profile(training=[{**YEARLY, "completedBy": done}])).settle()
    seen = []
    for _ in range(5):
        found = training(mesh)
        seen.append((found["current"], found["due"], found["overdue"]))
        later(mesh, days=1)
    assert seen == [(1, 0, 0), (1, 0, 0), (1, 0, 1), (1, 0, 1), (1, 0, 0)]
    assert training(later(mesh, days=25))["people"] == [{"training": "gdpr", "username": "kim", "state": "due", "until": "2026-03-02"}]
    assert training(later(mesh, days=29))["due"] == 1
    assert training(later(mesh, days=2))["people"][0]["state"] == "overdue"
    assert "1 training is overdue: gdpr of kim; add" in mesh.condition("DomainProfile", "sales", "sales", "TrainingOverdue")["message"]
    assert len(events(mesh, Key("DomainProfile", "sales", "sales"), "TrainingOverdue")) == 2
    assert mesh.condition("DomainProfile", "sales", "sales")["status"] == "True"


def test_the_profiles_team_is_trained_before_the_domains() -> None:
    mesh = a_mesh(("kim", "owner", "", ""))
    mesh.apply(a_profile(training=[YEARLY])).settle()
    assert training(mesh)["people"] == [{"training": "gdpr", "username": "kim", "state": "overdue"}]
    mesh.apply(a_profile(training=[YEARLY], team=a_team(("lee", "", "", "")))).settle()
    assert [person["username"] for person in training(mesh)["people"]] == ["lee"]


@pytest.mark.parametrize(
    ("name", "namespace", "sentence"),
    [
        (
            "sales",
            "sales-lab",
            "Namespace sales-lab is not the home of Domain sales, so this profile is ignored; create it in namespace sales",
        ),
        ("other", "sales", "The profile of Domain sales is named sales, so this one is ignored; name it sales, or remove it"),
        ("sales", "inventory", "Namespace inventory is not the home of Domain stock"),
    ],
)
def test_a_profile_of_another_name_or_place_is_stalled_and_ignored(name: str, namespace: str, sentence: str) -> None:
    mesh = a_mesh(access={"owners": [KIM]}, namespaces=[{"name": "sales"}, {"name": "sales-lab"}])
    mesh.apply(a_domain("stock", namespaces=[{"name": "stock"}, {"name": "inventory"}])).settle()
    mesh.apply(a_profile(name, namespace, team=LEFT, training=[YEARLY])).settle()
    found = mesh.condition("DomainProfile", name, namespace, "Stalled")
    assert (found["reason"], found["message"].startswith(sentence)) == ("ProfileIgnored", True)
    assert training(mesh, name, namespace) == {}
    assert mesh.condition("Domain", "sales", type_="FormerMembers") == {}


def test_a_profile_waits_for_a_domain_and_loses_it_again() -> None:
    mesh = Mesh().apply(a_profile()).settle()
    assert mesh.condition("DomainProfile", "sales", "sales")["reason"] == "DomainNotFound"
    mesh.apply(a_domain(namespaceAdoption="IfConsented")).settle()
    assert mesh.condition("DomainProfile", "sales", "sales")["reason"] == "Ready"
    mesh.delete("Domain", "sales").settle()
    assert mesh.condition("DomainProfile", "sales", "sales")["reason"] == "DomainNotFound"


def test_without_a_clock_training_stays_as_it_was_and_nothing_new_is_judged() -> None:
    mesh = a_mesh(("kim", "owner", "", "")).apply(a_profile(training=[YEARLY])).settle()
    mesh.clock.trusted = False
    before = mesh.get("DomainProfile", "sales", "sales")["status"]
    assert later(mesh, days=900).get("DomainProfile", "sales", "sales")["status"] == before
    mesh.apply(a_profile(training=[YEARLY, {"name": "s3"}])).settle()
    assert mesh.condition("DomainProfile", "sales", "sales")["status"] == "Unknown"
    mesh.clock.trusted = True
    assert training(mesh.settle())["overdue"] == 2


def test_the_lists_are_bounded_and_the_totals_exact() -> None:
    people = a_team(*((f"{number:03}-{'x' * 250}", "owner", "", "") for number in range(128)))
    mesh = a_mesh().apply(a_profile(team=people, training=[{"name": f"{number:02}-{'y' * 60}"} for number in range(32)])).settle()
    found = training(mesh)
    assert (found["overdue"], len(found["people"]), len(found["trainings"])) == (128 * 32, 64, 32)
    assert len(str(mesh.get("DomainProfile", "sales", "sales")["status"])) < 65_536
    assert mesh.condition("DomainProfile", "sales", "sales", "TrainingOverdue")["message"].startswith("4096 trainings are overdue: ")


PROFILE, DOMAIN, OTHERS = Key("DomainProfile", "sales", "sales"), Key("Domain", "", "sales"), a_profile(team=LEFT)


def test_a_change_of_either_wakes_the_other() -> None:
    mesh = a_mesh().apply(a_profile(), a_profile("other", "sales")).settle()
    old, domain = mesh.get("DomainProfile", "sales", "sales"), mesh.get("Domain", "sales")
    new = {**old, "metadata": {**old["metadata"], "generation": 2}}
    assert {wake.key for wake in wakes(old, new, mesh.cluster)} == {PROFILE, DOMAIN}
    judged = {**old, "status": {**old["status"], "training": {"overdue": 1}}}
    assert wakes(old, judged, mesh.cluster) == (), "no policy asks"
    mesh.apply(CURRENT).settle()
    assert {wake.key for wake in wakes(old, judged, mesh.cluster)} == {review_of(DOMAIN)}
    assert wakes(old, old, mesh.cluster) == ()
    edited = {**domain, "metadata": {**domain["metadata"], "generation": 2}}
    woken = {wake.key for wake in wakes(domain, edited, mesh.cluster)}
    assert {PROFILE, Key("DomainProfile", "sales", "other")} <= woken


CURRENT: Final = {
    "apiVersion": "clouddatamesh.dev/v1alpha1",
    "kind": "GovernancePolicy",
    "metadata": {"name": "trained"},
    "spec": {
        "targets": {"kinds": ["Domain"]},
        "rules": [{"name": "current", "expression": "domain.training.overdue == 0", "message": "Learn"}],
    },
}


@pytest.mark.parametrize(
    ("profile", "violations"),
    [((), 0), ((a_profile(),), 0), ((a_profile(training=[YEARLY]),), 1), ((a_profile("b", "sales", training=[YEARLY]),), 0)],
)
def test_a_rule_finds_the_training_of_the_domain(profile: tuple[dict[str, Any], ...], violations: int) -> None:
    mesh = a_mesh(("kim", "owner", "", "")).apply(*profile).settle().apply(CURRENT).settle()
    assert mesh.get("GovernancePolicy", "trained")["status"]["violations"] == violations


def test_a_product_wakes_its_domain_when_somebody_leaves_its_team() -> None:
    mesh = a_mesh().apply(a_product()).settle()
    old = mesh.product()
    for team, woken in ((LEFT, True), (STAYS, False)):
        new = {**old, "spec": {**old["spec"], "team": team}, "metadata": {**old["metadata"], "generation": 2}}
        assert (DOMAIN in {wake.key for wake in wakes(old, new, mesh.cluster)}) == woken
