"""A Domain as a reader sees it: the profile's words where there are any and the reader may read them, else the Domain's."""

from typing import Any, Final

import pytest

from clouddatamesh.model.objects import Key
from clouddatamesh.view.domain import Course, Member, Trained, show_domain, with_profile
from clouddatamesh.view.mesh import Mesh
from tests.support.manifests import a_domain, a_profile, a_team

DOMAIN: Final = a_domain(
    description={"purpose": "The Domain's words", "usage": "Ask"},
    stakeholders=[{"name": "Robin"}],
    dataSources=[{"name": "pos", "type": "postgres", "owner": "IT"}],
    team={"name": "Old", "members": [{"username": "kim", "role": "owner", "dateOut": "2026-01-31"}]},
    access={"owners": [{"kind": "Group", "name": "sales-owners"}], "fromTeam": True},
)
SPEC: Final[dict[str, Any]] = {
    "description": {"purpose": "The team's words"},
    "stakeholders": [{"name": "Sam", "role": "Head", "email": "sam@example.com"}],
    "training": [{"name": "gdpr", "url": "https://x.test", "requiredFor": ["owner"], "validFor": "365d"}, {"name": "s3"}],
    "documentation": {"url": "https://wiki.test"},
}
STATUS: Final = {
    "training": {
        "trainings": [{"name": "gdpr", "current": 0, "due": 0, "overdue": 1}],
        "people": [{"training": "gdpr", "username": "kim", "state": "overdue", "until": "2026-01-01"}],
    }
}


def profile(**spec: Any) -> dict[str, Any]:
    return {**a_profile(**{**SPEC, **spec}), "status": STATUS}


def test_the_profiles_fields_are_shown_and_the_domains_where_it_has_none() -> None:
    page = show_domain(Mesh.of([DOMAIN, profile()]), DOMAIN)
    assert page.description == (("purpose", "The team's words"),)
    assert page.stakeholders == (("Sam", "Head", "sam@example.com"),)
    assert page.data_sources == (("pos", "postgres", "IT", ""),)
    assert (page.team, page.members) == ("Old", (Member("kim", "", "owner", "", "2026-01-31"),))
    assert page.training == (
        Course("gdpr", "https://x.test", ("owner",), "365d", 0, 0, 1),
        Course("s3", "", (), "", None, None, None),
    )
    assert page.trained == (Trained("gdpr", "kim", "overdue", "2026-01-01"),)
    assert page.documentation.url == "https://wiki.test"
    assert dict(page.facts)["Owners"] == "Group sales-owners"
    assert "From the team" in dict(page.facts)


@pytest.mark.parametrize(
    ("mesh", "hidden"),
    [
        (Mesh.of([DOMAIN]), False),
        (Mesh.of([DOMAIN], refused=[("DomainProfile", "sales")]), True),
        (Mesh.of([DOMAIN, a_profile("sales", "other"), a_profile("other", "sales")]), False),
    ],
    ids=["none", "not readable", "of other names and places"],
)
def test_without_a_profile_the_domain_speaks(mesh: Mesh, hidden: bool) -> None:
    page = show_domain(mesh, DOMAIN)
    assert (page.profile, page.is_profile_hidden) == (None, hidden)
    assert page.description[0] == ("purpose", "The Domain's words")
    assert (page.training, page.trained) == ((), ())
    assert with_profile(mesh, DOMAIN)["spec"] == DOMAIN["spec"]


def test_the_home_namespace_is_the_first_one() -> None:
    domain = a_domain(namespaces=[{"name": "shop"}, {"name": "sales"}])
    assert show_domain(Mesh.of([domain, a_profile("sales", "sales")]), domain).profile is None
    page = show_domain(Mesh.of([domain, a_profile("sales", "shop")]), domain)
    assert (page.home, page.profile is not None) == ("shop", True)


def test_exports_get_the_profiles_fields_and_never_its_training() -> None:
    merged = with_profile(Mesh.of([DOMAIN, profile(team=a_team(("lee", "", "", "")))]), DOMAIN)
    assert merged["spec"]["team"] == a_team(("lee", "", "", ""))
    assert merged["spec"]["access"] == DOMAIN["spec"]["access"]
    assert set(merged["spec"]) == set(DOMAIN["spec"])


@pytest.mark.parametrize(
    "odd", [{"spec": 7}, {"spec": None}, {"spec": {"team": 7, "training": "x"}}, {"status": {"training": []}}], ids=str
)
def test_what_is_malformed_reads_as_empty(odd: dict[str, Any]) -> None:
    found = {**a_profile(), **odd}
    page = show_domain(Mesh({Key("Domain", "", "sales"): DOMAIN, Key("DomainProfile", "sales", "sales"): found}), DOMAIN)
    assert page.trained == ()
    assert "access" in with_profile(Mesh({Key("DomainProfile", "sales", "sales"): found}), DOMAIN)["spec"]
